/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/open_waits.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "bpf/stack_id.h"

#define WAITS_AT_ONCE 1024

struct open_waits {
	struct source_run *const *sources;
	size_t source_count;
	struct window *kept, *before;	/* content only: no samples */
	uint32_t *tids;
	struct wick_wait *waits;
};

struct open_waits *open_waits_new(struct source_run *const *sources, size_t count, int *ret_error)
{
	struct open_waits *o;
	bool any = false;

	*ret_error = 0;
	for (size_t i = 0; i < count; i++)
		any = any || source_waits_fd(sources[i]) >= 0;
	if (!any)
		return NULL;
	o = calloc(1, sizeof(*o));
	*ret_error = -ENOMEM;
	if (!o)
		return NULL;
	o->sources = sources;
	o->source_count = count;
	o->kept = window_new(0);
	o->before = window_new(0);
	o->tids = calloc(WAITS_AT_ONCE, sizeof(*o->tids));
	o->waits = calloc(WAITS_AT_ONCE, sizeof(*o->waits));
	if (!o->kept || !o->before || !o->tids || !o->waits)
		return open_waits_free(o);
	*ret_error = 0;
	return o;
}

struct open_waits *open_waits_free(struct open_waits *o)
{
	if (!o)
		return NULL;
	window_free(o->kept);
	window_free(o->before);
	free(o->tids);
	free(o->waits);
	free(o);
	return NULL;
}

/* ---- content ---- */

static void task_copy(struct window *to, const struct window *from, uint64_t id)
{
	const struct wick_task *task = window_task(from, id);

	if (task)
		window_add_task(to, id, task);
}

static void stack_copy(struct window *to, const struct window *from, uint64_t id)
{
	const struct window_stack *stack = id < WICK_STACK_FIRST ? NULL : window_stack(from, id);

	if (stack)
		window_add_stack(to, stack);
}

void open_waits_complete(struct open_waits *o, struct window *window, const struct wick_key *key)
{
	const struct window *const from[] = { o->kept, o->before };

	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		const struct wick_detail *detail;

		task_copy(window, from[i], key->task);
		stack_copy(window, from[i], key->kernel_stack);
		stack_copy(window, from[i], key->user_stack);
		detail = window_detail(window, key->detail);
		if (!detail)
			continue;
		task_copy(window, from[i], detail->value[WICK_DETAIL_PEER_TASK]);
		stack_copy(window, from[i], detail->value[WICK_DETAIL_PEER_KERNEL]);
		stack_copy(window, from[i], detail->value[WICK_DETAIL_PEER_USER]);
	}
}

static void wait_content_copy(struct window *to, const struct window *from,
			      const struct wick_wait *wait)
{
	task_copy(to, from, wait->task);
	task_copy(to, from, wait->peer_task);
	stack_copy(to, from, wait->kernel_stack);
	stack_copy(to, from, wait->user_stack);
	stack_copy(to, from, wait->peer_kernel);
	stack_copy(to, from, wait->peer_user);
}

/* ---- open waits ---- */

/* Call @visit with every wait of @source that is open. */
static void waits_walk(struct open_waits *o, size_t source, void *context,
		       void (*visit)(struct open_waits *o, size_t source,
				     const struct wick_wait *wait, void *context))
{
	int fd = source_waits_fd(o->sources[source]), r = 0;
	uint32_t token = 0, count;
	void *from = NULL;

	while (fd >= 0 && !r) {
		count = WAITS_AT_ONCE;
		r = bpf_map_lookup_batch(fd, from, &token, o->tids, o->waits, &count, NULL);
		if (r < 0 && r != -ENOENT)
			return;
		for (uint32_t i = 0; i < count; i++)
			if (o->waits[i].state != WICK_WAIT_NONE)
				visit(o, source, &o->waits[i], context);
		from = &token;
	}
}

static void keep_one(struct open_waits *o, size_t source, const struct wick_wait *wait,
		     void *context)
{
	wait_content_copy(context, o->kept, wait);
	wait_content_copy(context, o->before, wait);
}

int open_waits_keep(struct open_waits *o, const struct window *window)
{
	_cleanup_(window_freep) struct window *fresh = window_new(0);
	int r = fresh ? window_add_contents(fresh, window) : -ENOMEM;

	if (r < 0)
		return r;
	for (size_t i = 0; i < o->source_count; i++)
		waits_walk(o, i, fresh, keep_one);
	window_free(o->before);
	o->before = o->kept;
	o->kept = take_ptr(fresh);
	return 0;
}

/* ---- the end of the run ---- */

/* Never asked for: they are there when there is a peer. */
#define PEER_FIELDS                                                                 \
	(WICK_DETAIL_BIT(PEER_TASK) | WICK_DETAIL_BIT(PEER_KERNEL) | WICK_DETAIL_BIT(PEER_USER))

struct closing {
	struct window *window;
	uint64_t now_ns, added, lost;
};

static uint64_t wait_detail(struct window *window, const struct wick_settings *settings,
			    const struct wick_wait *wait)
{
	struct wick_detail detail = { .present = 0 };
	const struct {
		unsigned int field;
		bool is_there;
		uint64_t value;
	} fields[] = {
		{ WICK_DETAIL_SYSCALL, wait->syscall, wait->syscall - 1ull },
		{ WICK_DETAIL_KEY, wait->key, wait->key },
		{ WICK_DETAIL_REASON, true, wait->reason },
		{ WICK_DETAIL_PEER_TASK, wait->peer_task, wait->peer_task },
		{ WICK_DETAIL_PEER_KERNEL, wait->peer_task, wait->peer_kernel },
		{ WICK_DETAIL_PEER_USER, wait->peer_task, wait->peer_user },
	};
	uint64_t id;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].is_there ||
		    !((settings->labels | PEER_FIELDS) >> fields[i].field & 1))
			continue;
		detail.value[fields[i].field] = fields[i].value;
		detail.present |= 1ull << fields[i].field;
	}
	if (!detail.present)
		return WICK_DETAIL_NONE;
	id = wick_detail_id(&detail);
	return window_add_detail(window, id, &detail) < 0 ? WICK_DETAIL_LOST : id;
}

static void close_one(struct open_waits *o, size_t source, const struct wick_wait *wait,
		      void *context)
{
	const struct wick_settings *settings = &source_run_options(o->sources[source])->settings;
	struct closing *closing = context;
	uint64_t value = wait->state == WICK_WAIT_ENDED ? wait->value :
							  closing->now_ns - wait->begin_ns;
	struct window_sample sample = {
		.source = source,
		.key = { .task = wait->task, .kernel_stack = wait->kernel_stack,
			 .user_stack = wait->user_stack },
		.value = { .count = 1, .sum = value },
	};

	if (value < settings->value_min || (settings->value_max && value > settings->value_max))
		return;
	if (!wait->task) {
		closing->lost++;
		return;
	}
	sample.key.detail = wait_detail(closing->window, settings, wait);
	open_waits_complete(o, closing->window, &sample.key);
	if (window_add_sample(closing->window, &sample) < 0)
		closing->lost++;
	else
		closing->added++;
}

uint64_t open_waits_close(struct open_waits *o, struct window *window, uint64_t now_ns,
			  uint64_t *ret_lost)
{
	struct closing closing = { .window = window, .now_ns = now_ns };

	for (size_t i = 0; i < o->source_count; i++)
		waits_walk(o, i, &closing, close_one);
	*ret_lost = closing.lost;
	return closing.added;
}
