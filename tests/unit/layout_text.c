/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/layout_text.h"

#include <inttypes.h>

static const char *const registers[] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi",
					 "rbp", "rsp", "r8",  "r9",  "r10", "r11",
					 "r12", "r13", "r14", "r15", "rip" };
static const char *const bases[] = {
	[PROBE_BASE_CONSTANT] = "constant", [PROBE_BASE_WORD] = "word",
	[PROBE_BASE_RECORD] = "record",	    [PROBE_BASE_LATENCY] = "latency",
	[PROBE_BASE_PID] = "pid",	    [PROBE_BASE_TID] = "tid",
	[PROBE_BASE_UID] = "uid",	    [PROBE_BASE_CGROUP] = "cgroup",
	[PROBE_BASE_CPU] = "cpu",	    [PROBE_BASE_COMM] = "comm",
	[PROBE_BASE_PACKET] = "packet",	    [PROBE_BASE_VALUE] = "v",
};
static const char *const shows[] = {
	[PROBE_SHOW_SIGNED] = "signed",	  [PROBE_SHOW_UNSIGNED] = "unsigned",
	[PROBE_SHOW_HEXADECIMAL] = "hex", [PROBE_SHOW_TEXT] = "text",
	[PROBE_SHOW_BYTES] = "bytes",	  [PROBE_SHOW_BOOL] = "bool",
	[PROBE_SHOW_CHAR] = "char",	  [PROBE_SHOW_ENUM] = "enum",
	[PROBE_SHOW_NANOSECONDS] = "ns",  [PROBE_SHOW_ERRNO] = "errno",
	[PROBE_SHOW_ADDRESS4] = "ip4",	  [PROBE_SHOW_ADDRESS] = "ip",
	[PROBE_SHOW_PROTOCOL] = "proto",  [PROBE_SHOW_TCP_FLAGS] = "tcp",
	[PROBE_SHOW_TCP_STATE] = "state",  [PROBE_SHOW_FLAGS] = "flags",
};
static const char *const operators[] = { "==", "!=", "<", "<=", ">", ">=", "&" };

static enum probe_show usual_show(const struct probe_fetch *fetch)
{
	if (fetch->form == PROBE_TEXT)
		return PROBE_SHOW_TEXT;
	if (fetch->form == PROBE_BYTES)
		return PROBE_SHOW_BYTES;
	return fetch->flags & PROBE_FETCH_SIGNED ? PROBE_SHOW_SIGNED : PROBE_SHOW_UNSIGNED;
}

static void write_form(const struct probe_fetch *fetch, struct strbuf *buf)
{
	static const char letters[] = {
		[0] = 0, [1] = 'U', [2] = 0, [3] = 'E', [4] = 'L', [5] = 'A'
	};

	if (fetch->form == PROBE_NUMBER)
		strbuf_printf(buf, ".%c%u", fetch->flags & PROBE_FETCH_SIGNED ? 's' : 'u',
			      fetch->bytes);
	else
		strbuf_printf(buf, ".%s%u", fetch->form == PROBE_TEXT ? "text" : "bytes",
			      fetch->size);
	if (fetch->size_value && fetch->base != PROBE_BASE_PACKET)
		strbuf_printf(buf, "#v%u", fetch->size_value - 1);
	if (fetch->bit_count)
		strbuf_printf(buf, ":%u,%u", fetch->bit_shift, fetch->bit_count);
	if (fetch->flags & (PROBE_FETCH_USER | PROBE_FETCH_AT_ENTRY | PROBE_FETCH_DATA_LOC |
			    PROBE_FETCH_AGAIN))
		strbuf_add_char(buf, '.');
	for (size_t bit = 0; bit < sizeof(letters); bit++)
		if (letters[bit] && (fetch->flags & (1u << bit)))
			strbuf_add_char(buf, letters[bit]);
}

static void write_value(const struct probe_fetch *fetch, const struct probe_value *value,
			struct strbuf *buf)
{
	bool is_memory = fetch->form != PROBE_NUMBER || (fetch->flags & PROBE_FETCH_MEMORY);

	strbuf_printf(buf, "%s%s=%s", fetch->flags & PROBE_FETCH_HIDDEN ? "~" : "",
		      fetch->flags & PROBE_FETCH_HIDDEN ? "" : value->name, is_memory ? "*" : "");
	if (fetch->base == PROBE_BASE_REGISTER)
		strbuf_add_text(
			buf, fetch->index < ARRAY_SIZE(registers) ? registers[fetch->index] : "0");
	else
		strbuf_add_text(buf, bases[fetch->base]);
	if (fetch->scaled)
		strbuf_printf(buf, "+%s*%u", registers[fetch->scaled - 1],
			      1u << fetch->scale_shift);
	if (fetch->base == PROBE_BASE_VALUE)
		strbuf_printf(buf, "%u", fetch->from);
	if (fetch->base == PROBE_BASE_WORD || fetch->base == PROBE_BASE_PACKET)
		strbuf_printf(buf, "%u", fetch->index);
	if (fetch->base == PROBE_BASE_PACKET)
		strbuf_printf(buf, fetch->size_value ? "(v%u,v%u)" : "(v%u)", fetch->from,
			      fetch->size_value - 1);
	for (unsigned int i = 0; i < fetch->step_count; i++)
		strbuf_printf(buf, "[%d]", fetch->step[i]);
	if (fetch->offset)
		strbuf_printf(buf, "%+" PRId64, (int64_t)fetch->offset);
	write_form(fetch, buf);
	if (value->show != usual_show(fetch) && !(fetch->flags & PROBE_FETCH_HIDDEN))
		strbuf_printf(buf, "/%s", shows[value->show]);
}

static void write_target(uint8_t target, struct strbuf *buf)
{
	if (target == PROBE_ACCEPT)
		strbuf_add_char(buf, 'A');
	else if (target == PROBE_REJECT)
		strbuf_add_char(buf, 'R');
	else
		strbuf_printf(buf, "%u", target);
}

/* Bytes that are no letters as "\\xff". */
static void write_constant(const char *bytes, size_t size, struct strbuf *buf)
{
	for (size_t i = 0; i < size; i++)
		strbuf_printf(buf, bytes[i] >= ' ' && bytes[i] <= '~' ? "%c" : "\\x%02x",
			      (unsigned char)bytes[i]);
}

static void write_term(const struct probe_site *site, const struct probe_term *term,
		       struct strbuf *buf)
{
	strbuf_printf(buf, " v%u%s", term->left, operators[term->op]);
	if (term->flags & PROBE_TERM_TEXT) {
		strbuf_add_char(buf, '"');
		write_constant(site->constants[term->constant],
			       site->constant_bytes[term->constant], buf);
		strbuf_add_text(buf, term->flags & PROBE_TERM_PREFIX ? "*\"" : "\"");
	} else if (term->right != PROBE_RIGHT_CONSTANT) {
		strbuf_printf(buf, "v%u", term->right);
	} else {
		strbuf_printf(buf, "%" PRId64, (int64_t)term->constant);
	}
	if (term->flags & PROBE_TERM_SIGNED)
		strbuf_add_char(buf, 's');
	strbuf_add_char(buf, '?');
	write_target(term->if_true, buf);
	strbuf_add_char(buf, ':');
	write_target(term->if_false, buf);
}

void layout_text_write(const struct probe_layout *layout, struct strbuf *buf)
{
	const struct probe_site *site = &layout->site;
	size_t i;

	for (i = 0; i < site->value_count; i++) {
		strbuf_add_text(buf, i ? " " : "");
		write_value(&site->values[i], &layout->values[i], buf);
	}
	if (site->sum != PROBE_NO_VALUE)
		strbuf_printf(buf, " sum v%u", site->sum);
	for (i = 0; i < site->label_count; i++)
		strbuf_printf(buf, " label v%u '%s'", site->labels[i],
			      layout->values[site->labels[i]].name);
	if (site->term_count)
		strbuf_add_text(buf, " |");
	for (i = 0; i < site->term_count; i++)
		write_term(site, &site->terms[i], buf);
}
