/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tracepoint.bpf.c - tracepoints of the kernel, by the records that tracefs describes.
 *
 * The context is the record, whose first word is not what its description says. While such a program
 * runs the kernel turns CPU samples away.
 */
#include "bpf/probe.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp")
int tracepoint_hit(void *ctx)
{
	struct run run = {};
	struct probing *p;

	if (!probe_open(&run, ctx))
		return 0;
	p = probe_claim(&run, PROBE_SITE(ctx), PROBE_PHASE_HIT);
	if (!p)
		return 0;
	p->record = (__u64)ctx;
	return probe_report(&run, p, NULL);
}
