/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "profiler/kernel_types/tracepoint_fields.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/layout_text.h"

#define HEAD "name: a\nID: 7\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define FIELD(declaration, offset, size, sign) \
	"\tfield:" declaration ";\toffset:" #offset ";\tsize:" #size ";\tsigned:" #sign ";\n"
#define NAMES_LIMIT_NS 100000000u

/* How a probe reads it, as layout_text.h says. */
static const struct field_case {
	const char *name, *category, *text, *expected;
} field_cases[] = {
	{ "a number", "c", HEAD FIELD("int prio", 8, 4, 1), "prio=*record+8.s4" },
	{ "a number without a sign", "c", HEAD FIELD("unsigned long ip", 8, 8, 0),
	  "ip=*record+8.u8" },
	{ "a bool", "c", HEAD FIELD("bool ok", 8, 1, 0), "ok=*record+8.u1/bool" },
	{ "a text in place", "c", HEAD FIELD("char comm[16]", 8, 16, 0), "comm=*record+8.text16" },
	{ "a text to the end of the record", "c", HEAD FIELD("char buf[]", 8, 0, 0),
	  "buf=*record+8.text256" },
	{ "a text elsewhere", "c", HEAD FIELD("__data_loc char[] name", 8, 4, 0),
	  "name=*record+8.text256.L" },
	{ "bytes elsewhere", "c", HEAD FIELD("__data_loc u8[] buf", 8, 4, 0),
	  "buf=*record+8.bytes256.L" },
	{ "a mask elsewhere", "c", HEAD FIELD("__data_loc cpumask_t mask", 8, 4, 0),
	  "mask=*record+8.bytes256.L" },
	{ "an array", "c", HEAD FIELD("unsigned long args[6]", 8, 48, 0),
	  "args=*record+8.bytes48" },
	{ "an array of nothing", "c", HEAD FIELD("u32 buf[]", 8, 0, 0), "" },
	{ "bytes that are no text", "c", HEAD FIELD("unsigned char addr[6]", 8, 6, 0),
	  "addr=*record+8.bytes6" },
	{ "an address of the network", "c", HEAD FIELD("__u8 saddr[4]", 8, 4, 0),
	  "saddr=*record+8.bytes4/ip" },
	{ "a struct that nothing is known of", "c", HEAD FIELD("struct foo x", 8, 24, 0),
	  "x=*record+8.bytes24" },
	{ "a pointer", "c", HEAD FIELD("const struct cred *cred", 8, 8, 0),
	  "cred=*record+8.u8/hex" },
	{ "a pointer to text of the kernel", "c", HEAD FIELD("const char * name", 8, 8, 0),
	  "name=*record[8].text256" },
	{ "a text that a system call is given", "syscalls",
	  HEAD FIELD("int __syscall_nr", 8, 4, 1) FIELD("const char * filename", 16, 8, 0),
	  "~=*record+16.u8 filename=*v0.text256.U" },
	{ "what a system call writes into", "syscalls", HEAD FIELD("char * buf", 16, 8, 0),
	  "buf=*record+16.u8/hex" },
	{ "texts that a system call is given", "syscalls",
	  HEAD FIELD("const char *const * argv", 16, 8, 0), "argv=*record+16.u8/hex" },
	{ "numbers of a system call are as wide as their types", "syscalls",
	  HEAD FIELD("int dfd", 16, 8, 0) FIELD("umode_t mode", 24, 8, 0)
		  FIELD("key_serial_t id", 32, 8, 0) FIELD("size_t size", 40, 8, 0),
	  "dfd=*record+16.s4 mode=*record+24.u2 id=*record+32.s4 size=*record+40.u8" },
	{ "what a system call returns", "syscalls", HEAD FIELD("long ret", 16, 8, 1),
	  "ret=*record+16.s8/errno" },
	{ "numbers with names", "c",
	  HEAD FIELD("int state", 8, 4, 1) FIELD(
		  "u32 flags", 12, 4, 0) "\nprint fmt: \"%s %s\", "
					 "__print_symbolic(REC->state, { 1, \"ON\" }), "
					 "__print_flags(REC->flags, \"|\", { (1UL << 3), \"X\" })",
	  "state=*record+8.s4/enum flags=*record+12.u4/flags" },
	{ "a packet", "c", HEAD FIELD("void * skbaddr", 8, 8, 0) FIELD("u16 protocol", 16, 2, 0),
	  "~=*record+8.u8 saddr=*packet2(v0).bytes16/ip sport=packet4(v0).u2 "
	  "daddr=*packet3(v0).bytes16/ip dport=packet5(v0).u2 length=packet6(v0).u4 "
	  "tcp_flags=packet7(v0).u1/tcp state=packet8(v0).u1/state family=packet0(v0).u1 "
	  "skbaddr=*record+8.u8/hex protocol=*record+16.u2 packet_protocol=packet1(v0).u1/proto" },
	{ "a packet of a socket", "c",
	  HEAD FIELD("const void * skbaddr", 8, 8, 0) FIELD("const void * skaddr", 16, 8, 0) FIELD(
		  "int saddr", 24, 4, 0) FIELD("int sport", 28, 4, 0) FIELD("int daddr", 32, 4, 0)
		  FIELD("int dport", 36, 4, 0) FIELD("int protocol", 40, 4, 0)
			  FIELD("int length", 44, 4, 0) FIELD("int tcp_flags", 48, 4, 0),
	  "~=*record+8.u8 ~=*record+16.u8 state=packet8(v0,v1).u1/state "
	  "family=packet0(v0,v1).u1 skbaddr=*record+8.u8/hex skaddr=*record+16.u8/hex "
	  "saddr=*record+24.u4 sport=*record+28.u4 daddr=*record+32.u4 dport=*record+36.u4 "
	  "protocol=*record+40.u4 length=*record+44.u4 tcp_flags=*record+48.u4 "
	  "packet_saddr=*packet2(v0,v1).bytes16/ip packet_sport=packet4(v0,v1).u2 "
	  "packet_daddr=*packet3(v0,v1).bytes16/ip" },
};

static void field_row(void **state)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
	const struct field_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ struct probe_field *fields = NULL;
	struct probe_scope scope = { .arguments = SCOPE_RECORD };
	const struct probe_request request = { 0 };
	struct probe_layout layout;

	assert_int_equal(tracepoint_format_parse(c->text, strlen(c->text), &format), 0);
	assert_string_equal(tracepoint_format_name(format), "a");
	assert_int_equal(tracepoint_format_id(format), 7);
	assert_int_equal(tracepoint_fields(format, c->category, NULL, &fields, &scope.field_count),
			 0);
	scope.fields = fields;
	assert_int_equal(probe_compile(&request, &scope, &layout, NULL), 0);
	layout_text_write(&layout, &text);
	assert_string_equal(text.data, c->expected);
}

static const struct damage_case {
	const char *name, *text;
} damage_cases[] = {
	{ "nothing", "" },
	{ "no number of its own", "name: a\nformat:\n" },
	{ "no name", "ID: 7\nformat:\n" },
	{ "a number that is none", "name: a\nID: x\nformat:\n" },
	{ "a field without an offset", HEAD "\tfield:int x;\tsize:4;\tsigned:0;\n" },
	{ "a field without a size", HEAD "\tfield:int x;\toffset:8;\n" },
	{ "a field that ends early", HEAD "\tfield:int x;\toffset:8" },
	{ "an offset that is none", HEAD FIELD("int x", -8, 4, 0) },
	{ "an offset that is too large", HEAD FIELD("int x", 4294967296, 4, 0) },
	{ "a field without a type", HEAD FIELD("x", 8, 4, 0) },
	{ "a field without a name", HEAD FIELD("[4]", 8, 4, 0) },
	{ "a field of nothing", HEAD FIELD("", 8, 4, 0) },
	{ "a line that is no field", HEAD "\tnothing\n" },
};

static void damage_row(void **state)
{
	const struct damage_case *c = *state;
	struct tracepoint_format *format = NULL;

	assert_int_equal(tracepoint_format_parse(c->text, strlen(c->text), &format), -EBADMSG);
	assert_null(format);
}

/* Names of numbers: what the kernel prints, and what is understood of it. */
static const struct symbol_case {
	const char *name, *print, *expected;
} symbol_cases[] = {
	{ "numbers", "__print_symbolic(REC->x, { 0x0, \"A\" }, {1U, \"B\"}, { -1, \"C\" })",
	  "A=0 B=1 C=-1" },
	{ "bits", "__print_flags(REC->x, \"|\", { 1, \"A\" }, { (1u << 3) | 4, \"B\" })",
	  "A=1 B=12" },
	{ "casts",
	  "__print_flags((unsigned long)REC->x, \"\", {( unsigned long)(( gfp_t)((1UL)) "
	  "<< (2)), \"A\" })",
	  "A=4" },
	{ "all but those bits", "__print_symbolic(REC->x, { (0xf & ~0x3) + 1 - 2, \"A\" })",
	  "A=11" },
	{ "names of the kernel's own are left out",
	  "__print_symbolic(REC->x, { TCP_CLOSE, \"A\" }, { 3, \"B\" })", "B=3" },
	{ "64 bits", "__print_symbolic64(REC->x, { 3, \"B\" })", "B=3" },
	{ "of another field", "__print_symbolic(REC->xy, { 3, \"B\" })", "" },
	{ "of something more", "__print_symbolic(REC->x & 3, { 3, \"B\" })", "" },
	{ "a second one",
	  "__print_symbolic(REC->y, { 1, \"A\" }), __print_symbolic(REC->x, { 3, "
	  "\"B\" })",
	  "B=3" },
	{ "a table that ends early", "__print_symbolic(REC->x, { 1, \"A\" }, { 3, \"B", "A=1" },
	{ "no table", "__print_symbolic(REC->x", "" },
	{ "no separator", "__print_flags(REC->x, ", "" },
	{ "a number deep in parentheses",
	  "__print_symbolic(REC->x, { ((((((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))"
	  "))))))))))))))))))), \"A\" }, { 2, \"B\" })",
	  "B=2" },
};

static void symbol_row(void **state)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
	const struct symbol_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, names = STRBUF_INIT;
	const struct tracepoint_field *field;

	strbuf_printf(&text, HEAD FIELD("int x", 8, 4, 1) "\nprint fmt: \"%%s\", %s\n", c->print);
	assert_int_equal(tracepoint_format_parse(text.data, text.size, &format), 0);
	assert_int_equal(tracepoint_format_count(format), 1);
	field = tracepoint_format_at(format, 0);
	for (size_t i = 0; i < field->enumerator_count; i++)
		strbuf_printf(&names, "%s%s=%lld", i ? " " : "", field->enumerators[i].name,
			      (long long)field->enumerators[i].value);
	assert_string_equal(names.data, c->expected);
}

/* What the kernel prints as a number, and everybody knows by its name. */
static const struct known_case {
	const char *name, *tracepoint, *field;
	int64_t number;
	const char *expected;		/* NULL: none */
} known_cases[] = {
	{ "a capability", "cap_capable", "cap", 21, "CAP_SYS_ADMIN" },
	{ "the first one", "cap_capable", "cap", 0, "CAP_CHOWN" },
	{ "a young one", "cap_capable", "cap", 40, "CAP_CHECKPOINT_RESTORE" },
	{ "one that nobody knows yet", "cap_capable", "cap", 63, NULL },
	{ "another field of capabilities", "cap_capable", "ret", 1, NULL },
	{ "a field that is called so elsewhere", "cap_other", "cap", 21, NULL },
	{ "a signal", "signal_generate", "sig", 9, "SIGKILL" },
	{ "a signal that is taken", "signal_deliver", "sig", 10, "SIGUSR1" },
	{ "a real-time signal", "signal_generate", "sig", 34, NULL },
};

static const char *known_name(const struct tracepoint_field *field, int64_t number)
{
	for (size_t i = 0; i < field->enumerator_count; i++)
		if (field->enumerators[i].value == number)
			return field->enumerators[i].name;
	return NULL;
}

static void known_row(void **state)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
	const struct known_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *name;

	strbuf_printf(&text,
		      "name: %s\nID: 7\nformat:\n\tfield:int %s;\toffset:8;\tsize:4;"
		      "\tsigned:1;\n\nprint fmt: \"%%d\", REC->%s\n",
		      c->tracepoint, c->field, c->field);
	assert_int_equal(tracepoint_format_parse(text.data, text.size, &format), 0);
	name = known_name(tracepoint_format_at(format, 0), c->number);
	if (c->expected)
		assert_string_equal(name, c->expected);
	else
		assert_null(name);
}

static const char every_kind[] = HEAD FIELD("int x", 8, 4, 1) FIELD("char comm[16]", 12, 16, 0)
	FIELD("__data_loc char[] name", 28, 4,
	      0) "\nprint fmt: \"%s\", __print_symbolic(REC->x, { 1, \"A\" }, { 2, \"B\" })\n";

static int parse_all(void *arg)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
	_cleanup_free_ struct probe_field *fields = NULL;
	size_t count;
	int r;

	r = tracepoint_format_parse(every_kind, sizeof(every_kind) - 1, &format);
	return r < 0 ? r : tracepoint_fields(format, "c", NULL, &fields, &count);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(parse_all, NULL) > 4);
}

static void test_cut_anywhere(void **state)
{
	for (size_t size = 0; size < sizeof(every_kind) - 1; size++) {
		struct tracepoint_format *format = NULL;
		int r = tracepoint_format_parse(every_kind, size, &format);

		assert_true(r == 0 || r == -EBADMSG);
		tracepoint_format_free(format);
	}
}

/* ---- this kernel's ---- */

/* What there is to test with; without it the rest is skipped. */
static int open_tracefs(void)
{
	struct error err = { 0 };
	int fd = tracefs_open(&err);

	if (fd < 0) {
		print_message("%s\n", err.text);
		assert_int_equal(err.kind, ERROR_NOT_SUPPORTED);
		skip();
	}
	return fd;
}

/* Reads a format and compiles everything in it. */
static void check_format(int tracefs, const char *category, const char *name)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
	_cleanup_free_ struct probe_field *fields = NULL;
	const struct probe_request request = { 0 };
	struct probe_scope scope = { .arguments = SCOPE_RECORD };
	struct probe_layout layout;
	struct error err;

	if (tracepoint_format_read(tracefs, category, name, &format) < 0)
		fail_msg("%s:%s is not understood", category, name);
	assert_string_equal(tracepoint_format_name(format), name);
	assert_int_equal(tracepoint_fields(format, category, NULL, &fields, &scope.field_count), 0);
	scope.fields = fields;
	if (probe_compile(&request, &scope, &layout, &err) < 0)
		fail_msg("%s:%s: %s", category, name, err.text);
}

static void test_all_formats(void **state)
{
	_cleanup_close_ int tracefs = open_tracefs();
	char **names = NULL;
	size_t count = 0;
	uint64_t begin = clock_monotonic_ns();

	assert_int_equal(tracepoint_names(tracefs, "*", "*", &names, &count), 0);
	assert_true(clock_monotonic_ns() - begin < NAMES_LIMIT_NS);
	assert_true(count > 500);
	for (size_t i = 0; i < count; i++) {
		char *name = strchr(names[i], ':');

		*name++ = '\0';
		check_format(tracefs, names[i], name);
		/* Sorted, and none twice. */
		name[-1] = ':';
		assert_true(!i || strcmp(names[i - 1], names[i]) < 0);
	}
	tracepoint_names_free(names, count);
}

static void test_globs(void **state)
{
	_cleanup_close_ int tracefs = open_tracefs();
	char **names = NULL;
	size_t count = 0;

	assert_int_equal(tracepoint_names(tracefs, "sched", "sched_process_ex*", &names, &count),
			 0);
	assert_true(count >= 2);
	assert_string_equal(names[0], "sched:sched_process_exec");
	assert_string_equal(names[1], "sched:sched_process_exit");
	tracepoint_names_free(names, count);
	assert_int_equal(tracepoint_names(tracefs, "sched", "nothing", &names, &count), 0);
	assert_int_equal(count, 0);
	tracepoint_names_free(names, count);
}

static void test_no_such_tracepoint(void **state)
{
	_cleanup_close_ int tracefs = open_tracefs();
	struct tracepoint_format *format = NULL;

	assert_int_equal(tracepoint_format_read(tracefs, "sched", "nothing", &format), -ENOENT);
	assert_int_equal(tracepoint_format_read(tracefs, "..", "sched", &format), -ENOENT);
	assert_int_equal(tracepoint_format_read(tracefs, "sched/x", "y", &format), -ENOENT);
	assert_int_equal(tracepoint_format_read(tracefs, "sched", "", &format), -ENOENT);
	assert_null(format);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("no allocation is used before it is checked", test_no_memory),
		UNIT_TEST("a format that is cut anywhere is understood or refused",
			  test_cut_anywhere),
		UNIT_TEST("all formats of this kernel are understood, and listed quickly",
			  test_all_formats),
		UNIT_TEST("names match globs, in order", test_globs),
		UNIT_TEST("what is no tracepoint is not there", test_no_such_tracepoint),
	};

	return unit_run_rows("field", field_row, UNIT_ROWS(field_cases)) +
	       unit_run_rows("damage", damage_row, UNIT_ROWS(damage_cases)) +
	       unit_run_rows("symbol", symbol_row, UNIT_ROWS(symbol_cases)) +
	       unit_run_rows("number", known_row, UNIT_ROWS(known_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
