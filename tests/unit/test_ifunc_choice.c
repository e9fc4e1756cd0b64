/* SPDX-License-Identifier: BSD-2-Clause */
/* What is called in place of an IFUNC, against what the dynamic linker says of libraries loaded here. */
#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/probes/ifunc_choice.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"

static const char source[] =
	"long pick_fast(long i) { return i + 1; }\n"
	"long pick_slow(long i) { return i + 2; }\n"
	"static void *choose(void) { return pick_fast; }\n"
	"long pick(long i) __attribute__((ifunc(\"choose\")));\n"
	"#ifdef USES\n"
	"long use(long i) { return pick(i); }\n"
	"#endif\n";

static const struct choice_case {
	const char *name;
	const char *flags;		/* of the library with the IFUNC */
	const char *user;		/* of one that calls it; NULL: there is none */
	int mode;
	int result;
} choice_cases[] = {
	{ "by its own slot", "-DUSES", NULL, RTLD_NOW, 0 },
	{ "by a slot that only its resolver fills", "-DUSES -Wl,-Bsymbolic", NULL, RTLD_NOW, 0 },
	{ "by the slot of who calls it", "", "-Wl,-z,now", RTLD_NOW, 0 },
	{ "not before it is called for the first time", "", "-Wl,-z,lazy", RTLD_LAZY, -ENOENT },
	{ "not before its own slot is filled", "-DUSES -Wl,-z,lazy", NULL, RTLD_LAZY, -ENOENT },
	{ "not when nobody calls it", "", NULL, RTLD_NOW, -ENOENT },
};

static struct compiled_program program;
static const struct probe_targets nobody;

static void compile(const char *format, const char *flags)
{
	char command[256];

	snprintf(command, sizeof(command), format, flags);
	assert_int_equal(compiled_program_run(&program, command), 0);
}

/* Of another name each time: the dynamic linker loads each once. */
static void *load(const char *name, int mode)
{
	static int count;
	char command[160], path[96];
	void *library;

	snprintf(command, sizeof(command), "cp %s %d-%s", name, count, name);
	assert_int_equal(compiled_program_run(&program, command), 0);
	snprintf(path, sizeof(path), "%s/%d-%s", program.folder, count++, name);
	library = dlopen(path, mode | RTLD_GLOBAL);
	if (!library)
		fail_msg("%s", dlerror());
	return library;
}

/* The IFUNC of the library that @function is in. */
static struct function_list *read_ifunc(const void *function, struct probe_files *files)
{
	struct function_list *list = NULL;
	struct error err;
	Dl_info info;

	assert_true(dladdr(function, &info));
	assert_int_equal(probe_files_find(info.dli_fname, &nobody, files, &err), 0);
	assert_int_equal(function_list_read(files->modules[0], "pick", 0, &list), 0);
	assert_true(function_list_at(list, 0)->is_ifunc);
	return list;
}

static void test_choice(void **state)
{
	const struct choice_case *c = *state;
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	struct probe_files files = { 0 };
	void *library, *user = NULL;
	struct function_entry choice;
	Dl_info info;

	compile("cc -O1 -shared -fPIC -o lib.so source.c %s", c->flags);
	if (c->user)
		compile("echo 'long pick(long); long use(long i) { return pick(i); }' >user.c && "
			"cc -O1 -shared -fPIC -o user.so user.c %s",
			c->user);
	library = load("lib.so", c->mode);
	if (c->user)
		user = load("user.so", c->mode);
	list = read_ifunc(dlsym(library, "pick_fast"), &files);
	assert_int_equal(ifunc_choice_read(files.modules[0], function_list_at(list, 0), &nobody,
					   &choice),
			 c->result);
	if (!c->result) {
		assert_true(dladdr(dlsym(library, "pick_fast"), &info));
		assert_int_equal(choice.address, (uint64_t)((char *)info.dli_saddr -
							    (char *)info.dli_fbase));
		assert_string_equal(choice.name, "pick");
		assert_true(choice.size > 0);
		assert_false(choice.is_ifunc);
	}
	if (user)
		dlclose(user);
	dlclose(library);
	probe_files_done(&files);
}

/* The C library's own, also where a sanitizer has another one before it. */
static void test_c_library(void **state)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	void *library = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), *length;
	const pid_t self = getpid();
	const struct probe_targets target = { .pids = &self, .pid_count = 1 };
	struct probe_files files = { 0 };
	struct function_entry choice;
	struct error err;
	Dl_info info;

	assert_non_null(library);
	length = dlsym(library, "strlen");
	assert_true(dladdr(length, &info));
	assert_int_equal(probe_files_find(info.dli_fname, &nobody, &files, &err), 0);
	assert_int_equal(function_list_read(files.modules[0], "strlen", 0, &list), 0);
	assert_true(function_list_at(list, 0)->is_ifunc);
	assert_int_equal(ifunc_choice_read(files.modules[0], function_list_at(list, 0), &target,
					   &choice),
			 0);
	assert_int_equal(choice.address, (uint64_t)((char *)length - (char *)info.dli_fbase));
	assert_true(choice.size > 0);
	dlclose(library);
	probe_files_done(&files);
}

struct question {
	struct module *mod;
	const struct function_entry *ifunc;
};

static int ask(void *arg)
{
	const struct question *question = arg;
	struct function_entry choice;

	return ifunc_choice_read(question->mod, question->ifunc, &nobody, &choice);
}

static void test_no_memory(void **state)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	struct probe_files files = { 0 };
	struct question question;
	void *library, *user;

	compile("cc -O1 -shared -fPIC -o lib.so source.c %s", "");
	compile("cc -O1 -shared -fPIC -o user.so user.c %s", "-Wl,-z,now");
	library = load("lib.so", RTLD_NOW);
	user = load("user.so", RTLD_NOW);
	list = read_ifunc(dlsym(library, "pick_fast"), &files);
	question = (struct question){ files.modules[0], function_list_at(list, 0) };
	assert_true(fail_alloc_each(ask, &question) > 0);
	dlclose(user);
	dlclose(library);
	probe_files_done(&files);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("the C library's strlen is what is called here", test_c_library),
		UNIT_TEST("every failed allocation is an error", test_no_memory),
	};
	int r;

	if (access("/proc/self/map_files", R_OK) || geteuid()) {
		print_message("what is mapped can be read by root only\n");
		return 77;
	}
	compiled_program_init(&program, "cc -shared -fPIC", source);
	r = unit_run_rows("IFUNC is known", test_choice, UNIT_ROWS(choice_cases)) +
	    cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&program);
	return r;
}
