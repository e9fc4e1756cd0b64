/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cpu.bpf.c - where CPUs spend their time: a sample on each tick of a perf event.
 */
#include "bpf/sampler.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("perf_event")
int cpu_tick(struct bpf_perf_event_data *ctx)
{
	return sample_take(ctx, (struct pt_regs *)&ctx->regs, 0, settings.value_per_sample);
}
