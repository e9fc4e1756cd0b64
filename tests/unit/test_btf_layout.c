/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running kernel's types. What they should be say bpftool, which writes them as C, and the C compiler,
 * which then agrees with every name, offset and bit that we tell, or does not.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/kernel_types/btf_types.h"
#include "tests/unit/compiled_program.h"

static struct btf_types *kernel;

static const char checked_head[] =
	"#include \"vmlinux.h\"\n"
	"#define offsetof(type, member) __builtin_offsetof(type, member)\n"
	"#define same(a, b) __builtin_types_compatible_p(a, b)\n"
	"static unsigned char room[1 << 16];\n"
	/* Just the bits from @shift on, at @offset, are set. */
	"static int bits_are(unsigned long offset, int shift, int count)\n"
	"{\n"
	"	unsigned long i, first = offset * 8 + shift;\n"
	"	for (i = 0; i < sizeof(room) * 8; i++)\n"
	"		if ((room[i / 8] >> i % 8 & 1) != (i >= first && i < first + count))\n"
	"			return 0;\n"
	"	return 1;\n"
	"}\n";

/* "type[3]" and "type (*)(int)" as the type that is meant: of a declaration the name is inside. */
static void write_type(FILE *f, const char *name)
{
	fprintf(f, "__typeof__(%s)", name);
}

static void write_member(FILE *f, const char *outer, const struct type_member *member,
			 FILE *main_part)
{
	if (member->bit_count) {
		fprintf(main_part,
			"	__builtin_memset(room, 0, sizeof(room));\n"
			"	((%s *)room)->%s = -1;\n"
			"	if (!bits_are(%lu, %d, %d)) return 1;\n",
			outer, member->name, (unsigned long)member->offset, member->bit_shift,
			member->bit_count);
		return;
	}
	fprintf(f, "_Static_assert(offsetof(%s, %s) == %lu, \"%s.%s\");\n", outer, member->name,
		(unsigned long)member->offset, outer, member->name);
	if (!*member->type.name || strstr(member->type.name, "{...}"))
		return;
	fprintf(f, "_Static_assert(same(__typeof__(((%s *)0)->%s), ", outer, member->name);
	write_type(f, member->type.name);
	fprintf(f, "), \"%s.%s is no %s\");\n", outer, member->name, member->type.name);
	if (member->type.kind != TYPE_FUNCTION && member->type.bytes)
		fprintf(f, "_Static_assert(sizeof(((%s *)0)->%s) == %lu, \"size of %s.%s\");\n",
			outer, member->name, (unsigned long)member->type.bytes, outer,
			member->name);
}

/* Returns how many members were written. */
static size_t write_struct(FILE *f, FILE *main_part, const char *name)
{
	const struct type_provider *provider = btf_types_provider(kernel);
	struct type_member member, again;
	struct type_info type;
	size_t i;

	assert_int_equal(provider->by_name(provider->context, name, &type), 0);
	assert_string_equal(type.name, name);
	fprintf(f, "_Static_assert(sizeof(%s) == %lu, \"%s\");\n", name, (unsigned long)type.bytes,
		name);
	for (i = 0; provider->member_at(&type, i, &member) == 0; i++) {
		assert_int_equal(provider->member(&type, member.name, &again), 0);
		assert_int_equal(again.offset, member.offset);
		assert_int_equal(again.bit_shift, member.bit_shift);
		write_member(f, name, &member, main_part);
	}
	assert_int_equal(provider->member_at(&type, i, &member), -ENOENT);
	return i;
}

static void write_tracepoint(FILE *f, const char *name)
{
	struct type_function function;
	size_t i;

	assert_int_equal(btf_types_raw_tracepoint(kernel, name, &function), 0);
	assert_int_equal(function.result.type.kind, TYPE_VOID);
	fprintf(f, "_Static_assert(same(btf_trace_%s, void (*)(void *", name);
	for (i = 0; i < function.argument_count; i++) {
		fprintf(f, ", ");
		write_type(f, function.arguments[i].type.name);
	}
	fprintf(f, ")), \"%s\");\n", name);
}

/* Run what was written to @source with vmlinux.h beside it. */
static void compile_and_run(const char *source)
{
	struct compiled_program program;
	FILE *log;
	char line[512];
	int r;

	compiled_program_init(&program, "cc", "int main(void) { return 0; }\n");
	snprintf(line, sizeof(line), "%s/checked.c", program.folder);
	log = fopen(line, "we");
	assert_non_null(log);
	fputs(source, log);
	assert_int_equal(fclose(log), 0);
	r = compiled_program_run(&program,
				 "bpftool btf dump file /sys/kernel/btf/vmlinux format c >vmlinux.h"
				 " && cc -w -fno-builtin -o checked checked.c && ./checked");
	if (r) {
		snprintf(line, sizeof(line), "head -c 3000 %s/log >&2", program.folder);
		assert_int_equal(system(line), 0);
	}
	compiled_program_done(&program);
	assert_int_equal(r, 0);
}

/*
 * Anonymous unions, bit fields, arrays of all kinds, pointers to functions: these have thousands of them. (Not struct
 * inode: bpftool does not say that an enum in it has one byte.)
 */
static void test_by_compiler(void **state)
{
	static const char *const structs[] = {
		"struct task_struct",
		"struct sk_buff",
		"struct net_device",
		"struct file",
		"struct page",
		"struct mm_struct",
		"struct vm_area_struct",
		"struct sock",
		"struct tcp_sock",
		"struct request",
		"struct dentry",
		"struct super_block",
		"struct qstr",
		"struct path",
		"struct signal_struct",
		"struct file_operations",
		"struct rq",
		"union bpf_attr",
		"struct iphdr",
		"struct tcphdr",
		"struct perf_event_attr",
		"struct cred",
	};
	char *head = NULL, *body = NULL;
	_cleanup_free_ char *whole = NULL;
	size_t size, i, members = 0, tracepoints = 0, position = 0;
	FILE *f = open_memstream(&head, &size), *main_part = open_memstream(&body, &size);
	const char *name, *module;

	fputs(checked_head, f);
	for (i = 0; i < ARRAY_SIZE(structs); i++)
		members += write_struct(f, main_part, structs[i]);
	while ((name = btf_types_next(kernel, NULL, true, &position, &module))) {
		/* Those of modules are not in this header. */
		if (module)
			continue;
		write_tracepoint(f, name);
		tracepoints++;
	}
	fclose(f);
	fclose(main_part);
	print_message("%zu members, %zu raw tracepoints\n", members, tracepoints);
	assert_true(members > 1000);
	assert_true(tracepoints > 200);
	assert_int_not_equal(
		asprintf(&whole, "%sint main(void)\n{\n%s	return 0;\n}\n", head, body), -1);
	free(head);
	free(body);
	compile_and_run(whole);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST(
			"the compiler agrees with the members of large structs and all raw tracepoints",
			test_by_compiler),
	};
	int r;

	if (btf_types_open(&kernel) < 0) {
		fprintf(stderr, "this kernel has no BTF\n");
		return 77;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	kernel = btf_types_close(kernel);
	return r;
}
