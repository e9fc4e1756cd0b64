/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "profiler/base/strbuf.h"
#include "symbolizer/kallsyms.h"
#include "tests/unit/fail_alloc.h"

/* A file in memory with this text; its path lives until the next call. */
static const char *text_file(const char *text, size_t size, int *ret_fd)
{
	static char path[64];
	int fd = memfd_create("kallsyms", MFD_CLOEXEC);

	assert_true(fd >= 0);
	while (size) {
		ssize_t part = write(fd, text, size);

		assert_true(part > 0);
		text += part;
		size -= (size_t)part;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*ret_fd = fd;
	return path;
}

static int read_text(const char *text, size_t size, struct kallsyms **ret)
{
	_cleanup_close_ int fd = -1;
	const char *path = text_file(text, size, &fd);

	return kallsyms_read(path, ret);
}

static const char some[] =
	"ffffffff81000000 T _stext\n"
	"ffffffff81000000 T startup_64\n"
	"ffffffff81000100 t local_function\n"
	"ffffffff81000200 T memcpy\n"
	"ffffffff81000200 W __memcpy_weak\n"
	"ffffffff81000300 t __alias\n"
	"ffffffff81000300 t alias\n"
	"ffffffff81000400 D some_data\n"
	"ffffffff81000480 r some_constant\n"
	"ffffffff81000500 W weak.isra.0\n"
	"ffffffff81000600 w weaker\n"
	"0000000000000000 T absolute\n"
	"ffffffffc0100000 t ext4_init\t[ext4]\n"
	"ffffffffc0100080 t ext4_exit\t[ext4]\n"
	"ffffffffc0000000 t kvm_init\t[kvm]\n"
	"ffffffffc0000040 t _RNvC3abc3def\t[kvm]\n"
	"ffffffffc0200000 t bpf_prog_6deef7357e7b4530_sd_fw\t[bpf]\n"
	"ffffffffc0000080 t kvm_exit\t[kvm]\n";

static const struct find_case {
	const char *name;
	uint64_t address;
	const char *symbol;	/* NULL: none */
	const char *module;	/* NULL: the core kernel */
	uint64_t start;
} find_cases[] = {
	{ "the first byte is the symbol's", 0xffffffff81000100, "local_function", NULL,
	  0xffffffff81000100 },
	{ "the byte before the next symbol too", 0xffffffff810001ff, "local_function", NULL,
	  0xffffffff81000100 },
	{ "fewer underscores win", 0xffffffff81000010, "startup_64", NULL, 0xffffffff81000000 },
	{ "global wins over weak", 0xffffffff81000200, "memcpy", NULL, 0xffffffff81000200 },
	{ "also among local ones fewer underscores win", 0xffffffff81000301, "alias", NULL,
	  0xffffffff81000300 },
	{ "data does not end code", 0xffffffff81000490, "alias", NULL, 0xffffffff81000300 },
	{ "a weak one is a symbol, with its suffix", 0xffffffff81000501, "weak.isra.0", NULL,
	  0xffffffff81000500 },
	{ "the last of the core kernel reaches some way", 0xffffffff81001000, "weaker", NULL,
	  0xffffffff81000600 },
	{ "but not to the modules", 0xffffffffbfffffff, NULL, NULL, 0 },
	{ "modules out of order are found", 0xffffffffc0000010, "kvm_init", "[kvm]",
	  0xffffffffc0000000 },
	{ "with all their symbols", 0xffffffffc0000090, "kvm_exit", "[kvm]", 0xffffffffc0000080 },
	{ "and the other module", 0xffffffffc0100081, "ext4_exit", "[ext4]", 0xffffffffc0100080 },
	{ "a BPF program is found", 0xffffffffc0200010, "bpf_prog_6deef7357e7b4530_sd_fw", "[bpf]",
	  0xffffffffc0200000 },
	{ "behind the last symbol there is nothing", 0xffffffffc0300000, NULL, NULL, 0 },
	{ "at the end of the numbers there is nothing", UINT64_MAX, NULL, NULL, 0 },
	{ "below the first symbol there is nothing", 0xffffffff80ffffff, NULL, NULL, 0 },
	{ "a user address is nothing", 0x401000, NULL, NULL, 0 },
	{ "0 is nothing", 0, NULL, NULL, 0 },
};

static void find_row(void **state)
{
	_cleanup_(kallsyms_freep) struct kallsyms *syms = NULL;
	const struct find_case *c = *state;
	struct kallsyms_symbol symbol = { .name = "untouched" };
	int r;

	assert_int_equal(read_text(some, strlen(some), &syms), 0);
	assert_int_equal(kallsyms_count(syms), 15);
	r = kallsyms_find(syms, c->address, &symbol);
	assert_int_equal(r, c->symbol ? 0 : -ENOENT);
	assert_string_equal(symbol.name, c->symbol ? c->symbol : "untouched");
	if (!c->symbol)
		return;
	assert_int_equal(symbol.start, c->start);
	if (c->module)
		assert_string_equal(symbol.module, c->module);
	else
		assert_null(symbol.module);
}

static const struct read_case {
	const char *name;
	const char *text;
	int expected;
	size_t count;
} read_cases[] = {
	{ "an empty file has no symbols", "", -ENOENT, 0 },
	{ "a file without code has no symbols", "ffffffff81000000 D data\n", -ENOENT, 0 },
	{ "addresses that are all zero are hidden ones",
	  "0000000000000000 T _stext\n0000000000000000 t f\n", -EACCES, 0 },
	{ "a last line without a newline is not whole",
	  "ffffffff81000000 T f\nffffffff81000001 T g", 0, 1 },
	{ "lines that are none are passed over",
	  "\n \nx\nffffffff81000000\nffffffff81000000 T\nffffffff81000000 T \n"
	  "ffffffff81000000  Tf\nffffffff81000000000000 T f\nFFFFFFFF81000000 T f\n"
	  "ffffffff81000000 T f\n", 0, 1 },
	{ "a line may have an empty module", "ffffffff81000000 T f\t\n", 0, 1 },
};

static void read_row(void **state)
{
	_cleanup_(kallsyms_freep) struct kallsyms *syms = NULL;
	const struct read_case *c = *state;

	assert_int_equal(read_text(c->text, strlen(c->text), &syms), c->expected);
	if (c->expected)
		assert_null(syms);
	else
		assert_int_equal(kallsyms_count(syms), c->count);
}

static void test_no_file(void **state)
{
	struct kallsyms *syms = NULL;

	assert_int_equal(kallsyms_read("/nonexistent/kallsyms", &syms), -ENOENT);
	assert_int_equal(kallsyms_read("/", &syms), -EISDIR);
	assert_null(syms);
}

static void test_many(void **state)
{
	_cleanup_(kallsyms_freep) struct kallsyms *syms = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct kallsyms_symbol symbol;
	char name[32];
	unsigned int i;

	/* More than any buffer, with lines across its ends, and from above down. */
	for (i = 20000; i > 0; i--)
		strbuf_printf(&text, "%016llx t function_%u\t[module%u]\n",
			      0xffffffffc0000000ull + i * 64, i, i / 100);
	assert_int_equal(read_text(text.data, text.size, &syms), 0);
	assert_int_equal(kallsyms_count(syms), 20000);
	for (i = 1; i <= 20000; i += 37) {
		assert_int_equal(kallsyms_find(syms, 0xffffffffc0000003ull + i * 64, &symbol), 0);
		snprintf(name, sizeof(name), "function_%u", i);
		assert_string_equal(symbol.name, name);
		snprintf(name, sizeof(name), "[module%u]", i / 100);
		assert_string_equal(symbol.module, name);
	}
	assert_true(kallsyms_bytes(syms) < 20000 * (16 + 20) + 4096);
}

static void test_no_text(void **state)
{
	_cleanup_free_ char *bytes = malloc(200000);
	_cleanup_(kallsyms_freep) struct kallsyms *syms = NULL;

	memset(bytes, 'f', 200000);
	assert_int_equal(read_text(bytes, 200000, &syms), -EBADMSG);
	assert_null(syms);
}

static void test_flipped(void **state)
{
	static const char bytes[] = "\n\t 0fTt[]\xff\0x";
	struct kallsyms_symbol symbol;
	struct kallsyms *syms;
	char text[sizeof(some)];
	uint32_t random = 1;
	int round, flip, r;

	for (round = 0; round < 2000; round++) {
		memcpy(text, some, sizeof(some));
		for (flip = 0; flip <= round % 8; flip++) {
			random = random * 1103515245 + 12345;
			text[(random >> 8) % strlen(some)] = bytes[(random >> 4) % 12];
		}
		r = read_text(text, sizeof(text) - 1, &syms);
		assert_int_equal(r, 0);
		kallsyms_find(syms, 0xffffffffc0000010, &symbol);
		kallsyms_free(syms);
	}
}

/* Whether this machine shows them or not, the answer is a sensible one. */
static void test_this_kernel(void **state)
{
	_cleanup_(kallsyms_freep) struct kallsyms *syms = NULL;
	int r = kallsyms_read("/proc/kallsyms", &syms);

	if (r == -EACCES || r == -ENOENT)
		skip();
	assert_int_equal(r, 0);
	assert_true(kallsyms_count(syms) > 1000);
	assert_true(kallsyms_bytes(syms) / kallsyms_count(syms) < 64);
}

static int read_once(void *arg)
{
	struct kallsyms *syms = NULL;
	int r = kallsyms_read(arg, &syms);

	kallsyms_free(syms);
	return r;
}

static void test_no_memory(void **state)
{
	_cleanup_close_ int fd = -1;
	const char *path = text_file(some, strlen(some), &fd);

	assert_true(fail_alloc_each(read_once, (void *)path) > 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a missing file is an error", test_no_file),
		UNIT_TEST("many symbols are found again", test_many),
		UNIT_TEST("a file without lines is damage", test_no_text),
		UNIT_TEST("flipped bytes do no harm", test_flipped),
		UNIT_TEST("this kernel's symbols are read", test_this_kernel),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("find", find_row, UNIT_ROWS(find_cases)) +
	       unit_run_rows("read", read_row, UNIT_ROWS(read_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
