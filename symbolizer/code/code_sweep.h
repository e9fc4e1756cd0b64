/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code_sweep.h - the instructions of a piece of x86-64 code, from its first byte to its last.
 *
 * Knows bytes and their address; knows no files and no symbols.
 */
#ifndef WICK_CODE_SWEEP_H
#define WICK_CODE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum code_kind {
	CODE_CALL,
	CODE_RETURN,
	CODE_JUMP,		/* to target */
	CODE_BRANCH,		/* perhaps to target */
	CODE_SWITCH,		/* by a jump table, into the same function */
	CODE_JUMP_INDEXED,	/* to one of the addresses in the table at target; 0: not known which */
	CODE_JUMP_UNKNOWN,
};

/* An instruction that does more than go on to the next one. */
struct code_flow {
	uint64_t target;	/* address, 0: none or not known */
	uint32_t offset;	/* of the instruction in the code */
	enum code_kind kind;
};

struct code_sweep {
	uint64_t address, size;
	uint8_t *starts;	/* a bit for each byte: whether an instruction begins there */
	struct code_flow *flows;
	size_t flow_count, flow_capacity;
	bool falls_through;	/* the code behind it is run, too */
};

/*
 * Decode the @size bytes at ELF address @address, or only up to offset @last in them, if that is less.
 * Returns 0, -EILSEQ when what was decoded is not instructions from the first to the last byte, -ENOMEM.
 */
int code_sweep_init(struct code_sweep *sweep, const uint8_t *bytes, size_t size, uint64_t address,
		    uint64_t last);
void code_sweep_done(struct code_sweep *sweep);
bool code_sweep_starts(const struct code_sweep *sweep, uint64_t offset);

#endif
