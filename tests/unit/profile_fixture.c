/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define FIXTURE_FRAMES_MAX 128
#define FIXTURE_PERIOD_NS 10000000

static profile_string text_of(struct profile_builder *builder, const char *text)
{
	profile_string number = PROFILE_NONE;

	if (profile_builder_string(builder, text, &number) < 0)
		return PROFILE_NONE;
	return number;
}

static int add_value_type(struct profile_builder *builder, const char *type, const char *unit,
			  bool is_main, struct profile_value_type *ret)
{
	uint32_t index;

	*ret = (struct profile_value_type){
		.type = text_of(builder, type),
		.unit = text_of(builder, unit),
		.source = text_of(builder, "cpu"),
		.is_main = is_main,
	};
	if (ret->type == PROFILE_NONE || ret->unit == PROFILE_NONE || ret->source == PROFILE_NONE)
		return -ENOMEM;
	return profile_builder_value_type(builder, ret, &index);
}

struct profile_builder *fixture_builder(void)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	struct profile_value_type type;

	if (!builder)
		return NULL;
	if (add_value_type(builder, "samples", "count", true, &type) < 0 ||
	    add_value_type(builder, "cpu", "nanoseconds", false, &type) < 0)
		return NULL;
	profile_builder_period(builder, &type, FIXTURE_PERIOD_NS);
	profile_builder_time(builder, 1700000000000000000, 2000000000);
	return take_ptr(builder);
}

struct profile_label fixture_label_text(struct profile_builder *builder, const char *key,
					const char *text)
{
	return (struct profile_label){
		.key = text_of(builder, key),
		.text = text_of(builder, text),
	};
}

struct profile_label fixture_label_number(struct profile_builder *builder, const char *key,
					  int64_t number, const char *unit)
{
	return (struct profile_label){
		.key = text_of(builder, key),
		.number = number,
		.unit = text_of(builder, unit),
	};
}

/* Takes the "_[x]" off @name and returns its x, or 0. */
static char take_suffix(char *name)
{
	size_t size = strlen(name);

	if (size < 4 || strncmp(name + size - 4, "_[", 2) || name[size - 1] != ']')
		return 0;
	name[size - 4] = '\0';
	return name[size - 2];
}

static int add_mapping(struct profile_builder *builder, char kind, uint32_t *ret)
{
	struct profile_mapping mapping = { 0 };

	if (kind == 'k' || kind == 'j') {
		*ret = PROFILE_NONE;
		return 0;
	}
	mapping.file = text_of(builder, "/usr/bin/demo");
	mapping.build_id = text_of(builder, "0123456789abcdef0123456789abcdef01234567");
	if (mapping.file == PROFILE_NONE || mapping.build_id == PROFILE_NONE)
		return -ENOMEM;
	return profile_builder_mapping(builder, &mapping, ret);
}

static int add_line(struct profile_builder *builder, const char *name, char kind,
		    struct profile_line *ret)
{
	struct profile_function function = {
		.name = text_of(builder, name),
		.system_name = text_of(builder, name),
	};

	if (kind != 'k' && kind != 'j' && name[0] != '[') {
		function.file = text_of(builder, "demo.c");
		function.start_line = (int64_t)strlen(name) * 10;
		ret->line = function.start_line + 3;
	}
	if (function.name == PROFILE_NONE || function.system_name == PROFILE_NONE ||
	    function.file == PROFILE_NONE)
		return -ENOMEM;
	return profile_builder_function(builder, &function, &ret->function);
}

/* One location: @names outermost first, all but the first inlined. */
static int add_location(struct profile_builder *builder, char **names, size_t count, char kind,
			uint32_t *ret)
{
	struct profile_line lines[FIXTURE_FRAMES_MAX] = { 0 };
	struct profile_location location = { .lines = lines };
	size_t i;
	int r;

	for (i = 0; i < count && kind != '?'; i++) {
		r = add_line(builder, names[i], kind, &lines[count - 1 - i]);
		if (r < 0)
			return r;
		location.line_count = (uint32_t)count;
		location.address += 0x1000 + (uint64_t)names[i][0];
	}
	if (kind == '?')
		location.address = strtoull(names[0], NULL, 16);
	location.kind = kind == 'k'	   ? FRAME_KIND_KERNEL :
			kind == 'j'	   ? FRAME_KIND_JIT :
			names[0][0] == '[' ? FRAME_KIND_MARK :
					     FRAME_KIND_NATIVE;
	r = add_mapping(builder, kind, &location.mapping);
	return r < 0 ? r : profile_builder_location(builder, &location, ret);
}

/* The locations of @text, which is cut up, into @ret, leaf first. */
static int add_stack(struct profile_builder *builder, char *text, uint32_t *ret)
{
	uint32_t root_first[FIXTURE_FRAMES_MAX];
	char *names[FIXTURE_FRAMES_MAX];
	char kinds[FIXTURE_FRAMES_MAX];
	size_t names_count = 0, count = 0, i, part;
	int r;

	for (; *text && names_count < FIXTURE_FRAMES_MAX; names_count++) {
		names[names_count] = strsep(&text, ";");
		kinds[names_count] = take_suffix(names[names_count]);
		if (!text)
			text = "";
	}
	for (i = 0; i < names_count; i += part) {
		for (part = 1; i + part < names_count && kinds[i + part] == 'i'; part++)
			;
		r = add_location(builder, names + i, part, kinds[i], &root_first[count++]);
		if (r < 0)
			return r;
	}
	for (i = 0; i < count; i++)
		ret[i] = root_first[count - 1 - i];
	return (int)count;
}

int fixture_add_labels(struct profile_builder *builder, const char *stack, int64_t count,
		       const struct profile_label *labels, uint32_t label_count)
{
	_cleanup_free_ char *text = strdup(stack);
	uint32_t locations[FIXTURE_FRAMES_MAX];
	int64_t values[] = { count, count * FIXTURE_PERIOD_NS };
	struct profile_sample sample = {
		.label_count = label_count,
		.locations = locations,
		.labels = labels,
		.values = values,
	};
	int r;

	if (!text)
		return -ENOMEM;
	r = add_stack(builder, text, locations);
	if (r < 0)
		return r;
	sample.location_count = (uint32_t)r;
	return profile_builder_sample(builder, &sample);
}

int fixture_add(struct profile_builder *builder, const char *comm, const char *stack, int64_t count)
{
	struct profile_label label;

	if (!comm)
		return fixture_add_labels(builder, stack, count, NULL, 0);
	label = fixture_label_text(builder, "comm", comm);
	return fixture_add_labels(builder, stack, count, &label, 1);
}

static int add_demo(struct profile_builder *builder, const char *thread, int64_t tid,
		    const char *stack, int64_t count)
{
	const struct profile_label labels[] = {
		fixture_label_text(builder, "comm", "demo"),
		fixture_label_text(builder, "thread", thread),
		fixture_label_number(builder, "pid", 1000, "pid"),
		fixture_label_number(builder, "tid", tid, "tid"),
	};

	return fixture_add_labels(builder, stack, count, labels, 4);
}

struct profile *fixture_profile(void)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	struct profile *profile;
	int r;

	if (!builder)
		return NULL;
	r = add_demo(builder, "demo", 1000, "_start;main;work;multiply_[i];add_[i]", 40);
	r |= add_demo(builder, "demo", 1000, "_start;main;read;entry_SYSCALL_64_[k];vfs_read_[k]",
		      12);
	r |= add_demo(builder, "worker", 1001, "start_thread;worker;LazyCompile:~run_[j]", 7);
	r |= add_demo(builder, "worker", 1001, "[incomplete:no-table];memcpy", 2);
	r |= add_demo(builder, "worker", 1001, "start_thread;worker;deadbeef_[?]", 1);
	r |= fixture_add(builder, "kworker/0:1", "ret_from_fork_[k];worker_thread_[k]", 3);
	r |= profile_builder_comment(builder, "65 samples, none lost");
	r |= profile_builder_comment(builder, "complete stacks: 96.9 %");
	if (r < 0 || profile_builder_finish(builder, &profile) < 0)
		return NULL;
	return profile;
}

int fixture_read_file(const char *path, struct strbuf *ret)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char bytes[4096];
	size_t size;

	if (!f)
		return -errno;
	while ((size = fread(bytes, 1, sizeof(bytes), f)))
		strbuf_add(ret, bytes, size);
	return ferror(f) ? -EIO : ret->error;
}

static void write_file(const char *path, const struct strbuf *text)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text->data, 1, text->size, f), text->size);
}

void fixture_assert_golden(const char *path, const struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf golden = STRBUF_INIT;

	if (getenv("WICK_GOLDEN"))
		write_file(path, text);
	if (fixture_read_file(path, &golden) < 0)
		fail_msg("cannot read %s", path);
	if (golden.size != text->size || memcmp(golden.data, text->data, text->size))
		fail_msg("%s differs from:\n%s", path, text->data);
}
