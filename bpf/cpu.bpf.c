/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cpu.bpf.c - where CPUs spend their time: a sample on each tick of a perf event.
 */
#include "bpf/sampler.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("perf_event")
int cpu_tick(struct bpf_perf_event_data *ctx)
{
	struct run run = {};

	if (!sample_begin(&run, ctx))
		return 0;
	if (detail_wanted(SYSCALL))
		detail_add_syscall(&run);
	return sample_finish(&run, (struct pt_regs *)&ctx->regs, settings.value_per_sample);
}
