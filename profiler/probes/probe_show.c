/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_show.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "formats/quantity.h"
#include "formats/utf8.h"

#define ERRNO_MAX 4095

struct named_number {
	uint64_t number;
	const char *name;
};

static const char *name_of(const struct named_number *names, size_t count, uint64_t number)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

/* ---- errors ---- */

/* Of the kernel's own: a signal interrupted the call, which is made again unless a handler says no. */
static const struct named_number restarts[] = {
	{ 512, "ERESTARTSYS" },
	{ 513, "ERESTARTNOINTR" },
	{ 514, "ERESTARTNOHAND" },
	{ 516, "ERESTART_RESTARTBLOCK" },
};

const char *probe_error_name(int error)
{
	return strerrorname_np(error) ?: name_of(restarts, ARRAY_SIZE(restarts), (uint64_t)error);
}

void probe_show_error(int error, struct strbuf *ret)
{
	const char *name = probe_error_name(error);

	if (name_of(restarts, ARRAY_SIZE(restarts), (uint64_t)error))
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

static void add_flags(uint64_t number, struct strbuf *ret)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH",
					     "ACK", "URG", "ECE", "CWR" };
	const char *bar = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(number >> i & 1))
			continue;
		strbuf_printf(ret, "%s%s", bar, names[i]);
		bar = "|";
	}
	if (!*bar)
		strbuf_add_char(ret, '0');
}

static const struct named_number protocols[] = {
	{ IPPROTO_ICMP, "ICMP" }, { IPPROTO_IGMP, "IGMP" }, { IPPROTO_TCP, "TCP" },
	{ IPPROTO_UDP, "UDP" },	  { IPPROTO_GRE, "GRE" },   { IPPROTO_ESP, "ESP" },
	{ IPPROTO_AH, "AH" },	  { IPPROTO_ICMPV6, "ICMPv6" }, { IPPROTO_SCTP, "SCTP" },
	{ IPPROTO_UDPLITE, "UDPLITE" },
};

static const struct named_number states[] = {
	{ TCP_ESTABLISHED, "ESTABLISHED" }, { TCP_SYN_SENT, "SYN_SENT" },
	{ TCP_SYN_RECV, "SYN_RECV" },	    { TCP_FIN_WAIT1, "FIN_WAIT1" },
	{ TCP_FIN_WAIT2, "FIN_WAIT2" },	    { TCP_TIME_WAIT, "TIME_WAIT" },
	{ TCP_CLOSE, "CLOSE" },		    { TCP_CLOSE_WAIT, "CLOSE_WAIT" },
	{ TCP_LAST_ACK, "LAST_ACK" },	    { TCP_LISTEN, "LISTEN" },
	{ TCP_CLOSING, "CLOSING" },	    { 12, "NEW_SYN_RECV" },
};

static void add_name(const char *name, uint64_t number, struct strbuf *ret)
{
	if (name)
		strbuf_add_text(ret, name);
	else
		strbuf_printf(ret, "%" PRIu64, number);
}

/* A number that no enumerator has may be several of them, or none at all: then it stays one. */
static void add_enumerator(const struct type_info *type, uint64_t number, struct strbuf *ret)
{
	struct type_enumerator e;

	for (size_t i = 0; type->provider && type->provider->enumerator &&
			   !type->provider->enumerator(type, i, &e);
	     i++)
		if (e.value == (int64_t)number) {
			strbuf_add_text(ret, e.name);
			return;
		}
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
		add_name(name_of(protocols, ARRAY_SIZE(protocols), number), number, ret);
		break;
	case PROBE_SHOW_TCP_FLAGS:
		add_flags(number, ret);
		break;
	case PROBE_SHOW_TCP_STATE:
		add_name(name_of(states, ARRAY_SIZE(states), number), number, ret);
		break;
	case PROBE_SHOW_SIGNED:
		strbuf_printf(ret, "%" PRId64, (int64_t)number);
		break;
	default:
		strbuf_printf(ret, "%" PRIu64, number);
		break;
	}
}
