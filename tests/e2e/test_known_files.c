/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_known_files.c - what the kernel side is told of files that processes map: by the mappings of
 * this process.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/processes/modules.h"
#include "profiler/tables/process_loader.h"
#include "tests/e2e/store_maps.h"

#define START_NS 100
#define EXEC_ID 1
#define MODULES 64
#define NOW_NS 1000000000000ull
#define IDENTITY 7

struct fixture {
	struct table_store_options options;
	struct modules *modules;
	struct table_store *store;
	struct process_loader *loader;
	struct wick_file_record code;	/* of the first file that has some here */
	struct wick_mapping mapping;	/* the same, as it is published */
};

/* What the kernel would tell of the first mapping of a file that is executed. */
static struct wick_file_record code_find(void)
{
	struct wick_file_record file = { .identity = IDENTITY, .pid = (uint32_t)getpid(),
					 .start_ns = START_NS, .exec_id = EXEC_ID };
	unsigned long start = 0, offset = 0;
	char line[512], flags[8];
	FILE *maps = fopen("/proc/self/maps", "re");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%*x %7s %lx", &start, flags, &offset) == 3 &&
		    flags[2] == 'x' && strchr(line, '/'))
			break;
	fclose(maps);
	file.start = start;
	file.offset = offset;
	return file;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct wick_request_record request = { .pid = (uint32_t)getpid(), .start_ns = START_NS,
					       .exec_id = EXEC_ID };
	struct wick_process process;
	struct error err = { .text = "" };

	assert_non_null(f);
	f->options = (struct table_store_options){ .segment_limit = 4, .rule_limit = 16384,
						   .module_limit = MODULES, .mapping_limit = 4096 };
	store_maps_open(&f->options);
	assert_int_equal(table_store_new(&f->options, &f->store, &err), 0);
	f->modules = modules_new(MODULES);
	f->loader = process_loader_new(f->modules, f->store);
	assert_non_null(f->loader);
	store_maps_request(&f->options, request.pid, START_NS, EXEC_ID);
	process_loader_answer(f->loader, &request, NOW_NS);
	assert_true(store_maps_process(&f->options, request.pid, &process));
	store_maps_mapping(&f->options, process.map_first, &f->mapping);
	f->code = code_find();
	assert_int_equal(f->mapping.start, f->code.start);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	process_loader_free(f->loader);
	table_store_free(f->store);
	modules_free(f->modules);
	store_maps_close(&f->options);
	free(f);
	return 0;
}

static uint64_t told(const struct fixture *f)
{
	struct table_store_stats stats;

	table_store_stats(f->store, &stats);
	return stats.files_known;
}

static void test_told(void **state)
{
	struct fixture *f = *state;
	struct wick_known_file known;

	process_loader_know_file(f->loader, &f->code, NOW_NS);
	assert_true(store_maps_file(&f->options, IDENTITY, &known));
	assert_int_equal(known.module, f->mapping.module);
	assert_int_equal(known.address, f->mapping.start - f->mapping.bias);
	/* Another one takes the place that both have. */
	f->code.identity = IDENTITY + WICK_KNOWN_FILES;
	process_loader_know_file(f->loader, &f->code, NOW_NS);
	assert_true(store_maps_file(&f->options, IDENTITY + WICK_KNOWN_FILES, &known));
	assert_false(store_maps_file(&f->options, IDENTITY, &known));
	assert_int_equal(told(f), 2);
}

static void test_not_told(void **state)
{
	const struct fixture *f = *state;
	struct wick_file_record files[] = { f->code, f->code, f->code, f->code, f->code };

	files[0].offset += 4096;	/* another place of it */
	files[1].start += 4096;		/* not where it begins */
	files[2].start = 4096;		/* nothing is there */
	files[3].exec_id++;		/* another program */
	files[4].start_ns++;		/* another process */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		process_loader_know_file(f->loader, &files[i], NOW_NS);
	assert_int_equal(told(f), 0);
}

#define FILES_TEST(sentence, function) { (sentence), (function), setup, teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FILES_TEST("the kernel side is told which module a file is", test_told),
		FILES_TEST("of what is not mapped like that nothing is told", test_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
