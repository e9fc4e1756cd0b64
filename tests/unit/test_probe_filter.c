/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "bpf/probe_eval.h"
#include "profiler/expressions/probe_expression.h"
#include "tests/unit/fake_types.h"
#include "tests/unit/layout_text.h"
#include "tests/unit/probe_scopes.h"

static const struct table_case {
	const char *name;
	enum probe_scope_kind scope;
	struct probe_request request;
	const char *expected;
} table_cases[] = {
	{ "one comparison", UPROBE, { .show = "", .filter = "fd == 3" }, "~=rdi.s4 | v0==3s?A:R" },
	{ "all of two",
	  UPROBE,
	  { .show = "", .filter = "fd == 3 && count > 4k" },
	  "~=rdi.s4 ~=rcx.u8 | v0==3s?1:R v1>4096?A:R" },
	{ "one of two",
	  UPROBE,
	  { .show = "", .filter = "fd == 3 || count > 4k" },
	  "~=rdi.s4 ~=rcx.u8 | v0==3s?A:1 v1>4096?A:R" },
	{ "AND before OR",
	  UPROBE,
	  { .show = "", .filter = "fd == 1 || fd == 2 && count == 3" },
	  "~=rdi.s4 ~=rcx.u8 | v0==1s?A:1 v0==2s?2:R v1==3?A:R" },
	{ "parentheses",
	  UPROBE,
	  { .show = "", .filter = "(fd == 1 || fd == 2) && count == 3" },
	  "~=rdi.s4 ~=rcx.u8 | v0==1s?2:1 v0==2s?2:R v1==3?A:R" },
	{ "a negation goes down to what is compared",
	  UPROBE,
	  { .show = "", .filter = "!(fd == 1 && (count < 2 || !(count >= 7)))" },
	  "~=rdi.s4 ~=rcx.u8 | v0!=1s?A:1 v1>=2?2:R v1>=7?A:R" },
	{ "a negated text",
	  UPROBE,
	  { .show = "", .filter = "!(path == \"/etc/*\")" },
	  "~=*rsi.text256.U | v0!=\"/etc/*\"?A:R" },
	{ "bits",
	  UPROBE,
	  { .show = "", .filter = "file->f_flags & 0x40" },
	  "~=*rdx+32.u4.U | v0&64?A:R" },
	{ "no bits",
	  UPROBE,
	  { .show = "", .filter = "!(file->f_flags & 0x40) && fd > 2" },
	  "~=*rdx+32.u4.U ~=rdi.s4 | v0==v0?1:R v0&64?R:2 v1>2s?A:R" },
	{ "a value alone",
	  UPROBE,
	  { .show = "", .filter = "file->ok && !fd" },
	  "~=*rdx+104.u1.U ~=rdi.s4 | v0!=0?1:R v1==0s?A:R" },
	{ "sides exchanged",
	  UPROBE,
	  { .show = "", .filter = "3 < fd && 10 >= count && \"/etc/*\" == path" },
	  "~=rdi.s4 ~=rcx.u8 ~=*rsi.text256.U | v0>3s?1:R v1<=10?2:R v2==\"/etc/*\"?A:R" },
	{ "two values",
	  UPROBE,
	  { .show = "", .filter = "count > arg1 && fd < on_stack" },
	  "~=rcx.u8 ~=rdi.s4 ~=*rsp+16.s8.U | v0>v1?1:R v1<v2s?A:R" },
	{ "the task",
	  UPROBE,
	  { .show = "", .filter = "comm == \"sh\" && pid != 1 && uid == 0" },
	  "~=*comm.text16 ~=pid.u4 ~=uid.u4 | v0==\"sh\"?1:R v1!=1?2:R v2==0?A:R" },
	{ "what is shown is not read again",
	  UPROBE,
	  { .show = "count+fd", .filter = "fd == 3" },
	  "count=rcx.u8 fd=rdi.s4 | v1==3s?A:R" },
	{ "one value for all comparisons",
	  UPROBE,
	  { .show = "", .filter = "fd == 1 || fd == 2 || fd == 4" },
	  "~=rdi.s4 | v0==1s?A:1 v0==2s?A:2 v0==4s?A:R" },
	{ "one text for all comparisons",
	  UPROBE,
	  { .show = "", .filter = "path == \"a\" || file->name == \"a\"" },
	  "~=*rsi.text256.U ~=*rdx+44.text16.U | v0==\"a\"?A:1 v1==\"a\"?A:R" },
	{ "texts with what C escapes",
	  UPROBE,
	  { .show = "", .filter = "path == \"a\\t\\\"\\\\\\*\"" },
	  "~=*rsi.text256.U | v0==\"a\\x09\"\\*\"?A:R" },
	{ "an empty text",
	  UPROBE,
	  { .show = "", .filter = "path == \"\"" },
	  "~=*rsi.text256.U | v0==\"\"?A:R" },
	{ "names of an enum",
	  UPROBE,
	  { .show = "", .filter = "file->state == CLOSED || file->state == BROKEN" },
	  "~=*rdx+40.s4.U | v0==2s?A:1 v0==-1s?A:R" },
	{ "names of flags, whose type is not known",
	  CALL,
	  { .show = "", .filter = "flags & F_MAKE || flags == F_NONE || arg1 == F_HERE" },
	  "~=rdx.s4.E | v0&64s?A:1 v0==0s?A:2 v0==-100s?A:R" },
	{ "names of errors",
	  FN,
	  { .show = "", .filter = "ret == -ENOENT || ret == -EAGAIN || ret == -EWOULDBLOCK" },
	  "~=rax.s4 | v0==-2s?A:1 v0==-11s?A:2 v0==-11s?A:R" },
	{ "true, false and NULL",
	  UPROBE,
	  { .show = "", .filter = "file->ok == true && path != NULL" },
	  "~=*rdx+104.u1.U ~=rsi.u8 | v0==1?1:R v1!=0?A:R" },
	{ "numbers",
	  UPROBE,
	  { .show = "",
	    .filter =
		    "count == 10 || count == 0x1f || count == 'c' || count == '\\n' || count == "
		    "4M || count == 0644" },
	  "~=rcx.u8 | v0==10?A:1 v0==31?A:2 v0==99?A:3 v0==10?A:4 v0==4194304?A:5 v0==420?A:R" },
	{ "times",
	  FN,
	  { .show = "", .filter = "latency > 3ms && latency < 2s" },
	  "~=latency.u8 | v0>3000000?1:R v0<2000000000?A:R" },
	{ "a negative number of an unsigned value is its bits",
	  UPROBE,
	  { .show = "", .filter = "count == -1 || file->f_flags == -1" },
	  "~=rcx.u8 ~=*rdx+32.u4.U | v0==-1?A:1 v1==4294967295?A:R" },
	{ "a large number of a signed value is its bits",
	  UPROBE,
	  { .show = "", .filter = "fd == 0xffffffff || fd != 0x80000000" },
	  "~=rdi.s4 | v0==-1s?A:1 v0!=-2147483648s?A:R" },
	{ "how it is read",
	  UPROBE,
	  { .show = "",
	    .filter = "fd:u32 > 0x80000000 && data:str == \"x\" && data:bytes[2] == \"ab\"" },
	  "~=rdi.u4 ~=*rsp[8].text256.U ~=*rsp[8].bytes2.U | v0>2147483648?1:R v1==\"x\"?2:R "
	  "v2==\"ab\"?A:R" },
	{ "addresses of the network",
	  RECORD,
	  { .show = "", .filter = "saddr == \"10.0.0.1\" || saddr == \"::1\"" },
	  "~=*record+96.u8 ~=*packet2(v0).bytes16 | v1==\"\\x0a\\x00\\x00\\x01\"?A:1 "
	  "v1==\"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01\"?A:R" },
	{ "names of states of TCP and of protocols, of any number",
	  UPROBE,
	  { .show = "", .filter = "fd == TCP_CLOSE || count == IPPROTO_UDP" },
	  "~=rdi.s4 ~=rcx.u8 | v0==7s?A:1 v1==17?A:R" },
	{ "names of flags of TCP",
	  RECORD,
	  { .show = "", .filter = "flags & SYN && !(flags & TCP_ACK)" },
	  "~=*record+96.u8 ~=packet7(v0).u1 | v1&2?1:R v1==v1?2:R v1&16?R:A" },
	{ "values that are shown leave room for the filter's",
	  RECORD,
	  { .filter =
		    "pid == 1 && tid == 1 && uid == 1 && cpu == 1 && cgroup == 1 && args[0] == 1 "
		    "&& args[1] == 2" },
	  "comm=*record+8.text16 prio=*record+24.s4 ~=*record+32.u8 filename=*v2.text256.U "
	  "device=*record+40.text256.L args=*record+48.bytes48 ~=*record+96.u8 "
	  "saddr=*packet2(v6).bytes16/ip flags=packet7(v6).u1/tcp ~=pid.u4 ~=tid.u4 ~=uid.u4 "
	  "~=cpu.u4 ~=cgroup.u8 ~=*record+48.u8 ~=*record+56.u8 | v9==1?1:R v10==1?2:R v11==1?3:R "
	  "v12==1?4:R v13==1?5:R v14==1?6:R v15==2?A:R" },
};

static void table_row(void **state)
{
	const struct table_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct probe_layout layout;
	struct error err = { 0 };

	if (probe_compile(&c->request, &probe_scopes[c->scope], &layout, &err) < 0)
		fail_msg("%s", err.text);
	layout_text_write(&layout, &text);
	assert_string_equal(text.data, c->expected);
}

/* ---- what the tables say when the kernel's side asks them ---- */

static const char *const list[] = { "a", "b", NULL };
static const struct fake_dentry dentry = { .name = "passwd" };
static const int owner = 17;
static const struct fake_file file = { .dentry = &dentry, .f_flags = 0x42, .f_mode = 5, .state = 2,
				       .name = "log", .mac = "\1\2\3\4\5\6",
				       .numbers = { 10, 20, 30, -40 }, .ok = true, .level = -5,
				       .title_bytes = 3, .title = "abcdef", .owner = &owner };
static const uint64_t stack[] = { 0, 0, (uint64_t)-7 };
/* Numbers in registers have rubbish above them. */
static const uint64_t registers[PROBE_REGISTER_COUNT] = {
	[PROBE_RDI] = 0xabcd00000003,	    [PROBE_RSI] = (uintptr_t) "/etc/passwd",
	[PROBE_RDX] = (uintptr_t)&file,	    [PROBE_RCX] = 4096,
	[PROBE_R8] = 0xfffffffe00000009,    [PROBE_R9] = (uintptr_t)list,
	[PROBE_RSP] = (uintptr_t)stack,
};

/* What lies in the first page cannot be read, as in a process. */
static int read_memory(uint64_t address, void *to, size_t size)
{
	if (address < 4096)
		return -EFAULT;
	memcpy(to, (const void *)(uintptr_t)address, size);
	return 0;
}

static void keep_text(struct probe_values *values, size_t index, uint64_t address, size_t size)
{
	values->value[index] = probe_text(values->text_bytes, size);
	memcpy(values->text + values->text_bytes, (const void *)(uintptr_t)address, size);
	values->text_bytes += (size + 7) / 8 * 8;
}

static int fetch_value(const struct probe_fetch *fetch, size_t index, struct probe_values *values)
{
	uint64_t value = fetch->base == PROBE_BASE_REGISTER ? registers[fetch->index] : 1234;
	size_t size = fetch->size;

	for (size_t i = 0; i < fetch->step_count; i++)
		if (read_memory(value + fetch->step[i], &value, sizeof(value)) < 0)
			return -EFAULT;
	value += fetch->offset;
	if (fetch->form == PROBE_NUMBER) {
		uint64_t number = fetch->flags & PROBE_FETCH_MEMORY ? 0 : value;

		if ((fetch->flags & PROBE_FETCH_MEMORY) &&
		    read_memory(value, &number, fetch->bytes) < 0)
			return -EFAULT;
		values->value[index] = probe_number_cut(fetch, number);
		return 0;
	}
	if (value < 4096)
		return -EFAULT;
	if (fetch->form == PROBE_TEXT)
		size = strnlen((const char *)(uintptr_t)value, size);
	else if (fetch->size_value)
		size = values->value[fetch->size_value - 1];
	keep_text(values, index, value, size);
	return 0;
}

static bool ask(const char *filter, uint32_t *ret_unreadable)
{
	const struct probe_request request = { .show = "", .filter = filter };
	struct probe_values values = { 0 };
	struct probe_layout layout;
	struct error err;

	if (probe_compile(&request, &probe_scopes[UPROBE], &layout, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < layout.site.value_count; i++)
		if (fetch_value(&layout.site.values[i], i, &values) < 0)
			values.unreadable |= 1u << i;
	return probe_filter(&layout.site, &values, ret_unreadable);
}

#define NOWHERE "((struct file *)data)->f_flags"

static const struct truth_case {
	const char *name, *filter;
	bool accepts, is_unreadable;
} truth_cases[] = {
	{ "an equal number", "fd == 3", true },
	{ "another number", "fd == 4", false },
	{ "a lesser number", "fd < 4 && fd <= 3 && fd > -1 && fd >= 3", true },
	{ "a negative number", "on_stack == -7 && on_stack < 0 && file->level == -5", true },
	{ "an unsigned number", "count > 4k", false },
	{ "a number and another one", "count > fd && fd < count && fd != count", true },
	{ "an equal text", "path == \"/etc/passwd\"", true },
	{ "the begin of a text", "path == \"/etc\"", false },
	{ "a prefix", "path == \"/etc/*\"", true },
	{ "another prefix", "path == \"/usr/*\"", false },
	{ "a text that differs", "path != \"/etc/passwds\" && path != \"/usr/*\"", true },
	{ "a negated prefix", "!(path == \"/etc/*\")", false },
	{ "a text in place", "file->name == \"log\"", true },
	{ "a text of known length", "file->title == \"abc\"", true },
	{ "a text through pointers", "file->f_path.dentry->d_name.name == \"passwd\"", true },
	{ "an element", "list[1] == \"b\" && file->numbers[3] == -40", true },
	{ "bytes", "file->mac == \"\1\2\3\4\5\6\"", true },
	{ "a reference", "file->owner == 17", true },
	{ "a bit", "file->f_flags & 0x40", true },
	{ "another bit", "file->f_flags & 0x80", false },
	{ "no bit", "!(file->f_flags & 0x80)", true },
	{ "a bit field", "file->f_mode == 5", true },
	{ "members of a struct in a register", "pair.a == 9 && pair.b == -2", true },
	{ "a name", "file->state == CLOSED && file->state != OPENED", true },
	{ "a value that is not zero", "file->ok && !data", true },
	{ "no pointer", "data == NULL && path != NULL", true },
	{ "what cannot be read is not equal", NOWHERE " == 0", false, true },
	{ "and not different", NOWHERE " != 0", false, true },
	{ "nor when negated", "!(" NOWHERE " == 0)", false, true },
	{ "nor without a bit", "!(" NOWHERE " & 4)", false, true },
	{ "nor on its own", "!" NOWHERE, false, true },
	{ "it does not matter behind what decides", "fd == 3 || " NOWHERE " == 0", true, false },
	{ "and leaves the rest to decide", NOWHERE " == 0 || fd == 3", true, true },
	{ "a text that cannot be read", "data:str == \"x\" || data:str != \"x\"", false, true },
};

static void truth_row(void **state)
{
	const struct truth_case *c = *state;
	uint32_t unreadable = 0;

	assert_int_equal(ask(c->filter, &unreadable), c->accepts);
	assert_int_equal(unreadable, c->is_unreadable);
}

/* Conditions in each other, at random, as a text; returns whether they hold. */
static bool write_random(struct strbuf *buf, uint32_t *random, unsigned int depth, size_t *terms)
{
	static const struct {
		const char *text;
		bool holds;
	} conditions[] = { { "fd==3", true },	   { "fd>3", false },	 { "count&4096", true },
			   { "count & "
			     "1", false }, { "pair.b", true },	 { "path==\"x*\"", false } };
	bool left, right;
	uint32_t choice;

	*random = *random * 1103515245 + 12345;
	choice = *random >> 16;
	if (!depth || choice % 5 == 0) {
		size_t i = choice / 5 % ARRAY_SIZE(conditions);

		*terms += 2;
		strbuf_add_text(buf, conditions[i].text);
		return conditions[i].holds;
	}
	strbuf_add_text(buf, choice % 5 == 1 ? "!(" : "(");
	left = write_random(buf, random, depth - 1, terms);
	if (choice % 5 > 1) {
		strbuf_add_text(buf, choice % 2 ? " && " : " || ");
		right = write_random(buf, random, depth - 1, terms);
		left = choice % 2 ? left && right : left || right;
	}
	strbuf_add_char(buf, ')');
	return choice % 5 == 1 ? !left : left;
}

static void test_random_conditions(void **state)
{
	uint32_t random = 11, unreadable = 0;
	size_t asked = 0, held = 0;

	for (int round = 0; round < 3000; round++) {
		_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
		size_t terms = 0;
		bool holds = write_random(&filter, &random, 4, &terms);

		if (terms > PROBE_TERMS_MAX)
			continue;
		if (ask(filter.data, &unreadable) != holds)
			fail_msg("%s is %d", filter.data, holds);
		asked++;
		held += holds;
	}
	assert_true(asked > 1000 && held > asked / 4 && held < asked * 3 / 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("conditions in each other are what C makes of them",
			  test_random_conditions),
	};

	return unit_run_rows("table", table_row, UNIT_ROWS(table_cases)) +
	       unit_run_rows("truth", truth_row, UNIT_ROWS(truth_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
