/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions' arguments as text, and types, of programs compiled here. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "tests/unit/typed_program.h"

static const char *const registers[] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
					 "r8",	"r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

/* "int x in rdi" */
static void describe(const struct type_argument *argument, struct strbuf *ret)
{
	size_t i;

	strbuf_printf(ret, "%s%s%s", argument->type.name, *argument->name ? " " : "",
		      argument->name);
	switch (argument->place) {
	case ARGUMENT_REGISTER:
		strbuf_printf(ret, " in %s", registers[argument->reg]);
		break;
	case ARGUMENT_STACK:
		strbuf_printf(ret, " at rsp+%ld", (long)argument->stack_offset);
		break;
	case ARGUMENT_PIECES:
		for (i = 0; i < argument->piece_count; i++)
			strbuf_printf(ret, " %d in %s", argument->pieces[i].offset,
				      registers[argument->pieces[i].reg]);
		break;
	default:
		strbuf_printf(ret, ": %s", argument->refusal);
		break;
	}
}

static char *describe_function(const struct type_function *function)
{
	struct strbuf text = STRBUF_INIT;
	size_t i;

	describe(&function->result, &text);
	for (i = 0; i < function->argument_count; i++) {
		strbuf_add_text(&text, "; ");
		describe(&function->arguments[i], &text);
	}
	if (function->is_variadic)
		strbuf_add_text(&text, "; ...");
	return strbuf_take(&text);
}

/* ---- functions ---- */

#define KEEP "__attribute__((noinline)) "
#define BODY(line) " { __asm__ volatile(\"# " #line "\" ::: \"memory\"); return sink; }\n"

static const char c_source[] =
	"volatile int sink;\n"
	"struct pair { long a, b; }; struct empty { }; struct three { long a, b, c; };\n"
	"union word { int i; float f; }; struct floats { float a, b; };\n"
	"typedef int (*callback)(void *, const char *);\n"
	"typedef int vector __attribute__((vector_size(16)));\n" KEEP
	"int plain(const char *text, unsigned long n, callback f, int (*g)(int), char **v)" BODY(1)
		KEEP
	"int by_value(struct pair p, struct empty e, union word w, struct floats f, struct three t)" BODY(
		2) KEEP
	"int floats(double d, float _Complex c, long double l, vector v, int last)" BODY(3) KEEP
	"struct three hidden(int x) { return (struct three){ x, sink, 0 }; }\n" KEEP
	"int variadic(const char *format, ...)" BODY(4) KEEP
	"double returns_float(int m[2][3]) { return m[0][1] + sink; }\n" KEEP
	"struct pair returns_pair(void) { return (struct pair){ sink, 0 }; }\n"
	"static " KEEP "int copied(int a, int k, int b) { sink = a; return a * k + b; }\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	struct pair p = { 0 }; struct empty e; union word w = { 0 }; struct floats f = { 0 };\n"
	"	struct three t = { 0 }; vector v = { 0 }; int m[2][3] = { 0 };\n"
	"	plain(0, 0, 0, 0, 0); by_value(p, e, w, f, t); floats(0, 0, 0, v, 0); hidden(0);\n"
	"	variadic(0, 1); returns_float(m); returns_pair();\n"
	"	return copied(argc, 5, argc + 3) + copied(argc + 1, 5, argc);\n"
	"}\n";

static const struct function_case {
	const char *name, *symbol, *text;
} function_cases[] = {
	{ "pointers of all kinds", "plain",
	  "int in rax; const char *text in rdi; L n in rsi; callback f in rdx; "
	  "int (*)(int) g in rcx; char **v in r8" },
	{ "structs by value", "by_value",
	  "int in rax; struct pair p 0 in rdi 8 in rsi; struct empty e: it is empty; "
	  "union word w 0 in rdx; struct floats f: floating point is not read; "
	  "struct three t at rsp+8" },
	{ "floating point is refused", "floats",
	  "int in rax; double d: floating point is not read; "
	  "C c: floating point is not read; long double l: floating point is not read; "
	  "vector v: floating point is not read; int last in rdi" },
	{ "a result in memory shifts the arguments", "hidden",
	  "struct three in rax; int x in rsi" },
	{ "variable arguments are told", "variadic", "int in rax; const char *format in rdi; ..." },
	{ "an array is its address", "returns_float",
	  "double: floating point is not read; int (*)[3] m in rdi" },
	{ "a result of two words", "returns_pair", "struct pair 0 in rax 8 in rdx" },
};

/* What GCC and Clang spell differently. */
static char *same_spelling(char *text)
{
	static const char *const words[][2] = {
		{ "long unsigned int", "L" }, { "unsigned long", "L" }, { "complex float", "C" },
		{ "complex", "C" },
	};
	char *at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		at = strstr(text, words[i][0]);
		if (!at)
			continue;
		memcpy(at, words[i][1], strlen(words[i][1]));
		memmove(at + strlen(words[i][1]), at + strlen(words[i][0]),
			strlen(at + strlen(words[i][0])) + 1);
	}
	/* "char **v" is "char **" and "v". */
	while ((at = strstr(text, "* ")))
		memmove(at + 1, at + 2, strlen(at + 2) + 1);
	return text;
}

static struct typed_program subjects[4];

static void function_row(void **state)
{
	const struct function_case *c = *state;
	struct type_function function;
	char *text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(subjects); i++) {
		typed_program_function(&subjects[i], c->symbol, &function);
		text = same_spelling(describe_function(&function));
		assert_string_equal(text, c->text);
		free(text);
	}
}

/* The copy of a function that has a constant in it lacks that argument, and the next moves up. */
static void test_copied(void **state)
{
	struct type_function function;
	struct typed_program subject;
	char *text;

	typed_program_init(&subject, "gcc -O2 -g", c_source);
	typed_program_function(&subject, "copied.constprop.0", &function);
	text = describe_function(&function);
	assert_string_equal(text, "int in rax; int a in rdi; int k: the compiler has left it out; "
				  "int b in rsi");
	free(text);
	typed_program_done(&subject);
}

/* ---- files ---- */

static const char small_source[] =
	"volatile int sink;\n"
	"struct s { int a; };\n"
	"__attribute__((noinline)) int take(struct s *s, int n) { return sink; }\n"
	"int main(void) { return take(0, 1); }\n";

/* As distributions do: by .gnu_debuglink, beside the file. */
static void test_separate(void **state)
{
	struct compiled_program program;
	struct type_function function;
	struct dwarf_types *types;
	struct module *mod;
	uint64_t size, address;

	compiled_program_init(&program, "cc -O2 -g", small_source);
	address = compiled_program_symbol(&program, "take", &size);
	assert_int_equal(compiled_program_run(
				 &program,
				 "objcopy --only-keep-debug program program.debug && "
				 "objcopy --strip-debug --add-gnu-debuglink=program.debug program"),
			 0);
	mod = compiled_program_module(&program, "program");
	assert_int_equal(dwarf_types_open(mod, &types), 0);
	assert_int_equal(dwarf_types_function(types, address, &function), 0);
	assert_int_equal(function.argument_count, 2);
	assert_string_equal(function.arguments[0].type.name, "struct s *");
	types = dwarf_types_close(types);
	module_put(mod);
	compiled_program_done(&program);
}

static void test_none(void **state)
{
	struct compiled_program program;
	struct dwarf_types *types;
	struct module *mod;

	compiled_program_init(&program, "cc -O2", small_source);
	mod = compiled_program_module(&program, "program");
	assert_int_equal(dwarf_types_open(mod, &types), -ENOENT);
	module_put(mod);
	compiled_program_done(&program);
}

/* That of an assembler names functions, as if they had no arguments. */
static void test_assembler(void **state)
{
	struct typed_program assembled;
	struct type_function function;
	uint64_t address, size;

	typed_program_init(&assembled, "cc -g -x assembler",
			   ".globl main\n.type main, @function\n"
			   "main:\n\txor %eax, %eax\n\tret\n.size main, .-main\n");
	address = compiled_program_symbol(&assembled.program, "main", &size);
	assert_int_equal(dwarf_types_function(assembled.types, address, &function), -ENOENT);
	typed_program_done(&assembled);
}

int main(void)
{
	static const char *const commands[ARRAY_SIZE(subjects)] = { "gcc -O0 -g", "gcc -O2 -g",
								    "clang -O0 -g",
								    "clang -O2 -g" };
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("of assembly arguments are not known", test_assembler),
		UNIT_TEST("a copy made with a constant lacks that argument", test_copied),
		UNIT_TEST("debug information is found in a separate file", test_separate),
		UNIT_TEST("a file without is said", test_none),
	};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(subjects); i++)
		typed_program_init(&subjects[i], commands[i], c_source);
	r = unit_run_rows("function", function_row, UNIT_ROWS(function_cases));
	for (i = 0; i < ARRAY_SIZE(subjects); i++)
		typed_program_done(&subjects[i]);
	return r +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
