/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_opcodes.h"

#include <string.h>

/*
 * What the kernel takes no probe at, of 64-bit code (arch/x86/kernel/uprobes.c). It says so only where
 * the file is mapped already, and nothing when it is mapped later.
 */
static const uint8_t refused_opcodes[] = {
	0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x62,
	0x6c, 0x6d, 0x6e, 0x6f, 0x82, 0x9a, 0xcc, 0xcd, 0xce, 0xcf, 0xd4, 0xd5, 0xd6, 0xe4,
	0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee, 0xef, 0xf1, 0xf4, 0xfa, 0xfb,
};
static const uint8_t refused_prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0xf0 };
static const uint8_t prefixes[] = { 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3 };

/*
 * VEX and EVEX: the kernel takes the opcode behind them for one without. Seen on 6.18: "vpbroadcastb" is
 * carried out as the jump whose opcode it has, and the program goes astray.
 */
static const uint8_t vector_prefixes[] = { 0xc4, 0xc5, 0x62 };

static bool is_in(uint8_t byte, const uint8_t *bytes, size_t size)
{
	return memchr(bytes, byte, size) != NULL;
}

bool probe_is_possible_at(const uint8_t *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && is_in(bytes[i], prefixes, sizeof(prefixes)))
		i++;
	if (i < size && bytes[i] >> 4 == 4)
		i++;
	return i < size && !is_in(bytes[i], vector_prefixes, sizeof(vector_prefixes)) &&
	       !is_in(bytes[i], refused_prefixes, sizeof(refused_prefixes)) &&
	       !is_in(bytes[i], refused_opcodes, sizeof(refused_opcodes));
}
