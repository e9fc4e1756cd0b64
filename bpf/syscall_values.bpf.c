/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscall_values.bpf.c - system calls with what they are given and what comes of them.
 *
 * A thread is in one call at a time: what is read when it begins is kept under its tid. Counted is what
 * begins and returns in the run. A return belongs to the call that was noted if it is of the same
 * place, and each clears the note: children return from a clone() they did not enter, and a call
 * that seccomp refuses returns without having been entered.
 */
#include "bpf/probe_call.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SYSCALL_SIGRETURN 15	/* x86-64: rt_sigreturn */
/* No tid: such calls are not chained. */
#define SYSCALL_THREAD (1ull << 62)

/* By number: the site plus 1; 0: it is not wanted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WICK_SYSCALL_WORDS * 64);
	__type(key, __u32);
	__type(value, __u32);
} call_sites SEC(".maps");

/* 32-bit calls have numbers of their own. */
static __always_inline __u32 call_site(struct task_struct *task, unsigned long number)
{
	__u32 index = number, *site;

	if (number >= WICK_SYSCALL_WORDS * 64)
		return 0;
	site = bpf_map_lookup_elem(&call_sites, &index);
	return site && *site && !task_in_compat_syscall(task) ? *site : 0;
}

/* Returning from a signal's handler restores registers of code that was in no call. */
static __always_inline unsigned long returned_number(const struct pt_regs *regs)
{
	return regs->orig_ax == -1ul ? SYSCALL_SIGRETURN : regs->orig_ax;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_values_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = task_current();
	__u32 place = call_site(task, number);
	struct run run = { .is_alone = 1 };
	struct probe_call_key key = {};
	const struct probe_site *site;
	struct probe_call *call;

	if (!place || !probe_open(&run, ctx))
		return 0;
	place--;
	site = bpf_map_lookup_elem(&sites, &place);
	if (!site)
		return 0;
	key.thread = run.tid | SYSCALL_THREAD;
	call = call_new(&run, &key);
	if (call)
		call->site = place;
	return call_begin(&run, site, &key, call, regs, CALL_REGISTERS);
}

/* What was to be read again was of a program that is gone. */
static __always_inline void call_read_no_more(struct probe_call *call)
{
	for (int i = 0; i < PROBE_VALUES_MAX; i++)
		if (call->unreadable >> i & 1)
			call->value[i] = 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_values_return, struct pt_regs *regs, long result)
{
	struct task_struct *task = task_current();
	__u32 place = call_site(task, returned_number(regs));
	__u64 now_ns = bpf_ktime_get_ns();
	struct run run = { .is_alone = 1 };
	struct probe_call_key key = {};
	struct probe_call *call;

	if (!place)
		return 0;
	key.thread = (__u32)bpf_get_current_pid_tgid() | SYSCALL_THREAD;
	call = bpf_map_lookup_elem(&calls, &key);
	if (!call || call->site != place - 1 || run_open(&run, ctx, task))
		return 0;
	if (call->instance != call_instance(task))
		call_read_no_more(call);
	return call_leave(&run, &key, call, regs, CALL_REGISTERS, now_ns - call->begin_ns, NULL);
}

static __always_inline void call_forget(__u32 tid)
{
	struct probe_call_key key = {};

	key.thread = tid | SYSCALL_THREAD;
	bpf_map_delete_elem(&calls, &key);
	bpf_map_delete_elem(&call_texts, &key);
}

/* exit() does not return, nor does a call that a signal ends; the id will be another thread's. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(syscall_values_exit, struct task_struct *task)
{
	call_forget(task->pid);
	return 0;
}

/* A thread that executes a program takes over the id of the process's first one, in its call. */
static __always_inline void call_rename(const struct probe_call_key *old,
					const struct probe_call_key *key, __u32 old_tid)
{
	struct probe_call *call = bpf_map_lookup_elem(&calls, old);
	struct probe_call_text *text;

	if (!call)
		return;
	text = bpf_map_lookup_elem(&call_texts, old);
	bpf_map_update_elem(&calls, key, call, BPF_ANY);
	if (text)
		bpf_map_update_elem(&call_texts, key, text, BPF_ANY);
	call_forget(old_tid);
}

/* The number of a text that is the first argument and could not be read, or PROBE_NO_VALUE. */
static __always_inline __u32 path_absent(const struct probe_site *site,
					 const struct probe_call *call)
{
	for (__u32 i = 0; i < PROBE_VALUES_MAX; i++) {
		const struct probe_fetch *fetch = &site->values[i];

		if (i < site->value_count && call->unreadable >> i & 1 &&
		    fetch->form == PROBE_TEXT && fetch->base == PROBE_BASE_REGISTER &&
		    fetch->index == PROBE_RDI && !fetch->step_count)
			return i;
	}
	return PROBE_NO_VALUE;
}

/*
 * The path of execve(), as the kernel has it: a child that has just been forked has no pages of its
 * parent's program, and when the call returns it has another one.
 */
static __always_inline void path_read(struct run *run, const struct probe_site *site,
				      const struct probe_call_key *key, struct probe_call *call,
				      const char *path)
{
	__u32 index = path_absent(site, call), offset;
	struct probing *p;
	long got;

	if (index == PROBE_NO_VALUE || run_try_claim(run))
		return;
	p = probing_begin(run, call->site, PROBE_PHASE_ENTER);
	if (p) {
		call_restore_values(p, key, call);
		offset = text_offset(p);
		got = bpf_probe_read_kernel_str(p->event.values.text + offset, PROBE_TEXT_MAX,
						path);
		if (got > 0)
			text_keep(p, index, offset, got - 1, got == PROBE_TEXT_MAX);
		call_keep_values(p, site, key, call);
	}
	run_release(run);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(syscall_values_exec, struct task_struct *task, int old_tid,
	     struct linux_binprm *bprm)
{
	struct probe_call_key key = {}, old = {};
	struct run run = { .is_alone = 1 };
	const struct probe_site *site;
	struct probe_call *call;

	key.thread = (__u32)task->pid | SYSCALL_THREAD;
	old.thread = (__u32)old_tid | SYSCALL_THREAD;
	if (old_tid != task->pid)
		call_rename(&old, &key, old_tid);
	call = bpf_map_lookup_elem(&calls, &key);
	site = call ? bpf_map_lookup_elem(&sites, &call->site) : NULL;
	if (site && !run_open(&run, ctx, task_current()))
		path_read(&run, site, &key, call, bprm->filename);
	return 0;
}
