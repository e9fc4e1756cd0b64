/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame_tree.h - a profile's stacks for one value as a tree of frames.
 *
 * Nodes are in preorder: a node's children follow it, with a depth one
 * greater. Node 0 is the root, "all". On the axis of values a node covers
 * [start, start + total), its own part first, then its children by name, so
 * that two flame graphs of one program look alike. Names live as long as the tree.
 */
#ifndef WICK_FLAME_TREE_H
#define WICK_FLAME_TREE_H

#include "formats/stack_list.h"

struct flame_node {
	const char *name;
	enum stack_frame_kind kind; /* of the first stack, where they differ */
	uint32_t depth;
	int64_t start, total;
	int64_t self;
};

struct flame_tree {
	struct flame_node *nodes;
	size_t node_count;
	uint64_t dropped_count; /* nodes that were too narrow */
	struct stack_list *stacks; /* holds the names */
};

/*
 * Nodes below @min_share of the total (0: none) are dropped, which keeps the
 * tree of a large profile small; what they cover stays in the nodes above them.
 * @profile must outlive the tree. Returns 0, -ENOENT without such a value, or -ENOMEM.
 */
int flame_tree_init(struct flame_tree *tree, const struct profile *profile,
		    const struct writer_options *options, double min_share);
void flame_tree_done(struct flame_tree *tree);

#endif
