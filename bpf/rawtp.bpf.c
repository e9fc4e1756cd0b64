/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rawtp.bpf.c - tracepoints of the kernel, by the arguments that they are called with.
 */
#include "bpf/probe.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Such programs have no cookies before 6.10: an object has one site. */
SEC("raw_tp")
int rawtp_hit(void *ctx)
{
	return probe_words_hit(ctx);
}
