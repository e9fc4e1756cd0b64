/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_id.h - content ids: 64-bit hashes of tasks and stacks, the same in BPF and on the host.
 *
 * An id never changes its meaning, so windows, halves and processes may share
 * ids freely. The walk hashes frames as it goes (unwind_push()); the id adds
 * what else tells stacks apart.
 */
#ifndef WICK_STACK_ID_H
#define WICK_STACK_ID_H

#include "bpf/sample_abi.h"

#define WICK_USER_STACK_SEED 0x75736572ull	/* unwind_cursor.hash before the first frame */
#define WICK_KERNEL_STACK_SEED 0x6b65726eull
#define WICK_TASK_SEED 0x7461736bull
#define WICK_DETAIL_SEED 0x64657461ull
#define WICK_WAIT_SEED 0x77616974ull
#define WICK_TEXT_SEED 0x74657874ull

static __always_inline wick_u64 wick_id(wick_u64 hash)
{
	return hash < WICK_STACK_FIRST ? hash + WICK_STACK_FIRST : hash;
}

/*
 * The id of a user stack whose frames hashed to @hash. @pid and @start_ns are those
 * of the process when some frame is a raw address, else 0.
 */
static __always_inline wick_u64 wick_user_stack_id(wick_u64 hash, wick_u32 stop, wick_u32 pid,
						   wick_u64 start_ns)
{
	hash = unwind_hash(hash, stop);
	if (pid) {
		hash = unwind_hash(hash, pid);
		hash = unwind_hash(hash, start_ns);
	}
	return wick_id(hash);
}

static __always_inline wick_u64 wick_task_id(const struct wick_task *task)
{
	const wick_u64 *words = (const wick_u64 *)task;
	wick_u64 hash = WICK_TASK_SEED;

	_Static_assert(sizeof(*task) == 7 * 8, "every word of a task is hashed");
	for (int i = 0; i < 7; i++)
		hash = unwind_hash(hash, words[i]);
	return wick_id(hash);
}

/* Few of them are present, and a step of the hash waits for the one before it. */
static __always_inline wick_u64 wick_detail_id(const struct wick_detail *detail)
{
	wick_u64 present = detail->present, hash = unwind_hash(WICK_DETAIL_SEED, present);

	for (int i = 0; i < WICK_DETAIL_COUNT; i++)
		if (present >> i & 1)
			hash = unwind_hash(hash, detail->value[i]);
	return wick_id(hash);
}

/* A step of the id of a text, for each of its words. */
static __always_inline wick_u64 wick_text_hash(wick_u64 hash, wick_u64 word)
{
	return unwind_hash(hash, word);
}

/* Of a stack whose frames are not known yet: the one thread @tid had at @time_ns. */
static __always_inline wick_u64 wick_wait_stack_id(wick_u32 tid, wick_u64 time_ns)
{
	return wick_id(unwind_hash(unwind_hash(WICK_WAIT_SEED, tid), time_ns));
}

#endif
