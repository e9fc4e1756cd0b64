/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * switches.bpf.c - what takes tasks off their CPU, each time: waits, preemption, yielding.
 */
#include "bpf/sampler.bpf.h"
#include "bpf/switch.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sched_switch")
int BPF_PROG(switches_out, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct switch_out out;
	struct run run = {};

	if (!sample_begin(&run, ctx))
		return 0;
	switch_classify(prev, preempt, settings.thread_bytes, &out);
	if (out.syscall)
		detail_label(&run, SYSCALL, out.syscall - 1);
	detail_label(&run, REASON, out.reason);
	return sample_finish(&run, NULL, 0);
}
