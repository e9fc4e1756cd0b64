/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach_probe.c - attaches the programs of a probe to the points that were found.
 *
 * A program knows by its attachment's cookie which site it runs at; kernels before 5.15 have none, and
 * so one site for an event.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/privileges.h"
#include "profiler/sources/multi_attach.h"
#include "profiler/sources/program_features.h"
#include "profiler/sources/source_probe_private.h"

/* By enum probe_role. */
static const char *const roles[PROBE_ROLE_COUNT] = {
	[PROBE_ROLE_HIT] = "hit",
	[PROBE_ROLE_ENTER] = "enter",
	[PROBE_ROLE_LEAVE] = "leave",
	[PROBE_ROLE_LEAVE_AT_RET] = "leave_at_ret",
};

#define TOUCH_PROGRAM "probe_touch"
/* The kernel's own, for what it could do and does not; it has no name outside. */
#define ENOTSUPP 524

static const struct probe_finding *finding(const struct source_run *run)
{
	return source_run_options(run)->probe->finding;
}

/* The program for @role of a probe of @row, "probe_hit". */
static struct bpf_program *program_of(const struct source *row, struct bpf_object *object,
				      enum probe_role role)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", row->objects[0], roles[role]);
	return bpf_object__find_program_by_name(object, name);
}

/* No interrupt makes a system call. */
static bool hits_are_alone(const struct probe_finding *f)
{
	const char *name = f->points[0].name;

	return f->kind == &probe_rawtp && name &&
	       (!strcmp(name, "sys_enter") || !strcmp(name, "sys_exit"));
}

int source_probe_settings(const struct source_probe *probe, struct wick_settings *settings,
			  struct error *err)
{
	const struct probe_finding *f = probe->finding;
	bool has_cookies = program_has_cookies();

	settings->option[PROBE_OPTION_SITE] = 0;
	settings->option[PROBE_OPTION_COOKIES] = has_cookies;
	settings->option[PROBE_OPTION_WORDS] = f->points[0].words;
	settings->option[PROBE_OPTION_ALONE] = hits_are_alone(f);
	if (has_cookies || f->set.count == 1 || f->kind->told_by_number)
		return 0;
	return error_set(
		err, ERROR_NOT_SUPPORTED, -EOPNOTSUPP,
		"cannot tell %zu places apart: the "
		"kernel has no cookies for BPF programs (Linux 5.15): name one function for "
		"each event",
		f->set.count);
}

static int explain(const char *name, int code, struct error *err)
{
	char what[160];

	snprintf(what, sizeof(what), "cannot attach a probe: %.120s", name);
	if (privileges_lack(code))
		return privileges_refuse(err, code, what);
	if (code == -ENOTSUPP)
		return error_set(err, ERROR_NOT_SUPPORTED, code, "%s: the kernel takes no probe at "
				 "such an instruction", what);
	if (code == -EMFILE)
		return error_set(err, ERROR_FAILED, code, "%s: %s; raise it: ulimit -n 65536", what,
				 strerror(-code));
	return error_set(err, ERROR_NOT_SUPPORTED, code, "%s: %s", what, strerror(-code));
}

/* Where calls are measured threads that end or execute a program are followed. */
static bool is_follower(const struct bpf_program *program)
{
	return bpf_program__expected_attach_type(program) == BPF_TRACE_RAW_TP;
}

static int attach_followers(struct source_run *run, struct error *err)
{
	struct bpf_program *program;
	struct bpf_link *link;
	int r = 0;

	bpf_object__for_each_program(program, source_object(run, 0))
	{
		if (!is_follower(program) || !bpf_program__autoload(program) || r < 0)
			continue;
		link = bpf_program__attach(program);
		r = link ? source_keep_link(run, link) :
			   explain(bpf_program__name(program), -errno, err);
	}
	return r;
}

/* Nothing of a tracepoint, a raw one or a trampoline, and not for one process alone. */
static unsigned int multi_type(const struct source_options *options)
{
	const struct probe_finding *f = options->probe->finding;
	unsigned int type = f->points[0].path ? MULTI_ATTACH_UPROBE : MULTI_ATTACH_KPROBE;

	if (f->point_count < 2 || f->points[0].type_id || f->has_trampoline ||
	    (!f->points[0].path && f->points[0].offset) || options->only_pid)
		return 0;
	return multi_attach_is_possible(type) ? type : 0;
}

/* Memory of the program is read, which may not be there: it then is brought by a program that may wait. */
static bool wants_touch(const struct source_options *options)
{
	const struct probe_finding *f = options->probe->finding;

	for (size_t i = 0; i < f->set.count && f->points[0].path; i++) {
		const struct probe_site *site = &f->set.places[i].layout.site;

		for (size_t v = 0; v < site->value_count; v++)
			if (site->values[v].flags & PROBE_FETCH_USER)
				return program_may_wait();
	}
	return false;
}

void source_probe_prepare(const struct source_options *options, struct bpf_object *object)
{
	const struct probe_finding *f = options->probe->finding;
	unsigned int multi = multi_type(options);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) bpf_program__set_autoload(
		program, probe_kind_is_measured(f->kind) && is_follower(program));
	for (size_t i = 0; i < f->point_count; i++) {
		program = program_of(&options->probe->row, object, f->points[i].role);
		if (!program)
			continue;
		bpf_program__set_autoload(program, true);
		if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
			bpf_program__set_attach_target(program, 0, f->points[i].name);
		if (multi)
			bpf_program__set_expected_attach_type(program, multi);
	}
	options->probe->is_multi = multi;
	program = bpf_object__find_program_by_name(object, TOUCH_PROGRAM);
	if (!program || !wants_touch(options))
		return;
	bpf_program__set_autoload(program, true);
	if (multi)
		bpf_program__set_expected_attach_type(program, multi);
}

/* The program for a point; another one when memory is to be brought there. */
static struct bpf_program *program_for(struct source_run *run, const struct probe_point *point,
				       bool touches)
{
	struct bpf_object *object = source_object(run, 0);

	return touches ? bpf_object__find_program_by_name(object, TOUCH_PROGRAM) :
			 program_of(source_row(run), object, point->role);
}

static bool is_touched(const struct probe_point *point)
{
	return point->role == PROBE_ROLE_HIT || point->role == PROBE_ROLE_ENTER;
}

/* ---- one point ---- */

static struct bpf_link *attach_user(struct source_run *run, struct bpf_program *program,
				    const struct probe_point *point)
{
	pid_t pid = source_run_options(run)->only_pid;
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = point->by_return_address,
		    .ref_ctr_offset = point->semaphore_offset, .bpf_cookie = point->site);

	return bpf_program__attach_uprobe_opts(program, pid ?: -1, point->path, point->offset,
					       &opts);
}

static struct bpf_link *attach_kernel(struct source_run *run, struct bpf_program *program,
				      const struct probe_point *point)
{
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .retprobe = point->by_return_address,
		    .offset = point->offset, .bpf_cookie = point->site);

	return bpf_program__attach_kprobe_opts(program, point->name, &opts);
}

static struct bpf_link *attach_raw(struct source_run *run, struct bpf_program *program,
				   const struct probe_point *point)
{
	return bpf_program__attach_raw_tracepoint(program, point->name);
}

static struct bpf_link *attach_function(struct source_run *run, struct bpf_program *program,
					const struct probe_point *point)
{
	return bpf_program__attach(program);
}

/* By number, so that tracefs need not be where libbpf looks for it. */
static struct bpf_link *attach_tracepoint(struct source_run *run, struct bpf_program *program,
					  const struct probe_point *point)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_TRACEPOINT,
					.config = point->type_id, .sample_period = 1 };
	LIBBPF_OPTS(bpf_perf_event_opts, opts, .bpf_cookie = point->site);
	_cleanup_close_ int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1,
					 PERF_FLAG_FD_CLOEXEC);
	struct bpf_link *link = NULL;

	if (fd >= 0)
		link = bpf_program__attach_perf_event_opts(program, fd, &opts);
	/* The link owns it now. */
	if (link)
		take_fd(fd);
	return link;
}

typedef struct bpf_link *attach_fn(struct source_run *run, struct bpf_program *program,
				   const struct probe_point *point);

static attach_fn *attach_of(const struct probe_point *point, enum bpf_prog_type type)
{
	switch (type) {
	case BPF_PROG_TYPE_TRACEPOINT:
		return attach_tracepoint;
	case BPF_PROG_TYPE_TRACING:
		return attach_function;
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		return attach_raw;
	default:
		return point->path ? attach_user : attach_kernel;
	}
}

static int attach_point(struct source_run *run, const struct probe_point *point, bool touches,
			struct error *err)
{
	struct bpf_program *program = program_for(run, point, touches);
	const char *name = finding(run)->set.places[point->site].name;
	struct bpf_link *link;

	if (!program)
		return explain(name, -ENOENT, err);
	link = attach_of(point, bpf_program__type(program))(run, program, point);
	if (!link)
		return explain(name, -errno, err);
	return source_keep_link(run, link);
}

/* ---- many points at once ---- */

/* Points from @first on that go into one attachment with it; the next that does not. */
static size_t group_end(const struct probe_finding *f, size_t first)
{
	const struct probe_point *point = &f->points[first];
	size_t end = first + 1;

	while (end < f->point_count && f->points[end].role == point->role &&
	       f->points[end].by_return_address == point->by_return_address &&
	       (!point->path || !strcmp(f->points[end].path, point->path)))
		end++;
	return end;
}

/* What multi_attach() takes, as arrays. */
struct group {
	uint64_t *offsets, *cookies, *semaphores;
	const char **symbols;
};

static void group_done(struct group *group)
{
	free(group->offsets);
	free(group->cookies);
	free(group->semaphores);
	free(group->symbols);
}

static int group_fill(struct group *group, const struct probe_point *points, size_t count)
{
	group->offsets = calloc(count, sizeof(*group->offsets));
	group->cookies = calloc(count, sizeof(*group->cookies));
	group->semaphores = calloc(count, sizeof(*group->semaphores));
	group->symbols = calloc(count, sizeof(*group->symbols));
	if (!group->offsets || !group->cookies || !group->semaphores || !group->symbols)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		group->offsets[i] = points[i].offset;
		group->cookies[i] = points[i].site;
		group->semaphores[i] = points[i].semaphore_offset;
		group->symbols[i] = points[i].name;
	}
	return 0;
}

static int attach_group(struct source_run *run, const struct probe_point *points, size_t count,
			bool touches, struct error *err)
{
	_cleanup_(group_done) struct group group = { 0 };
	struct multi_attach what = {
		.program_fd = bpf_program__fd(program_for(run, points, touches)),
		.path = points->path,
		.by_return_address = points->by_return_address,
		.count = count,
	};
	int r = group_fill(&group, points, count);

	if (r < 0)
		return r;
	what.offsets = group.offsets;
	what.cookies = group.cookies;
	what.semaphores = group.semaphores;
	what.symbols = group.symbols;
	r = multi_attach(&what);
	if (r < 0)
		return explain(finding(run)->set.places[points->site].name, r, err);
	return source_keep_fd(run, r);
}

static int by_group(const void *a, const void *b)
{
	const struct probe_point *x = a, *y = b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	if (x->by_return_address != y->by_return_address)
		return x->by_return_address ? 1 : -1;
	return x->path && y->path ? strcmp(x->path, y->path) : 0;
}

static int attach_all(struct source_run *run, bool touches, struct error *err)
{
	const struct source_probe *probe = source_run_options(run)->probe;
	const struct probe_finding *f = probe->finding;
	int r = 0;

	for (size_t i = 0, end; i < f->point_count && !r; i = end) {
		end = probe->is_multi ? group_end(f, i) : i + 1;
		if (touches && !is_touched(&f->points[i]))
			continue;
		r = probe->is_multi ? attach_group(run, &f->points[i], end - i, touches, err) :
				      attach_point(run, &f->points[i], touches, err);
	}
	return r;
}

/* ---- all of them ---- */

static int write_sites(struct source_run *run)
{
	const struct probe_set *set = &finding(run)->set;
	int fd = bpf_object__find_map_fd_by_name(source_object(run, 0), "sites");

	for (uint32_t i = 0; i < set->count && fd >= 0; i++)
		if (bpf_map_update_elem(fd, &i, &set->places[i].layout.site, BPF_ANY))
			return -errno;
	return 0;
}

int source_probe_attach(struct source_run *run, struct error *err)
{
	struct probe_finding *f = source_run_options(run)->probe->finding;
	const struct bpf_program *touch =
		bpf_object__find_program_by_name(source_object(run, 0), TOUCH_PROGRAM);
	int r = write_sites(run);

	qsort(f->points, f->point_count, sizeof(*f->points), by_group);
	r = r ?: attach_followers(run, err);
	r = r ?: attach_all(run, false, err);
	/* Of the programs of a place the kernel runs the last one first. */
	return r || !touch || !bpf_program__autoload(touch) ? r : attach_all(run, true, err);
}

/* ---- system calls: found by their numbers ---- */

int source_syscall_attach(struct source_run *run, struct error *err)
{
	const struct probe_finding *f = finding(run);
	int fd = bpf_object__find_map_fd_by_name(source_object(run, 0), "call_sites");
	int r = write_sites(run);

	for (size_t i = 0; i < f->point_count && !r; i++) {
		uint32_t number = f->points[i].config, site = f->points[i].site + 1;

		if (bpf_map_update_elem(fd, &number, &site, BPF_ANY))
			r = -errno;
	}
	return r ?: source_attach_programs(run, err);
}

/* ---- counters: a perf event on each CPU ---- */

static int counter_open(struct source_run *run, unsigned int cpu)
{
	const struct probe_point *point = &finding(run)->points[0];
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = point->type_id,
		.config = point->config,
		.sample_period = point->period,
		.disabled = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int source_counter_update(struct source_run *run)
{
	static const struct source_event event = { "perf_counter", counter_open };

	return source_events_follow(run, 0, &event);
}

int source_counter_attach(struct source_run *run, struct error *err)
{
	int r = source_counter_update(run);

	return r < 0 ? source_events_explain(r, finding(run)->points[0].name, err) : 0;
}
