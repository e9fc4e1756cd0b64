/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_set.h - the places an event's probe was found at, and what is read at each.
 *
 * Made when a session is opened, read-only after that. Site number i of the kernel's side is
 * places[i].
 */
#ifndef WICK_PROBE_SET_H
#define WICK_PROBE_SET_H

#include "profiler/expressions/probe_expression.h"

struct module;

struct probe_place {
	const char *name;		/* for people: "malloc", "foo::bar(int)", "sched:sched_switch" */
	struct probe_layout layout;
	/* It has returned when a sample is taken, whose stack begins in its caller: it is not in there. */
	bool is_left;
	struct module *module;		/* where the function is, the finding's own; NULL: the kernel */
	uint64_t address;		/* of its begin, an ELF address or the kernel's; 0: not known */
};

struct probe_set {
	struct probe_place *places;
	size_t count;
};

#endif
