/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_kind.h - the kinds of probes, a row each: how one is written, found and attached.
 *
 * A row of the source table names its kind; source_probe.h runs it.
 */
#ifndef WICK_PROBE_KIND_H
#define WICK_PROBE_KIND_H

#include "profiler/probes/probe_words.h"
#include "profiler/sources/source.h"

struct probe_finding;

struct probe_kind {
	enum probe_grammar grammar;
	bool at_entry, at_return;
	bool told_by_number;			/* which site it is, and not by a cookie */
	bool is_counter;			/* samples stand for many events, which are summed up */
	/* Find the places and compile what is read there. Returns 0 or a negative errno, in @err. */
	int (*find)(struct probe_finding *finding, struct error *err);
};

/* From one to the other: its calls have a latency. */
static inline bool probe_kind_is_measured(const struct probe_kind *kind)
{
	return kind->at_entry && kind->at_return;
}

extern const struct probe_kind probe_uprobe, probe_uretprobe, probe_fn, probe_usdt, probe_kprobe,
	probe_kretprobe, probe_tracepoint, probe_rawtp, probe_hw, probe_sw, probe_syscall;

/* Of an event as it is written, what can be checked without looking; @argument may be NULL. */
int probe_check(struct source_request *request, const char *argument, struct error *err);

#endif
