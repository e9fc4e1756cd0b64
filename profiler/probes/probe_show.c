/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_show.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "formats/quantity.h"
#include "formats/utf8.h"
#include "profiler/probes/probe_names.h"

#define ERRNO_MAX 4095

/* ---- errors ---- */

/* Of the kernel's own: a signal interrupted the call, which is made again unless a handler says no. */
static const char *restart_name(int error)
{
	static const char *const names[] = { "ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND",
					     NULL, "ERESTART_RESTARTBLOCK" };

	return error >= 512 && error - 512 < (int)ARRAY_SIZE(names) ? names[error - 512] : NULL;
}

const char *probe_error_name(int error)
{
	return probe_name(PROBE_SHOW_ERRNO, (uint64_t)error) ?: restart_name(error);
}

void probe_show_error(int error, struct strbuf *ret)
{
	const char *name = probe_error_name(error);

	if (restart_name(error))
		strbuf_printf(ret, "? %s (interrupted by a signal)", name);
	else if (name)
		strbuf_printf(ret, "-1 %s (%s)", name, strerrordesc_np(error));
	else
		strbuf_printf(ret, "-1 (errno %d)", error);
}

static void add_result(int64_t number, struct strbuf *ret)
{
	if (number < 0 && number >= -ERRNO_MAX)
		probe_show_error((int)-number, ret);
	else
		strbuf_printf(ret, "%" PRId64, number);
}

/* ---- bytes ---- */

static void add_escaped(unsigned char c, struct strbuf *ret)
{
	static const char letters[] = "abtnvfr";

	if (c >= '\a' && c <= '\r')
		strbuf_printf(ret, "\\%c", letters[c - '\a']);
	else if (c == '"' || c == '\\')
		strbuf_printf(ret, "\\%c", c);
	else if (c < ' ' || c >= 0x7f)
		strbuf_printf(ret, "\\x%02x", c);
	else
		strbuf_add_char(ret, (char)c);
}

/* How long the character at @text is, that is more than a byte and no control character; else 0. */
static size_t wide_character(const unsigned char *text, size_t left)
{
	size_t size = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : *text >= 0xc2 ? 2 : 0;

	/* U+0080 to U+009F are control characters, too. */
	if (!size || size > left || (*text == 0xc2 && text[1] < 0xa0))
		return 0;
	return utf8_valid_bytes((const char *)text, size) == size ? size : 0;
}

void probe_show_quoted(const void *bytes, size_t size, struct strbuf *ret)
{
	const unsigned char *text = bytes;

	strbuf_add_char(ret, '"');
	for (size_t i = 0; i < size;) {
		size_t wide = wide_character(text + i, size - i);

		if (wide)
			strbuf_add(ret, text + i, wide);
		else
			add_escaped(text[i], ret);
		i += wide ?: 1;
	}
	strbuf_add_char(ret, '"');
}

/* Network addresses are of 4 or 16 bytes, and nothing else. */
static bool add_address(const void *bytes, size_t size, struct strbuf *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (size != 4 && size != 16)
		return false;
	strbuf_add_text(ret, inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)));
	return true;
}

/* As one would type them, but for quotes: spaces between, and none behind. */
static void add_words(const char *bytes, size_t size, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	while (size && !bytes[size - 1])
		size--;
	for (size_t i = 0; i < size; i++)
		strbuf_add_char(&words, bytes[i] ? bytes[i] : ' ');
	ret->error = ret->error ?: words.error;
	probe_show_quoted(words.data, words.size, ret);
}

void probe_show_bytes(const struct probe_value *value, const void *bytes, size_t size, bool is_cut,
		      struct strbuf *ret)
{
	bool is_address = value->show == PROBE_SHOW_ADDRESS || value->show == PROBE_SHOW_ADDRESS4;

	if (is_address && add_address(bytes, size, ret))
		return;
	if (value->show == PROBE_SHOW_WORDS)
		add_words(bytes, size, ret);
	else
		probe_show_quoted(bytes, size, ret);
	if (is_cut)
		strbuf_add_text(ret, "...");
}

/* ---- numbers ---- */

static void add_part(struct strbuf *ret, const char **bar, const char *name)
{
	strbuf_printf(ret, "%s%s", *bar, name);
	*bar = "|";
}

/* What is left of a number after its flags, and what has none at all. */
static void add_rest(struct strbuf *ret, const char *bar, uint64_t rest)
{
	if (rest)
		strbuf_printf(ret, "%s0x%" PRIx64, bar, rest);
	else if (!*bar)
		strbuf_add_char(ret, '0');
}

static void add_tcp_flags(uint64_t number, struct strbuf *ret)
{
	const char *bar = "";

	for (unsigned int bit = 0; bit < 8; bit++) {
		if (!(number >> bit & 1))
			continue;
		add_part(ret, &bar, probe_name(PROBE_SHOW_TCP_FLAGS, 1ull << bit));
		number &= ~(1ull << bit);
	}
	add_rest(ret, bar, number);
}

static bool enumerator_at(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	return type->provider && type->provider->enumerator &&
	       !type->provider->enumerator(type, index, ret);
}

static bool add_exact(const struct type_info *type, uint64_t number, struct strbuf *ret)
{
	struct type_enumerator e;

	for (size_t i = 0; enumerator_at(type, i, &e); i++)
		if ((uint64_t)e.value == number) {
			strbuf_add_text(ret, e.name);
			return true;
		}
	return false;
}

/* In the order of the enumerators: one of several bits may come before those it has. */
static void add_flags(const struct type_info *type, uint64_t number, struct strbuf *ret)
{
	struct type_enumerator e;
	const char *bar = "";

	if (!number && add_exact(type, number, ret))
		return;
	for (size_t i = 0; enumerator_at(type, i, &e); i++) {
		if (!e.value || (number & (uint64_t)e.value) != (uint64_t)e.value)
			continue;
		add_part(ret, &bar, e.name);
		number &= ~(uint64_t)e.value;
	}
	add_rest(ret, bar, number);
}

static void add_name(const char *name, uint64_t number, struct strbuf *ret)
{
	if (name)
		strbuf_add_text(ret, name);
	else
		strbuf_printf(ret, "%" PRIu64, number);
}

/* One that no enumerator has stays a number. */
static void add_enumerator(const struct type_info *type, uint64_t number, struct strbuf *ret)
{
	if (!add_exact(type, number, ret))
		strbuf_printf(ret, type->is_signed ? "%" PRId64 : "%" PRIu64, number);
}

static void add_character(uint64_t number, struct strbuf *ret)
{
	if (number >= 256) {
		strbuf_printf(ret, "%" PRId64, (int64_t)number);
		return;
	}
	strbuf_add_char(ret, '\'');
	if (number == '\'')
		strbuf_add_text(ret, "\\'");
	else if (number == '"')
		strbuf_add_char(ret, '"');
	else if (!number)
		strbuf_add_text(ret, "\\0");
	else
		add_escaped((unsigned char)number, ret);
	strbuf_add_char(ret, '\'');
}

static void add_port_or_address(uint64_t number, struct strbuf *ret)
{
	uint32_t bytes = (uint32_t)number;

	/* As it lies in memory, in the order of the network. */
	add_address(&bytes, sizeof(bytes), ret);
}

void probe_show_number(const struct probe_value *value, uint64_t number, struct strbuf *ret)
{
	switch (value->show) {
	case PROBE_SHOW_HEXADECIMAL:
		strbuf_printf(ret, "0x%" PRIx64, number);
		break;
	case PROBE_SHOW_BOOL:
		add_name(number == 0 ? "false" : number == 1 ? "true" : NULL, number, ret);
		break;
	case PROBE_SHOW_CHAR:
		add_character(number, ret);
		break;
	case PROBE_SHOW_ENUM:
		add_enumerator(&value->type_info, number, ret);
		break;
	case PROBE_SHOW_NANOSECONDS:
		quantity_print(ret, (int64_t)number, "", "nanoseconds");
		break;
	case PROBE_SHOW_ERRNO:
		add_result((int64_t)number, ret);
		break;
	case PROBE_SHOW_ADDRESS4:
		add_port_or_address(number, ret);
		break;
	case PROBE_SHOW_PROTOCOL:
	case PROBE_SHOW_TCP_STATE:
		add_name(probe_name(value->show, number), number, ret);
		break;
	case PROBE_SHOW_TCP_FLAGS:
		add_tcp_flags(number, ret);
		break;
	case PROBE_SHOW_FLAGS:
		add_flags(&value->type_info, number, ret);
		break;
	case PROBE_SHOW_SIGNED:
		strbuf_printf(ret, "%" PRId64, (int64_t)number);
		break;
	default:
		strbuf_printf(ret, "%" PRIu64, number);
		break;
	}
}
