/* SPDX-License-Identifier: BSD-2-Clause */
/* targets.h - the processes and threads that are wanted, in the kernel's maps. */
#ifndef WICK_TARGETS_H
#define WICK_TARGETS_H

#include <stdbool.h>
#include "profiler/base/error.h"
#include "profiler/bpf_maps.h"
#include "profiler/session.h"

/* Put them in. A PID that does not exist is an error with its number. */
int targets_set(const struct session_options *options, const struct bpf_maps *maps,
		struct error *err);
/*
 * Add what the processes have started before, unless options->no_inherit, and put entries of all of
 * them into the map of processes. The kernel side must already follow forks and execs.
 */
int targets_follow(const struct session_options *options, struct bpf_maps *maps,
		   struct error *err);
/* One that ended before the kernel side followed exits would be waited for in vain. */
void targets_drop_ended(const struct bpf_maps *maps);
/* Whether any is left: the kernel side removes those that end and adds their children. */
bool targets_live(const struct session_options *options, const struct bpf_maps *maps);

#endif
