/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack_list.h - a profile's samples as stacks of names, root first, for one value.
 *
 * What folded lines and flame graphs have in common: frames are
 * "comm", the labels asked for, then the locations, an inlined call being a
 * frame of its own. Stacks of the same names are one, and come sorted. Samples
 * whose value is not positive are left out. Stacks are made one at a time from
 * the profile, which must outlive the list.
 */
#ifndef WICK_STACK_LIST_H
#define WICK_STACK_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include "formats/writer.h"

enum stack_frame_kind {
	STACK_FRAME_TASK, /* comm, or a label */
	STACK_FRAME_NATIVE,
	STACK_FRAME_INLINED,
	STACK_FRAME_KERNEL,
	STACK_FRAME_JIT,
	STACK_FRAME_MARK,
};

struct stack_frame {
	uint32_t name; /* the same number for the same text */
	enum stack_frame_kind kind;
};

struct stack {
	const struct stack_frame *frames;
	uint32_t frame_count; /* at least 1 */
	int64_t value;
};

enum stack_order {
	STACK_ORDER_LINES, /* as sort(1) orders the folded lines, by bytes */
	STACK_ORDER_TREE, /* a frame's own stack first, then all that it called */
};

struct stack_list;

/* NULL @options: the defaults. Returns 0, -ENOENT without such a value, or -ENOMEM. */
int stack_list_new(const struct profile *profile, const struct writer_options *options,
		   enum stack_order order, struct stack_list **ret);
struct stack_list *stack_list_free(struct stack_list *list);
DEFINE_CLEANUP(struct stack_list *, stack_list_free)

/* The next stack, good until the next call; false at the end. */
bool stack_list_next(struct stack_list *list, struct stack *ret);
/* ";" and newlines are replaced by ":". Lives as long as the list. */
const char *stack_list_name(const struct stack_list *list, uint32_t name);
/* The sum of all stacks, at most INT64_MAX. */
int64_t stack_list_total(const struct stack_list *list);
uint32_t stack_list_max_frames(const struct stack_list *list);

#endif
