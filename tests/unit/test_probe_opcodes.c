/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "profiler/base/cleanup.h"
#include "profiler/probes/probe_opcodes.h"
#include "tests/unit/unit.h"

static const struct opcode_case {
	const char *name, *bytes;
	size_t size;
	bool is_possible;
} cases[] = {
	{ "push %rbp", "\x55", 1, true },
	{ "endbr64", "\xf3\x0f\x1e\xfa", 4, true },
	{ "mov %fs:0x28,%rax", "\x64\x48\x8b\x04\x25\x28\x00\x00\x00", 9, true },
	{ "repz ret", "\xf3\xc3", 2, true },
	{ "movd %esi,%xmm0, whose opcode is of two bytes", "\x66\x0f\x6e\xc6", 4, true },
	{ "data16 rex.W call", "\x66\x48\xe8\x00\x00\x00\x00", 7, true },
	{ "lock decl (%rdi): a prefix that is refused", "\xf0\xff\x0f", 3, false },
	{ "cs nopw: a segment's prefix behind another", "\x66\x2e\x0f\x1f\x84", 5, false },
	{ "hlt", "\xf4", 1, false },
	{ "int3", "\xcc", 1, false },
	{ "in (%dx),%eax", "\xed", 1, false },
	{ "vmovd %esi,%xmm0: VEX of two bytes", "\xc5\xf9\x6e\xc6", 4, false },
	{ "vpxor: VEX of three bytes", "\xc4\x41\x01\xef\xff", 5, false },
	{ "vpbroadcastb, carried out as a jump: EVEX", "\x62\xe2\x7d\x28\x7a\xce", 6, false },
	{ "prefixes and nothing behind them", "\x66\x66", 2, false },
	{ "no bytes", "", 0, false },
};

static void test_possible(void **state)
{
	const struct opcode_case *c = *state;

	assert_int_equal(probe_is_possible_at((const uint8_t *)c->bytes, c->size), c->is_possible);
}

int main(void)
{
	return unit_run_rows("opcodes", test_possible, UNIT_ROWS(cases));
}
