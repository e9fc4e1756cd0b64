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
	record->value.count = 0;
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

/* Send the walked stack. */
static __always_inline void user_stack_send(struct run *run, struct stack_wish *wish)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	struct wick_stack_record *record = &run->scratch->stack;
	const struct wick_task *task = &run->scratch->task.task;
	__u64 id, *slot;

	record->pid = s->flags & UNWIND_RAW_FRAMES ? task->pid : 0;
	record->start_ns = record->pid ? task->start_ns : 0;
	id = wick_user_stack_id(s->hash, s->stop, record->pid, record->start_ns);
	slot = sent_slot(id);
	wish->key.user_stack = id;
	if (id_is_sent(run, slot, id)) {
		COUNT(run, STACKS_KNOWN);
		return;
	}
	record->count = s->depth & UNWIND_FRAMES_MAX;
	record->stop = s->stop;
	record->is_kernel = 0;
	record->flags = s->flags;
	record->key = wish->key;
	record->value = wish->value;
	/* An event has a time, which only a copy has, too. */
	if (settings.deliver_events)
		record->value.count = 0;
	wish->key.user_stack = stack_send(run, slot, id);
	wish->is_gone = record->value.count && wish->key.user_stack == id;
}

/* A stack without frames that says why. */
static __always_inline void user_stack_absent(struct run *run, struct stack_wish *wish,
					      __u32 stop)
{
	unwind_reset(&run->scratch->unwind);
	run->scratch->unwind.stop = stop;
	user_stack_send(run, wish);
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

/* How long a process may go on without a list of its mappings, if it does. */
#define VMAS_ENOUGH_NS 50000000ull

/* Tell which file was not known, unless that is told in this generation. */
static __always_inline void file_send(struct run *run)
{
	const struct wick_task *task = &run->scratch->task.task;
	struct wick_file_record *record = &run->scratch->vmas.unknown;
	__u64 *slot = sent_slot(record->identity);

	if (!record->identity || !slot || id_is_sent(run, slot, record->identity))
		return;
	record_head(run, &record->head, WICK_RECORD_FILE);
	record->pid = task->pid;
	record->exec_id = task->exec_id;
	record->start_ns = task->start_ns;
	if (!bpf_ringbuf_output(&ring, record, sizeof(*record), BPF_RB_NO_WAKEUP))
		*slot = sent_value(run, record->identity);
}

/*
 * Walk without a list of mappings, by what the kernel has. Returns whether that is all there is to be
 * had: registers replaced by those of a signal frame could not begin a copy.
 */
static __always_inline int user_stack_walk_vmas(struct run *run)
{
	struct vma_search *vmas = &run->scratch->vmas;
	struct unwind_cursor *s = &run->scratch->unwind;

	vmas->is_used = 1;
	vmas->unknown.identity = 0;
	vmas->mapping.start = vmas->mapping.end = 0;
	COUNT(run, WALKS_USER);
	unwind_walk_slot(run->slot);
	file_send(run);
	return s->stop == UNWIND_STOP_END || s->flags & UNWIND_CROSSED_SIGNAL;
}

/* The same from where the walk began; registers that it may change are put back. */
static __always_inline int user_stack_walk_again(struct run *run)
{
	struct unwind_cursor *s = &run->scratch->unwind;

	unwind_reset(s);
	s->ip = run->scratch->start_ip;
	s->sp = run->scratch->start_sp;
	s->fp = run->scratch->start_fp;
	s->regs[UNWIND_RBX] = run->scratch->start_rbx;
	return user_stack_walk_vmas(run);
}

/*
 * Walk the user stack of the current task, whose registers are in the scratch state. Returns
 * UNWIND_STOP_NOT_LOADED when that is not possible yet, and it should be copied; UNWIND_STOP_NONE
 * when it was walked.
 */
static __always_inline int user_stack_walk(struct run *run)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	const struct wick_task *task = &run->scratch->task.task;
	__u32 pid = task->pid;
	struct wick_process *process = bpf_map_lookup_elem(&processes, &pid);
	__u64 now_ns;
	int is_walked;

	run->scratch->vmas.is_used = 0;
	run->scratch->start_ip = s->ip;
	run->scratch->start_sp = s->sp;
	run->scratch->start_fp = s->fp;
	run->scratch->start_rbx = s->regs[UNWIND_RBX];
	if (process && process_matches(process, task)) {
		if (process->state == WICK_PROCESS_COMPAT)
			return UNWIND_STOP_COMPAT;
		if (process->state == WICK_PROCESS_LOADED) {
			s->map_first = process->map_first;
			s->map_count = process->map_count;
			COUNT(run, WALKS_USER);
			unwind_walk_slot(run->slot);
			if (table_is_missing(run, process))
				return UNWIND_STOP_NOT_LOADED;
			if (!mappings_may_be_old(run, process) || user_stack_walk_again(run))
				return UNWIND_STOP_NONE;
			return UNWIND_STOP_NOT_LOADED;
		}
	}
	is_walked = user_stack_walk_vmas(run);
	/* Of a process that ends nothing can be learned any more, and its place must not be taken. */
	now_ns = bpf_ktime_get_ns();
	if (!(task->flags & WICK_TASK_EXITING) &&
	    (s->stop != UNWIND_STOP_END || now_ns - task->start_ns > VMAS_ENOUGH_NS))
		tables_request(run, process, now_ns);
	return is_walked ? UNWIND_STOP_NONE : UNWIND_STOP_NOT_LOADED;
}

/*
 * The user stack of the current task, as @wish has it.
 * @regs: of the interrupted code when the context has them, else NULL (then it is the kernel).
 */
static __always_inline void user_stack(struct run *run, struct pt_regs *regs, int in_kernel,
				       struct stack_wish *wish)
{
	int stop = user_registers(run, regs, in_kernel);

	if (stop == UNWIND_STOP_NONE)
		stop = user_stack_walk(run);
	if (stop == UNWIND_STOP_NOT_LOADED && !copy_send(run, &wish->key, &wish->value)) {
		wish->is_gone = wish->value.count != 0;
		return;
	}
	if (stop != UNWIND_STOP_NONE) {
		unwind_reset(&run->scratch->unwind);
		run->scratch->unwind.stop = stop;
	}
	user_stack_send(run, wish);
}

#endif
