/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/tables.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "bpf/stack_id.h"
#include "profiler/base/alloc.h"
#include "profiler/base/clock.h"
#include "profiler/base/thread.h"
#include "profiler/labels/label_files.h"
#include "profiler/processes/notice.h"
#include "profiler/tables/copy_unwind.h"
#include "profiler/tables/process_loader.h"
#include "profiler/window.h"

#define COLLECT_INTERVAL_NS 1000000000ull
/* Stacks of copies until the next window takes them; copies are limited by rate. */
#define PENDING_BYTES_MAX (4u << 20)
/* How long the thread may use no CPU while it has something to do. */
#define PATIENCE_NS 5000000000ull
/* How long nothing is sampled because of targets whose files do not answer. */
#define PRELOAD_NS 2000000000ull

struct tables {
	struct tables_options options;
	struct modules *modules;
	struct table_store *store;
	struct process_loader *loader;
	struct unwind_cursor cursor;	/* too large for a stack */
	uint64_t collected_ns;
	struct tables_stats stats;
	pthread_t thread;
	bool running;
	/* Never held while a file is read: what follows is for who leaves the thread behind, too. */
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* of the two */
	bool preloaded, ended;
	bool abandoned;
	struct window *pending;		/* samples of copies, for the next window; or NULL */
	struct notice_batch *batch;	/* at hand, or NULL */
	size_t settled;			/* of its copies: they are pending, or lost */
	uint64_t copies_lost, windows_late_samples;
	struct tables_stats shared;
};

static void lock_init(struct tables *t)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

int tables_new(const struct tables_options *options, struct tables **ret, struct error *err)
{
	_cleanup_(tables_freep) struct tables *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, ERROR_FAILED, -ENOMEM, "make room for unwind tables: %s",
				 strerror(ENOMEM));
	t->options = *options;
	if (!t->options.depth_max)
		t->options.depth_max = UNWIND_FRAMES_MAX;
	lock_init(t);
	r = table_store_new(&options->store, &t->store, err);
	if (r < 0)
		return r;
	t->modules = modules_new(options->module_limit);
	if (t->modules)
		t->loader = process_loader_new(t->modules, t->store);
	if (!t->loader)
		return error_set(err, ERROR_FAILED, -ENOMEM, "make room for processes: %s",
				 strerror(ENOMEM));
	*ret = take_ptr(t);
	return 0;
}

struct tables *tables_free(struct tables *t)
{
	if (!t)
		return NULL;
	if (tables_join(t) < 0)
		return NULL;
	window_free(t->pending);
	process_loader_free(t->loader);
	table_store_free(t->store);
	modules_free(t->modules);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
	return NULL;
}

struct module *tables_module(struct tables *t, uint32_t id)
{
	return modules_by_id(t->modules, id);
}

/* ---- statistics ---- */

static void stats_share(struct tables *t)
{
	struct tables_stats *stats = &t->stats;
	struct process_loader_stats loader;

	process_loader_stats(t->loader, &loader);
	table_store_stats(t->store, &stats->store);
	modules_stats(t->modules, &stats->modules);
	stats->requests = loader.requests;
	stats->requests_late = loader.late;
	stats->maps_read = loader.maps_read;
	stats->maps_failed = loader.maps_failed;
	stats->build_ns = stats->store.build_ns;
	stats->rows_built = stats->store.rows_built;
	stats->cfi_bytes = stats->store.cfi_bytes;
	stats->processes = process_loader_count(t->loader);
	stats->user_bytes = process_loader_bytes(t->loader) + modules_bytes(t->modules) +
			    table_store_user_bytes(t->store);
	stats->cpu_ns = clock_thread_cpu_ns();
	pthread_mutex_lock(&t->lock);
	if (t->pending)
		stats->user_bytes += window_bytes(t->pending);
	t->shared = *stats;
	pthread_mutex_unlock(&t->lock);
}

void tables_stats(struct tables *t, struct tables_stats *ret)
{
	pthread_mutex_lock(&t->lock);
	*ret = t->shared;
	ret->copies_lost = t->copies_lost;
	ret->windows_late_samples = t->windows_late_samples;
	pthread_mutex_unlock(&t->lock);
}

/* ---- copies ---- */

static int pending_add(struct tables *t, const struct wick_copy_record *copy,
		       const struct unwind_cursor *s)
{
	bool raw = s->flags & UNWIND_RAW_FRAMES;
	struct window_sample sample = {
		.key = copy->key,
		.source = copy->head.source,
		.value = copy->value,
	};
	struct window_stack stack = {
		.count = s->depth,
		.stop = s->stop,
		.flags = s->flags,
		.pid = raw ? copy->pid : 0,
		.start_ns = raw ? copy->start_ns : 0,
		.frames = s->frames,
	};
	int r;

	if (!t->pending)
		t->pending = window_new(PENDING_BYTES_MAX);
	if (!t->pending)
		return -ENOMEM;
	/* Of a wait that has only begun: its sample will come with that id. */
	if (!copy->value.count) {
		stack.id = copy->key.user_stack;
		return window_add_stack(t->pending, &stack);
	}
	stack.id = wick_user_stack_id(s->hash, s->stop, stack.pid, stack.start_ns);
	sample.key.user_stack = stack.id;
	r = window_add_stack(t->pending, &stack);
	/* What is mapped somewhere depends on the time, too. */
	if (r < 0 || (!t->options.files && !t->options.as_events))
		return r < 0 ? r : window_add_sample(t->pending, &sample);
	return window_add_event(t->pending, &(struct window_event){ .sample = sample,
								    .time_ns = copy->time_ns,
								    .cpu = WINDOW_CPU_UNKNOWN });
}

/* With the lock held. */
static void copy_settle(struct tables *t, const struct stack_copy *copy,
			const struct unwind_cursor *s)
{
	t->settled++;
	if (pending_add(t, copy->parts[0], s) < 0)
		t->copies_lost += copy->parts[0]->value.count;
}

static void copy_take(struct tables *t, const struct stack_copy *copy, uint64_t now_ns)
{
	const struct wick_copy_record *first = copy->parts[0];
	const struct process *process = process_loader_get(t->loader, first->pid, first->start_ns,
							   first->exec_id, now_ns);

	t->stats.copies++;
	if (!process)
		copy_unwind_none(UNWIND_STOP_LATE, &t->cursor);
	else if (process_is_compat(process))
		copy_unwind_none(UNWIND_STOP_COMPAT, &t->cursor);
	else
		copy_unwind(copy, process, t->store, t->options.depth_max, &t->cursor);
	t->stats.copies_complete += t->cursor.stop == UNWIND_STOP_END;
	pthread_mutex_lock(&t->lock);
	if (!t->abandoned)
		copy_settle(t, copy, &t->cursor);
	pthread_mutex_unlock(&t->lock);
}

/* Take the copies from @next on that are not younger than @time_ns. Returns the next one. */
static size_t copies_take(struct tables *t, const struct notice_batch *batch, size_t next,
			  uint64_t time_ns, uint64_t now_ns)
{
	for (; next < batch->copy_count; next++) {
		if (batch->copies[next].parts[0]->time_ns > time_ns)
			break;
		copy_take(t, &batch->copies[next], now_ns);
	}
	return next;
}

/* ---- windows ---- */

/* Tables that are used stay. */
static void window_touch(struct tables *t, const struct window *window, uint64_t now_ns)
{
	struct window_sample sample;
	size_t position = 0;

	while (window_next_sample(window, &position, &sample)) {
		const struct window_stack *stack = window_stack(window, sample.key.user_stack);

		for (uint32_t i = 0; stack && i < stack->count; i++)
			table_store_touch(t->store, unwind_frame_module(stack->frames[i]), now_ns);
	}
}

/* Add the samples of copies to @window. */
static void window_complete(struct tables *t, struct window *window)
{
	uint64_t lost;

	if (!t->pending)
		return;
	if (window_merge(window, t->pending, &lost) < 0)
		t->copies_lost += lost;
	t->pending = window_free(t->pending);
}

static void window_send(struct tables *t, struct window *window)
{
	if (t->options.files)
		label_files_apply(t->options.files, &window);
	if (queue_add(t->options.out, window) == 0)
		return;
	t->windows_late_samples += window_sample_count(window);
	window_free(window);
}

/* The window of @batch goes on, with what is pending. */
static void batch_pass(struct tables *t, struct notice_batch *batch)
{
	if (!batch->window)
		return;
	window_complete(t, batch->window);
	window_touch(t, batch->window, clock_monotonic_ns());
	window_send(t, take_ptr(batch->window));
}

/* With the lock held: what is left of @batch goes on, without the stacks that are still copies. */
static void batch_salvage(struct tables *t, struct notice_batch *batch)
{
	static const struct unwind_cursor no_stack = {
		.flags = UNWIND_EXACT | UNWIND_REGISTERS_KNOWN,
		.stop = UNWIND_STOP_NOT_LOADED,
		.hash = WICK_USER_STACK_SEED,
	};

	while (t->settled < batch->copy_count)
		copy_settle(t, &batch->copies[t->settled], &no_stack);
	if (batch->window)
		window_send(t, take_ptr(batch->window));
}

/* ---- the thread ---- */

static void batch_take(struct tables *t, struct notice_batch *batch)
{
	uint64_t now_ns = clock_monotonic_ns();
	size_t copy = 0;

	if (t->options.files)
		label_files_note(t->options.files, batch);
	if (batch->notices_lost)
		process_loader_distrust(t->loader, now_ns);
	/* A copy is unwound with the mappings of its time: a moment later it may have executed. */
	for (size_t i = 0; i < batch->notice_count; i++) {
		copy = copies_take(t, batch, copy, batch->notices[i].time_ns, now_ns);
		process_loader_apply(t->loader, &batch->notices[i], now_ns);
	}
	for (size_t i = 0; i < batch->file_count; i++)
		process_loader_know_file(t->loader, &batch->files[i], now_ns);
	for (size_t i = 0; i < batch->request_count; i++)
		process_loader_answer(t->loader, &batch->requests[i], now_ns);
	process_loader_update(t->loader, now_ns);
	copies_take(t, batch, copy, UINT64_MAX, now_ns);
	pthread_mutex_lock(&t->lock);
	batch_pass(t, batch);
	pthread_mutex_unlock(&t->lock);
}

/* What the thread has at hand. False when it was left behind, and is to have nothing any more. */
static bool batch_set(struct tables *t, struct notice_batch *batch)
{
	bool wanted;

	pthread_mutex_lock(&t->lock);
	wanted = !t->abandoned;
	t->batch = wanted ? batch : NULL;
	t->settled = 0;
	/* It was taken from the queue before nobody was to do that any more. */
	if (!wanted && batch)
		batch_salvage(t, batch);
	pthread_mutex_unlock(&t->lock);
	return wanted;
}

static void collect(struct tables *t)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (now_ns - t->collected_ns < COLLECT_INTERVAL_NS)
		return;
	t->collected_ns = now_ns;
	process_loader_collect(t->loader, now_ns);
	table_store_collect(t->store, now_ns);
}

static void preload_all(struct tables *t)
{
	uint64_t now_ns = clock_monotonic_ns();

	process_loader_preload(t->loader, now_ns, now_ns + PRELOAD_NS);
	pthread_mutex_lock(&t->lock);
	t->preloaded = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static void tables_end(struct tables *t)
{
	pthread_mutex_lock(&t->lock);
	/* Copies that no window came after. */
	if (t->pending)
		window_send(t, take_ptr(t->pending));
	t->ended = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static void *tables_run(void *argument)
{
	struct tables *t = argument;
	void *item;
	int r;

	thread_begin("wick-tables", THREAD_NICE_PROMPT);
	preload_all(t);
	while ((r = queue_take(t->options.in, COLLECT_INTERVAL_NS / 1000000, &item)) != -EPIPE) {
		if (!r) {
			if (batch_set(t, item))
				batch_take(t, item);
			batch_set(t, NULL);
			notice_batch_free(item);
		}
		collect(t);
		stats_share(t);
	}
	stats_share(t);
	tables_end(t);
	return NULL;
}

/* With the lock held: until *@state, or for @ns. */
static bool state_wait(struct tables *t, const bool *state, uint64_t ns)
{
	uint64_t end_ns = clock_monotonic_ns() + ns;
	const struct timespec end = { .tv_sec = end_ns / 1000000000,
				      .tv_nsec = end_ns % 1000000000 };
	int r = 0;

	while (!*state && !r)
		r = pthread_cond_timedwait(&t->changed, &t->lock, &end);
	return *state;
}

int tables_start(struct tables *t)
{
	sigset_t all, before;
	int r;

	if (t->options.files)
		label_files_begin(t->options.files);
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&t->thread, NULL, tables_run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->running = !r;
	if (r)
		return -r;
	pthread_mutex_lock(&t->lock);
	state_wait(t, &t->preloaded, PRELOAD_NS);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static uint64_t thread_cpu_ns(const struct tables *t)
{
	struct timespec time = { 0 };
	clockid_t clock;

	if (!pthread_getcpuclockid(t->thread, &clock))
		clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Whether it ended; else it waits for something that does not come. */
static bool thread_wait(struct tables *t)
{
	uint64_t before_ns;
	bool ended;

	pthread_mutex_lock(&t->lock);
	do {
		before_ns = thread_cpu_ns(t);
		ended = state_wait(t, &t->ended, PATIENCE_NS);
	} while (!ended && thread_cpu_ns(t) != before_ns);
	pthread_mutex_unlock(&t->lock);
	return ended;
}

/* All that has not gone on does now. What the thread has at hand is only seen under the lock. */
static void thread_abandon(struct tables *t)
{
	void *item;

	pthread_mutex_lock(&t->lock);
	t->abandoned = true;
	if (t->batch)
		batch_salvage(t, t->batch);
	while (!queue_take(t->options.in, 0, &item)) {
		t->settled = 0;
		batch_salvage(t, item);
		notice_batch_free(item);
	}
	if (t->pending)
		window_send(t, take_ptr(t->pending));
	pthread_mutex_unlock(&t->lock);
}

int tables_join(struct tables *t)
{
	if (!t->running)
		return t->abandoned ? -ETIMEDOUT : 0;
	t->running = false;
	if (thread_wait(t))
		pthread_join(t->thread, NULL);
	else
		thread_abandon(t);
	queue_close(t->options.out);
	return t->abandoned ? -ETIMEDOUT : 0;
}
