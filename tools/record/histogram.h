/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram.h - what a profile says without stacks: who or what how often, and how long each took.
 *
 * One group for each distinct combination of the values of some labels, of each source. How long is
 * by powers of two, which the kernel's side has found out for each sample: its label "bucket".
 */
#ifndef WICK_HISTOGRAM_H
#define WICK_HISTOGRAM_H

#include "formats/profile.h"
#include "profiler/base/intern.h"
#include "profiler/base/strbuf.h"

#define HISTOGRAM_KEYS_MAX 16
#define HISTOGRAM_BUCKETS 64

/* A source of the profile and which of the values are its own. */
struct histogram_source {
	const char *name;
	int count_value, sum_value;	/* indices of value types; -1: it has none */
	bool by_sum;			/* that is its main value, the largest of which is first */
};

struct histogram_group {
	uint32_t source;		/* index into sources */
	const char *keys[HISTOGRAM_KEYS_MAX];	/* "" where the samples have no such label */
	int64_t count, sum;
	/*
	 * Samples with values from 2^N on, below twice that; their time, for a source that only has
	 * that. The first has 0, too. Unknown are those that lost their labels.
	 */
	int64_t buckets[HISTOGRAM_BUCKETS], unknown;
};

struct histograms {
	const struct profile *profile;
	const char *const *by;		/* keys of labels, ended by NULL; may be empty */
	struct histogram_source *sources;
	uint32_t source_count;
	struct histogram_group *groups;	/* by source, the largest first, then by keys */
	uint32_t group_count;
	struct intern *texts;
};

struct histogram_view {
	uint32_t top;			/* groups of each source to show; 0: all */
	uint32_t columns;		/* of the terminal */
	bool buckets;			/* histograms, and not a table */
};

/*
 * Group the samples of @profile, which must live as long, as @by, too. Returns 0 or -ENOMEM;
 * histograms_done() is due in any case.
 */
int histograms_init(struct histograms *histograms, const struct profile *profile,
		    const char *const *by);
void histograms_done(struct histograms *histograms);

/* Whether samples of the source say how long. */
bool histogram_is_measured(const struct histogram_source *source);

/* Append the groups as text, or as JSON. Returns 0 or -ENOMEM. */
int histograms_add_text(const struct histograms *histograms, const struct histogram_view *view,
			struct strbuf *ret);
int histograms_add_json(const struct histograms *histograms, const struct histogram_view *view,
			struct strbuf *ret);

#endif
