/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "tools/report/report.h"

/* Found once: else each node would look at all below it, and stacks may be deep. */
static int find_ends(struct report_walk *walk)
{
	const struct flame_node *nodes = walk->tree->nodes;
	size_t count = walk->tree->node_count, open_count = 0, i;
	_cleanup_free_ size_t *open = calloc(count, sizeof(*open));

	walk->ends = calloc(count, sizeof(*walk->ends));
	if (!open || !walk->ends)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		while (open_count && nodes[open[open_count - 1]].depth >= nodes[i].depth)
			walk->ends[open[--open_count]] = i;
		open[open_count++] = i;
	}
	while (open_count)
		walk->ends[open[--open_count]] = count;
	return 0;
}

int report_walk_init(struct report_walk *walk, const struct report *report,
		     const struct flame_tree *tree)
{
	int r;

	*walk = (struct report_walk){ .tree = tree };
	if (!tree->node_count)
		return 0;
	walk->least = (double)tree->nodes[0].total * report->min_share;
	r = find_ends(walk);
	r = r ?: alloc_grow(&walk->pending, &walk->pending_capacity, 1);
	if (r < 0)
		return r;
	walk->pending[walk->pending_count++] = 0;
	return 0;
}

void report_walk_done(struct report_walk *walk)
{
	free(walk->pending);
	free(walk->ends);
}

/* The smallest first: the last one is the next to come. */
static int compare_pending(const void *a, const void *b, void *nodes_)
{
	const struct flame_node *nodes = nodes_;
	const struct flame_node *x = &nodes[*(const size_t *)a], *y = &nodes[*(const size_t *)b];

	if (x->total != y->total)
		return x->total < y->total ? -1 : 1;
	return strcmp(y->name, x->name);
}

/* The children of node @index; no recursion, as stacks may be as deep as their file wants. */
static int add_children(struct report_walk *walk, size_t index)
{
	const struct flame_node *nodes = walk->tree->nodes;
	size_t first = walk->pending_count, i;
	int r;

	for (i = index + 1; i < walk->ends[index]; i = walk->ends[i]) {
		if ((double)nodes[i].total < walk->least)
			continue;
		r = alloc_grow(&walk->pending, &walk->pending_capacity, walk->pending_count + 1);
		if (r < 0)
			return r;
		walk->pending[walk->pending_count++] = i;
	}
	qsort_r(walk->pending + first, walk->pending_count - first, sizeof(*walk->pending),
		compare_pending, walk->tree->nodes);
	return 0;
}

int report_walk_next(struct report_walk *walk, const struct flame_node **ret)
{
	size_t index;
	int r;

	if (!walk->pending_count)
		return 0;
	index = walk->pending[--walk->pending_count];
	r = add_children(walk, index);
	if (r < 0)
		return r;
	*ret = &walk->tree->nodes[index];
	return 1;
}
