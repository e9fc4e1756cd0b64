/* SPDX-License-Identifier: BSD-2-Clause */
/* settings.h - a session's options as the settings of its BPF programs. */
#ifndef WICK_SETTINGS_H
#define WICK_SETTINGS_H

#include "bpf/sample_abi.h"
#include "profiler/base/error.h"
#include "profiler/session.h"

/*
 * @limits is complete; @cpus are the possible ones. Returns 0 or a negative errno with
 * what is wrong with the options in @err.
 */
int settings_fill(const struct session_options *options, const struct session_limits *limits,
		  unsigned int cpus, struct wick_settings *ret, struct error *err);

#endif
