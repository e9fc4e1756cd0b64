/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * interrupt.bpf.h - for sources that time handlers, which run on a CPU one inside the other.
 *
 * A handler is charged its own time, without that of handlers of the same source that interrupted it.
 */
#ifndef WICK_INTERRUPT_BPF_H
#define WICK_INTERRUPT_BPF_H

#include "bpf/sampler.bpf.h"

/* One inside the other; deeper ones are part of the last. A power of two: verifiers trust a mask. */
#define HANDLERS_MAX 4
#define HANDLER(depth) ((depth) & (HANDLERS_MAX - 1))

struct handlers {
	__u64 begin_ns[HANDLERS_MAX];
	__u64 inner_ns[HANDLERS_MAX];
	__u64 depth;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handlers);
} handlers SEC(".maps");

static __always_inline int handler_enter(void)
{
	__u32 zero = 0;
	struct handlers *h = bpf_map_lookup_elem(&handlers, &zero);
	__u64 depth;

	if (!h)
		return 0;
	depth = h->depth++;
	if (depth >= HANDLERS_MAX)
		return 0;
	h->inner_ns[HANDLER(depth)] = 0;
	h->begin_ns[HANDLER(depth)] = bpf_ktime_get_ns();
	return 0;
}

/* Whether there is something to report: not of a handler that ran when the programs came. */
static __always_inline int handler_leave(__u64 *ret_ns)
{
	__u32 zero = 0;
	struct handlers *h = bpf_map_lookup_elem(&handlers, &zero);
	__u64 depth, ns;

	if (!h || !h->depth)
		return 0;
	depth = --h->depth;
	if (depth >= HANDLERS_MAX) {
		*ret_ns = 0;
		return 1;
	}
	ns = bpf_ktime_get_ns() - h->begin_ns[HANDLER(depth)];
	*ret_ns = ns - h->inner_ns[HANDLER(depth)];
	if (depth)
		h->inner_ns[HANDLER(depth - 1)] += ns;
	return 1;
}

static __always_inline int handler_report(void *ctx, __u64 key)
{
	struct run run = {};
	__u64 ns = 0;

	if (!handler_leave(&ns) || run_open(&run, ctx, task_current()))
		return 0;
	if (!whoever_wanted(&run) || ns < settings.value_min ||
	    (settings.value_max && ns > settings.value_max)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	if (!sample_claim(&run))
		return 0;
	detail_set(&run, KEY, key);
	return sample_finish(&run, NULL, ns);
}

#endif
