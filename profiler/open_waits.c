/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/open_waits.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/stack_id.h"

#define WAITS_AT_ONCE 1024
#define READ_TRIES 3

struct open_waits {
	struct open_waits_map *maps;
	size_t map_count;
	struct window *kept, *before;	/* content only: no samples */
	uint32_t *tids;
	struct wick_wait *waits;
};

int open_waits_new(const struct open_waits_map *maps, size_t count, struct open_waits **ret)
{
	_cleanup_(open_waits_freep) struct open_waits *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->maps = calloc(count, sizeof(*maps));
	o->kept = window_new(0);
	o->before = window_new(0);
	o->tids = calloc(WAITS_AT_ONCE, sizeof(*o->tids));
	o->waits = calloc(WAITS_AT_ONCE, sizeof(*o->waits));
	if (!o->maps || !o->kept || !o->before || !o->tids || !o->waits)
		return -ENOMEM;
	memcpy(o->maps, maps, count * sizeof(*maps));
	o->map_count = count;
	*ret = take_ptr(o);
	return 0;
}

struct open_waits *open_waits_free(struct open_waits *o)
{
	if (!o)
		return NULL;
	window_free(o->kept);
	window_free(o->before);
	free(o->maps);
	free(o->tids);
	free(o->waits);
	free(o);
	return NULL;
}

/* ---- content ---- */

/* What @from lacks is not copied; each returns 0 or -ENOMEM. */
static int task_copy(struct window *to, const struct window *from, uint64_t id)
{
	const struct wick_task *task = window_task(from, id);

	return task ? window_add_task(to, id, task) : 0;
}

static int stack_copy(struct window *to, const struct window *from, uint64_t id)
{
	const struct window_stack *stack = id < WICK_STACK_FIRST ? NULL : window_stack(from, id);

	return stack ? window_add_stack(to, stack) : 0;
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

static int wait_content_copy(struct window *to, const struct window *from,
			     const struct wick_wait *wait)
{
	int r = task_copy(to, from, wait->task);

	r = r ?: task_copy(to, from, wait->peer_task);
	r = r ?: stack_copy(to, from, wait->kernel_stack);
	r = r ?: stack_copy(to, from, wait->user_stack);
	r = r ?: stack_copy(to, from, wait->peer_kernel);
	return r ?: stack_copy(to, from, wait->peer_user);
}

/* ---- open waits ---- */

/* Call @visit with every wait of @map. Returns 0, or why it could not read them all. */
static int waits_walk(struct open_waits *o, const struct open_waits_map *map, void *context,
		      void (*visit)(struct open_waits *o, const struct open_waits_map *map,
				    const struct wick_wait *wait, void *context))
{
	uint32_t token = 0, count, tries = 0;
	void *from = NULL;
	int r;

	do {
		count = WAITS_AT_ONCE;
		r = bpf_map_lookup_batch(map->fd, from, &token, o->tids, o->waits, &count, NULL);
		if (r < 0 && r != -ENOENT) {
			/* What was read until then is good; untouched, it read nothing. */
			count = count == WAITS_AT_ONCE ? 0 : count;
			tries = count ? 0 : tries + 1;
			if (tries == READ_TRIES)
				return r;
			r = 0;
		} else {
			tries = 0;
		}
		for (uint32_t i = 0; i < count; i++)
			visit(o, map, &o->waits[i], context);
		from = tries ? from : &token;
	} while (!r);
	return 0;
}

struct keeping {
	struct window *fresh;
	int error;
};

static void keep_one(struct open_waits *o, const struct open_waits_map *map,
		     const struct wick_wait *wait, void *context)
{
	struct keeping *keeping = context;

	if (wait->state == WICK_WAIT_NONE || keeping->error)
		return;
	keeping->error = wait_content_copy(keeping->fresh, o->kept, wait);
	keeping->error = keeping->error ?: wait_content_copy(keeping->fresh, o->before, wait);
}

/* Which waits are open is not known: all that is there may be needed. */
static int keep_all(struct open_waits *o, struct window *fresh)
{
	return window_add_contents(fresh, o->kept) ?: window_add_contents(fresh, o->before);
}

int open_waits_keep(struct open_waits *o, const struct window *window)
{
	_cleanup_(window_freep) struct window *fresh = window_new(0);
	struct keeping keeping = { .fresh = fresh };

	keeping.error = fresh ? window_add_contents(fresh, window) : -ENOMEM;
	for (size_t i = 0; i < o->map_count && !keeping.error; i++)
		if (waits_walk(o, &o->maps[i], &keeping, keep_one) < 0)
			keeping.error = keep_all(o, fresh);
	if (keeping.error)
		return keeping.error;
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
	uint64_t end_ns;
	struct open_waits_closed closed;
};

/* As wait_details() of bpf/wait.bpf.h; where it would have run is not known, but where it ran last. */
static uint64_t wait_detail(struct window *window, const struct wick_settings *settings,
			    const struct wick_wait *wait, uint64_t value)
{
	struct wick_detail detail = { .present = 0 };
	const struct {
		unsigned int field;
		bool is_there;
		uint64_t value;
	} fields[] = {
		{ WICK_DETAIL_BUCKET, true, 63 - __builtin_clzll(value | 1) },
		{ WICK_DETAIL_CPU, wait->cpu, wait->cpu - 1ull },
		{ WICK_DETAIL_SYSCALL, wait->syscall, wait->syscall - 1ull },
		{ WICK_DETAIL_KEY, wait->key, wait->key },
		{ WICK_DETAIL_LOCK, wait->lock, wait->lock },
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

/* ns; programs that ran on for a moment may have begun one behind the end. */
static uint64_t wait_value(const struct wick_wait *wait, uint64_t end_ns)
{
	if (wait->state == WICK_WAIT_ENDED)
		return wait->value;
	return wait->begin_ns < end_ns ? end_ns - wait->begin_ns : 0;
}

static void close_one(struct open_waits *o, const struct open_waits_map *map,
		      const struct wick_wait *wait, void *context)
{
	const struct wick_settings *settings = map->settings;
	struct closing *closing = context;
	uint64_t value = wait_value(wait, closing->end_ns);
	struct window_sample sample = {
		.source = map->source,
		.key = { .task = wait->task, .kernel_stack = wait->kernel_stack,
			 .user_stack = wait->user_stack },
		.value = { .count = 1, .sum = value },
	};

	if (wait->state != WICK_WAIT_OPEN && wait->state != WICK_WAIT_ENDED)
		return;
	if (value < settings->value_min || (settings->value_max && value > settings->value_max))
		return;
	if (!wait->task) {
		closing->closed.lost++;
		return;
	}
	sample.key.detail = wait_detail(closing->window, settings, wait, value);
	open_waits_complete(o, closing->window, &sample.key);
	if (window_add_sample(closing->window, &sample) < 0)
		closing->closed.lost++;
	else
		closing->closed.added++;
}

int open_waits_close(struct open_waits *o, struct window *window, uint64_t end_ns,
		     struct open_waits_closed *ret)
{
	struct closing closing = { .window = window, .end_ns = end_ns };
	int failed = 0;

	for (size_t i = 0; i < o->map_count; i++) {
		int r = waits_walk(o, &o->maps[i], &closing, close_one);

		failed = r < 0 ? r : failed;
	}
	*ret = closing.closed;
	return failed;
}
