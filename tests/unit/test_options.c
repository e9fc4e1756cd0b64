/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "profiler/base/suggest.h"
#include "tests/unit/fail_alloc.h"
#include "tools/options/options.h"

#define WORDS_MAX 8

struct values {
	bool help, verbose, all;
	uint32_t count;
	uint64_t duration_ns, size_bytes;
	const char *name;
	struct text_list files, keys;
	struct process_list pids;
	int color;
};

static const char *color_choice(size_t index, const char **ret_help)
{
	static const char *const colors[] = { "red", "green", "blue" };

	*ret_help = "";
	return index < ARRAY_SIZE(colors) ? colors[index] : NULL;
}

#define FIELD(member) .offset = offsetof(struct values, member)

static const struct option_row table[] = {
	{ .letter = 'h', .name = "help", .help = "h", .parse = option_parse_flag, FIELD(help) },
	{ .letter = 'v', .name = "verbose", .help = "h", .parse = option_parse_flag,
	  FIELD(verbose) },
	{ .letter = 'a', .name = "all", .help = "h", .parse = option_parse_flag, FIELD(all) },
	{ .letter = 'F', .name = "frequency", .argument = "HZ", .help = "h",
	  .parse = option_parse_u32, FIELD(count), .min = 1, .max = 1000 },
	{ .letter = 'd', .name = "duration", .argument = "TIME", .help = "h",
	  .parse = option_parse_duration, FIELD(duration_ns), .min = 1 },
	{ .name = "memory", .argument = "SIZE", .help = "h", .parse = option_parse_size,
	  FIELD(size_bytes), .min = 4096 },
	{ .letter = 'n', .name = "name", .argument = "NAME", .help = "h",
	  .parse = option_parse_text, FIELD(name) },
	{ .letter = 'o', .name = "output", .argument = "FILE", .help = "h",
	  .parse = option_parse_texts, FIELD(files) },
	{ .name = "by", .argument = "KEY,...", .help = "h", .parse = option_parse_texts,
	  FIELD(keys), .is_list = true },
	{ .letter = 'p', .name = "pid", .argument = "PID,...", .help = "h",
	  .parse = option_parse_processes, FIELD(pids), .is_list = true },
	{ .name = "color", .argument = "NAME", .help = "h", .parse = option_parse_choice,
	  FIELD(color), .choice = color_choice },
	{ .name = "secret", .argument = "N", .parse = option_parse_u32, FIELD(count) },
	{ 0 },
};

static const struct option_case {
	const char *name;
	const char *argv[WORDS_MAX];	/* behind the name of the command */
	const char *expected;		/* what render() makes of it, or the error */
} option_cases[] = {
	{ "no arguments change nothing", { NULL }, "" },
	{ "a short flag is set", { "-v" }, "verbose " },
	{ "a long flag is set", { "--verbose" }, "verbose " },
	{ "short flags may be in one word", { "-va" }, "verbose all " },
	{ "the last of them may take a value", { "-vaF7" }, "verbose all count=7 " },
	{ "or find it in the next word", { "-vF", "7" }, "verbose count=7 " },
	{ "a letter behind a value is part of it", { "-nav" }, "name=av " },
	{ "a value may be glued to a letter", { "-F99" }, "count=99 " },
	{ "an = behind a letter is part of the value", { "-n=x" }, "name==x " },
	{ "a long option takes the next word", { "--frequency", "99" }, "count=99 " },
	{ "a long option takes what is behind =", { "--frequency=99" }, "count=99 " },
	{ "the first = is the one that counts", { "--name=a=b" }, "name=a=b " },
	{ "a value may look like an option", { "-n", "-v" }, "name=-v " },
	{ "a value may be two dashes", { "-n", "--", "-v" }, "verbose name=-- " },
	{ "a single dash is a value", { "-o", "-" }, "files=-; " },
	{ "a single dash is a word", { "-" }, "word=- " },
	{ "words and options may be mixed", { "x", "-v", "y", "-a" },
	  "verbose all word=x word=y " },
	{ "two dashes end the options", { "-v", "--", "ls", "-a" }, "verbose command=ls,-a, " },
	{ "two dashes may be the end", { "--" }, "command= " },
	{ "words before two dashes are words", { "x", "--", "y" }, "word=x command=y, " },
	{ "the last one of a number counts", { "-F1", "-F2" }, "count=2 " },
	{ "lists grow", { "-o", "a", "-o", "b" }, "files=a;b; " },
	{ "a comma is part of a file's name", { "-o", "a,b" }, "files=a,b; " },
	{ "a list splits at commas", { "--by=a,b", "--by", "c" }, "keys=a;b;c; " },
	{ "process numbers split at commas", { "-p1,22", "-p", "333" }, "pids=1;22;333; " },
	{ "a time has units", { "-d", "500ms" }, "duration=500000000 " },
	{ "a size has units", { "--memory", "1M" }, "size=1048576 " },
	{ "a choice is known by its place", { "--color=blue" }, "color=2 " },
	{ "help ends parsing", { "-v", "--help", "--nonsense" }, "help verbose " },
	{ "help inside a cluster ends parsing", { "-hX" }, "help " },
	{ "a hidden option works", { "--secret=5" }, "count=5 " },

	{ "an unknown option names the nearest", { "--frequence=3" },
	  "unknown option: --frequence: did you mean --frequency?" },
	{ "two swapped letters are one slip", { "--verobse" },
	  "unknown option: --verobse: did you mean --verbose?" },
	{ "the beginning of a name is that name", { "--dur" },
	  "unknown option: --dur: did you mean --duration?" },
	{ "what is far from everything has no suggestion", { "--xyzzy" },
	  "unknown option: --xyzzy" },
	{ "a hidden option is not suggested", { "--secre" }, "unknown option: --secre" },
	{ "an unknown letter is refused", { "-x" }, "unknown option: -x" },
	{ "the other case is suggested", { "-V" }, "unknown option: -V: did you mean -v?" },
	{ "one dash too few is seen", { "-color" }, "unknown option: -c: did you mean --color?" },
	{ "an unknown letter in a cluster is refused", { "-vx" }, "unknown option: -x" },
	{ "a blank is no letter", { "- " }, "unknown option: - " },
	{ "an option without a name is refused", { "--=3" }, "unknown option: --" },
	{ "a missing value is said", { "--frequency" }, "missing value: --frequency: needs HZ" },
	{ "a missing value of a letter is said", { "-vF" }, "missing value: -F: needs HZ" },
	{ "a flag takes no value", { "--all=yes" }, "bad option: --all=yes: takes no value" },
	{ "a number must be one", { "-Fx" },
	  "bad value: --frequency x: not a number from 1 to 1000" },
	{ "a number has a least value", { "-F0" },
	  "bad value: --frequency 0: not a number from 1 to 1000" },
	{ "a number has a greatest value", { "-F", "1001" },
	  "bad value: --frequency 1001: not a number from 1 to 1000" },
	{ "a number may be limited by its field alone", { "--secret=4294967296" },
	  "bad value: --secret 4294967296: not a number from 0 to 4294967295" },
	{ "a time must be one", { "-d", "soon" },
	  "bad value: --duration soon: not a time such as 10, 500ms or 2m" },
	{ "a time may be too short", { "-d0" }, "bad value: --duration 0: too short" },
	{ "a size must be one", { "--memory=x" },
	  "bad value: --memory x: not a size such as 64M or 1G" },
	{ "a size may be too small", { "--memory=1K" },
	  "bad value: --memory 1K: less than 4096 bytes" },
	{ "a text may not be empty", { "--name=" }, "bad value: --name : an empty value" },
	{ "a file may not be empty", { "-o", "" }, "bad value: --output : an empty value" },
	{ "an item may not be empty", { "--by=a,,b" },
	  "bad value: --by a,,b: an empty item in the list" },
	{ "a list may not end with a comma", { "-p1," },
	  "bad value: --pid 1,: an empty item in the list" },
	{ "zero is no process", { "-p0" },
	  "bad value: --pid 0: not the number of a process or thread" },
	{ "a negative number is no process", { "-p", "-1" },
	  "bad value: --pid -1: not the number of a process or thread" },
	{ "a choice is suggested", { "--color=geren" },
	  "bad value: --color geren: did you mean green?" },
	{ "choices are listed", { "--color=pink" },
	  "bad value: --color pink: known are red, green, blue" },
};

static void render_texts(struct strbuf *text, const char *name, const struct text_list *list)
{
	size_t i;

	if (list->count)
		strbuf_printf(text, "%s=", name);
	for (i = 0; i < list->count; i++)
		strbuf_printf(text, "%s;", list->texts[i]);
	if (list->count)
		strbuf_add_char(text, ' ');
}

static void render_values(struct strbuf *text, const struct values *values)
{
	size_t i;

	strbuf_printf(text, "%s%s%s", values->help ? "help " : "",
		      values->verbose ? "verbose " : "", values->all ? "all " : "");
	if (values->count)
		strbuf_printf(text, "count=%" PRIu32 " ", values->count);
	if (values->duration_ns)
		strbuf_printf(text, "duration=%" PRIu64 " ", values->duration_ns);
	if (values->size_bytes)
		strbuf_printf(text, "size=%" PRIu64 " ", values->size_bytes);
	if (values->name)
		strbuf_printf(text, "name=%s ", values->name);
	if (values->color)
		strbuf_printf(text, "color=%d ", values->color);
	render_texts(text, "files", &values->files);
	render_texts(text, "keys", &values->keys);
	if (values->pids.count)
		strbuf_add_text(text, "pids=");
	for (i = 0; i < values->pids.count; i++)
		strbuf_printf(text, "%d;%s", values->pids.ids[i],
			      i + 1 == values->pids.count ? " " : "");
}

static void render_words(struct strbuf *text, const struct option_words *words)
{
	int i;

	for (i = 0; i < words->count; i++)
		strbuf_printf(text, "word=%s ", words->words[i]);
	if (!words->command)
		return;
	strbuf_add_text(text, "command=");
	for (i = 0; words->command[i]; i++)
		strbuf_printf(text, "%s,", words->command[i]);
	strbuf_add_char(text, ' ');
}

static void values_done(struct values *values)
{
	text_list_done(&values->files);
	text_list_done(&values->keys);
	process_list_done(&values->pids);
}

static int parse_case(const struct option_case *c, struct values *values,
		      struct option_words *words, struct error *err)
{
	/* Parsing moves words within argv. */
	static char *argv[WORDS_MAX + 2];
	int argc = 1;

	argv[0] = (char *)"test";
	for (; c->argv[argc - 1]; argc++)
		argv[argc] = (char *)c->argv[argc - 1];
	argv[argc] = NULL;
	return options_parse(table, argc, argv, values, words, err);
}

static void option_row(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_(values_done) struct values values = { 0 };
	const struct option_case *c = *state;
	struct option_words words;
	struct error err;
	int r;

	r = parse_case(c, &values, &words, &err);
	if (r >= 0) {
		render_values(&text, &values);
		render_words(&text, &words);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_int_equal(err.code, -EINVAL);
		assert_int_equal(err.kind, ERROR_USAGE);
		strbuf_add_text(&text, err.text);
	}
	assert_string_equal(text.data, c->expected);
}

static const struct suggest_case {
	const char *name;
	const char *wanted;
	const char *offered[4];
	const char *nearest;
} suggest_cases[] = {
	{ "nothing offered, nothing suggested", "record", { NULL }, NULL },
	{ "the same name is the nearest", "record", { "recon", "record" }, "record" },
	{ "a letter less", "recrd", { "help", "record" }, "record" },
	{ "a letter more", "recoord", { "record" }, "record" },
	{ "another letter", "recort", { "record" }, "record" },
	{ "swapped neighbours", "recrod", { "record" }, "record" },
	{ "the nearer one wins", "mergr", { "serve", "merge" }, "merge" },
	{ "the first of equals wins", "tep", { "top", "tap" }, "top" },
	{ "another word is not near", "banana", { "record", "help" }, NULL },
	{ "one letter is near nothing of two", "x", { "ab" }, NULL },
	{ "an empty name is near nothing", "", { "a" }, NULL },
	{ "a name of more than 32 letters is near nothing",
	  "recordrecordrecordrecordrecordrecord", { "record" }, NULL },
};

static void suggest_row(void **state)
{
	const struct suggest_case *c = *state;
	struct suggestion suggestion = { .wanted = c->wanted };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c->offered) && c->offered[i]; i++)
		suggestion_offer(&suggestion, c->offered[i]);
	if (!c->nearest)
		assert_null(suggestion_get(&suggestion));
	else
		assert_string_equal(suggestion_get(&suggestion), c->nearest);
}

static int parse_lists(void *arg)
{
	static const struct option_case c = {
		.argv = { "-o", "a", "--by=x,y", "-p", "1,2" },
	};
	_cleanup_(values_done) struct values values = { 0 };
	struct option_words words;
	struct error err;

	return parse_case(&c, &values, &words, &err);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(parse_lists, NULL) > 0);
}

static void test_untouched(void **state)
{
	static const struct option_case c = { .argv = { "--nonsense" } };
	struct option_words words = { .count = 42 };
	struct values values = { 0 };
	struct error err;

	assert_int_equal(parse_case(&c, &values, &words, &err), -EINVAL);
	assert_int_equal(words.count, 42);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("parsing reports every failed allocation", test_no_memory),
		UNIT_TEST("a failure leaves the words alone", test_untouched),
	};

	return unit_run_rows("options", option_row, UNIT_ROWS(option_cases)) +
	       unit_run_rows("suggestions", suggest_row, UNIT_ROWS(suggest_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
