/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/flame_tree.h"

#include <errno.h>
#include <stdlib.h>

#include "profiler/base/alloc.h"

/* The path from the root to the node added last: what the next stack can share. */
struct flame_path {
	size_t *nodes; /* by depth */
	uint32_t *names;
	uint32_t depth; /* of the last one */
};

struct flame_builder {
	struct flame_tree tree;
	size_t capacity;
	struct flame_path path;
	double min_total;
};

static void flame_builder_done(struct flame_builder *builder)
{
	free(builder->path.nodes);
	free(builder->path.names);
	flame_tree_done(&builder->tree);
}

static int flame_builder_init(struct flame_builder *builder, double min_share)
{
	struct flame_tree *tree = &builder->tree;
	struct flame_path *path = &builder->path;
	size_t path_size = (size_t)stack_list_max_frames(tree->stacks) + 1;
	int r;

	path->nodes = calloc(path_size, sizeof(*path->nodes));
	path->names = calloc(path_size, sizeof(*path->names));
	if (!path->nodes || !path->names)
		return -ENOMEM;
	r = alloc_grow(&tree->nodes, &builder->capacity, 1);
	if (r < 0)
		return r;
	tree->nodes[tree->node_count++] = (struct flame_node){
		.name = "all",
		.kind = STACK_FRAME_TASK,
	};
	builder->min_total = min_share * (double)stack_list_total(tree->stacks);
	return 0;
}

/* How many frames @stack has in common with the path. */
static uint32_t flame_path_match(const struct flame_path *path, const struct stack *stack)
{
	uint32_t depth;

	for (depth = 0; depth < path->depth && depth < stack->frame_count; depth++) {
		if (path->names[depth + 1] != stack->frames[depth].name)
			break;
	}
	return depth;
}

/*
 * Step back up to @depth. What is left gets nothing more, and its subtree is
 * the end of the array: if it is too narrow, cut it off.
 */
static void flame_builder_leave(struct flame_builder *builder, uint32_t depth)
{
	struct flame_tree *tree = &builder->tree;
	struct flame_path *path = &builder->path;
	size_t index;

	for (; path->depth > depth; path->depth--) {
		index = path->nodes[path->depth];
		if ((double)tree->nodes[index].total >= builder->min_total)
			continue;
		tree->dropped_count += tree->node_count - index;
		tree->node_count = index;
	}
}

static void flame_builder_enter(struct flame_builder *builder, const struct stack_frame *frame)
{
	struct flame_tree *tree = &builder->tree;
	uint32_t depth = ++builder->path.depth;

	builder->path.names[depth] = frame->name;
	builder->path.nodes[depth] = tree->node_count;
	tree->nodes[tree->node_count++] = (struct flame_node){
		.name = stack_list_name(tree->stacks, frame->name),
		.kind = frame->kind,
		.depth = depth,
		.start = tree->nodes[0].total,
	};
}

static int flame_builder_add(struct flame_builder *builder, const struct stack *stack)
{
	struct flame_tree *tree = &builder->tree;
	struct flame_path *path = &builder->path;
	int64_t value = stack->value;
	uint32_t depth;
	int r;

	r = alloc_grow(&tree->nodes, &builder->capacity, tree->node_count + stack->frame_count);
	if (r < 0)
		return r;
	flame_builder_leave(builder, flame_path_match(path, stack));
	while (path->depth < stack->frame_count)
		flame_builder_enter(builder, &stack->frames[path->depth]);
	/* A sum beyond 64 bits cannot be shown; what is left of the axis is. */
	if (value > INT64_MAX - tree->nodes[0].total)
		value = INT64_MAX - tree->nodes[0].total;
	for (depth = 0; depth <= path->depth; depth++)
		tree->nodes[path->nodes[depth]].total += value;
	tree->nodes[path->nodes[path->depth]].self += value;
	return 0;
}

int flame_tree_init(struct flame_tree *tree, const struct profile *profile,
		    const struct writer_options *options, double min_share)
{
	_cleanup_(flame_builder_done) struct flame_builder builder = { 0 };
	struct stack stack;
	int r;

	r = stack_list_new(profile, options, STACK_ORDER_TREE, &builder.tree.stacks);
	if (r < 0)
		return r;
	r = flame_builder_init(&builder, min_share);
	if (r < 0)
		return r;
	while (stack_list_next(builder.tree.stacks, &stack)) {
		r = flame_builder_add(&builder, &stack);
		if (r < 0)
			return r;
	}
	flame_builder_leave(&builder, 0);
	*tree = builder.tree;
	builder.tree = (struct flame_tree){ 0 };
	return 0;
}

void flame_tree_done(struct flame_tree *tree)
{
	free(tree->nodes);
	stack_list_free(tree->stacks);
	*tree = (struct flame_tree){ 0 };
}
