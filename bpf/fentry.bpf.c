/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fentry.bpf.c - functions of the kernel by a trampoline: where they are entered, and from there to where
 * they return, at a fraction of the cost of a kprobe.
 *
 * Which function is set before it is loaded, so that an object has one site. The context is its
 * arguments, and behind them, where it is left, what it returns.
 */
#include "bpf/probe_threads.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("?fentry")
int fentry_hit(void *ctx)
{
	return probe_words_hit(ctx);
}

/*
 * The trampoline keeps the context in a frame of its own, below the function's, until that has returned:
 * all programs of a call are given the same one. When programs of the function come or go, calls go on
 * in the trampoline they are in, or end without a program. Read as memory, because the verifier takes no
 * pointer to the context for a key.
 */
static __always_inline void call_key_fill(const struct run *run, void *ctx,
					  struct probe_call_key *ret)
{
	ret->thread = call_thread(run);
	bpf_probe_read_kernel(&ret->frame, sizeof(ret->frame), &ctx);
}

SEC("?fentry")
int fentry_enter(void *ctx)
{
	__u32 number = settings.option[PROBE_OPTION_SITE];
	const struct probe_site *site = bpf_map_lookup_elem(&sites, &number);
	struct probe_call_key key = {};
	struct run run = {};

	if (!site || !probe_open(&run, ctx))
		return 0;
	key.site = number;
	call_key_fill(&run, ctx, &key);
	return call_begin(&run, site, &key, call_new(&run, &key), ctx, CALL_WORDS);
}

SEC("?fexit")
int fentry_leave(void *ctx)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct probe_call_key key = {};
	struct probe_call *call;
	struct run run = {};

	if (run_open(&run, ctx, task_current()))
		return 0;
	key.site = settings.option[PROBE_OPTION_SITE];
	call_key_fill(&run, ctx, &key);
	call = call_find(&run, &key);
	if (!call)
		return call_unknown(&run);
	return call_leave(&run, &key, call, ctx, CALL_WORDS, now_ns - call->begin_ns, NULL);
}
