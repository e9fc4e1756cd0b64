/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * irq.bpf.c - how long the handlers of interrupts run.
 */
#include "bpf/interrupt.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(irq_entry)
{
	return handler_enter();
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(irq_exit, int number)
{
	return handler_report(ctx, number);
}
