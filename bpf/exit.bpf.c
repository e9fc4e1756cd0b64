/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * exit.bpf.c - how processes end; those that a signal kills with the user stack it found.
 *
 * That stack is walked when the signal is delivered, and kept until the end: by then older kernels have
 * taken the memory away. Other processes have the stack of the thread that ended them, where the
 * kernel still has it (6.16 and newer). Waits are of processes here, not of threads.
 */
#include "bpf/wait.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { OPTION_FATAL };

#define SYSCALL_EXIT_GROUP 231	/* x86-64 */
#define SIGKILL_NUMBER 9
/* SIGNAL_GROUP_EXIT and SIGNAL_UNKILLABLE, linux/sched/signal.h: the first process is the latter. */
#define GROUP_EXIT_FLAG 0x4
#define UNKILLABLE_FLAG 0x40
/* Those whose default is to be ignored, to stop or to go on: CHLD CONT STOP TSTP TTIN TTOU URG WINCH. */
#define SIGNAL_BIT(number) (1ull << (number))
#define HARMLESS_SIGNALS                                                                         \
	(SIGNAL_BIT(17) | SIGNAL_BIT(18) | SIGNAL_BIT(19) | SIGNAL_BIT(20) | SIGNAL_BIT(21) |    \
	 SIGNAL_BIT(22) | SIGNAL_BIT(23) | SIGNAL_BIT(28))

/* A process that several threads may be the last of: who is here first counts it. */
struct instance {
	__u64 start_ns;
	__u64 pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct instance);
	__type(value, __u32);
} counted SEC(".maps");

static __always_inline void instance_read(struct task_struct *task, struct instance *ret)
{
	struct task_struct *leader = TASK_FIELD(task, group_leader);

	ret->start_ns = TASK_FIELD(leader, start_time);
	ret->pid = TASK_FIELD(task, tgid);
}

static __always_inline int group_is_exiting(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, flags) & GROUP_EXIT_FLAG;
}

/* As wait() reads it. */
static __always_inline __u64 exit_key(struct task_struct *task)
{
	__u32 status = group_is_exiting(task) ? BPF_CORE_READ(task, signal, group_exit_code) :
						BPF_CORE_READ(task, group_leader, exit_code);

	return status & 127 ? WICK_EXIT_SIGNAL + (status & 127) : ((status >> 8) & 255) + 1;
}

static __always_inline int is_fatal(struct task_struct *task, int number,
				    struct k_sigaction *action)
{
	if (BPF_CORE_READ(action, sa.sa_handler) || SIGNAL_BIT(number & 63) & HARMLESS_SIGNALS)
		return 0;
	if (number != SIGKILL_NUMBER)
		return !(BPF_CORE_READ(task, signal, flags) & UNKILLABLE_FLAG);
	/* execve() and exit_group() end other threads that way, too. */
	return group_is_exiting(task) && exit_key(task) > WICK_EXIT_SIGNAL;
}

static __always_inline __u32 process_instance(const struct run *run)
{
	struct task_struct *task = run->task;

	return task_instance(TASK_FIELD(task, group_leader));
}

/* What was noted of the run's process, if anything. */
static __always_inline struct wick_wait *noted(const struct run *run)
{
	struct wick_wait *wait = wait_find(run->pid);

	return wait && wait->state != WICK_WAIT_NONE && wait->instance == process_instance(run) ?
		       wait : NULL;
}

/* Where the process ends: the run's thread, and its stacks. What is lost is counted. */
static __always_inline void note(struct run *run, struct wick_wait *wait, __u64 key)
{
	wait_begin(wait, bpf_ktime_get_ns());
	wait->instance = process_instance(run);
	wait->key = key;
	if (!wait_walk(run, wait))
		wait_open(wait);
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(exit_signal, int number, struct kernel_siginfo *info, struct k_sigaction *action)
{
	struct task_struct *task = task_current();
	struct wick_wait *wait;
	struct run run = {};

	if (!is_fatal(task, number, action) || run_open(&run, ctx, task) || !task_is_target(&run) ||
	    noted(&run))
		return 0;
	wait = wait_new(run.pid);
	/* Without a place it is noted at the end. */
	if (wait)
		note(&run, wait, WICK_EXIT_SIGNAL + (number & 127));
	return 0;
}

/*
 * Before the one that counts, and apart from it, or 5.10's verifier has too many paths to follow. Of
 * several threads it is the one that called exit() whose stack counts.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_note)
{
	struct task_struct *task = task_current();
	struct instance instance;
	struct wick_wait *wait;
	struct run run = {};
	__u64 key;

	if (BPF_CORE_READ(task, signal, live.counter) &&
	    task_syscall(task, settings.thread_bytes) != SYSCALL_EXIT_GROUP + 1)
		return 0;
	/* Another of the last threads has counted it. */
	instance_read(task, &instance);
	if (bpf_map_lookup_elem(&counted, &instance))
		return 0;
	key = exit_key(task);
	if ((settings.option[OPTION_FATAL] && key <= WICK_EXIT_SIGNAL) ||
	    run_open(&run, ctx, task) || !task_is_target(&run) || noted(&run))
		return 0;
	wait = wait_new(run.pid);
	if (!wait)
		return 0;
	note(&run, wait, key);
	/* Counted meanwhile: an open note would count once more if the run ended now. */
	if (bpf_map_lookup_elem(&counted, &instance))
		wait_forget(run.pid);
	return 0;
}

/* Several threads may find that none is left. Returns whether the current one is to count it. */
static __always_inline int process_has_ended(struct task_struct *task)
{
	struct instance instance;
	__u32 one = 1;

	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	instance_read(task, &instance);
	if (BPF_CORE_READ(task, signal, nr_threads) == 1)
		return !bpf_map_lookup_elem(&counted, &instance);
	/* Without room for the mark the process may count once for each of its threads. */
	return !bpf_map_update_elem(&counted, &instance, &one, BPF_NOEXIST) ||
	       !bpf_map_lookup_elem(&counted, &instance);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_process)
{
	struct task_struct *task = task_current();
	struct wick_wait *wait;
	struct run run = {};
	__u64 key;

	if (!process_has_ended(task) || run_open(&run, ctx, task))
		return 0;
	key = exit_key(task);
	wait = noted(&run);
	/* What was noted was wanted; another last thread may have taken it from the targets since. */
	if (!cpu_wanted() || (!wait && !task_is_target(&run)) ||
	    (settings.option[OPTION_FATAL] && key <= WICK_EXIT_SIGNAL)) {
		COUNT(&run, FILTERED);
	} else if (!wait) {
		COUNT(&run, TAKEN);
		COUNT(&run, LOST_WAITS);
	} else if (wait->state == WICK_WAIT_OPEN) {
		/* Else it was lost when it was noted. */
		wait->state = WICK_WAIT_NONE;
		wait->key = key;
		wait_report(&run, wait, 1);
	}
	wait_forget(run.pid);
	return 0;
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(exit_forget, struct task_struct *task)
{
	struct instance instance;
	struct wick_wait *wait;

	if (task->pid != task->tgid)
		return 0;
	instance.start_ns = task->start_time;
	instance.pid = task->tgid;
	bpf_map_delete_elem(&counted, &instance);
	/* Noted by one of several last threads, after another had counted. */
	wait = wait_find(task->tgid);
	if (wait && wait->instance == task_instance(task))
		wait_forget(task->tgid);
	return 0;
}
