/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * signal.bpf.c - who sends signals, to whom; those of the kernel are sent by who caused them.
 */
#include "bpf/sampler.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_generate, int number, struct kernel_siginfo *info, struct task_struct *target)
{
	struct run run = {};
	__u64 peer;

	if (!sample_begin(&run, ctx))
		return 0;
	run_set_task(&run, target);
	peer = task_send(&run);
	run_set_task(&run, task_current());
	if (peer)
		detail_set(&run, PEER_TASK, peer);
	else
		COUNT(&run, DETAILS_LOST);
	detail_set(&run, KEY, number);
	if (detail_wanted(SYSCALL))
		detail_add_syscall(&run);
	return sample_finish(&run, NULL, 1);
}
