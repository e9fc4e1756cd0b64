/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/event_value.h"

#include <inttypes.h>
#include <string.h>

#include "bpf/sample_abi.h"
#include "profiler/kernel_types/syscall_arguments.h"
#include "profiler/probes/probe_show.h"

/* How a value is written where it is data, and whether people want to see more than the number. */
static const struct {
	enum event_value_kind kind;
	bool has_words;
} forms[] = {
	[PROBE_SHOW_SIGNED] = { EVENT_VALUE_SIGNED, false },
	[PROBE_SHOW_UNSIGNED] = { EVENT_VALUE_UNSIGNED, false },
	[PROBE_SHOW_HEXADECIMAL] = { EVENT_VALUE_UNSIGNED, false },
	[PROBE_SHOW_TEXT] = { EVENT_VALUE_TEXT, false },
	[PROBE_SHOW_BYTES] = { EVENT_VALUE_BYTES, false },
	[PROBE_SHOW_WORDS] = { EVENT_VALUE_WORDS, false },
	[PROBE_SHOW_BOOL] = { EVENT_VALUE_BOOL, false },
	[PROBE_SHOW_CHAR] = { EVENT_VALUE_SIGNED, true },
	[PROBE_SHOW_ENUM] = { EVENT_VALUE_SIGNED, true },
	[PROBE_SHOW_FLAGS] = { EVENT_VALUE_UNSIGNED, true },
	[PROBE_SHOW_NANOSECONDS] = { EVENT_VALUE_UNSIGNED, false },
	[PROBE_SHOW_ERRNO] = { EVENT_VALUE_SIGNED, false },
	[PROBE_SHOW_ADDRESS4] = { EVENT_VALUE_ADDRESS, false },
	[PROBE_SHOW_ADDRESS] = { EVENT_VALUE_ADDRESS, false },
	[PROBE_SHOW_PROTOCOL] = { EVENT_VALUE_UNSIGNED, true },
	[PROBE_SHOW_TCP_FLAGS] = { EVENT_VALUE_UNSIGNED, true },
	[PROBE_SHOW_TCP_STATE] = { EVENT_VALUE_UNSIGNED, true },
};

static bool fill_bytes(const struct probe_values *values, size_t index, struct event_value *value)
{
	uint64_t offset = values->value[index] & UINT32_MAX, size = values->value[index] >> 32;

	if (offset > values->text_bytes || size > values->text_bytes - offset)
		return false;
	value->bytes = values->text + offset;
	value->size = size;
	value->is_cut = values->cut >> index & 1;
	return true;
}

static bool set_unreadable(struct event_value *value, uint64_t address)
{
	value->kind = EVENT_VALUE_UNREADABLE;
	value->number = address;
	value->has_words = false;
	return true;
}

bool event_value_fill(const struct probe_layout *layout, const struct probe_values *values,
		      size_t index, const char *call, struct event_value *ret)
{
	const struct probe_value *meaning = &layout->values[index];
	const struct probe_fetch *fetch = &layout->site.values[index];
	bool is_number = fetch->form == PROBE_NUMBER;

	if (fetch->flags & PROBE_FETCH_HIDDEN || meaning->show >= ARRAY_SIZE(forms))
		return false;
	*ret = (struct event_value){ .name = meaning->name, .type = meaning->type,
				     .meaning = meaning, .kind = forms[meaning->show].kind,
				     .has_words = forms[meaning->show].has_words };
	/* Its number is then where it would have been. */
	if (values->unreadable >> index & 1)
		return set_unreadable(ret, values->value[index]);
	if (!is_number && !fill_bytes(values, index, ret))
		return set_unreadable(ret, 0);
	if (!is_number) {
		/* Bytes have no other form. */
		ret->has_words = false;
		if (ret->kind != EVENT_VALUE_TEXT && ret->kind != EVENT_VALUE_ADDRESS &&
		    ret->kind != EVENT_VALUE_WORDS)
			ret->kind = EVENT_VALUE_BYTES;
		return true;
	}
	ret->number = values->value[index];
	if (ret->kind == EVENT_VALUE_TEXT || ret->kind == EVENT_VALUE_BYTES)
		ret->kind = EVENT_VALUE_UNSIGNED;
	ret->argument = call ? syscall_argument_find(call, meaning->name) : NULL;
	ret->has_words = ret->has_words ||
			 (ret->argument && syscall_argument_has_words(ret->argument));
	return true;
}

static const struct event_value *find_flags(const struct event_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(values[i].name, "flags") && values[i].kind != EVENT_VALUE_UNREADABLE)
			return &values[i];
	return NULL;
}

size_t event_values_drop_unused(struct event_value *values, size_t count)
{
	const struct event_value *flags = find_flags(values, count);
	uint64_t bits = flags ? flags->number : ~0ull;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!values[i].argument || syscall_argument_is_used(values[i].argument, bits))
			values[kept++] = values[i];
	return kept;
}

bool event_value_is_failure(const struct event_value *value)
{
	return value->kind != EVENT_VALUE_UNREADABLE &&
	       value->meaning->show == PROBE_SHOW_ERRNO && (int64_t)value->number < 0 &&
	       (int64_t)value->number >= -WICK_ERRNO_MAX;
}

void event_value_add_text(const struct event_value *value, struct strbuf *ret)
{
	if (value->kind == EVENT_VALUE_UNREADABLE && value->number)
		strbuf_printf(ret, "<unreadable 0x%" PRIx64 ">", value->number);
	else if (value->kind == EVENT_VALUE_UNREADABLE)
		strbuf_add_text(ret, "<unreadable>");
	else if (value->bytes)
		probe_show_bytes(value->meaning, value->bytes, value->size, value->is_cut, ret);
	else if (value->argument && !event_value_is_failure(value))
		syscall_argument_show(value->argument, value->number, ret);
	else
		probe_show_number(value->meaning, value->number, ret);
}

void event_error_add_text(int error, struct strbuf *ret)
{
	probe_show_error(error, ret);
}

void event_text_add_quoted(const void *bytes, size_t size, struct strbuf *ret)
{
	probe_show_quoted(bytes, size, ret);
}
