/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions by name, of small programs that are compiled here, of Go's and Rust's. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "symbolizer/code/function_list.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/program_module.h"

#define BIG_LIBRARY "/usr/lib/x86_64-linux-gnu/libLLVM-14.so.1"
/* More than it takes, and less than it took without the shortcut for plain names. */
#define BIG_LIBRARY_NS 1000000000ull

static const char source[] =
	"namespace shop {\n"
	"struct Till {\n"
	"	int sum = 0;\n"
	"	Till();\n"
	"	int add(int price);\n"
	"	int add(double price, const char *what) const;\n"
	"	bool operator()(int) const;\n"
	"};\n"
	"Till::Till() { asm volatile(\"\"); }\n"
	"int Till::add(int price) { return sum += price; }\n"
	"int Till::add(double price, const char *what) const { return (int)price + *what; }\n"
	"bool Till::operator()(int x) const { return x > sum; }\n"
	"template <class T> __attribute__((noinline)) T twice(T x) { asm volatile(\"\"); return x + x; }\n"
	"template int twice<int>(int);\n"
	"template double twice<double>(double);\n"
	"namespace { __attribute__((noinline, used)) void hidden() { asm volatile(\"\"); } }\n"
	"}\n"
	"extern \"C\" {\n"
	"int work(int x) { return x + 1; }\n"
	"int work_alias(int x) __attribute__((alias(\"work\")));\n"
	"int work_clone(int) __asm__(\"work.constprop.0\");\n"
	"int work_clone(int x) { return x + 2; }\n"
	"int work_part(int) __asm__(\"work.part.0\");\n"
	"int work_part(int x) { return x + 3; }\n"
	"static int work_cold(int) __asm__(\"work.cold\");\n"
	"__attribute__((used)) static int work_cold(int x) { return x + 4; }\n"
	"static int other_lto(int) __asm__(\"other.lto_priv.7\");\n"
	"__attribute__((used)) static int other_lto(int x) { return x + 5; }\n"
	"int cxx_clone(int) __asm__(\"_ZN4shop6renameEi.isra.0\");\n"
	"int cxx_clone(int x) { return x + 6; }\n"
	"typedef int function(int);\n"
	"static function *pick_resolver(void) { return work; }\n"
	"int pick(int) __attribute__((ifunc(\"pick_resolver\")));\n"
	"__asm__(\".text\\n.globl bare_label\\nbare_label: ret\\n\");\n"
	"}\n"
	"int main(int argc, char **argv) { return work(argc); }\n";

static const struct pattern_case {
	const char *name;
	const char *pattern;
	const char *expected;	/* names, sorted, each once; NULL: none */
} pattern_cases[] = {
	{ "a C function is found by its name, and its clones are", "work",
	  "work;work.constprop.0" },
	{ "an alias is a name of its own", "work_alias", "work_alias" },
	{ "a clone is found by its own name", "work.constprop.0", "work.constprop.0" },
	{ "a part is found by its own name only", "work.part.0", "work.part.0" },
	{ "a part is a function of a glob", "work*",
	  "work;work.constprop.0;work.part.0;work_alias" },
	{ "a cold part is found by who says so", "work.cold", "work.cold" },
	{ "also by a glob that says so", "*.cold", "work.cold" },
	{ "what link-time optimization renames keeps its name", "other", "other.lto_priv.7" },
	{ "overloads are all found by the name without parameters", "shop::Till::add",
	  "shop::Till::add(double, char const*) const;shop::Till::add(int)" },
	{ "one of them by its parameters", "shop::Till::add(int)", "shop::Till::add(int)" },
	{ "the star of a pointer is itself", "shop::Till::add(double, char const*) const",
	  "shop::Till::add(double, char const*) const" },
	{ "one of them by its symbol", "_ZN4shop4Till3addEi", "shop::Till::add(int)" },
	{ "a glob goes over demangled names", "shop::*::add*",
	  "shop::Till::add(double, char const*) const;shop::Till::add(int)" },
	{ "a glob may begin with a star", "*Till::add(*",
	  "shop::Till::add(double, char const*) const;shop::Till::add(int)" },
	{ "a glob may choose letters", "shop::Ti[kl]l::add(?nt)", "shop::Till::add(int)" },
	{ "and mangled ones", "_ZN*4shop4Till3add*",
	  "shop::Till::add(double, char const*) const;shop::Till::add(int)" },
	{ "two constructors that are one are there once", "shop::Till::Till",
	  "shop::Till::Till()" },
	{ "an operator is found by what demanglers write", "shop::Till::operator()",
	  "shop::Till::operator()(int) const" },
	{ "so is what has no name", "shop::(anonymous namespace)::hidden",
	  "shop::(anonymous namespace)::hidden()" },
	{ "an instance of a template is found by its arguments", "shop::twice<int>",
	  "int shop::twice<int>(int)" },
	{ "or as it is called", "shop::twice<int>(int)", "int shop::twice<int>(int)" },
	{ "or as it is shown", "int shop::twice<int>(int)", "int shop::twice<int>(int)" },
	{ "or all of them by a glob", "shop::twice<*>",
	  "double shop::twice<double>(double);int shop::twice<int>(int)" },
	{ "a clone of a C++ function says so", "shop::rename",
	  "shop::rename(int) [clone .isra.0]" },
	{ "a label without a type is found by its name", "bare_label", "bare_label" },
	{ "and by no glob", "bare_lab*", NULL },
	{ "part of a name is not a name", "wor", NULL },
	{ "the scope is part of the name", "add", NULL },
	{ "what is imported is not there", "__libc_start_main", NULL },
	{ "nothing matches nothing", "", NULL },
};

static struct compiled_program program;

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of @list, sorted, each once. */
static void names_of(const struct function_list *list, char *buffer, size_t size)
{
	size_t count = function_list_count(list), used = 0, i;
	const char *names[64];

	assert_in_range(count, 1, ARRAY_SIZE(names));
	for (i = 0; i < count; i++)
		names[i] = function_list_at(list, i)->name;
	qsort(names, count, sizeof(names[0]), text_compare);
	for (i = 0; i < count; i++) {
		if (i && !strcmp(names[i - 1], names[i]))
			continue;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", i ? ";" : "",
					 names[i]);
		assert_true(used < size);
	}
}

static void expect_names(struct module *mod, const char *pattern, const char *expected)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	char names[1024];

	if (!expected) {
		assert_int_equal(function_list_read(mod, pattern, 0, &list), -ENOENT);
		assert_null(list);
		return;
	}
	assert_int_equal(function_list_read(mod, pattern, 0, &list), 0);
	names_of(list, names, sizeof(names));
	assert_string_equal(names, expected);
}

static void pattern_row(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	const struct pattern_case *c = *state;

	expect_names(mod, c->pattern, c->expected);
}

/* ---- what an entry says ---- */

static const struct function_entry *only(struct module *mod, const char *pattern,
					 struct function_list **ret)
{
	assert_int_equal(function_list_read(mod, pattern, 0, ret), 0);
	assert_int_equal(function_list_count(*ret), 1);
	return function_list_at(*ret, 0);
}

static void test_entry(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	uint64_t size, address = compiled_program_symbol(&program, "_ZN4shop4Till3addEi", &size);
	const struct function_entry *entry = only(mod, "shop::Till::add(int)", &list);
	const struct elf_segment *segments;
	struct elf_file *elf = NULL;
	size_t count, i;

	assert_int_equal(entry->address, address);
	assert_int_equal(entry->size, size);
	assert_string_equal(entry->symbol, "_ZN4shop4Till3addEi");
	assert_false(entry->is_ifunc);
	assert_int_equal(module_open(mod, &elf), 0);
	segments = elf_file_segments(elf, &count);
	for (i = 0; i < count && !segments[i].executable; i++)
		;
	assert_true(i < count);
	assert_int_equal(entry->offset, address - segments[i].address + segments[i].offset);
	elf_file_close(elf);
}

static void test_ifunc(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	_cleanup_(function_list_freep) struct function_list *list = NULL, *resolver = NULL;
	const struct function_entry *entry = only(mod, "pick", &list);

	assert_true(entry->is_ifunc);
	assert_int_equal(entry->address, only(mod, "pick_resolver", &resolver)->address);
	assert_false(function_list_at(resolver, 0)->is_ifunc);
}

static void test_limit(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	_cleanup_(function_list_freep) struct function_list *all = NULL, *some = NULL;
	size_t i;

	assert_int_equal(function_list_read(mod, "*", 0, &all), 0);
	assert_true(function_list_count(all) > 10);
	for (i = 1; i < function_list_count(all); i++)
		assert_true(function_list_at(all, i - 1)->address <=
			    function_list_at(all, i)->address);
	assert_int_equal(function_list_read(mod, "*", 3, &some), -EOVERFLOW);
	assert_int_equal(function_list_count(some), 3);
	for (i = 0; i < 3; i++)
		assert_string_equal(function_list_at(some, i)->symbol,
				    function_list_at(all, i)->symbol);
	some = function_list_free(some);
	assert_int_equal(function_list_read(mod, "*", function_list_count(all), &some), 0);
}

static void test_version(void **state)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	const struct function_entry *entry;
	struct elf_image img;
	struct module *mod;
	uint64_t text;

	elf_image_init(&img);
	text = elf_image_code(&img, false);
	elf_image_symbol(&img, "read@@GLIBC_2.2.5", text, 0x10, STB_GLOBAL, STT_FUNC, 1);
	elf_image_symbol(&img, "@odd", text + 0x20, 0x10, STB_GLOBAL, STT_FUNC, 1);
	elf_image_symbols(&img, false);
	elf_image_finish(&img, true);
	mod = elf_image_module(img.bytes, img.size);
	entry = only(mod, "read", &list);
	assert_string_equal(entry->symbol, "read@@GLIBC_2.2.5");
	assert_string_equal(entry->name, "read");
	list = function_list_free(list);
	only(mod, "read@@GLIBC_2.2.5", &list);
	list = function_list_free(list);
	assert_string_equal(only(mod, "@odd", &list)->name, "@odd");
	module_put(mod);
}

/* ---- where symbols are ---- */

#define MINI                                                                             \
	"nm program --format=posix --defined-only | awk '$2 ~ /[tT]/ { print $1 }' >keep && " \
	"objcopy -S --keep-symbols=keep program mini && rm -f mini.xz && xz mini && "    \
	"cp program stripped && strip stripped && "                                      \
	"objcopy --add-section .gnu_debugdata=mini.xz stripped"

static const struct source_case {
	const char *name;
	const char *prepare;	/* makes "stripped" of "program" */
	const char *pattern, *expected;
} source_cases[] = {
	{ "stripped of symbols there are those of .dynsym", "strip -o stripped program", "work*",
	  "work;work.constprop.0;work.part.0;work_alias" },
	{ "and no others", "strip -o stripped program", "*hidden*", NULL },
	{ ".gnu_debugdata has the others", MINI, "shop::*::hidden",
	  "shop::(anonymous namespace)::hidden()" },
	{ "so has the separate debug file",
	  "objcopy --only-keep-debug program program.debug && strip -o stripped program && "
	  "objcopy --add-gnu-debuglink=program.debug stripped",
	  "shop::*::hidden", "shop::(anonymous namespace)::hidden()" },
};

static void source_row(void **state)
{
	const struct source_case *c = *state;
	struct module *mod;

	assert_int_equal(compiled_program_run(&program, c->prepare), 0);
	mod = compiled_program_module(&program, "stripped");
	expect_names(mod, c->pattern, c->expected);
	module_put(mod);
}

/* All functions of a stripped Go program are in its table, at the addresses of the one with symbols. */
static void test_go(void **state)
{
	_cleanup_(module_putp) struct module *whole = program_module("go_work");
	_cleanup_(module_putp) struct module *stripped = program_module("go_work-stripped");
	_cleanup_(function_list_freep) struct function_list *a = NULL, *b = NULL;
	size_t i;

	if (!whole || !stripped)
		skip();
	assert_int_equal(function_list_read(whole, "main.*", 0, &a), 0);
	assert_int_equal(function_list_read(stripped, "main.*", 0, &b), 0);
	assert_true(function_list_count(a) > 5);
	assert_int_equal(function_list_count(a), function_list_count(b));
	for (i = 0; i < function_list_count(a); i++) {
		assert_int_equal(function_list_at(a, i)->address, function_list_at(b, i)->address);
		assert_int_equal(function_list_at(a, i)->offset, function_list_at(b, i)->offset);
		assert_string_equal(function_list_at(a, i)->name, function_list_at(b, i)->name);
	}
}

static void test_rust(void **state)
{
	_cleanup_(module_putp) struct module *mod = program_module("rust_work");

	if (!mod)
		skip();
	expect_names(mod, "rust_work::sort_words", "rust_work::sort_words");
	expect_names(mod, "rust_work::Counter<T>::*", "rust_work::Counter<T>::add_all");
}

static void test_speed(void **state)
{
	static const char *const patterns[] = { "*", "malloc", "std::*" };
	_cleanup_(module_putp) struct module *mod = program_module(BIG_LIBRARY);
	struct function_list *list;
	uint64_t start_ns, took_ns;
	size_t i, round;

	if (!mod)
		skip();
	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		took_ns = UINT64_MAX;
		/* The first round reads the file from the disk, or shares a busy machine. */
		for (round = 0; round < 5 && took_ns > BIG_LIBRARY_NS; round++) {
			list = NULL;
			start_ns = clock_monotonic_ns();
			function_list_read(mod, patterns[i], 0, &list);
			took_ns = clock_monotonic_ns() - start_ns;
			function_list_free(list);
		}
		assert_true(took_ns < BIG_LIBRARY_NS);
	}
}

/* ---- did you mean ---- */

static const struct suggest_case {
	const char *name;
	const char *pattern, *expected;
} suggest_cases[] = {
	{ "a slip of the finger is mended", "wrok_alias", "work_alias" },
	{ "so is one in a C++ name", "shop::Till::ad", "shop::Till::add" },
	{ "a missing scope is found", "hidden", "shop::(anonymous namespace)::hidden" },
	{ "another word means nothing here", "completely_different", NULL },
};

static void suggest_row(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");
	const struct suggest_case *c = *state;
	_cleanup_free_ char *name = NULL;

	assert_int_equal(function_list_suggest(mod, c->pattern, &name), c->expected ? 0 : -ENOENT);
	if (c->expected)
		assert_string_equal(name, c->expected);
}

/* ---- what goes wrong ---- */

static void test_damage(void **state)
{
	struct function_list *list = NULL;
	struct elf_image img;
	struct module *mod;

	elf_image_init(&img);
	elf_image_code(&img, false);
	elf_image_symbols(&img, false);
	img.sections[img.section_count - 2].sh_link = 100;
	elf_image_finish(&img, true);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(function_list_read(mod, "f", 0, &list), -EBADMSG);
	module_put(mod);
	mod = elf_image_module("no file", 7);
	assert_int_equal(function_list_read(mod, "f", 0, &list), -ENOEXEC);
	assert_null(list);
	module_put(mod);
}

static int read_all(void *mod)
{
	struct function_list *list = NULL;
	int r = function_list_read(mod, "*", 0, &list);

	function_list_free(list);
	return r;
}

static int suggest(void *mod)
{
	char *name = NULL;
	int r = function_list_suggest(mod, "wrok_alias", &name);

	free(name);
	return r;
}

static void test_no_memory(void **state)
{
	_cleanup_(module_putp) struct module *mod = NULL;

	assert_int_equal(compiled_program_run(&program, MINI), 0);
	mod = compiled_program_module(&program, "stripped");
	assert_true(fail_alloc_each(read_all, mod) > 20);
	assert_true(fail_alloc_each(suggest, mod) > 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an entry says where its function is", test_entry),
		UNIT_TEST("an IFUNC is said to be one", test_ifunc),
		UNIT_TEST("a limit cuts the list", test_limit),
		UNIT_TEST("a version is no part of the name", test_version),
		UNIT_TEST("Go's functions are all found in its own table", test_go),
		UNIT_TEST("Rust's functions are found by their names", test_rust),
		UNIT_TEST("a library of 100 MB is listed in a second", test_speed),
		UNIT_TEST("damage is told from a missing name", test_damage),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};
	int failed;

	compiled_program_init(&program, "c++ -O1 -rdynamic -w", source);
	failed = unit_run_rows("pattern", pattern_row, UNIT_ROWS(pattern_cases)) +
		 unit_run_rows("source", source_row, UNIT_ROWS(source_cases)) +
		 unit_run_rows("suggest", suggest_row, UNIT_ROWS(suggest_cases)) +
		 cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&program);
	return failed;
}
