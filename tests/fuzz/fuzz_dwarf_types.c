/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_dwarf_types.c - arguments and types of the functions of any ELF file, by its debug information. */
#include <string.h>

#include "symbolizer/types/dwarf_types.h"
#include "tests/fuzz/elf_checks.h"
#include "tests/fuzz/elf_mutate.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/type_checks.h"

#define FUNCTIONS_MAX 32
#define MEMBERS_MAX 16
#define DEPTH_MAX 4

static void check_type(const struct type_info *type, unsigned int depth)
{
	struct type_enumerator enumerator;
	struct type_member member, same;
	struct type_info target;
	size_t i;

	type_check_info(type);
	if (depth >= DEPTH_MAX)
		return;
	if (type->provider->target(type, &target) == 0)
		check_type(&target, depth + 1);
	for (i = 0; i < MEMBERS_MAX && type->provider->member_at(type, i, &member) == 0; i++) {
		type_check_member(&member);
		/* It may be another of that name, which is damaged. */
		type->provider->member(type, member.name, &same);
		check_type(&member.type, depth + 1);
	}
	for (i = 0; i < MEMBERS_MAX && type->provider->enumerator(type, i, &enumerator) == 0; i++)
		fuzz_touch_text(enumerator.name);
}

static void check_argument(const struct type_argument *argument)
{
	type_check_argument(argument);
	fuzz_check(argument->place != ARGUMENT_UNKNOWN || argument->refusal,
		   "no place, and no reason for it");
	check_type(&argument->type, 0);
}

static void check_function(const struct type_function *function)
{
	size_t i;

	fuzz_check(function->argument_count <= TYPE_ARGUMENTS_MAX, "too many arguments");
	for (i = 0; i < function->argument_count; i++)
		check_argument(&function->arguments[i]);
	check_argument(&function->result);
}

/* What symbols say is code, and else the beginning of each segment. */
static void check_functions(struct module *mod, struct dwarf_types *types)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	const struct elf_segment *segments;
	struct type_function function;
	size_t count, i;
	long found;

	if (module_open(mod, &elf) < 0)
		return;
	found = elf_file_symbols(elf, ".symtab", &symbols);
	for (i = 0; (long)i < found && i < FUNCTIONS_MAX; i++) {
		if (dwarf_types_function(types, symbols[i].address, &function) == 0)
			check_function(&function);
	}
	segments = elf_file_segments(elf, &count);
	for (i = 0; i < count && i < FUNCTIONS_MAX; i++) {
		if (dwarf_types_function(types, segments[i].address, &function) == 0)
			check_function(&function);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = { "struct s", "int", "a::b *", "unsigned long" };
	_cleanup_(module_putp) struct module *mod = elf_check_module(bytes, size);
	_cleanup_(dwarf_types_closep) struct dwarf_types *types = NULL;
	const struct type_provider *provider;
	struct type_info type;
	size_t i;

	if (dwarf_types_open(mod, &types) < 0)
		return 0;
	check_functions(mod, types);
	provider = dwarf_types_provider(types);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (provider->by_name(provider->context, names[i], &type) == 0)
			check_type(&type, 0);
	}
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed)
{
	return elf_mutate(bytes, size, max_size, seed);
}
