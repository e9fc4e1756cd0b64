/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "profiler/base/strbuf.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"
#include "tools/record/record_write.h"

static const struct path_case {
	const char *name;
	const char *path, *suffix, *source;
	const char *expected;
} path_cases[] = {
	{ "the source comes before the suffix", "x.folded", ".folded", "cpu", "x.cpu.folded" },
	{ "a folder stays", "/tmp/a.b/x.folded", ".folded", "cpu", "/tmp/a.b/x.cpu.folded" },
	{ "a long suffix is one", "x.speedscope.json", ".speedscope.json", "cpu",
	  "x.cpu.speedscope.json" },
	{ "without the suffix it comes last", "out", ".folded", "cpu", "out.cpu" },
	{ "another suffix is part of the name", "out.txt", ".folded", "cpu", "out.txt.cpu" },
	{ "a slash in a source is none in a path", "x.folded", ".folded", "uprobe:/bin/sh:f",
	  "x.uprobe:_bin_sh:f.folded" },
};

static void path_row(void **state)
{
	const struct path_case *c = *state;
	_cleanup_free_ char *path = record_source_path(c->path, c->suffix, c->source);

	assert_string_equal(path, c->expected);
}

static char folder[] = "/tmp/wick-record-XXXXXX";

static void add_type(struct profile_builder *builder, const char *type, const char *source,
		     bool is_main)
{
	struct profile_value_type value = { .is_main = is_main };
	uint32_t index;

	assert_int_equal(profile_builder_string(builder, type, &value.type), 0);
	assert_int_equal(profile_builder_string(builder, "count", &value.unit), 0);
	assert_int_equal(profile_builder_string(builder, source, &value.source), 0);
	assert_int_equal(profile_builder_value_type(builder, &value, &index), 0);
}

/* One stack, "sh", with the values 1 and 2 of cpu, 3 and 4 of offcpu. */
static struct profile *make_profile(bool has_offcpu)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	static const int64_t values[] = { 1, 2, 3, 4 };
	struct profile_label comm = fixture_label_text(builder, "comm", "sh");
	struct profile_sample sample = { .label_count = 1, .labels = &comm, .values = values };
	struct profile *profile = NULL;

	add_type(builder, "samples", "cpu", true);
	add_type(builder, "cpu", "cpu", false);
	if (has_offcpu) {
		add_type(builder, "waits", "offcpu", false);
		add_type(builder, "off_cpu", "offcpu", true);
	}
	assert_int_equal(profile_builder_sample(builder, &sample), 0);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	return profile;
}

static const struct write_case {
	const char *name;
	bool has_offcpu;
	const char *outputs[3];
	const char *format, *value, *by;
	int result;
	const char *files;	/* name and text of each that is written; "gzip" for what is no text */
} write_cases[] = {
	{ "one source has one file", .outputs = { "x.folded" }, .files = "x.folded: sh 1\n" },
	{ "two sources have two", true, .outputs = { "x.folded" },
	  .files = "x.cpu.folded: sh 1\nx.offcpu.folded: sh 4\n" },
	{ "a format for all values has one", true, .outputs = { "x.pb.gz" },
	  .files = "x.pb.gz: gzip\n" },
	{ "every output is written", .outputs = { "a.folded", "b.pb.gz", "c.folded" },
	  .files = "a.folded: sh 1\nb.pb.gz: gzip\nc.folded: sh 1\n" },
	{ "a name without a suffix has the format", true, .outputs = { "x" }, .format = "folded",
	  .files = "x.cpu: sh 1\nx.offcpu: sh 4\n" },
	{ "a suffix is stronger than the format", .outputs = { "x.folded" }, .format = "pprof",
	  .files = "x.folded: sh 1\n" },
	{ "a named value is the only one", true, .outputs = { "x.folded" }, .value = "waits",
	  .files = "x.folded: sh 3\n" },
	{ "keys become frames", .outputs = { "x.folded" }, .by = "comm",
	  .files = "x.folded: sh;sh 1\n" },
	{ "one failure does not stop the others", .outputs = { "/dev/full", "x.folded" },
	  .format = "folded", .result = -ENOSPC, .files = "x.folded: sh 1\n" },
};

static void make_options(const struct write_case *c, struct record_options *ret)
{
	size_t i;

	record_options_init(ret);
	for (i = 0; i < ARRAY_SIZE(c->outputs) && c->outputs[i]; i++)
		assert_int_equal(text_list_add(&ret->outputs, c->outputs[i],
					       strlen(c->outputs[i])), 0);
	if (c->by)
		assert_int_equal(text_list_add(&ret->by, c->by, strlen(c->by)), 0);
	ret->format = c->format ? writer_find_name(c->format) : NULL;
	ret->value = c->value;
}

/* The files in the order they were written, which are removed. */
static void take_files(const struct record_files *files, struct strbuf *ret)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		assert_int_equal(fixture_read_file(files->files[i].path, &text), 0);
		assert_int_equal(files->files[i].bytes, text.size);
		if (text.size && text.data[0] == '\x1f')
			strbuf_printf(ret, "%s: gzip\n", files->files[i].path);
		else
			strbuf_printf(ret, "%s: %s", files->files[i].path, text.data);
		assert_int_equal(unlink(files->files[i].path), 0);
	}
}

static void write_row(void **state)
{
	_cleanup_(record_options_done) struct record_options options;
	_cleanup_(record_outputs_done) struct record_outputs outputs;
	_cleanup_(record_files_done) struct record_files files = { 0 };
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct write_case *c = *state;
	struct error err;

	make_options(c, &options);
	profile = make_profile(c->has_offcpu);
	assert_int_equal(record_outputs_open(&outputs, &options, &err), 0);
	assert_int_equal(record_write(&outputs, &options, profile, NULL, &files), c->result);
	take_files(&files, &text);
	assert_string_equal(text.data, c->files);
}

struct write_run {
	struct record_options options;
	struct profile *profile;
};

static int write_all(void *arg)
{
	_cleanup_(record_outputs_done) struct record_outputs outputs = { 0 };
	_cleanup_(record_files_done) struct record_files files = { 0 };
	struct write_run *run = arg;
	struct error err;
	int r;

	r = record_outputs_open(&outputs, &run->options, &err);
	return r < 0 ? r : record_write(&outputs, &run->options, run->profile, NULL, &files);
}

static void test_no_memory(void **state)
{
	static const struct write_case c = { .outputs = { "x.folded", "x.pb.gz" } };
	struct write_run run = { .profile = make_profile(true) };

	make_options(&c, &run.options);
	assert_true(fail_alloc_each(write_all, &run) > 0);
	assert_int_equal(unlink("x.cpu.folded") | unlink("x.offcpu.folded") | unlink("x.pb.gz"), 0);
	record_options_done(&run.options);
	profile_free(run.profile);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("writing reports every failed allocation", test_no_memory),
	};
	int failed;

	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	failed = unit_run_rows("paths by source", path_row, UNIT_ROWS(path_cases)) +
		 unit_run_rows("writing", write_row, UNIT_ROWS(write_cases)) +
		 cmocka_run_group_tests(tests, NULL, NULL);
	/* Fails, too, when a temporary file was left in it. */
	return failed + (rmdir(folder) < 0);
}
