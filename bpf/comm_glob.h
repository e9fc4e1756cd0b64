/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * comm_glob.h - matches a comm against a glob without a branch, for BPF and the host.
 *
 * Bit-parallel simulation of the pattern's automaton (Baeza-Yates and Gonnet,
 * "A new approach to text searching", 1992, extended by stars): bit i is set
 * when the first i literals have matched. User space fills the tables
 * (profiler/comm_pattern.c).
 */
#ifndef WICK_COMM_GLOB_H
#define WICK_COMM_GLOB_H

#include "bpf/sample_abi.h"

/*
 * @match: for each byte, the literals (bits) it matches; @loops: the positions
 * that a star lets repeat; @accept: the bit of the whole pattern.
 */
static __always_inline int comm_glob_matches(const volatile wick_u32 *match, wick_u32 loops,
					     wick_u32 accept, const char *comm)
{
	wick_u32 state = 1;

	for (int i = 0; i < WICK_COMM_BYTES; i++) {
		wick_u8 c = comm[i];

		if (!c)
			break;
		state = ((state & match[c]) << 1) | (state & loops);
	}
	return (state & accept) != 0;
}

#endif
