/* SPDX-License-Identifier: BSD-2-Clause */
/* Every function of libraries is found by its names, though most names are never demangled for it. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "symbolizer/code/function_list.h"
#include "symbolizer/code/name_pattern.h"
#include "symbolizer/demangle.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/program_module.h"

#define CXX_LIBRARY "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"

static const struct words_case {
	const char *name;
	const char *pattern;
	size_t words;		/* that a mangled name must have */
} words_cases[] = {
	{ "a plain name must be there", "malloc", 1 },
	{ "so must each part of a scope", "shop::Till::add", 3 },
	{ "letters beside a star must, too", "*mallo*", 1 },
	{ "what demanglers write need not", "std::string::operator new(unsigned long)", 0 },
	{ "nor a part of it", "*oper*", 0 },
	{ "a number need not", "*64*", 0 },
	{ "nor one of several letters", "xq[yz]*", 1 },
	{ "no name has no words", "*", 0 },
};

static void words_row(void **state)
{
	const struct words_case *c = *state;
	struct name_pattern pattern;

	name_pattern_init(&pattern, c->pattern);
	assert_int_equal(pattern.word_count, c->words);
}

static void expect_match(const char *pattern, const char *symbol)
{
	struct name_pattern asked;

	name_pattern_init(&asked, pattern);
	if (name_pattern_matches_symbol(&asked, symbol) != 1)
		fail_msg("\"%s\" does not find %s", pattern, symbol);
}

/* What is asked for by the first or last half of @name, or by all of it. */
static void expect_found(const char *name, const char *symbol)
{
	size_t half = strlen(name) / 2;
	char *glob = malloc(half + 2);

	assert_non_null(glob);
	expect_match(name, symbol);
	/* A bracket that is cut off its other one is a glob of something else. */
	if (!strpbrk(name, "[]\\")) {
		memcpy(glob, name, half);
		strcpy(glob + half, "*");
		expect_match(glob, symbol);
		*glob = '*';
		snprintf(glob + 1, half + 1, "%s", name + strlen(name) - half);
		expect_match(glob, symbol);
	}
	free(glob);
}

static size_t expect_all_found(struct module *mod)
{
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT;
	const struct function_entry *entry;
	struct function_list *list = NULL;
	size_t count, i;

	assert_int_equal(function_list_read(mod, "*", 0, &list), 0);
	count = function_list_count(list);
	for (i = 0; i < count; i++) {
		entry = function_list_at(list, i);
		if (strchr(entry->symbol, '@') || strstr(entry->name, " [clone "))
			continue;
		expect_found(entry->name, entry->symbol);
		strbuf_reset(&plain);
		assert_true(demangle_symbol_plain(entry->symbol, &plain) >= 0);
		expect_found(plain.data, entry->symbol);
	}
	function_list_free(list);
	return count;
}

static void test_all_found(void **state)
{
	_cleanup_(module_putp) struct module *cxx = program_module(CXX_LIBRARY);
	_cleanup_(module_putp) struct module *rust = program_module("rust_work");

	assert_non_null(cxx);
	assert_true(expect_all_found(cxx) > 3000);
	if (rust)
		assert_true(expect_all_found(rust) > 300);
}

static int match(void *symbol)
{
	struct name_pattern pattern;

	name_pattern_init(&pattern, "shop::Till::add");
	return name_pattern_matches_symbol(&pattern, symbol);
}

static int show(void *symbol)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

	return name_pattern_show(symbol, &buf);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(match, "_ZN4shop4Till3addEi@@V1") >= 3);
	assert_true(fail_alloc_each(show, "_ZN4shop4Till3addEi.isra.0") >= 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("every function of libstdc++ is found by its names", test_all_found),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("words", words_row, UNIT_ROWS(words_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
