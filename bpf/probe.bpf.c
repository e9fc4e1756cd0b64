/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.bpf.c - functions and places in code, of programs and of the kernel: uprobes, USDT, kprobes.
 *
 * The same programs for all of them: the context is the registers of who came there. Which are
 * loaded is chosen by what is asked for.
 */
#include "bpf/probe_threads.bpf.h"
#include "bpf/probe_touch.bpf.h"

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

/* Before any of these, of user code: what they will read. */
SEC("?uprobe.s")
int probe_touch(struct pt_regs *ctx)
{
	struct run run = {};

	run_set_task(&run, task_current());
	if (task_wanted(&run))
		touch_values(ctx, PROBE_SITE(ctx));
	return 0;
}

/* ---- from entry to return ---- */

#define GO_STACK_END 8	/* of runtime.g: stack.hi */
#define GO_THREAD (1ull << 63)

/* Nonzero: the goroutine cannot be told. */
static __always_inline int call_key_fill(const struct run *run, const struct probe_site *site,
					 const struct pt_regs *regs, __u64 frame,
					 struct probe_call_key *ret)
{
	__u64 g = regs->r14, end = 0;

	ret->thread = call_thread(run);
	ret->frame = frame;
	if (!(site->flags & PROBE_SITE_GO))
		return 0;
	if (bpf_probe_read_user(&end, sizeof(end), (void *)(g + GO_STACK_END)))
		return -1;
	ret->thread = unwind_hash(run->pid, g) | GO_THREAD;
	ret->frame = end - frame;
	return 0;
}

/* At the first instruction of a function. */
SEC("?kprobe")
int probe_enter(struct pt_regs *ctx)
{
	struct probe_call_key key = {};
	const struct probe_site *site;
	struct probe_call *call;
	struct run run = {};

	key.site = PROBE_SITE(ctx);
	site = bpf_map_lookup_elem(&sites, &key.site);
	if (!site || !probe_open(&run, ctx))
		return 0;
	call = call_key_fill(&run, site, ctx, ctx->sp, &key) ? NULL : call_new(&run, &key);
	return call_begin(&run, site, &key, call, ctx, CALL_REGISTERS);
}

static __always_inline int leave(struct pt_regs *ctx, __u64 frame)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct probe_call_key key = {};
	const struct probe_site *site;
	struct probe_call *call;
	struct run run = {};

	key.site = PROBE_SITE(ctx);
	site = bpf_map_lookup_elem(&sites, &key.site);
	if (!site || run_open(&run, ctx, task_current()))
		return 0;
	call = call_key_fill(&run, site, ctx, frame, &key) ? NULL : call_find(&run, &key);
	if (!call)
		return call_unknown(&run);
	return call_leave(&run, &key, call, ctx, CALL_REGISTERS, now_ns - call->begin_ns, ctx);
}

/* Where it returns to, by a return probe: its return address has been taken off the stack. */
SEC("?kprobe")
int probe_leave(struct pt_regs *ctx)
{
	return leave(ctx, ctx->sp - sizeof(__u64));
}

/* On its return instructions. */
SEC("?kprobe")
int probe_leave_at_ret(struct pt_regs *ctx)
{
	return leave(ctx, ctx->sp);
}
