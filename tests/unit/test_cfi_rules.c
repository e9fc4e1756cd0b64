/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/cfi_rules.h"

#include "tests/unit/cfi_builder.h"
#include "tests/unit/unit.h"

/* CFA = expression, with its length in front as in the section. */
#define EXPRESSION(...)                                               \
	(const uint8_t[])                                             \
	{                                                             \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), __VA_ARGS__ \
	}
#define CFA_REG(number, by)                                           \
	{                                                             \
		.kind = CFI_REGISTER, .reg = (number), .offset = (by) \
	}
#define CFA_EXPR(...)                                                               \
	{                                                                           \
		.kind = CFI_VALUE_EXPRESSION, .expression = EXPRESSION(__VA_ARGS__) \
	}
#define AT(by)                                     \
	{                                          \
		.kind = CFI_OFFSET, .offset = (by) \
	}
#define AT_EXPR(...)                                                          \
	{                                                                     \
		.kind = CFI_EXPRESSION, .expression = EXPRESSION(__VA_ARGS__) \
	}
#define RA AT(-8)
#define SLEB2(low, high) (low) | 0x80, (high)

#define RBX_AT(words) ((words) << UNWIND_RBX_SHIFT)
#define FP(kind) UNWIND_FP_##kind
#define REG(number) ((number) << 4)
#define TWO(low, high) (int32_t)((uint16_t)(low) | (uint32_t)(high) << 16)

static const struct rule_case {
	const char *name;
	struct cfi_state state;
	struct unwind_rule rule;
	bool signal_frame;
} rule_cases[] = {
	{ "CFA by rsp", { .cfa = CFA_REG(RSP, 24), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP, .cfa_offset = 24 } },
	{ "CFA by rbp, with it saved",
	  { .cfa = CFA_REG(RBP, 16), .fp = AT(-16), .return_address = RA },
	  { .kind = UNWIND_CFA_RBP, .fp = FP(CFA), .fp_offset = -16, .cfa_offset = 16 } },
	{ "CFA by another register",
	  { .cfa = CFA_REG(R10, 0), .fp = { .kind = CFI_SAME_VALUE }, .return_address = RA },
	  { .kind = UNWIND_CFA_REGISTER, .fp = FP(SAME) | REG(R10) } },
	{ "CFA by a large frame", { .cfa = CFA_REG(RSP, 0x7fffffff), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP, .cfa_offset = 0x7fffffff } },
	{ "CFA by too large a frame", { .cfa = CFA_REG(RSP, 0x80000000ll), .return_address = RA },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "CFA by a vector register", { .cfa = CFA_REG(17, 8), .return_address = RA },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "no CFA", { .return_address = RA }, { .kind = UNWIND_UNSUPPORTED } },
	{ "rbx saved",
	  { .cfa = CFA_REG(RSP, 56), .fp = AT(-48), .rbx = AT(-56), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP | RBX_AT(6), .fp = FP(CFA), .fp_offset = -48,
	    .cfa_offset = 56 } },
	{ "rbx saved far away",
	  { .cfa = CFA_REG(RSP, 200), .rbx = AT(-128), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP | RBX_AT(UNWIND_RBX_LOST), .cfa_offset = 200 } },
	{ "rbx saved above", { .cfa = CFA_REG(RSP, 8), .rbx = AT(8), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP | RBX_AT(UNWIND_RBX_LOST), .cfa_offset = 8 } },
	{ "rbx undefined",
	  { .cfa = CFA_REG(RSP, 8), .rbx = { .kind = CFI_UNDEFINED }, .return_address = RA },
	  { .kind = UNWIND_CFA_RSP | RBX_AT(UNWIND_RBX_LOST), .cfa_offset = 8 } },
	{ "rbp undefined",
	  { .cfa = CFA_REG(RSP, 8), .fp = { .kind = CFI_UNDEFINED }, .return_address = RA },
	  { .kind = UNWIND_CFA_RSP, .fp = FP(UNDEFINED), .cfa_offset = 8 } },
	{ "rbp in another register",
	  { .cfa = CFA_REG(RSP, 8), .fp = CFA_REG(R9, 0), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP, .fp = FP(UNSUPPORTED), .cfa_offset = 8 } },
	{ "rbp far away", { .cfa = CFA_REG(RSP, 8), .fp = AT(-40000), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP, .fp = FP(UNSUPPORTED), .cfa_offset = 8 } },
	{ "gcc's realigned frame",
	  { .cfa = CFA_EXPR(OP_BREG(RBP), 0x78, OP_DEREF), .fp = AT_EXPR(OP_BREG(RBP), 0),
	    .return_address = RA },
	  { .kind = UNWIND_CFA_DEREF, .fp = FP(RBP) | REG(RBP), .cfa_offset = TWO(-8, 0) } },
	{ "assembly that keeps the old rsp on the stack",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), SLEB2(0x18, 0x01), OP_DEREF, OP_PLUS_UCONST, 8),
	    .fp = AT_EXPR(OP_BREG(RSP), 40), .return_address = RA },
	  { .kind = UNWIND_CFA_DEREF, .fp = FP(RSP) | REG(RSP), .fp_offset = 40,
	    .cfa_offset = TWO(152, 8) } },
	{ "in any register",
	  { .cfa = CFA_EXPR(OP_BREGX, R11, 4, OP_DEREF), .return_address = RA },
	  { .kind = UNWIND_CFA_DEREF, .fp = REG(R11), .cfa_offset = TWO(4, 0) } },
	{ "bn_mul_mont of openssl",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 8, OP_BREG(R9), 0, OP_LIT(8), OP_MUL, OP_PLUS, OP_DEREF,
			    OP_PLUS_UCONST, 8),
	    .fp = AT(-24), .return_address = RA },
	  { .kind = UNWIND_CFA_INDEXED, .fp = FP(CFA) | REG(RSP), .fp_offset = -48 + R9,
	    .cfa_offset = TWO(8, 8) } },
	{ "the same by a shift, without rbp",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 8, OP_BREG(R9), 0, OP_LIT(3), OP_SHL, OP_PLUS, OP_DEREF),
	    .return_address = RA },
	  { .kind = UNWIND_CFA_INDEXED, .fp = REG(RSP), .fp_offset = R9,
	    .cfa_offset = TWO(8, 0) } },
	{ "indexed, with rbp where the form cannot say",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 8, OP_BREG(R9), 0, OP_LIT(3), OP_SHL, OP_PLUS, OP_DEREF),
	    .fp = AT(-20), .return_address = RA },
	  { .kind = UNWIND_CFA_INDEXED, .fp = FP(UNSUPPORTED) | REG(RSP), .fp_offset = R9,
	    .cfa_offset = TWO(8, 0) } },
	{ "an expression that is a register and an offset",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 16), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP, .cfa_offset = 16 } },
	{ "the PLT",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 8, OP_BREG(RIP), 0, OP_LIT(15), OP_AND, OP_LIT(11),
			    OP_GE, OP_LIT(3), OP_SHL, OP_PLUS),
	    .return_address = RA },
	  { .kind = UNWIND_PLT, .cfa_offset = 11 } },
	{ "the PLT with indirect branch tracking",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 8, OP_BREG(RIP), 0, OP_LIT(15), OP_AND, OP_LIT(5),
			    OP_GE, OP_LIT(3), OP_SHL, OP_PLUS),
	    .return_address = RA },
	  { .kind = UNWIND_PLT, .cfa_offset = 5 } },
	{ "nearly the PLT",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 8, OP_BREG(RIP), 0, OP_LIT(15), OP_AND, OP_LIT(11),
			    OP_GE, OP_LIT(4), OP_SHL, OP_PLUS),
	    .return_address = RA },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "an expression with more to it",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 8, OP_DEREF, OP_PLUS_UCONST, 8, OP_DEREF),
	    .return_address = RA },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "an expression that is cut off",
	  { .cfa = CFA_EXPR(OP_BREG(RSP)), .return_address = RA }, { .kind = UNWIND_UNSUPPORTED } },
	{ "an expression with offsets too large",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), 0x80, 0x80, 0x04, OP_DEREF), .return_address = RA },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "the end", { .cfa = CFA_REG(RSP, 8), .return_address = { .kind = CFI_UNDEFINED } },
	  { .kind = UNWIND_END } },
	{ "a return address elsewhere", { .cfa = CFA_REG(RSP, 8), .return_address = AT(0) },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "no return address", { .cfa = CFA_REG(RSP, 8) }, { .kind = UNWIND_UNSUPPORTED } },
	{ "the usual return address, said by an expression",
	  { .cfa = CFA_REG(RSP, 32), .return_address = AT_EXPR(OP_BREG(RSP), 24) },
	  { .kind = UNWIND_CFA_RSP, .cfa_offset = 32 } },
	{ "another, said by an expression",
	  { .cfa = CFA_REG(RSP, 32), .return_address = AT_EXPR(OP_BREG(RSP), 32) },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "vfork", { .cfa = CFA_REG(RSP, 0), .return_address = CFA_REG(RDI, 0) },
	  { .kind = UNWIND_RETURN_REGISTER, .fp = REG(RDI) } },
	{ "longjmp", { .cfa = CFA_REG(RDI, 0), .return_address = CFA_REG(RDX, 0) },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "a signal trampoline",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), SLEB2(0x20, 0x01), OP_DEREF),
	    .return_address = AT_EXPR(OP_BREG(RSP), SLEB2(0x28, 0x01)) },
	  { .kind = UNWIND_SIGNAL }, true },
	{ "the same not marked as one",
	  { .cfa = CFA_EXPR(OP_BREG(RSP), SLEB2(0x20, 0x01), OP_DEREF),
	    .return_address = AT_EXPR(OP_BREG(RSP), SLEB2(0x28, 0x01)) },
	  { .kind = UNWIND_UNSUPPORTED } },
	{ "marked as one, but a plain frame", { .cfa = CFA_REG(RSP, 8), .return_address = RA },
	  { .kind = UNWIND_CFA_RSP, .fp = UNWIND_INTERRUPTED, .cfa_offset = 8 }, true },
};

static void rule_row(void **state)
{
	const struct rule_case *c = *state;
	struct cfi_cie cie = { .signal_frame = c->signal_frame };
	struct unwind_rule rule = cfi_rule(&c->state, &cie);

	assert_int_equal(rule.kind, c->rule.kind);
	assert_int_equal(rule.fp, c->rule.fp);
	assert_int_equal(rule.fp_offset, c->rule.fp_offset);
	assert_int_equal(rule.cfa_offset, c->rule.cfa_offset);
}

int main(void)
{
	return unit_run_rows("rule", rule_row, UNIT_ROWS(rule_cases));
}
