/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/list_probes.h"

#include <errno.h>
#include <string.h>

#include "formats/json.h"
#include "profiler/base/plain_text.h"
#include "profiler/probes/probe_list.h"
#include "profiler/session.h"
#include "tools/message.h"
#include "tools/options/event_list.h"

/* vfs_read(struct file * file, char * buf) = ssize_t */
static void add_text(struct strbuf *ret, const struct probe_entry *entry)
{
	strbuf_add_plain(ret, entry->event);
	if (*entry->arguments || *entry->result) {
		strbuf_add_char(ret, '(');
		strbuf_add_plain(ret, entry->arguments);
		strbuf_add_char(ret, ')');
	}
	if (*entry->result) {
		strbuf_add_text(ret, " = ");
		strbuf_add_plain(ret, entry->result);
	}
	strbuf_add_char(ret, '\n');
}

static void add_json(struct strbuf *ret, const struct probe_entry *entry)
{
	const struct {
		const char *name, *text;
	} members[] = {
		{ "event", entry->event },
		{ "arguments", entry->arguments },
		{ "result", entry->result },
		{ "by", !entry->has_way	     ? "" :
			entry->kprobe_reason ? "kprobe" :
					       "fentry" },
		{ "reason", entry->kprobe_reason ?: "" },
	};

	strbuf_add_text(ret, ret->size ? ",\n " : "[\n ");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		strbuf_printf(ret, "%s\"%s\": ", i ? ", " : "{", members[i].name);
		json_add_text(ret, members[i].text);
	}
	strbuf_add_char(ret, '}');
}

/* Why events of the kind of @event cannot be recorded here, for a list of what can. Returns whether so. */
static bool say_lacks(struct session_needs *needs, const char *event)
{
	bool lacks = false;
	size_t size = event_name_size(event);
	struct session_lack lack;
	const char *name, *help;

	for (size_t i = 0; (name = session_source_name(i, &help)); i++)
		if (strlen(name) == size && !memcmp(name, event, size) &&
		    session_source_lack(needs, i, 0, &lack) && !lack.part) {
			message_note("%s: not here: %s; instead: %s", name, lack.reason,
				     lack.substitute);
			lacks = true;
		}
	return lacks;
}

static void say_way(const struct probe_entry *entry)
{
	if (entry->has_way && entry->kprobe_reason)
		message_note("%s: by a kprobe: %s", entry->event, entry->kprobe_reason);
	else if (entry->has_way)
		message_note("%s: by fentry", entry->event);
}

static void say_all_lacks(const struct probe_list *list)
{
	_cleanup_(session_needs_freep) struct session_needs *needs = session_needs_new();
	const char *last = "";

	for (size_t i = 0; needs && i < probe_list_count(list); i++) {
		const struct probe_entry *entry = probe_list_at(list, i);
		size_t size = event_name_size(entry->event) + 1;

		if (strncmp(entry->event, last, size) && !say_lacks(needs, entry->event))
			say_way(entry);
		last = entry->event;
	}
}

int list_probes(const char *pattern, const struct process_list *pids, bool json)
{
	const struct probe_targets targets = { .pids = pids->ids, .pid_count = pids->count };
	_cleanup_(probe_list_freep) struct probe_list *list = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = { 0 };
	int r = probe_list_read(pattern, &targets, &list, &err);

	if (r >= 0 && !probe_list_count(list))
		r = error_set(&err, ERROR_FAILED, -ENOENT, "no probe matches: %s", pattern);
	if (r < 0 && !err.text[0])
		message_no_memory(&err);
	if (r < 0)
		return message_error(&err);
	for (size_t i = 0; i < probe_list_count(list); i++)
		(json ? add_json : add_text)(&text, probe_list_at(list, i));
	if (json)
		strbuf_add_text(&text, "\n]\n");
	if (probe_list_note(list))
		message_warn("%s: continuing without arguments", probe_list_note(list));
	say_all_lacks(list);
	return message_print(&text);
}
