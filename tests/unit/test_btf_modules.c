/* SPDX-License-Identifier: BSD-2-Clause */
/* Types of modules, which are made here: the kernel that runs the tests may have none. */
#include "tests/unit/unit.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/kernel_types/btf_types.h"
#include "tests/unit/fail_alloc.h"

enum { RDX = 1 };

struct fake_kernel {
	char folder[32];
};

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* As the kernel's are: the type has no names, and the function that calls what is attached has them. */
static void add_unnamed_event(struct btf *split, int own, const struct btf *base)
{
	int pointer = btf__add_ptr(split, own), data = btf__add_ptr(split, 0), prototype;
	int number = btf__find_by_name_kind(base, "int", BTF_KIND_INT);

	prototype = btf__add_func_proto(split, 0);
	for (int i = 0; i < 3; i++)
		btf__add_func_param(split, "", i ? i == 1 ? pointer : number : data);
	btf__add_typedef(split, "btf_trace_wick_unnamed", btf__add_ptr(split, prototype));
	btf__add_typedef(split, "btf_trace_wick_nameless", btf__add_ptr(split, prototype));
	prototype = btf__add_func_proto(split, number);
	btf__add_func_param(split, "__data", data);
	btf__add_func_param(split, "owner", pointer);
	btf__add_func_param(split, "times", number);
	btf__add_func(split, "__traceiter_wick_unnamed", BTF_FUNC_STATIC, prototype);
}

/* The types of this kernel, and two modules' on top of them, made by libbpf as the kernel shows them. */
static void fake_kernel_init(struct fake_kernel *fake)
{
	struct btf *base = btf__load_vmlinux_btf(), *split;
	int task, pointer, own, tagged, prototype, character;
	const void *bytes;
	uint32_t size;

	strcpy(fake->folder, "/tmp/wick-test-XXXXXX");
	assert_non_null(mkdtemp(fake->folder));
	bytes = btf__raw_data(base, &size);
	write_file(fake->folder, "vmlinux", bytes, size);

	split = btf__new_empty_split(base);
	task = btf__find_by_name_kind(base, "task_struct", BTF_KIND_STRUCT);
	character = btf__find_by_name_kind(base, "char", BTF_KIND_INT);
	pointer = btf__add_ptr(split, task);
	own = btf__add_struct(split, "wick_own", 16);
	btf__add_field(split, "number", btf__find_by_name_kind(base, "int", BTF_KIND_INT), 0, 0);
	btf__add_field(split, "task", pointer, 64, 0);
	tagged = btf__add_ptr(split, btf__add_type_tag(split, "user", character));
	pointer = btf__add_ptr(split, own);
	prototype = btf__add_func_proto(split, 0);
	btf__add_func_param(split, "own", pointer);
	btf__add_func_param(split, "text", tagged);
	btf__add_func_param(split, "task", btf__find_by_name_kind(base, "pid_t", BTF_KIND_TYPEDEF));
	btf__add_func(split, "wick_module_function", BTF_FUNC_STATIC, prototype);
	btf__add_typedef(split, "btf_trace_wick_event", btf__add_ptr(split, prototype));
	add_unnamed_event(split, own, base);
	bytes = btf__raw_data(split, &size);
	write_file(fake->folder, "wick_a", bytes, size);
	btf__free(split);

	split = btf__new_empty_split(base);
	pointer = btf__add_ptr(split, btf__add_fwd(split, "wick_own", BTF_FWD_STRUCT));
	prototype = btf__add_func_proto(split, 0);
	btf__add_func_param(split, "other", pointer);
	btf__add_func(split, "wick_other_function", BTF_FUNC_STATIC, prototype);
	bytes = btf__raw_data(split, &size);
	write_file(fake->folder, "wick_b", bytes, size);
	btf__free(split);
	btf__free(base);
	write_file(fake->folder, "wick_damaged", "no BTF", 6);
}

static void fake_kernel_done(struct fake_kernel *fake)
{
	char line[64];

	snprintf(line, sizeof(line), "rm -rf %s", fake->folder);
	assert_int_equal(system(line), 0);
}

static void test_module(void **state)
{
	const struct type_provider *provider;
	struct type_function function;
	struct type_member task, pid;
	struct type_info own, target;
	struct btf_types *types;
	struct fake_kernel fake;

	fake_kernel_init(&fake);
	assert_int_equal(btf_types_open_folder(fake.folder, &types), 0);
	provider = btf_types_provider(types);
	assert_int_equal(btf_types_function(types, "wick_module_function", &function), 0);
	assert_int_equal(function.argument_count, 3);
	assert_string_equal(function.arguments[0].type.name, "struct wick_own *");
	assert_string_equal(function.arguments[1].type.name, "char *");
	assert_true(function.arguments[1].type.is_user);
	assert_false(function.arguments[0].type.is_user);
	assert_string_equal(function.arguments[2].type.name, "pid_t");
	assert_int_equal(function.arguments[2].reg, RDX);
	assert_int_equal(provider->target(&function.arguments[1].type, &target), 0);
	assert_true(target.is_char);
	/* From a module's type into vmlinux's. */
	assert_int_equal(provider->target(&function.arguments[0].type, &own), 0);
	assert_int_equal(provider->member(&own, "task", &task), 0);
	assert_int_equal(task.offset, 8);
	assert_int_equal(provider->target(&task.type, &target), 0);
	assert_int_equal(provider->member(&target, "pid", &pid), 0);
	assert_string_equal(pid.type.name, "pid_t");
	/* From a module that only knows its name to the struct of another. */
	assert_int_equal(btf_types_function(types, "wick_other_function", &function), 0);
	assert_int_equal(provider->target(&function.arguments[0].type, &own), 0);
	assert_int_equal(own.bytes, 16);
	assert_int_equal(provider->member(&own, "number", &pid), 0);
	assert_string_equal(pid.type.name, "int");
	types = btf_types_close(types);
	fake_kernel_done(&fake);
}

static void test_module_list(void **state)
{
	struct type_function function;
	const char *module = NULL, *name;
	struct btf_types *types;
	struct fake_kernel fake;
	size_t position = 0;

	fake_kernel_init(&fake);
	assert_int_equal(btf_types_open_folder(fake.folder, &types), 0);
	name = btf_types_next(types, "wick_*", false, &position, &module);
	assert_string_equal(name, "wick_module_function");
	assert_string_equal(module, "wick_a");
	name = btf_types_next(types, "wick_*", false, &position, &module);
	assert_string_equal(name, "wick_other_function");
	assert_string_equal(module, "wick_b");
	assert_null(btf_types_next(types, "wick_*", false, &position, &module));
	position = 0;
	name = btf_types_next(types, "wick_*", true, &position, NULL);
	assert_string_equal(name, "wick_event");
	assert_int_equal(btf_types_raw_tracepoint(types, "wick_event", &function), 0);
	assert_int_equal(function.argument_count, 2);
	assert_string_equal(function.arguments[0].name, "text");
	types = btf_types_close(types);
	fake_kernel_done(&fake);
}

static void check_event(struct btf_types *types, const char *name, const char *first,
			const char *second)
{
	struct type_function function;

	assert_int_equal(btf_types_raw_tracepoint(types, name, &function), 0);
	assert_int_equal(function.argument_count, 2);
	assert_string_equal(function.arguments[0].name, first);
	assert_string_equal(function.arguments[0].type.name, "struct wick_own *");
	assert_string_equal(function.arguments[1].name, second);
	assert_string_equal(function.arguments[1].type.name, "int");
	assert_int_equal(function.result.type.kind, TYPE_VOID);
}

static void test_names(void **state)
{
	struct btf_types *types;
	struct fake_kernel fake;

	fake_kernel_init(&fake);
	assert_int_equal(btf_types_open_folder(fake.folder, &types), 0);
	check_event(types, "wick_unnamed", "owner", "times");
	check_event(types, "wick_nameless", "", "");
	types = btf_types_close(types);
	fake_kernel_done(&fake);
}

static void test_no_kernel(void **state)
{
	struct btf_types *types;
	struct fake_kernel fake;

	strcpy(fake.folder, "/tmp/wick-test-XXXXXX");
	assert_non_null(mkdtemp(fake.folder));
	assert_int_equal(btf_types_open_folder(fake.folder, &types), -ENOENT);
	write_file(fake.folder, "vmlinux", "no BTF", 6);
	assert_int_not_equal(btf_types_open_folder(fake.folder, &types), 0);
	fake_kernel_done(&fake);
}

static int use_all(void *arg)
{
	const struct fake_kernel *fake = arg;
	_cleanup_(btf_types_closep) struct btf_types *types = NULL;
	struct type_function function;
	struct type_info type, target;
	struct type_member member;
	int r;

	r = btf_types_open_folder(fake->folder, &types);
	if (r < 0)
		return r;
	r = btf_types_function(types, "wick_other_function", &function);
	if (r < 0)
		return r;
	r = btf_types_raw_tracepoint(types, "wick_event", &function);
	if (r < 0)
		return r;
	r = btf_types_raw_tracepoint(types, "wick_unnamed", &function);
	if (r < 0)
		return r;
	r = btf_types_provider(types)->by_name(types, "struct file_operations *", &type);
	if (r < 0)
		return r;
	r = type.provider->target(&type, &target);
	if (r < 0)
		return r;
	/* A pointer to a function, whose parameters are put together. */
	return type.provider->member(&target, "read", &member);
}

static void test_no_memory(void **state)
{
	struct fake_kernel fake;

	fake_kernel_init(&fake);
	assert_true(fail_alloc_each(use_all, &fake) > 20);
	fake_kernel_done(&fake);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a module's types are on top of the kernel's", test_module),
		UNIT_TEST("modules are listed behind the kernel", test_module_list),
		UNIT_TEST("a raw tracepoint's arguments have the names of the function that calls",
			  test_names),
		UNIT_TEST("a kernel without types is said", test_no_kernel),
		UNIT_TEST("every failed allocation is an error", test_no_memory),
	};

	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		fprintf(stderr, "this kernel has no BTF\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
