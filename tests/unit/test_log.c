/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/log.h"

static const struct log_case {
	const char *name;
	const char *text;
	int result;
	unsigned int domains;
} log_cases[] = {
	{ "one domain is that one", "drain", 0, LOG_DRAIN },
	{ "domains are joined by commas", "drain,symbolizer", 0, LOG_DRAIN | LOG_SYMBOLIZER },
	{ "a domain may be named twice", "libbpf,libbpf", 0, LOG_LIBBPF },
	{ "all is every domain", "all", 0, ~0U },
	{ "an unknown domain is refused", "drains", -EINVAL, 0 },
	{ "half a name is refused", "drai", -EINVAL, 0 },
	{ "one unknown domain refuses all", "drain,nothing", -EINVAL, 0 },
	{ "nothing is no domain", "", -EINVAL, 0 },
	{ "a trailing comma is refused", "drain,", -EINVAL, 0 },
};

static void log_row(void **state)
{
	const struct log_case *c = *state;

	log_domains = LOG_TABLES;
	assert_int_equal(log_parse_domains(c->text), c->result);
	assert_int_equal(log_domains, c->result < 0 ? LOG_TABLES : c->domains);
}

static void test_lines(void **state)
{
	_cleanup_fclose_ FILE *file = tmpfile();
	FILE *saved = stderr;
	char text[128] = "";

	assert_non_null(file);
	log_domains = LOG_DRAIN | LOG_SESSION;
	stderr = file;
	log_debug(LOG_DRAIN, "%d samples", 3);
	log_debug(LOG_TABLES, "not asked for");
	log_debug(LOG_SESSION, "ends");
	stderr = saved;
	rewind(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	assert_string_equal(text, "drain: 3 samples\nsession: ends\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a domain that was asked for gives a line, others nothing", test_lines),
	};

	return unit_run_rows("log domains", log_row, UNIT_ROWS(log_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
