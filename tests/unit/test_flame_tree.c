/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>

#include "formats/flame_tree.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

#define SAMPLES_MAX 5

/* A node is printed as its depth in spaces, name, start+total and what it has itself. */
static const struct tree_case {
	const char *name;
	struct tree_sample {
		const char *comm, *stack;
		int64_t count;
	} samples[SAMPLES_MAX];
	double min_share;
	const char *nodes;
	uint64_t dropped;
} tree_cases[] = {
	{ "no samples are a root of nothing", { { 0 } }, 0, "all 0+0 0\n", 0 },
	{ "a stack is a path",
	  { { "sh", "main;leaf", 3 } },
	  0,
	  "all 0+3 0\n sh 0+3 0\n  main 0+3 0\n   leaf 0+3 3\n",
	  0 },
	{ "children come by name, behind what is the frame's own",
	  { { "sh", "m;z", 1 }, { "sh", "m;a", 2 }, { "sh", "m", 4 } },
	  0,
	  "all 0+7 0\n sh 0+7 0\n  m 0+7 4\n   a 4+2 2\n   z 6+1 1\n",
	  0 },
	{ "a frame is one node though another name sorts between its lines",
	  { { "sh", "f", 1 }, { "sh", "f (x)", 1 }, { "sh", "f(int);x", 1 }, { "sh", "f;y", 1 } },
	  0,
	  "all 0+4 0\n sh 0+4 0\n  f 0+2 1\n   y 1+1 1\n  f (x) 2+1 1\n  f(int) 3+1 0\n   x 3+1 1\n",
	  0 },
	{ "recursion is as deep as it is",
	  { { "sh", "f;f;f", 1 }, { "sh", "f", 1 } },
	  0,
	  "all 0+2 0\n sh 0+2 0\n  f 0+2 1\n   f 1+1 0\n    f 1+1 1\n",
	  0 },
	{ "narrow nodes are dropped, and what they had stays above",
	  { { "sh", "a;b;c", 1 }, { "sh", "a;d", 9 }, { "sh", "e", 1 }, { "zz", "f", 89 } },
	  0.05,
	  "all 0+100 0\n sh 0+11 0\n  a 0+10 0\n   d 1+9 9\n zz 11+89 0\n  f 11+89 89\n",
	  3 },
};

static struct profile *build(const struct tree_sample *samples)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	struct profile *profile = NULL;
	int i;

	assert_non_null(builder);
	for (i = 0; i < SAMPLES_MAX && samples[i].stack; i++)
		assert_int_equal(fixture_add(builder, samples[i].comm, samples[i].stack,
					     samples[i].count),
				 0);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	return profile;
}

static void tree_row(void **state)
{
	const struct tree_case *c = *state;
	_cleanup_(profile_freep) struct profile *profile = build(c->samples);
	_cleanup_(flame_tree_done) struct flame_tree tree = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct flame_node *node;
	size_t i;

	assert_int_equal(flame_tree_init(&tree, profile, NULL, c->min_share), 0);
	for (i = 0; i < tree.node_count; i++) {
		node = &tree.nodes[i];
		strbuf_printf(&text, "%*s%s %" PRId64 "+%" PRId64 " %" PRId64 "\n",
			      (int)node->depth, "", node->name, node->start, node->total,
			      node->self);
	}
	assert_string_equal(text.data, c->nodes);
	assert_int_equal(tree.dropped_count, c->dropped);
}

static void test_kinds(void **state)
{
	static const struct tree_sample samples[SAMPLES_MAX] = {
		{ "sh", "[incomplete:depth];a;b_[i];c_[j];d_[k]", 1 },
	};
	static const enum stack_frame_kind kinds[] = {
		STACK_FRAME_TASK,    STACK_FRAME_TASK, STACK_FRAME_MARK,   STACK_FRAME_NATIVE,
		STACK_FRAME_INLINED, STACK_FRAME_JIT,  STACK_FRAME_KERNEL,
	};
	_cleanup_(profile_freep) struct profile *profile = build(samples);
	_cleanup_(flame_tree_done) struct flame_tree tree = { 0 };
	size_t i;

	assert_int_equal(flame_tree_init(&tree, profile, NULL, 0), 0);
	assert_int_equal(tree.node_count, ARRAY_SIZE(kinds));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_int_equal(tree.nodes[i].kind, kinds[i]);
}

static void test_overflow(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(flame_tree_done) struct flame_tree tree = { 0 };
	const int64_t values[] = { INT64_MAX - 1, 0 };
	struct profile_label label = fixture_label_text(builder, "comm", "a");
	struct profile_sample sample = { .label_count = 1, .labels = &label, .values = values };

	assert_int_equal(profile_builder_sample(builder, &sample), 0);
	label = fixture_label_text(builder, "comm", "b");
	assert_int_equal(profile_builder_sample(builder, &sample), 0);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	assert_int_equal(flame_tree_init(&tree, profile, NULL, 0), 0);
	assert_true(tree.nodes[0].total == INT64_MAX);
	assert_true(tree.nodes[1].total == INT64_MAX - 1);
	assert_true(tree.nodes[2].total == 1);
}

static int make_tree(void *arg)
{
	_cleanup_(flame_tree_done) struct flame_tree tree = { 0 };

	return flame_tree_init(&tree, arg, NULL, 0);
}

static void test_no_memory(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	assert_true(fail_alloc_each(make_tree, profile) > 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("every frame knows what it is", test_kinds),
		UNIT_TEST("the axis of values ends at 64 bits", test_overflow),
		UNIT_TEST("each allocation may fail", test_no_memory),
	};

	return unit_run_rows("tree", tree_row, UNIT_ROWS(tree_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
