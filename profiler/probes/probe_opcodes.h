/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_opcodes.h - instructions that the kernel refuses a probe at, or carries out wrongly below one.
 */
#ifndef WICK_PROBE_OPCODES_H
#define WICK_PROBE_OPCODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTRUCTION_BYTES_MAX 15

/* @bytes: 64-bit code from the first byte of an instruction on, as far as there is any. */
bool probe_is_possible_at(const uint8_t *bytes, size_t size);

#endif
