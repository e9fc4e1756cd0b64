/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/trace/trace_members.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json.h"

struct members {
	struct strbuf *ret;
	const char *comma;
};

static void add_key(struct members *m, const char *key, const char *suffix)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	strbuf_printf(&name, "%s%s", key, suffix);
	strbuf_add_text(m->ret, m->comma);
	json_add_text(m->ret, name.data);
	strbuf_add_char(m->ret, ':');
	m->comma = ",";
}

/* In the form for people, which never holds what JSON could not. */
static void add_words(const struct event_value *value, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	event_value_add_text(value, &text);
	json_add_text(ret, text.data);
}

static void add_bytes(const struct event_value *value, struct strbuf *ret)
{
	const unsigned char *bytes = value->bytes;

	strbuf_add_char(ret, '"');
	for (size_t i = 0; i < value->size; i++)
		strbuf_printf(ret, "%02x", bytes[i]);
	strbuf_add_char(ret, '"');
}

/* A NUL would end it too early; nothing that was read as a text has one. */
static void add_string(const struct event_value *value, struct strbuf *ret)
{
	_cleanup_free_ char *text = strndup(value->bytes, value->size);

	if (!text)
		ret->error = ret->error ?: -ENOMEM;
	else
		json_add_text(ret, text);
}

/* A list of them: what is within a word is then told from what is between two. */
static void add_list(const struct event_value *value, struct strbuf *ret)
{
	const char *bytes = value->bytes;
	_cleanup_free_ char *word = NULL;

	strbuf_add_char(ret, '[');
	for (size_t at = 0; at < value->size; at += strlen(word) + 1) {
		free(word);
		word = strndup(bytes + at, value->size - at);
		if (!word) {
			ret->error = ret->error ?: -ENOMEM;
			return;
		}
		strbuf_add_text(ret, at ? "," : "");
		json_add_text(ret, word);
	}
	strbuf_add_char(ret, ']');
}

static void add_value(struct members *m, const struct event_value *value)
{
	add_key(m, value->name, "");
	switch (value->kind) {
	case EVENT_VALUE_SIGNED:
		strbuf_printf(m->ret, "%" PRId64, (int64_t)value->number);
		break;
	case EVENT_VALUE_UNSIGNED:
		strbuf_printf(m->ret, "%" PRIu64, value->number);
		break;
	case EVENT_VALUE_BOOL:
		strbuf_add_text(m->ret, value->number ? "true" : "false");
		break;
	case EVENT_VALUE_TEXT:
		add_string(value, m->ret);
		break;
	case EVENT_VALUE_BYTES:
		add_bytes(value, m->ret);
		break;
	case EVENT_VALUE_WORDS:
		add_list(value, m->ret);
		break;
	case EVENT_VALUE_ADDRESS:
		add_words(value, m->ret);
		break;
	case EVENT_VALUE_UNREADABLE:
		strbuf_add_text(m->ret, "null");
		break;
	}
	if (value->has_words) {
		add_key(m, value->name, "_text");
		add_words(value, m->ret);
	}
	if (value->is_cut) {
		add_key(m, value->name, "_cut");
		strbuf_add_text(m->ret, "true");
	}
}

static void add_label(struct members *m, const struct event_label *label)
{
	add_key(m, label->key, "");
	if (label->text)
		json_add_text(m->ret, label->text);
	else
		strbuf_printf(m->ret, "%" PRId64, label->number);
}

void trace_members_add(const struct traced_event *event, struct strbuf *ret)
{
	struct members m = { .ret = ret, .comma = "" };

	for (size_t i = 0; i < event->value_count; i++)
		add_value(&m, &event->values[i]);
	for (size_t i = 0; i < event->label_count; i++)
		add_label(&m, &event->labels[i]);
	if (!event->error)
		return;
	add_key(&m, "errno", "");
	strbuf_printf(ret, "%d", event->error);
	add_key(&m, "error", "");
	json_add_text(ret, event->error_name);
}
