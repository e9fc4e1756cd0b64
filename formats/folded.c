/* SPDX-License-Identifier: BSD-2-Clause */
/* Brendan Gregg's folded stacks: "comm;root;...;leaf N", one line per stack, sorted. */
#include "formats/writers.h"

#include <inttypes.h>

#include "formats/stack_list.h"

static void folded_write_stack(const struct stack_list *list, const struct stack *stack,
			       struct sink *sink)
{
	uint32_t i;

	for (i = 0; i < stack->frame_count; i++) {
		if (i)
			sink_write(sink, ";", 1);
		sink_text(sink, stack_list_name(list, stack->frames[i].name));
	}
	sink_printf(sink, " %" PRId64 "\n", stack->value);
}

int folded_write(const struct profile *profile, const struct writer_options *options,
		 struct sink *sink)
{
	_cleanup_(stack_list_freep) struct stack_list *list = NULL;
	struct stack stack;
	int r;

	r = stack_list_new(profile, options, STACK_ORDER_LINES, &list);
	if (r < 0)
		return r;
	while (!sink_error(sink) && stack_list_next(list, &stack))
		folded_write_stack(list, &stack, sink);
	return sink_error(sink);
}
