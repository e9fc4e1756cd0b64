/* SPDX-License-Identifier: BSD-2-Clause */
/* Where separate debug files are looked for, and which are believed. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/elf/debug_files.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"

static const char source[] = "volatile int sink;\n"
			     "static __attribute__((noinline)) void hidden(int x)\n"
			     "{\n"
			     "	sink = x;\n"
			     "}\n"
			     "int main(int argc, char **argv)\n"
			     "{\n"
			     "	hidden(argc);\n"
			     "	return 0;\n"
			     "}\n";

/* "stripped" is the program without, "debug" the file with its debug information. */
#define SEPARATE "objcopy --only-keep-debug program debug && cp program stripped && " \
		 "strip stripped && "
#define LINK "objcopy --add-gnu-debuglink=debug stripped && "
#define ID "id=$(readelf -n program | sed -n 's/.*Build ID: //p') && " \
	   "d=root/.build-id/$(echo $id | cut -c1-2) && mkdir -p $d && " \
	   "f=$d/$(echo $id | cut -c3-).debug && "
#define WITHOUT_ID "cc -O2 -g -Wl,--build-id=none"

static const struct place_case {
	const char *name;
	const char *compile;
	const char *prepare;
	const char *module;	/* that is asked about */
	const char *found;	/* the end of the path of the file found; NULL: none */
} place_cases[] = {
	{ "in the file itself", "cc -O2 -g", "true", "program", "/program" },
	{ "nowhere", "cc -O2", "cp program stripped && strip stripped", "stripped", NULL },
	{ "beside the file", "cc -O2 -g", SEPARATE LINK "true", "stripped", "/debug" },
	{ "in .debug", "cc -O2 -g", SEPARATE LINK "mkdir .debug && mv debug .debug/", "stripped",
	  "/.debug/debug" },
	{ "in the folder of debug files", "cc -O2 -g",
	  SEPARATE LINK "mkdir -p root$PWD && mv debug root$PWD/", "stripped", "/debug" },
	{ "by build ID", "cc -O2 -g", SEPARATE ID "mv debug $f", "stripped", ".debug" },
	{ "by build ID, but it is another's", "cc -O2 -g",
	  SEPARATE ID "cc -g source.c -o $f", "stripped", NULL },
	{ "by build ID, but it has nothing", "cc -O2 -g", SEPARATE ID "cp stripped $f", "stripped",
	  NULL },
	{ "by build ID, but it is a pipe", "cc -O2 -g", SEPARATE ID "mkfifo $f", "stripped",
	  NULL },
	{ "by build ID, symbols only", "cc -O2", SEPARATE ID "mv debug $f", "stripped", ".debug" },
	{ "by name, but it is another's", "cc -O2 -g",
	  SEPARATE LINK "cc -g source.c -o debug", "stripped", NULL },
	{ "by name and CRC", WITHOUT_ID, SEPARATE LINK "true", "stripped", "/debug" },
	{ "by name, but with another CRC", WITHOUT_ID, SEPARATE LINK "echo >>debug", "stripped",
	  NULL },
	{ "by a link that is damaged", "cc -O2 -g",
	  SEPARATE "printf abc >x && objcopy --add-section .gnu_debuglink=x stripped", "stripped",
	  NULL },
	{ "by a link that leads elsewhere", WITHOUT_ID,
	  SEPARATE "printf '../../debug\\0aaaaaaaa' >x && "
		   "objcopy --add-section .gnu_debuglink=x stripped", "stripped", NULL },
};

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

static void place_row(void **state)
{
	const struct place_case *c = *state;
	struct compiled_program program;
	struct module *mod, *found = NULL;
	char root[64];
	int r;

	compiled_program_init(&program, c->compile, source);
	assert_int_equal(compiled_program_run(&program, c->prepare), 0);
	mod = compiled_program_module(&program, c->module);
	snprintf(root, sizeof(root), "%s/root", program.folder);
	r = debug_files_find(mod, root, &found);
	if (c->found) {
		assert_int_equal(r, 0);
		assert_true(ends_with(module_info(found)->path, c->found));
	} else {
		assert_true(r == -ENOENT || r == -EBADMSG);
		assert_null(found);
	}
	module_put(found);
	module_put(mod);
	compiled_program_done(&program);
}

/* ---- below another root, which is the program's folder, so that /root is where it was ---- */

static const struct root_case {
	const char *name;
	const char *prepare;
	bool found;
} root_cases[] = {
	{ "by build ID", "true", true },
	{ "by build ID and a link inside", "mv root real && ln -s /real root", true },
	{ "by build ID and a link that leads out", "mv root real && ln -s $PWD/real root", false },
	{ "by build ID, but it is a pipe", "rm -r root && mkfifo root", false },
};

static void root_row(void **state)
{
	const struct root_case *c = *state;
	struct compiled_program program;
	struct module *mod, *found = NULL;
	int r;

	compiled_program_init(&program, "cc -O2 -g", source);
	assert_int_equal(compiled_program_run(&program, SEPARATE ID "mv debug $f"), 0);
	assert_int_equal(compiled_program_run(&program, c->prepare), 0);
	mod = compiled_program_module(&program, "stripped");
	assert_int_equal(debug_files_find(mod, "/root", &found), -ENOENT);
	module_set_root(mod, open(program.folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
	r = debug_files_find(mod, "/root", &found);
	assert_int_equal(r, c->found ? 0 : -ENOENT);
	if (c->found)
		assert_true(module_root(found) >= 0);
	module_put(found);
	module_put(mod);
	compiled_program_done(&program);
}

/* Through the symbolizer: a stripped program with its debug file beside it. */
static void test_stripped(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct compiled_program program;
	struct frame frame;
	struct module *mod;
	uint64_t start, size;

	compiled_program_init(&program, "cc -O2 -g", source);
	assert_int_equal(compiled_program_run(&program, SEPARATE LINK "true"), 0);
	start = compiled_program_symbol(&program, "hidden", &size);
	mod = compiled_program_module(&program, "stripped");
	assert_int_equal(symbolizer_lookup(sym, mod, start, &frame, 1), 1);
	assert_string_equal(frame.function, "hidden");
	assert_int_equal(frame.origin, FRAME_DWARF);
	assert_int_equal(frame.line, 4);
	/* What has no debug information has at least a symbol there. */
	start = compiled_program_symbol(&program, "_start", &size);
	assert_int_equal(symbolizer_lookup(sym, mod, start, &frame, 1), 1);
	assert_string_equal(frame.function, "_start");
	assert_int_equal(frame.origin, FRAME_SYMTAB);
	module_put(mod);
	compiled_program_done(&program);
}

static int find_it(void *arg)
{
	struct module *found = NULL;
	int r;

	r = debug_files_find(arg, "/nowhere", &found);
	module_put(found);
	return r;
}

static void test_no_memory(void **state)
{
	struct compiled_program program;
	struct module *mod;

	compiled_program_init(&program, WITHOUT_ID, source);
	assert_int_equal(compiled_program_run(&program, SEPARATE LINK "true"), 0);
	mod = compiled_program_module(&program, "stripped");
	assert_true(fail_alloc_each(find_it, mod) > 4);
	module_put(mod);
	compiled_program_done(&program);
}

/* ---- what dwz moved away ---- */

static const struct alternate_case {
	const char *name;
	const char *link;	/* of a shell that knows $id of the file "other" */
	int expected;
} alternate_cases[] = {
	{ "no link", "cp program main", -ENODATA },
	{ "a relative link",
	  "{ printf 'other\\0'; echo $id | sed 's/../\\\\\\\\x&/g' | xargs printf; } >x", 0 },
	{ "a link with another build ID", "printf 'other\\0aaaaaaaaaaaaaaaaaaaa' >x", -ENOENT },
	{ "a link without a build ID", "printf 'other\\0' >x", -EBADMSG },
	{ "a link that does not end", "printf other >x", -EBADMSG },
};

static void alternate_row(void **state)
{
	const struct alternate_case *c = *state;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct module *mod, *found = NULL;
	struct compiled_program program;
	char command[512];

	compiled_program_init(&program, "cc -O2 -g", source);
	snprintf(command, sizeof(command),
		 "cp program other && id=$(readelf -n other | sed -n 's/.*Build ID: //p') && "
		 "%s && { [ ! -e x ] || objcopy --add-section .gnu_debugaltlink=x program main; }",
		 c->link);
	assert_int_equal(compiled_program_run(&program, command), 0);
	mod = compiled_program_module(&program, "main");
	assert_int_equal(module_open(mod, &elf), 0);
	assert_int_equal(debug_files_find_alternate(mod, elf, "/nowhere", &found), c->expected);
	assert_int_equal(found != NULL, !c->expected);
	module_put(found);
	module_put(mod);
	compiled_program_done(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a stripped program is named by its debug file", test_stripped),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("place", place_row, UNIT_ROWS(place_cases)) +
	       unit_run_rows("root", root_row, UNIT_ROWS(root_cases)) +
	       unit_run_rows("alternate", alternate_row, UNIT_ROWS(alternate_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
