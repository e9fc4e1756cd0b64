/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/usdt_notes.h"

#include <elf.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/arena.h"
#include "symbolizer/code/data_symbols.h"
#include "symbolizer/code/usdt_operands.h"
#include "symbolizer/elf/byte_reader.h"

#define NOTE_TYPE 3
#define NOTE_OWNER "stapsdt"

struct usdt_notes {
	struct arena *texts;
	struct usdt_probe *probes;
	size_t count, capacity;
};

/* What the file says besides the notes themselves. */
struct note_file {
	struct elf_file *elf;
	struct data_symbols *symbols;
	bool has_base;
	uint64_t base;		/* where .stapsdt.base is now; a note says where it was */
};

struct note {
	uint64_t address, base, semaphore;
	const char *provider, *name, *arguments;
};

struct usdt_notes *usdt_notes_free(struct usdt_notes *notes)
{
	if (!notes)
		return NULL;
	arena_free(notes->texts);
	free(notes->probes);
	free(notes);
	return NULL;
}

static struct usdt_notes *usdt_notes_new(void)
{
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = calloc(1, sizeof(*notes));

	if (!notes)
		return NULL;
	notes->texts = arena_new(0);
	return notes->texts ? take_ptr(notes) : NULL;
}

size_t usdt_notes_count(const struct usdt_notes *notes)
{
	return notes->count;
}

const struct usdt_probe *usdt_notes_at(const struct usdt_notes *notes, size_t index)
{
	return &notes->probes[index];
}

static void note_file_done(struct note_file *file)
{
	data_symbols_close(file->symbols);
	elf_file_close(file->elf);
}

static int note_file_init(struct note_file *file, struct module *mod)
{
	struct elf_place base;
	int r;

	*file = (struct note_file){ 0 };
	r = module_open(mod, &file->elf);
	if (r < 0)
		return r;
	if (elf_file_class(file->elf) != ELFCLASS64)
		return -EOPNOTSUPP;
	file->symbols = data_symbols_open(mod);
	if (!file->symbols)
		return -ENOMEM;
	r = elf_file_place(file->elf, ".stapsdt.base", &base);
	if (r == -ENOMEM)
		return r;
	file->has_base = r == 0 && base.address;
	file->base = file->has_base ? base.address : 0;
	return 0;
}

/* ---- one note ---- */

/* Padding goes up to a multiple of four. */
static const uint8_t *note_part(struct byte_reader *reader, uint64_t size)
{
	const uint8_t *bytes = byte_reader_skip(reader, size);
	uint64_t padding = (0 - size) & 3, left = reader->size - reader->position;

	byte_reader_skip(reader, padding < left ? padding : left);
	return bytes;
}

/* The next note of any owner. Returns 1 when it is ours, 0 when not, -EBADMSG. */
static int note_next(struct byte_reader *reader, struct byte_reader *ret)
{
	uint64_t name_size = byte_reader_fixed(reader, 4);
	uint64_t size = byte_reader_fixed(reader, 4);
	uint64_t type = byte_reader_fixed(reader, 4);
	const uint8_t *name = note_part(reader, name_size);
	const uint8_t *bytes = note_part(reader, size);

	if (reader->failed)
		return -EBADMSG;
	if (type != NOTE_TYPE || name_size != sizeof(NOTE_OWNER) ||
	    memcmp(name, NOTE_OWNER, sizeof(NOTE_OWNER)))
		return 0;
	*ret = (struct byte_reader){ .bytes = bytes, .size = size };
	return 1;
}

static int note_decode(struct byte_reader *reader, const struct note_file *file, struct note *ret)
{
	uint64_t moved;

	ret->address = byte_reader_fixed(reader, 8);
	ret->base = byte_reader_fixed(reader, 8);
	ret->semaphore = byte_reader_fixed(reader, 8);
	ret->provider = byte_reader_text(reader);
	ret->name = byte_reader_text(reader);
	ret->arguments = byte_reader_text(reader);
	if (reader->failed || !*ret->provider || !*ret->name)
		return -EBADMSG;
	moved = file->has_base && ret->base ? file->base - ret->base : 0;
	ret->address += moved;
	if (ret->semaphore)
		ret->semaphore += moved;
	return 0;
}

/* ---- its arguments ---- */

static int argument_resolve(const struct note_file *file, const struct usdt_probe *probe,
			    const struct usdt_operand *operand, struct usdt_argument *ret)
{
	struct usdt_argument argument = operand->argument;
	uint64_t address;
	int r;

	if (operand->symbol_size) {
		r = data_symbols_find(file->symbols, operand->symbol, operand->symbol_size,
				      &address);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			argument.kind = USDT_UNKNOWN;
		else
			argument.value = (int64_t)((uint64_t)argument.value + address -
						   probe->address);
	}
	*ret = argument;
	return 0;
}

static int probe_add_arguments(const struct note_file *file, struct usdt_probe *probe)
{
	bool is_readable = elf_file_machine(file->elf) == EM_X86_64;
	const char *text = probe->arguments_text;
	struct usdt_operand operand;
	int r;

	while (probe->argument_count < USDT_ARGUMENTS_MAX && usdt_operand_next(&text, &operand)) {
		if (!is_readable) {
			operand.argument.kind = USDT_UNKNOWN;
			operand.symbol_size = 0;
		}
		r = argument_resolve(file, probe, &operand,
				     &probe->arguments[probe->argument_count]);
		if (r < 0)
			return r;
		probe->argument_count++;
	}
	return 0;
}

/* Returns 0, -EBADMSG when it lies outside of the file, -ENOMEM. */
static int usdt_notes_add(struct usdt_notes *notes, const struct note_file *file,
			  const struct note *note)
{
	struct usdt_probe probe = { .address = note->address };
	int r;

	if (elf_file_address_to_offset(file->elf, note->address, &probe.offset) < 0 ||
	    (note->semaphore && elf_file_address_to_offset(file->elf, note->semaphore,
							   &probe.semaphore_offset) < 0))
		return -EBADMSG;
	probe.provider = arena_strdup(notes->texts, note->provider);
	probe.name = arena_strdup(notes->texts, note->name);
	probe.arguments_text = arena_strdup(notes->texts, note->arguments);
	if (!probe.provider || !probe.name || !probe.arguments_text)
		return -ENOMEM;
	r = probe_add_arguments(file, &probe);
	if (r < 0)
		return r;
	r = alloc_grow(&notes->probes, &notes->capacity, notes->count + 1);
	if (r < 0)
		return r;
	notes->probes[notes->count++] = probe;
	return 0;
}

/* ---- all of them ---- */

static bool matches(const char *pattern, const char *name)
{
	return !pattern || !strcmp(pattern, name) || !fnmatch(pattern, name, 0);
}

/* Returns 0, -EBADMSG when something was damaged (what is not is added), -ENOMEM. */
static int usdt_notes_fill(struct usdt_notes *notes, const struct note_file *file,
			   struct byte_reader *reader, const char *provider, const char *name)
{
	struct byte_reader inner;
	struct note note;
	int damage = 0, r;

	while (reader->position < reader->size) {
		r = note_next(reader, &inner);
		if (r < 0)
			return r;
		if (!r)
			continue;
		r = note_decode(&inner, file, &note);
		if (r == 0 && matches(provider, note.provider) && matches(name, note.name))
			r = usdt_notes_add(notes, file, &note);
		if (r == -ENOMEM)
			return r;
		damage = damage ?: r;
	}
	return damage;
}

int usdt_notes_read(struct module *mod, const char *provider, const char *name,
		    struct usdt_notes **ret)
{
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = usdt_notes_new();
	_cleanup_(note_file_done) struct note_file file = { 0 };
	struct elf_section section;
	struct byte_reader reader;
	int r;

	if (!notes)
		return -ENOMEM;
	r = note_file_init(&file, mod);
	r = r ?: elf_file_section(file.elf, ".note.stapsdt", &section);
	if (r < 0)
		return r;
	reader = (struct byte_reader){ .bytes = section.bytes, .size = section.size };
	r = usdt_notes_fill(notes, &file, &reader, provider, name);
	if (r == -ENOMEM)
		return r;
	if (!notes->count)
		return r ?: -ENOENT;
	*ret = take_ptr(notes);
	return 0;
}
