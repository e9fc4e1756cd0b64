/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_rig.h - programs of a probe, with tables made by hand, on functions of the test itself.
 *
 *     probe_rig_open()  probe_rig_attach()  probe_rig_start()  …  probe_rig_stop()  probe_rig_close()
 *
 * Maps, loader and drain are those of a session. Between start and stop every hit counts; what
 * came of them is in window after it.
 */
#ifndef WICK_PROBE_RIG_H
#define WICK_PROBE_RIG_H

#include <bpf/libbpf.h>

#include "profiler/drain.h"
#include "profiler/probes/probe_set.h"
#include "profiler/window.h"

#define PROBE_RIG_LINKS 8

struct probe_rig {
	/* Filled in before it is opened. */
	const char *object;
	const char *const *programs;		/* of the object, those that are loaded; ends with NULL */
	const struct probe_site *sites;
	size_t site_count;
	struct wick_settings settings;		/* the rest is filled in when it is opened */
	struct session_limits limits;		/* those that are not 0 */
	void (*load)(struct bpf_object *object);	/* before it is; NULL: nothing to do */
	bool may_be_refused;			/* then the case is skipped */
	struct source row;
	struct probe_set set;
	struct session_needs *needs;
	struct bpf_maps *maps;
	struct source_run *run;
	struct drain *drain;
	struct bpf_link *links[PROBE_RIG_LINKS];
	size_t link_count;
	struct window *window;
	size_t copies;				/* stacks that came as copies */
};

/* The case is skipped where this is not possible. */
void probe_rig_open(struct probe_rig *rig);
struct bpf_program *probe_rig_program(struct probe_rig *rig, const char *name);
int probe_rig_map(struct probe_rig *rig, const char *name);
/* A uprobe on the instruction at @address of this process, for site @site. */
void probe_rig_attach(struct probe_rig *rig, const char *program, bool at_return,
		      const void *address, uint32_t site);
/* As the program's section says. */
void probe_rig_attach_program(struct probe_rig *rig, const char *program);
void probe_rig_keep(struct probe_rig *rig, struct bpf_link *link);
void probe_rig_start(struct probe_rig *rig);
/* And check that taken = reported + lost, and that what was reported is in the window. */
void probe_rig_stop(struct probe_rig *rig);
void probe_rig_close(struct probe_rig *rig);

uint64_t probe_rig_counter(const struct probe_rig *rig, enum wick_counter counter);
/* Entries of a hash map of the object. */
size_t probe_rig_entries(struct probe_rig *rig, const char *map);
/* Event number @index, which is there. */
const struct window_event *probe_rig_event(const struct probe_rig *rig, size_t index);
size_t probe_rig_event_count(const struct probe_rig *rig);
/* Of text @index of an event: it is @expected, of @bytes. */
void probe_rig_check_text(const struct window_event *event, size_t index, const void *expected,
			  size_t bytes);

#endif
