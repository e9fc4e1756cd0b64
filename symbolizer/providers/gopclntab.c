/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gopclntab.c - names, files and lines of Go code by .gopclntab.
 *
 * The Go runtime itself needs this table for its tracebacks, so stripping
 * leaves it. Knows the layouts of Go 1.16, 1.18 and 1.20 to 1.26. Calls that
 * were inlined are not told apart: their tree is found only through the
 * runtime's own data.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/elf/byte_reader.h"
#include "symbolizer/names.h"
#include "symbolizer/providers/gopclntab.h"
#include "symbolizer/providers/provider.h"

#define MAGIC_GO_1_16 0xfffffffau
#define MAGIC_GO_1_18 0xfffffff0u
#define MAGIC_GO_1_20 0xfffffff1u
#define HEADER_BYTES 8
#define WORD_BYTES 8

/* Numbers of four bytes that follow the entry of a function's description. */
enum func_field {
	FUNC_NAME = 0,
	FUNC_PCFILE = 4,
	FUNC_PCLN = 5,
	FUNC_CU_OFFSET = 7,
};

struct gopclntab {
	struct elf_file *elf;
	struct elf_section table;
	uint64_t text;		/* ELF address that entries count from */
	uint64_t names, units, files, values, functions;	/* offsets in the table */
	uint64_t count;
	unsigned int entry_bytes;	/* of an address of code */
	uint8_t quantum;		/* bytes of the smallest instruction */
};

/* A function found. */
struct go_function {
	uint64_t start;
	uint64_t offset;	/* of its description in the table */
};

static struct byte_reader reader_at(const struct gopclntab *go, uint64_t offset)
{
	struct byte_reader reader = { .bytes = go->table.bytes, .size = go->table.size };

	byte_reader_skip(&reader, offset);
	return reader;
}

static uint64_t word_at(const struct gopclntab *go, unsigned int index)
{
	struct byte_reader reader = reader_at(go, HEADER_BYTES + (uint64_t)index * WORD_BYTES);

	return byte_reader_fixed(&reader, WORD_BYTES);
}

struct gopclntab *gopclntab_close(struct gopclntab *go)
{
	if (!go)
		return NULL;
	elf_file_close(go->elf);
	free(go);
	return NULL;
}

static void gopclntab_free(void *state)
{
	gopclntab_close(state);
}

/* ---- the header ---- */

static int gopclntab_read_header(struct gopclntab *go)
{
	struct byte_reader reader = reader_at(go, 0);
	uint32_t magic = (uint32_t)byte_reader_fixed(&reader, 4);
	unsigned int first;

	byte_reader_skip(&reader, 2);
	go->quantum = (uint8_t)byte_reader_fixed(&reader, 1);
	if (byte_reader_fixed(&reader, 1) != WORD_BYTES || reader.failed)
		return -EBADMSG;
	if (magic == MAGIC_GO_1_16) {
		first = 2;
		go->entry_bytes = WORD_BYTES;
	} else if (magic == MAGIC_GO_1_18 || magic == MAGIC_GO_1_20) {
		first = 3;
		go->entry_bytes = 4;
		go->text = word_at(go, 2);
	} else {
		return -ENOENT;
	}
	go->count = word_at(go, 0);
	go->names = word_at(go, first);
	go->units = word_at(go, first + 1);
	go->files = word_at(go, first + 2);
	go->values = word_at(go, first + 3);
	go->functions = word_at(go, first + 4);
	if (!go->count || go->functions >= go->table.size ||
	    go->count >= (go->table.size - go->functions) / (2 * go->entry_bytes))
		return -EBADMSG;
	return 0;
}

static uint64_t gopclntab_entry(const struct gopclntab *go, uint64_t index)
{
	struct byte_reader reader = reader_at(go, go->functions + index * 2 * go->entry_bytes);

	return go->text + byte_reader_fixed(&reader, go->entry_bytes);
}

/* The description of function @index of the table. */
static int gopclntab_describe(const struct gopclntab *go, uint64_t index, struct go_function *ret)
{
	struct byte_reader reader = reader_at(go, go->functions + index * 2 * go->entry_bytes +
					      go->entry_bytes);

	ret->start = gopclntab_entry(go, index);
	ret->offset = go->functions + byte_reader_fixed(&reader, go->entry_bytes);
	return reader.failed ? -EBADMSG : 0;
}

static int gopclntab_find(const struct gopclntab *go, uint64_t address, struct go_function *ret)
{
	uint64_t low = 0, high = go->count, middle;

	/* One entry more than functions tells where the last one ends. */
	if (address >= gopclntab_entry(go, go->count))
		return -ENOENT;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (gopclntab_entry(go, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? gopclntab_describe(go, low - 1, ret) : -ENOENT;
}

static uint32_t function_field(const struct gopclntab *go, const struct go_function *function,
			       enum func_field field)
{
	struct byte_reader reader = reader_at(go, function->offset + go->entry_bytes +
					      4 * (unsigned int)field);

	return (uint32_t)byte_reader_fixed(&reader, 4);
}

static const char *function_name(const struct gopclntab *go, const struct go_function *function)
{
	struct byte_reader reader = reader_at(go, go->names +
					      function_field(go, function, FUNC_NAME));

	return byte_reader_text(&reader);
}

/* ---- where entries count from ---- */

/* The linker's symbol, when the program is not stripped. Returns 0 when there is none. */
static uint64_t runtime_text(struct elf_file *elf)
{
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	long count = elf_file_symbols(elf, ".symtab", &symbols), i;

	for (i = 0; i < count; i++) {
		if (symbols[i].name && !strcmp(symbols[i].name, "runtime.text"))
			return symbols[i].address;
	}
	return 0;
}

/*
 * Go 1.26 and position-independent programs leave it to the loader to say
 * where the code begins. Without a symbol it is where .text does, unless the C
 * linker put something before it; then the program does not begin in Go's
 * start-up code.
 */
static int gopclntab_find_text(struct gopclntab *go)
{
	struct go_function start;
	struct elf_place text;
	const char *name;
	int r;

	if (go->text || go->entry_bytes == WORD_BYTES)
		return 0;
	go->text = runtime_text(go->elf);
	if (go->text)
		return 0;
	r = elf_file_place(go->elf, ".text", &text);
	if (r < 0)
		return r;
	go->text = text.address;
	r = gopclntab_find(go, elf_file_entry(go->elf), &start);
	if (r < 0)
		return r;
	name = function_name(go, &start);
	if (start.start != elf_file_entry(go->elf) || !name || strncmp(name, "_rt0_", 5))
		return -EOPNOTSUPP;
	return 0;
}

int gopclntab_open(struct module *mod, struct gopclntab **ret)
{
	_cleanup_(gopclntab_closep) struct gopclntab *go = calloc(1, sizeof(*go));
	int r;

	if (!go)
		return -ENOMEM;
	r = module_open(mod, &go->elf);
	if (r < 0)
		return r;
	if (elf_file_class(go->elf) != ELFCLASS64)
		return -ENOENT;
	r = elf_file_section(go->elf, ".gopclntab", &go->table);
	if (r == -ENOENT)
		r = elf_file_section(go->elf, ".data.rel.ro.gopclntab", &go->table);
	if (r < 0)
		return r;
	r = gopclntab_read_header(go);
	if (r < 0)
		return r;
	r = gopclntab_find_text(go);
	if (r < 0)
		return r;
	*ret = take_ptr(go);
	return 0;
}

static int gopclntab_provide(struct module *mod, void **ret)
{
	struct gopclntab *go;
	int r = gopclntab_open(mod, &go);

	if (r < 0)
		return r;
	*ret = go;
	return 0;
}

uint64_t gopclntab_count(const struct gopclntab *go)
{
	return go->count;
}

int gopclntab_function(const struct gopclntab *go, uint64_t index, struct gopclntab_function *ret)
{
	struct go_function function;
	const char *name;
	uint64_t end;
	int r;

	r = gopclntab_describe(go, index, &function);
	if (r < 0)
		return r;
	name = function_name(go, &function);
	end = gopclntab_entry(go, index + 1);
	if (!name || end < function.start)
		return -EBADMSG;
	ret->address = function.start;
	ret->size = end - function.start;
	ret->name = name;
	return 0;
}

/* ---- files and lines ---- */

/*
 * The value that the table at @offset of the values has at @address: pairs of
 * a zigzag difference of values and how much code it is for.
 */
static int value_at(const struct gopclntab *go, const struct go_function *function,
		    uint32_t offset, uint64_t address, int32_t *ret)
{
	struct byte_reader reader = reader_at(go, go->values + offset);
	uint64_t pc = function->start, change;
	bool first = true;
	int32_t value = -1;

	while (!reader.failed) {
		change = byte_reader_uleb(&reader);
		if (!change && !first)
			return -ENOENT;
		first = false;
		value = (int32_t)((uint32_t)value +
				  (uint32_t)((change >> 1) ^ (0 - (change & 1))));
		pc += byte_reader_uleb(&reader) * go->quantum;
		if (address < pc) {
			*ret = value;
			return reader.failed ? -EBADMSG : 0;
		}
	}
	return -EBADMSG;
}

static const char *file_name(const struct gopclntab *go, const struct go_function *function,
			     int32_t number)
{
	uint64_t index = (uint64_t)function_field(go, function, FUNC_CU_OFFSET) + (uint32_t)number;
	struct byte_reader reader = reader_at(go, go->units + 4 * index);
	uint32_t offset = (uint32_t)byte_reader_fixed(&reader, 4);

	if (reader.failed || offset == UINT32_MAX)
		return NULL;
	reader = reader_at(go, go->files + offset);
	return byte_reader_text(&reader);
}

static int frame_set_line(const struct gopclntab *go, struct names *names,
			  const struct go_function *function, uint64_t address,
			  struct frame *frame)
{
	int32_t file, line;
	const char *name;

	if (value_at(go, function, function_field(go, function, FUNC_PCFILE), address, &file) < 0 ||
	    value_at(go, function, function_field(go, function, FUNC_PCLN), address, &line) < 0)
		return 0;
	name = file >= 0 ? file_name(go, function, file) : NULL;
	if (!name || !*name)
		return 0;
	frame->file = names_text(names, name);
	if (!frame->file)
		return -ENOMEM;
	frame->line = line > 0 ? (uint32_t)line : 0;
	return 0;
}

static int gopclntab_lookup(void *state, struct names *names, uint64_t address, struct frame *ret,
			    size_t max)
{
	const struct gopclntab *go = state;
	struct go_function function;
	struct frame frame = { .origin = FRAME_GO };
	const char *name;
	int r;

	r = gopclntab_find(go, address, &function);
	if (r < 0)
		return r;
	name = function_name(go, &function);
	if (!name || !*name)
		return -EBADMSG;
	/* A function "cold" of package "main" is no part of another. */
	r = names_plain(names, name, &frame);
	if (r < 0)
		return r;
	r = frame_set_line(go, names, &function, address, &frame);
	if (r < 0)
		return r;
	frame.start = function.start;
	*ret = frame;
	return 1;
}

static size_t gopclntab_bytes(const void *state)
{
	const struct gopclntab *go = state;

	return sizeof(*go) + go->table.size;
}

const struct provider gopclntab_provider = {
	.name = ".gopclntab",
	.open = gopclntab_provide,
	.lookup = gopclntab_lookup,
	.bytes = gopclntab_bytes,
	.free = gopclntab_free,
};
