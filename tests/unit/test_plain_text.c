/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <string.h>

#include "profiler/base/plain_text.h"

static const struct text_row {
	const char *name, *text, *plain, *lines;
} rows[] = {
	{ "words are as they were", "std::map<int, é>", "std::map<int, é>", "std::map<int, é>" },
	{ "escape sequences are none", "a\033[2Jb\x7f", "a?[2Jb?", "a?[2Jb?" },
	{ "ends of lines are of lists", "a\nb\r\n", "a?b??", "a\nb?\n" },
	{ "nothing stays nothing", "", "", "" },
};

static void test_text(void **state)
{
	const struct text_row *row = *state;
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	char text[64];

	strcpy(text, row->text);
	plain_text(text);
	assert_string_equal(text, row->plain);
	strcpy(text, row->text);
	plain_text_lines(text);
	assert_string_equal(text, row->lines);
	strbuf_add_plain(&buf, row->text);
	assert_string_equal(buf.data, row->plain);
}

int main(void)
{
	return unit_run_rows("plain text", test_text, UNIT_ROWS(rows));
}
