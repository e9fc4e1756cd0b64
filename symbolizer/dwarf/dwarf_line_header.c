/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/dwarf/dwarf_line_header.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "profiler/base/alloc.h"

/* What an entry of version 5 consists of. */
#define FORMATS_MAX 16

struct entry_format {
	uint64_t content, form;
};

int dwarf_line_header_add_file(struct dwarf_line_header *header, const char *name,
			       uint64_t folder)
{
	int r;

	r = alloc_grow(&header->files, &header->file_capacity, header->file_count + 1);
	if (r < 0)
		return r;
	header->files[header->file_count++] = (struct dwarf_line_file){ name, folder };
	return 0;
}

static int header_add_folder(struct dwarf_line_header *header, const char *name)
{
	int r;

	r = alloc_grow(&header->folders, &header->folder_capacity, header->folder_count + 1);
	if (r < 0)
		return r;
	header->folders[header->folder_count++] = name;
	return 0;
}

/* ---- versions 2 to 4: lists that an empty text ends ---- */

static int header_read_old_tables(struct dwarf_line_header *header, struct byte_reader *reader)
{
	const char *name;
	uint64_t folder;
	int r = 0;

	while (r == 0 && (name = byte_reader_text(reader)) && *name)
		r = header_add_folder(header, name);
	while (r == 0 && (name = byte_reader_text(reader)) && *name) {
		folder = byte_reader_uleb(reader);
		byte_reader_uleb(reader);	/* time */
		byte_reader_uleb(reader);	/* size */
		r = dwarf_line_header_add_file(header, name, folder);
	}
	return r;
}

/* ---- version 5: entries that describe themselves ---- */

static const char *section_text(const struct elf_section *section, uint64_t offset)
{
	if (offset >= section->size || !memchr(section->bytes + offset, '\0',
					       section->size - offset))
		return NULL;
	return (const char *)section->bytes + offset;
}

/* Read one value: a text into @ret_text or a number into @ret_number. */
static int read_form(const struct dwarf_line_source *source, unsigned int offset_bytes,
		     struct byte_reader *reader, uint64_t form, const char **ret_text,
		     uint64_t *ret_number)
{
	switch (form) {
	case DW_FORM_string:
		*ret_text = byte_reader_text(reader);
		return 0;
	case DW_FORM_line_strp:
		*ret_text = section_text(&source->line_strings,
					 byte_reader_fixed(reader, offset_bytes));
		return 0;
	case DW_FORM_strp:
		*ret_text = section_text(&source->strings, byte_reader_fixed(reader, offset_bytes));
		return 0;
	case DW_FORM_udata:
		*ret_number = byte_reader_uleb(reader);
		return 0;
	case DW_FORM_data1:
		*ret_number = byte_reader_fixed(reader, 1);
		return 0;
	case DW_FORM_data2:
		*ret_number = byte_reader_fixed(reader, 2);
		return 0;
	case DW_FORM_data4:
		*ret_number = byte_reader_fixed(reader, 4);
		return 0;
	case DW_FORM_data8:
		*ret_number = byte_reader_fixed(reader, 8);
		return 0;
	case DW_FORM_data16:
		byte_reader_skip(reader, 16);
		return 0;
	case DW_FORM_block:
		byte_reader_skip(reader, byte_reader_uleb(reader));
		return 0;
	}
	return -EBADMSG;
}

static int header_read_entry(const struct dwarf_line_source *source,
			     struct dwarf_line_header *header, struct byte_reader *reader,
			     const struct entry_format *formats, size_t count, bool folders)
{
	uint64_t folder = 0, number;
	const char *name = NULL, *text;
	size_t i;
	int r;

	for (i = 0; i < count; i++) {
		text = NULL;
		number = 0;
		r = read_form(source, header->offset_bytes, reader, formats[i].form, &text,
			      &number);
		if (r < 0)
			return r;
		if (formats[i].content == DW_LNCT_path)
			name = text;
		else if (formats[i].content == DW_LNCT_directory_index)
			folder = number;
	}
	if (!name)
		name = "";
	return folders ? header_add_folder(header, name) :
			 dwarf_line_header_add_file(header, name, folder);
}

static int header_read_table(const struct dwarf_line_source *source,
			     struct dwarf_line_header *header, struct byte_reader *reader,
			     bool folders)
{
	struct entry_format formats[FORMATS_MAX];
	uint64_t count, entries, i;
	size_t before;
	int r = 0;

	count = byte_reader_fixed(reader, 1);
	if (count > FORMATS_MAX)
		return -EBADMSG;
	for (i = 0; i < count; i++) {
		formats[i].content = byte_reader_uleb(reader);
		formats[i].form = byte_reader_uleb(reader);
	}
	entries = byte_reader_uleb(reader);
	for (i = 0; r == 0 && i < entries && !reader->failed; i++) {
		before = reader->position;
		r = header_read_entry(source, header, reader, formats, count, folders);
		/* Entries of nothing could be claimed by the billion. */
		if (reader->position == before)
			return -EBADMSG;
	}
	return r;
}

/* ---- the rest ---- */

static int header_read_settings(struct dwarf_line_header *header, struct byte_reader *reader)
{
	uint64_t length;

	if (header->version >= 5) {
		header->address_bytes = (uint8_t)byte_reader_fixed(reader, 1);
		byte_reader_fixed(reader, 1);	/* bytes of a segment selector */
	}
	length = byte_reader_fixed(reader, header->offset_bytes);
	if (reader->failed || length > reader->size - reader->position)
		return -EBADMSG;
	header->program = *reader;
	header->program.position += length;
	reader->size = header->program.position;
	header->min_instruction_bytes = (uint8_t)byte_reader_fixed(reader, 1);
	if (header->version >= 4)
		byte_reader_fixed(reader, 1);	/* operations per instruction, 1 but on VLIW */
	byte_reader_fixed(reader, 1);		/* whether rows begin statements */
	header->line_base = (int8_t)byte_reader_fixed(reader, 1);
	header->line_range = (uint8_t)byte_reader_fixed(reader, 1);
	header->opcode_base = (uint8_t)byte_reader_fixed(reader, 1);
	if (!header->line_range || !header->opcode_base)
		return -EBADMSG;
	header->opcode_lengths = byte_reader_skip(reader, header->opcode_base - 1u);
	if (header->address_bytes != 4 && header->address_bytes != 8)
		return -EBADMSG;
	return reader->failed ? -EBADMSG : 0;
}

int dwarf_line_header_read(const struct dwarf_line_source *source, uint64_t offset,
			   struct dwarf_line_header *ret)
{
	struct byte_reader reader = { .bytes = source->lines.bytes, .size = source->lines.size };
	uint64_t length;
	int r;

	byte_reader_skip(&reader, offset);
	length = byte_reader_fixed(&reader, 4);
	ret->offset_bytes = length == 0xffffffff ? 8 : 4;
	if (ret->offset_bytes == 8)
		length = byte_reader_fixed(&reader, 8);
	if (reader.failed || length > reader.size - reader.position)
		return -EBADMSG;
	reader.size = reader.position + length;
	ret->version = (uint16_t)byte_reader_fixed(&reader, 2);
	ret->address_bytes = source->address_bytes;
	if (ret->version < 2 || ret->version > 5)
		return -EBADMSG;
	r = header_read_settings(ret, &reader);
	if (r < 0)
		return r;
	if (ret->version < 5) {
		r = header_read_old_tables(ret, &reader);
	} else {
		r = header_read_table(source, ret, &reader, true);
		r = r < 0 ? r : header_read_table(source, ret, &reader, false);
	}
	return r < 0 ? r : reader.failed ? -EBADMSG : 0;
}

void dwarf_line_header_done(struct dwarf_line_header *header)
{
	free(header->files);
	free(header->folders);
	header->files = NULL;
	header->folders = NULL;
}
