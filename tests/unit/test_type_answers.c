/* SPDX-License-Identifier: BSD-2-Clause */
/* All that another process says of types is what dwarf_types.h says here, of real and of damaged programs. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/hashmap.h"
#include "symbolizer/code/function_list.h"
#include "symbolizer/types/dwarf_types.h"
#include "symbolizer/worker/type_worker.h"
#include "tests/unit/compiled_program.h"

#define DEPTH_MAX 6
/* Looking up a name that is nowhere visits all units. */
#define NAMES_MAX 60

/* The same file, read here and there, and what has been compared of it. */
struct pair {
	struct dwarf_types *here;
	struct typed_file *there;
	struct hashmap *seen;
	size_t functions, members, enumerators, names;
};

static void same_type(struct pair *pair, const struct type_info *a, const struct type_info *b,
		      unsigned int depth);

static void same_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void same_members(struct pair *pair, const struct type_info *a, const struct type_info *b,
			 unsigned int depth)
{
	struct type_member x, y;

	for (size_t i = 0;; i++) {
		int r = a->provider->member_at(a, i, &x);

		assert_int_equal(b->provider->member_at(b, i, &y), r);
		if (r < 0)
			return;
		same_text(x.name, y.name);
		assert_int_equal(x.offset, y.offset);
		assert_int_equal(x.bit_shift, y.bit_shift);
		assert_int_equal(x.bit_count, y.bit_count);
		same_type(pair, &x.type, &y.type, depth);
		r = a->provider->member(a, x.name, &x);
		assert_int_equal(b->provider->member(b, y.name, &y), r);
		if (!r)
			assert_int_equal(x.offset, y.offset);
		pair->members++;
	}
}

static void same_enumerators(struct pair *pair, const struct type_info *a,
			     const struct type_info *b)
{
	struct type_enumerator x, y;

	for (size_t i = 0;; i++) {
		int r = a->provider->enumerator(a, i, &x);

		assert_int_equal(b->provider->enumerator(b, i, &y), r);
		if (r < 0)
			return;
		same_text(x.name, y.name);
		assert_int_equal(x.value, y.value);
		pair->enumerators++;
	}
}

static void same_name(struct pair *pair, const char *name)
{
	const struct type_provider *here = dwarf_types_provider(pair->here);
	const struct type_provider *there = typed_file_provider(pair->there);
	struct type_info x, y;
	int r = here->by_name(here->context, name, &x);

	assert_int_equal(there->by_name(there->context, name, &y), r);
	if (!r)
		same_type(pair, &x, &y, 0);
	pair->names++;
}

static bool is_new(struct pair *pair, const struct type_info *type)
{
	const uint64_t key[2] = { type->id, type->kind };
	void *value;

	return hashmap_add(pair->seen, key, &value) > 0;
}

static void same_type(struct pair *pair, const struct type_info *a, const struct type_info *b,
		      unsigned int depth)
{
	struct type_info x, y;
	int r;

	assert_int_equal(a->kind, b->kind);
	same_text(a->name, b->name);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->is_signed, b->is_signed);
	assert_int_equal(a->is_char, b->is_char);
	assert_int_equal(a->is_bool, b->is_bool);
	assert_int_equal(a->is_enum, b->is_enum);
	assert_int_equal(a->is_user, b->is_user);
	assert_int_equal(a->is_reference, b->is_reference);
	assert_int_equal(a->is_text, b->is_text);
	assert_int_equal(a->text_offset, b->text_offset);
	assert_int_equal(a->length_offset, b->length_offset);
	if (!depth || !is_new(pair, a))
		return;
	r = a->provider->target(a, &x);
	assert_int_equal(b->provider->target(b, &y), r);
	if (!r)
		same_type(pair, &x, &y, depth - 1);
	same_members(pair, a, b, depth - 1);
	same_enumerators(pair, a, b);
	if (pair->names < NAMES_MAX)
		same_name(pair, a->name);
}

static void same_argument(struct pair *pair, const struct type_argument *a,
			  const struct type_argument *b)
{
	same_text(a->name, b->name);
	assert_int_equal(a->place, b->place);
	same_text(a->refusal, b->refusal);
	if (a->place == ARGUMENT_REGISTER)
		assert_int_equal(a->reg, b->reg);
	if (a->place == ARGUMENT_STACK)
		assert_int_equal(a->stack_offset, b->stack_offset);
	if (a->place == ARGUMENT_PIECES) {
		assert_int_equal(a->piece_count, b->piece_count);
		assert_memory_equal(a->pieces, b->pieces, a->piece_count * sizeof(a->pieces[0]));
	}
	same_type(pair, &a->type, &b->type, DEPTH_MAX);
}

static void same_function(struct pair *pair, uint64_t address)
{
	struct type_function a, b;
	int r = dwarf_types_function(pair->here, address, &a);

	assert_int_equal(typed_file_function(pair->there, address, &b), r);
	if (r < 0)
		return;
	assert_int_equal(a.argument_count, b.argument_count);
	assert_int_equal(a.is_variadic, b.is_variadic);
	same_argument(pair, &a.result, &b.result);
	for (size_t i = 0; i < a.argument_count; i++)
		same_argument(pair, &a.arguments[i], &b.arguments[i]);
	pair->functions++;
}

struct listed {
	struct pair *pair;
	const uint64_t *addresses;
	size_t count;
};

/* Of many that are asked for together, each is the one asked for alone. */
static int same_listed(void *context, size_t index, const struct type_function *function)
{
	struct listed *listed = context;
	struct type_function alone;
	int r = dwarf_types_function(listed->pair->here, listed->addresses[index], &alone);

	assert_int_equal(index, listed->count++);
	assert_int_equal(!function, r < 0);
	if (!function)
		return 0;
	assert_int_equal(function->argument_count, alone.argument_count);
	same_text(function->result.type.name, alone.result.type.name);
	for (size_t i = 0; i < alone.argument_count; i++) {
		same_text(function->arguments[i].name, alone.arguments[i].name);
		same_text(function->arguments[i].type.name, alone.arguments[i].type.name);
	}
	return 0;
}

static void same_list(struct pair *pair, const struct function_list *functions)
{
	size_t count = function_list_count(functions);
	uint64_t *addresses = calloc(count, sizeof(*addresses));
	struct listed listed = { pair, addresses, 0 };

	assert_non_null(addresses);
	for (size_t i = 0; i < count; i++)
		addresses[i] = function_list_at(functions, i)->address;
	assert_int_equal(typed_file_functions(pair->there, addresses, count, same_listed, &listed),
			 0);
	assert_int_equal(listed.count, count);
	free(addresses);
}

/* Everything, of every function of @mod. */
static void same_module(struct module *mod, struct pair *ret)
{
	_cleanup_(type_worker_freep) struct type_worker *worker = type_worker_new(0);
	_cleanup_(function_list_freep) struct function_list *functions = NULL;
	struct pair pair = { .seen = hashmap_new(2 * sizeof(uint64_t), 0) };
	uint64_t last = 0;

	assert_non_null(pair.seen);
	assert_int_equal(dwarf_types_open(mod, &pair.here), 0);
	assert_int_equal(type_worker_open(worker, mod, &pair.there), 0);
	assert_int_equal(function_list_read(mod, "*", 0, &functions), 0);
	same_list(&pair, functions);
	for (size_t i = 0; i < function_list_count(functions); i++) {
		uint64_t address = function_list_at(functions, i)->address;

		if (address != last)
			same_function(&pair, address);
		last = address;
	}
	same_name(&pair, "struct nowhere");
	same_name(&pair, "unsigned long **");
	assert_int_equal(typed_file_failure(pair.there), 0);
	dwarf_types_close(pair.here);
	hashmap_free(pair.seen);
	*ret = pair;
}

/* ---- programs ---- */

static const char cxx_source[] =
	"#include <map>\n#include <string>\n#include <string_view>\n#include <vector>\n"
	"enum class Kind : short { one = 1, two = -2 };\n"
	"struct Base { virtual ~Base() { } int id; }; union Both { int i; float f; };\n"
	"struct Shape : Base { unsigned a : 3, b : 7; long c : 40; Both both; int grid[3][4];\n"
	"	std::string name; Shape *next; struct { int hidden; }; };\n"
	"#define KEEP __attribute__((noinline))\n"
	"KEEP int area(Shape &s, Kind k) { return s.grid[1][2] + (int)k; }\n"
	"KEEP size_t text(std::string_view v, const std::string &s) { return v.size() + s.size(); }\n"
	"KEEP long copied(std::vector<int> v, std::map<std::string, Shape *> &m)\n"
	"{ return v[0] + (long)m.size(); }\n"
	"KEEP double mixed(int a, double d, Both b, int (*f)(int)) { return a + d + b.i + !f; }\n"
	"int main(int argc, char **argv) { Shape s; s.grid[1][2] = argc;\n"
	"	std::map<std::string, Shape *> m; m[\"x\"] = &s; Both b = { 1 };\n"
	"	return area(s, Kind::two) + (int)text(\"a\", s.name) + (int)copied({ 1 }, m) +\n"
	"		(int)mixed(1, 2, b, 0); }\n";

static const char c_source[] =
	"enum color { RED, GREEN = 7, BLUE = -1 };\n"
	"struct list { struct list *next; enum color c; char name[16]; void (*call)(int); };\n"
	"struct pair { long a, b; }; struct large { long a[9]; };\n"
	"__attribute__((noinline)) struct pair take(struct list *l, struct large by, struct pair p)\n"
	"{ __asm__ volatile(\"\"); return (struct pair){ by.a[0] + p.b, l->c }; }\n"
	"__attribute__((noinline)) int many(int a, int b, int c, int d, int e, int f, int g, ...)\n"
	"{ __asm__ volatile(\"\"); return a + g; }\n"
	"int main(void) { struct list l = { 0 }; struct large y = { 0 }; struct pair p = { 0 };\n"
	"	return (int)take(&l, y, p).a + many(1, 2, 3, 4, 5, 6, 7, 8); }\n";

static const struct program_case {
	const char *name, *command, *source;
	const char *after;	/* done to it in its folder; NULL: nothing */
} program_cases[] = {
	{ "C, optimized", "gcc -O2 -g", c_source, NULL },
	{ "C, of before DWARF 5, with types in units of their own",
	  "gcc -O1 -g -gdwarf-4 -fdebug-types-section", c_source, NULL },
	{ "C++, optimized", "c++ -O2 -g", cxx_source, NULL },
	{ "C by clang", "clang -O1 -g", c_source, NULL },
	{ "with what two programs share in a third file", "gcc -O2 -g", c_source,
	  "cp program other && dwz -m common program other" },
	{ "debug information in a file beside it, by its link", "gcc -O2 -g", c_source,
	  "objcopy --only-keep-debug program program.debug && "
	  "objcopy --strip-debug --add-gnu-debuglink=program.debug program" },
};

static void program_row(void **state)
{
	const struct program_case *c = *state;
	struct compiled_program program;
	struct module *mod;
	struct pair pair;

	compiled_program_init(&program, c->command, c->source);
	if (c->after)
		assert_int_equal(compiled_program_run(&program, c->after), 0);
	mod = compiled_program_module(&program, "program");
	same_module(mod, &pair);
	print_message("%s: %zu functions, %zu members, %zu enumerators, %zu names\n", c->name,
		      pair.functions, pair.members, pair.enumerators, pair.names);
	assert_true(pair.functions >= 3 && pair.members > 5 && pair.enumerators > 1);
	module_put(mod);
	compiled_program_done(&program);
}

/* A large one that nobody wrote for this. */
static void test_self(void **state)
{
	const struct module_info info = { .id = 1, .path = "/self" };
	struct module *mod = module_new(&info, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	struct pair pair;

	assert_non_null(mod);
	same_module(mod, &pair);
	print_message("this program: %zu functions, %zu members, %zu enumerators\n",
		      pair.functions, pair.members, pair.enumerators);
	assert_true(pair.functions > 100 && pair.members > 300);
	module_put(mod);
}

/* ---- damage ---- */

#define DAMAGED_FILES 40

static int write_damaged(const struct compiled_program *program, uint8_t *bytes, size_t size,
			 unsigned int *seed)
{
	char path[96];
	FILE *f;

	/* Behind its code; the headers of sections are at the end. */
	for (int i = 0; i < 10; i++)
		bytes[size / 3 + (unsigned int)rand_r(seed) % (size / 2)] = (uint8_t)rand_r(seed);
	snprintf(path, sizeof(path), "%s/damaged", program->folder);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	return fclose(f);
}

/* As a person would, who does not know what the file is; whatever comes is right. */
static void use_damaged(struct module *mod, uint64_t address, size_t *known, size_t *failed)
{
	_cleanup_(type_worker_freep) struct type_worker *worker = type_worker_new(2000000000);
	struct type_function function;
	struct typed_file *file;
	struct type_member member;
	struct type_info target;
	int r = type_worker_open(worker, mod, &file);

	if (r < 0)
		return;
	r = typed_file_function(file, address, &function);
	for (size_t i = 0; !r && i < function.argument_count; i++) {
		const struct type_info *type = &function.arguments[i].type;

		if (type->provider->target(type, &target) < 0)
			continue;
		for (size_t k = 0; type->provider->member_at(&target, k, &member) == 0; k++)
			assert_non_null(member.name);
	}
	*known += !r;
	*failed += typed_file_failure(file) != 0;
}

static void test_damaged(void **state)
{
	struct compiled_program program;
	size_t size, known = 0, failed = 0;
	uint64_t address, ignored;
	unsigned int seed = 7;

	compiled_program_init(&program, "c++ -O1 -g", cxx_source);
	address = compiled_program_symbol(&program, "_Z4areaR5Shape4Kind", &ignored);
	for (int i = 0; i < DAMAGED_FILES; i++) {
		_cleanup_free_ uint8_t *bytes = compiled_program_bytes(&program, "program", &size);
		struct module *mod;

		assert_int_equal(write_damaged(&program, bytes, size, &seed), 0);
		mod = compiled_program_module(&program, "damaged");
		use_damaged(mod, address, &known, &failed);
		module_put(mod);
	}
	print_message("of %d damaged programs %zu were known, %zu killed their reader\n",
		      DAMAGED_FILES, known, failed);
	compiled_program_done(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("all functions of this program are the same", test_self),
		UNIT_TEST("damaged programs are no harm", test_damaged),
	};

	return unit_run_rows("the same", program_row, UNIT_ROWS(program_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
