/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "symbolizer/demangle.h"
#include "tests/unit/fail_alloc.h"

static const struct demangle_case {
	const char *name;
	const char *symbol;
	const char *shown;
	int demangled;
} demangle_cases[] = {
	{ "a C name stays as it is", "main", "main", 0 },
	{ "an empty name stays empty", "", "", 0 },
	{ "a C name that is a mangled type stays as it is", "i", "i", 0 },
	{ "a C name with underscores stays as it is", "__libc_start_main", "__libc_start_main", 0 },
	{ "a C name that begins like a mangled one stays", "_Zebra", "_Zebra", 0 },
	{ "a C name that begins like a Rust one stays", "_Read", "_Read", 0 },
	{ "an underscore alone stays", "_", "_", 0 },
	{ "_Z alone stays", "_Z", "_Z", 0 },
	{ "global constructors are not names of functions", "_GLOBAL__sub_I_x", "_GLOBAL__sub_I_x",
	  0 },
	{ "a C++ function shows its parameters", "_Z3addii", "add(int, int)", 1 },
	{ "a second underscore in front is dropped", "__Z3addii", "add(int, int)", 1 },
	{ "a C++ method is qualified", "_ZNK3foo3barEv", "foo::bar() const", 1 },
	{ "a C++ template shows its arguments", "_Z3maxIiET_S0_S0_", "int max<int>(int, int)", 1 },
	{ "a C++ anonymous namespace is named", "_ZN12_GLOBAL__N_11fEv",
	  "(anonymous namespace)::f()", 1 },
	{ "a C++ pack is expanded", "_Z3sumIJidcEEiDpT_",
	  "int sum<int, double, char>(int, double, char)", 1 },
	{ "a legacy Rust name loses its hash", "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
	  "core::fmt::Formatter::pad", 1 },
	{ "a legacy Rust name is unescaped",
	  "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h1a2b3c4d5e6f7890E",
	  "<alloc::string::String as core::fmt::Debug>::fmt", 1 },
	{ "a C++ name with a hash of no use is C++", "_ZN3foo17hzzzzzzzzzzzzzzzzE",
	  "foo::hzzzzzzzzzzzzzzzz", 1 },
	{ "a v0 Rust name loses its hashes", "_RNvNtCs1234_7mycrate3foo3bar",
	  "mycrate::foo::bar", 1 },
	{ "a damaged C++ name stays", "_ZN3foo3barE3", "_ZN3foo3barE3", 0 },
	{ "a damaged Rust name stays", "_RNvNtCs", "_RNvNtCs", 0 },
	{ "isra is dropped", "parse.isra.0", "parse", 0 },
	{ "constprop is dropped", "parse.constprop.12", "parse", 0 },
	{ "part is dropped", "parse.part.3", "parse", 0 },
	{ "cold is dropped", "parse.cold", "parse", 0 },
	{ "numbered cold is dropped", "parse.cold.1", "parse", 0 },
	{ "lto_priv is dropped", "parse.lto_priv.7", "parse", 0 },
	{ "llvm is dropped", "parse.llvm.12345678901234567890", "parse", 0 },
	{ "several suffixes are dropped", "parse.constprop.0.isra.0.part.1.cold", "parse", 0 },
	{ "a suffix without its number stays", "parse.isra", "parse.isra", 0 },
	{ "an unknown suffix stays", "memcpy.avx2", "memcpy.avx2", 0 },
	{ "a suffix inside of the name stays", "parse.part.0.avx2", "parse.part.0.avx2", 0 },
	{ "a name that is nothing but a suffix stays", ".cold", ".cold", 0 },
	{ "digits stay", "f.1234", "f.1234", 0 },
	{ "digits alone stay", "1234", "1234", 0 },
	{ "C++ is demangled without its suffixes", "_ZN3foo3barEv.isra.0.cold", "foo::bar()", 1 },
	{ "legacy Rust is demangled without its suffix",
	  "_ZN3foo3bar17h0123456789abcdefE.llvm.1234", "foo::bar", 1 },
	{ "v0 Rust is demangled without its suffix", "_RNvC7mycrate3foo.llvm.99",
	  "mycrate::foo", 1 },
	{ "a Go method stays", "main.(*T).Inc", "main.(*T).Inc", 0 },
	{ "bytes that are no text stay", "\xff\xfe", "\xff\xfe", 0 },
};

static void demangle_row(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	const struct demangle_case *c = *state;

	strbuf_add_text(&buf, "before ");
	assert_int_equal(demangle_symbol(c->symbol, &buf), c->demangled);
	assert_memory_equal(buf.data, "before ", 7);
	assert_string_equal(buf.data + 7, c->shown);
}

/* "_Z1f" and types that each consist of two of the one before: 2^@levels in the end. */
static void nested_types(struct strbuf *buf, const char *start, int levels, const char *end)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char last[8] = "S0_";
	int i, next = 2;

	strbuf_printf(buf, "%s1a", start);
	for (i = 0; i < levels; i++, next += 2) {
		strbuf_printf(buf, "1bI%s%sE", last, last);
		if (next < 36)
			snprintf(last, sizeof(last), "S%c_", digits[next]);
		else
			snprintf(last, sizeof(last), "S%c%c_", digits[next / 36],
				 digits[next % 36]);
	}
	strbuf_printf(buf, "%s%s%s", end, *end ? last : "", *end ? "v" : "");
}

static const struct hostile_case {
	const char *name;
	const char *start, *end;
	int levels;
} hostile_cases[] = {
	{ "types that double 50 times are shown mangled at once", "_Z1fI", "E", 50 },
	{ "a pack of such types is shown mangled at once", "_Z1fI", "EDp", 40 },
	{ "also when the pack is an expression", "_Z1fI", "EDTspcv", 40 },
};

static void hostile_row(void **state)
{
	_cleanup_strbuf_ struct strbuf symbol = STRBUF_INIT, buf = STRBUF_INIT;
	const struct hostile_case *c = *state;
	uint64_t start_ns = clock_thread_cpu_ns();

	nested_types(&symbol, c->start, c->levels, c->end);
	assert_int_equal(demangle_symbol(symbol.data, &buf), 0);
	assert_string_equal(buf.data, symbol.data);
	assert_true(clock_thread_cpu_ns() - start_ns < 1000000000);
}

/* "B" and the base-62 number by which v0 refers back to byte @position after "_R". */
static void rust_backref(struct strbuf *buf, size_t position)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	position--;
	strbuf_add_char(buf, 'B');
	if (position >= 62)
		strbuf_add_char(buf, digits[position / 62]);
	strbuf_add_char(buf, digits[position % 62]);
	strbuf_add_char(buf, '_');
}

/* A generic function whose arguments are tuples, each of two of the one before. */
static void rust_tuples(struct strbuf *buf, int levels)
{
	size_t last = strlen("INvC1a1b"), here;
	int i;

	strbuf_add_text(buf, "_RINvC1a1bTuuE");
	for (i = 0; i < levels; i++) {
		here = buf->size - 2;
		strbuf_add_char(buf, 'T');
		rust_backref(buf, last);
		rust_backref(buf, last);
		strbuf_add_char(buf, 'E');
		last = here;
	}
	strbuf_add_char(buf, 'E');
}

static void test_rust_backrefs(void **state)
{
	_cleanup_strbuf_ struct strbuf symbol = STRBUF_INIT, buf = STRBUF_INIT;
	uint64_t start_ns = clock_thread_cpu_ns();

	rust_tuples(&symbol, 2);
	assert_int_equal(demangle_symbol(symbol.data, &buf), 1);
	assert_string_equal(buf.data,
			    "a::b::<((), ()), (((), ()), ((), ())), ((((), ()), ((), ())), "
			    "(((), ()), ((), ())))>");
	strbuf_reset(&symbol);
	strbuf_reset(&buf);
	rust_tuples(&symbol, 50);
	assert_int_equal(demangle_symbol(symbol.data, &buf), 0);
	assert_string_equal(buf.data, symbol.data);
	assert_true(clock_thread_cpu_ns() - start_ns < 1000000000);
}

static void test_deep(void **state)
{
	_cleanup_strbuf_ struct strbuf symbol = STRBUF_INIT, buf = STRBUF_INIT;
	int i;

	strbuf_add_text(&symbol, "_Z1f");
	for (i = 0; i < 100000; i++)
		strbuf_add_char(&symbol, 'P');
	strbuf_add_char(&symbol, 'i');
	assert_int_equal(demangle_symbol(symbol.data, &buf), 0);
	assert_string_equal(buf.data, symbol.data);
}

/* Whatever a name becomes when bytes of it change, it is shown somehow. */
static void test_mutated(void **state)
{
	static const char bytes[] = "0123456789_ABCDEFIJKLNRSTXZabcdeiklmnoprstvE.$";
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	uint32_t random = 1;
	char name[256];
	size_t i, size;
	int round, change;

	for (round = 0; round < 200; round++) {
		for (i = 0; i < sizeof(demangle_cases) / sizeof(demangle_cases[0]); i++) {
			snprintf(name, sizeof(name), "%s", demangle_cases[i].symbol);
			size = strlen(name);
			for (change = 0; size > 4 && change < 1 + round % 4; change++) {
				random = random * 1103515245 + 12345;
				name[2 + (random >> 16) % (size - 2)] =
					bytes[(random >> 8) % (sizeof(bytes) - 1)];
			}
			strbuf_reset(&buf);
			assert_true(demangle_symbol(name, &buf) >= 0);
			assert_true(size == 0 || buf.size > 0);
		}
	}
}

static int demangle_once(void *arg)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

	return demangle_symbol(arg, &buf);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(demangle_once, "_ZN3foo3barEv.cold") > 0);
	assert_true(fail_alloc_each(demangle_once, "main.isra.0") > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("Rust back references that double are shown mangled at once",
			  test_rust_backrefs),
		UNIT_TEST("a name of 100 kB does not exhaust the stack", test_deep),
		UNIT_TEST("damaged names are shown somehow", test_mutated),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("demangle", demangle_row, UNIT_ROWS(demangle_cases)) +
	       unit_run_rows("hostile", hostile_row, UNIT_ROWS(hostile_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
