/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btf_types.h - arguments and types of the kernel's functions and raw tracepoints, from BTF, modules'
 * included.
 */
#ifndef WICK_BTF_TYPES_H
#define WICK_BTF_TYPES_H

#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/type_info.h"

struct btf_types;

/* Returns 0, -ENOENT when the kernel has none, or a negative errno. */
int btf_types_open(struct btf_types **ret);
struct btf_types *btf_types_close(struct btf_types *types);
DEFINE_CLEANUP(struct btf_types *, btf_types_close)
/* By name; places are those of the System V ABI. -ENOENT: no such function. */
int btf_types_function(struct btf_types *types, const char *name, struct type_function *ret);
/* Arguments of a raw tracepoint ("sched_switch"); place is UNKNOWN: they are words 0, 1, … of the context. */
int btf_types_raw_tracepoint(struct btf_types *types, const char *name, struct type_function *ret);
/* Functions, or raw tracepoints, by glob: NULL after the last. Starts at *@position 0. */
const char *btf_types_next(struct btf_types *types, const char *glob, bool raw_tracepoints,
			   size_t *position);
/* For fentry: type id, and a descriptor of the module's BTF (0: vmlinux). */
int btf_types_attach_id(struct btf_types *types, const char *name, uint32_t *ret_id);
const struct type_provider *btf_types_provider(const struct btf_types *types);

#endif
