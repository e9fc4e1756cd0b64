/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where arguments lie when a function is entered: gdb, which knows nothing of our answer, stops at that
 * address and reads the registers and the stack where we say, and there must be what was passed.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/types/dwarf_types.h"
#include "tests/unit/argument_programs.h"
#include "tests/unit/compiled_program.h"

/* ---- expressions for gdb ---- */

static const char *const registers[] = { "$rax", "$rdx", "$rcx", "$rbx", "$rsi", "$rdi",
					 "$rbp", "$rsp", "$r8",	 "$r9",	 "$r10", "$r11",
					 "$r12", "$r13", "$r14", "$r15" };

/* Where a value is: in an argument's registers, or in memory. */
struct place {
	const struct type_argument *argument;	/* NULL: in memory at address */
	char address[256];
	uint64_t offset;	/* in either */
	struct type_info type;
	uint8_t bit_shift, bit_count;
};

/* Returns false when we refused to tell. */
static bool place_value(const struct place *place, char *ret, size_t size)
{
	uint64_t bits = (place->bit_count ? place->bit_count : place->type.bytes * 8);
	char mask[32] = "~0UL";
	size_t i;

	if (bits < 64)
		snprintf(mask, sizeof(mask), "%#lxUL", (1UL << bits) - 1);
	if (!place->argument) {
		snprintf(ret, size, "((*(unsigned long *)(%s + %lu)) >> %d & %s)", place->address,
			 (unsigned long)place->offset, place->bit_shift, mask);
		return true;
	}
	if (place->argument->place == ARGUMENT_REGISTER) {
		snprintf(ret, size, "((unsigned long)%s & %s)", registers[place->argument->reg],
			 mask);
		return true;
	}
	for (i = 0; i < place->argument->piece_count; i++) {
		const struct type_piece *piece = &place->argument->pieces[i];

		if (place->offset < piece->offset || place->offset >= piece->offset + piece->bytes)
			continue;
		snprintf(ret, size, "((unsigned long)%s >> %lu & %s)", registers[piece->reg],
			 (unsigned long)(place->offset - piece->offset) * 8 + place->bit_shift,
			 mask);
		return true;
	}
	return false;
}

/* To what the pointer points to. */
static bool place_follow(struct place *place)
{
	const struct type_provider *provider = place->type.provider;
	char pointer[200];

	if (!place_value(place, pointer, sizeof(pointer)))
		return false;
	assert_int_equal(provider->target(&place->type, &place->type), 0);
	snprintf(place->address, sizeof(place->address), "%s", pointer);
	place->argument = NULL;
	place->offset = 0;
	return true;
}

static bool place_begin(const struct type_function *function, const char *name, size_t size,
			struct place *ret)
{
	size_t i;

	for (i = 0; i < function->argument_count; i++) {
		const struct type_argument *argument = &function->arguments[i];

		if (strncmp(argument->name, name, size) || argument->name[size])
			continue;
		*ret = (struct place){ .argument = argument, .type = argument->type };
		if (argument->place == ARGUMENT_STACK) {
			ret->argument = NULL;
			snprintf(ret->address, sizeof(ret->address), "($rsp + %ld)",
				 (long)argument->stack_offset);
		}
		return argument->place != ARGUMENT_UNKNOWN;
	}
	fail_msg("there is no argument %.*s", (int)size, name);
	return false;
}

static bool place_member(struct place *place, const char *name)
{
	struct type_member member;

	if (place->type.kind == TYPE_POINTER && !place_follow(place))
		return false;
	assert_int_equal(place->type.kind, TYPE_STRUCT);
	if (place->type.provider->member(&place->type, name, &member) < 0)
		fail_msg("there is no member %s in %s", name, place->type.name);
	place->offset += member.offset;
	place->type = member.type;
	place->bit_shift = member.bit_shift;
	place->bit_count = member.bit_count;
	return true;
}

/* The length or the first byte of a text. */
static bool place_text(struct place *place, char what)
{
	char pointer[200];

	if (place->type.kind == TYPE_POINTER && !place_follow(place))
		return false;
	assert_true(place->type.is_text);
	place->offset += what == '#' ? place->type.length_offset : place->type.text_offset;
	place->type = (struct type_info){ TYPE_INTEGER, .bytes = 8,
					  .provider = place->type.provider };
	if (what == '#')
		return true;
	if (!place_value(place, pointer, sizeof(pointer)))
		return false;
	snprintf(place->address, sizeof(place->address), "%s", pointer);
	place->argument = NULL;
	place->offset = 0;
	place->type.bytes = 1;
	return true;
}

/* Returns 1 with an expression, 0 when it is refused. */
static int expression_of(const struct type_function *function, const char *path, char *ret,
			 size_t size, uint64_t *ret_mask)
{
	size_t length = strcspn(path, ".#$");
	struct place place;
	char name[64];
	uint64_t bits;

	if (!place_begin(function, path, length, &place))
		return 0;
	for (path += length; *path; path += length) {
		if (*path != '.') {
			if (!place_text(&place, *path))
				return 0;
			break;
		}
		length = strcspn(++path, ".#$");
		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		if (!place_member(&place, name))
			return 0;
	}
	bits = place.bit_count ? place.bit_count : place.type.bytes * 8;
	*ret_mask = bits < 64 ? (1UL << bits) - 1 : ~0UL;
	return place_value(&place, ret, size);
}

/* ---- running them ---- */

static uint64_t find_symbol(struct module *mod, const char *part)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	uint64_t address = 0;
	long count, i;

	assert_int_equal(module_open(mod, &elf), 0);
	count = elf_file_symbols(elf, ".symtab", &symbols);
	for (i = 0; i < count; i++) {
		const char *at = strstr(symbols[i].name, part);

		/* Of C the name is all of it. */
		if (!at || (*part != '_' && (at != symbols[i].name || at[strlen(part)]) &&
			    !strstr(part, "17h")))
			continue;
		address = symbols[i].address;
	}
	if (!address)
		fail_msg("there is no symbol %s", part);
	return address;
}

/* Writes what gdb is to do; returns how many values it will print. */
static size_t write_script(FILE *f, struct module *mod, const struct argument_program *c)
{
	_cleanup_(dwarf_types_closep) struct dwarf_types *types = NULL;
	size_t i, k, count = 0, refused = 0;
	struct type_function function;
	uint64_t address, mask;
	char expression[512];

	assert_int_equal(dwarf_types_open(mod, &types), 0);
	fprintf(f, "set language c\nset pagination off\nset confirm off\n"
		   "handle SIGURG nostop noprint\n");
	for (i = 0; i < c->call_count; i++) {
		address = find_symbol(mod, c->calls[i].function);
		assert_int_equal(dwarf_types_function(types, address, &function), 0);
		fprintf(f, "tbreak *%#lx\ncommands\nsilent\nset language c\n",
			(unsigned long)address);
		for (k = 0; k < VALUES_MAX && c->calls[i].values[k].path; k++) {
			if (!expression_of(&function, c->calls[i].values[k].path, expression,
					   sizeof(expression), &mask)) {
				if (!c->may_refuse)
					fail_msg("%s of %s is refused",
						 c->calls[i].values[k].path, c->calls[i].function);
				refused++;
				continue;
			}
			fprintf(f, "printf \"@%zu %zu %%lx %lx\\n\", %s\n", i, k,
				(unsigned long)((uint64_t)c->calls[i].values[k].value & mask),
				expression);
			count++;
		}
		fprintf(f, "continue\nend\n");
	}
	fprintf(f, "run\n");
	if (refused)
		print_message("%zu values are read, %zu refused\n", count, refused);
	assert_true(count > refused);
	return count;
}

/* Returns how many values gdb printed that are right. */
static size_t read_answers(const struct compiled_program *program, const struct argument_program *c)
{
	size_t call, value, right = 0;
	unsigned long got, expected;
	char path[96], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", program->folder);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "@%zu %zu %lx %lx", &call, &value, &got, &expected) != 4)
			continue;
		if (got != expected)
			fail_msg("%s of %s is %#lx, not %#lx", c->calls[call].values[value].path,
				 c->calls[call].function, got, expected);
		right++;
	}
	fclose(f);
	return right;
}

static void show_log(const struct compiled_program *program)
{
	char line[96];

	snprintf(line, sizeof(line), "head -c 3000 %s/log >&2", program->folder);
	assert_int_equal(system(line), 0);
	fail_msg("gdb or a compiler failed");
}

static bool has_compiler(const char *command)
{
	return !((strstr(command, "rustc") && system("rustc --version >/dev/null 2>&1")) ||
		 (strstr(command, "go build") && system("go version >/dev/null 2>&1")));
}

static void program_row(void **state)
{
	const struct argument_program *c = *state;
	struct compiled_program program;
	char path[96], line[512];
	struct module *mod;
	size_t count;
	FILE *f;

	if (!has_compiler(c->command))
		skip();
	compiled_program_init(&program, "cc", "int main(void) { return 0; }\n");
	snprintf(path, sizeof(path), "%s/%s", program.folder, c->file);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(c->source, f);
	assert_int_equal(fclose(f), 0);
	/* Whoever sees both leaves out what is not used on the other side. */
	if (c->is_split)
		snprintf(line, sizeof(line),
			 "%s -DCALLEE -c -o callee.o %s && %s -c -o caller.o %s && "
			 "%s -o program caller.o callee.o",
			 c->command, c->file, c->command, c->file, c->command);
	else
		snprintf(line, sizeof(line), "%s -o program %s", c->command, c->file);
	if (compiled_program_run(&program, line))
		show_log(&program);

	mod = compiled_program_module(&program, "program");
	snprintf(path, sizeof(path), "%s/script", program.folder);
	f = fopen(path, "we");
	assert_non_null(f);
	count = write_script(f, mod, c);
	assert_int_equal(fclose(f), 0);
	/* Its status says nothing: that the program ends in the middle of a script is an error, too. */
	compiled_program_run(&program, "timeout 60 gdb -nx -batch -x script ./program");
	if (read_answers(&program, c) != count)
		show_log(&program);
	module_put(mod);
	compiled_program_done(&program);
}

int main(void)
{
	return unit_run_rows("arguments where gdb finds them", program_row,
			     argument_programs, sizeof(argument_programs[0]),
			     argument_program_count);
}
