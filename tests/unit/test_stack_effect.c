/* SPDX-License-Identifier: BSD-2-Clause */
/* test_stack_effect.c - what single instructions do to the stack. */
#include <errno.h>
#include <string.h>

#include "symbolizer/code/stack_effect.h"
#include "tests/unit/cfi_builder.h"
#include "tests/unit/unit.h"

#define ADDRESS 0x1000
#define EFFECT(...) { .reg = STACK_OTHER, __VA_ARGS__ }

static const struct effect_case {
	const char *name;
	const uint8_t *bytes;
	size_t size;
	struct stack_effect expected;	/* but for the length, which is that of the bytes */
} effect_cases[] = {
	{ "push %rbp", BYTES(0x55), { .kind = STACK_PUSH, .reg = STACK_RBP, .value = 8 } },
	{ "push %r12", BYTES(0x41, 0x54), EFFECT(.kind = STACK_PUSH, .value = 8) },
	{ "push $1", BYTES(0x6a, 0x01), EFFECT(.kind = STACK_PUSH, .value = 8) },
	{ "push (%rax)", BYTES(0xff, 0x30), EFFECT(.kind = STACK_PUSH, .value = 8) },
	{ "push %ax", BYTES(0x66, 0x50), EFFECT(.kind = STACK_PUSH, .value = 2) },
	{ "pushfq", BYTES(0x9c), EFFECT(.kind = STACK_PUSH, .value = 8) },
	{ "pop %rbx", BYTES(0x5b), { .kind = STACK_POP, .reg = STACK_RBX, .value = 8 } },
	{ "pop %rsp", BYTES(0x5c), { .kind = STACK_LOST, .reg = STACK_RSP, .value = 8 } },
	{ "sub $0x18,%rsp", BYTES(0x48, 0x83, 0xec, 0x18),
	  EFFECT(.kind = STACK_ADD, .value = -24) },
	{ "add $-128,%rsp", BYTES(0x48, 0x83, 0xc4, 0x80),
	  EFFECT(.kind = STACK_ADD, .value = -128) },
	{ "lea -0x168(%rsp),%rsp", BYTES(0x48, 0x8d, 0xa4, 0x24, 0x98, 0xfe, 0xff, 0xff),
	  EFFECT(.kind = STACK_ADD, .value = -0x168) },
	{ "lea -16(%rbp),%rsp", BYTES(0x48, 0x8d, 0x65, 0xf0),
	  EFFECT(.kind = STACK_SET_SP, .value = -16) },
	{ "lea (%rsp,%rax),%rsp", BYTES(0x48, 0x8d, 0x24, 0x04), EFFECT(.kind = STACK_LOST) },
	{ "sub %rax,%rsp", BYTES(0x48, 0x29, 0xc4), EFFECT(.kind = STACK_LOST) },
	{ "and $-16,%rsp", BYTES(0x48, 0x83, 0xe4, 0xf0), EFFECT(.kind = STACK_LOST) },
	{ "mov %rsp,%rbp", BYTES(0x48, 0x89, 0xe5), EFFECT(.kind = STACK_SET_FP) },
	{ "lea 8(%rsp),%rbp", BYTES(0x48, 0x8d, 0x6c, 0x24, 0x08),
	  EFFECT(.kind = STACK_SET_FP, .value = 8) },
	{ "mov %rbp,%rsp", BYTES(0x48, 0x89, 0xec), EFFECT(.kind = STACK_SET_SP) },
	{ "mov %rax,%rsp", BYTES(0x48, 0x89, 0xc4), EFFECT(.kind = STACK_LOST) },
	{ "leave", BYTES(0xc9), EFFECT(.kind = STACK_LEAVE) },
	{ "mov %rbx,8(%rsp)", BYTES(0x48, 0x89, 0x5c, 0x24, 0x08),
	  { .kind = STACK_SAVE, .reg = STACK_RBX, .value = 8 } },
	{ "mov %ebx,8(%rsp): half of it", BYTES(0x89, 0x5c, 0x24, 0x08), EFFECT(.value = 8) },
	{ "mov 8(%rsp),%rbp", BYTES(0x48, 0x8b, 0x6c, 0x24, 0x08),
	  { .kind = STACK_RESTORE, .reg = STACK_RBP, .value = 8 } },
	{ "mov (%rdi),%ebp", BYTES(0x8b, 0x2f), EFFECT(.clobbers_fp = true) },
	{ "xor %ebp,%ebp", BYTES(0x31, 0xed), EFFECT(.clobbers_fp = true) },
	{ "mov $1,%bl: a part of it", BYTES(0xb3, 0x01), EFFECT(.clobbers_rbx = true) },
	{ "xchg %rax,%rbx", BYTES(0x48, 0x93), EFFECT(.clobbers_rbx = true) },
	{ "cpuid", BYTES(0x0f, 0xa2), EFFECT(.clobbers_rbx = true) },
	{ "test %rbx,%rbx: read only", BYTES(0x48, 0x85, 0xdb), EFFECT() },
	{ "syscall", BYTES(0x0f, 0x05), EFFECT() },
	{ "a call", BYTES(0xe8, 0x01, 0x00, 0x00, 0x00),
	  EFFECT(.flow = FLOW_CALL, .target = 0x1006) },
	{ "a call by a register", BYTES(0xff, 0xd0), EFFECT(.flow = FLOW_CALL) },
	{ "a branch back", BYTES(0x74, 0xfc), EFFECT(.flow = FLOW_BRANCH, .target = 0xffe) },
	{ "a jump", BYTES(0xeb, 0x02), EFFECT(.flow = FLOW_JUMP, .target = 0x1004) },
	{ "a jump by memory", BYTES(0xff, 0x20), EFFECT(.flow = FLOW_JUMP) },
	{ "a jump that is not checked", BYTES(0x3e, 0xff, 0xe0), EFFECT(.flow = FLOW_JUMP) },
	{ "ret", BYTES(0xc3), EFFECT(.flow = FLOW_END) },
	{ "ret $8", BYTES(0xc2, 0x08, 0x00), EFFECT(.flow = FLOW_END) },
	{ "ud2", BYTES(0x0f, 0x0b), EFFECT(.flow = FLOW_END) },
	{ "hlt", BYTES(0xf4), EFFECT(.flow = FLOW_END) },
	{ "nop", BYTES(0x90), EFFECT(.is_padding = true) },
	{ "a long nop", BYTES(0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00), EFFECT(.is_padding = true) },
	{ "int3", BYTES(0xcc), EFFECT(.is_padding = true) },
	{ "endbr64", BYTES(0xf3, 0x0f, 0x1e, 0xfa), EFFECT(.is_landing = true) },
};

static void effect_row(void **state)
{
	const struct effect_case *c = *state;
	_cleanup_(stack_decoder_freep) struct stack_decoder *decoder = stack_decoder_new();
	struct stack_effect effect;

	assert_non_null(decoder);
	assert_int_equal(stack_effect_read(decoder, c->bytes, c->size, ADDRESS, &effect), 0);
	assert_int_equal(effect.length, c->size);
	assert_int_equal(effect.kind, c->expected.kind);
	assert_int_equal(effect.reg, c->expected.reg);
	assert_int_equal(effect.value, c->expected.value);
	assert_int_equal(effect.clobbers_fp, c->expected.clobbers_fp);
	assert_int_equal(effect.clobbers_rbx, c->expected.clobbers_rbx);
	assert_int_equal(effect.is_padding, c->expected.is_padding);
	assert_int_equal(effect.is_landing, c->expected.is_landing);
	assert_int_equal(effect.flow, c->expected.flow);
	assert_int_equal(effect.target, c->expected.target);
}

static void test_damage(void **state)
{
	_cleanup_(stack_decoder_freep) struct stack_decoder *decoder = stack_decoder_new();
	struct stack_effect effect;

	/* One that there is none of, and one that is cut off. */
	assert_int_equal(stack_effect_read(decoder, (const uint8_t[]){ 0x06 }, 1, 0, &effect),
			 -EILSEQ);
	assert_int_equal(stack_effect_read(decoder, (const uint8_t[]){ 0xe8, 1 }, 2, 0, &effect),
			 -EILSEQ);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("bytes that are no instruction are said to be none", test_damage),
	};

	return unit_run_rows("effect", effect_row, UNIT_ROWS(effect_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
