/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/main_module.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/hashmap.h"

/* Samples that begin in a module. */
struct module_weight {
	uint64_t target, all;
	bool is_known, is_program;
};

struct main_search {
	const struct resolve_options *options;
	struct hashmap *weights;	/* module number to struct module_weight */
};

/* Threads begin in a library, libc's clone(); a stack of the kernel's own or of JIT code in none. */
static bool is_program(const struct module *module)
{
	const char *name = module ? module_basename(module) : "[";

	return name[0] != '[' && !strstr(name, ".so");
}

static struct module *get_module(const struct resolve_options *options, uint32_t id)
{
	return options->module(options->module_context, id);
}

/* Returns 1 when module @id is a program, which gets the weight; 0 or -ENOMEM. */
static int count_module(struct main_search *search, uint32_t id, uint64_t weight, bool is_target)
{
	_cleanup_(module_putp) struct module *module = NULL;
	struct module_weight *found;
	void *value;
	int r = hashmap_add(search->weights, &id, &value);

	if (r < 0)
		return r;
	found = value;
	if (!found->is_known) {
		module = get_module(search->options, id);
		found->is_program = is_program(module);
	}
	found->is_known = true;
	if (!found->is_program)
		return 0;
	found->all += weight;
	found->target += is_target ? weight : 0;
	return 1;
}

static int count_sample(struct main_search *search, const struct window_sample *sample)
{
	const struct window *window = search->options->window;
	const struct wick_task *task = window_task(window, sample->key.task);
	uint64_t id = sample->key.user_stack;
	const struct window_stack *stack = id < WICK_STACK_FIRST ? NULL : window_stack(window, id);
	bool is_target = task && task->pid == search->options->target_pid;
	uint32_t i = stack ? stack->count : 0;
	int r = 0;

	while (i-- > 0 && !r) {
		uint32_t module = unwind_frame_module(stack->frames[i]);

		if (module != UNWIND_MODULE_NONE)
			r = count_module(search, module, sample->value.count, is_target);
	}
	return r < 0 ? r : 0;
}

static bool is_heavier(const struct module_weight *a, const struct module_weight *b)
{
	return a->target != b->target ? a->target > b->target : a->all > b->all;
}

static uint32_t heaviest(const struct main_search *search)
{
	struct module_weight best = { 0 };
	uint32_t best_id = UNWIND_MODULE_NONE;
	size_t position = 0;
	const void *id;
	void *weight;

	while (hashmap_next(search->weights, &position, &id, &weight)) {
		if (!is_heavier(weight, &best))
			continue;
		best = *(const struct module_weight *)weight;
		best_id = *(const uint32_t *)id;
	}
	return best_id;
}

int main_module_find(const struct resolve_options *options, struct module **ret)
{
	_cleanup_(hashmap_freep) struct hashmap *weights =
		hashmap_new(sizeof(uint32_t), sizeof(struct module_weight));
	struct main_search search = { options, weights };
	const struct window_event *events;
	struct window_sample sample;
	size_t position = 0, count;
	uint32_t id;
	int r = weights ? 0 : -ENOMEM;

	while (!r && window_next_sample(options->window, &position, &sample))
		r = count_sample(&search, &sample);
	events = window_events(options->window, &count);
	for (size_t i = 0; i < count && !r; i++)
		r = count_sample(&search, &events[i].sample);
	if (r < 0)
		return r;
	id = heaviest(&search);
	*ret = id == UNWIND_MODULE_NONE ? NULL : get_module(options, id);
	return 0;
}

struct module *main_module_of_stack(const struct resolve_options *options, uint64_t id)
{
	const struct window_stack *stack =
		id < WICK_STACK_FIRST ? NULL : window_stack(options->window, id);

	for (uint32_t i = stack ? stack->count : 0; i > 0; i--) {
		uint32_t number = unwind_frame_module(stack->frames[i - 1]);
		_cleanup_(module_putp) struct module *module = NULL;

		if (number == UNWIND_MODULE_NONE)
			continue;
		module = get_module(options, number);
		if (is_program(module))
			return take_ptr(module);
	}
	return NULL;
}
