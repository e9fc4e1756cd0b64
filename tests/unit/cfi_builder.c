/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cfi_builder.h"

#include <assert.h>
#include <string.h>

void cfi_builder_init(struct cfi_builder *b, uint64_t address, bool debug_frame)
{
	memset(b, 0, sizeof(*b));
	b->address = address;
	b->debug_frame = debug_frame;
	b->encoding = debug_frame ? CFI_POINTER_ABSOLUTE : POINTER_USUAL;
	b->version = debug_frame ? 4 : 1;
	b->augmented = !debug_frame;
}

void cfi_builder_add(struct cfi_builder *b, const void *bytes, size_t size)
{
	assert(b->size + size <= sizeof(b->bytes));
	if (size)
		memcpy(b->bytes + b->size, bytes, size);
	b->size += size;
}

static void add_number(struct cfi_builder *b, uint64_t value, size_t size)
{
	cfi_builder_add(b, &value, size);
}

/* The length, still unknown, and then the id. Returns where the length is. */
static size_t begin_entry(struct cfi_builder *b, bool is_cie, size_t cie)
{
	size_t at = b->size, size = b->wide && b->debug_frame ? 8 : 4;
	uint64_t id;

	if (b->wide)
		add_number(b, 0xffffffff, 4);
	add_number(b, 0, b->wide ? 8 : 4);
	if (b->debug_frame)
		id = is_cie ? UINT64_MAX : cie;
	else
		id = is_cie ? 0 : b->size - cie;
	add_number(b, id, size);
	return at;
}

static void end_entry(struct cfi_builder *b, size_t at)
{
	uint64_t length;

	while (b->size % 8)
		add_number(b, CFA_NOP, 1);
	length = b->size - at - (b->wide ? 12 : 4);
	memcpy(b->bytes + at + (b->wide ? 4 : 0), &length, b->wide ? 8 : 4);
}

static void add_augmentation(struct cfi_builder *b, const char *letters)
{
	size_t at = b->size;

	add_number(b, 0, 1);
	add_number(b, b->encoding, 1);
	for (; *letters; letters++) {
		if (*letters == 'L')
			add_number(b, POINTER_USUAL, 1);
		if (*letters == 'P') {
			/* Indirect, as the C++ personality is in shared libraries. */
			add_number(b, 0x9b, 1);
			add_number(b, 0x1234, 4);
		}
	}
	b->bytes[at] = (uint8_t)(b->size - at - 1);
}

size_t cfi_builder_cie(struct cfi_builder *b, const char *letters, const uint8_t *program,
		       size_t size)
{
	static const uint8_t usual[] = { CFA_DEF_CFA, RSP, 8, CFA_OFFSET(RIP), 1 };
	size_t at = begin_entry(b, true, 0);

	add_number(b, b->version, 1);
	if (b->augmented)
		cfi_builder_add(b, "zR", 2);
	cfi_builder_add(b, letters, strlen(letters) + 1);
	if (b->version == 4)
		add_number(b, 8, 2);	/* size of addresses; no segments */
	cfi_builder_add(b, "\x01\x78\x10", 3);
	if (b->augmented)
		add_augmentation(b, letters);
	cfi_builder_add(b, usual, sizeof(usual));
	cfi_builder_add(b, program, size);
	end_entry(b, at);
	return at;
}

size_t cfi_builder_fde(struct cfi_builder *b, size_t cie, uint64_t start, uint64_t length,
		       const uint8_t *program, size_t size)
{
	size_t at = begin_entry(b, false, cie);

	if (b->encoding == POINTER_USUAL) {
		add_number(b, start - b->address - b->size, 4);
		add_number(b, length, 4);
	} else {
		add_number(b, start, 8);
		add_number(b, length, 8);
	}
	if (b->augmented)
		add_number(b, 0, 1);
	cfi_builder_add(b, program, size);
	end_entry(b, at);
	return at;
}

struct cfi_section cfi_builder_section(const struct cfi_builder *b)
{
	return (struct cfi_section){
		.bytes = b->bytes,
		.size = b->size,
		.address = b->address,
		.debug_frame = b->debug_frame,
	};
}
