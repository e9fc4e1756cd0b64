/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_set.h - the places an event's probe was found at, and what is read at each.
 *
 * Made when a session is opened, read-only after that. Site number i of the kernel's side is
 * places[i].
 */
#ifndef WICK_PROBE_SET_H
#define WICK_PROBE_SET_H

#include "profiler/probes/probe_expression.h"

struct probe_place {
	const char *name;		/* for people: "malloc", "foo::bar(int)", "sched:sched_switch" */
	struct probe_layout layout;
};

struct probe_set {
	struct probe_place *places;
	size_t count;
};

#endif
