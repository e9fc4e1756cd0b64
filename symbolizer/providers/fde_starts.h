/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fde_starts.h - which piece of code an address is in, by .eh_frame: all that is known of stripped code.
 */
#ifndef WICK_FDE_STARTS_H
#define WICK_FDE_STARTS_H

#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

struct fde_starts;

/* @mod must outlive it. Returns 0, -ENOENT when there is no .eh_frame, -EBADMSG, -ENOMEM. */
int fde_starts_open(struct module *mod, struct fde_starts **ret);
struct fde_starts *fde_starts_close(struct fde_starts *starts);
DEFINE_CLEANUP(struct fde_starts *, fde_starts_close)
/* The function, or part of one, around ELF address @address. Returns 0, -ENOENT, -EBADMSG, -EOPNOTSUPP. */
int fde_starts_range(struct fde_starts *starts, uint64_t address, uint64_t *ret_start,
		     uint64_t *ret_size);

#endif
