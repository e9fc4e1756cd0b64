/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "tests/unit/fail_alloc.h"

static void test_empty(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

	assert_string_equal(buf.data, "");
	strbuf_add(&buf, "", 0);
	strbuf_add_text(&buf, "");
	assert_int_equal(buf.size, 0);
	assert_int_equal(buf.error, 0);
}

static void test_append(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

	strbuf_add_text(&buf, "sh");
	strbuf_add_char(&buf, ';');
	strbuf_add(&buf, "main()", 4);
	strbuf_printf(&buf, " %d%s", 3, "\n");
	assert_string_equal(buf.data, "sh;main 3\n");
	assert_int_equal(buf.size, strlen("sh;main 3\n"));
}

static void test_nul(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

	strbuf_add(&buf, "a\0b", 3);
	strbuf_add_char(&buf, '\0');
	assert_int_equal(buf.size, 4);
	assert_memory_equal(buf.data, "a\0b\0", 5);
}

/* Around each size where the buffer has to grow, printing must neither cut nor run over. */
static void test_printf_sizes(void **state)
{
	char text[300];
	size_t size;

	memset(text, 'x', sizeof(text));
	for (size = 0; size < sizeof(text); size++) {
		_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

		strbuf_printf(&buf, "%.*s", (int)size, text);
		strbuf_printf(&buf, "%.*s", (int)size, text);
		assert_int_equal(buf.size, 2 * size);
		assert_int_equal(strlen(buf.data), 2 * size);
	}
}

static void test_take(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	_cleanup_free_ char *text = NULL, *empty = NULL;

	strbuf_add_text(&buf, "mine");
	text = strbuf_take(&buf);
	assert_string_equal(text, "mine");
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.size, 0);
	empty = strbuf_take(&buf);
	assert_string_equal(empty, "");
}

static void test_reset(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	size_t capacity;

	strbuf_reset(&buf);
	strbuf_add_text(&buf, "something long enough");
	capacity = buf.capacity;
	strbuf_reset(&buf);
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.capacity, capacity);
	strbuf_add_text(&buf, "new");
	assert_string_equal(buf.data, "new");
}

static void test_failure_stays(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

	strbuf_add_text(&buf, "kept");
	fail_alloc_after(0);
	strbuf_printf(&buf, "%200s", "lost");
	assert_true(fail_alloc_stop());
	assert_int_equal(buf.error, -ENOMEM);
	strbuf_add_text(&buf, "!");
	strbuf_printf(&buf, "!");
	assert_string_equal(buf.data, "kept");
	assert_null(strbuf_take(&buf));
	assert_int_equal(buf.error, 0);
	assert_string_equal(buf.data, "");
}

static int fill(void *arg)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;
	int i;

	for (i = 0; i < 50; i++)
		strbuf_printf(&buf, "line %d\n", i);
	text = strbuf_take(&buf);
	return text ? 0 : -ENOMEM;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(fill, NULL) > 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an empty buffer is an empty text", test_empty),
		UNIT_TEST("what is appended follows what was there", test_append),
		UNIT_TEST("bytes may be NUL", test_nul),
		UNIT_TEST("printing fits for every size", test_printf_sizes),
		UNIT_TEST("a taken text is the caller's, also an empty one", test_take),
		UNIT_TEST("a reset buffer is empty and keeps its memory", test_reset),
		UNIT_TEST("after a failure nothing is appended until it is taken",
			  test_failure_stays),
		UNIT_TEST("each allocation may fail", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
