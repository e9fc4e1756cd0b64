/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_finding.h - the places of one event's probe, while they are found and as they are kept.
 *
 * A place is what is shown and read (a function's name, its arguments); a point is where a program
 * is attached: an fn: probe has a point at its function's entry and others at its returns.
 */
#ifndef WICK_PROBE_FINDING_H
#define WICK_PROBE_FINDING_H

#include "profiler/base/arena.h"
#include "profiler/probes/probe_files.h"
#include "profiler/probes/probe_kind.h"
#include "profiler/probes/probe_set.h"

/* More functions for one event than anybody reads; each takes a breakpoint, and kernel memory. */
#define PROBE_PLACES_MAX 2000

/* Which program runs there. */
enum probe_role {
	PROBE_ROLE_HIT,		/* one sample each time */
	PROBE_ROLE_ENTER,	/* a measured call begins */
	PROBE_ROLE_LEAVE,	/* and ends: the kernel changed the return address */
	PROBE_ROLE_LEAVE_AT_RET,	/* or a probe sits on the RET instruction */
	PROBE_ROLE_COUNT,
};

struct probe_point {
	uint32_t site;			/* number of its place */
	enum probe_role role;
	bool by_return_address;		/* a uretprobe, a kretprobe */
	const char *path;		/* of the file, by a descriptor of the finding's; NULL: the kernel */
	const char *name;		/* kernel function, "sched:sched_switch", a raw tracepoint */
	uint64_t offset;		/* in the file, or behind the function's begin */
	uint64_t semaphore_offset;	/* of a USDT probe, in the file; 0: none */
	uint32_t type_id;		/* BTF id for fentry; tracepoint id; type of a perf event */
	uint64_t config, period;	/* of a perf event; a system call's number */
	uint32_t words;			/* 64-bit words of a raw tracepoint's context */
};

struct btf_types;
struct tracepoint_format;
struct type_worker;

struct probe_finding {
	const struct probe_kind *kind;
	const struct source_request *request;
	const struct probe_targets *targets;
	bool shows_all;			/* read everything there is to show, unless show= says less */
	struct probe_words words;

	/* What was found. Texts are in the arena. */
	struct arena *arena;
	struct probe_set set;
	size_t place_capacity;
	struct probe_point *points;
	size_t point_count, point_capacity;
	bool has_trampoline;		/* of the kernel's function: fentry in place of a kprobe */
	size_t left_out;		/* functions that match and cannot be probed */
	char note[480];			/* what to say of it; "" */
	bool falls_back;		/* which is less than was asked for */

	/* What places and points refer to, kept as long. */
	struct probe_files files;
	struct type_worker *types;	/* of functions of files; NULL: none were wanted */
	struct btf_types *kernel_types;
	int tracefs;			/* -1: not opened */
	struct tracepoint_format **formats;
	size_t format_count, format_capacity;
};

/*
 * Find what @request asks for. Returns 0; -ENOENT, -EINVAL, -EOVERFLOW, -EOPNOTSUPP with the sentence in
 * @err; -ENOMEM. @request and @targets are borrowed for this call.
 */
int probe_find(const struct source_request *request, const struct probe_targets *targets,
	       bool shows_all, struct probe_finding **ret, struct error *err);
struct probe_finding *probe_finding_free(struct probe_finding *finding);
DEFINE_CLEANUP(struct probe_finding *, probe_finding_free)

/* For the kinds: a place, compiled in @scope, and a point of it. */
int probe_add_place(struct probe_finding *finding, const char *name,
		    const struct probe_scope *scope, uint32_t *ret_site, struct error *err);
int probe_add_point(struct probe_finding *finding, const struct probe_point *point);
/* Something to say of what was found, behind what there is to say already. */
void probe_add_note(struct probe_finding *finding, bool falls_back, const char *format, ...)
	_printf_(3, 4);
/* A path to @module's file for points, also when nothing is called so any more. NULL: no memory. */
const char *probe_module_path(struct probe_finding *finding, const struct module *module);
/* Whether anything of a place's arguments is asked for, so that types are worth reading. */
bool probe_wants_values(const struct probe_finding *finding);

#endif
