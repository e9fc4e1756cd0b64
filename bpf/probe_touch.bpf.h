/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_touch.bpf.h - brings memory that a probe of user code is about to read, when it is not there.
 *
 * Programs that may wait for memory may also be preempted, and a claimed scratch state must not be kept
 * across that. So such a program only follows the same pointers, and keeps nothing: what it has touched
 * is there for the program that runs after it. Of the programs on one place the kernel runs the one that
 * was attached last first. Where it is not so, or the memory is taken away at once, that one finds
 * what it would have found.
 */
#ifndef WICK_PROBE_TOUCH_BPF_H
#define WICK_PROBE_TOUCH_BPF_H

#include "bpf/probe_fetch.bpf.h"

static __always_inline void touch(__u64 address, __u32 bytes)
{
	__u8 byte;

	if (bpf_copy_from_user(&byte, sizeof(byte), (void *)address))
		return;
	if (bytes && (address ^ (address + bytes - 1)) & ~(__u64)(TEXT_PAGE_BYTES - 1))
		bpf_copy_from_user(&byte, sizeof(byte), (void *)(address + bytes - 1));
}

/* What @fetch reads, beginning with the number @value. */
static __always_inline void touch_value(const struct probe_fetch *fetch, __u64 value)
{
	for (__u32 i = 0; i < PROBE_STEPS_MAX; i++) {
		__u64 next = 0;

		if (i >= fetch->step_count)
			break;
		if (bpf_copy_from_user(&next, sizeof(next), (void *)(value + fetch->step[i])))
			return;
		value = next;
	}
	if (fetch->form != PROBE_NUMBER)
		touch(value + fetch->offset, fetch->size);
	else if (fetch->flags & PROBE_FETCH_MEMORY)
		touch(value + fetch->offset, fetch->bytes);
}

/* Number @index of site @number, which begins with the number @value. */
__noinline int probe_touch_value(__u32 number, __u32 index, __u64 value)
{
	const struct probe_site *site = bpf_map_lookup_elem(&sites, &number);

	if (site)
		touch_value(&site->values[PROBE_VALUE_INDEX(index)], value);
	return 0;
}

/* All that site @number reads of memory that registers point to. */
static __always_inline void touch_values(const struct pt_regs *regs, __u32 number)
{
	const struct probe_site *site = bpf_map_lookup_elem(&sites, &number);
	struct {
		__u64 registers[PROBE_REGISTER_SLOTS];
	} copy = {};

	if (!site)
		return;
	PROBE_REGISTERS(&copy, regs);
	for (__u32 i = 0; i < PROBE_VALUES_MAX; i++) {
		const struct probe_fetch *fetch = &site->values[i];

		if (i >= site->value_count)
			break;
		if (fetch->base == PROBE_BASE_REGISTER && fetch->flags & PROBE_FETCH_USER)
			probe_touch_value(number, i, registers_add(copy.registers, fetch));
	}
}

#endif
