/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/worker/symbol_wire.h"

#define MAX 4

static const struct frame inlined[] = {
	{ .function = "ns::inner", .system_name = "_ZN2ns5innerEv", .file = "/a.cc", .line = 7,
	  .origin = FRAME_DWARF, .inlined = true },
	{ .function = "outer", .system_name = "outer", .start = 0x401000, .origin = FRAME_DWARF },
};
static const struct frame single[] = {
	{ .function = "x+0x10", .system_name = "", .file = "", .origin = FRAME_UNKNOWN },
};

static void add_both(struct strbuf *ret)
{
	symbol_wire_add(ret, inlined, 2);
	symbol_wire_add(ret, single, 1);
	assert_int_equal(ret->error, 0);
}

static void assert_same(const struct frame *a, const struct frame *b)
{
	assert_string_equal(a->function, b->function);
	assert_string_equal(a->system_name, b->system_name);
	assert_int_equal(!a->file, !b->file);
	if (a->file)
		assert_string_equal(a->file, b->file);
	assert_int_equal(a->line, b->line);
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->origin, b->origin);
	assert_int_equal(a->inlined, b->inlined);
}

static void test_arrives(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct symbol_wire_reader reader;
	struct frame frames[MAX];

	add_both(&bytes);
	reader = (struct symbol_wire_reader){ .bytes = (const uint8_t *)bytes.data,
					      .size = bytes.size };
	assert_int_equal(symbol_wire_next(&reader, frames, MAX), 2);
	assert_same(&frames[0], &inlined[0]);
	assert_same(&frames[1], &inlined[1]);
	assert_int_equal(symbol_wire_next(&reader, frames, MAX), 1);
	assert_same(&frames[0], &single[0]);
	assert_int_equal(symbol_wire_next(&reader, frames, MAX), -EBADMSG);
}

/* As many frames as there are whole ones; sanitizers see what lies behind the end. */
static void test_cut(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct frame frames[MAX];

	add_both(&bytes);
	for (size_t size = 0; size < bytes.size; size++) {
		_cleanup_free_ uint8_t *cut = malloc(size + 1);
		struct symbol_wire_reader reader = { .bytes = cut, .size = size };
		int r;

		assert_non_null(cut);
		memcpy(cut, bytes.data, size);
		r = symbol_wire_next(&reader, frames, MAX);
		if (r == 2)
			r = symbol_wire_next(&reader, frames, MAX);
		assert_int_equal(r, -EBADMSG);
	}
}

static const struct lie_case {
	const char *name;
	size_t offset;
	uint8_t byte;
} lies[] = {
	{ "no frames at all", 0, 0 },
	{ "more frames than there is room for", 0, MAX + 1 },
	{ "millions of frames", 3, 0xff },
	{ "an origin that is none", 4 + 12, FRAME_UNKNOWN + 1 },
};

static void test_lie(void **state)
{
	const struct lie_case *c = *state;
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct symbol_wire_reader reader;
	struct frame frames[MAX];

	add_both(&bytes);
	bytes.data[c->offset] = (char)c->byte;
	reader = (struct symbol_wire_reader){ .bytes = (const uint8_t *)bytes.data,
					      .size = bytes.size };
	assert_int_equal(symbol_wire_next(&reader, frames, MAX), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("frames arrive as they were sent", test_arrives),
		UNIT_TEST("what is cut off anywhere is refused", test_cut),
	};

	return unit_run_rows("what is not believed", test_lie, UNIT_ROWS(lies)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
