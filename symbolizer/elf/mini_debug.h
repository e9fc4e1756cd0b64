/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mini_debug.h - the ELF file inside of .gnu_debugdata, unpacked.
 */
#ifndef WICK_MINI_DEBUG_H
#define WICK_MINI_DEBUG_H

#include "symbolizer/elf/module.h"

/*
 * A module over it, which the caller puts, and its size. Returns 0, -ENOENT when @mod has none,
 * -EBADMSG, -EFBIG when it is larger than such files are, -ENOMEM.
 */
int mini_debug_read(struct module *mod, struct module **ret, size_t *ret_bytes);

#endif
