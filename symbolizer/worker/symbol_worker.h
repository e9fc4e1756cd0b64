/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbol_worker.h - names from the process that reads files.
 */
#ifndef WICK_SYMBOL_WORKER_H
#define WICK_SYMBOL_WORKER_H

#include "symbolizer/symbolizer.h"
#include "symbolizer/worker/worker.h"

/*
 * The names of @count addresses of the module that is open: calls @answer with the frames of each in
 * turn, whose texts are good during the call; what it returns below 0 is returned. Else as worker_ask().
 */
int symbol_worker_ask(struct worker *worker, const uint64_t *addresses, size_t count,
		      int (*answer)(void *context, uint64_t address, const struct frame *frames,
				    size_t count),
		      void *context);

#endif
