/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_cfi_program.c - call frame instructions, as the rows they make.
 *
 * Rows are written as text: start, CFA, and what is known of rbp, rbx and the
 * return address, each only when it is not what the CIE begins with.
 */
#include "profiler/unwind/cfi_program.h"

#include <errno.h>
#include <stdio.h>
#include "profiler/base/strbuf.h"
#include "tests/unit/cfi_builder.h"
#include "tests/unit/unit.h"

#define START 0x1000
#define LENGTH 0x100000

static const char *const register_names[] = {
	"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
	"r13", "r14", "r15", "rip",
};

static void write_value(struct strbuf *text, const char *name, const struct cfi_value *value)
{
	const char *reg = value->reg <= RIP ? register_names[value->reg] : "far";
	long long offset = value->offset;

	switch (value->kind) {
	case CFI_UNSPECIFIED:
		return;
	case CFI_UNDEFINED:
		strbuf_printf(text, " %s?", name);
		return;
	case CFI_SAME_VALUE:
		strbuf_printf(text, " %s=", name);
		return;
	case CFI_OFFSET:
		if (strcmp(name, "ra") || offset != -8)
			strbuf_printf(text, " %s@%+lld", name, offset);
		return;
	case CFI_VALUE_OFFSET:
		strbuf_printf(text, " %s=%+lld", name, offset);
		return;
	case CFI_REGISTER:
		strbuf_printf(text, " %s=%s%+lld", name, reg, offset);
		return;
	case CFI_EXPRESSION:
		strbuf_printf(text, " %s@{%u}", name, value->expression[0]);
		return;
	case CFI_VALUE_EXPRESSION:
		strbuf_printf(text, " %s={%u}", name, value->expression[0]);
		return;
	}
}

static void write_row(struct strbuf *text, uint64_t start, const struct cfi_state *state)
{
	strbuf_printf(text, "%s%#llx", text->size ? "; " : "",
		      (unsigned long long)(start - START));
	write_value(text, "cfa", &state->cfa);
	write_value(text, "rbp", &state->fp);
	write_value(text, "rbx", &state->rbx);
	write_value(text, "ra", &state->return_address);
}

/* Run @program behind a usual CIE with @initial appended; the rows go to @text. */
static int run_program(const uint8_t *initial, size_t initial_size, const uint8_t *program,
		       size_t size, struct strbuf *text)
{
	static struct cfi_builder b;
	_cleanup_free_ uint8_t *exact = NULL;
	struct cfi_section section;
	struct cfi_common common;
	struct cfi_run run;
	struct cfi_fde fde = { .start = START, .end = START + LENGTH };
	uint64_t start, end = START;
	int r;

	cfi_builder_init(&b, 0, true);
	cfi_builder_cie(&b, "", initial, initial_size);
	cfi_builder_add(&b, program, size);
	/* Of its own, so that AddressSanitizer sees a read behind its end. */
	exact = malloc(b.size);
	assert_non_null(exact);
	memcpy(exact, b.bytes, b.size);
	section = cfi_builder_section(&b);
	section.bytes = exact;
	fde.program = exact + b.size - size;
	fde.program_end = exact + b.size;
	r = cfi_common_read(&section, 0, &common);
	if (r < 0)
		return r;
	cfi_run_start(&run, &section, &common, &fde);
	while ((r = cfi_run_next(&run, &start)) > 0) {
		assert_true(start == end && run.address > start);
		end = run.address;
		write_row(text, start, &run.state);
	}
	assert_true(r < 0 || end == START + LENGTH);
	return r;
}

static const struct program_case {
	const char *name;
	const uint8_t *program;
	size_t size;
	const char *rows;
} program_cases[] = {
	{ "an empty program is the CIE's row", BYTES(CFA_NOP), "0 cfa=rsp+8" },
	{ "a prologue",
	  BYTES(CFA_ADVANCE(1), CFA_DEF_CFA_OFFSET, 16, CFA_OFFSET(RBP), 2, CFA_ADVANCE(3),
		CFA_DEF_CFA_REGISTER, RBP),
	  "0 cfa=rsp+8; 0x1 cfa=rsp+16 rbp@-16; 0x4 cfa=rbp+16 rbp@-16" },
	{ "advances of all sizes",
	  BYTES(CFA_ADVANCE1, 0x80, CFA_DEF_CFA_OFFSET, 9, CFA_ADVANCE2, 0x80, 0x01,
		CFA_DEF_CFA_OFFSET, 10, CFA_ADVANCE4, 0, 0, 1, 0, CFA_DEF_CFA_OFFSET, 11),
	  "0 cfa=rsp+8; 0x80 cfa=rsp+9; 0x200 cfa=rsp+10; 0x10200 cfa=rsp+11" },
	{ "an advance by nothing makes no row",
	  BYTES(CFA_ADVANCE(0), CFA_DEF_CFA_OFFSET, 16, CFA_ADVANCE1, 0, CFA_DEF_CFA_OFFSET, 24),
	  "0 cfa=rsp+24" },
	{ "an advance out of the function ends it",
	  BYTES(CFA_ADVANCE4, 0, 0, 0, 0xf0, CFA_DEF_CFA_OFFSET, 16), "0 cfa=rsp+8" },
	{ "a location is set", BYTES(CFA_SET_LOC, 0x10, 0x10, 0, 0, 0, 0, 0, 0, CFA_UNDEFINED, RIP),
	  "0 cfa=rsp+8; 0x10 cfa=rsp+8 ra?" },
	{ "CFA by register and offset", BYTES(CFA_DEF_CFA, R10, 0x80, 1), "0 cfa=r10+128" },
	{ "CFA by a factored offset", BYTES(CFA_DEF_CFA_SF, RBP, 0x7e), "0 cfa=rbp+16" },
	{ "CFA by another factored offset", BYTES(CFA_DEF_CFA_OFFSET_SF, 0x7d), "0 cfa=rsp+24" },
	{ "CFA by an expression", BYTES(CFA_DEF_CFA_EXPRESSION, 3, 1, 2, 3), "0 cfa={3}" },
	{ "behind an expression the register and offset before it are changed",
	  BYTES(CFA_DEF_CFA_OFFSET, 56, CFA_DEF_CFA_EXPRESSION, 1, 9, CFA_ADVANCE(1),
		CFA_DEF_CFA_OFFSET, 48, CFA_ADVANCE(1), CFA_DEF_CFA_REGISTER, RBX),
	  "0 cfa={1}; 0x1 cfa={1}; 0x2 cfa=rbx+48" },
	{ "offsets", BYTES(CFA_OFFSET_EXTENDED, RBP, 2, CFA_OFFSET(RBX), 3),
	  "0 cfa=rsp+8 rbp@-16 rbx@-24" },
	{ "signed offsets", BYTES(CFA_OFFSET_EXTENDED_SF, RBP, 0x7e), "0 cfa=rsp+8 rbp@+16" },
	{ "negated offsets", BYTES(CFA_GNU_NEGATIVE_OFFSET_EXTENDED, RBP, 2),
	  "0 cfa=rsp+8 rbp@+16" },
	{ "values that are offsets", BYTES(CFA_VAL_OFFSET, RBP, 2, CFA_VAL_OFFSET_SF, RBX, 0x7f),
	  "0 cfa=rsp+8 rbp=-16 rbx=+8" },
	{ "a register in another", BYTES(CFA_REGISTER, RIP, RDI, CFA_REGISTER, RBP, R9),
	  "0 cfa=rsp+8 rbp=r9+0 ra=rdi+0" },
	{ "expressions", BYTES(CFA_EXPRESSION, RBP, 2, 1, 2, CFA_VAL_EXPRESSION, RIP, 1, 3),
	  "0 cfa=rsp+8 rbp@{2} ra={1}" },
	{ "same and undefined", BYTES(CFA_SAME_VALUE, RBP, CFA_UNDEFINED, RIP),
	  "0 cfa=rsp+8 rbp= ra?" },
	{ "other registers are of no interest",
	  BYTES(CFA_OFFSET(R12), 3, CFA_UNDEFINED, R13, CFA_REGISTER, R14, R15, CFA_EXPRESSION,
		RAX, 1, 7, CFA_RESTORE(R12), CFA_RESTORE_EXTENDED, R13, CFA_SAME_VALUE, 99),
	  "0 cfa=rsp+8" },
	{ "the size of arguments does not move CFA", BYTES(CFA_GNU_ARGS_SIZE, 16), "0 cfa=rsp+8" },
	{ "restored to what the CIE said",
	  BYTES(CFA_OFFSET(RBP), 2, CFA_OFFSET(RBX), 3, CFA_UNDEFINED, RIP, CFA_ADVANCE(1),
		CFA_RESTORE(RBP), CFA_RESTORE(RIP), CFA_RESTORE_EXTENDED, RBX),
	  "0 cfa=rsp+8 rbp@-16 rbx@-24 ra?; 0x1 cfa=rsp+8" },
	{ "states are kept on a stack",
	  BYTES(CFA_DEF_CFA_OFFSET, 16, CFA_REMEMBER_STATE, CFA_ADVANCE(1), CFA_DEF_CFA_OFFSET, 24,
		CFA_OFFSET(RBP), 3, CFA_REMEMBER_STATE, CFA_ADVANCE(1), CFA_DEF_CFA_OFFSET, 32,
		CFA_ADVANCE(1), CFA_RESTORE_STATE, CFA_ADVANCE(1), CFA_RESTORE_STATE),
	  "0 cfa=rsp+16; 0x1 cfa=rsp+24 rbp@-24; 0x2 cfa=rsp+32 rbp@-24; "
	  "0x3 cfa=rsp+24 rbp@-24; 0x4 cfa=rsp+16" },
	{ "an offset of any size is only a number",
	  BYTES(CFA_DEF_CFA_OFFSET, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
	  "0 cfa=rsp+9223372036854775807" },
	{ "a register of any number is none of ours",
	  BYTES(CFA_DEF_CFA, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 8), "0 cfa=far+8" },
};

static void program_row(void **state)
{
	const struct program_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(run_program(NULL, 0, c->program, c->size, &text), 0);
	assert_string_equal(text.data, c->rows);
}

static const struct damage_case {
	const char *name;
	const uint8_t *program;
	size_t size;
	const char *rows;	/* before the damage */
} damage_cases[] = {
	{ "an unknown instruction",
	  BYTES(CFA_ADVANCE(4), CFA_DEF_CFA_OFFSET, 16, CFA_ADVANCE(1), 0x3f),
	  "0 cfa=rsp+8; 0x4 cfa=rsp+16" },
	{ "SPARC's register windows", BYTES(0x2d), "" },
	{ "restoring a state never kept", BYTES(CFA_ADVANCE(1), CFA_RESTORE_STATE), "0 cfa=rsp+8" },
	{ "a state kept too often",
	  BYTES(CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE,
		CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE,
		CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE,
		CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE, CFA_REMEMBER_STATE,
		CFA_ADVANCE(1), CFA_REMEMBER_STATE),
	  "0 cfa=rsp+8" },
	{ "going back", BYTES(CFA_ADVANCE(8), CFA_SET_LOC, 0x01, 0x10, 0, 0, 0, 0, 0, 0),
	  "0 cfa=rsp+8" },
	{ "an expression longer than the program",
	  BYTES(CFA_ADVANCE(1), CFA_DEF_CFA_EXPRESSION, 200, 1), "0 cfa=rsp+8" },
	{ "an operand that is missing", BYTES(CFA_ADVANCE(1), CFA_DEF_CFA, RSP), "0 cfa=rsp+8" },
	{ "an advance that is cut off", BYTES(CFA_ADVANCE4, 1, 0, 0), "" },
};

static void damage_row(void **state)
{
	const struct damage_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(run_program(NULL, 0, c->program, c->size, &text), -EBADMSG);
	assert_string_equal(text.data, c->rows);
}

static void test_what_the_cie_says_is_restored(void **state)
{
	const uint8_t initial[] = { CFA_OFFSET(RBP), 4, CFA_UNDEFINED, RIP };
	const uint8_t program[] = { CFA_SAME_VALUE, RBP, CFA_SAME_VALUE, RIP, CFA_ADVANCE(1),
				    CFA_RESTORE(RBP), CFA_RESTORE(RIP) };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(run_program(initial, sizeof(initial), program, sizeof(program), &text), 0);
	assert_string_equal(text.data, "0 cfa=rsp+8 rbp= ra=; 0x1 cfa=rsp+8 rbp@-32 ra?");
}

static void test_cie_with_too_long_a_program(void **state)
{
	static uint8_t initial[2000];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(run_program(initial, 500, initial, 1, &text), 0);
	assert_int_equal(run_program(initial, sizeof(initial), initial, 1, &text), -EBADMSG);
}

/* Every prefix of a program with every instruction stops or ends, and reads nothing behind it. */
static void test_every_truncation(void **state)
{
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(program_cases); i++) {
		for (size = 0; size < program_cases[i].size; size++) {
			_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
			int r = run_program(NULL, 0, program_cases[i].program, size, &text);

			assert_true(r == 0 || r == -EBADMSG);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("what the CIE says is restored", test_what_the_cie_says_is_restored),
		UNIT_TEST("a CIE with too long a program is damage",
			  test_cie_with_too_long_a_program),
		UNIT_TEST("every truncation is survived", test_every_truncation),
	};

	return unit_run_rows("program", program_row, UNIT_ROWS(program_cases)) +
	       unit_run_rows("damage", damage_row, UNIT_ROWS(damage_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
