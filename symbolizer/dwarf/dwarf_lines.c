/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/dwarf/dwarf_lines.h"

#include <dwarf.h>
#include <errno.h>

#include "profiler/base/alloc.h"
#include "profiler/base/sorted.h"
#include "symbolizer/dwarf/dwarf_line_header.h"
#include "symbolizer/range_index.h"

/* LLVM's largest unit has 400,000. A hostile program makes one of each of its bytes. */
#define ROWS_MAX ((size_t)4 << 20)

struct row {
	uint64_t address;
	uint32_t file, line;
};

/* Rows with ascending addresses. */
struct sequence {
	uint32_t first, count;
};

struct dwarf_lines {
	struct dwarf_line_header header;
	const char *folder;
	struct row *rows;
	size_t row_count, row_capacity;
	struct sequence *sequences;
	size_t sequence_count, sequence_capacity;
	struct range_index ranges;	/* of addresses to sequences */
};

/* The registers of the machine that a line program is for. */
struct machine {
	uint64_t address;
	uint32_t file, line;
	size_t first_row;	/* of the current sequence */
};

static const struct machine machine_start = { .file = 1, .line = 1 };

struct dwarf_lines *dwarf_lines_free(struct dwarf_lines *lines)
{
	if (!lines)
		return NULL;
	dwarf_line_header_done(&lines->header);
	free(lines->rows);
	free(lines->sequences);
	range_index_done(&lines->ranges);
	free(lines);
	return NULL;
}

/* ---- the program ---- */

static int lines_add_row(struct dwarf_lines *lines, const struct machine *machine)
{
	struct row *last = lines->row_count > machine->first_row ?
				   &lines->rows[lines->row_count - 1] : NULL;
	int r;

	/* Of rows at one address the last counts. */
	if (!last || last->address != machine->address) {
		if (lines->row_count >= ROWS_MAX)
			return -EFBIG;
		r = alloc_grow(&lines->rows, &lines->row_capacity, lines->row_count + 1);
		if (r < 0)
			return r;
		last = &lines->rows[lines->row_count++];
	}
	*last = (struct row){ machine->address, machine->file, machine->line };
	return 0;
}

static int lines_end_sequence(struct dwarf_lines *lines, struct machine *machine)
{
	size_t first = machine->first_row, count = lines->row_count - first;
	uint64_t start = count ? lines->rows[first].address : 0;
	int r;

	if (!start || start >= machine->address) {
		/* Of code that the linker dropped. */
		lines->row_count = first;
	} else {
		r = alloc_grow(&lines->sequences, &lines->sequence_capacity,
			       lines->sequence_count + 1);
		if (r < 0)
			return r;
		lines->sequences[lines->sequence_count] =
			(struct sequence){ (uint32_t)first, (uint32_t)count };
		r = range_index_add(&lines->ranges, start, machine->address,
				    (uint32_t)lines->sequence_count++);
		if (r < 0)
			return r;
	}
	*machine = machine_start;
	machine->first_row = lines->row_count;
	return 0;
}

static int run_extended(struct dwarf_lines *lines, struct byte_reader *program,
			struct machine *machine)
{
	uint64_t size = byte_reader_uleb(program), folder;
	struct byte_reader operands = *program;
	const char *name;

	byte_reader_skip(program, size);
	if (program->failed)
		return -EBADMSG;
	operands.size = program->position;
	switch (byte_reader_fixed(&operands, 1)) {
	case DW_LNE_end_sequence:
		return lines_end_sequence(lines, machine);
	case DW_LNE_set_address:
		if (size != 5 && size != 9)
			return -EBADMSG;
		machine->address = byte_reader_fixed(&operands, (unsigned int)size - 1);
		return 0;
	case DW_LNE_define_file:
		name = byte_reader_text(&operands);
		folder = byte_reader_uleb(&operands);
		return name ? dwarf_line_header_add_file(&lines->header, name, folder) : -EBADMSG;
	}
	return 0;
}

static void skip_operands(const struct dwarf_line_header *header, struct byte_reader *program,
			  uint8_t opcode)
{
	uint8_t i;

	for (i = 0; i < header->opcode_lengths[opcode - 1]; i++)
		byte_reader_uleb(program);
}

static void advance_special(const struct dwarf_line_header *header, uint8_t opcode,
			    struct machine *machine)
{
	uint8_t adjusted = (uint8_t)(opcode - header->opcode_base);

	machine->address += (uint64_t)(adjusted / header->line_range) *
			    header->min_instruction_bytes;
}

static int run_standard(struct dwarf_lines *lines, struct byte_reader *program, uint8_t opcode,
			struct machine *machine)
{
	const struct dwarf_line_header *header = &lines->header;

	switch (opcode) {
	case DW_LNS_copy:
		return lines_add_row(lines, machine);
	case DW_LNS_advance_pc:
		machine->address += byte_reader_uleb(program) * header->min_instruction_bytes;
		return 0;
	case DW_LNS_advance_line:
		machine->line += (uint32_t)byte_reader_sleb(program);
		return 0;
	case DW_LNS_set_file:
		machine->file = (uint32_t)byte_reader_uleb(program);
		return 0;
	case DW_LNS_const_add_pc:
		advance_special(header, 255, machine);
		return 0;
	case DW_LNS_fixed_advance_pc:
		machine->address += byte_reader_fixed(program, 2);
		return 0;
	}
	skip_operands(header, program, opcode);
	return 0;
}

static int run_special(struct dwarf_lines *lines, uint8_t opcode, struct machine *machine)
{
	const struct dwarf_line_header *header = &lines->header;
	uint8_t adjusted = (uint8_t)(opcode - header->opcode_base);

	advance_special(header, opcode, machine);
	machine->line += (uint32_t)(header->line_base + adjusted % header->line_range);
	return lines_add_row(lines, machine);
}

static int lines_run(struct dwarf_lines *lines)
{
	struct byte_reader program = lines->header.program;
	struct machine machine = machine_start;
	uint8_t opcode;
	int r = 0;

	while (r == 0 && program.position < program.size && !program.failed) {
		opcode = (uint8_t)byte_reader_fixed(&program, 1);
		if (opcode >= lines->header.opcode_base)
			r = run_special(lines, opcode, &machine);
		else if (opcode)
			r = run_standard(lines, &program, opcode, &machine);
		else
			r = run_extended(lines, &program, &machine);
	}
	if (r < 0)
		return r;
	/* What no end_sequence follows has no end. */
	lines->row_count = machine.first_row;
	return program.failed ? -EBADMSG : 0;
}

int dwarf_lines_read(const struct dwarf_line_source *source, uint64_t offset, const char *folder,
		     struct dwarf_lines **ret)
{
	_cleanup_(dwarf_lines_freep) struct dwarf_lines *lines = calloc(1, sizeof(*lines));
	int r;

	if (!lines)
		return -ENOMEM;
	lines->folder = folder;
	r = dwarf_line_header_read(source, offset, &lines->header);
	if (r < 0)
		return r;
	r = lines_run(lines);
	if (r < 0)
		return r;
	range_index_build(&lines->ranges);
	*ret = take_ptr(lines);
	return 0;
}

/* ---- looking up ---- */

int dwarf_lines_find(const struct dwarf_lines *lines, uint64_t address, uint32_t *ret_file,
		     uint32_t *ret_line)
{
	uint32_t position = RANGE_NONE;
	const struct range *range = range_index_next(&lines->ranges, address, &position);
	const struct sequence *sequence;
	const struct row *row;
	size_t count;

	if (!range)
		return -ENOENT;
	sequence = &lines->sequences[range->value];
	/* The sequence starts at or before the address, so the first row always does. */
	count = sorted_count(lines->rows + sequence->first, sequence->count, address, address);
	row = lines->rows + sequence->first + (count ? count - 1 : 0);
	*ret_file = row->file;
	*ret_line = row->line;
	return 0;
}

/* Folder number @index, or NULL. */
static const char *lines_folder(const struct dwarf_lines *lines, uint64_t index)
{
	const struct dwarf_line_header *header = &lines->header;

	if (header->version < 5) {
		if (!index)
			return lines->folder;
		index--;
	}
	return index < header->folder_count ? header->folders[index] : NULL;
}

static void add_part(struct strbuf *buf, const char *folder)
{
	strbuf_add_text(buf, folder);
	if (buf->size && buf->data[buf->size - 1] != '/')
		strbuf_add_char(buf, '/');
}

int dwarf_lines_path(const struct dwarf_lines *lines, uint32_t file, struct strbuf *buf)
{
	const struct dwarf_line_header *header = &lines->header;
	const char *folder, *name;
	uint32_t index = header->version < 5 ? file - 1 : file;

	if (index >= header->file_count || !*header->files[index].name)
		return -ENOENT;
	name = header->files[index].name;
	folder = lines_folder(lines, header->files[index].folder);
	if (*name != '/' && folder) {
		/* Folder 0 is the compilation's own, and not relative to itself. */
		if (*folder != '/' && header->files[index].folder && lines->folder)
			add_part(buf, lines->folder);
		add_part(buf, folder);
	}
	strbuf_add_text(buf, name);
	return buf->error;
}

size_t dwarf_lines_bytes(const struct dwarf_lines *lines)
{
	return sizeof(*lines) + lines->row_capacity * sizeof(*lines->rows) +
	       lines->sequence_capacity * sizeof(*lines->sequences) +
	       lines->ranges.capacity * sizeof(*lines->ranges.ranges) +
	       lines->header.file_capacity * sizeof(*lines->header.files) +
	       lines->header.folder_capacity * sizeof(*lines->header.folders);
}
