/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.bpf.h - for sources that measure how long something takes: noted when it begins, counted
 * when it ends.
 *
 *     wait = wait_place(run)  wait_begin()  wait_walk()  wait_open()   …   wait_end()
 *
 * A wait belongs to a thread, whose place in the map is kept for its next one: nothing is inserted
 * or deleted but for new threads and dead ones. It is kept by thread and not by CPU, because
 * threads wake up elsewhere. Taken is what ends long enough; what never ends is counted by the
 * last drain. With a least value the stacks of waits in system calls are walked only
 * when it was long enough: wait_hold() takes the kernel stack, which the sleeper still has when it is
 * switched to, and wait_finish() the user stack, which it still has when the call returns.
 */
#ifndef WICK_WAIT_BPF_H
#define WICK_WAIT_BPF_H

#include "bpf/sampler.bpf.h"
#include "bpf/sleeper.bpf.h"

/* By tid. Preallocated, for programs run where the kernel must not allocate. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_wait);
} waits SEC(".maps");

/* Never written: what a new place begins with, which is too large for a program's stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_wait);
} no_wait SEC(".maps");

static __always_inline struct wick_wait *wait_find(__u32 tid)
{
	return bpf_map_lookup_elem(&waits, &tid);
}

/* A place for thread @tid, which has none. NULL: the map is full. */
static __always_inline struct wick_wait *wait_new(__u32 tid)
{
	struct wick_wait *empty;
	__u32 zero = 0;

	empty = bpf_map_lookup_elem(&no_wait, &zero);
	if (!empty)
		return NULL;
	bpf_map_update_elem(&waits, &tid, empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&waits, &tid);
}

/*
 * The place of the run's thread: @found, if it has one, else a new one. NULL: there is none, and the
 * wait is lost.
 */
static __always_inline struct wick_wait *wait_place(struct run *run, struct wick_wait *found)
{
	struct wick_wait *wait = found ? found : wait_new(run->tid);

	if (wait) {
		wait->instance = task_instance(run->task);
		return wait;
	}
	COUNT(run, TAKEN);
	COUNT(run, LOST_WAITS);
	return NULL;
}

static __always_inline void wait_forget(__u32 tid)
{
	bpf_map_delete_elem(&waits, &tid);
}

static __always_inline void wait_begin(struct wick_wait *wait, __u64 now_ns)
{
	wait->state = WICK_WAIT_NONE;
	barrier();
	wait->begin_ns = now_ns;
	wait->value = 0;
	wait->task = wait->kernel_stack = wait->user_stack = 0;
	wait->peer_task = wait->peer_kernel = wait->peer_user = 0;
	wait->key = wait->lock = 0;
	wait->reason = wait->syscall = wait->error = 0;
	wait->cpu = detail_wanted(CPU) ? bpf_get_smp_processor_id() + 1 : 0;
	barrier();
	wait->state = WICK_WAIT_BEGUN;
}

/* Its stacks are known, but what is measured begins later. */
static __always_inline void wait_prepare(struct wick_wait *wait)
{
	barrier();
	wait->state = WICK_WAIT_PREPARED;
}

static __always_inline void wait_open(struct wick_wait *wait)
{
	barrier();
	wait->state = WICK_WAIT_OPEN;
}

/*
 * The current task and its stacks, in a claimed run. A user stack that has to be copied goes by an
 * id of its own. Nonzero: the ring had no room for the task.
 */
static __always_inline int wait_stacks(struct run *run, __u64 now_ns, __u64 *ret_task,
				       __u64 *ret_kernel, __u64 *ret_user)
{
	struct stack_wish *wish = stack_wish_new(run);

	wish->key.task = task_send(run);
	if (!wish->key.task)
		return -1;
	if (settings.walk_kernel && !run->without_kernel_stack)
		wish->key.kernel_stack = kernel_stack(run);
	if (settings.walk_user && !(run->scratch->task.task.flags & WICK_TASK_KERNEL)) {
		wish->key.user_stack = wick_wait_stack_id(run->tid, now_ns);
		user_stack(run, NULL, 1, wish);
	}
	*ret_kernel = wish->key.kernel_stack;
	*ret_user = wish->key.user_stack;
	*ret_task = wish->key.task;
	return 0;
}

/* Walk the current task's stacks at the begin of its wait. Nonzero: it is lost, and counted. */
static __always_inline int wait_walk(struct run *run, struct wick_wait *wait)
{
	int error;

	if (run_claim(run)) {
		COUNT(run, TAKEN);
		return -1;
	}
	error = wait_stacks(run, wait->begin_ns, &wait->task, &wait->kernel_stack,
			    &wait->user_stack);
	run_release(run);
	if (error) {
		COUNT(run, TAKEN);
		COUNT(run, LOST_TASK);
	}
	return error;
}

/*
 * As task_send(). Without stacks that is most of what a sample costs, and from one of a thread to its next
 * the task seldom changes: its place remembers the id, with its mark.
 */
static __always_inline __u64 wait_task(struct run *run, struct wick_wait *wait)
{
	__u64 mark;

	if (!HAS_TYPED_TASK)
		return task_send(run);
	mark = task_mark(run->task);
	if (!wait->known_task || wait->known_mark != mark ||
	    wait->known_generation != run->generation) {
		wait->known_mark = mark;
		wait->known_generation = run->generation;
		wait->known_task = task_send(run);
	}
	return wait->known_task;
}

/* What the source knows of the wait, as labels. */
static __always_inline void wait_details(struct run *run, const struct wick_wait *wait)
{
	if (wait->syscall)
		detail_label(run, SYSCALL, wait->syscall - 1);
	if (wait->key)
		detail_label(run, KEY, wait->key);
	if (wait->lock)
		detail_label(run, LOCK, wait->lock);
	if (wait->error)
		detail_label(run, ERRNO, wait->error);
	detail_label(run, REASON, wait->reason);
	if (wait->peer_task) {
		detail_set(run, PEER_TASK, wait->peer_task);
		detail_set(run, PEER_KERNEL, wait->peer_kernel);
		detail_set(run, PEER_USER, wait->peer_user);
	}
}

/* The id of what is known of it. Most are as one of the last on this CPU. */
static __always_inline __u64 wait_detail_send(struct run *run, struct wick_wait *wait, __u64 value)
{
	const __u64 plain = WICK_DETAIL_BIT(SYSCALL) | WICK_DETAIL_BIT(ERRNO) |
			    WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(BUCKET);
	int is_plain = !(settings.labels & ~plain) && !wait->key && !wait->lock && !wait->peer_task;
	__u64 facts = 1ull << 63 | (__u64)wait->reason << 56 | detail_bucket(value) << 48 |
		      (__u64)wait->error << 32 | wait->syscall;
	struct wick_recent_detail *last = is_plain ? recent_detail(run, facts) : NULL;
	__u64 id;

	if (recent_detail_is(run, last, facts))
		return last->id;
	detail_clear(run);
	wait_details(run, wait);
	detail_add_common(run, value);
	id = detail_send(run);
	recent_detail_keep(run, last, facts, id);
	return id;
}

/*
 * It has ended, and its stacks are known, or none are wanted. @run is of the thread that waited,
 * current or not.
 */
static __always_inline void wait_report(struct run *run, struct wick_wait *wait, __u64 value)
{
	struct wick_key key = { .task = wait->task, .kernel_stack = wait->kernel_stack,
				.user_stack = wait->user_stack };

	if (!sample_claim_bare(run))
		return;
	if (!key.task)
		key.task = wait_task(run, wait);
	if (!key.task) {
		COUNT(run, LOST_TASK);
		run_release(run);
		return;
	}
	key.detail = wait_detail_send(run, wait, value);
	sample_deliver(run, &key, value);
	run_release(run);
}

/* The run's task, which does not run, and its kernel stack. Nonzero: it is lost, and counted. */
static __always_inline int wait_name_sleeper(struct run *run, struct wick_wait *wait)
{
	if (run_claim(run)) {
		COUNT(run, TAKEN);
		return -1;
	}
	wait->task = task_send(run);
	if (settings.walk_kernel && wait->task)
		wait->kernel_stack = kernel_stack_of_sleeper(run);
	run_release(run);
	if (wait->task)
		return 0;
	COUNT(run, TAKEN);
	COUNT(run, LOST_TASK);
	return -1;
}

/* It was long enough: its kernel stack now, its user stack when it runs again. */
static __always_inline void wait_hold(struct run *run, struct wick_wait *wait, __u64 value)
{
	if (wait_name_sleeper(run, wait))
		return;
	if (!settings.walk_user || TASK_FIELD(run->task, flags) & PF_KTHREAD_FLAG) {
		wait_report(run, wait, value);
		return;
	}
	wait->value = value;
	barrier();
	wait->state = WICK_WAIT_ENDED;
}

/*
 * The thread runs again: @run is of the current task. If that has executed another program since,
 * or is another thread with its tid, what it had on its stack is gone.
 */
static __always_inline void wait_finish(struct run *run, struct wick_wait *wait)
{
	struct stack_wish *wish;
	int is_same = wait->instance == task_instance(run->task);
	__u64 value = wait->value, task;

	wait->state = WICK_WAIT_NONE;
	if (!sample_claim(run))
		return;
	wish = stack_wish_new(run);
	wish->key.task = wait->task;
	wish->key.kernel_stack = wait->kernel_stack;
	wait_details(run, wait);
	detail_add_common(run, value);
	wish->key.detail = detail_send(run);
	/* Fills in the scratch's task, which a walk needs; parts of a copy go by the same id. */
	task = task_send(run);
	if (!task) {
		COUNT(run, LOST_TASK);
		run_release(run);
		return;
	}
	stack_wish_sample(run, wish, value);
	if (is_same) {
		wish->key.task = task;
		user_stack(run, NULL, 1, wish);
	} else {
		user_stack_absent(run, wish, UNWIND_STOP_EXEC);
	}
	sample_deliver_rest(run, wish, value);
	run_release(run);
}

/* It ends. @run is of the thread that waited. Nonzero: stacks were walked, which takes its time. */
static __always_inline int wait_end(struct run *run, struct wick_wait *wait, __u64 now_ns)
{
	__u64 value = now_ns - wait->begin_ns;

	wait->state = WICK_WAIT_NONE;
	if (!value_wanted(value)) {
		COUNT(run, FILTERED);
		return 0;
	}
	if (wait->task || !stacks_wanted()) {
		wait_report(run, wait, value);
		return 0;
	}
	wait_hold(run, wait, value);
	return 1;
}

/*
 * Who ends it: the current task, with its stacks. That it was an interrupt, and the task only who it
 * hit, is seen in the kernel stack when that is named.
 */
static __always_inline void wait_add_peer(struct run *run, struct wick_wait *wait, __u64 now_ns)
{
	__u64 task, kernel, user;
	int error;

	/* Without it the wait is reported, only not who ended it. */
	if (run_try_claim(run)) {
		COUNT(run, DETAILS_LOST);
		return;
	}
	error = wait_stacks(run, now_ns, &task, &kernel, &user);
	run_release(run);
	if (error) {
		COUNT(run, DETAILS_LOST);
		return;
	}
	wait->peer_kernel = kernel;
	wait->peer_user = user;
	wait->peer_task = task;
}

/* The run's task sleeps, has done so for long enough, and was never walked: the run is over. */
static __always_inline void wait_walk_asleep(struct run *run, struct wick_wait *wait,
					     __u64 now_ns)
{
	struct stack_wish *wish;
	__u64 task;

	/* What is not named here is counted as lost by the last drain. */
	if (!value_wanted(now_ns - wait->begin_ns) || run_try_claim(run))
		return;
	wish = stack_wish_new(run);
	task = task_send(run);
	if (task && settings.walk_kernel)
		wait->kernel_stack = kernel_stack_of_sleeper(run);
	if (task && settings.walk_user && !(run->scratch->task.task.flags & WICK_TASK_KERNEL))
		sleeper_user_stack(run, task, now_ns, wish);
	wait->user_stack = wish->key.user_stack;
	wait->task = task;
	run_release(run);
}

#endif
