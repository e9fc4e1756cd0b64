/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * softirq.bpf.c - how long the kernel's deferred interrupt work runs: timers, network, RCU…
 */
#include "bpf/interrupt.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_begin)
{
	return handler_enter();
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_end, unsigned int vector)
{
	return handler_report(ctx, vector);
}
