/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "symbolizer/code/instructions.h"

/* What code imports or defines that throws or catches; __cxa_atexit() and its kin every program has. */
static const char *const exception_names[] = {
	"_Unwind_RaiseException", "_Unwind_Resume",	   "_Unwind_Resume_or_Rethrow",
	"_Unwind_ForcedUnwind",	  "__cxa_throw",	   "__cxa_rethrow",
	"__cxa_begin_catch",	  "rust_eh_personality",
};

/* 1, 0 or -ENOMEM. */
static int has_any(struct elf_file *elf, const char *const *sections, size_t count)
{
	int r = 0;
	size_t i;

	for (i = 0; i < count && !r; i++)
		r = elf_file_has(elf, sections[i]);
	return r;
}

/* Also without section headers, where it is searched for. */
static int is_go(struct elf_file *elf)
{
	static const char *const sections[] = { ".gopclntab", ".data.rel.ro.gopclntab",
						".go.buildinfo", ".note.go.buildid" };
	struct elf_place place;
	int r = has_any(elf, sections, ARRAY_SIZE(sections));

	if (r)
		return r;
	r = elf_file_place(elf, ".gopclntab", &place);
	return r == -ENOMEM ? r : r == 0;
}

/* Without a section header nothing is known. A program has at least its code. */
static int has_sections(struct elf_file *elf)
{
	static const char *const sections[] = { ".text", ".shstrtab", ".dynsym", ".symtab" };

	return has_any(elf, sections, ARRAY_SIZE(sections));
}

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name), length = strlen(end);

	return size >= length && !strcmp(name + size - length, end);
}

static bool name_is_of_exceptions(const char *name)
{
	size_t i;

	/* C++ and older Rust; and what decides in a landing pad's name, of any language. */
	if (!strncmp(name, "_Z", 2) || ends_with(name, "_personality_v0"))
		return true;
	for (i = 0; i < ARRAY_SIZE(exception_names); i++) {
		if (!strcmp(name, exception_names[i]))
			return true;
	}
	return false;
}

static int has_names(struct elf_file *elf, const char *section)
{
	struct elf_symbol_walk walk;
	struct elf_name symbol;
	int r = elf_symbols_begin(elf, section, &walk);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	while (elf_symbols_next_name(&walk, &symbol)) {
		if (name_is_of_exceptions(symbol.name))
			return 1;
	}
	return 0;
}

static int has_exceptions(struct elf_file *elf)
{
	int r = has_sections(elf);

	if (r <= 0)
		return r < 0 ? r : 1;
	r = elf_file_has(elf, ".gcc_except_table");
	r = r ?: has_names(elf, ".dynsym");
	return r ?: has_names(elf, ".symtab");
}

int instructions_return_danger(struct module *mod, enum return_danger *ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	enum return_danger danger = RETURN_GO;
	int r;

	r = module_open(mod, &elf);
	if (r < 0)
		return r;
	r = is_go(elf);
	if (!r) {
		danger = RETURN_EXCEPTIONS;
		r = has_exceptions(elf);
	}
	if (r < 0)
		return r;
	*ret = r ? danger : RETURN_SAFE;
	return 0;
}
