/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btf_types.h - arguments and types of the kernel's functions and raw tracepoints, from BTF, modules'
 * included.
 *
 * Names are looked up in vmlinux first, then in modules in the order of their names; modules are read when
 * something is not found before them. Types and texts live until btf_types_close(). Not thread-safe.
 */
#ifndef WICK_BTF_TYPES_H
#define WICK_BTF_TYPES_H

#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/types/type_info.h"

struct btf_types;

#define BTF_FOLDER "/sys/kernel/btf"

/* Returns 0, -ENOENT when the kernel has none, or a negative errno. */
int btf_types_open(struct btf_types **ret);
/* The same from a folder like BTF_FOLDER: with a file "vmlinux", and one for each module. */
int btf_types_open_folder(const char *folder, struct btf_types **ret);
struct btf_types *btf_types_close(struct btf_types *types);
DEFINE_CLEANUP(struct btf_types *, btf_types_close)
/*
 * By name; places are those of the System V ABI. Returns 0, -ENOENT when there is no such function,
 * -EBADMSG, -ENOMEM.
 */
int btf_types_function(struct btf_types *types, const char *name, struct type_function *ret);
/*
 * Arguments of a raw tracepoint ("sched_switch"); place is UNKNOWN: they are words 0, 1, … of the context.
 * Some of Linux 5.10 have no names.
 */
int btf_types_raw_tracepoint(struct btf_types *types, const char *name, struct type_function *ret);
/*
 * Functions, or raw tracepoints, by glob (NULL: all), in no particular order: NULL after the last. Starts
 * at *@position 0. @ret_module, which may be NULL, is the module's name, or NULL for vmlinux.
 */
const char *btf_types_next(struct btf_types *types, const char *glob, bool raw_tracepoints,
			   size_t *position, const char **ret_module);
/*
 * For fentry: the function's type id, and a descriptor of the BTF of its module, which stays ours, 0 for
 * vmlinux. Returns 0, -ENOENT, or why the kernel does not give the descriptor (-EPERM).
 */
int btf_types_attach_id(struct btf_types *types, const char *name, uint32_t *ret_id, int *ret_fd);
/* by_name knows "struct file", "union …", "enum …", typedefs and plain types, however C spells those. */
const struct type_provider *btf_types_provider(const struct btf_types *types);

#endif
