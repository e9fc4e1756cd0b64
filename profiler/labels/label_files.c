/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/labels/label_files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "bpf/stack_id.h"
#include "profiler/base/intern.h"
#include "profiler/base/number.h"
#include "profiler/processes/proc_instance.h"
#include "profiler/processes/process.h"
#include "profiler/window.h"

struct label_files {
	bool keep_addresses;
	struct process_table *processes;
	struct process_table *now;	/* as they are when the window is looked at, by need */
	struct notice_batch *waiting;	/* notices from after the last window */
	struct intern *texts;
};

struct label_files *label_files_new(bool keep_addresses)
{
	_cleanup_(label_files_freep) struct label_files *f = calloc(1, sizeof(*f));
	uint32_t number;

	if (!f)
		return NULL;
	f->keep_addresses = keep_addresses;
	f->processes = process_table_new();
	f->now = process_table_new();
	f->waiting = notice_batch_new();
	f->texts = intern_new();
	if (!f->processes || !f->now || !f->waiting || !f->texts ||
	    intern_add_text(f->texts, "[heap]", &number) < 0)
		return NULL;
	assert(number == WICK_FILE_HEAP);
	process_table_keep_all(f->processes);
	process_table_keep_all(f->now);
	return take_ptr(f);
}

struct label_files *label_files_free(struct label_files *f)
{
	if (!f)
		return NULL;
	process_table_free(f->processes);
	process_table_free(f->now);
	notice_batch_free(f->waiting);
	intern_free(f->texts);
	free(f);
	return NULL;
}

const char *label_files_text(const struct label_files *f, uint64_t number)
{
	return number < intern_count(f->texts) ? intern_text(f->texts, number) : NULL;
}

/* ---- mappings ---- */

/*
 * One that has ended and is not reaped has an empty list: then what notices say, which are older than
 * this, is better.
 */
static int read_list(struct process_table *processes, struct process *process)
{
	uint64_t since_ns = process->since_ns;
	int r = process_read_maps(processes, process);

	if (r < 0 || process->mapping_count)
		return r;
	process->maps_known = false;
	process->since_ns = since_ns;
	return -ESRCH;
}

/* The list of a process that is not known is read when an address of it is looked for. */
void label_files_begin(struct label_files *f)
{
	struct process *process;
	struct dirent *entry;
	DIR *folder = opendir("/proc");
	uint64_t pid;

	while (folder && (entry = readdir(folder))) {
		if (number_parse_u64(entry->d_name, UINT32_MAX, &pid) < 0)
			continue;
		if (process_table_add(f->processes, pid, &process) > 0)
			read_list(f->processes, process);
	}
	if (folder)
		closedir(folder);
}

void label_files_note(struct label_files *f, const struct notice_batch *batch)
{
	f->waiting->notices_lost |= batch->notices_lost;
	for (size_t i = 0; i < batch->notice_count; i++)
		if (notice_batch_add(f->waiting, &batch->notices[i]) < 0)
			f->waiting->notices_lost = true;
}

/* Apply the notices from number @next on that are not younger than @time_ns. Returns the next one. */
static size_t notices_take(struct label_files *f, size_t next, uint64_t time_ns)
{
	for (; next < f->waiting->notice_count; next++) {
		if (f->waiting->notices[next].time_ns > time_ns)
			break;
		/* Without memory the list of that process is read again. */
		process_table_apply(f->processes, &f->waiting->notices[next]);
	}
	return next;
}

/* Those from number @next on are for the next window. */
static void notices_keep(struct label_files *f, size_t next)
{
	struct notice_batch *rest = notice_batch_new();

	if (!rest)
		return;
	for (; next < f->waiting->notice_count; next++)
		if (notice_batch_add(rest, &f->waiting->notices[next]) < 0)
			rest->notices_lost = true;
	notice_batch_free(f->waiting);
	f->waiting = rest;
}

/* @task's process in @processes, with its list. NULL: it cannot be had. */
static const struct process *find_process(struct process_table *processes,
					  const struct wick_task *task)
{
	struct process *process;

	if (process_table_add(processes, task->pid, &process) < 0)
		return NULL;
	if (process->start_ns && process->start_ns != task->start_ns)
		process->maps_known = false;
	if (process->maps_known)
		return process;
	if (read_list(processes, process) < 0)
		return NULL;
	/* Asked afterwards: by then the number could be another process's. */
	process->maps_known = proc_instance_is(task->pid, task->start_ns);
	process->start_ns = task->start_ns;
	return process->maps_known ? process : NULL;
}

static const struct mapping *find_mapping(struct process_table *processes,
					  const struct wick_task *task, uint64_t address)
{
	const struct process *process = find_process(processes, task);

	return process ? process_find_mapping(process, address) : NULL;
}

static const char *find_file(struct label_files *f, const struct wick_task *task, uint64_t address)
{
	const struct mapping *mapping = NULL;

	if (task)
		mapping = find_mapping(f->processes, task, address);
	/* mremap() says nothing. */
	if (task && !mapping && f->now)
		mapping = find_mapping(f->now, task, address);
	if (!mapping)
		return "[unknown]";
	return mapping->path[0] ? mapping->path : "[anon]";
}

/* What was read for the last window is old. */
static void forget_now(struct label_files *f)
{
	process_table_free(f->now);
	f->now = process_table_new();
	if (f->now)
		process_table_keep_all(f->now);
}

/* ---- windows ---- */

static bool has_address(const struct wick_detail *detail)
{
	return detail && detail->present & WICK_DETAIL_BIT(ADDRESS);
}

static int compare_events(const void *a, const void *b)
{
	const struct window_event *left = *(const struct window_event *const *)a,
				  *right = *(const struct window_event *const *)b;

	return (left->time_ns > right->time_ns) - (left->time_ns < right->time_ns);
}

/* In the order of their times, which is nearly that of their arrival. NULL: no memory. */
static const struct window_event **sort_events(const struct window *window, size_t *ret_count)
{
	const struct window_event *events = window_events(window, ret_count);
	const struct window_event **sorted = calloc(*ret_count + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < *ret_count; i++)
		sorted[i] = &events[i];
	if (sorted)
		qsort(sorted, *ret_count, sizeof(*sorted), compare_events);
	return sorted;
}

/* Everything of @from but its events, and details with addresses. */
static int copy_contents(struct window *to, const struct window *from)
{
	const struct window_stack *stack;
	const struct wick_detail *detail;
	const struct wick_task *task;
	struct window_sample sample;
	size_t position = 0;
	int r = 0;

	while (!r && (task = window_next_task(from, &position)))
		r = window_add_task(to, wick_task_id(task), task);
	position = 0;
	while (!r && (stack = window_next_stack(from, &position)))
		r = window_add_stack(to, stack);
	position = 0;
	while (!r && (detail = window_next_detail(from, &position)))
		if (!has_address(detail))
			r = window_add_detail(to, wick_detail_id(detail), detail);
	position = 0;
	while (!r && window_next_sample(from, &position, &sample))
		r = window_add_sample(to, &sample);
	window_set_time(to, window_start_ns(from), window_end_ns(from));
	window_add_shed(to, window_shed_count(from));
	return r;
}

static int set_file(struct label_files *f, const struct wick_task *task,
		    struct wick_detail *detail)
{
	const char *file = find_file(f, task, detail->value[WICK_DETAIL_ADDRESS]);
	uint32_t number;
	int r = intern_add_text(f->texts, file, &number);

	if (r < 0)
		return r;
	detail->present |= WICK_DETAIL_BIT(FILE);
	detail->value[WICK_DETAIL_FILE] = number;
	return 0;
}

/* @event, whose detail has an address, as a sample of the file that is mapped there. */
static int add_located(struct label_files *f, struct window *to, const struct window *from,
		       const struct window_event *event, const struct wick_detail *detail)
{
	struct window_sample sample = event->sample;
	struct wick_detail located = *detail;
	int r = 0;

	if (!(located.present & WICK_DETAIL_BIT(FILE)))
		r = set_file(f, window_task(from, sample.key.task), &located);
	if (r < 0)
		return r;
	if (!f->keep_addresses) {
		located.present &= ~WICK_DETAIL_BIT(ADDRESS);
		located.value[WICK_DETAIL_ADDRESS] = 0;
	}
	sample.key.detail = wick_detail_id(&located);
	r = window_add_detail(to, sample.key.detail, &located);
	return r ?: window_add_sample(to, &sample);
}

void label_files_apply(struct label_files *f, struct window **window)
{
	_cleanup_(window_freep) struct window *from = *window, *to = window_new(0);
	_cleanup_free_ const struct window_event **events = NULL;
	size_t count = 0, next = 0;
	int r = to ? copy_contents(to, from) : -ENOMEM;

	events = r < 0 ? NULL : sort_events(from, &count);
	if (f->waiting->notices_lost)
		process_table_distrust(f->processes);
	for (size_t i = 0; i < count && events && !r; i++) {
		const struct wick_detail *detail =
			window_detail(from, events[i]->sample.key.detail);

		next = notices_take(f, next, events[i]->time_ns);
		r = has_address(detail) ? add_located(f, to, from, events[i], detail) :
					  window_add_event(to, events[i]);
	}
	next = notices_take(f, next, window_end_ns(from));
	notices_keep(f, next);
	process_table_collect(f->processes, window_start_ns(from));
	forget_now(f);
	*window = r < 0 || !events ? take_ptr(from) : take_ptr(to);
}
