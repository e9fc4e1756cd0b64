/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/probes/probe_show.h"
#include "tests/unit/unit.h"

static int weekday(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	static const struct type_enumerator days[] = { { "MONDAY", 1 }, { "NEVER", -1 } };

	if (index >= 2)
		return -ENOENT;
	*ret = days[index];
	return 0;
}

static const struct type_provider provider = { .enumerator = weekday };

struct number_case {
	const char *name;
	enum probe_show show;
	uint64_t number;
	const char *expected;
};

static const struct number_case numbers[] = {
	{ "a signed number", PROBE_SHOW_SIGNED, -5ull, "-5" },
	{ "an unsigned one", PROBE_SHOW_UNSIGNED, -5ull, "18446744073709551611" },
	{ "a pointer", PROBE_SHOW_HEXADECIMAL, 0x7f00dead, "0x7f00dead" },
	{ "true", PROBE_SHOW_BOOL, 1, "true" },
	{ "false", PROBE_SHOW_BOOL, 0, "false" },
	{ "a bool that is neither", PROBE_SHOW_BOOL, 7, "7" },
	{ "a character", PROBE_SHOW_CHAR, 'x', "'x'" },
	{ "a quote", PROBE_SHOW_CHAR, '\'', "'\\''" },
	{ "quotes need no escape there", PROBE_SHOW_CHAR, '"', "'\"'" },
	{ "a newline", PROBE_SHOW_CHAR, '\n', "'\\n'" },
	{ "no character", PROBE_SHOW_CHAR, 0, "'\\0'" },
	{ "an escape is none to a terminal", PROBE_SHOW_CHAR, 0x1b, "'\\x1b'" },
	{ "more than a character", PROBE_SHOW_CHAR, -2ull, "-2" },
	{ "an enumerator", PROBE_SHOW_ENUM, 1, "MONDAY" },
	{ "a negative one", PROBE_SHOW_ENUM, -1ull, "NEVER" },
	{ "a number that no enumerator has", PROBE_SHOW_ENUM, 4, "4" },
	{ "flags, and bits without a name", PROBE_SHOW_FLAGS, 0x1001, "MONDAY|0x1000" },
	{ "no flags", PROBE_SHOW_FLAGS, 0, "0" },
	{ "a time", PROBE_SHOW_NANOSECONDS, 1500000, "1.50 ms" },
	{ "what a call returned", PROBE_SHOW_ERRNO, 3, "3" },
	{ "what it failed with", PROBE_SHOW_ERRNO, -2ull, "-1 ENOENT (No such file or directory)" },
	{ "an error without a name", PROBE_SHOW_ERRNO, -4000ull, "-1 (errno 4000)" },
	{ "one that no caller sees", PROBE_SHOW_ERRNO, -512ull,
	  "? ERESTARTSYS (interrupted by a signal)" },
	{ "an address at the end of memory is none", PROBE_SHOW_ERRNO, -4096ull, "-4096" },
	{ "an IPv4 address, as it lies in memory", PROBE_SHOW_ADDRESS4, 0x0100007f, "127.0.0.1" },
	{ "a protocol", PROBE_SHOW_PROTOCOL, 6, "TCP" },
	{ "one without a name", PROBE_SHOW_PROTOCOL, 200, "200" },
	{ "flags of TCP", PROBE_SHOW_TCP_FLAGS, 0x12, "SYN|ACK" },
	{ "none of them", PROBE_SHOW_TCP_FLAGS, 0, "0" },
	{ "one that TCP has not", PROBE_SHOW_TCP_FLAGS, 0x102, "SYN|0x100" },
	{ "a state of TCP", PROBE_SHOW_TCP_STATE, 1, "ESTABLISHED" },
	{ "an unknown one", PROBE_SHOW_TCP_STATE, 99, "99" },
};

static void test_number(void **state)
{
	const struct number_case *c = *state;
	struct probe_value value = { .show = c->show, .type_info = { .provider = &provider } };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	probe_show_number(&value, c->number, &text);
	assert_string_equal(text.data, c->expected);
}

struct bytes_case {
	const char *name;
	enum probe_show show;
	const char *bytes;
	size_t size;
	bool is_cut;
	const char *expected;
};

#define BYTES(text) (text), sizeof(text) - 1

static const struct bytes_case byte_rows[] = {
	{ "a text in quotes", PROBE_SHOW_TEXT, BYTES("/etc/passwd"), false, "\"/etc/passwd\"" },
	{ "nothing", PROBE_SHOW_TEXT, BYTES(""), false, "\"\"" },
	{ "one that was cut says so", PROBE_SHOW_TEXT, BYTES("abc"), true, "\"abc\"..." },
	{ "quotes and backslashes", PROBE_SHOW_TEXT, BYTES("a\"b\\c"), false, "\"a\\\"b\\\\c\"" },
	{ "control characters", PROBE_SHOW_TEXT, BYTES("\a\n\x1b[0m\x7f"), false,
	  "\"\\a\\n\\x1b[0m\\x7f\"" },
	{ "letters of other languages", PROBE_SHOW_TEXT, BYTES("\u00fc\u20ac\U0001f600"), false,
	  "\"\u00fc\u20ac\U0001f600\"" },
	{ "what is no letter at all", PROBE_SHOW_TEXT, BYTES("\xff\xc3"), false,
	  "\"\\xff\\xc3\"" },
	{ "a control character of two bytes", PROBE_SHOW_TEXT, BYTES("\xc2\x9b"), false,
	  "\"\\xc2\\x9b\"" },
	{ "bytes", PROBE_SHOW_BYTES, BYTES("\0\1A"), false, "\"\\x00\\x01A\"" },
	{ "an IPv4 address", PROBE_SHOW_ADDRESS, BYTES("\xc0\xa8\x00\x01"), false, "192.168.0.1" },
	{ "an IPv6 address", PROBE_SHOW_ADDRESS,
	  BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), false, "::1" },
	{ "an address of no such size", PROBE_SHOW_ADDRESS, BYTES("abc"), false, "\"abc\"" },
};

static void test_bytes(void **state)
{
	const struct bytes_case *c = *state;
	struct probe_value value = { .show = c->show };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	probe_show_bytes(&value, c->bytes, c->size, c->is_cut, &text);
	assert_string_equal(text.data, c->expected);
}

int main(void)
{
	return unit_run_rows("numbers", test_number, UNIT_ROWS(numbers)) +
	       unit_run_rows("bytes", test_bytes, UNIT_ROWS(byte_rows));
}
