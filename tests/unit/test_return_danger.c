/* SPDX-License-Identifier: BSD-2-Clause */
/* In which files a changed return address would end the program. */
#include "tests/unit/unit.h"

#include "symbolizer/code/instructions.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/program_module.h"

static const struct danger_case {
	const char *name;
	const char *compile;	/* or NULL, and a file */
	const char *text;	/* source or path */
	enum return_danger danger;
} danger_cases[] = {
	{ "plain C is safe", "cc -O2", "int main(void) { return 0; }", RETURN_SAFE },
	{ "so is C that registers what to do at its end", "cc -O2",
	  "#include <stdlib.h>\nvoid f(void) {}\nint main(void) { return atexit(f); }",
	  RETURN_SAFE },
	{ "C with a landing pad is not", "cc -O2 -fexceptions",
	  "volatile int s;\nvoid g(int *x) { s = 1; }\nvoid (*volatile h)(void);\n"
	  "int main(void) { int x __attribute__((cleanup(g))); h(); return 0; }",
	  RETURN_EXCEPTIONS },
	{ "C++ that catches is not", "c++ -O2",
	  "void f(); void (*h)() = f; void f() {}\n"
	  "int main() { try { h(); } catch (int) { return 1; } }",
	  RETURN_EXCEPTIONS },
	{ "C++ that throws is not", "c++ -O2",
	  "int main(int argc, char **argv) { if (argc > 1) throw 1; }", RETURN_EXCEPTIONS },
	{ "C++ that does neither is crossed", "c++ -O2",
	  "void f(void (*g)()) { g(); g(); }\nint main() {}", RETURN_EXCEPTIONS },
	{ "also without symbols, by its landing pads", "c++ -O2 -static -s",
	  "int main(int argc, char **argv) { if (argc > 1) throw 1; }", RETURN_EXCEPTIONS },
	{ "libc is crossed", NULL, "/lib/x86_64-linux-gnu/libc.so.6", RETURN_EXCEPTIONS },
	{ "libstdc++ is the thing itself", NULL, "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
	  RETURN_EXCEPTIONS },
	{ "zlib is safe", NULL, "/lib/x86_64-linux-gnu/libz.so.1", RETURN_SAFE },
	{ "Rust is crossed", NULL, "rust_work", RETURN_EXCEPTIONS },
	{ "Go is Go", NULL, "go_work", RETURN_GO },
	{ "also stripped", NULL, "go_work-stripped", RETURN_GO },
	{ "also position-independent", NULL, "go_work-pie", RETURN_GO },
	{ "also without section headers", NULL, "go_work-headless", RETURN_GO },
};

static void danger_row(void **state)
{
	const struct danger_case *c = *state;
	enum return_danger danger = RETURN_SAFE;
	struct compiled_program program;
	struct module *mod;

	if (c->compile)
		compiled_program_init(&program, c->compile, c->text);
	mod = c->compile ? compiled_program_module(&program, "program") : program_module(c->text);
	if (!mod)
		skip();
	assert_int_equal(instructions_return_danger(mod, &danger), 0);
	assert_int_equal(danger, c->danger);
	module_put(mod);
	if (c->compile)
		compiled_program_done(&program);
}

static void test_no_sections(void **state)
{
	enum return_danger danger = RETURN_SAFE;
	struct elf_image img;
	struct module *mod;

	elf_image_init(&img);
	elf_image_code(&img, true);
	elf_image_finish(&img, false);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(instructions_return_danger(mod, &danger), 0);
	assert_int_equal(danger, RETURN_EXCEPTIONS);
	module_put(mod);
}

static int read_danger(void *mod)
{
	enum return_danger danger;

	return instructions_return_danger(mod, &danger);
}

static void test_no_memory(void **state)
{
	struct module *mod = program_module("/lib/x86_64-linux-gnu/libz.so.1");

	assert_non_null(mod);
	assert_true(fail_alloc_each(read_danger, mod) > 1);
	module_put(mod);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("without section headers all is dangerous", test_no_sections),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("danger", danger_row, UNIT_ROWS(danger_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
