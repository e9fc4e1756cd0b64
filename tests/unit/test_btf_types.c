/* SPDX-License-Identifier: BSD-2-Clause */
/* The running kernel's functions, against what bpftool lists, and its types. */
#include "tests/unit/unit.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "profiler/kernel_types/btf_types.h"
#include "tests/unit/compiled_program.h"

/* DWARF numbers of registers. */
enum { RAX = 0, RDX = 1, RCX = 2, RSI = 4, RDI = 5, R8 = 8, R9 = 9 };

static struct btf_types *kernel;

static int teardown(void **state)
{
	kernel = btf_types_close(kernel);
	return 0;
}

/* ---- functions ---- */

#define NOWHERE (-1)
#define STACK(offset) (1000 + (offset))

static const struct function_case {
	const char *name, *function;
	const char *result;
	struct {
		const char *name, *type;
		int reg;
	} arguments[10];
} function_cases[] = {
	{ "arguments are in registers", "vfs_read", "ssize_t",
	  { { "file", "struct file *", RDI },
	    { "buf", "char *", RSI },
	    { "count", "size_t", RDX },
	    { "pos", "loff_t *", RCX } } },
	{ "a function may return nothing", "fput", "void", { { "file", "struct file *", RDI } } },
	{ "const is told",
	  "filp_open",
	  "struct file *",
	  { { "filename", "const char *", RDI },
	    { "flags", "int", RSI },
	    { "mode", "umode_t", RDX } } },
	{ "the seventh argument and those behind it are on the stack",
	  "do_mmap",
	  "unsigned long",
	  { { "file", "struct file *", RDI },
	    { "addr", "unsigned long", RSI },
	    { "len", "unsigned long", RDX },
	    { "prot", "unsigned long", RCX },
	    { "flags", "unsigned long", R8 },
	    { "vm_flags", "vm_flags_t", R9 },
	    { "pgoff", "unsigned long", STACK(8) },
	    { "populate", "unsigned long *", STACK(16) },
	    { "uf", "struct list_head *", STACK(24) } } },
	{ "a struct of two words takes two registers", "sock_setsockopt", "int",
	  { { "sock", "struct socket *", RDI },
	    { "level", "int", RSI },
	    { "optname", "int", RDX },
	    { "optval", "sockptr_t", RCX },
	    { "optlen", "unsigned int", R9 } } },
};

/* GCC's BTF says "long unsigned int". */
static bool same_type(const char *got, const char *expected)
{
	const struct type_provider *provider = btf_types_provider(kernel);
	struct type_info a, b;

	if (!strcmp(got, expected))
		return true;
	return provider->by_name(provider->context, got, &a) == 0 &&
	       provider->by_name(provider->context, expected, &b) == 0 && a.id == b.id;
}

static void assert_argument(const struct type_argument *argument, int reg)
{
	if (reg >= 1000) {
		assert_int_equal(argument->place, ARGUMENT_STACK);
		assert_int_equal(argument->stack_offset, reg - 1000);
	} else if (argument->type.kind == TYPE_STRUCT) {
		assert_int_equal(argument->place, ARGUMENT_PIECES);
		assert_int_equal(argument->pieces[0].reg, reg);
		assert_int_equal(argument->pieces[0].offset, 0);
	} else {
		assert_int_equal(argument->place, ARGUMENT_REGISTER);
		assert_int_equal(argument->reg, reg);
	}
}

static void function_row(void **state)
{
	const struct function_case *c = *state;
	struct type_function function;
	size_t i;

	assert_int_equal(btf_types_function(kernel, c->function, &function), 0);
	if (!same_type(function.result.type.name, c->result))
		fail_msg("the result is %s", function.result.type.name);
	for (i = 0; i < function.argument_count; i++) {
		assert_non_null(c->arguments[i].name);
		assert_string_equal(function.arguments[i].name, c->arguments[i].name);
		if (!same_type(function.arguments[i].type.name, c->arguments[i].type))
			fail_msg("%s is %s", c->arguments[i].name, function.arguments[i].type.name);
		assert_argument(&function.arguments[i], c->arguments[i].reg);
	}
	assert_null(c->arguments[i].name);
	assert_int_equal(function.result.place,
			 strcmp(c->result, "void") ? ARGUMENT_REGISTER : ARGUMENT_UNKNOWN);
}

/* In Linux 5.10 a few have none. */
static void test_raw_tracepoint(void **state)
{
	struct type_function function;
	size_t position = 0, all = 0, named = 0;
	const char *name;

	assert_int_equal(btf_types_raw_tracepoint(kernel, "sched_switch", &function), 0);
	assert_in_range(function.argument_count, 3, 4);
	assert_string_equal(function.arguments[0].name, "preempt");
	assert_true(function.arguments[0].type.is_bool);
	assert_string_equal(function.arguments[1].name, "prev");
	assert_string_equal(function.arguments[2].name, "next");
	assert_string_equal(function.arguments[2].type.name, "struct task_struct *");
	assert_int_equal(function.result.type.kind, TYPE_VOID);
	while ((name = btf_types_next(kernel, NULL, true, &position, NULL))) {
		assert_int_equal(btf_types_raw_tracepoint(kernel, name, &function), 0);
		all++;
		named += !function.argument_count || *function.arguments[0].name;
	}
	print_message("%zu of %zu raw tracepoints have names for their arguments\n", named, all);
	assert_true(all > 300 && named > all * 9 / 10);
}

static void test_pair(void **state)
{
	const struct type_argument *optval;
	struct type_function function;

	assert_int_equal(btf_types_function(kernel, "sock_setsockopt", &function), 0);
	optval = &function.arguments[3];
	assert_int_equal(optval->piece_count, 2);
	assert_int_equal(optval->pieces[1].reg, R8);
	assert_int_equal(optval->pieces[1].offset, 8);
	assert_int_equal(optval->pieces[1].bytes, optval->type.bytes - 8);
}

/* "[119848] FUNC 'vfs_read' type_id=79459", and its prototype in the same form. */
struct listed {
	char *line[2];	/* its own and the prototype's */
	size_t count;	/* of parameters */
	char *parameters[64];
};

static char **read_lines(struct compiled_program *program, size_t *ret_count)
{
	char path[96], *line = NULL, **lines = NULL;
	size_t size = 0, count = 0, capacity = 0;
	FILE *f;

	assert_int_equal(compiled_program_run(
				 program,
				 "bpftool btf dump file /sys/kernel/btf/vmlinux format raw >raw"),
			 0);
	snprintf(path, sizeof(path), "%s/raw", program->folder);
	f = fopen(path, "re");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		if (count == capacity) {
			capacity = capacity * 2 + 1024;
			lines = realloc(lines, capacity * sizeof(*lines));
			assert_non_null(lines);
		}
		lines[count++] = strdup(line);
	}
	free(line);
	fclose(f);
	*ret_count = count;
	return lines;
}

/* The line of each id; ids are below the number of lines. */
static char ***lines_by_id(char **lines, size_t count)
{
	char ***ids = calloc(count, sizeof(*ids));
	size_t i;

	assert_non_null(ids);
	for (i = 0; i < count; i++) {
		if (lines[i][0] == '[')
			ids[strtoul(lines[i] + 1, NULL, 10)] = &lines[i];
	}
	return ids;
}

static void assert_as_listed(const char *name, char **prototype)
{
	unsigned long count = strtoul(strstr(*prototype, "vlen=") + 5, NULL, 10), i;
	struct type_function function;
	char expected[128];

	assert_int_equal(btf_types_function(kernel, name, &function), 0);
	if (function.is_variadic)
		count--;
	assert_int_equal(function.argument_count,
			 count < TYPE_ARGUMENTS_MAX ? count : TYPE_ARGUMENTS_MAX);
	for (i = 0; i < function.argument_count; i++) {
		snprintf(expected, sizeof(expected), "\t'%s' type_id=",
			 *function.arguments[i].name ? function.arguments[i].name : "(anon)");
		assert_memory_equal(prototype[i + 1], expected, strlen(expected));
	}
}

/* Of those that have one name the first is meant. */
static void test_listed(void **state)
{
	struct compiled_program program;
	size_t count, i, position = 0, functions = 0, found = 0;
	char **lines, ***ids, name[256];
	const char *module;

	compiled_program_init(&program, "cc", "int main(void) { return 0; }\n");
	lines = read_lines(&program, &count);
	ids = lines_by_id(lines, count);
	for (i = 0; i < count; i++) {
		unsigned long prototype;

		if (sscanf(lines[i], "[%*u] FUNC '%255[^']' type_id=%lu", name, &prototype) != 2)
			continue;
		/* Names with a ".cold" or the like are some function's that was seen already. */
		if (functions++ % 100 == 0)
			assert_as_listed(name, ids[prototype]);
	}
	while (btf_types_next(kernel, NULL, false, &position, &module))
		found += !module;
	assert_int_equal(found, functions);
	assert_true(functions > 10000);
	for (i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
	free(ids);
	compiled_program_done(&program);
}

static void test_absent(void **state)
{
	const struct type_provider *provider = btf_types_provider(kernel);
	struct type_function function;
	struct type_info type;

	assert_int_equal(btf_types_function(kernel, "no_such_function", &function), -ENOENT);
	/* There is a struct of that name. */
	assert_int_equal(btf_types_function(kernel, "task_struct", &function), -ENOENT);
	assert_int_equal(btf_types_raw_tracepoint(kernel, "no_such", &function), -ENOENT);
	assert_int_equal(provider->by_name(provider->context, "struct no_such", &type), -ENOENT);
	assert_int_equal(provider->by_name(provider->context, "union task_struct", &type), -ENOENT);
	assert_int_equal(provider->by_name(provider->context, "enum task_struct", &type), -ENOENT);
}

/* ---- types ---- */

static void test_chain(void **state)
{
	/* arg1->f_path.dentry->d_name.name */
	const struct type_provider *provider = btf_types_provider(kernel);
	struct type_function function;
	struct type_member path, dentry, name, text;
	struct type_info file, target, letter;

	assert_int_equal(btf_types_function(kernel, "vfs_read", &function), 0);
	assert_int_equal(provider->target(&function.arguments[0].type, &file), 0);
	assert_string_equal(file.name, "struct file");
	assert_int_equal(provider->member(&file, "f_path", &path), 0);
	assert_int_equal(provider->member(&path.type, "dentry", &dentry), 0);
	assert_int_equal(dentry.type.kind, TYPE_POINTER);
	assert_int_equal(provider->target(&dentry.type, &target), 0);
	assert_int_equal(provider->member(&target, "d_name", &name), 0);
	assert_int_equal(provider->member(&name.type, "name", &text), 0);
	assert_string_equal(text.type.name, "const unsigned char *");
	assert_int_equal(provider->target(&text.type, &letter), 0);
	assert_int_equal(letter.kind, TYPE_INTEGER);
	assert_false(letter.is_char);
	assert_int_equal(provider->member(&target, "no_such", &name), -ENOENT);
	assert_int_equal(provider->target(&file, &target), -ENOENT);
}

static void test_kinds(void **state)
{
	const struct type_provider *provider = btf_types_provider(kernel);
	struct type_enumerator enumerator;
	struct type_info type, task;
	struct type_member comm;
	bool seen = false;
	size_t i;

	assert_int_equal(provider->by_name(provider->context, "struct task_struct", &task), 0);
	assert_int_equal(provider->member(&task, "comm", &comm), 0);
	assert_int_equal(comm.type.kind, TYPE_ARRAY);
	assert_int_equal(comm.type.count, 16);
	assert_int_equal(provider->target(&comm.type, &type), 0);
	assert_true(type.is_char);
	assert_int_equal(provider->by_name(provider->context, "bool", &type), 0);
	assert_true(type.is_bool);
	assert_int_equal(provider->by_name(provider->context, "unsigned long", &type), 0);
	assert_int_equal(type.bytes, 8);
	assert_false(type.is_signed);
	assert_int_equal(provider->by_name(provider->context, "const long", &type), 0);
	assert_true(type.is_signed);
	assert_int_equal(provider->by_name(provider->context, "enum pid_type", &type), 0);
	assert_int_equal(type.kind, TYPE_INTEGER);
	assert_true(type.is_enum);
	for (i = 0; provider->enumerator(&type, i, &enumerator) == 0; i++)
		seen |= !strcmp(enumerator.name, "PIDTYPE_TGID") && enumerator.value == 1;
	assert_true(seen);
	assert_int_equal(provider->enumerator(&task, 0, &enumerator), -ENOENT);
}

static void test_pointers(void **state)
{
	const struct type_provider *provider = btf_types_provider(kernel);
	struct type_info type, once, twice;

	assert_int_equal(provider->by_name(provider->context, "struct file **", &type), 0);
	assert_int_equal(type.kind, TYPE_POINTER);
	assert_string_equal(type.name, "struct file **");
	assert_int_equal(provider->target(&type, &once), 0);
	assert_string_equal(once.name, "struct file *");
	assert_int_equal(provider->target(&once, &twice), 0);
	assert_string_equal(twice.name, "struct file");
	assert_int_equal(twice.kind, TYPE_STRUCT);
	assert_int_equal(provider->by_name(provider->context, "void *", &type), 0);
	assert_int_equal(provider->target(&type, &once), 0);
	assert_int_equal(once.kind, TYPE_VOID);
}

static void test_globs(void **state)
{
	size_t position = 0, count = 0;
	const char *name;
	bool seen = false;

	while ((name = btf_types_next(kernel, "vfs_*", false, &position, NULL))) {
		assert_memory_equal(name, "vfs_", 4);
		seen |= !strcmp(name, "vfs_read");
		count++;
	}
	assert_true(seen && count > 20);
	assert_null(btf_types_next(kernel, "vfs_*", false, &position, NULL));
	position = 0;
	name = btf_types_next(kernel, "sched_switch", true, &position, NULL);
	assert_string_equal(name, "sched_switch");
	assert_null(btf_types_next(kernel, "sched_switch", true, &position, NULL));
}

static void test_attach_id(void **state)
{
	struct btf *btf = btf__load_vmlinux_btf();
	uint32_t id;
	int fd = -1;

	assert_non_null(btf);
	assert_int_equal(btf_types_attach_id(kernel, "vfs_read", &id, &fd), 0);
	assert_int_equal(fd, 0);
	assert_int_equal(id, btf__find_by_name_kind(btf, "vfs_read", BTF_KIND_FUNC));
	assert_int_equal(btf_types_attach_id(kernel, "no_such_function", &id, &fd), -ENOENT);
	btf__free(btf);
}

/* Opened, indexed and listed; the limit is far from what it takes, also on a busy machine. */
static void test_fast(void **state)
{
	struct btf_types *types;
	struct timespec start, end;
	size_t position = 0, count = 0;
	double ms;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	assert_int_equal(btf_types_open(&types), 0);
	while (btf_types_next(types, "*", false, &position, NULL))
		count++;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	ms = (double)(end.tv_sec - start.tv_sec) * 1e3 +
	     (double)(end.tv_nsec - start.tv_nsec) / 1e6;
	print_message("%zu functions listed in %.1f ms\n", count, ms);
	assert_true(ms < 100);
	types = btf_types_close(types);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a struct of two words is in two pieces", test_pair),
		UNIT_TEST("arguments of raw tracepoints have their names", test_raw_tracepoint),
		UNIT_TEST("functions and their parameters are those that bpftool lists",
			  test_listed),
		UNIT_TEST("what is not there is not found", test_absent),
		UNIT_TEST("a chain of members and pointers is followed", test_chain),
		UNIT_TEST("arrays, bool, integers and enums are told apart", test_kinds),
		UNIT_TEST("a type is found with stars behind it", test_pointers),
		UNIT_TEST("globs choose functions and raw tracepoints", test_globs),
		UNIT_TEST("the id for fentry is libbpf's", test_attach_id),
		UNIT_TEST("all functions are listed in less than 100 ms", test_fast),
	};

	if (btf_types_open(&kernel) < 0) {
		fprintf(stderr, "this kernel has no BTF\n");
		return 77;
	}
	return unit_run_rows("function", function_row, UNIT_ROWS(function_cases)) +
	       cmocka_run_group_tests(tests, NULL, teardown);
}
