/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/expressions/probe_expression.h"
#include "tests/unit/layout_text.h"
#include "tests/unit/probe_scopes.h"

/* Where the text points to is part of the message. */
static const struct refusal_case {
	const char *name;
	enum probe_scope_kind scope;
	struct probe_request request;
	const char *expected;
} refusal_cases[] = {
	{ "a name that is not there",
	  UPROBE,
	  { .show = "fdd" },
	  "bad values: fdd: at 'fdd': uprobe of f has no 'fdd'; did you mean 'fd'?" },
	{ "a flag that is not there",
	  CALL,
	  { .filter = "flags & F_MADE" },
	  "bad filter: flags & F_MADE: at 'F_MADE': there is no 'F_MADE'; did you mean 'F_MAKE'?" },
	{ "bits of a name that has none",
	  CALL,
	  { .filter = "flags & F_NONE" },
	  "bad filter: flags & F_NONE: at 'F_NONE': this is 0, and has no bits; '==' compares" },
	{ "a member that is not there",
	  UPROBE,
	  { .show = "file->f_flag" },
	  "bad values: file->f_flag: at '->f_flag': struct file has no member 'f_flag'; did you "
	  "mean 'f_flags'?" },
	{ "a member of no struct",
	  UPROBE,
	  { .show = "fd.x" },
	  "bad values: fd.x: at '.x': 'int' has no members" },
	{ "an arrow where a point belongs",
	  UPROBE,
	  { .show = "file->f_path->dentry" },
	  "bad values: file->f_path->dentry: at '->dentry': expected '.': this is a struct and no "
	  "pointer" },
	{ "a name without debug information",
	  BARE,
	  { .show = "foo" },
	  "bad values: foo: at 'foo': fn of g has no 'foo'; without debug information arguments "
	  "are arg1, arg2 and so on" },
	{ "a member without debug information",
	  BARE,
	  { .show = "arg1->x" },
	  "bad values: arg1->x: at '->x': its type is not known; a cast says it: ((struct file "
	  "*)arg1)->f_flags" },
	{ "a cast to what is not known",
	  BARE,
	  { .show = "((struct file *)arg1)->f_flags" },
	  "bad values: ((struct file *)arg1)->f_flags: at '(struct file *)arg1)->f_': 'struct "
	  "file *' is not known, there is no debug information" },
	{ "floating point",
	  UPROBE,
	  { .show = "ratio" },
	  "bad values: ratio: at 'ratio': floating point is not read" },
	{ "floating point of a member",
	  UPROBE,
	  { .show = "file->weight" },
	  "bad values: file->weight: at '->weight': floating point is not read" },
	{ "floating point by number",
	  UPROBE,
	  { .show = "arg5" },
	  "bad values: arg5: at 'arg5': floating point is not read" },
	{ "a whole struct",
	  UPROBE,
	  { .show = "*file" },
	  "bad values: *file: at '*file': this is a whole 'struct file': name one of its members, "
	  "as in .f_path" },
	{ "a whole struct in a register",
	  UPROBE,
	  { .show = "pair" },
	  "bad values: pair: at 'pair': this is a whole 'struct pair': name one of its members, "
	  "as in .a" },
	{ "an array of numbers",
	  UPROBE,
	  { .show = "file->numbers" },
	  "bad values: file->numbers: at '->numbers': this is an array: name an element, as in "
	  "[0], or say how many bytes, as in :bytes[16]" },
	{ "nothing",
	  UPROBE,
	  { .show = "*data" },
	  "bad values: *data: at '*data': it is not known what lies here; ':u32' and the like say "
	  "it" },
	{ "an element too many",
	  UPROBE,
	  { .show = "file->numbers[4]" },
	  "bad values: file->numbers[4]: at '[4]': it has 4 elements" },
	{ "too many arguments",
	  UPROBE,
	  { .show = "arg10" },
	  "bad values: arg10: at 'arg10': uprobe of f has 9 arguments" },
	{ "arguments where a function returns",
	  URETPROBE,
	  { .show = "fd" },
	  "bad values: fd: at 'fd': arguments are gone where a function returns, and this is "
	  "uretprobe of f; 'fn:' keeps them from its entry" },
	{ "a result where none is",
	  UPROBE,
	  { .show = "ret" },
	  "bad values: ret: at 'ret': uprobe of f does not fire where a function returns" },
	{ "a latency where none is",
	  URETPROBE,
	  { .show = "latency" },
	  "bad values: latency: at 'latency': only a probe from entry to return ('fn:') has a "
	  "latency, and this is uretprobe of f" },
	{ "arguments of a tracepoint",
	  RECORD,
	  { .show = "arg1" },
	  "bad values: arg1: at 'arg1': tracepoint a:b has fields, by their names, and no "
	  "arguments" },
	{ "an address of a register",
	  UPROBE,
	  { .show = "&fd" },
	  "bad values: &fd: at '&fd': it has no address: it does not lie in memory" },
	{ "an address of a bit field",
	  UPROBE,
	  { .show = "&file->f_mode" },
	  "bad values: &file->f_mode: at '&file->f_mode': it has no address: it does not lie in "
	  "memory" },
	{ "a text at no address",
	  UPROBE,
	  { .show = "fd:str" },
	  "bad values: fd:str: at 'fd:str': this is no address; '&' before it gives its own" },
	{ "an unknown way to read",
	  UPROBE,
	  { .show = "fd:s31" },
	  "bad values: fd:s31: at 's31': there is str, bytes[N], x, s8 to s64, u8 to u64, x8 to "
	  "x64, char, bool, ns and errno; did you mean 's32'?" },
	{ "a text of no bytes",
	  UPROBE,
	  { .show = "path:str[0]" },
	  "bad values: path:str[0]: at 'str[0]': it can be 1 to 512 bytes" },
	{ "a text of too many bytes",
	  UPROBE,
	  { .show = "path:str[513]" },
	  "bad values: path:str[513]: at 'str[513]': it can be 1 to 512 bytes" },
	{ "a number of no known size",
	  UPROBE,
	  { .show = "file->mac:x" },
	  "bad values: file->mac:x: at 'x': it has 6 bytes; ':u32' and the like say how many to "
	  "read" },
	{ "bytes without a number",
	  UPROBE,
	  { .show = "path:bytes" },
	  "bad values: path:bytes: at 'bytes': expected how many, as in bytes[16] or bytes[arg3]" },
	{ "a number that is none",
	  UPROBE,
	  { .show = "data:bytes[path:str]" },
	  "bad values: data:bytes[path:str]: at 'str]': expected a number, this is a text" },
	{ "too many pointers",
	  BARE,
	  { .show = "********arg1" },
	  "bad values: ********arg1: at '********arg1': more than 6 pointers are followed" },
	{ "too far away",
	  BARE,
	  { .show = "arg1[4000000000]" },
	  "bad values: arg1[4000000000]: at '[4000000000]': this is too far away" },
	{ "an element of what has no size",
	  UPROBE,
	  { .show = "data[1]" },
	  "bad values: data[1]: at '[1]': it is not known how large an element is" },
	{ "a comparison is no value",
	  UPROBE,
	  { .show = "fd==3" },
	  "bad values: fd==3: at '==3': expected '+'" },
	{ "a comparison in parentheses is no value",
	  UPROBE,
	  { .show = "(fd==3)" },
	  "bad values: (fd==3): at '==3)': expected a value, this is a condition" },
	{ "nothing between commas",
	  UPROBE,
	  { .show = "fd++count" },
	  "bad values: fd++count: at '+count': expected a value" },
	{ "nothing behind a comma",
	  UPROBE,
	  { .show = "fd+" },
	  "bad values: fd+: at its end: expected a value" },
	{ "a parenthesis that is not closed",
	  UPROBE,
	  { .show = "(fd" },
	  "bad values: (fd: at its end: expected ')'" },
	{ "a bracket that is not closed",
	  UPROBE,
	  { .show = "list[1" },
	  "bad values: list[1: at its end: expected ']'" },
	{ "what means nothing",
	  UPROBE,
	  { .show = "fd;count" },
	  "bad values: fd;count: at ';count': this means nothing here" },
	{ "a text that does not end",
	  UPROBE,
	  { .show = "", .filter = "path==\"abc" },
	  "bad filter: path==\"abc: at '\"abc': no \" ends it" },
	{ "too many values",
	  UPROBE,
	  { .show = "fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd", .sum = "count" },
	  "bad value: count: at 'count': more than 16 values, the filter's included" },
	{ "more values than a list has",
	  UPROBE,
	  { .show = "fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd" },
	  "bad values: fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd: at 'fd': more than 16 "
	  "values" },
	{ "too much text",
	  UPROBE,
	  { .show = "path:str[512]+path:str[511]+path:str[510]+path:str[509]+path:str[508]" },
	  "bad values: path:str[512]+path:str[511]+path:str[510]+path:str[509]+path:str[508]: at "
	  "'path:str[512]+path:str[5': texts and bytes of more than 2048 together" },
	{ "two sums",
	  UPROBE,
	  { .show = "", .sum = "fd+count" },
	  "bad value: fd+count: at 'count': one value can be the main one" },
	{ "a sum that is a text",
	  UPROBE,
	  { .show = "", .sum = "comm" },
	  "bad value: comm: at 'comm': expected a number, this is a text" },
	{ "five labels",
	  UPROBE,
	  { .show = "", .labels = "fd+count+pid+tid+uid" },
	  "bad labels: fd+count+pid+tid+uid: at 'uid': more than 4 labels" },
	{ "deeper than anything real",
	  UPROBE,
	  { .show = "((((((((((((((((((((((((((((((((((((((((((fd))))))))))))))))))))))))))))))))))))))))))" },
	  "bad values: "
	  "((((((((((((((((((((((((((((((((((((((((((fd)))))))))))))))))))))))))))))))))))))))))): at '((((((((((((((((((((((fd': more than 40 levels deep" },
	{ "an assignment",
	  UPROBE,
	  { .show = "", .filter = "fd = 3" },
	  "bad filter: fd = 3: at '= 3': expected '==' for a comparison" },
	{ "nothing behind a comparison",
	  UPROBE,
	  { .show = "", .filter = "fd ==" },
	  "bad filter: fd ==: at its end: expected a value" },
	{ "nothing between two",
	  UPROBE,
	  { .show = "", .filter = "fd == 3 && || fd == 4" },
	  "bad filter: fd == 3 && || fd == 4: at '|| fd == 4': expected a value" },
	{ "an AND too little",
	  UPROBE,
	  { .show = "", .filter = "fd == 3 fd == 4" },
	  "bad filter: fd == 3 fd == 4: at 'fd == 4': expected && or ||" },
	{ "a comparison of a comparison",
	  UPROBE,
	  { .show = "", .filter = "fd < 3 < 4" },
	  "bad filter: fd < 3 < 4: at '< 4': expected && or ||" },
	{ "a condition that is compared",
	  UPROBE,
	  { .show = "", .filter = "(fd == 3) == 4" },
	  "bad filter: (fd == 3) == 4: at '== 4': expected && or || after a condition" },
	{ "a condition on the right",
	  UPROBE,
	  { .show = "", .filter = "fd == (fd == 3)" },
	  "bad filter: fd == (fd == 3): at '== 3)': expected a value, this is a condition" },
	{ "an unknown name",
	  UPROBE,
	  { .show = "", .filter = "fdd == 3" },
	  "bad filter: fdd == 3: at 'fdd == 3': uprobe of f has no 'fdd'; did you mean 'fd'?" },
	{ "an unknown name on the right",
	  UPROBE,
	  { .show = "", .filter = "fd == countt" },
	  "bad filter: fd == countt: at 'countt': uprobe of f has no 'countt'; did you mean "
	  "'count'?" },
	{ "an unknown name of an enum",
	  UPROBE,
	  { .show = "", .filter = "file->state == CLOSE" },
	  "bad filter: file->state == CLOSE: at 'CLOSE': there is no 'CLOSE'; did you mean "
	  "'CLOSED'?" },
	{ "an unknown error",
	  FN,
	  { .show = "", .filter = "ret == -ENOENTT" },
	  "bad filter: ret == -ENOENTT: at '-ENOENTT': there is no 'ENOENTT'" },
	{ "two constants",
	  UPROBE,
	  { .show = "", .filter = "3 == 4" },
	  "bad filter: 3 == 4: at '3 == 4': nothing is read here that could be compared" },
	{ "a constant alone",
	  UPROBE,
	  { .show = "", .filter = "3" },
	  "bad filter: 3: at '3': nothing is read here that could be compared" },
	{ "a text as a number",
	  UPROBE,
	  { .show = "", .filter = "fd == \"3\"" },
	  "bad filter: fd == \"3\": at '\"3\"': it is a number that is compared; ':str' reads the "
	  "text that lies at it" },
	{ "a number as a text",
	  UPROBE,
	  { .show = "", .filter = "file->name == 3" },
	  "bad filter: file->name == 3: at '->name == 3': expected a number, this is a text" },
	{ "an order of texts",
	  UPROBE,
	  { .show = "", .filter = "path < \"a\"" },
	  "bad filter: path < \"a\": at '\"a\"': texts are compared by == and != only" },
	{ "a star inside",
	  UPROBE,
	  { .show = "", .filter = "path == \"a*b\"" },
	  "bad filter: path == \"a*b\": at '*b\"': '*' stands for the rest, at the end of a text; "
	  "'\\*' is the character" },
	{ "a text too long",
	  UPROBE,
	  { .show = "",
	    .filter =
		    "path == "
		    "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg\"" },
	  "bad filter: path == "
	  "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg\": at "
	  "'\"aaaaaaaaaabbbbbbbbbbccc': a text has at most 64 bytes" },
	{ "a text longer than the field",
	  UPROBE,
	  { .show = "", .filter = "file->name == \"aaaaaaaaaabbbbbbbbbb\"" },
	  "bad filter: file->name == \"aaaaaaaaaabbbbbbbbbb\": at '\"aaaaaaaaaabbbbbbbbbb\"': "
	  "only 16 bytes are read, which are never that" },
	{ "more texts than there is room for",
	  UPROBE,
	  { .show = "",
	    .filter =
		    "path == \"a\" || path == \"b\" || path == \"c\" || path == \"d\" || path == "
		    "\"e\"" },
	  "bad filter: path == \"a\" || path == \"b\" || path == \"c\" || path == \"d\" || path "
	  "== \"e\": at '\"e\"': more than 4 texts" },
	{ "a negative number of an unsigned value",
	  UPROBE,
	  { .show = "", .filter = "count < -1" },
	  "bad filter: count < -1: at '-1': an unsigned number of 64 bits is never that; ':s64' "
	  "and the like read it otherwise" },
	{ "a number that is too large",
	  UPROBE,
	  { .show = "", .filter = "file->ok == 300" },
	  "bad filter: file->ok == 300: at '300': an unsigned number of 8 bits is never that; "
	  "':s64' and the like read it otherwise" },
	{ "a number that is too large for a sign",
	  UPROBE,
	  { .show = "", .filter = "fd > 0x80000000" },
	  "bad filter: fd > 0x80000000: at '0x80000000': a signed number of 32 bits is never "
	  "that; ':u64' and the like read it otherwise" },
	{ "a number of more than 64 bits",
	  UPROBE,
	  { .show = "", .filter = "count == 99999999999999999999" },
	  "bad filter: count == 99999999999999999999: at '99999999999999999999': this number is "
	  "too large" },
	{ "no octal number",
	  UPROBE,
	  { .show = "", .filter = "count == 089" },
	  "bad filter: count == 089: at '089': this begins as an octal number and is none" },
	{ "no number",
	  UPROBE,
	  { .show = "", .filter = "count == 3x" },
	  "bad filter: count == 3x: at '3x': this is no number, size (4k) or time (3ms)" },
	{ "two characters",
	  UPROBE,
	  { .show = "", .filter = "count == 'ab'" },
	  "bad filter: count == 'ab': at ''ab'': expected one character; a text stands in \"…\"" },
	{ "no address",
	  RECORD,
	  { .show = "", .filter = "saddr == \"10.0.0\"" },
	  "bad filter: saddr == \"10.0.0\": at '\"10.0.0\"': expected an address, as in "
	  "\"10.0.0.1\" or \"fe80::1\"" },
	{ "a sign before what has none",
	  UPROBE,
	  { .show = "", .filter = "fd == -\"a\"" },
	  "bad filter: fd == -\"a\": at '\"a\"': expected a number" },
	{ "a filter of nothing",
	  UPROBE,
	  { .show = "", .filter = "" },
	  "bad filter: : at its end: expected a value" },
	{ "too many comparisons",
	  UPROBE,
	  { .show = "",
	    .filter =
		    "fd == 1 || fd == 2 || fd == 3 || fd == 4 || fd == 5 || fd == 6 || fd == 7 || "
		    "fd == 8 || fd == 9 || fd == 10 || fd == 11 || fd == 12 || fd == 13 || fd == "
		    "14 || fd == 15 || fd == 16 || fd == 17" },
	  "bad filter: fd == 1 || fd == 2 || fd == 3 || fd == 4 || fd == 5 || fd == 6 || fd == 7 "
	  "|| fd == 8 || fd == 9 || fd == 10 || fd == 11 || fd == 12 || fd == 13 || fd == 14 || "
	  "fd == 15 || fd == 16 || fd == 17: at '|| fd == 17': 17 comparisons, and at most 16 can "
	  "be made" },
	{ "values of a filter that have no room",
	  UPROBE,
	  { .show = "fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd+fd",
	    .filter = "count == 1 && pid == 2" },
	  "bad filter: count == 1 && pid == 2: at 'pid == 2': more than 16 values, the filter's "
	  "included" },
};

static void refusal_row(void **state)
{
	const struct refusal_case *c = *state;
	struct probe_layout layout, untouched;
	struct error err = { 0 };

	memset(&layout, 0x5a, sizeof(layout));
	untouched = layout;
	assert_int_equal(probe_compile(&c->request, &probe_scopes[c->scope], &layout, &err),
			 -EINVAL);
	assert_string_equal(err.text, c->expected);
	assert_int_equal(err.code, -EINVAL);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_memory_equal(&layout, &untouched, sizeof(layout));
	assert_int_equal(probe_compile(&c->request, &probe_scopes[c->scope], &layout, NULL),
			 -EINVAL);
}

static const char *const incomplete[] = { "fd ==", "(fd == 1", "fd == 1 &&", "!",
					  "\"",	   "fd:",      "fd:str[",    "a b" };

/* Before anything is known of the place, what is no expression is refused, and nothing else. */
static void test_check(void **state)
{
	struct probe_request request = { .show = "foo->bar+x=arg1:str",
					 .sum = "ret",
					 .labels = "a+b",
					 .filter = "foo == BAR && !baz" };
	struct error err;

	assert_int_equal(probe_request_check(&request, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(incomplete); i++) {
		request.filter = incomplete[i];
		assert_int_equal(probe_request_check(&request, &err), -EINVAL);
		assert_non_null(strstr(err.text, incomplete[i]));
	}
	request = (struct probe_request){ .show = "a,b" };
	assert_int_equal(probe_request_check(&request, &err), -EINVAL);
	request = (struct probe_request){ .labels = "a,b" };
	assert_int_equal(probe_request_check(&request, &err), -EINVAL);
	request = (struct probe_request){ 0 };
	assert_int_equal(probe_request_check(&request, &err), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("what is no expression is refused at once", test_check),
	};

	return unit_run_rows("refusal", refusal_row, UNIT_ROWS(refusal_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
