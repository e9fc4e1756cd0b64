/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where instructions begin and functions return: of whole binaries, against objdump, and of small functions
 * whose returns are known.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/sorted.h"
#include "symbolizer/code/function_list.h"
#include "symbolizer/code/instructions.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/program_module.h"

/* ---- against objdump ---- */

static const struct binary_case {
	const char *name;
	const char *path;
	size_t functions;	/* at least */
	bool optional;		/* a workload in a language that may be missing here */
} binary_cases[] = {
	{ "libc's instructions and returns are those of objdump",
	  "/lib/x86_64-linux-gnu/libc.so.6", 1500, false },
	{ "so are those of libstdc++", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", 3000, false },
	{ "so are those of a C++ program", "cxx_work", 15, false },
	{ "so are those of a Go program", "go_work", 1500, true },
	{ "so are those of a Rust program", "rust_work", 300, true },
};

/* A line of objdump. */
struct instruction {
	uint64_t address;
	bool returns;
};

struct listing {
	struct instruction *lines;
	size_t count, capacity;
};

static void listing_read(struct listing *listing, const struct module *mod)
{
	char command[4200], line[4096], text[16], prefix[16];
	unsigned long address;
	FILE *f;

	snprintf(command, sizeof(command), "LC_ALL=C objdump -dwz --no-show-raw-insn %s",
		 module_info(mod)->path);
	f = popen(command, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		*text = '\0';
		if (*line != ' ' || sscanf(line, " %lx: %15s %15s", &address, prefix, text) < 2)
			continue;
		assert_int_equal(
			alloc_grow(&listing->lines, &listing->capacity, listing->count + 1), 0);
		listing->lines[listing->count].address = address;
		/* "ret", "retq", "repz ret", "bnd ret" */
		listing->lines[listing->count++].returns = !strncmp(prefix, "ret", 3) ||
							   !strncmp(text, "ret", 3);
	}
	assert_int_equal(pclose(f), 0);
}

/* Where a function of @list's is compared with its lines. Returns whether it could be decoded. */
static bool compare_function(struct instructions *code, const struct function_entry *function,
			     const struct listing *listing)
{
	size_t line = sorted_count(listing->lines, listing->count, address, function->address - 1);
	struct function_returns returns;
	uint64_t offset, next = 0;
	bool begins, expected;
	int r;

	r = instructions_returns(code, function->address, function->size, &returns);
	if (r == -EILSEQ)
		return false;
	assert_int_equal(r, 0);
	for (offset = 0; offset < function->size; offset++) {
		assert_int_equal(instructions_begin_at(code, function->address, function->size,
						       offset, &begins), 0);
		expected = line < listing->count &&
			   listing->lines[line].address == function->address + offset;
		if (begins != expected)
			fail_msg("%s+%#lx: %d", function->name, offset, begins);
		if (!expected || !listing->lines[line++].returns)
			continue;
		/* A cold part's returns may come before, between or behind these. */
		while (next < returns.count && returns.offsets[next] < function->offset + offset)
			next++;
		if (next == returns.count || returns.offsets[next] != function->offset + offset)
			fail_msg("%s+%#lx returns", function->name, offset);
	}
	for (next = 0; next < returns.count; next++) {
		if (returns.offsets[next] - function->offset >= function->size)
			continue;
		offset = returns.offsets[next] - function->offset + function->address;
		line = sorted_count(listing->lines, listing->count, address, offset) - 1;
		assert_true(listing->lines[line].address == offset && listing->lines[line].returns);
	}
	free(returns.offsets);
	return true;
}

static void binary_row(void **state)
{
	const struct binary_case *c = *state;
	_cleanup_(module_putp) struct module *mod = program_module(c->path);
	_cleanup_(instructions_closep) struct instructions *code = NULL;
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	const struct function_entry *function;
	struct listing listing = { 0 };
	size_t i, compared = 0, refused = 0;
	uint64_t previous = 0;

	if (!mod && c->optional)
		skip();
	assert_non_null(mod);
	listing_read(&listing, mod);
	assert_int_equal(instructions_open(mod, &code), 0);
	assert_int_equal(function_list_read(mod, "*", 0, &list), 0);
	for (i = 0; i < function_list_count(list); i++) {
		function = function_list_at(list, i);
		if (!function->size || function->address == previous)
			continue;
		previous = function->address;
		if (compare_function(code, function, &listing))
			compared++;
		else
			refused++;
	}
	assert_true(compared >= c->functions);
	assert_int_equal(refused, 0);
	free(listing.lines);
}

/* ---- small functions ---- */

static const char source[] =
	"#define FUNCTION(name, body) __asm__(\".text\\n.globl \" name \"\\n.type \" name \", @function\\n\" \\\n"
	"	name \":\\n\" body \"\\n.size \" name \", .-\" name \"\\n\")\n"
	"FUNCTION(\"plain\", \"nop\\nret\");\n"
	"FUNCTION(\"twice\", \"test %edi,%edi\\njne 1f\\nret\\n1: repz ret\");\n"
	"FUNCTION(\"pops\", \"ret $8\");\n"
	"FUNCTION(\"calls\", \"call plain\\nret\");\n"
	"FUNCTION(\"tail\", \"test %edi,%edi\\njne plain\\nret\");\n"
	"FUNCTION(\"tail_only\", \"jmp plain\");\n"
	"FUNCTION(\"tail_indirect\", \"test %edi,%edi\\nje 1f\\njmp *%rax\\n1: ret\");\n"
	"FUNCTION(\"tail_in_table\", \"lea functions(%rip),%rdx\\njmp *(%rdx,%rdi,8)\\nret\");\n"
	"FUNCTION(\"loop_to_entry\", \"dec %edi\\njne loop_to_entry\\nret\");\n"
	"FUNCTION(\"loop_inside\", \"nop\\n1: dec %edi\\njne 1b\\nret\");\n"
	"FUNCTION(\"falls\", \"nop\\nje 1f\\nret\\n1: inc %eax\");\n"
	"FUNCTION(\"ends\", \"je 1f\\nret\\n1: ud2\");\n"
	"FUNCTION(\"ends_with_call\", \"je 1f\\nret\\n1: call abort@plt\");\n"
	"FUNCTION(\"padded\", \"ret\\nnop\\nint3\");\n"
	"FUNCTION(\"jumps_lock\", \"cmpl $0,(%rsi)\\nje 1f\\nlock\\n1: decl (%rdi)\\nret\");\n"
	"FUNCTION(\"jumps_astray\", \"jmp 1f+1\\n1: mov $0,%eax\\nret\");\n"
	"FUNCTION(\"has_data\", \"ret\\n.byte 0x06, 0x06\");\n"
	"FUNCTION(\"has_cold\", \"test %edi,%edi\\nje has_cold.cold\\n1: ret\");\n"
	"__asm__(\".section .text.unlikely\\n.type has_cold.cold, @function\\nhas_cold.cold:\\n\"\n"
	"	\"nop\\nnop\\nje has_cold.cold2\\nret\\nhas_cold.cold2: ud2\\n.size has_cold.cold, .-has_cold.cold\\n.text\");\n"
	"int plain(void);\n"
	"int (*const functions[])(void) = { plain, plain };\n"
	"__attribute__((noinline)) int choose(int x, int y)\n"
	"{\n"
	"	switch (x) {\n"
	"	case 1: return y * 3;\n"
	"	case 2: return y / 7;\n"
	"	case 3: return y - 10;\n"
	"	case 4: return y ^ 99;\n"
	"	case 5: return y << 3;\n"
	"	case 6: return y % 11;\n"
	"	case 7: return y | 1;\n"
	"	default: return 0;\n"
	"	}\n"
	"}\n"
	"void abort(void);\n"
	"int main(int argc, char **argv) { return choose(argc, argc); }\n";

static const struct function_case {
	const char *name;
	const char *function;
	int result;
	size_t returns;		/* SIZE_MAX: it is not said how many */
	bool leaves_by_jump, is_leaf;
} function_cases[] = {
	{ "a return is found", "plain", 0, 1, false, true },
	{ "each of several is, with any prefix", "twice", 0, 2, false, true },
	{ "one that pops arguments is", "pops", 0, 1, false, true },
	{ "what calls is no leaf", "calls", 0, 1, false, false },
	{ "a conditional tail call leaves", "tail", 0, 1, true, false },
	{ "so does an unconditional one", "tail_only", 0, 0, true, false },
	{ "so does one through a register", "tail_indirect", 0, 1, true, false },
	{ "so does one through a table of functions", "tail_in_table", 0, 1, true, false },
	{ "a loop to the first byte is no tail call", "loop_to_entry", 0, 1, false, true },
	{ "a loop to another does not", "loop_inside", 0, 1, false, true },
	{ "code that goes on behind the end leaves", "falls", 0, 1, true, false },
	{ "code that traps there does not", "ends", 0, 1, false, true },
	{ "nor does a call there", "ends_with_call", 0, 1, false, false },
	{ "padding is not code that goes on", "padded", 0, 1, false, true },
	{ "a jump behind a lock prefix is none into an instruction", "jumps_lock", 0, 1, false,
	  true },
	{ "a jump into an instruction is refused", "jumps_astray", -EILSEQ, 0, false, false },
	{ "data in the code is refused", "has_data", -EILSEQ, 0, false, false },
	{ "the returns of a cold part are found", "has_cold", 0, 2, false, true },
};

static const struct function_case switch_case = { "", "choose", 0, SIZE_MAX, false, true };

static const struct switch_row {
	const char *name;
	const char *compile;
} switch_rows[] = {
	{ "GCC's jump table is understood", "cc -O2" },
	{ "also with marks for the processor", "cc -O2 -fcf-protection=full" },
	{ "and one of addresses", "cc -O2 -fno-pie -no-pie" },
	{ "clang's is", "clang -O1" },
	{ "and its of addresses", "clang -O1 -fno-pie -no-pie" },
};

static void expect_function(const struct compiled_program *program, const struct function_case *c)
{
	_cleanup_(instructions_closep) struct instructions *code = NULL;
	struct module *mod = compiled_program_module(program, "program");
	struct function_returns returns;
	uint64_t address, size;
	uint8_t byte;
	size_t i;

	address = compiled_program_symbol(program, c->function, &size);
	assert_int_equal(instructions_open(mod, &code), 0);
	assert_int_equal(instructions_returns(code, address, size, &returns), c->result);
	if (c->result < 0) {
		module_put(mod);
		return;
	}
	if (c->returns != SIZE_MAX)
		assert_int_equal(returns.count, c->returns);
	assert_int_equal(returns.leaves_by_jump, c->leaves_by_jump);
	assert_int_equal(returns.is_leaf, c->is_leaf);
	for (i = 0; i < returns.count; i++) {
		assert_int_equal(module_read(mod, returns.offsets[i], &byte, 1), 0);
		assert_true(byte == 0xc3 || byte == 0xc2 || byte == 0xf3);
		assert_true(!i || returns.offsets[i - 1] < returns.offsets[i]);
	}
	free(returns.offsets);
	module_put(mod);
}

static struct compiled_program small;

static void function_row(void **state)
{
	expect_function(&small, *state);
}

static void switch_row(void **state)
{
	const struct switch_row *c = *state;
	struct compiled_program program;

	compiled_program_init(&program, c->compile, source);
	/* The test is of something only when there is a jump by a table. */
	assert_int_equal(compiled_program_run(&program,
					      "objdump -d --disassemble=choose program | "
					      "grep -q 'jmp.*\\*'"), 0);
	expect_function(&program, &switch_case);
	compiled_program_done(&program);
}

/* ---- stripped ---- */

/* What is found without symbols. Returns whether all returns are seen. */
static bool compare_stripped(struct instructions *code, struct instructions *stripped,
			     const struct function_entry *function)
{
	struct function_returns with, without;
	bool seen;

	assert_int_equal(instructions_returns(code, function->address, function->size, &with), 0);
	assert_int_equal(
		instructions_returns(stripped, function->address, function->size, &without), 0);
	seen = !without.leaves_by_jump;
	/* What does not return at all may be taken for a part of what jumps there. */
	if (seen && (with.count != without.count ||
		     (with.count && memcmp(with.offsets, without.offsets,
					   with.count * sizeof(*with.offsets)))))
		fail_msg("%s has other returns", function->name);
	free(with.offsets);
	free(without.offsets);
	return seen || with.leaves_by_jump;
}

/* The C library's own code has cold parts; without symbols they must be found by their jumps. */
static void test_stripped(void **state)
{
	_cleanup_(instructions_closep) struct instructions *code = NULL, *stripped = NULL;
	_cleanup_(function_list_freep) struct function_list *list = NULL, *cold = NULL;
	struct compiled_program program;
	struct module *mod, *other;
	size_t i, missed = 0;

	compiled_program_init(&program, "cc -static", "int main(void) { return 0; }");
	assert_int_equal(compiled_program_run(&program, "strip -o stripped program"), 0);
	mod = compiled_program_module(&program, "program");
	other = compiled_program_module(&program, "stripped");
	assert_int_equal(instructions_open(mod, &code), 0);
	assert_int_equal(instructions_open(other, &stripped), 0);
	assert_int_equal(function_list_read(mod, "*.cold", 0, &cold), 0);
	assert_int_equal(function_list_read(mod, "*", 0, &list), 0);
	assert_true(function_list_count(cold) > 10);
	for (i = 0; i < function_list_count(list); i++) {
		if (function_list_at(list, i)->size &&
		    !compare_stripped(code, stripped, function_list_at(list, i)))
			missed++;
	}
	printf("# %zu cold parts, %zu not understood without symbols\n", function_list_count(cold),
	       missed);
	assert_true(missed <= function_list_count(cold) / 4);
	compiled_program_done(&program);
	module_put(mod);
	module_put(other);
}

/* ---- where they begin ---- */

static void test_unknown_size(void **state)
{
	_cleanup_(instructions_closep) struct instructions *code = NULL;
	struct module *mod = compiled_program_module(&small, "program");
	uint64_t size, address = compiled_program_symbol(&small, "jumps_lock", &size);
	struct function_returns returns;
	bool known, unknown;
	uint64_t i;

	assert_int_equal(instructions_open(mod, &code), 0);
	for (i = 0; i < size; i++) {
		assert_int_equal(instructions_begin_at(code, address, size, i, &known), 0);
		assert_int_equal(instructions_begin_at(code, address, 0, i, &unknown), 0);
		assert_int_equal(known, unknown);
	}
	assert_int_equal(instructions_begin_at(code, address, size, size, &known), 0);
	assert_false(known);
	assert_int_equal(instructions_returns(code, address, 0, &returns), -ENOENT);
	module_put(mod);
}

static void test_nowhere(void **state)
{
	_cleanup_(instructions_closep) struct instructions *code = NULL;
	struct module *mod = compiled_program_module(&small, "program");
	struct function_returns returns;
	bool begins;

	assert_int_equal(instructions_open(mod, &code), 0);
	assert_int_equal(instructions_begin_at(code, 1ul << 40, 16, 0, &begins), -ENOENT);
	assert_int_equal(instructions_begin_at(code, 1ul << 40, 0, 0, &begins), -ENOENT);
	assert_int_equal(instructions_begin_at(code, UINT64_MAX - 7, 16, 0, &begins), -ENOENT);
	assert_int_equal(instructions_begin_at(code, 0, 0, UINT64_MAX, &begins), -EFBIG);
	assert_int_equal(instructions_returns(code, 0, UINT64_MAX, &returns), -EFBIG);
	module_put(mod);
}

/* ---- lack of memory ---- */

static uint64_t cold_address, cold_size;

static int read_returns(void *mod)
{
	struct instructions *code = NULL;
	struct function_returns returns;
	int r;

	r = instructions_open(mod, &code);
	if (r < 0)
		return r;
	r = instructions_returns(code, cold_address, cold_size, &returns);
	if (r == 0)
		free(returns.offsets);
	instructions_close(code);
	return r;
}

static void test_no_memory(void **state)
{
	struct module *mod = compiled_program_module(&small, "program");

	cold_address = compiled_program_symbol(&small, "has_cold", &cold_size);
	assert_true(fail_alloc_each(read_returns, mod) > 10);
	module_put(mod);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("cold parts are found without symbols, too", test_stripped),
		UNIT_TEST("a function of unknown size is decoded up to there", test_unknown_size),
		UNIT_TEST("what is not in the file is told", test_nowhere),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};
	int failed;

	compiled_program_init(&small, "cc -O2", source);
	failed = unit_run_rows("binary", binary_row, UNIT_ROWS(binary_cases)) +
		 unit_run_rows("function", function_row, UNIT_ROWS(function_cases)) +
		 unit_run_rows("switch", switch_row, UNIT_ROWS(switch_rows)) +
		 cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&small);
	return failed;
}
