/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.bpf.c - functions and places in code, of programs and of the kernel: uprobes, USDT, kprobes.
 *
 * The same programs for all of them: the context is the registers of who came there. Which are
 * loaded is chosen by what is asked for.
 */
#include "bpf/probe.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The values at this place. */
SEC("?kprobe")
int probe_hit(struct pt_regs *ctx)
{
	struct run run = {};
	struct probing *p;

	if (!probe_open(&run, ctx))
		return 0;
	p = probe_claim(&run, PROBE_SITE(ctx), PROBE_PHASE_HIT);
	if (!p)
		return 0;
	PROBE_REGISTERS(p, ctx);
	return probe_report(&run, p, ctx);
}
