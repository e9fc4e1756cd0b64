/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/hash.h"

#include <string.h>

#define HASH_SEED 0x9e3779b97f4a7c15ULL
#define HASH_MULTIPLIER 0xd6e8feb86659fd93ULL

/* Folding the 128-bit product brings the high bits, the well-mixed ones, back down. */
static uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	uint64_t hash = HASH_SEED ^ size;
	uint64_t word;

	for (; size >= sizeof(word); p += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = hash_mix(hash ^ word, HASH_MULTIPLIER) + HASH_SEED;
	}
	if (size) {
		word = 0;
		memcpy(&word, p, size);
		hash = hash_mix(hash ^ word, HASH_MULTIPLIER) + HASH_SEED;
	}
	return hash_mix(hash, HASH_SEED);
}
