/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lock.bpf.c - how long tasks wait for locks: for those of programs, in futex(), and for the kernel's.
 *
 * A futex wait is from the entry of the call to its return; its kernel stack would always be the
 * same and is left out. Who wakes the waiter had the lock, in so far as it was a mutex: the kernel
 * knows only the word that is waited on. A wait that was not ended by somebody's call has no owner.
 *
 * The kernel's own are from contention_begin to contention_end, which also happen in whatever our
 * programs do with maps and the ring, with the lock in question held. So these programs must not
 * want a lock that could be held below them (before 6.15 those of BPF maps cannot tell). Begins
 * are noted in an array, without locks; and left out are contentions within programs of ours (any
 * claim of this CPU), of the profiler's own tasks (the row says so), and of spinning locks in
 * execve(), where process.bpf.c changes the map that a walk may want to add to.
 */
#include "bpf/lock_kind.h"
#include "bpf/wait.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* ---- futexes ---- */

#define SYSCALL_FUTEX 202	/* x86-64 */
#define FUTEX_COMMANDS 0x7f	/* without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME */
/* WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2 */
#define FUTEX_WAITS (1u << 0 | 1u << 6 | 1u << 9 | 1u << 11 | 1u << 13)

static __always_inline int futex_waits(struct task_struct *task, const struct pt_regs *regs)
{
	__u32 command = regs->si & FUTEX_COMMANDS;

	return command < 32 && (FUTEX_WAITS >> command & 1) && !task_in_compat_syscall(task);
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(lock_futex, struct pt_regs *regs, long number)
{
	struct run run = { .without_kernel_stack = 1 };
	struct task_struct *task = task_current();
	struct wick_wait *wait;

	if (number != SYSCALL_FUTEX || !futex_waits(task, regs) || run_open(&run, ctx, task))
		return 0;
	if (!task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	wait = wait_place(&run, wait_find(run.tid));
	if (!wait)
		return 0;
	wait_begin(wait, bpf_ktime_get_ns());
	wait->key = WICK_LOCK_FUTEX;
	wait->lock = regs->di;
	wait->syscall = SYSCALL_FUTEX + 1;
	wait->reason = WICK_REASON_SYSCALL;
	/* With a least value it is walked when it was long enough. */
	if (!settings.value_min && wait_walk(&run, wait)) {
		wait->state = WICK_WAIT_NONE;
		return 0;
	}
	wait_open(wait);
	return 0;
}

static __always_inline void futex_end(struct run *run, struct wick_wait *wait, __u64 now_ns)
{
	__u64 value = now_ns - wait->begin_ns;

	wait->state = WICK_WAIT_NONE;
	if (!value_wanted(value)) {
		COUNT(run, FILTERED);
		return;
	}
	if (wait->task) {
		wait_report(run, wait, value);
		return;
	}
	if (!sample_claim(run))
		return;
	wait_details(run, wait);
	sample_finish(run, NULL, value);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(lock_futex_return, struct pt_regs *regs, long result)
{
	struct run run = { .without_kernel_stack = 1 };
	struct wick_wait *wait;

	if (regs->orig_ax != SYSCALL_FUTEX)
		return 0;
	wait = wait_find(bpf_get_current_pid_tgid());
	if (!wait || wait->state != WICK_WAIT_OPEN || run_open(&run, ctx, task_current()))
		return 0;
	if (result < 0) {
		wait->error = -result;
		wait->peer_task = 0;
	}
	futex_end(&run, wait, bpf_ktime_get_ns());
	return 0;
}

/* The owner's kernel stack would always be the same, too. */
static __always_inline int wakes_by_futex(const void *ctx, struct task_struct *waker)
{
	return task_syscall(waker, settings.thread_bytes) == SYSCALL_FUTEX + 1 &&
	       task_acts(ctx, waker, settings.thread_bytes);
}

/* The last to wake it: before it sleeps for the lock it may have slept for a page. */
SEC("?tp_btf/sched_waking")
int BPF_PROG(lock_waking, struct task_struct *task)
{
	struct wick_wait *wait = wait_find(task->pid);
	struct run run = {};
	__u64 now_ns;

	if (!wait || (wait->state != WICK_WAIT_OPEN && wait->state != WICK_WAIT_BEGUN))
		return 0;
	now_ns = bpf_ktime_get_ns();
	if (now_ns - wait->begin_ns < settings.value_min || run_open(&run, ctx, task_current()))
		return 0;
	run.without_kernel_stack = wakes_by_futex(ctx, run.task);
	wait_add_peer(&run, wait, now_ns);
	return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(lock_thread_exit, struct task_struct *task)
{
	wait_forget(task->pid);
	return 0;
}

/* A thread that executes a program takes over the id of the process's first one. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(lock_exec, struct task_struct *task, int old_tid)
{
	if (old_tid != task->pid)
		wait_forget(old_tid);
	return 0;
}

/* With a least value, once at the end of the run: what still waits was never walked. */
SEC("?iter/task")
int lock_asleep(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wick_wait *wait = task ? wait_find(task->pid) : NULL;
	struct run run = { .without_kernel_stack = 1 };

	if (!wait || wait->state != WICK_WAIT_OPEN || wait->task || run_open(&run, ctx, task))
		return 0;
	wait_walk_asleep(&run, wait, bpf_ktime_get_ns());
	return 0;
}

/* ---- locks of the kernel ---- */

/*
 * A wait for one, from its begin to its end. A task has several at once: it spins for the lock inside
 * of a mutex, or in an interrupt. Whoever counts users from 0 to 1 has the place: then two CPUs never
 * have the same one, without an atomic operation that returns something (5.12).
 */
struct contention {
	__u64 users;
	__u64 task, lock;
	__u64 begin_ns, flags;
};

#define CONTENTIONS_SHIFT 12
#define CONTENTIONS_MAX (1u << CONTENTIONS_SHIFT)
#define CONTENTION_TRIES 4

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CONTENTIONS_MAX);
	__type(key, __u32);
	__type(value, struct contention);
} contentions SEC(".maps");

/* The @try-th place that a wait of @task for @lock may have. */
static __always_inline struct contention *contention_at(__u64 task, __u64 lock, __u32 try)
{
	__u64 hash = (task ^ (lock << 32 | lock >> 32)) * 0x9e3779b97f4a7c15ull;
	__u32 index = ((hash >> (64 - CONTENTIONS_SHIFT)) + try) & (CONTENTIONS_MAX - 1);

	return bpf_map_lookup_elem(&contentions, &index);
}

static __always_inline struct contention *contention_find(__u64 task, __u64 lock)
{
	for (__u32 try = 0; try < CONTENTION_TRIES; try++) {
		struct contention *c = contention_at(task, lock, try);

		if (c && c->task == task && c->lock == lock)
			return c;
	}
	return NULL;
}

static __always_inline struct contention *contention_take(__u64 task, __u64 lock)
{
	for (__u32 try = 0; try < CONTENTION_TRIES; try++) {
		struct contention *c = contention_at(task, lock, try);

		if (!c || c->users)
			continue;
		__sync_fetch_and_add(&c->users, 1);
		if (*(volatile __u64 *)&c->users == 1)
			return c;
		__sync_fetch_and_add(&c->users, -1);
	}
	return NULL;
}

static __always_inline void contention_give_back(struct contention *c)
{
	c->task = c->lock = 0;
	barrier();
	__sync_fetch_and_add(&c->users, -1);
}

/* Whether this is within one of our own programs, whose locks must not be asked for again. */
static __always_inline int is_within_run(void)
{
	__u32 first = bpf_get_smp_processor_id() * WICK_SCRATCH_SLOTS;

	for (__u32 slot = 0; slot < WICK_SCRATCH_SLOTS; slot++) {
		__u32 index = first + slot;
		struct wick_claim *claim = bpf_map_lookup_elem(&claims, &index);

		if (!claim || *(volatile __u64 *)&claim->state != WICK_CLAIM_FREE)
			return 1;
	}
	return 0;
}

/* Spinning for a mutex ends in sleep. */
static __always_inline int flags_spin(__u32 flags)
{
	return !flags || ((flags & WICK_LOCK_SPINS) && !(flags & WICK_LOCK_MUTEX));
}

static __always_inline int contention_wanted(struct run *run, __u32 flags)
{
	return task_wanted(run) && !is_within_run() &&
	       !(flags_spin(flags) && BPF_CORE_READ_BITFIELD_PROBED(run->task, in_execve));
}

SEC("?tp_btf/contention_begin")
int BPF_PROG(lock_contended, void *address, unsigned int flags)
{
	/* As a number: the verifier allows no sums with typed pointers. */
	__u64 task = bpf_get_current_task(), lock = (__u64)address;
	struct contention *c = contention_find(task, lock);
	struct run run = {};

	/* A mutex says so each time it changes between spinning and sleeping. */
	if (c && (flags & WICK_LOCK_MUTEX))
		return 0;
	/* Of another lock there is no end: that interrupted our program for it, which then is not run. */
	if (c) {
		c->flags = flags;
		c->begin_ns = bpf_ktime_get_ns();
		return 0;
	}
	if (run_open(&run, ctx, task_current()))
		return 0;
	if (!contention_wanted(&run, flags)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	c = contention_take(task, lock);
	if (!c) {
		COUNT(&run, TAKEN);
		COUNT(&run, LOST_WAITS);
		return 0;
	}
	c->flags = flags;
	c->begin_ns = bpf_ktime_get_ns();
	c->lock = lock;
	barrier();
	c->task = task;
	return 0;
}

static __always_inline __u64 key_of(__u32 flags)
{
	flags &= flags & WICK_LOCK_MUTEX ? ~WICK_LOCK_SPINS : ~0u;
	return WICK_LOCK_OF_KERNEL | (flags & WICK_LOCK_FLAGS);
}

SEC("?tp_btf/contention_end")
int BPF_PROG(lock_had, void *address, int result)
{
	__u64 lock = (__u64)address, value;
	struct contention *c = contention_find(bpf_get_current_task(), lock);
	struct run run = {};
	__u32 flags;

	if (!c)
		return 0;
	value = bpf_ktime_get_ns() - c->begin_ns;
	flags = c->flags;
	contention_give_back(c);
	if (run_open(&run, ctx, task_current()))
		return 0;
	if (!value_wanted(value)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	/* Begun before the run that is below it now: only where tasks preempt programs. */
	if (is_within_run()) {
		COUNT(&run, TAKEN);
		COUNT(&run, LOST_SCRATCH);
		return 0;
	}
	if (!sample_claim(&run))
		return 0;
	detail_label(&run, KEY, key_of(flags));
	detail_label(&run, LOCK, lock);
	if (result < 0)
		detail_label(&run, ERRNO, -result);
	return sample_finish(&run, NULL, value);
}
