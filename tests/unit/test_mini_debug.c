/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by .gnu_debugdata, as distributions make it, and what is done when it is damaged. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "symbolizer/symbolizer.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"

static const char source[] = "volatile int sink;\n"
			     "static __attribute__((noinline)) void hidden(int x)\n"
			     "{\n"
			     "	sink = x;\n"
			     "}\n"
			     "__attribute__((noinline)) void visible(int x)\n"
			     "{\n"
			     "	hidden(x + 1);\n"
			     "	sink++;\n"
			     "}\n"
			     "int main(int argc, char **argv)\n"
			     "{\n"
			     "	visible(argc);\n"
			     "	return 0;\n"
			     "}\n";

#define COMPILE "cc -O2 -rdynamic"
/* The symbols of functions that .dynsym has not; "stripped" gets them when "mini.xz" is there. */
#define MINI "nm -D program --format=posix --defined-only | awk '{ print $1 }' | sort >dynamic && " \
	     "nm program --format=posix --defined-only | awk '$2 ~ /[Tt]/ { print $1 }' | sort >all && " \
	     "comm -13 dynamic all >keep && " \
	     "objcopy -S --remove-section .comment --keep-symbols=keep program mini && xz mini && " \
	     "cp program stripped && strip stripped && "
#define ADD " && objcopy --add-section .gnu_debugdata=mini.xz stripped"

static const struct mini_case {
	const char *name;
	const char *prepare;
	enum frame_origin origin;	/* of the name of hidden() */
} mini_cases[] = {
	{ "as distributions make it", MINI "true" ADD, FRAME_SYMTAB },
	{ "none", MINI "true", FRAME_FDE },
	{ "cut off", MINI "truncate -s -40 mini.xz" ADD, FRAME_FDE },
	{ "with damage inside", MINI "printf zzzz | dd of=mini.xz bs=1 seek=200 conv=notrunc" ADD,
	  FRAME_FDE },
	{ "no xz", MINI "cp all mini.xz" ADD, FRAME_FDE },
	{ "xz of no ELF file", MINI "xz -c all >mini.xz" ADD, FRAME_FDE },
	{ "empty", MINI ": >mini.xz" ADD, FRAME_FDE },
	{ "45 KB that unpack to 300 MB",
	  MINI "head -c 300M /dev/zero | xz -0 >mini.xz" ADD, FRAME_FDE },
};

static void mini_row(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	const struct mini_case *c = *state;
	struct compiled_program program;
	struct symbolizer_stats stats;
	uint64_t start, size;
	struct frame frame;
	struct module *mod;

	compiled_program_init(&program, COMPILE, source);
	assert_int_equal(compiled_program_run(&program, c->prepare), 0);
	mod = compiled_program_module(&program, "stripped");
	start = compiled_program_symbol(&program, "hidden", &size);
	assert_int_equal(symbolizer_lookup(sym, mod, start, &frame, 1), 1);
	assert_int_equal(frame.origin, c->origin);
	assert_int_equal(frame.start, start);
	if (c->origin == FRAME_SYMTAB)
		assert_string_equal(frame.function, "hidden");
	start = compiled_program_symbol(&program, "visible", &size);
	assert_int_equal(symbolizer_lookup(sym, mod, start + size - 1, &frame, 1), 1);
	assert_int_equal(frame.origin, FRAME_DYNSYM);
	assert_string_equal(frame.function, "visible");
	symbolizer_stats(sym, &stats);
	assert_true(stats.cache_bytes < 1 << 20);
	module_put(mod);
	compiled_program_done(&program);
}

struct request {
	struct module *mod;
	uint64_t address;
};

static int look_up(void *arg)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct request *request = arg;
	struct frame frame;
	int r;

	if (!sym)
		return -ENOMEM;
	r = symbolizer_lookup(sym, request->mod, request->address, &frame, 1);
	if (r >= 0)
		assert_int_equal(frame.origin, FRAME_SYMTAB);
	return r;
}

static void test_no_memory(void **state)
{
	struct compiled_program program;
	struct request request;
	uint64_t size;

	compiled_program_init(&program, COMPILE, source);
	assert_int_equal(compiled_program_run(&program, MINI "true" ADD), 0);
	request.mod = compiled_program_module(&program, "stripped");
	request.address = compiled_program_symbol(&program, "hidden", &size);
	assert_true(fail_alloc_each(look_up, &request) > 10);
	module_put(request.mod);
	compiled_program_done(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("mini", mini_row, UNIT_ROWS(mini_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
