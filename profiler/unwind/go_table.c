/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/go_table.h"

#include <errno.h>
#include <string.h>

#define MAGIC_GO_1_16 0xfffffffau
#define MAGIC_GO_1_18 0xfffffff0u
#define MAGIC_GO_1_20 0xfffffff1u
#define HEADER_BYTES 8		/* magic, two zeros, instruction alignment, bytes of an address */
#define WORD_BYTES 8
#define INSTRUCTION_ALIGNMENT 1

/* Numbers of four bytes in a function's description, behind its entry. */
#define FIELD_NAME 0
#define FIELD_DELTAS 3

/*
 * The layouts. Numbers follow the header: how many functions, files, where the
 * code begins (not in Go 1.16, whose functions have whole addresses), then
 * offsets of names, units, files, values and functions.
 */
static const struct layout {
	uint32_t magic, entry_bytes, flag_offset, first_offset;
} layouts[] = {
	{ MAGIC_GO_1_16, 8, 41, 2 },
	{ MAGIC_GO_1_18, 4, 37, 3 },
	{ MAGIC_GO_1_20, 4, 41, 3 },
};

static struct cfi_cursor cursor_at(const struct go_table *table, uint64_t offset)
{
	const uint8_t *end = table->bytes + table->size;

	return (struct cfi_cursor){
		.at = offset < table->size ? table->bytes + offset : end,
		.end = end,
	};
}

static uint64_t number_at(const struct go_table *table, uint64_t offset, size_t bytes)
{
	struct cfi_cursor cursor = cursor_at(table, offset);

	return cfi_read_fixed(&cursor, bytes);
}

static uint64_t header_word(const struct go_table *table, uint32_t index)
{
	return number_at(table, HEADER_BYTES + (uint64_t)index * WORD_BYTES, WORD_BYTES);
}

static int read_header(struct go_table *table)
{
	struct cfi_cursor cursor = cursor_at(table, 0);
	uint32_t magic = (uint32_t)cfi_read_fixed(&cursor, 4);
	const struct layout *layout = layouts;

	while (layout->magic != magic) {
		if (++layout == layouts + sizeof(layouts) / sizeof(layouts[0]))
			return -EOPNOTSUPP;
	}
	cfi_skip(&cursor, 2);
	if (cfi_read_u8(&cursor) != INSTRUCTION_ALIGNMENT || cfi_read_u8(&cursor) != WORD_BYTES)
		return -EBADMSG;
	table->entry_bytes = layout->entry_bytes;
	table->flag_offset = layout->flag_offset;
	table->count = header_word(table, 0);
	table->text = layout->first_offset == 3 ? header_word(table, 2) : 0;
	table->names = header_word(table, layout->first_offset);
	table->values = header_word(table, layout->first_offset + 3);
	table->functions = header_word(table, layout->first_offset + 4);
	/* There is one address more than functions: where the last one ends. */
	if (!table->count || table->functions >= table->size || table->values >= table->size ||
	    table->names >= table->size ||
	    table->count >= (table->size - table->functions) / (2 * table->entry_bytes))
		return -EBADMSG;
	return 0;
}

static uint64_t entry_at(const struct go_table *table, uint64_t index)
{
	return table->text + number_at(table, table->functions + index * 2 * table->entry_bytes,
				       table->entry_bytes);
}

uint64_t go_table_start(const struct go_table *table)
{
	return entry_at(table, 0);
}

uint64_t go_table_end(const struct go_table *table)
{
	return entry_at(table, table->count);
}

int go_table_function(const struct go_table *table, uint64_t index, struct go_function *ret)
{
	uint64_t entry = table->functions + index * 2 * table->entry_bytes;
	uint64_t offset = number_at(table, entry + table->entry_bytes, table->entry_bytes);
	uint64_t fields, deltas;
	struct go_function function = {
		.start = entry_at(table, index),
		.end = entry_at(table, index + 1),
	};

	if (offset >= table->size - table->functions || function.end < function.start)
		return -EBADMSG;
	offset += table->functions;
	fields = offset + table->entry_bytes;
	if (table->size - offset <= table->flag_offset)
		return -EBADMSG;
	function.name = (uint32_t)number_at(table, fields + 4 * FIELD_NAME, 4);
	deltas = number_at(table, fields + 4 * FIELD_DELTAS, 4);
	function.deltas = deltas ? table->values + deltas : 0;
	function.flags = table->bytes[offset + table->flag_offset];
	*ret = function;
	return 0;
}

bool go_table_is_named(const struct go_table *table, const struct go_function *function,
		       const char *name)
{
	struct cfi_cursor cursor = cursor_at(table, table->names + function->name);
	size_t size = strlen(name) + 1;

	return (size_t)(cursor.end - cursor.at) >= size && !memcmp(cursor.at, name, size);
}

void go_deltas_start(struct go_deltas *deltas, const struct go_table *table,
		     const struct go_function *function)
{
	*deltas = (struct go_deltas){
		.pairs = cursor_at(table, function->deltas ? function->deltas : table->size),
		.end = function->start,
		.delta = -1,
	};
}

int go_deltas_next(struct go_deltas *deltas)
{
	uint64_t change = cfi_read_uleb(&deltas->pairs), bytes;

	/* A change of 0 ends the table, but for the first one, which is from -1. */
	if (!change && deltas->started)
		return 0;
	bytes = cfi_read_uleb(&deltas->pairs);
	if (deltas->pairs.damaged || bytes > UINT32_MAX)
		return 0;
	deltas->started = true;
	/* Zigzag: the lowest bit is the sign. */
	deltas->delta = (int32_t)((uint32_t)deltas->delta +
				  (uint32_t)((change >> 1) ^ (0 - (change & 1))));
	deltas->end += bytes;
	return 1;
}

/* ---- where the code begins ---- */

/* runtime.goexit: nop; call. Every goroutine's first frame returns to behind the nop. */
static const uint8_t goexit_bytes[] = { 0x90, 0xe8 };
static const uint8_t sigreturn_bytes[] = { 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 };

/* Functions whose code is known; UINT64_MAX: not found. As offsets from the beginning. */
struct landmarks {
	uint64_t goexit, sigreturn;
};

static struct landmarks find_landmarks(const struct go_table *table)
{
	struct landmarks found = { UINT64_MAX, UINT64_MAX };
	struct go_function function;
	uint64_t i;

	for (i = 0; i < table->count; i++) {
		if (go_table_function(table, i, &function) < 0)
			continue;
		if (go_table_is_named(table, &function, "runtime.goexit"))
			found.goexit = function.start - table->text;
		else if (go_table_is_named(table, &function, "runtime.sigreturn__sigaction") ||
			 go_table_is_named(table, &function, "runtime.sigreturn"))
			found.sigreturn = function.start - table->text;
	}
	return found;
}

static bool has_bytes(const struct special_code *code, uint64_t address, const uint8_t *bytes,
		      size_t size)
{
	const struct text_segment *segment = special_code_segment(code, address);

	return segment && segment->bytes && segment->end - address >= size &&
	       !memcmp(segment->bytes + (address - segment->start), bytes, size);
}

static bool begins_at(const struct special_code *code, const struct landmarks *marks,
		      uint64_t address)
{
	return has_bytes(code, address + marks->goexit, goexit_bytes, sizeof(goexit_bytes));
}

/* The beginning by where the signal trampoline is. Returns 0 when it is not there. */
static uint64_t search_text(const struct special_code *code, const struct landmarks *marks)
{
	const struct text_segment *segment;
	const uint8_t *at, *end;
	uint64_t address;

	for (segment = code->segments; segment < code->segments + code->segment_count; segment++) {
		if (!segment->bytes)
			continue;
		at = segment->bytes;
		end = at + (segment->end - segment->start);
		while ((at = memmem(at, (size_t)(end - at), sigreturn_bytes,
				    sizeof(sigreturn_bytes)))) {
			address = segment->start + (uint64_t)(at - segment->bytes) -
				  marks->sigreturn;
			if (begins_at(code, marks, address))
				return address;
			at++;
		}
	}
	return 0;
}

/*
 * The header says where code begins only in programs at a fixed address, and
 * since Go 1.26 in none. Go's own linker puts Go code first into .text; the C
 * linker puts its start-up code before it. What is found is checked by the
 * bytes of a function that is in every program.
 */
static int find_text(struct go_table *table, struct elf_file *elf, const struct special_code *code)
{
	struct landmarks marks = find_landmarks(table);
	struct elf_place text = { 0 };

	if (marks.goexit == UINT64_MAX)
		return -EOPNOTSUPP;
	if (begins_at(code, &marks, table->text))
		return 0;
	if (table->entry_bytes == WORD_BYTES)
		return -EOPNOTSUPP;
	elf_file_place(elf, ".text", &text);
	table->text = text.address;
	if (begins_at(code, &marks, table->text))
		return 0;
	if (marks.sigreturn == UINT64_MAX)
		return -EOPNOTSUPP;
	table->text = search_text(code, &marks);
	return table->text ? 0 : -EOPNOTSUPP;
}

int go_table_open(struct elf_file *elf, struct special_code *code, struct go_table *ret)
{
	struct go_table table = { 0 };
	struct elf_section section;
	int r;

	r = elf_file_section(elf, ".gopclntab", &section);
	if (r == -ENOENT)
		r = elf_file_section(elf, ".data.rel.ro.gopclntab", &section);
	if (r < 0)
		return r;
	table.bytes = section.bytes;
	table.size = section.size;
	r = read_header(&table);
	if (r == 0)
		r = special_code_read(code, elf);
	if (r == 0)
		r = find_text(&table, elf, code);
	if (r < 0)
		return r;
	*ret = table;
	return 0;
}
