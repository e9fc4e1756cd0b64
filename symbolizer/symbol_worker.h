/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbol_worker.h - names by a process of its own, for files that may be made to kill their reader.
 *
 * Starts the process (symbol_reader.h) when it is asked for the first time and again after it
 * has died, hands it the files, and believes it nothing. One thread at a time; best while there is no
 * other, because it forks.
 */
#ifndef WICK_SYMBOL_WORKER_H
#define WICK_SYMBOL_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "symbolizer/debug_files.h"
#include "symbolizer/symbolizer.h"

struct symbol_worker;

/* It may take @module_ns for a module, 0 for 20 s. NULL: no memory. */
struct symbol_worker *symbol_worker_new(uint64_t module_ns);
/* Ends the process. Returns NULL. */
struct symbol_worker *symbol_worker_free(struct symbol_worker *worker);
DEFINE_CLEANUP(struct symbol_worker *, symbol_worker_free)

/* Whether @mod is what the next addresses are taken for. */
bool symbol_worker_has(const struct symbol_worker *worker, const struct module *mod);
/*
 * From now on addresses are of @mod, which has a file of its own. Returns 1 when its debug information may
 * be elsewhere: those files are given to it then; 0 when not; or as symbol_worker_ask().
 */
int symbol_worker_open(struct symbol_worker *worker, struct module *mod, bool without_libdw);
/* Not borrowed beyond the call. Returns 0, or as symbol_worker_ask(). */
int symbol_worker_give(struct symbol_worker *worker, const struct debug_files *files);
/*
 * The names of @count addresses: calls @answer with the frames of each in turn, whose texts are
 * good during the call; what it returns below 0 is returned. Else returns 0, -ENOMEM, or what
 * became of the process, which then has to be given the module again: -EPIPE it died, -ETIME it took too
 * long and was ended, -EBADMSG it made no sense and was ended, -ENOBUFS it had no memory,
 * -ECHILD it could not be started.
 */
int symbol_worker_ask(struct symbol_worker *worker, const uint64_t *addresses, size_t count,
		      int (*answer)(void *context, uint64_t address, const struct frame *frames,
				    size_t count),
		      void *context);
/* CPU time of all processes there were. */
uint64_t symbol_worker_cpu_ns(const struct symbol_worker *worker);

#endif
