/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fentry.bpf.c - functions of the kernel where they are entered or left, at a fraction of the cost of a
 * kprobe.
 *
 * Which function is set before it is loaded, so that an object has one site. The context is its
 * arguments, and behind them, where it is left, what it returns.
 */
#include "bpf/probe.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("?fentry")
int fentry_hit(void *ctx)
{
	return probe_words_hit(ctx);
}

SEC("?fexit")
int fexit_hit(void *ctx)
{
	return probe_words_hit(ctx);
}
