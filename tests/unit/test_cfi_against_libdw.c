/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_cfi_against_libdw.c - our tables and libdw agree about the programs of this system.
 *
 * At every place where either of them changes its mind, unwind_step() with our
 * rule and libdw's description must lead to the same caller, on a machine of
 * made-up registers and memory. Large files are compared in part.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/unwind_step.h"
#include "profiler/base/alloc.h"
#include "profiler/unwind/unwind_table.h"
#include "tests/unit/cfi_oracle.h"
#include "tests/unit/unit.h"

#define BINARIES_MIN 20
#define FDES_MAX 200000	/* of one file; more are thinned out evenly */
#define SHOWN_MAX 10

static int unwind_map_find(struct unwind_cursor *s, wick_u64 address)
{
	s->map_start = 0;
	s->map_end = ~0ull;
	s->map_bias = 0;
	s->map_module = UNWIND_MODULE_FIRST;
	return 0;
}

static int unwind_map_has(struct unwind_cursor *s, wick_u64 address)
{
	return 1;
}

static struct unwind_rule current_rule;

static wick_u64 unwind_rule_find(struct unwind_cursor *s, wick_u64 address)
{
	wick_u64 bits;

	memcpy(&bits, &current_rule, sizeof(bits));
	return bits;
}

static int unwind_memory_read(struct unwind_cursor *s, void *to, wick_u32 size, wick_u64 address)
{
	wick_u64 *words = to;
	wick_u32 i;

	for (i = 0; i < size / 8; i++)
		words[i] = machine_memory(address + 8 * i);
	return 0;
}

struct comparison {
	const char *path;
	struct rule_pool *pool;
	struct unwind_table table;
	struct oracle *oracle;
	struct machine m;
	uint64_t *starts;	/* of our rows, sorted */
	size_t start_count, start_capacity;
	size_t next_start;
	size_t fdes, rows, places;
	/* Explained: no rule can say it, or the page has more rows than the form allows. */
	size_t unsupported, fp_unsupported, rbx_unsupported, overfull;
	size_t beyond_libdw;	/* libdw refuses what libgcc, and we, understand */
	size_t mismatches;
};

static void complain(struct comparison *c, uint64_t address, const char *what)
{
	if (c->mismatches++ < SHOWN_MAX)
		printf("# %s: %#llx: %s: rule %u.%02x.%d.%#x\n", c->path,
		       (unsigned long long)address, what, current_rule.kind, current_rule.fp,
		       current_rule.fp_offset, (unsigned int)current_rule.cfa_offset);
}

static bool fp_is_lost(struct unwind_rule rule)
{
	return (rule.fp & 15) == UNWIND_FP_UNDEFINED || (rule.fp & 15) == UNWIND_FP_UNSUPPORTED;
}

static void step_from(struct unwind_cursor *s, const struct machine *m)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->regs, m->regs, sizeof(s->regs));
	s->ip = m->regs[MACHINE_RIP];
	s->sp = m->regs[UNWIND_RSP];
	s->fp = m->regs[UNWIND_RBP];
	s->flags = UNWIND_EXACT | UNWIND_REGISTERS_KNOWN;
	s->depth_max = 2;
	s->window_base = ~0ull;
	unwind_step(s);
}

static void compare_fp(struct comparison *c, const struct unwind_cursor *s,
		       const struct oracle_caller *caller)
{
	uint64_t address = c->m.regs[MACHINE_RIP];

	if ((current_rule.fp & 15) == UNWIND_FP_UNSUPPORTED) {
		c->fp_unsupported++;
		if (caller->fp_plain)
			complain(c, address, "rbp unsupported");
		return;
	}
	if (caller->fp_known == fp_is_lost(current_rule))
		complain(c, address, "rbp known to one only");
	else if (caller->fp_known && s->fp != caller->fp)
		complain(c, address, "another rbp");
}

static void compare_rbx(struct comparison *c, const struct unwind_cursor *s,
			const struct oracle_caller *caller)
{
	if (s->flags & UNWIND_RBX_UNKNOWN) {
		c->rbx_unsupported += caller->rbx_known;
		if (caller->rbx_near)
			complain(c, c->m.regs[MACHINE_RIP], "rbx unsupported");
	} else if (s->regs[UNWIND_RBX] != caller->rbx) {
		complain(c, c->m.regs[MACHINE_RIP], "another rbx");
	}
}

static bool page_is_overfull(const struct comparison *c, uint64_t address)
{
	return (c->table.cells[(address - c->table.start) >> UNWIND_PAGE_SHIFT] &
		UNWIND_PAGE_ROWS_MAX) == UNWIND_PAGE_ROWS_MAX;
}

static void compare_caller(struct comparison *c, uint64_t address, const struct unwind_cursor *s,
			   const struct oracle_caller *caller)
{
	if (s->stop) {
		complain(c, address, "unwind_step() stops");
	} else if (s->sp != caller->cfa) {
		complain(c, address, "another CFA");
	} else if (s->ip != caller->ip) {
		complain(c, address, "another return address");
	} else {
		compare_fp(c, s, caller);
		compare_rbx(c, s, caller);
	}
}

/* Where both say what holds at @address: @row is libdw's. */
static void compare_at(struct comparison *c, uint64_t address, const struct oracle_row *row)
{
	struct oracle_caller caller;
	struct unwind_cursor s;
	wick_u32 kind;

	c->places++;
	c->m.regs[MACHINE_RIP] = address;
	current_rule = rule_pool_rule(c->pool, unwind_table_find(&c->table, address));
	kind = unwind_rule_kind(current_rule);
	step_from(&s, &c->m);
	if (oracle_caller(row, &c->m, &caller) < 0) {
		c->beyond_libdw++;
	} else if (kind == UNWIND_NONE && page_is_overfull(c, address)) {
		c->overfull++;
	} else if (caller.ends || kind == UNWIND_END) {
		if (!caller.ends || s.stop != UNWIND_STOP_END)
			complain(c, address, "the end for one only");
	} else if (kind == UNWIND_UNSUPPORTED) {
		c->unsupported++;
		if (caller.plain)
			complain(c, address, "unsupported");
	} else {
		compare_caller(c, address, &s, &caller);
	}
}

/* The rule of a PLT goes by the address itself. */
static void compare_inside(struct comparison *c, const struct oracle_row *row)
{
	uint64_t address = row->start + 1;

	if (unwind_rule_kind(current_rule) == UNWIND_PLT) {
		for (; address < row->end && address < row->start + 48; address++)
			compare_at(c, address, row);
	}
	while (c->next_start < c->start_count && c->starts[c->next_start] <= row->start)
		c->next_start++;
	for (; c->next_start < c->start_count && c->starts[c->next_start] < row->end;
	     c->next_start++)
		compare_at(c, c->starts[c->next_start], row);
}

static void compare_fde(struct comparison *c, uint64_t start, uint64_t end)
{
	size_t low = 0, high = c->start_count, middle;
	struct oracle_row row;

	while (low < high) {
		middle = (low + high) / 2;
		if (c->starts[middle] < start)
			low = middle + 1;
		else
			high = middle;
	}
	c->next_start = low;
	c->fdes++;
	while (start < end) {
		if (oracle_row(c->oracle, start, &row) < 0) {
			complain(c, start, "libdw has no row");
			return;
		}
		c->rows++;
		row.start = start;
		compare_at(c, start, &row);
		compare_inside(c, &row);
		free(row.frame);
		if (row.end <= start)
			return;
		start = row.end;
	}
}

/* Where our rows begin, by the form that unwind_table.h describes. */
static void list_rows(struct comparison *c)
{
	const struct unwind_table *t = &c->table;
	uint32_t page, i;

	for (page = 0; page < t->page_count; page++) {
		const uint32_t *rows = t->cells + t->page_count + 2 * (t->cells[page] >> 10);
		uint32_t count = t->cells[page] & 1023;

		assert_int_equal(
			alloc_grow(&c->starts, &c->start_capacity, c->start_count + count + 1), 0);
		for (i = 0; i < count; i++)
			c->starts[c->start_count++] = t->start + 4096ull * page + (rows[i] & 4095);
	}
}

static void build_table(struct comparison *c)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_close_ int fd = open(c->path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(elf_file_open_fd(fd, &elf), 0);
	c->pool = rule_pool_new(65536);
	assert_non_null(c->pool);
	assert_int_equal(unwind_table_build(elf, c->pool, &c->table), 0);
}

static void compare_file(const char *path, bool debug_frame)
{
	struct comparison c = { .path = path };
	size_t i, stride;
	uint64_t start, end;

	machine_init(&c.m);
	build_table(&c);
	list_rows(&c);
	c.oracle = oracle_open(path, debug_frame);
	assert_non_null(c.oracle);
	assert_true(oracle_fde_count(c.oracle) > 0);
	stride = oracle_fde_count(c.oracle) / FDES_MAX + 1;
	for (i = 0; oracle_fde(c.oracle, i, &start, &end); i += stride)
		compare_fde(&c, start, end);
	printf("# %s: %zu FDEs, %zu compared, %zu rows, %zu places, %zu unsupported, %zu without "
	       "rbp, %zu without rbx, %zu in full pages, %zu beyond libdw, %zu unexplained\n",
	       path, oracle_fde_count(c.oracle), c.fdes, c.rows, c.places, c.unsupported,
	       c.fp_unsupported, c.rbx_unsupported, c.overfull, c.beyond_libdw, c.mismatches);
	assert_int_equal(c.mismatches, 0);
	assert_int_equal(c.table.stats.fdes_damaged, 0);
	oracle_close(c.oracle);
	unwind_table_done(&c.table);
	rule_pool_free(c.pool);
	free(c.starts);
}

/* Names are looked for where distributions put programs and libraries. */
static const char *const folders[] = {
	"/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib", "/bin",
	"/usr/libexec/gcc/x86_64-linux-gnu/*", "/usr/lib/gcc/x86_64-linux-gnu/*",
	"/usr/lib/x86_64-linux-gnu/*", "/usr/local/bin",
};

static const char *const names[] = {
	"libc.so.6", "ld-linux-x86-64.so.2", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6",
	"libcrypto.so.*", "libssl.so.*", "liblzma.so.*", "libz.so.*", "libelf.so.*", "libdw.so.*",
	"libgcrypt.so.*", "libgmp.so.*", "libpython3.*.so.*", "libperl.so.*", "libsqlite3.so.*",
	"libLLVM-*.so.*", "libclang-cpp.so.*", "libzstd.so.*", "libbpf.so.*", "libcurl.so.*",
	"bash", "gzip", "xz", "perl", "git", "ssh", "node", "gdb", "ls", "grep", "gawk", "mawk",
	"tar", "sort", "find", "sed", "make", "curl", "cc1", "python3.*", "openssl", "readelf",
};

static bool find_file(const char *name, char *path, size_t size)
{
	bool found = false;
	glob_t paths;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders) && !found; i++) {
		snprintf(path, size, "%s/%s", folders[i], name);
		if (glob(path, 0, NULL, &paths))
			continue;
		found = snprintf(path, size, "%s", paths.gl_pathv[0]) < (int)size;
		globfree(&paths);
	}
	return found;
}

static size_t compared;

static void test_binary(void **state)
{
	char path[4096];

	assert_true(find_file(*state, path, sizeof(path)));
	compare_file(path, false);
	compared++;
}

static void test_debug_frame(void **state)
{
	const char *folder = getenv("WICK_WORKLOADS");
	char path[4096];

	snprintf(path, sizeof(path), "%s/stack_shapes-debug_frame",
		 folder ? folder : "build/tests/workloads");
	compare_file(path, true);
}

static void test_enough_were_compared(void **state)
{
	assert_true(compared >= BINARIES_MIN);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(names) + 2] = { { 0 } };
	char path[4096];
	size_t count = 0;

	/* Those that are here: the last case sees to it that they are enough. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!find_file(names[i], path, sizeof(path)))
			continue;
		tests[count].name = names[i];
		tests[count].test_func = test_binary;
		tests[count++].initial_state = (void *)names[i];
	}
	tests[count++] = (struct CMUnitTest)UNIT_TEST("a program with .debug_frame",
						      test_debug_frame);
	tests[count++] = (struct CMUnitTest)UNIT_TEST("at least 20 files were compared",
						      test_enough_were_compared);
	return _cmocka_run_group_tests("files", tests, count, NULL, NULL);
}
