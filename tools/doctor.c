/* SPDX-License-Identifier: BSD-2-Clause */
/* wick doctor: what this machine allows, and the fix for each gap. */
#include "tools/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "formats/json.h"
#include "profiler/session.h"
#include "tools/message.h"
#include "tools/tool.h"

struct doctor_options {
	struct tool_common common;
	bool json;
};

static const struct option_row doctor_table[] = {
	{ .name = "json", .section = "Output", .help = "as JSON", .parse = option_parse_flag,
	  .offset = offsetof(struct doctor_options, json) },
	TOOL_HELP_OPTION,
	{ 0 },
};

const struct doctor_check doctor_checks[] = {
	{ "recording", doctor_check_recording },
	{ "kernel types", doctor_check_btf },
	{ "capabilities", doctor_check_capabilities },
	{ "perf events", doctor_check_paranoid },
	{ "lockdown", doctor_check_lockdown },
	{ "other users", doctor_check_other_processes },
	{ "kernel names", doctor_check_kernel_names },
	{ "cycles", doctor_check_cycles },
	{ "sample rate", doctor_check_rate },
	{ "build ids", doctor_check_build_ids },
	{ "open files", doctor_check_files },
	{ "cgroups", doctor_check_cgroups },
	{ "debug files", doctor_check_debug_files },
	{ NULL, NULL },
};

static const char *const state_names[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_DEGRADED] = "degraded",
	[DOCTOR_MISSING] = "missing",
};

void doctor_set(struct doctor_result *ret, enum doctor_state state, const char *why, ...)
{
	va_list args;

	ret->state = state;
	va_start(args, why);
	strbuf_vprintf(&ret->why, why, args);
	va_end(args);
}

void doctor_fix(struct doctor_result *ret, const char *fix)
{
	strbuf_add_text(&ret->fix, fix);
}

static void add_text(struct strbuf *ret, const char *name, const struct doctor_result *result)
{
	strbuf_printf(ret, "%-9s %-13s %s\n", state_names[result->state], name, result->why.data);
	if (result->fix.size)
		strbuf_printf(ret, "%-9s %-13s fix: %s\n", "", "", result->fix.data);
}

static void add_json(struct strbuf *ret, const char *name, const struct doctor_result *result)
{
	strbuf_add_text(ret, ret->size ? ",\n {\"name\": " : "[\n {\"name\": ");
	json_add_text(ret, name);
	strbuf_printf(ret, ", \"state\": \"%s\", \"why\": ", state_names[result->state]);
	json_add_text(ret, result->why.data);
	strbuf_add_text(ret, ", \"fix\": ");
	json_add_text(ret, result->fix.size ? result->fix.data : NULL);
	strbuf_add_char(ret, '}');
}

/* Returns the state of the check. */
static enum doctor_state run_check(const struct doctor_check *check, bool json,
				   struct strbuf *ret)
{
	struct doctor_result result = { .why = STRBUF_INIT, .fix = STRBUF_INIT };

	check->run(&result);
	(json ? add_json : add_text)(ret, check->name, &result);
	strbuf_done(&result.why);
	strbuf_done(&result.fix);
	return result.state;
}

/* What an event lacks, and what is instead. */
static void check_event(struct session_needs *needs, size_t index, const char *help,
			struct doctor_result *ret)
{
	struct session_lack lack;
	size_t i;

	doctor_set(ret, DOCTOR_OK, "%s", "");
	for (i = 0; session_source_lack(needs, index, i, &lack); i++) {
		if (!lack.part || ret->state == DOCTOR_OK)
			ret->state = lack.part ? DOCTOR_DEGRADED : DOCTOR_MISSING;
		strbuf_printf(&ret->why, "%s%s%s%s", i ? "; " : "", lack.part ? "without " : "",
			      lack.part ?: "", lack.part ? ": " : "");
		strbuf_add_text(&ret->why, lack.reason);
		strbuf_printf(&ret->fix, "%s%s", i ? "; " : "", lack.substitute);
	}
	if (!i)
		strbuf_add_text(&ret->why, help);
}

/* A row for each event. Returns how many are not ok; there are *@ret_rows. */
static size_t run_events(struct session_needs *needs, bool json, size_t *ret_rows,
			 struct strbuf *ret)
{
	const char *name, *help;
	size_t degraded = 0, i;

	for (i = 0; (name = session_source_name(i, &help)); i++) {
		struct doctor_result result = { .why = STRBUF_INIT, .fix = STRBUF_INIT };
		char title[32];

		snprintf(title, sizeof(title), "-e %s", name);
		check_event(needs, i, help, &result);
		(json ? add_json : add_text)(ret, title, &result);
		degraded += result.state != DOCTOR_OK;
		strbuf_done(&result.why);
		strbuf_done(&result.fix);
	}
	*ret_rows = i;
	return degraded;
}

static int doctor_run(int argc, char **argv)
{
	_cleanup_(session_needs_freep) struct session_needs *needs = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct doctor_options options = { 0 };
	enum doctor_state recording, state;
	struct option_words words;
	size_t i, events, degraded = 0;
	struct error err;
	int status;

	if (tool_parse(&doctor_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	needs = session_needs_new();
	if (!needs) {
		message_no_memory(&err);
		return message_error(&err);
	}
	/* The first row is what the exit status goes by; the others say why, and what is less. */
	recording = run_check(&doctor_checks[0], options.json, &text);
	for (i = 1; doctor_checks[i].name; i++) {
		state = run_check(&doctor_checks[i], options.json, &text);
		degraded += state != DOCTOR_OK;
	}
	degraded += run_events(needs, options.json, &events, &text);
	if (options.json)
		strbuf_add_text(&text, "]\n");
	else
		strbuf_printf(&text, "\nwick can%s record here; %zu of %zu rows %s\n",
			      recording == DOCTOR_OK ? "" : "not", degraded, i - 1 + events,
			      degraded ? "could be better" : "need anything");
	status = message_print(&text);
	return status ?: recording == DOCTOR_OK ? 0 : ERROR_NOT_SUPPORTED;
}

const struct tool doctor_tool = {
	.name = "doctor",
	.summary = "say what this machine allows, and the fix for each gap",
	.usage = "",
	.description =
		"Try what recording needs, and print a row for each: ok, degraded when recording "
		"works with less, or missing when it does not work, with the reason and what to do "
		"about it; then a row for each event of wick record. Nothing is changed.\n\n"
		"The exit status is 0 when recording is possible, and 3 when it is not.",
	.options = doctor_table,
	.run = doctor_run,
};
