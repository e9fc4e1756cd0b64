/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_tracepoint_format.c - any bytes as a tracepoint's format, and all of it compiled. */
#include <string.h>

#include "profiler/kernel_types/tracepoint_fields.h"
#include "tests/fuzz/fuzz.h"

static void check_field(const struct tracepoint_field *field)
{
	fuzz_touch_text(field->name);
	fuzz_touch_text(field->type);
	fuzz_check(*field->name && *field->type, "a field without a name or a type");
	for (size_t i = 0; i < field->enumerator_count; i++)
		fuzz_touch_text(field->enumerators[i].name);
}

static void check_category(const struct tracepoint_format *format, const char *category)
{
	_cleanup_free_ struct probe_field *fields = NULL;
	struct probe_scope scope = { .arguments = SCOPE_RECORD };
	const struct probe_request request = { .filter = "x == A && y == \"z\"" };
	const struct probe_request everything = { 0 };
	struct probe_layout layout;
	struct error err;

	if (tracepoint_fields(format, category, NULL, &fields, &scope.field_count) < 0)
		return;
	scope.fields = fields;
	fuzz_check(probe_compile(&everything, &scope, &layout, &err) == 0,
		   "what is shown when nothing is asked for is refused");
	for (size_t i = 0; i < layout.site.value_count; i++)
		fuzz_check(layout.site.values[i].size <= PROBE_TEXT_MAX, "a text that is too long");
	probe_compile(&request, &scope, &layout, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;

	if (tracepoint_format_parse((const char *)bytes, size, &format) < 0)
		return 0;
	fuzz_touch_text(tracepoint_format_name(format));
	fuzz_touch_text(tracepoint_format_print(format));
	for (size_t i = 0; i < tracepoint_format_count(format); i++)
		check_field(tracepoint_format_at(format, i));
	check_category(format, "syscalls");
	check_category(format, "net");
	return 0;
}
