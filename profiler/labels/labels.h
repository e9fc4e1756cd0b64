/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labels.h - facts of a sample (struct wick_detail) as labels of a profile.
 *
 * One table says which labels there are, for --label and its help, which facts each needs from the
 * kernel's side, and how it reads them. Knows windows and the profile model.
 */
#ifndef WICK_LABELS_H
#define WICK_LABELS_H

#include <stddef.h>
#include <stdint.h>
#include "formats/profile.h"
#include "profiler/labels/label_notes.h"
#include "profiler/sources/source.h"

/* pid, tid, comm and thread, a source's own, and one for each row. */
#define LABELS_MAX 28

struct labels;

/* What the reading of a label may use. */
struct label_input {
	const struct source *source, *shown;	/* the composite it is a part of, or itself */
	const struct wick_task *task;
	const struct wick_detail *detail;	/* or NULL */
	const struct label_notes *notes;
	const char *peer;			/* who is at the other end; "" when not known */
	const struct window *window;		/* has the texts of details; or NULL */
	const char *const *kernel_names;	/* functions of the kernel stack, leaf first */
	size_t kernel_count;
};

/* What the kernel's side must fill in for the labels in @wanted. */
uint64_t labels_details(uint64_t wanted);
/* The same for @source, which has labels of its own; with @only just its key, which has no name. */
uint64_t labels_details_of(const struct source *source, uint64_t wanted, bool only);

/* @wanted: bits of session_label_bit(). @builder is borrowed. */
int labels_new(uint64_t wanted, struct profile_builder *builder, struct labels **ret);
struct labels *labels_free(struct labels *labels);
DEFINE_CLEANUP(struct labels *, labels_free)

/* The first ones, of each sample: pid, tid, comm, thread. */
#define LABELS_OF_TASK 4

/* The labels of a sample into @list, which has LABELS_MAX places. Returns how many, or -ENOMEM. */
int labels_fill(struct labels *labels, const struct label_input *input,
		struct profile_label *list);

#endif
