/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - one hash of bytes, for tables in memory.
 *
 * Fast and well mixed in every bit; not for hostile input and not stable
 * between versions, so it is never written to a file.
 */
#ifndef WICK_HASH_H
#define WICK_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t size);

#endif
