/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sleeper.bpf.h - the user stack of a task that does not run: its memory can be read from here only
 * while it is the current one. So its registers are sent, and user space reads the rest.
 */
#ifndef WICK_SLEEPER_BPF_H
#define WICK_SLEEPER_BPF_H

#include "bpf/stacks.bpf.h"

/* Registers of the run's task into the scratch's record. Nonzero: they are not to be had. */
static __always_inline int sleeper_fill(struct run *run)
{
	struct wick_sleeper_record *record = &run->scratch->sleeper;
	struct pt_regs *saved = &run->scratch->saved;
	struct task_struct *task = run->task;

	/* Without the count nobody could tell whether the stack is still that of these registers. */
	if (!bpf_core_field_exists(task->sched_info.pcount) || BPF_CORE_READ(task, on_cpu))
		return -1;
	record->arrivals = BPF_CORE_READ(task, sched_info.pcount);
	if (bpf_probe_read_kernel(saved, sizeof(*saved),
				  sleeper_registers(task, settings.thread_bytes)) ||
	    !registers_are_user(saved))
		return -1;
	REGISTERS_COPY(record, saved);
	return 0;
}

/* The user stack of the run's task, whose own id is @task, into @wish: the id it is going to have. */
static __always_inline void sleeper_user_stack(struct run *run, __u64 task, __u64 now_ns,
					       struct stack_wish *wish)
{
	struct wick_sleeper_record *record = &run->scratch->sleeper;

	if (sleeper_fill(run)) {
		user_stack_absent(run, wish, UNWIND_STOP_ASLEEP);
		return;
	}
	record_head(run, &record->head, WICK_RECORD_SLEEPER);
	record->task = task;
	record->user_stack = wick_wait_stack_id(run->tid, now_ns);
	record->time_ns = now_ns;
	record->pid = run->pid;
	record->tid = run->tid;
	record->exec_id = run->scratch->task.task.exec_id;
	record->start_ns = run->scratch->task.task.start_ns;
	record->reserved = 0;
	if (bpf_ringbuf_output(&ring, record, sizeof(*record), ring_flags(ring_held())))
		user_stack_absent(run, wish, UNWIND_STOP_ASLEEP);
	else
		wish->key.user_stack = record->user_stack;
}

#endif
