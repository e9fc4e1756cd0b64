/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/cleanup.h"
#include "profiler/base/number.h"

static const struct {
	const char *text;
	bool has_file, has_category, wants_category, has_offset, may_be_empty;
} grammars[] = {
	[PROBE_GRAMMAR_FUNCTION] = { "FILE:FUNCTION[+OFFSET]", .has_file = true,
				     .has_offset = true },
	[PROBE_GRAMMAR_USDT] = { "FILE:[PROVIDER:]NAME", .has_file = true, .has_category = true },
	[PROBE_GRAMMAR_KERNEL] = { "FUNCTION[+OFFSET]", .has_offset = true },
	[PROBE_GRAMMAR_TRACEPOINT] = { "CATEGORY:NAME", .has_category = true,
				       .wants_category = true },
	[PROBE_GRAMMAR_NAME] = { "NAME" },
	[PROBE_GRAMMAR_LIST] = { "NAME[+NAME]", .may_be_empty = true },
};

const char *probe_grammar_text(enum probe_grammar grammar)
{
	return grammars[grammar].text;
}

bool probe_name_is_glob(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

static char *cut_file(char **rest)
{
	char *text = *rest, *colon = strchr(text, ':');

	if (!colon)
		return NULL;
	*colon = 0;
	*rest = colon + 1;
	return text;
}

/* At the first single colon: "::" belongs to the names of C++ and Rust. */
static char *cut_category(char **rest)
{
	char *text = *rest;

	for (char *at = text; (at = strchr(at, ':')); at += 2) {
		if (at[1] == ':')
			continue;
		*at = 0;
		*rest = at + 1;
		return text;
	}
	return NULL;
}

/* "+4" or "+0x4" at the end: "operator+" has none. */
static void cut_offset(char *name, struct probe_words *ret)
{
	char *plus = strrchr(name, '+');

	if (!plus || plus == name || !isdigit((unsigned char)plus[1]) ||
	    number_parse_u64(plus + 1, UINT64_MAX, &ret->offset) < 0)
		return;
	*plus = 0;
	ret->has_offset = true;
}

static int cut(enum probe_grammar grammar, char *rest, struct probe_words *ret)
{
	if (grammars[grammar].has_file) {
		ret->file = cut_file(&rest);
		if (!ret->file)
			return -EINVAL;
	}
	if (grammars[grammar].has_category) {
		const char *category = cut_category(&rest);

		if (!category && grammars[grammar].wants_category)
			return -EINVAL;
		ret->category = category ?: "*";
	}
	if (grammars[grammar].has_offset)
		cut_offset(rest, ret);
	ret->name = rest;
	if (grammars[grammar].has_category && !*ret->category)
		return -EINVAL;
	return *rest || grammars[grammar].may_be_empty ? 0 : -EINVAL;
}

int probe_words_parse(enum probe_grammar grammar, const char *scheme, const char *argument,
		      struct probe_words *ret, struct error *err)
{
	struct probe_words words = { .file = "", .category = "", .name = "" };
	int r;

	words.copy = strdup(argument ?: "");
	if (!words.copy)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	r = cut(grammar, words.copy, &words);
	if (r < 0) {
		free(words.copy);
		return error_set(err, ERROR_USAGE, r, "bad event: %s%s%s: expected %s:%s", scheme,
				 argument ? ":" : "", argument ?: "", scheme,
				 grammars[grammar].text);
	}
	*ret = words;
	return 0;
}

void probe_words_done(struct probe_words *words)
{
	free(words->copy);
	words->copy = NULL;
}
