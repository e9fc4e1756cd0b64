/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/special_code.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

/* mov $15,%rax; syscall: rt_sigreturn, as the kernel's ABI wants it called. */
static const uint8_t sigreturn[] = { 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 };

/* How much of the code at the entry belongs to it: hand-written code that calls into C soon. */
#define ENTRY_BYTES_MAX 64

static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

/*
 * How entries begin: they clear rbp, for frame pointers end here, or take the arguments from
 * the stack. Some linkers set the entry of a shared library to just anywhere.
 */
static const struct {
	uint8_t bytes[3], size;
} entry_starts[] = {
	{ { 0x31, 0xed }, 2 },			/* xor %ebp,%ebp */
	{ { 0x48, 0x31, 0xed }, 3 },		/* xor %rbp,%rbp */
	{ { 0x48, 0x89, 0xe7 }, 3 },		/* mov %rsp,%rdi */
};

void special_code_init(struct special_code *code, const struct elf_file *elf)
{
	size_t count, i;
	const struct elf_segment *segments = elf_file_segments(elf, &count);

	*code = (struct special_code){ 0 };
	for (i = 0; i < count && code->segment_count < TEXT_SEGMENTS_MAX; i++) {
		if (!segments[i].executable)
			continue;
		code->segments[code->segment_count++] = (struct text_segment){
			.start = segments[i].address,
			.end = segments[i].address + segments[i].file_bytes,
		};
	}
}

const struct text_segment *special_code_segment(const struct special_code *code, uint64_t address)
{
	size_t i;

	for (i = 0; i < code->segment_count; i++) {
		if (address >= code->segments[i].start && address < code->segments[i].end)
			return &code->segments[i];
	}
	return NULL;
}

/* The bytes at @address, with how many follow it in *@ret_size, or NULL when they were not read. */
static const uint8_t *text_at(const struct special_code *code, uint64_t address, size_t *ret_size)
{
	const struct text_segment *segment = special_code_segment(code, address);

	if (!segment || !segment->bytes)
		return NULL;
	*ret_size = segment->end - address;
	return segment->bytes + (address - segment->start);
}

static int read_text(struct special_code *code, struct elf_file *elf)
{
	struct elf_section text;
	size_t i;
	int r;

	for (i = 0; i < code->segment_count; i++) {
		struct text_segment *segment = &code->segments[i];

		r = elf_file_text(elf, i, &text);
		if (r == -ENOMEM)
			return r;
		/* What cannot be read has nothing special about it. */
		if (r < 0 || text.address != segment->start ||
		    text.size < segment->end - segment->start)
			continue;
		segment->bytes = text.bytes;
	}
	return 0;
}

static bool looks_like_entry(const struct special_code *code, uint64_t entry)
{
	size_t room, i;
	const uint8_t *bytes = text_at(code, entry, &room);

	if (!bytes)
		return false;
	if (room > sizeof(endbr64) && !memcmp(bytes, endbr64, sizeof(endbr64))) {
		bytes += sizeof(endbr64);
		room -= sizeof(endbr64);
	}
	for (i = 0; i < sizeof(entry_starts) / sizeof(entry_starts[0]); i++) {
		if (room >= entry_starts[i].size &&
		    !memcmp(bytes, entry_starts[i].bytes, entry_starts[i].size))
			return true;
	}
	return false;
}

/* How much code there is. Without .text, a segment may also hold read-only data. */
static uint64_t text_bytes(const struct special_code *code, struct elf_file *elf)
{
	struct elf_place text;
	uint64_t sum = 0;
	size_t i;

	if (elf_file_place(elf, ".text", &text) == 0)
		return text.size;
	for (i = 0; i < code->segment_count; i++)
		sum += code->segments[i].end - code->segments[i].start;
	return sum;
}

int special_code_load(struct special_code *code, struct elf_file *elf, uint64_t covered)
{
	uint64_t entry = elf_file_entry(elf), size = text_bytes(code, elf);
	struct elf_place interpreter;
	bool dynamic = elf_file_place(elf, ".interp", &interpreter) == 0;
	int r = 0;

	if ((entry && !dynamic) || (covered < size && size - covered >= size / 8))
		r = read_text(code, elf);
	if (r < 0)
		return r;
	if (dynamic || elf_file_type(elf) == ET_EXEC || looks_like_entry(code, entry))
		code->entry = entry;
	return 0;
}

static bool next_trampoline(const struct special_code *code, uint64_t from, uint64_t to,
			    struct special_range *ret)
{
	size_t size;
	const uint8_t *bytes = text_at(code, from, &size), *found;
	const struct text_segment *segment;
	uint64_t address;

	if (!bytes)
		return false;
	if (size > to - from)
		size = to - from;
	found = memmem(bytes, size, sigreturn, sizeof(sigreturn));
	if (!found)
		return false;
	address = from + (uint64_t)(found - bytes);
	segment = special_code_segment(code, address);
	*ret = (struct special_range){
		.start = address > segment->start ? address - 1 : address,
		.end = address + sizeof(sigreturn),
		.rule = { .kind = UNWIND_SIGNAL },
	};
	return true;
}

bool special_code_next(const struct special_code *code, uint64_t from, uint64_t to,
		       struct special_range *ret)
{
	struct special_range entry = { .start = code->entry, .rule = { .kind = UNWIND_END } };
	bool found = next_trampoline(code, from, to, ret);

	if (!entry.start || entry.start < from || entry.start >= to ||
	    (found && ret->start <= entry.start))
		return found;
	entry.end = to - entry.start > ENTRY_BYTES_MAX ? entry.start + ENTRY_BYTES_MAX : to;
	if (found && entry.end > ret->start)
		entry.end = ret->start;
	*ret = entry;
	return true;
}
