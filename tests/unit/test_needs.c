/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/needs.h"

#include <bpf/libbpf.h>
#include <string.h>
#include <unistd.h>

#include "profiler/bpf_maps.h"
#include "profiler/session.h"
#include "tests/unit/unit.h"

static void test_rows(void **state)
{
	for (const struct source *s = source_table; s->name; s++) {
		if (!s->needs && !s->parts[0] && !s->stands_for)
			fail_msg("%s does not say what it needs", s->name);
		for (const struct source_need *need = s->needs; need && need->reason; need++) {
			assert_non_null(need->probe);
			assert_true(need->name && need->name[0]);
			assert_true(need->substitute && need->substitute[0]);
			assert_int_equal(!need->part, !need->loss);
		}
	}
}

/* The probes of tracepoints tell one that is everywhere from one that is nowhere. */
static void test_tracepoint(void **state)
{
	const struct source_need *need = &needs_switch[0];
	_cleanup_(session_needs_freep) struct session_needs *needs = session_needs_new();

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		skip();
	assert_string_equal(need->name, "sched_switch");
	assert_true(need->probe(needs, need->name));
	assert_false(need->probe(needs, "no_such_tracepoint"));
}

/* ---- what is lost ---- */

static bool is_there(struct session_needs *needs, const char *name)
{
	return true;
}

static bool is_not_there(struct session_needs *needs, const char *name)
{
	return false;
}

static enum source_loss lost_when_asked(const struct wick_settings *settings)
{
	return settings->option[0] ? SOURCE_LOSS_PART : SOURCE_LOSS_NONE;
}

static const struct source_need some_needs[] = {
	{ is_there, "a", "a is missing", "b" },
	{ is_not_there, "c", "c is missing", "d", "half", lost_when_asked },
	{ is_not_there, "e", "e is missing", "f" },
	{ 0 },
};

static void test_lacking(void **state)
{
	struct wick_settings settings = { 0 };
	enum source_loss loss;
	size_t position = 0;

	assert_ptr_equal(needs_lacking(NULL, some_needs, &settings, &position, &loss),
			 &some_needs[2]);
	assert_int_equal(loss, SOURCE_LOSS_ALL);
	assert_null(needs_lacking(NULL, some_needs, &settings, &position, &loss));
	settings.option[0] = 1;
	position = 0;
	assert_ptr_equal(needs_lacking(NULL, some_needs, &settings, &position, &loss),
			 &some_needs[1]);
	assert_int_equal(loss, SOURCE_LOSS_PART);
	position = 0;
	assert_null(needs_lacking(NULL, NULL, &settings, &position, &loss));
}

/* What a source is without @name, for what is asked of it. */
static const struct loss_case {
	const char *name, *event, *need;
	enum source_loss loss;
} loss_cases[] = {
	{ "locks of the kernel are one of two kinds", "lock", "contention_begin",
	  SOURCE_LOSS_HALF },
	{ "as they are when both are asked for", "lock,user,kernel", "contention_begin",
	  SOURCE_LOSS_HALF },
	{ "asked for alone they are all of it", "lock,kernel", "contention_end", SOURCE_LOSS_ALL },
	{ "asked for futexes nobody misses them", "lock,user", "contention_begin",
	  SOURCE_LOSS_NONE },
	{ "futexes alone are all of it", "lock,user,min=1ms", "sys_enter", SOURCE_LOSS_ALL },
	{ "who wakes is a part", "offcpu,waker", "sched_waking", SOURCE_LOSS_PART },
	{ "that nobody misses without asking", "offcpu,preempted", "sched_waking",
	  SOURCE_LOSS_NONE },
	{ "a least value must not be ignored", "runq,min=1ms", "sys_exit", SOURCE_LOSS_ALL },
	{ "without one the end of calls is not looked at", "runq", "sys_exit", SOURCE_LOSS_NONE },
};

static void test_loss(void **state)
{
	const struct loss_case *c = *state;
	const struct source_need *need;
	_cleanup_request_ struct source_request request = { 0 };
	struct error err;

	assert_int_equal(source_parse(c->event, &request, &err), 0);
	for (need = request.source->needs; strcmp(need->name, c->need); need++)
		assert_non_null(need->reason);
	assert_non_null(need->part);
	assert_int_equal(need->loss(&request.settings), c->loss);
}

static bool has_need(const struct source *source, const char *name)
{
	for (const struct source_need *need = source->needs; need && need->reason; need++)
		if (!strcmp(need->name, name))
			return true;
	return false;
}

/* Else a program would be left out, and nobody be told what the source then does not see. */
static void check_programs(const struct source *source, const char *object_name)
{
	static const char tracepoint[] = "tp_btf/";
	struct bpf_program *program;
	struct bpf_object *object;
	const void *bytes;
	size_t size;

	bytes = bpf_maps_embedded(object_name, &size);
	assert_non_null(bytes);
	object = bpf_object__open_mem(bytes, size, NULL);
	assert_non_null(object);
	bpf_object__for_each_program(program, object)
	{
		const char *section = bpf_program__section_name(program);
		const char *name = strstr(section, tracepoint);

		if (name && !has_need(source, name + strlen(tracepoint)))
			fail_msg("%s does not say that it needs %s", source->name, section);
	}
	bpf_object__close(object);
}

static void test_programs(void **state)
{
	for (const struct source *s = source_table; s->name; s++)
		for (size_t i = 0; i < SOURCE_OBJECTS_MAX && s->objects[i]; i++)
			check_programs(s, s->objects[i]);
}

/* Whatever this machine lacks, each lack says what and what instead, and they end. */
static void test_lacks(void **state)
{
	_cleanup_(session_needs_freep) struct session_needs *needs = session_needs_new();
	const char *help;

	for (size_t i = 0; session_source_name(i, &help); i++) {
		struct session_lack lack;
		size_t count = 0;

		while (session_source_lack(needs, i, count, &lack)) {
			assert_true(strlen(lack.reason) > 0 && strlen(lack.substitute) > 0);
			assert_true(++count < 10);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each event says what it needs, and what is instead", test_rows),
		UNIT_TEST("what is not asked for is not missed", test_lacking),
		UNIT_TEST("each tracepoint of its programs is among its needs", test_programs),
		UNIT_TEST("a tracepoint that is not there is not found", test_tracepoint),
		UNIT_TEST("what is lacking is said once", test_lacks),
	};

	return unit_run_rows("what is lost", test_loss, UNIT_ROWS(loss_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
