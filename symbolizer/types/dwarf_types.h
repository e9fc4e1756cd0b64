/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_types.h - arguments and types of functions, from DWARF.
 *
 * Where an argument lies when its function is entered is by the calling convention (System V ABI for
 * x86-64 §3.2.3; Go's register ABI, cmd/compile/abi-internal.md), not by location lists, which at -O0
 * hold only behind the prologue; for languages with a convention of their own (Rust) the location list
 * at the entry is taken where there is one.
 */
#ifndef WICK_DWARF_TYPES_H
#define WICK_DWARF_TYPES_H

#include "symbolizer/elf/module.h"
#include "symbolizer/types/type_info.h"

struct dwarf_types;

/* Returns 0, -ENOENT when @mod has no debug information, -EBADMSG, -EFBIG, -ENOMEM. */
int dwarf_types_open(struct module *mod, struct dwarf_types **ret);
struct dwarf_types *dwarf_types_close(struct dwarf_types *types);
DEFINE_CLEANUP(struct dwarf_types *, dwarf_types_close)
/* The function entered at @address. Returns 0, -ENOENT, also for one of assembly, or -EBADMSG. */
int dwarf_types_function(struct dwarf_types *types, uint64_t address, struct type_function *ret);
const struct type_provider *dwarf_types_provider(const struct dwarf_types *types);

#endif
