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
#include "profiler/window.h"

struct open_waits;

/* Where a source keeps its waits, by tid. */
struct open_waits_map {
	int fd;
	uint32_t source;			/* its index in the session */
	const struct wick_settings *settings;	/* its own; borrowed */
};

/* @maps is copied. Returns 0 or -ENOMEM. */
int open_waits_new(const struct open_waits_map *maps, size_t count, struct open_waits **ret);
struct open_waits *open_waits_free(struct open_waits *waits);
DEFINE_CLEANUP(struct open_waits *, open_waits_free)

/* Before a sample with @key is added to @window: give it the content that it lacks. */
void open_waits_complete(struct open_waits *waits, struct window *window,
			 const struct wick_key *key);
/* @window is complete: keep what open waits need of it. Returns 0 or -ENOMEM. */
int open_waits_keep(struct open_waits *waits, const struct window *window);

struct open_waits_closed {
	uint64_t added;
	uint64_t lost;		/* not added, without a known task or without memory */
};

/*
 * The run was over at @end_ns, no program runs: add what is still open to @window, as far as it is
 * long enough by then. Returns 0, or why some could not be read; @ret has the others.
 */
int open_waits_close(struct open_waits *waits, struct window *window, uint64_t end_ns,
		     struct open_waits_closed *ret);

#endif
