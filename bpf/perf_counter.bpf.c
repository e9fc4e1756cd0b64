/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * perf_counter.bpf.c - events of the CPU and of the kernel's own counters: a sample each so many of them.
 *
 * Counted are samples, and summed up the events they stand for.
 */
#include "bpf/sampler.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("perf_event")
int perf_counter(struct bpf_perf_event_data *ctx)
{
	struct run run = {};

	if (!sample_begin(&run, ctx))
		return 0;
	return sample_finish(&run, (struct pt_regs *)&ctx->regs, ctx->sample_period);
}
