/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debuginfod.h - debug files by build ID, from the servers that $DEBUGINFOD_URLS names.
 *
 * libdebuginfod asks them, and keeps what they have in the user's cache folder
 * ($DEBUGINFOD_CACHE_PATH). It is loaded when there is a server to ask, so that
 * others need not have it. Waits for the network: how long in all is limited.
 * Not thread-safe.
 */
#ifndef WICK_DEBUGINFOD_H
#define WICK_DEBUGINFOD_H

#include "symbolizer/elf/module.h"

struct debuginfod;

/*
 * Will wait @limit_ns for all answers together. Returns 0, -ENOENT when no
 * server is named, -ELIBACC without the library, or -ENOMEM.
 */
int debuginfod_new(uint64_t limit_ns, struct debuginfod **ret);
struct debuginfod *debuginfod_free(struct debuginfod *server);
DEFINE_CLEANUP(struct debuginfod *, debuginfod_free)

/*
 * The debug file of @mod as a module of its own, a reference the caller puts.
 * It has the same build ID. Returns 0, -ENOENT when no server has it or time
 * is up, -EBADMSG when it is another file, or a negative errno.
 */
int debuginfod_find(struct debuginfod *server, struct module *mod, struct module **ret);

#endif
