/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fault.bpf.c - page faults, each of them, by the code that touched the page.
 *
 * Software events and not the tracepoint: only they know minor faults from major ones. A program each,
 * because the event does not say which it is.
 */
#include "bpf/sampler.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FAULT_PAGE_MASK 0xfffull

/* The notice of the first brk() calls it anonymous: then the heap has no end yet. */
static __always_inline int is_heap(struct task_struct *task, __u64 address)
{
	return address >= BPF_CORE_READ(task, mm, start_brk) &&
	       address < BPF_CORE_READ(task, mm, brk);
}

static __always_inline int fault(struct bpf_perf_event_data *ctx, int is_major)
{
	struct run run = {};

	/* The least and the most value are of addresses here. */
	if (ctx->addr < settings.value_min ||
	    (settings.value_max && ctx->addr > settings.value_max))
		return 0;
	if (!sample_begin(&run, ctx))
		return 0;
	detail_set(&run, KEY, is_major);
	detail_label(&run, ADDRESS, ctx->addr & ~FAULT_PAGE_MASK);
	if (detail_wanted(FILE) && is_heap(run.task, ctx->addr))
		detail_set(&run, FILE, WICK_FILE_HEAP);
	if (detail_wanted(SYSCALL))
		detail_add_syscall(&run);
	return sample_finish(&run, (struct pt_regs *)&ctx->regs, 1);
}

SEC("perf_event")
int fault_minor(struct bpf_perf_event_data *ctx)
{
	return fault(ctx, 0);
}

SEC("perf_event")
int fault_major(struct bpf_perf_event_data *ctx)
{
	return fault(ctx, 1);
}
