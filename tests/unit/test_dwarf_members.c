/* SPDX-License-Identifier: BSD-2-Clause */
/* Members, elements and names of types in every form of DWARF. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/fail_alloc.h"
#include "tests/unit/typed_program.h"

static const char types_source[] =
	"namespace space {\n"
	"struct Base { int first; static int shared; };\n"
	"struct Other { int pad; int second; };\n"
	"enum class Color : unsigned char { red = 1, green = 200 };\n"
	"enum Sign { MINUS = -1, PLUS = 1 };\n"
	"template <class T> struct Box : Base, Other {\n"
	"	T value;\n"
	"	union { long number; struct { short low, high; }; };\n"
	"	unsigned a : 3, b : 30; long c : 40;\n"
	"	int matrix[2][3];\n"
	"	Color color; Sign sign; bool flag; char letter; unsigned char byte;\n"
	"	Box *next; T &reference; void (*call)(int);\n"
	"};\n"
	"}\n"
	"typedef space::Box<short> short_box;\n"
	"volatile int sink;\n"
	"__attribute__((noinline)) int take(short_box *box, struct Hidden *h) { return sink + (box ? box->value : 0); }\n"
	"int main() { return take(nullptr, nullptr); }\n";

static const struct member_case {
	const char *name, *member, *type;
	uint64_t offset;
	enum type_kind kind;
	uint8_t bit_shift, bit_count;
} member_cases[] = {
	{ "a member of a base class", "first", "int", 0, TYPE_INTEGER },
	{ "a member of a second base class", "second", "int", 8, TYPE_INTEGER },
	{ "a member of its own", "value", "short int", 12, TYPE_INTEGER },
	{ "a member of a union without a name", "number", "long int", 16, TYPE_INTEGER },
	{ "a member of a struct in that", "high", "short int", 18, TYPE_INTEGER },
	{ "a bit field", "a", "unsigned int", 24, TYPE_INTEGER, 0, 3 },
	{ "a bit field in the next word", "b", "unsigned int", 28, TYPE_INTEGER, 0, 30 },
	{ "a bit field of a long", "c", "long int", 32, TYPE_INTEGER, 0, 40 },
	{ "an array of arrays", "matrix", "int[2][3]", 40, TYPE_ARRAY },
	{ "an enum class", "color", "space::Color", 64, TYPE_INTEGER },
	{ "an enum", "sign", "space::Sign", 68, TYPE_INTEGER },
	{ "a bool", "flag", "bool", 72, TYPE_INTEGER },
	{ "a pointer to its own type", "next", "space::Box<short int> *", 80, TYPE_POINTER },
	{ "a reference", "reference", "short int &", 88, TYPE_POINTER },
	{ "a pointer to a function", "call", "void (*)(int)", 96, TYPE_POINTER },
};

static const char *const type_commands[] = {
	"c++ -O0 -gdwarf-5",
	"c++ -O0 -gdwarf-4",
	"c++ -O0 -gdwarf-2 -gno-strict-dwarf",
	"c++ -O0 -g -gz=zlib",
	"c++ -O0 -gdwarf-4 -fdebug-types-section",
	"c++ -O0 -gdwarf-5 -fdebug-types-section",
};

static void box_of(struct typed_program *subject, struct type_info *ret)
{
	struct type_function function;

	typed_program_function(subject, "_Z4takePN5space3BoxIsEEP6Hidden", &function);
	assert_int_equal(function.argument_count, 2);
	assert_string_equal(function.arguments[0].type.name, "short_box *");
	assert_int_equal(subject->provider->target(&function.arguments[0].type, ret), 0);
	assert_int_equal(ret->kind, TYPE_STRUCT);
	assert_string_equal(ret->name, "short_box");
}

static void assert_member(const struct type_info *box, const struct member_case *c)
{
	struct type_member member;

	assert_int_equal(box->provider->member(box, c->member, &member), 0);
	assert_string_equal(member.type.name, c->type);
	assert_int_equal(member.type.kind, c->kind);
	assert_int_equal(member.offset * 8 + member.bit_shift, c->offset * 8 + c->bit_shift);
	assert_int_equal(member.bit_count, c->bit_count);
	/* It is read from within as many bytes. */
	assert_true(member.bit_shift + member.bit_count <= member.type.bytes * 8);
}

static void member_row(void **state)
{
	const struct member_case *c = *state;
	struct typed_program subject;
	struct type_info box;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(type_commands); i++) {
		typed_program_init(&subject, type_commands[i], types_source);
		box_of(&subject, &box);
		assert_member(&box, c);
		typed_program_done(&subject);
	}
}

static void test_members_in_order(void **state)
{
	static const char *const names[] = { "first", "pad", "second",	   "value", "number", "low",
					     "high",  "a",	   "b",	    "c",      "matrix",
					     "color", "sign",	   "flag",  "letter", "byte",
					     "next",  "reference", "call" };
	struct type_member member;
	struct typed_program subject;
	struct type_info box;
	size_t i;

	typed_program_init(&subject, "c++ -O0 -g", types_source);
	box_of(&subject, &box);
	for (i = 0; subject.provider->member_at(&box, i, &member) == 0; i++)
		assert_string_equal(member.name, names[i]);
	assert_int_equal(i, ARRAY_SIZE(names));
	assert_int_equal(subject.provider->member(&box, "shared", &member), -ENOENT);
	assert_int_equal(subject.provider->member(&box, "nothing", &member), -ENOENT);
	typed_program_done(&subject);
}

static void test_kinds(void **state)
{
	struct type_enumerator enumerator;
	struct type_member member;
	struct type_info box, target, row;
	struct typed_program subject;

	typed_program_init(&subject, "c++ -O0 -g", types_source);
	box_of(&subject, &box);
	assert_int_equal(subject.provider->member(&box, "matrix", &member), 0);
	assert_int_equal(member.type.count, 2);
	assert_int_equal(member.type.bytes, 24);
	assert_int_equal(subject.provider->target(&member.type, &row), 0);
	assert_string_equal(row.name, "int[3]");
	assert_int_equal(row.count, 3);
	assert_int_equal(row.bytes, 12);
	assert_int_equal(subject.provider->target(&row, &target), 0);
	assert_string_equal(target.name, "int");
	assert_int_equal(subject.provider->member(&box, "color", &member), 0);
	assert_true(member.type.is_enum && !member.type.is_signed && member.type.bytes == 1);
	assert_int_equal(subject.provider->enumerator(&member.type, 1, &enumerator), 0);
	assert_string_equal(enumerator.name, "green");
	assert_int_equal(enumerator.value, 200);
	assert_int_equal(subject.provider->enumerator(&member.type, 2, &enumerator), -ENOENT);
	assert_int_equal(subject.provider->member(&box, "sign", &member), 0);
	assert_true(member.type.is_signed);
	assert_int_equal(subject.provider->enumerator(&member.type, 0, &enumerator), 0);
	assert_int_equal(enumerator.value, -1);
	assert_int_equal(subject.provider->member(&box, "flag", &member), 0);
	assert_true(member.type.is_bool);
	assert_int_equal(subject.provider->member(&box, "letter", &member), 0);
	assert_true(member.type.is_char);
	assert_int_equal(subject.provider->member(&box, "byte", &member), 0);
	assert_false(member.type.is_char);
	assert_int_equal(subject.provider->member(&box, "reference", &member), 0);
	assert_true(member.type.is_reference);
	typed_program_done(&subject);
}

static void test_by_name(void **state)
{
	struct type_info type, target;
	struct typed_program subject;
	const void *context;

	typed_program_init(&subject, "c++ -O0 -g", types_source);
	context = subject.provider->context;
	assert_int_equal(subject.provider->by_name(context, "space::Base", &type), 0);
	assert_int_equal(type.bytes, 4);
	assert_int_equal(subject.provider->by_name(context, "struct space::Box<short int>", &type),
			 0);
	assert_int_equal(subject.provider->by_name(context, "short_box **", &type), 0);
	assert_string_equal(type.name, "short_box **");
	assert_int_equal(subject.provider->target(&type, &target), 0);
	assert_string_equal(target.name, "space::Box<short int> *");
	assert_int_equal(subject.provider->target(&target, &type), 0);
	assert_int_equal(type.kind, TYPE_STRUCT);
	assert_int_equal(subject.provider->by_name(context, "long", &type), 0);
	assert_int_equal(type.bytes, 8);
	assert_int_equal(subject.provider->by_name(context, "enum space::Color", &type), 0);
	assert_true(type.is_enum);
	assert_int_equal(subject.provider->by_name(context, "Base", &type), -ENOENT);
	assert_int_equal(subject.provider->by_name(context, "union space::Base", &type), -ENOENT);
	typed_program_done(&subject);
}

/* The struct is only declared where the function is, and defined in another file. */
static void test_declared_elsewhere(void **state)
{
	struct compiled_program program;
	struct dwarf_types *types;
	struct type_function function;
	struct type_member member;
	struct type_info target;
	struct module *mod;
	uint64_t size;

	compiled_program_init(&program, "cc -c -g",
			      "#ifndef OTHER\n"
			      "struct hidden; struct nowhere;\n"
			      "int take(struct hidden *h, struct nowhere *n) { return h != 0; }\n"
			      "#else\n"
			      "struct hidden { int number; } h;\n"
			      "int take(struct hidden *h, void *n);\n"
			      "int main(void) { return take(&h, 0); }\n"
			      "#endif\n");
	assert_int_equal(compiled_program_run(&program,
					      "mv program take.o && cc -c -g -DOTHER source.c && "
					      "cc -g -o program take.o source.o"),
			 0);
	mod = compiled_program_module(&program, "program");
	assert_int_equal(dwarf_types_open(mod, &types), 0);
	assert_int_equal(dwarf_types_function(types,
					      compiled_program_symbol(&program, "take", &size),
					      &function),
			 0);
	assert_int_equal(dwarf_types_provider(types)->target(&function.arguments[0].type, &target),
			 0);
	assert_int_equal(target.bytes, 4);
	assert_int_equal(dwarf_types_provider(types)->member(&target, "number", &member), 0);
	assert_int_equal(dwarf_types_provider(types)->target(&function.arguments[1].type, &target),
			 0);
	assert_int_equal(target.kind, TYPE_STRUCT);
	assert_int_equal(target.bytes, 0);
	assert_int_equal(dwarf_types_provider(types)->member_at(&target, 0, &member), -ENOENT);
	types = dwarf_types_close(types);
	module_put(mod);
	compiled_program_done(&program);
}

struct use {
	struct module *mod;
	uint64_t address;
};

static int use_all(void *arg)
{
	const struct use *use = arg;
	_cleanup_(dwarf_types_closep) struct dwarf_types *types = NULL;
	const struct type_provider *provider;
	struct type_function function;
	struct type_member member;
	struct type_info type;
	int r;

	r = dwarf_types_open(use->mod, &types);
	if (r < 0)
		return r;
	r = dwarf_types_function(types, use->address, &function);
	if (r < 0)
		return r;
	provider = dwarf_types_provider(types);
	r = provider->target(&function.arguments[0].type, &type);
	if (r < 0)
		return r;
	r = provider->member(&type, "call", &member);
	if (r < 0)
		return r;
	/* Declared, and nowhere defined. */
	r = provider->target(&function.arguments[1].type, &type);
	if (r < 0)
		return r;
	return provider->by_name(provider->context, "space::Other *", &type);
}

static void test_no_memory(void **state)
{
	struct typed_program subject;
	struct use use;
	uint64_t size;

	typed_program_init(&subject, "c++ -O0 -g", types_source);
	use.mod = subject.mod;
	use.address = compiled_program_symbol(&subject.program,
					      "_Z4takePN5space3BoxIsEEP6Hidden", &size);
	assert_true(fail_alloc_each(use_all, &use) > 20);
	typed_program_done(&subject);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("members come in order, without static ones", test_members_in_order),
		UNIT_TEST("arrays, enums, bool, char and references are told apart", test_kinds),
		UNIT_TEST("types are found by name", test_by_name),
		UNIT_TEST("a struct declared here is found where it is defined",
			  test_declared_elsewhere),
		UNIT_TEST("every failed allocation is an error", test_no_memory),
	};

	return unit_run_rows("member", member_row, UNIT_ROWS(member_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
