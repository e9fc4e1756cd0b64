/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/labels/labels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/probes/probe_set.h"
#include "profiler/probes/probe_show.h"
#include "profiler/processes/cgroup_names.h"
#include "profiler/session.h"
#include "profiler/sources/reasons.h"
#include "profiler/sources/syscalls.h"
#include "profiler/window.h"

struct labels {
	struct profile_builder *builder;
	uint64_t wanted;
	profile_string pid, tid, comm, thread;
};

/* A number (then *@ret_text stays NULL) or a text, which need not outlive the call after it. */
struct label_value {
	const char *text;
	int64_t number;
	bool is_absent;		/* there is none after all */
	char buffer[256];
};

/* ---- the table ---- */

static uint64_t fact(const struct label_input *in, unsigned int field)
{
	return in->detail->value[field];
}

static void read_cpu(const struct label_input *in, struct label_value *ret)
{
	ret->number = fact(in, WICK_DETAIL_CPU);
}

static void read_bucket(const struct label_input *in, struct label_value *ret)
{
	ret->number = fact(in, WICK_DETAIL_BUCKET);
}

static void read_syscall(const struct label_input *in, struct label_value *ret)
{
	ret->text = syscall_name(fact(in, WICK_DETAIL_SYSCALL));
	ret->number = fact(in, WICK_DETAIL_SYSCALL);
}

static void read_errno(const struct label_input *in, struct label_value *ret)
{
	uint64_t number = fact(in, WICK_DETAIL_ERRNO);

	ret->text = probe_error_name((int)number);
	ret->number = number;
}

static void read_reason(const struct label_input *in, struct label_value *ret)
{
	bool in_syscall = in->detail->present & WICK_DETAIL_BIT(SYSCALL);

	ret->text = reason_text(fact(in, WICK_DETAIL_REASON),
				in_syscall ? (int)fact(in, WICK_DETAIL_SYSCALL) : -1,
				in->kernel_names, in->kernel_count);
}

static void read_address(const struct label_input *in, uint64_t address, struct label_value *ret)
{
	snprintf(ret->buffer, sizeof(ret->buffer), "0x%" PRIx64, address);
	ret->text = ret->buffer;
}

static void read_lock(const struct label_input *in, struct label_value *ret)
{
	read_address(in, fact(in, WICK_DETAIL_LOCK), ret);
}

static void read_accessed(const struct label_input *in, struct label_value *ret)
{
	read_address(in, fact(in, WICK_DETAIL_ADDRESS), ret);
}

static void read_file(const struct label_input *in, struct label_value *ret)
{
	ret->text = label_notes_file(in->notes, fact(in, WICK_DETAIL_FILE));
	ret->is_absent = !ret->text;
}

/* A wait that has not ended does not say it; but its task is still there, too. */
static const char *cgroup_path(const struct label_input *in)
{
	if (in->detail && in->detail->present & WICK_DETAIL_BIT(CGROUP))
		return label_notes_cgroup(in->notes, fact(in, WICK_DETAIL_CGROUP));
	return label_notes_cgroup_of(in->notes, in->task);
}

static void read_cgroup(const struct label_input *in, struct label_value *ret)
{
	ret->text = cgroup_path(in);
	ret->is_absent = !ret->text;
}

static void read_container(const struct label_input *in, struct label_value *ret)
{
	const char *path = cgroup_path(in);

	ret->is_absent = !path || !cgroup_path_container(path, ret->buffer);
	ret->text = ret->buffer;
}

static void read_unit(const struct label_input *in, struct label_value *ret)
{
	const char *path = cgroup_path(in);

	ret->is_absent = !path || !cgroup_path_unit(path, ret->buffer, sizeof(ret->buffer));
	ret->text = ret->buffer;
}

static void read_program(const struct label_input *in, struct label_value *ret)
{
	ret->text = label_notes_program(in->notes, in->task);
	ret->is_absent = !ret->text;
}

static void read_peer(const struct label_input *in, struct label_value *ret)
{
	ret->text = in->peer;
}

static void read_key(const struct label_input *in, struct label_value *ret)
{
	uint64_t key = fact(in, WICK_DETAIL_KEY);

	ret->number = key;
	if (in->source->probes && key < in->source->probes->count)
		ret->text = in->source->probes->places[key].name;
	if (in->source->key_text)
		ret->text = in->source->key_text(key);
	if (in->source->key_write) {
		in->source->key_write(key, ret->buffer, sizeof(ret->buffer));
		ret->text = ret->buffer;
	}
}

/* The task alone tells, too. */
#define NO_FACT WICK_DETAIL_COUNT

/*
 * A label is there when its first fact is. Those without help belong to sources, and are not
 * for --label; a NULL name means that the source's row has it.
 */
static const struct label_row {
	const char *name, *help;
	unsigned int field;
	uint64_t also;			/* other facts that its reading wants */
	void (*read)(const struct label_input *in, struct label_value *ret);
} label_table[] = {
	{ "cpu", "the CPU it was on; of waits, when they ended", WICK_DETAIL_CPU, 0, read_cpu },
	{ "syscall", "the system call the task was in", WICK_DETAIL_SYSCALL, 0, read_syscall },
	{ "errno", "how a system call failed", WICK_DETAIL_ERRNO, 0, read_errno },
	{ "reason", "what a task waited for", WICK_DETAIL_REASON, WICK_DETAIL_BIT(SYSCALL),
	  read_reason },
	{ "lock", "the address of the lock", WICK_DETAIL_LOCK, 0, read_lock },
	{ "address", "the page that was accessed, by its address", WICK_DETAIL_ADDRESS, 0,
	  read_accessed },
	{ "file", "the file mapped there, or [heap], [stack], [anon]", WICK_DETAIL_FILE,
	  WICK_DETAIL_BIT(ADDRESS), read_file },
	{ "cgroup", "the cgroup of the task, as its path", NO_FACT, WICK_DETAIL_BIT(CGROUP),
	  read_cgroup },
	{ "container", "the id of the container the task is in", NO_FACT, WICK_DETAIL_BIT(CGROUP),
	  read_container },
	{ "unit", "the systemd unit the task belongs to", NO_FACT, WICK_DETAIL_BIT(CGROUP),
	  read_unit },
	{ "exe", "the file that the process executes", NO_FACT, 0, read_program },
	{ "bucket", NULL, WICK_DETAIL_BUCKET, 0, read_bucket },
	{ NULL, NULL, WICK_DETAIL_PEER_TASK, 0, read_peer },
	{ NULL, NULL, WICK_DETAIL_KEY, 0, read_key },
};
_Static_assert(ARRAY_SIZE(label_table) + 5 + PROBE_LABELS_MAX <= LABELS_MAX,
	       "each row may add one");

static uint64_t row_fact(const struct label_row *row)
{
	return row->field == NO_FACT ? 0 : 1ull << row->field;
}

const char *session_label_name(size_t index, const char **ret_help)
{
	for (size_t i = 0; i < ARRAY_SIZE(label_table); i++) {
		if (!label_table[i].help || index--)
			continue;
		*ret_help = label_table[i].help;
		return label_table[i].name;
	}
	return NULL;
}

uint64_t session_label_bit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(label_table); i++)
		if (label_table[i].name && !strcmp(label_table[i].name, name))
			return 1ull << i;
	return 0;
}

uint64_t labels_details(uint64_t wanted)
{
	uint64_t details = 0;

	for (size_t i = 0; i < ARRAY_SIZE(label_table); i++)
		if (wanted >> i & 1)
			details |= row_fact(&label_table[i]) | label_table[i].also;
	return details;
}

uint64_t labels_details_of(const struct source *source, uint64_t wanted, bool only)
{
	uint64_t own = only ? source->labels & WICK_DETAIL_BIT(KEY) : source->labels;

	return own | labels_details(wanted);
}

/* ---- a sample's ---- */

int labels_new(uint64_t wanted, struct profile_builder *builder, struct labels **ret)
{
	_cleanup_(labels_freep) struct labels *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->builder = builder;
	l->wanted = wanted;
	r = profile_builder_string(builder, "pid", &l->pid);
	r = r ?: profile_builder_string(builder, "tid", &l->tid);
	r = r ?: profile_builder_string(builder, "comm", &l->comm);
	r = r ?: profile_builder_string(builder, "thread", &l->thread);
	if (r < 0)
		return r;
	*ret = take_ptr(l);
	return 0;
}

struct labels *labels_free(struct labels *l)
{
	free(l);
	return NULL;
}

static int comm_label(struct labels *l, struct profile_label *label, profile_string key,
		      const char *comm)
{
	char text[WICK_COMM_BYTES + 1] = { 0 };

	memcpy(text, comm, WICK_COMM_BYTES);
	*label = (struct profile_label){ .key = key };
	return profile_builder_string(l->builder, text, &label->text);
}

static const char *row_name(const struct label_row *row, const struct source *source)
{
	if (row->name)
		return row->name;
	return row->field == WICK_DETAIL_PEER_TASK ? source->peer_label : source->key_label;
}

static bool row_is_wanted(const struct labels *l, size_t row, const struct label_input *in)
{
	uint64_t field = row_fact(&label_table[row]);

	if (field && (!in->detail || !(in->detail->present & field)))
		return false;
	return label_table[row].help ? (l->wanted >> row & 1) || (in->source->labels & field) :
				       true;
}

/* The part of a composite that waits for nothing says so where the others have their reason. */
static int part_label(struct labels *l, const struct label_input *in, struct profile_label *label)
{
	int r;

	if (in->shown == in->source || !in->source->reason)
		return 0;
	*label = (struct profile_label){ .number = 0 };
	r = profile_builder_string(l->builder, "reason", &label->key);
	r = r ?: profile_builder_string(l->builder, in->source->reason, &label->text);
	return r < 0 ? r : 1;
}

static int row_label(struct labels *l, const struct label_row *row, const struct label_input *in,
		     struct profile_label *label)
{
	const char *name = row_name(row, in->source);
	struct label_value value = { 0 };
	int r;

	if (!name)
		return 0;
	row->read(in, &value);
	if (value.is_absent)
		return 0;
	*label = (struct profile_label){ .number = value.text ? 0 : value.number };
	r = profile_builder_string(l->builder, name, &label->key);
	if (r >= 0 && value.text)
		r = profile_builder_string(l->builder, value.text, &label->text);
	if (r >= 0 && !value.text)
		label->unit = label->key;
	return r < 0 ? r : 1;
}

/* ---- what a probe read ---- */

/* A text is that, and other bytes are shown as they are elsewhere. */
static void add_read(const struct probe_value *value, const struct window_text *read,
		     struct strbuf *ret)
{
	if (!read)
		strbuf_add_text(ret, "[lost]");
	else if (value->show == PROBE_SHOW_TEXT)
		strbuf_add(ret, read->text, read->bytes);
	else
		probe_show_bytes(value, read->text, read->bytes, false, ret);
}

/* A plain number stays one; what has another meaning is said in words. */
static int value_label(struct labels *l, const struct label_input *in, size_t index,
		       struct profile_label *label)
{
	const struct probe_layout *layout = &in->source->probes->places[0].layout;
	size_t number = layout->site.labels[index];
	const struct probe_value *value = &layout->values[number];
	uint64_t fact_read = fact(in, WICK_DETAIL_ARG1 + index);
	bool is_plain = value->show == PROBE_SHOW_SIGNED || value->show == PROBE_SHOW_UNSIGNED;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int r;

	if (layout->site.values[number].form != PROBE_NUMBER) {
		add_read(value, window_text(in->window, fact_read), &text);
		is_plain = false;
	} else if (!is_plain) {
		probe_show_number(value, fact_read, &text);
	}
	if (text.error)
		return -ENOMEM;
	*label = (struct profile_label){ .number = is_plain ? (int64_t)fact_read : 0 };
	r = profile_builder_string(l->builder, value->name, &label->key);
	if (r >= 0 && !is_plain)
		r = profile_builder_string(l->builder, text.data, &label->text);
	else
		label->unit = label->key;
	return r;
}

/* Returns how many, or -ENOMEM. */
static int values_fill(struct labels *l, const struct label_input *in, struct profile_label *list)
{
	const struct probe_set *probes = in->source->probes;
	size_t wanted = probes ? probes->places[0].layout.site.label_count : 0;
	int count = 0;

	for (size_t i = 0; i < wanted; i++) {
		if (!in->detail || !(in->detail->present >> (WICK_DETAIL_ARG1 + i) & 1))
			continue;
		if (value_label(l, in, i, &list[count]) < 0)
			return -ENOMEM;
		count++;
	}
	return count;
}

int labels_fill(struct labels *l, const struct label_input *in, struct profile_label *list)
{
	int count = LABELS_OF_TASK, r;

	list[0] = (struct profile_label){ .key = l->pid, .number = in->task->pid, .unit = l->pid };
	list[1] = (struct profile_label){ .key = l->tid, .number = in->task->tid, .unit = l->tid };
	r = comm_label(l, &list[2], l->comm, in->task->process_comm);
	r = r ?: comm_label(l, &list[3], l->thread, in->task->comm);
	for (size_t i = 0; i < ARRAY_SIZE(label_table) && r >= 0; i++) {
		if (!row_is_wanted(l, i, in))
			continue;
		r = row_label(l, &label_table[i], in, &list[count]);
		count += r > 0;
	}
	if (r >= 0) {
		r = values_fill(l, in, &list[count]);
		count += r > 0 ? r : 0;
	}
	if (r >= 0)
		r = part_label(l, in, &list[count]);
	return r < 0 ? r : count + r;
}
