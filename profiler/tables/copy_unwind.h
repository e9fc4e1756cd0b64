/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy_unwind.h - unwinds a stack that came as a copy, by the rules and step the kernel side uses.
 *
 * For processes whose tables were not loaded when they were sampled, and for threads that do not run,
 * whose stacks are read now. One walk at a time per thread.
 */
#ifndef WICK_COPY_UNWIND_H
#define WICK_COPY_UNWIND_H

#include <stdint.h>
#include "bpf/sample_abi.h"
#include "profiler/processes/process.h"
#include "profiler/tables/table_store.h"

/*
 * Unwind @copy, a stack of @process; tables it needs that are not in @store are loaded. @ret
 * holds the frames, why they end (UNWIND_STOP_COPY_END when the copy was too short, UNWIND_STOP_ASLEEP
 * and no frames when the thread went on while it was read)
 * and their hash. At most @depth_max frames.
 */
void copy_unwind(const struct stack_copy *copy, const struct process *process,
		 struct table_store *store, uint32_t depth_max, struct unwind_cursor *ret);
/* No frames, and why: @stop. */
void copy_unwind_none(enum unwind_stop stop, struct unwind_cursor *ret);

#endif
