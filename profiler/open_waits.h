/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open_waits.h - stacks of waits that outlive the window they began in.
 *
 * A wait is counted in the window it ends in, under ids whose content went into the window it
 * began in. So after each drain the content of the open waits is kept, and given to the
 * window that wants it. A wait may end between a flip and the look at the open ones: what was kept
 * two windows ago is therefore still at hand. Used by the drain.
 */
#ifndef WICK_OPEN_WAITS_H
#define WICK_OPEN_WAITS_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/source.h"
#include "profiler/window.h"

struct open_waits;

/* NULL with *@ret_error 0: no source has waits. @sources is borrowed. */
struct open_waits *open_waits_new(struct source_run *const *sources, size_t count,
				  int *ret_error);
struct open_waits *open_waits_free(struct open_waits *waits);
DEFINE_CLEANUP(struct open_waits *, open_waits_free)

/* Before a sample with @key is added to @window: give it the content that it lacks. */
void open_waits_complete(struct open_waits *waits, struct window *window,
			 const struct wick_key *key);
/* @window is complete: keep what open waits need of it. Returns 0 or -ENOMEM. */
int open_waits_keep(struct open_waits *waits, const struct window *window);
/*
 * The run is over, no program runs: add what is still open to @window, as far as it is long
 * enough, up to @now_ns. Returns how many were added; *@ret_lost those without a known task.
 */
uint64_t open_waits_close(struct open_waits *waits, struct window *window, uint64_t now_ns,
			  uint64_t *ret_lost);

#endif
