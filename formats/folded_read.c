/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folded stacks, of wick or any other tool.
 *
 * The first frame is the process, as wick, perf and most others write it.
 * Suffixes say what a frame is: _[k] kernel, _[j] JIT, _[i] inlined into the
 * frame before it.
 */
#include "formats/readers.h"

#include <errno.h>
#include <string.h>

#include "formats/frame_kind.h"
#include "profiler/base/alloc.h"
#include "profiler/base/number.h"
#include "profiler/base/strbuf.h"

#define TEXT_LOOK_BYTES 1024 /* enough to tell text from anything else */
#define NAME_UNKNOWN "[unknown]"
#define CHECK_BYTES_EVERY 256 /* lines */

struct folded {
	struct profile_builder *builder;
	struct strbuf line; /* is written to: separators become NUL */
	uint32_t *stack; /* root first, then turned */
	struct profile_line *lines; /* of the location being gathered, outermost first */
	size_t stack_capacity, line_capacity;
	uint32_t stack_count, line_count;
	struct profile_location location;
	profile_string comm_key;
	const char *why;
};

static void folded_done(struct folded *folded)
{
	profile_builder_free(folded->builder);
	strbuf_done(&folded->line);
	free(folded->stack);
	free(folded->lines);
}

static int folded_refuse(struct folded *folded, const char *why)
{
	folded->why = why;
	return -EBADMSG;
}

/* Cut the suffix off @name. Returns its letter, or 0. */
static char take_kind(char *name)
{
	size_t size = strlen(name);
	char letter;

	if (size <= 4 || strncmp(name + size - 4, "_[", 2) || name[size - 1] != ']')
		return 0;
	letter = name[size - 2];
	if (!strchr("kij", letter))
		return 0;
	name[size - 4] = '\0';
	return letter;
}

static void swap_lines(struct profile_line *a, struct profile_line *b)
{
	struct profile_line kept = *a;

	*a = *b;
	*b = kept;
}

/* The location gathered so far, onto the stack. */
static int push_location(struct folded *folded)
{
	uint32_t i, count = folded->line_count;
	int r;

	if (!count)
		return 0;
	for (i = 0; i < count / 2; i++)
		swap_lines(&folded->lines[i], &folded->lines[count - 1 - i]);
	folded->location.lines = folded->lines;
	folded->location.line_count = count;
	folded->line_count = 0;
	r = alloc_grow(&folded->stack, &folded->stack_capacity, (size_t)folded->stack_count + 1);
	if (r < 0)
		return r;
	return profile_builder_location(folded->builder, &folded->location,
					&folded->stack[folded->stack_count++]);
}

static int add_line(struct folded *folded, const char *name)
{
	struct profile_function function = { 0 };
	struct profile_line *line;
	int r;

	r = alloc_grow(&folded->lines, &folded->line_capacity, (size_t)folded->line_count + 1);
	if (r < 0)
		return r;
	r = profile_builder_string(folded->builder, name, &function.name);
	if (r < 0)
		return r;
	line = &folded->lines[folded->line_count++];
	*line = (struct profile_line){ 0 };
	return profile_builder_function(folded->builder, &function, &line->function);
}

static enum frame_kind kind_of(char letter, const char *name)
{
	if (letter == 'k')
		return FRAME_KIND_KERNEL;
	if (letter == 'j')
		return FRAME_KIND_JIT;
	return frame_is_mark(name) ? FRAME_KIND_MARK : FRAME_KIND_NATIVE;
}

static int add_frame(struct folded *folded, char *name)
{
	char letter = take_kind(name);
	int r;

	if (letter != 'i' || !folded->line_count) {
		r = push_location(folded);
		if (r < 0)
			return r;
		folded->location = (struct profile_location){ .mapping = PROFILE_NONE,
							      .kind = kind_of(letter, name) };
	}
	return add_line(folded, name);
}

/* The frames behind the first, to folded->stack, leaf first. */
static int read_stack(struct folded *folded, char *frames)
{
	uint32_t i, count, kept;
	char *name;
	int r;

	folded->stack_count = folded->line_count = 0;
	while ((name = strsep(&frames, ";"))) {
		r = add_frame(folded, name);
		if (r < 0)
			return r;
	}
	r = push_location(folded);
	if (r < 0)
		return r;
	count = folded->stack_count;
	for (i = 0; i < count / 2; i++) {
		kept = folded->stack[i];
		folded->stack[i] = folded->stack[count - 1 - i];
		folded->stack[count - 1 - i] = kept;
	}
	return 0;
}

static int add_sample(struct folded *folded, const char *comm, int64_t value)
{
	struct profile_label label = { .key = folded->comm_key };
	struct profile_sample sample = {
		.location_count = folded->stack_count,
		.locations = folded->stack,
		.label_count = 1,
		.labels = &label,
		.values = &value,
	};
	int r;

	/* What wick writes where there is no name. */
	if (!strcmp(comm, NAME_UNKNOWN))
		sample.label_count = 0;
	r = profile_builder_string(folded->builder, comm, &label.text);
	return r < 0 ? r : profile_builder_sample(folded->builder, &sample);
}

/* "comm;root;...;leaf N", without its newline. */
static int read_line(struct folded *folded, char *line)
{
	char *space = strrchr(line, ' '), *comm;
	uint64_t value;
	int r;

	if (!space || space == line)
		return folded_refuse(folded, "is not STACK COUNT");
	if (number_parse_u64(space + 1, INT64_MAX, &value) < 0)
		return folded_refuse(folded, "does not end with a count");
	*space = '\0';
	comm = strsep(&line, ";");
	r = read_stack(folded, line);
	return r < 0 ? r : add_sample(folded, comm, (int64_t)value);
}

static int folded_init(struct folded *folded)
{
	struct profile_value_type type = { .is_main = true };
	uint32_t index;
	int r;

	folded->builder = profile_builder_new();
	if (!folded->builder)
		return -ENOMEM;
	r = profile_builder_string(folded->builder, "samples", &type.type);
	r = r ?: profile_builder_string(folded->builder, "count", &type.unit);
	r = r ?: profile_builder_string(folded->builder, "comm", &folded->comm_key);
	type.source = type.type;
	return r ?: profile_builder_value_type(folded->builder, &type, &index);
}

/* A copy of the bytes up to @end, without white space at its end. */
static int copy_line(struct folded *folded, const char *at, const char *end)
{
	while (end > at && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (memchr(at, '\0', (size_t)(end - at)))
		return folded_refuse(folded, "is not text");
	strbuf_reset(&folded->line);
	strbuf_add(&folded->line, at, (size_t)(end - at));
	return folded->line.error;
}

/* Nothing, or what stackcollapse scripts put on lines of their own: "# cmdline: ...". */
static bool is_remark(const char *line)
{
	return !*line || (*line == '#' && !strchr(line, ';'));
}

static int read_lines(struct folded *folded, const char *at, const char *end, size_t *number)
{
	const char *newline;
	int r;

	for (*number = 1; at < end; ++*number) {
		newline = memchr(at, '\n', (size_t)(end - at));
		r = copy_line(folded, at, newline ? newline : end);
		if (r < 0)
			return r;
		if (!is_remark(folded->line.data))
			r = read_line(folded, folded->line.data);
		if (r < 0)
			return r;
		if (*number % CHECK_BYTES_EVERY == 0 &&
		    profile_builder_bytes(folded->builder) > READER_PROFILE_BYTES_MAX)
			return -EFBIG;
		at = newline ? newline + 1 : end;
	}
	return 0;
}

int folded_read(const void *bytes, size_t size, struct profile **ret, struct error *err)
{
	_cleanup_(folded_done) struct folded folded = { .line = STRBUF_INIT };
	size_t number = 0;
	int r;

	r = folded_init(&folded);
	if (r >= 0)
		r = read_lines(&folded, bytes, (const char *)bytes + size, &number);
	if (r == -EBADMSG)
		return error_set(err, ERROR_FAILED, r, "not folded stacks: line %zu: %s", number,
				 folded.why);
	if (r == -EFBIG)
		return error_set(err, ERROR_FAILED, r, "a profile of more than %zu MiB in memory",
				 READER_PROFILE_BYTES_MAX >> 20);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "%s", strerror(-r));
	return profile_builder_finish(folded.builder, ret);
}

/* Text: no control characters but those that end lines. A pprof has some in its first bytes. */
bool folded_detect(const void *bytes, size_t size)
{
	const unsigned char *at = bytes,
			    *end = at + (size < TEXT_LOOK_BYTES ? size : TEXT_LOOK_BYTES);

	for (; at < end; at++)
		if ((*at < ' ' && !strchr("\t\r\n", *at)) || !*at)
			return false;
	return true;
}
