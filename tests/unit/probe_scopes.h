/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_scopes.h - places where a probe of the function of fake_types.h could fire, and a tracepoint. */
#ifndef WICK_PROBE_SCOPES_H
#define WICK_PROBE_SCOPES_H

#include "profiler/expressions/probe_expression.h"

enum probe_scope_kind {
	UPROBE,
	URETPROBE,
	FN,
	SYSCALL,
	WORDS,		/* a kprobe */
	FEXIT,
	BARE,		/* without debug information, from entry to return */
	RECORD,		/* a tracepoint */
	CALL,		/* a system call, whose flags have names and no type */
	PROBE_SCOPE_COUNT,
};

extern const struct probe_scope probe_scopes[PROBE_SCOPE_COUNT];

#endif
