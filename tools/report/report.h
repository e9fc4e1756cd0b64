/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - what wick report shows, apart from how it shows it.
 */
#ifndef WICK_REPORT_H
#define WICK_REPORT_H

#include "formats/flame_tree.h"
#include "formats/tally.h"
#include "profiler/base/strbuf.h"

struct report {
	const char *file; /* as it was given */
	const struct profile *profile;
	uint32_t value_type;
	uint32_t limit; /* rows; 0: all */
	double min_share; /* rows below it are left out */
	const char *by; /* what the rows are: "function" */
	bool notes; /* with what the profile says of itself; in JSON it always is */
};

/* Each appends to @ret; a lack of memory stays in it. Returns 0 or -ENOMEM. */
int report_add_table(const struct report *report, const struct tally *tally, struct strbuf *ret);
int report_add_tree(const struct report *report, const struct flame_tree *tree,
		    struct strbuf *ret);
int report_add_table_json(const struct report *report, const struct tally *tally,
			  struct strbuf *ret);
int report_add_tree_json(const struct report *report, const struct flame_tree *tree,
			 struct strbuf *ret);

/* How many rows to show: within the limit, and not below the least share. */
uint32_t report_row_count(const struct report *report, const struct tally *tally);

/*
 * The nodes of a tree in the order to show them: under each node the largest
 * first, else by name. Stops where nodes are below the least share.
 */
struct report_walk {
	const struct flame_tree *tree;
	double least; /* total of a node */
	size_t *ends; /* of each node: the first one behind all below it */
	size_t *pending; /* what is still to come, the next one last */
	size_t pending_count, pending_capacity;
};

int report_walk_init(struct report_walk *walk, const struct report *report,
		     const struct flame_tree *tree);
/* The next node: 1, 0 at the end, or -ENOMEM. */
int report_walk_next(struct report_walk *walk, const struct flame_node **ret);
void report_walk_done(struct report_walk *walk);

#endif
