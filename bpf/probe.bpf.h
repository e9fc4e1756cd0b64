/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe.bpf.h - a probe has fired: its values are read, its filter asked, and what is wanted becomes a
 * sample.
 *
 *     probe_open()  probe_claim()   where the values are: registers, words, record   probe_report()
 *
 * A hit is taken once its filter has accepted it, or when it could not be asked for want of a scratch
 * state; over the limits of events it is neither taken nor lost. Of a sample without a sum
 * the value is 1.
 */
#ifndef WICK_PROBE_BPF_H
#define WICK_PROBE_BPF_H

#include "bpf/probe_fetch.bpf.h"

#define HAS_COOKIES \
	bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_attach_cookie)

/* Where it fired: programs are told by cookie from 5.15 on (7adfc6c9b315), before by their settings. */
#define PROBE_SITE(ctx)                                                            \
	(settings.option[PROBE_OPTION_COOKIES] && HAS_COOKIES ?                    \
		 (__u32)bpf_get_attach_cookie(ctx) :                               \
		 settings.option[PROBE_OPTION_SITE])

/* Begin a run. Returns whether the current task is wanted. */
static __always_inline int probe_open(struct run *run, void *ctx)
{
	if (run_open(run, ctx, task_current()))
		return 0;
	if (whoever_wanted(run))
		return 1;
	COUNT(run, FILTERED);
	return 0;
}

/* The state for the values of @site in a claimed run. */
static __always_inline struct probing *probing_begin(struct run *run, __u32 site, __u32 phase)
{
	__u32 slot = run->slot;
	struct probing *p = bpf_map_lookup_elem(&probings, &slot);

	if (!p)
		return NULL;
	p->site = site;
	p->phase = phase;
	p->latency_ns = 0;
	p->packet.skb = 0;
	p->event.values.site = site;
	p->event.values.text_bytes = 0;
	p->event.values.unreadable = 0;
	p->event.values.cut = 0;
	run->probed = &p->event;
	return p;
}

/* Claim it. NULL: the hit is lost, and counted. */
static __always_inline struct probing *probe_claim(struct run *run, __u32 site, __u32 phase)
{
	struct probing *p = NULL;

	if (!run_try_claim(run)) {
		p = probing_begin(run, site, phase);
		if (!p)
			run_release(run);
	}
	if (!p) {
		COUNT(run, TAKEN);
		COUNT(run, LOST_SCRATCH);
	}
	return p;
}

/*
 * Words of a context that is nothing else: by a copy, for direct loads of words that a tracepoint
 * may not have would keep the program from being attached.
 */
static __always_inline void probe_words(struct probing *p, void *ctx)
{
	__u32 bytes = settings.option[PROBE_OPTION_WORDS] * 8;

	if (bytes <= sizeof(p->words))
		bpf_probe_read_kernel(p->words, bytes, ctx);
}

/* ---- filter ---- */

#define FILTER_ACCEPTS 1
#define FILTER_UNREADABLE 2

/* What the filter of the site says to the values in state @slot. */
__noinline int probe_filter_slot(__u32 slot)
{
	struct probing *p = bpf_map_lookup_elem(&probings, &slot);
	const struct probe_site *site = p ? bpf_map_lookup_elem(&sites, &p->site) : NULL;
	__u32 unreadable = 0;
	int accepts;

	if (!site)
		return 0;
	accepts = probe_filter(site, &p->event.values, &unreadable);
	return (accepts ? FILTER_ACCEPTS : 0) | (unreadable ? FILTER_UNREADABLE : 0);
}

/* ---- labels and sum ---- */

/* Text number @index of state @slot as a record of its own, with its id. */
__noinline int probe_text_slot(__u32 slot, __u32 index)
{
	struct probing *p = bpf_map_lookup_elem(&probings, &slot);
	__u64 hash = WICK_TEXT_SEED, value;
	const __u64 *words;
	__u32 bytes;

	if (!p)
		return 0;
	value = p->event.values.value[PROBE_VALUE_INDEX(index)];
	bytes = probe_text_bytes(value);
	PROBE_OPAQUE(bytes);
	bytes &= PROBE_TEXT_ROOM - 1;
	p->text.bytes = bytes;
	/* The bytes behind it in its last word are part of the id. */
	if (bytes < PROBE_TEXT_MAX)
		*(__u64 *)(p->text.text + (bytes & ~7u & (PROBE_TEXT_MAX - 1))) = 0;
	bpf_probe_read_kernel(p->text.text, bytes,
			      p->event.values.text + PROBE_TEXT_INDEX(probe_text_offset(value)));
	words = (const __u64 *)p->text.text;
	hash = wick_text_hash(hash, bytes);
	for (__u32 i = 0; i < PROBE_TEXT_MAX / 8; i++) {
		if (i * 8 >= p->text.bytes)
			break;
		hash = wick_text_hash(hash, words[i]);
	}
	p->text.id = wick_id(hash);
	return 0;
}

/* The id of a text, sent if this generation has not had it. */
static __always_inline __u64 text_send(struct run *run, struct probing *p, __u32 index)
{
	__u32 bytes;
	__u64 *slot;

	probe_text_slot(run->slot, index);
	slot = sent_slot(p->text.id);
	if (id_is_sent(run, slot, p->text.id))
		return p->text.id;
	record_head(run, &p->text.head, WICK_RECORD_TEXT);
	/* At most PROBE_TEXT_MAX; what verifiers believe lies within the state, too. */
	bytes = p->text.bytes;
	PROBE_OPAQUE(bytes);
	bytes &= PROBE_TEXT_ROOM - 1;
	if (!slot || bpf_ringbuf_output(&ring, &p->text, WICK_TEXT_RECORD_HEAD_BYTES + bytes,
					ring_flags(ring_held()))) {
		COUNT(run, DETAILS_LOST);
		return WICK_TEXT_LOST;
	}
	*slot = sent_value(run, p->text.id);
	return p->text.id;
}

/* Returns whether all could be read. */
static __always_inline int labels_add(struct run *run, struct probing *p,
				      const struct probe_site *site)
{
	struct wick_detail *detail = &run->scratch->detail.detail;
	int all = 1;

	for (__u32 i = 0; i < PROBE_LABELS_MAX; i++) {
		__u32 index;

		if (i >= site->label_count)
			break;
		index = PROBE_VALUE_INDEX(site->labels[i]);
		if (p->event.values.unreadable >> index & 1) {
			all = 0;
			continue;
		}
		detail->value[WICK_DETAIL_ARG1 + i] =
			site->values[index].form == PROBE_NUMBER ? p->event.values.value[index] :
								   text_send(run, p, index);
		detail->present |= WICK_DETAIL_BIT(ARG1) << i;
	}
	return all;
}

/* What tells system calls apart in any event of them. */
static __always_inline void syscall_labels_add(struct run *run, const struct probing *p,
					       const struct probe_site *site)
{
	__s64 result = p->registers[PROBE_RAX];

	detail_label(run, SYSCALL, site->syscall - 1);
	if (result < 0 && result >= -WICK_ERRNO_MAX)
		detail_label(run, ERRNO, -result);
}

static __always_inline __u64 probe_sum(const struct probing *p, const struct probe_site *site,
				       int *ret_unreadable)
{
	__u32 index = PROBE_VALUE_INDEX(site->sum);

	if (site->sum == PROBE_NO_VALUE)
		return 1;
	if (p->event.values.unreadable >> index & 1) {
		*ret_unreadable = 1;
		return 0;
	}
	return p->event.values.value[index];
}

/* ---- the sample ---- */

static __always_inline int probe_turn_away(struct run *run)
{
	run_release(run);
	return 0;
}

/*
 * All values that are due, and what becomes of the hit. @regs: of the context, when it has any. Ends
 * the run.
 */
static __always_inline int probe_report(struct run *run, struct probing *p, struct pt_regs *regs)
{
	const struct probe_site *site = bpf_map_lookup_elem(&sites, &p->site);
	int verdict, is_unreadable;
	__u64 sum;

	if (!site) {
		COUNT(run, FILTERED);
		return probe_turn_away(run);
	}
	if (site->value_count)
		values_fetch(run, p, site);
	verdict = site->term_count ? probe_filter_slot(run->slot) : FILTER_ACCEPTS;
	is_unreadable = verdict & FILTER_UNREADABLE;
	if (!(verdict & FILTER_ACCEPTS)) {
		if (is_unreadable)
			COUNT(run, UNREADABLE);
		COUNT(run, FILTERED);
		return probe_turn_away(run);
	}
	if (settings.deliver_events && !events_allowed()) {
		COUNT(run, LIMITED);
		return probe_turn_away(run);
	}
	COUNT(run, TAKEN);
	first_sample_note();
	detail_clear(run);
	detail_label(run, KEY, p->site);
	if (site->syscall)
		syscall_labels_add(run, p, site);
	if (!labels_add(run, p, site))
		is_unreadable = 1;
	sum = probe_sum(p, site, &is_unreadable);
	if (is_unreadable)
		COUNT(run, UNREADABLE);
	return sample_finish(run, regs, sum);
}

/* A hit whose context is words and nothing else. Such programs have no cookies: an object has one site. */
static __always_inline int probe_words_hit(void *ctx)
{
	struct run run = { .is_alone = settings.option[PROBE_OPTION_ALONE] };
	struct probing *p;

	if (!probe_open(&run, ctx))
		return 0;
	p = probe_claim(&run, settings.option[PROBE_OPTION_SITE], PROBE_PHASE_HIT);
	if (!p)
		return 0;
	probe_words(p, ctx);
	return probe_report(&run, p, NULL);
}

#endif
