/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_mutate.h - change what is inside of an ELF file's sections, mostly.
 *
 * libFuzzer's own changes move all bytes behind them, which leaves the headers
 * pointing at nonsense, and the readers of sections are hardly ever reached.
 */
#ifndef WICK_ELF_MUTATE_H
#define WICK_ELF_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* As LLVMFuzzerCustomMutator(), which calls it in the targets that want it. */
size_t elf_mutate(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed);

#endif
