/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stacks.bpf.h - the kernel and the user stack of the current task, as ids.
 */
#ifndef WICK_STACKS_BPF_H
#define WICK_STACKS_BPF_H

#include "bpf/copy.bpf.h"

/* ---- kernel stacks ---- */

/*
 * Hash the frames in scratch state @slot, and make them name calls. Global, so that what follows is
 * not verified for each number of frames.
 */
__noinline int kernel_frames_slot(__u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	__u64 hash = WICK_KERNEL_STACK_SEED;

	if (!s)
		return 0;
	for (int i = 0; i < WICK_KERNEL_FRAMES_MAX; i++) {
		if (i >= s->stack.count)
			break;
		/* A return address: name the call, as for user frames (unwind_step.h). */
		if (i)
			s->stack.frames[i]--;
		hash = unwind_hash(hash, s->stack.frames[i]);
	}
	s->stack.id = wick_id(hash);
	return 0;
}

/* Send the frames in scratch->stack, of which there are @bytes. */
static __always_inline __u64 kernel_stack_send(struct run *run, long bytes)
{
	struct wick_stack_record *record = &run->scratch->stack;
	__u64 id, *slot;

	COUNT(run, WALKS_KERNEL);
	if (bytes <= 0)
		return WICK_STACK_NONE;
	record->count = bytes / 8;
	kernel_frames_slot(run->slot);
	id = record->id;
	slot = sent_slot(id);
	if (id_is_sent(run, slot, id)) {
		COUNT(run, STACKS_KNOWN);
		return id;
	}
	record->stop = UNWIND_STOP_END;
	record->is_kernel = 1;
	record->flags = 0;
	record->pid = 0;
	record->start_ns = 0;
	return stack_send(run, slot, id);
}

/* Of the current task. */
static __always_inline __u64 kernel_stack(struct run *run)
{
	return kernel_stack_send(run, bpf_get_stack(run->ctx, run->scratch->stack.frames,
						    WICK_KERNEL_FRAMES_MAX * 8, 0));
}

/* Of the run's task, which does not run: it is being switched to. */
static __always_inline __u64 kernel_stack_of_sleeper(struct run *run)
{
	return kernel_stack_send(run, bpf_get_task_stack(run->task, run->scratch->stack.frames,
							 WICK_KERNEL_FRAMES_MAX * 8, 0));
}

/* ---- user stacks ---- */

/* Send the walked stack. Frames are copied so that record and frames are one piece of memory. */
static __always_inline __u64 user_stack_send(struct run *run)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	struct wick_stack_record *record = &run->scratch->stack;
	const struct wick_task *task = &run->scratch->task.task;
	__u32 count = s->depth & UNWIND_FRAMES_MAX;
	__u64 id, *slot;

	record->pid = s->flags & UNWIND_RAW_FRAMES ? task->pid : 0;
	record->start_ns = record->pid ? task->start_ns : 0;
	id = wick_user_stack_id(s->hash, s->stop, record->pid, record->start_ns);
	slot = sent_slot(id);
	if (id_is_sent(run, slot, id)) {
		COUNT(run, STACKS_KNOWN);
		return id;
	}
	record->count = count;
	record->stop = s->stop;
	record->is_kernel = 0;
	record->flags = s->flags;
	bpf_probe_read_kernel(record->frames, count * 8, s->frames);
	return stack_send(run, slot, id);
}

/* A stack without frames that says why. */
static __always_inline __u64 user_stack_absent(struct run *run, __u32 stop)
{
	unwind_reset(&run->scratch->unwind);
	run->scratch->unwind.stop = stop;
	return user_stack_send(run);
}

/* User registers into the scratch state: from @regs when it is user code that was interrupted. */
static __always_inline int user_registers(struct run *run, struct pt_regs *regs, int in_kernel)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	struct task_struct *task = run->task;
	__u32 flags = TASK_FIELD(task, flags);

	unwind_reset(s);
	if (!in_kernel) {
		REGISTERS_COPY(s, regs);
		return UNWIND_STOP_NONE;
	}
	if (!TASK_FIELD(task, mm))
		return flags & PF_EXITING_FLAG ? UNWIND_STOP_EXITING : UNWIND_STOP_NO_REGISTERS;
	if (task_in_exec(task))
		return UNWIND_STOP_EXEC;
	return unwind_begin_saved(run->scratch, run->slot, task);
}

/*
 * Walk the user stack of the current task, whose registers are in the scratch state.
 * WICK_STACK_COPIED means: not possible yet, copy it.
 */
static __always_inline __u64 user_stack_walk(struct run *run)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	const struct wick_task *task = &run->scratch->task.task;
	__u32 pid = task->pid;
	struct wick_process *process = bpf_map_lookup_elem(&processes, &pid);

	run->scratch->start_ip = s->ip;
	run->scratch->start_sp = s->sp;
	run->scratch->start_fp = s->fp;
	run->scratch->start_rbx = s->regs[UNWIND_RBX];
	if (process && process_matches(process, task)) {
		if (process->state == WICK_PROCESS_COMPAT)
			return user_stack_absent(run, UNWIND_STOP_COMPAT);
		if (process->state == WICK_PROCESS_LOADED) {
			s->map_first = process->map_first;
			s->map_count = process->map_count;
			COUNT(run, WALKS_USER);
			unwind_walk_slot(run->slot);
			if (mappings_may_be_old(run, process) || table_is_missing(run, process))
				return WICK_STACK_COPIED;
			return user_stack_send(run);
		}
	}
	/* Of a process that ends nothing can be learned any more, and its place must not be taken. */
	if (!(task->flags & WICK_TASK_EXITING))
		tables_request(run, process, bpf_ktime_get_ns());
	return WICK_STACK_COPIED;
}

#endif
