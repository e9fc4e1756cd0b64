/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "formats/json.h"

static const struct json_case {
	const char *name;
	const char *text, *json;
} json_cases[] = {
	{ "nothing is null", NULL, "null" },
	{ "an empty text is a text", "", "\"\"" },
	{ "plain text is quoted", "main", "\"main\"" },
	{ "quotes and backslashes are escaped", "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "newlines have their own escape", "a\nb", "\"a\\nb\"" },
	{ "other control characters are numbers", "\t\033\177", "\"\\u0009\\u001b\\u007f\"" },
	{ "UTF-8 stays", "h\xc3\xa9", "\"h\xc3\xa9\"" },
	{ "what is not UTF-8 is replaced", "a\xff", "\"a\xef\xbf\xbd\"" },
};

static void json_row(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct json_case *c = *state;

	json_add_text(&text, c->text);
	assert_string_equal(text.data, c->json);
}

int main(void)
{
	return unit_run_rows("json", json_row, UNIT_ROWS(json_cases));
}
