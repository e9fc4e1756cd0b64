/* SPDX-License-Identifier: BSD-2-Clause */
/* test_symbol_worker.c - names by another process, and what is left of them when it dies. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/reader_process.h"

static struct compiled_program program;

static const char source[] = "struct shape { int side; __attribute__((noinline)) int area(int x) "
			     "{ volatile int y = x * side; return y + 1; } };\n"
			     "static inline __attribute__((always_inline)) int twice(int x) "
			     "{ volatile int y = x; return y + y; }\n"
			     "__attribute__((noinline)) int outer(int x) { return twice(x) + 3; }\n"
			     "int main() { shape s = { 3 }; return outer(s.area(2)); }\n";

static struct symbolizer *isolated(uint64_t module_ns)
{
	struct symbolizer_options options = { .isolated = true, .module_ns = module_ns };
	struct symbolizer *sym = symbolizer_new(&options);

	assert_non_null(sym);
	return sym;
}

static uint64_t address_of(const char *symbol)
{
	uint64_t size;

	return compiled_program_symbol(&program, symbol, &size);
}

static void assert_same(const struct frame *a, const struct frame *b)
{
	assert_string_equal(a->function, b->function);
	assert_string_equal(a->system_name, b->system_name);
	assert_string_equal(a->file ?: "none", b->file ?: "none");
	assert_int_equal(a->line, b->line);
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->origin, b->origin);
	assert_int_equal(a->inlined, b->inlined);
}

/* Every address of the program, whether it was prepared or not. */
static void test_same(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *here = symbolizer_new(NULL);
	_cleanup_(symbolizer_freep) struct symbolizer *there = isolated(0);
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	uint64_t start = address_of("main") & ~0xffful, at[300];
	struct symbolizer_stats stats;
	size_t failures, inlines = 0;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		at[i] = start + 3 * i;
	assert_int_equal(symbolizer_prepare(there, mod, at, ARRAY_SIZE(at)), 0);
	for (uint64_t address = start; address < start + 1200; address++) {
		struct frame a[8], b[8];
		int count = symbolizer_lookup(here, mod, address, a, 8);

		assert_true(count > 0);
		inlines += count > 1;
		assert_int_equal(symbolizer_lookup(there, mod, address, b, 8), count);
		for (int i = 0; i < count; i++)
			assert_same(&a[i], &b[i]);
	}
	assert_true(inlines > 0);
	symbolizer_failures(there, &failures);
	assert_int_equal(failures, 0);
	symbolizer_stats(there, &stats);
	assert_true(stats.worker_cpu_ns > 0);
	assert_true(stats.cache_hits >= ARRAY_SIZE(at));
	assert_true(reader_process_find() > 0);
	there = symbolizer_free(there);
	assert_int_equal(reader_process_find(), 0);
}

static void assert_failure(const struct symbolizer *sym, size_t index, int error, bool by_address)
{
	const struct symbolizer_failure *failures;
	size_t count;

	failures = symbolizer_failures(sym, &count);
	assert_int_equal(count, index + 1);
	assert_non_null(strstr(failures[index].path, "program"));
	assert_int_equal(failures[index].error, error);
	assert_int_equal(failures[index].by_address, by_address);
}

static void look_up(struct symbolizer *sym, struct module *mod, uint64_t address,
		    const char *function, enum frame_origin origin)
{
	struct frame frames[8];
	int count = symbolizer_lookup(sym, mod, address, frames, 8);

	assert_true(count > 0);
	assert_string_equal(frames[count - 1].function, function);
	assert_int_equal(frames[0].origin, origin);
}

/* First its debug information is given up, then its symbols, and never another file's. */
static void test_dies(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = isolated(0);
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	_cleanup_(module_putp) struct module *copy = compiled_program_module(&program, "copy");
	uint64_t at = address_of("_Z5outeri");
	char address[64];
	pid_t first;

	look_up(sym, mod, at, "outer(int)", FRAME_DWARF);
	first = reader_process_signal(SIGSEGV);
	look_up(sym, mod, at + 1, "outer(int)", FRAME_SYMTAB);
	assert_failure(sym, 0, -EPIPE, false);
	/* What is known stays known. */
	look_up(sym, mod, at, "outer(int)", FRAME_DWARF);
	assert_true(reader_process_find() > 0 && reader_process_find() != first);
	look_up(sym, copy, at + 1, "outer(int)", FRAME_DWARF);
	look_up(sym, mod, at + 2, "outer(int)", FRAME_SYMTAB);
	reader_process_signal(SIGKILL);
	snprintf(address, sizeof(address), "program+0x%" PRIx64, at + 3);
	look_up(sym, mod, at + 3, address, FRAME_UNKNOWN);
	assert_failure(sym, 1, -EPIPE, true);
	look_up(sym, copy, at + 2, "outer(int)", FRAME_DWARF);
}

static void test_hangs(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = isolated(500000000);
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	uint64_t at = address_of("_Z5outeri");
	struct frame frame;
	pid_t first;

	/* Half a second may not be enough for it; then the reader is the next one. */
	symbolizer_lookup(sym, mod, at, &frame, 1);
	first = reader_process_signal(SIGSTOP);
	assert_int_equal(symbolizer_lookup(sym, mod, at + 1, &frame, 1), 1);
	assert_true(reader_process_find() != first);
	assert_failure(sym, 0, -ETIME, false);
}

/* Ask for one address after the other, for twice as long as a module may take. */
static size_t ask_for_long(bool endless)
{
	struct symbolizer_options options = { .isolated = true, .module_ns = 400000000,
					      .endless = endless };
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(&options);
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	uint64_t at = address_of("_Z5outeri"), start_ns = clock_monotonic_ns();
	struct frame frame;
	size_t failures;

	assert_non_null(sym);
	while (clock_monotonic_ns() - start_ns < 2 * options.module_ns)
		assert_int_equal(symbolizer_lookup(sym, mod, at++, &frame, 1), 1);
	symbolizer_failures(sym, &failures);
	return failures;
}

static void test_endless(void **state)
{
	assert_true(ask_for_long(false) > 0);
	assert_int_equal(ask_for_long(true), 0);
}

/* Without a process its symbols are read by ours, and nothing by libdw. */
static void test_no_process(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = isolated(0);
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	uint64_t at = address_of("_Z5outeri");
	const struct symbolizer_failure *failures;
	struct rlimit limit, before;
	size_t count;
	int fd = dup(0);

	/* The next one is the only one: a file can be opened, but no pair of sockets. */
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){ (rlim_t)fd + 1, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	look_up(sym, mod, at, "outer(int)", FRAME_SYMTAB);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	look_up(sym, mod, at + 1, "outer(int)", FRAME_SYMTAB);
	failures = symbolizer_failures(sym, &count);
	assert_int_equal(count, 1);
	assert_null(failures[0].path);
	assert_int_equal(failures[0].error, -ECHILD);
}

static void status_line(pid_t pid, const char *key, char *ret, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (getline(&line, &capacity, f) > 0) {
		if (strncmp(line, key, strlen(key)))
			continue;
		snprintf(ret, size, "%s", line + strlen(key) + 1);
		return;
	}
	fail_msg("no %s in %s", key, path);
}

static void test_unprivileged(void **state)
{
	static const struct {
		const char *key, *value;
	} lines[] = {
		{ "CapEff:", "0000000000000000\n" },
		{ "CapPrm:", "0000000000000000\n" },
		{ "NoNewPrivs:", "1\n" },
		{ "Seccomp:", "2\n" },
	};
	_cleanup_(symbolizer_freep) struct symbolizer *sym = isolated(0);
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	struct frame frame;
	char text[128];

	assert_int_equal(symbolizer_lookup(sym, mod, 1, &frame, 1), 1);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		status_line(reader_process_find(), lines[i].key, text, sizeof(text));
		assert_string_equal(text, lines[i].value);
	}
	status_line(reader_process_find(), "Uid:", text, sizeof(text));
	assert_true(atoi(text) != 0);
}

/* Ours; the reader, who inherits that it fails, loses its own names at most. */
static void test_no_memory(void **state)
{
	uint64_t at = address_of("_Z5outeri");
	size_t failures = 0;

	for (size_t skipped = 0; skipped < 60; skipped++) {
		struct symbolizer *sym = isolated(0);
		struct module *mod = compiled_program_module(&program, "program");
		struct frame frames[8];
		bool failed;
		int r;

		fail_alloc_after(skipped);
		r = symbolizer_prepare(sym, mod, &at, 1);
		r = r ?: symbolizer_lookup(sym, mod, at, frames, 8);
		failed = fail_alloc_stop();
		failures += failed;
		if (failed && r < 0)
			assert_int_equal(r, -ENOMEM);
		else
			assert_true(r > 0);
		symbolizer_free(sym);
		module_put(mod);
	}
	assert_true(failures > 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("names are those that one process alone finds", test_same),
		UNIT_TEST("who dies of a file costs that file's names only", test_dies),
		UNIT_TEST("so does who hangs", test_hangs),
		UNIT_TEST("who is asked for ever may take long for each question", test_endless),
		UNIT_TEST("without a process there are still symbols", test_no_process),
		UNIT_TEST("the process has no privileges", test_unprivileged),
		UNIT_TEST("any allocation may fail", test_no_memory),
	};
	int r;

	compiled_program_init(&program, "c++ -g -O1", source);
	compiled_program_run(&program, "cp program copy");
	r = cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&program);
	return r;
}
