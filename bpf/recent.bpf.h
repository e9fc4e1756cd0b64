/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recent.bpf.h - what the last samples of a CPU were: most of the next ones are as one of them.
 *
 * Of details their ids are known then. Of samples without stacks the count is: what comes is added
 * here, without a search of the map of counts, which gets it when another kind of sample takes the
 * place, and the drain the rest.
 */
#ifndef WICK_RECENT_BPF_H
#define WICK_RECENT_BPF_H

#include "bpf/run.bpf.h"

/* By CPU. The source's own, as the counts; mmap-able for the drain. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_recent);
} recent SEC(".maps");

/*
 * For a run that has claimed scratch state @slot. NULL: it has come in between another one, who has the
 * first state and may be in the middle of changing these.
 */
static __always_inline struct wick_recent *recent_find(__u32 slot)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return slot ? NULL : bpf_map_lookup_elem(&recent, &cpu);
}

/*
 * The place of a detail that @facts tell all of, numbers of the source's own, never 0. NULL: there is
 * none.
 */
static __always_inline struct wick_recent_detail *recent_detail(const struct run *run, __u64 facts)
{
	struct wick_recent *found = recent_find(run->slot);
	__u32 index = facts ^ facts >> 32 ^ facts >> 48;

	return found ? &found->details[index % WICK_RECENT_DETAILS] : NULL;
}

/* Whether it is there, and user space has it. */
static __always_inline int recent_detail_is(const struct run *run,
					    const struct wick_recent_detail *place, __u64 facts)
{
	return place && place->facts == facts && place->generation == run->generation;
}

static __always_inline void recent_detail_keep(const struct run *run,
					       struct wick_recent_detail *place, __u64 facts,
					       __u64 id)
{
	if (!place || id == WICK_DETAIL_LOST)
		return;
	place->facts = facts;
	place->id = id;
	place->generation = run->generation;
}

/* The place of a count, where it is added or will be. */
static __always_inline struct wick_recent_count *
recent_count(struct wick_recent *found, __u32 generation, const struct wick_key *key)
{
	__u32 index = key->task ^ key->detail;

	return &found->counts[generation & 1][index % WICK_RECENT_COUNTS];
}

#endif
