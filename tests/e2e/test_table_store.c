/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "profiler/base/clock.h"
#include "profiler/processes/modules.h"
#include "profiler/tables/table_store.h"
#include "tests/e2e/store_maps.h"

#define SECOND_NS 1000000000ull
#define MODULES 4096

struct fixture {
	struct table_store_options options;
	struct table_store *store;
	struct modules *modules;
	struct process_table *table;
	struct process *self;
	uint64_t now_ns;
};

static int setup_with(void **state, uint32_t segment_limit, uint32_t mapping_limit)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = { .text = "" };

	assert_non_null(f);
	f->options.segment_limit = segment_limit;
	f->options.rule_limit = 16384;
	f->options.module_limit = MODULES;
	f->options.mapping_limit = mapping_limit;
	f->now_ns = 1000 * SECOND_NS;
	store_maps_open(&f->options);
	assert_int_equal(table_store_new(&f->options, &f->store, &err), 0);
	f->modules = modules_new(MODULES);
	f->table = process_table_new();
	assert_int_equal(process_table_add(f->table, (uint32_t)getpid(), &f->self), 1);
	assert_int_equal(process_read_maps(f->table, f->self), 0);
	for (size_t i = 0; i < f->self->mapping_count; i++)
		modules_find(f->modules, f->self, &f->self->mappings[i]);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, 4, 4096);
}

/* 4 MiB of tables, and room for the lists of a few processes only. */
static int setup_small(void **state)
{
	return setup_with(state, 4, 100);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	table_store_free(f->store);
	process_table_free(f->table);
	modules_free(f->modules);
	store_maps_close(&f->options);
	free(f);
	return 0;
}

static struct table_store_stats stats(const struct fixture *f)
{
	struct table_store_stats s;

	table_store_stats(f->store, &s);
	return s;
}

/* ---- tables ---- */

static uint64_t rule_number(struct unwind_rule rule)
{
	uint64_t number;

	memcpy(&number, &rule, sizeof(number));
	return number;
}

/* Every byte by the host's look-up, every page by the kernel's view. Returns how many bytes. */
static uint64_t compare_module(const struct fixture *f, struct module *mod)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(16384);
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(unwind_table_done) struct unwind_table table = { 0 };
	uint32_t id = module_info(mod)->id;
	uint64_t address, end, count = 0, rule;

	assert_int_equal(module_open(mod, &elf), 0);
	assert_int_equal(unwind_table_build(elf, pool, &table), 0);
	end = table.start + ((uint64_t)table.page_count << UNWIND_PAGE_SHIFT);
	for (address = table.start - 4096; address < end + 4096; address++) {
		rule = rule_number(rule_pool_rule(pool, unwind_table_find(&table, address)));
		if (table_store_rule(f->store, id, address) != rule)
			fail_msg("%s: another rule at %lx", module_info(mod)->path,
				 (unsigned long)address);
		count++;
		if (address % 4096 == (address >> 12) % 4096)
			assert_int_equal(store_maps_rule(&f->options, id, address), rule);
	}
	return count;
}

static void test_rules(void **state)
{
	struct fixture *f = *state;
	uint64_t count = 0, begin_ns = clock_monotonic_ns();

	for (size_t i = 0; i < f->self->mapping_count; i++) {
		struct module *mod = f->self->mappings[i].module;

		if (mod)
			assert_int_equal(table_store_load_module(f->store, mod, f->now_ns), 0);
	}
	print_message("# %lu tables, %lu rows, %lu rules, %lu us\n",
		      (unsigned long)stats(f).tables, (unsigned long)stats(f).rows,
		      (unsigned long)stats(f).rules,
		      (unsigned long)(clock_monotonic_ns() - begin_ns) / 1000);
	for (size_t i = 0; i < f->self->mapping_count; i++)
		if (f->self->mappings[i].module)
			count += compare_module(f, f->self->mappings[i].module);
	print_message("# %lu addresses compared\n", (unsigned long)count);
	assert_true(count > 1000000);
	assert_true(stats(f).tables >= 3);
}

/* The C library under another number: another table, as far as the store knows. */
static struct module *libc_as(const struct fixture *f, uint32_t id)
{
	const struct mapping *libc = process_find_mapping(f->self, (uintptr_t)printf);
	struct module_info info = *module_info(libc->module);

	info.id = id;
	return module_new(&info, open(info.path, O_RDONLY | O_CLOEXEC));
}

static int load_libc(struct fixture *f, uint32_t id)
{
	_cleanup_(module_putp) struct module *mod = libc_as(f, id);

	assert_non_null(mod);
	return table_store_load_module(f->store, mod, f->now_ns);
}

static uint32_t kernel_pages(const struct fixture *f, uint32_t id)
{
	struct wick_module module;

	store_maps_module(&f->options, id, &module);
	return (uint32_t)module.table;
}

static void test_evict(void **state)
{
	struct fixture *f = *state;
	uint32_t first = 100, id = first, refused, pages;
	int r;

	/* Each a second later than the one before, until there is no room. */
	while (!(r = load_libc(f, id))) {
		id++;
		f->now_ns += SECOND_NS;
	}
	assert_int_equal(r, -ENOSPC);
	refused = id;
	pages = kernel_pages(f, first + 1);
	assert_true(pages > 100 && kernel_pages(f, refused) == 0);
	print_message("# %u tables of the C library in 4 MiB\n", refused - first);
	/* The oldest made room, which may be used after a moment. */
	assert_int_equal(stats(f).tables_evicted, 1);
	assert_int_equal(kernel_pages(f, first), 0);
	assert_int_equal(table_store_rule(f->store, first, 0x30000), 0);
	assert_int_equal(load_libc(f, refused), -ENOSPC);
	table_store_collect(f->store, f->now_ns + SECOND_NS / 2);
	assert_int_equal(kernel_pages(f, refused), 0);
	f->now_ns += SECOND_NS;
	table_store_collect(f->store, f->now_ns);
	assert_int_equal(kernel_pages(f, refused), pages);
	assert_int_equal(load_libc(f, refused), 0);
	assert_int_equal(store_maps_rule(&f->options, refused, 0x30000),
			 store_maps_rule(&f->options, first + 1, 0x30000));
	/* The next one takes the second oldest's place, unless that was seen in a sample. */
	table_store_touch(f->store, first + 1, f->now_ns);
	assert_int_equal(load_libc(f, refused + 1), -ENOSPC);
	assert_int_equal(kernel_pages(f, first + 1), pages);
	assert_int_equal(kernel_pages(f, first + 2), 0);
	/* What had to go comes back when it is used; nothing idle is left for it then. */
	table_store_touch(f->store, first, f->now_ns);
	f->now_ns += SECOND_NS + 1;
	table_store_collect(f->store, f->now_ns);
	assert_int_equal(kernel_pages(f, refused + 1) + kernel_pages(f, first), pages);
}

static void test_busy(void **state)
{
	struct fixture *f = *state;
	uint32_t id = 100;

	while (!load_libc(f, id))
		id++;
	/* All were used just now: none makes room. */
	assert_int_equal(stats(f).tables_evicted, 0);
	assert_int_equal(stats(f).tables_refused, 1);
	f->now_ns += 2 * SECOND_NS;
	table_store_collect(f->store, f->now_ns);
	assert_int_equal(kernel_pages(f, id), 0);
	assert_int_equal(stats(f).tables_refused, 1);
}

/* Blocks that are free go back to the kernel, a segment at a time; at first there are two. */
static void test_unused(void **state)
{
	struct fixture *f = *state;
	uint32_t first = 100, id = first;

	while (!load_libc(f, id))
		id++;
	assert_int_equal(stats(f).segments, 4);
	f->now_ns += TABLE_UNUSED_NS - 1;
	table_store_touch(f->store, first, f->now_ns);
	f->now_ns++;
	table_store_collect(f->store, f->now_ns);
	assert_int_equal(stats(f).tables, 1);
	assert_int_equal(stats(f).tables_unused, id - first - 1);
	assert_true(kernel_pages(f, first) > 0);
	assert_int_equal(kernel_pages(f, first + 1), 0);
	assert_int_equal(table_store_rule(f->store, first + 1, 0x30000), 0);
	for (int i = 0; i < 4; i++) {
		f->now_ns += SECOND_NS;
		table_store_collect(f->store, f->now_ns);
	}
	assert_int_equal(stats(f).segments, 2);
	/* And come again with the next walk. */
	assert_int_equal(load_libc(f, first + 1), 0);
	assert_int_equal(kernel_pages(f, first + 1), kernel_pages(f, first));
}

static void test_unreadable(void **state)
{
	struct fixture *f = *state;
	struct module_info info = { .id = 200, .path = "/proc/self/status" };
	_cleanup_(module_putp) struct module *mod =
		module_new(&info, open("/proc/self/status", O_RDONLY | O_CLOEXEC));
	int r = table_store_load_module(f->store, mod, f->now_ns);

	assert_true(r < 0);
	assert_int_equal(table_store_load_module(f->store, mod, f->now_ns), r);
	assert_int_equal(stats(f).tables_failed, 1);
	info.id = MODULES;
	module_put(mod);
	mod = module_new(&info, -1);
	assert_int_equal(table_store_load_module(f->store, mod, f->now_ns), -ENOSPC);
}

/* Load it while there is no memory but the little that is left in pieces. */
static int load_starved(struct fixture *f, uint32_t id)
{
	_cleanup_(module_putp) struct module *mod = libc_as(f, id);
	struct rlimit before, none;
	void **all = NULL, **next;
	int r;

	getrlimit(RLIMIT_AS, &before);
	none = (struct rlimit){ .rlim_cur = 1 << 20, .rlim_max = before.rlim_max };
	setrlimit(RLIMIT_AS, &none);
	for (size_t size = 1 << 16; size >= sizeof(*all); size /= 2)
		for (; (next = malloc(size)); all = next)
			*next = all;
	r = table_store_load_module(f->store, mod, f->now_ns);
	setrlimit(RLIMIT_AS, &before);
	for (; all; all = next) {
		next = *all;
		free(all);
	}
	return r;
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	uint64_t build_ns;

	assert_int_equal(load_starved(f, 100), -ENOMEM);
	build_ns = stats(f).build_ns;
	/* It may have come back, but each try could take seconds: there are others that wait. */
	f->now_ns += TABLE_RETRY_NS - 1;
	assert_int_equal(load_libc(f, 100), -ENOMEM);
	assert_int_equal(stats(f).build_ns, build_ns);
	f->now_ns++;
	assert_int_equal(load_libc(f, 100), 0);
	assert_true(kernel_pages(f, 100) > 100);
}

/* ---- processes ---- */

/* Publish our own list as that of @pid. */
static int publish(struct fixture *f, uint32_t pid, uint64_t start_ns, uint32_t exec_id)
{
	struct process process = *f->self;

	process.pid = pid;
	process.start_ns = start_ns;
	process.exec_id = exec_id;
	return table_store_publish(f->store, &process, f->now_ns);
}

/* Another test may have a return probe in the C library: then all have [uprobes]. */
static uint32_t module_expected(const struct mapping *m)
{
	if (m->module)
		return module_info(m->module)->id;
	return strcmp(m->path, "[uprobes]") ? UNWIND_MODULE_NONE : UNWIND_MODULE_UPROBES;
}

static void test_publish(void **state)
{
	struct fixture *f = *state;
	struct wick_process entry;
	struct wick_mapping mapping;

	assert_int_equal(publish(f, 1, 10, 5), -ENOENT);
	assert_false(store_maps_process(&f->options, 1, &entry));
	store_maps_request(&f->options, 1, 10, 5);
	assert_int_equal(publish(f, 1, 10, 5), 0);
	assert_true(store_maps_process(&f->options, 1, &entry));
	assert_int_equal(entry.state, WICK_PROCESS_LOADED);
	assert_int_equal(entry.start_ns, 10);
	assert_int_equal(entry.exec_id, 5);
	assert_int_equal(entry.map_count, f->self->mapping_count);
	for (uint32_t i = 0; i < entry.map_count; i++) {
		const struct mapping *m = &f->self->mappings[i];

		store_maps_mapping(&f->options, entry.map_first + i, &mapping);
		assert_int_equal(mapping.start, m->start);
		assert_int_equal(mapping.end, m->end);
		assert_int_equal(mapping.module, module_expected(m));
		assert_int_equal(mapping.bias, m->bias);
		assert_int_equal(mapping.reserved, 0);
	}
	assert_int_equal(table_store_find_process(f->store, 1, &entry), 0);
	assert_int_equal(table_store_find_process(f->store, 2, &entry), -ENOENT);
	assert_int_equal(stats(f).processes_published, 1);
	assert_int_equal(stats(f).processes_gone, 1);
}

static void test_compat(void **state)
{
	struct fixture *f = *state;
	struct mapping mapping = { .start = 1, .end = 2, .path = "/x", .compat = true };
	struct process process = { .pid = 1, .mappings = &mapping, .mapping_count = 1 };
	struct wick_process entry;

	store_maps_request(&f->options, 1, 0, 0);
	assert_int_equal(table_store_publish(f->store, &process, f->now_ns), 0);
	assert_true(store_maps_process(&f->options, 1, &entry));
	assert_int_equal(entry.state, WICK_PROCESS_COMPAT);
	assert_int_equal(entry.map_count, 0);
	assert_int_equal(stats(f).mappings_used, 0);
	/* A process without any code to run is none of those. */
	process.mapping_count = 0;
	assert_int_equal(table_store_publish(f->store, &process, f->now_ns), 0);
	assert_true(store_maps_process(&f->options, 1, &entry));
	assert_int_equal(entry.state, WICK_PROCESS_LOADED);
}

/* As the kernel side does it at a fork. */
static void kernel_fork(const struct fixture *f, uint32_t parent, uint32_t child)
{
	struct wick_process entry;

	assert_true(store_maps_process(&f->options, parent, &entry));
	assert_int_equal(bpf_map_update_elem(f->options.processes_fd, &child, &entry, BPF_ANY), 0);
}

static void kernel_exit(const struct fixture *f, uint32_t pid)
{
	assert_int_equal(bpf_map_delete_elem(f->options.processes_fd, &pid), 0);
}

static void collect_after(struct fixture *f, uint64_t seconds)
{
	f->now_ns += seconds * SECOND_NS;
	table_store_collect(f->store, f->now_ns);
}

static void test_ranges(void **state)
{
	struct fixture *f = *state;
	size_t count = f->self->mapping_count;

	store_maps_request(&f->options, 1, 10, 5);
	assert_int_equal(publish(f, 1, 10, 5), 0);
	/* A child that user space has not heard of. */
	kernel_fork(f, 1, 2);
	assert_int_equal(publish(f, 1, 10, 5), 0);
	assert_int_equal(stats(f).mappings_used, 2 * count);
	collect_after(f, 31);
	assert_int_equal(stats(f).mappings_used, 2 * count);
	kernel_exit(f, 2);
	collect_after(f, 31);
	assert_int_equal(stats(f).mappings_used, count);
	/* One that it has heard of. */
	kernel_fork(f, 1, 3);
	assert_int_equal(table_store_fork(f->store, 1, 3, f->now_ns), 0);
	kernel_exit(f, 1);
	table_store_forget(f->store, 1, f->now_ns);
	collect_after(f, 31);
	assert_int_equal(stats(f).mappings_used, count);
	/* One whose end nobody told: a look finds it, the next one frees. */
	kernel_exit(f, 3);
	collect_after(f, 31);
	collect_after(f, 31);
	assert_int_equal(stats(f).mappings_used, 0);
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = 1;
	int r;

	do
		store_maps_request(&f->options, pid, 10, 5);
	while (!(r = publish(f, pid, 10, 5)) && pid++);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(stats(f).mappings_full, 1);
	/* Where one ended there is room after a second, looked for at once. */
	kernel_exit(f, 1);
	table_store_forget(f->store, 1, f->now_ns);
	f->now_ns += SECOND_NS / 2;
	assert_int_equal(publish(f, pid, 10, 5), -ENOSPC);
	f->now_ns += SECOND_NS;
	assert_int_equal(publish(f, pid, 10, 5), 0);
}

#define COST_ROUNDS 2000

static void test_cost(void **state)
{
	struct fixture *f = *state;
	uint64_t begin_ns, load_ns = 0, publish_ns = 0;

	store_maps_request(&f->options, 1, 10, 5);
	for (int i = 0; i < COST_ROUNDS; i++) {
		begin_ns = clock_monotonic_ns();
		for (size_t j = 0; j < f->self->mapping_count; j++)
			if (f->self->mappings[j].module)
				table_store_load_module(f->store, f->self->mappings[j].module,
							f->now_ns);
		load_ns += i ? clock_monotonic_ns() - begin_ns : 0;
		begin_ns = clock_monotonic_ns();
		assert_int_equal(publish(f, 1, 10, 5), 0);
		publish_ns += clock_monotonic_ns() - begin_ns;
		f->now_ns += SECOND_NS / 10;
		table_store_collect(f->store, f->now_ns);
	}
	print_message("# publish %zu mappings: %lu ns; see that their tables are there: %lu ns\n",
		      f->self->mapping_count, (unsigned long)publish_ns / COST_ROUNDS,
		      (unsigned long)load_ns / COST_ROUNDS);
	assert_true(publish_ns / COST_ROUNDS < 1000000);
}

#define STORE_TEST(sentence, function, setup_function) \
	{ (sentence), (function), (setup_function), teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST("rules are those of the table, everywhere", test_rules, setup),
		STORE_TEST("the table unused longest makes room", test_evict, setup_small),
		STORE_TEST("tables in use make no room", test_busy, setup_small),
		STORE_TEST("tables nobody uses give their memory back", test_unused, setup_small),
		STORE_TEST("a module that cannot be read is tried once", test_unreadable, setup),
		STORE_TEST("without memory it is not tried again and again", test_no_memory, setup),
		STORE_TEST("a list is published where it is asked for", test_publish, setup),
		STORE_TEST("a 32-bit process is flagged", test_compat, setup),
		STORE_TEST("a range is free when the last process that uses it is gone",
			   test_ranges, setup),
		STORE_TEST("a full array of mappings recovers", test_full, setup_small),
		STORE_TEST("publishing again and again costs little", test_cost, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
