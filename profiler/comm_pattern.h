/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * comm_pattern.h - turns a glob over thread names into the tables of bpf/comm_glob.h.
 */
#ifndef WICK_COMM_PATTERN_H
#define WICK_COMM_PATTERN_H

#include "bpf/sample_abi.h"

/*
 * Fill the comm filter of @settings from @glob: * ? [a-z] [!a-z] and \ before any
 * character. Returns 0; -EINVAL for an open bracket or a backslash at the end;
 * -E2BIG for more than WICK_GLOB_LITERALS characters besides stars.
 */
int comm_pattern_compile(const char *glob, struct wick_settings *settings);

#endif
