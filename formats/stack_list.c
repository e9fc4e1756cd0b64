/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list is an array of sample indexes, sorted by what their stacks would
 * read: writing out the stacks of a large profile first would take several
 * times the profile's own memory.
 */
#include "formats/stack_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/stack_names.h"

struct stack_list {
	const struct profile *profile;
	struct stack_names names;
	enum stack_order order;
	uint32_t value_type;
	uint32_t *samples; /* indexes of those in the list, sorted */
	uint32_t sample_count;
	uint32_t position;
	struct stack_frame *frames; /* of the stack returned last */
	uint32_t max_frames;
	int64_t total;
};

/* A walk over the frames of a sample, root first. */
struct stack_walk {
	const struct stack_list *list;
	const uint32_t *tasks;
	const uint32_t *locations; /* leaf first */
	const struct profile_line *lines; /* of the location being walked, innermost first */
	uint32_t tasks_left, locations_left, lines_left;
	enum frame_kind kind; /* of that location */
};

static const enum stack_frame_kind stack_kinds[] = {
	[FRAME_KIND_NATIVE] = STACK_FRAME_NATIVE,
	[FRAME_KIND_KERNEL] = STACK_FRAME_KERNEL,
	[FRAME_KIND_JIT] = STACK_FRAME_JIT,
	[FRAME_KIND_MARK] = STACK_FRAME_MARK,
};

static struct stack_walk stack_walk_start(const struct stack_list *list, uint32_t sample)
{
	uint32_t task_count = list->names.task_count;

	return (struct stack_walk){
		.list = list,
		.tasks = list->names.tasks + (size_t)sample * task_count,
		.tasks_left = task_count,
		.locations = list->profile->samples[sample].locations,
		.locations_left = list->profile->samples[sample].location_count,
	};
}

static bool stack_walk_at_end(const struct stack_walk *walk)
{
	return !walk->tasks_left && !walk->lines_left && !walk->locations_left;
}

/* The next line of a location with several; all but the outermost were inlined. */
static struct stack_frame stack_walk_line(struct stack_walk *walk)
{
	struct stack_frame frame;

	walk->lines_left--;
	frame.name = walk->list->names.functions[walk->lines[walk->lines_left].function];
	frame.kind = stack_kinds[walk->kind];
	return frame;
}

static struct stack_frame stack_walk_location(struct stack_walk *walk)
{
	uint32_t index = walk->locations[--walk->locations_left];
	const struct profile_location *location = &walk->list->profile->locations[index];
	struct stack_frame frame = {
		.name = walk->list->names.locations[index],
		.kind = stack_kinds[location->kind],
	};

	if (frame.name == STACK_NAME_SEVERAL) {
		walk->lines = location->lines;
		walk->lines_left = location->line_count;
		walk->kind = location->kind;
		frame = stack_walk_line(walk);
	}
	return frame;
}

/* Not to be called at the end. */
static struct stack_frame stack_walk_next(struct stack_walk *walk)
{
	struct stack_frame frame;

	if (walk->tasks_left) {
		frame.name = *walk->tasks++;
		frame.kind = STACK_FRAME_TASK;
		walk->tasks_left--;
	} else if (walk->lines_left) {
		frame = stack_walk_line(walk);
		if (frame.kind != STACK_FRAME_KERNEL)
			frame.kind = STACK_FRAME_INLINED;
	} else {
		frame = stack_walk_location(walk);
	}
	return frame;
}

static void stack_walk_skip_equal(struct stack_walk *a, struct stack_walk *b)
{
	if (a->tasks_left || a->lines_left || b->tasks_left || b->lines_left)
		return;
	while (a->locations_left && b->locations_left &&
	       a->locations[a->locations_left - 1] == b->locations[b->locations_left - 1]) {
		a->locations_left--;
		b->locations_left--;
	}
}

/* What follows the end of a name in a folded line. */
static unsigned char name_follower(const struct stack_walk *walk)
{
	return stack_walk_at_end(walk) ? ' ' : ';';
}

/*
 * Two different names, as they are in folded lines: what counts is not that a
 * name ends but what follows it. A space may also be part of the other name,
 * and then it is the first digit of the number that counts.
 */
static int compare_in_lines(const struct stack_walk *a_walk, const char *a_text,
			    const struct stack_walk *b_walk, const char *b_text)
{
	const unsigned char *a = (const unsigned char *)a_text;
	const unsigned char *b = (const unsigned char *)b_text;
	unsigned char a_byte, b_byte;

	for (; *a == *b; a++)
		b++;
	a_byte = *a ? *a : name_follower(a_walk);
	b_byte = *b ? *b : name_follower(b_walk);
	if (a_byte == b_byte) {
		a_byte = !*a ? '0' : a[1] ? a[1] : name_follower(a_walk);
		b_byte = !*b ? '0' : b[1] ? b[1] : name_follower(b_walk);
	}
	return a_byte < b_byte ? -1 : 1;
}

static int stack_compare(const struct stack_list *list, uint32_t a_sample, uint32_t b_sample)
{
	struct stack_walk a = stack_walk_start(list, a_sample);
	struct stack_walk b = stack_walk_start(list, b_sample);
	const char *a_text, *b_text;
	uint32_t a_name, b_name;

	for (;;) {
		stack_walk_skip_equal(&a, &b);
		if (stack_walk_at_end(&a) || stack_walk_at_end(&b))
			return stack_walk_at_end(&b) - stack_walk_at_end(&a);
		a_name = stack_walk_next(&a).name;
		b_name = stack_walk_next(&b).name;
		if (a_name != b_name)
			break;
	}
	a_text = intern_text(list->names.texts, a_name);
	b_text = intern_text(list->names.texts, b_name);
	return list->order == STACK_ORDER_TREE ? strcmp(a_text, b_text) :
						 compare_in_lines(&a, a_text, &b, b_text);
}

/* Equal stacks in the order of the samples, so that nothing depends on the sort. */
static int stack_compare_indexes(const void *a, const void *b, void *list)
{
	uint32_t a_sample = *(const uint32_t *)a;
	uint32_t b_sample = *(const uint32_t *)b;
	int r = stack_compare(list, a_sample, b_sample);

	return r ? r : (a_sample > b_sample) - (a_sample < b_sample);
}

static uint32_t stack_frame_count(const struct stack_list *list, uint32_t sample)
{
	const struct profile_sample *s = &list->profile->samples[sample];
	uint32_t count = list->names.task_count + s->location_count;
	uint32_t i, lines;

	for (i = 0; i < s->location_count; i++) {
		lines = list->profile->locations[s->locations[i]].line_count;
		count += lines > 1 ? lines - 1 : 0;
	}
	return count;
}

static int stack_list_sort(struct stack_list *list)
{
	const struct profile *profile = list->profile;
	uint32_t count, i;
	int64_t value;

	list->samples = calloc((size_t)profile->sample_count + 1, sizeof(*list->samples));
	if (!list->samples)
		return -ENOMEM;
	for (i = 0; i < profile->sample_count; i++) {
		value = profile->samples[i].values[list->value_type];
		if (value <= 0)
			continue;
		if (__builtin_add_overflow(list->total, value, &list->total))
			list->total = INT64_MAX;
		list->samples[list->sample_count++] = i;
		count = stack_frame_count(list, i);
		if (count > list->max_frames)
			list->max_frames = count;
	}
	qsort_r(list->samples, list->sample_count, sizeof(*list->samples), stack_compare_indexes,
		list);
	list->frames = calloc((size_t)list->max_frames + 1, sizeof(*list->frames));
	return list->frames ? 0 : -ENOMEM;
}

int stack_list_new(const struct profile *profile, const struct writer_options *options,
		   enum stack_order order, struct stack_list **ret)
{
	_cleanup_(stack_list_freep) struct stack_list *list = calloc(1, sizeof(*list));
	int value_type = options ? (int)options->value_type : writer_main_value(profile, NULL);
	int r;

	if (!list)
		return -ENOMEM;
	if (value_type < 0 || (uint32_t)value_type >= profile->value_type_count)
		return -ENOENT;
	list->profile = profile;
	list->order = order;
	list->value_type = (uint32_t)value_type;
	r = stack_names_init(&list->names, profile, options ? options->by : NULL);
	if (r < 0)
		return r;
	r = stack_list_sort(list);
	if (r < 0)
		return r;
	*ret = take_ptr(list);
	return 0;
}

struct stack_list *stack_list_free(struct stack_list *list)
{
	if (!list)
		return NULL;
	stack_names_done(&list->names);
	free(list->samples);
	free(list->frames);
	free(list);
	return NULL;
}

bool stack_list_next(struct stack_list *list, struct stack *ret)
{
	const struct profile_sample *samples = list->profile->samples;
	struct stack_walk walk;
	uint32_t first, count = 0;
	int64_t value, sum = 0;

	if (list->position == list->sample_count)
		return false;
	first = list->samples[list->position];
	do {
		value = samples[list->samples[list->position]].values[list->value_type];
		if (__builtin_add_overflow(sum, value, &sum))
			sum = INT64_MAX;
		list->position++;
	} while (list->position < list->sample_count &&
		 !stack_compare(list, first, list->samples[list->position]));
	for (walk = stack_walk_start(list, first); !stack_walk_at_end(&walk);)
		list->frames[count++] = stack_walk_next(&walk);
	ret->frames = list->frames;
	ret->frame_count = count;
	ret->value = sum;
	return true;
}

const char *stack_list_name(const struct stack_list *list, uint32_t name)
{
	return intern_text(list->names.texts, name);
}

int64_t stack_list_total(const struct stack_list *list)
{
	return list->total;
}

uint32_t stack_list_max_frames(const struct stack_list *list)
{
	return list->max_frames;
}
