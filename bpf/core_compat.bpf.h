/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * core_compat.bpf.h - what moved between kernels, each with what moved it.
 */
#ifndef WICK_CORE_COMPAT_BPF_H
#define WICK_CORE_COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define PF_EXITING_FLAG 0x00000004
#define PF_KTHREAD_FLAG 0x00200000

/*
 * The current task. With a typed pointer (5.11, 3ca1032ab7ab) its fields are plain loads, a tenth
 * of the cost of a call of bpf_probe_read_kernel(); TASK_FIELD() takes either kind.
 */
#define HAS_TYPED_TASK \
	bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

static __always_inline struct task_struct *task_current(void)
{
	if (HAS_TYPED_TASK)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/* By a pointer of its own: of "run->task" BPF_CORE_READ() would look for struct run in the kernel. */
#define TASK_FIELD(task, field)                                                 \
	({                                                                      \
		struct task_struct *task_ = (task);                             \
		HAS_TYPED_TASK ? task_->field : BPF_CORE_READ(task_, field);    \
	})

/* The same of a bit field. */
#define TASK_BITS(task, field)                                                  \
	({                                                                      \
		struct task_struct *task_ = (task);                             \
		HAS_TYPED_TASK ? BPF_CORE_READ_BITFIELD(task_, field) :         \
				 BPF_CORE_READ_BITFIELD_PROBED(task_, field);   \
	})

/* Its registers, typed as well, came with 5.15 (dd6e10fbd9fb). */
#define HAS_TYPED_REGISTERS \
	bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/*
 * The user registers a task saved when it entered the kernel. Without a helper for that: they end at
 * the top of the kernel stack.
 */
static __always_inline struct pt_regs *task_user_registers(struct task_struct *task,
							   __u32 thread_bytes)
{
	if (HAS_TYPED_REGISTERS)
		return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return (struct pt_regs *)((__u64)BPF_CORE_READ(task, stack) + thread_bytes -
				  sizeof(struct pt_regs));
}

/* The same of @task, which need not be the current one; typed where the kernel has typed pointers. */
static __always_inline struct pt_regs *sleeper_registers(struct task_struct *task,
							 __u32 thread_bytes)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (struct pt_regs *)bpf_task_pt_regs(task);
	return (struct pt_regs *)((__u64)BPF_CORE_READ(task, stack) + thread_bytes -
				  sizeof(struct pt_regs));
}

/* The bytes of @word before the first that is 0: (x - 1) & ~x has the high bit of that one, too. */
static __always_inline __u64 text_word(__u64 word)
{
	__u64 zeros = (word - 0x0101010101010101ull) & ~word & 0x8080808080808080ull;

	return zeros ? word & (((zeros & -zeros) >> 7) - 1) : word;
}

/* The name of @task into 16 bytes at @to, with zeros behind it. */
static __always_inline void task_comm_read(struct task_struct *task, void *to)
{
	__u64 *words = to;

	words[0] = words[1] = 0;
	if (!HAS_TYPED_TASK) {
		bpf_probe_read_kernel_str(to, sizeof(task->comm), &task->comm);
		return;
	}
	words[0] = text_word(((const __u64 *)task->comm)[0]);
	if (words[0] >> 56)
		words[1] = text_word(((const __u64 *)task->comm)[1]);
}

/* A mix of the names of @task and of its process, as cheap as it goes; only where HAS_TYPED_TASK. */
static __always_inline __u64 task_names(struct task_struct *task)
{
	const __u64 *own = (const __u64 *)task->comm;
	const __u64 *leader = (const __u64 *)task->group_leader->comm;

	return own[0] * 0x9e3779b97f4a7c15ull + own[1] * 0xbf58476d1ce4e5b9ull +
	       leader[0] * 0x94d049bb133111ebull + leader[1] * 0xff51afd7ed558ccdull;
}

/* self_exec_id grew from u32 to u64 in 5.7 (d1e7fd6462ca); its low half suffices. */
static __always_inline __u32 task_exec_id(struct task_struct *task)
{
	return (__u32)TASK_FIELD(task, self_exec_id);
}

/*
 * In execve(), and past the point where the address space changes under registers that do not: the
 * new one does not know yet where its code begins.
 */
static __always_inline int task_in_exec(struct task_struct *task)
{
	return TASK_BITS(task, in_execve) &&
	       !BPF_CORE_READ(task, mm, start_code);
}

/* How the current task came into the kernel, by the registers it saved. */
struct task_entry {
	__u32 syscall;		/* number plus 1; 0: by an interrupt or exception, or it was born there */
	int is_over;		/* the system call has its result: it is on its way out */
	int from_user;
};

#define SYSCALLS_MAX 4095
#define NO_RESULT -38ull	/* -ENOSYS, which the entry code stores before the call */

/* What of the saved registers tells that. */
struct entry_registers {
	__u64 ax, orig_ax, cs;
};

static __always_inline void entry_registers_read(struct task_struct *task, __u32 thread_bytes,
						 struct entry_registers *ret)
{
	struct pt_regs *saved = task_user_registers(task, thread_bytes);
	/* struct pt_regs from there on; cs is not a member of that type everywhere. */
	struct {
		__u64 ax, cx, dx, si, di, orig_ax, ip, cs;
	} regs = {};

	if (HAS_TYPED_REGISTERS) {
		ret->ax = saved->ax;
		ret->orig_ax = saved->orig_ax;
		ret->cs = saved->cs;
		return;
	}
	bpf_probe_read_kernel(&regs, sizeof(regs), &saved->ax);
	ret->ax = regs.ax;
	ret->orig_ax = regs.orig_ax;
	ret->cs = regs.cs;
}

/*
 * Interrupts and exceptions store -1 where system calls have their number. Threads that never were
 * in user mode have zeros for registers.
 */
static __always_inline void task_entry_read(struct task_struct *task, __u32 thread_bytes,
					    struct task_entry *ret)
{
	struct entry_registers regs;

	*ret = (struct task_entry){};
	if (TASK_FIELD(task, flags) & PF_KTHREAD_FLAG)
		return;
	entry_registers_read(task, thread_bytes, &regs);
	ret->from_user = (regs.cs & 3) == 3;
	if (!ret->from_user || regs.orig_ax > SYSCALLS_MAX)
		return;
	ret->syscall = regs.orig_ax + 1;
	ret->is_over = regs.ax != NO_RESULT;
}

/* The system call the current task is in: its number plus 1, or 0. */
static __always_inline __u32 task_syscall(struct task_struct *task, __u32 thread_bytes)
{
	struct task_entry entry;

	task_entry_read(task, thread_bytes, &entry);
	return entry.syscall;
}

/*
 * Whether the current task, which is in a system call, does this itself, and no interrupt. 0: it cannot
 * be told. Interrupts of such a task have a stack of their own, and the arguments of a tracepoint
 * lie on the stack that it is called on. The verifier lets no pointer become a number, but
 * the difference of two is one.
 */
static __always_inline int task_acts(const void *ctx, struct task_struct *task, __u32 thread_bytes)
{
	__u64 place = (__u64)ctx;

	if (!HAS_TYPED_TASK)
		return 0;
	asm volatile("%0 -= %1" : "+r"(place) : "r"(task));
	return place + bpf_get_current_task() - (__u64)task->stack < thread_bytes;
}

/* The current task is in a call by the 32-bit table, whose numbers mean other calls (TS_COMPAT). */
static __always_inline int task_in_compat_syscall(struct task_struct *task)
{
	return TASK_FIELD(task, thread_info.status) & 2;
}

/* task_struct.state became __state in 5.14 (2f064a59a11f). */
struct task_struct___state {
	volatile long state;
} __attribute__((preserve_access_index));

static __always_inline __u32 task_state(struct task_struct *task)
{
	struct task_struct___state *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return TASK_FIELD(task, __state);
	return HAS_TYPED_TASK ? old->state : BPF_CORE_READ(old, state);
}

static __always_inline int task_in_iowait(struct task_struct *task)
{
	return TASK_BITS(task, in_iowait);
}

/* struct cgroup.kn.id: a union in 5.4, u64 since 5.5 (67c0496e87d1). */
static __always_inline __u64 cgroup_folder_id(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, kn, id);
}

#endif
