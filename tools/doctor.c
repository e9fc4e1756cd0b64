/* SPDX-License-Identifier: BSD-2-Clause */
/* wick doctor: what this machine allows, and the fix for each gap. */
#include "tools/doctor.h"

#include <stdarg.h>

#include "formats/json.h"
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

static int doctor_run(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct doctor_options options = { 0 };
	enum doctor_state recording, state;
	struct option_words words;
	size_t i, degraded = 0;
	int status;

	if (tool_parse(&doctor_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	/* The first row is what the exit status goes by; the others say why, and what is less. */
	recording = run_check(&doctor_checks[0], options.json, &text);
	for (i = 1; doctor_checks[i].name; i++) {
		state = run_check(&doctor_checks[i], options.json, &text);
		degraded += state != DOCTOR_OK;
	}
	if (options.json)
		strbuf_add_text(&text, "]\n");
	else
		strbuf_printf(&text, "\nwick can%s record here; %zu of %zu rows %s\n",
			      recording == DOCTOR_OK ? "" : "not", degraded, i - 1,
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
		"about it. Nothing is changed.\n\n"
		"The exit status is 0 when recording is possible, and 3 when it is not.",
	.options = doctor_table,
	.run = doctor_run,
};
