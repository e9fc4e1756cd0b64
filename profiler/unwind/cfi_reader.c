/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/cfi_reader.h"

#include <errno.h>

enum pointer_format {
	FORMAT_ADDRESS = 0x00,
	FORMAT_ULEB = 0x01,
	FORMAT_U16 = 0x02,
	FORMAT_U32 = 0x03,
	FORMAT_U64 = 0x04,
	FORMAT_SIGNED = 0x08,	/* the machine's address size, signed */
	FORMAT_SLEB = 0x09,
	FORMAT_S16 = 0x0a,
	FORMAT_S32 = 0x0b,
	FORMAT_S64 = 0x0c,
};

enum pointer_base {
	BASE_NONE = 0x00,
	BASE_POINTER = 0x10,	/* relative to where the pointer is */
	BASE_TEXT = 0x20,
	BASE_DATA = 0x30,
	BASE_FUNCTION = 0x40,
	BASE_ALIGNED = 0x50,	/* an address, behind padding to its alignment */
	BASE_MASK = 0x70,
};

#define POINTER_INDIRECT 0x80
#define LENGTH_64BIT 0xffffffffu
#define LEB_BYTES_MAX 10
#define AUGMENTATION_MAX 16

uint64_t cfi_read_uleb_long(struct cfi_cursor *cursor)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < LEB_BYTES_MAX; i++) {
		uint8_t byte = cfi_read_u8(cursor);

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			return value;
	}
	return cfi_damaged_(cursor);
}

int64_t cfi_read_sleb(struct cfi_cursor *cursor)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < LEB_BYTES_MAX; i++) {
		uint8_t byte = cfi_read_u8(cursor);

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && i < LEB_BYTES_MAX - 1)
			value |= ~0ull << (7 * (i + 1));
		return (int64_t)value;
	}
	return (int64_t)cfi_damaged_(cursor);
}

void cfi_skip(struct cfi_cursor *cursor, uint64_t size)
{
	if (size > (uint64_t)(cursor->end - cursor->at))
		cfi_damaged_(cursor);
	else
		cursor->at += size;
}

/* The number as it stands in the section, before its base is added. */
static uint64_t read_format(struct cfi_cursor *cursor, uint8_t encoding)
{
	switch (encoding & CFI_POINTER_FORMAT) {
	case FORMAT_ADDRESS:
	case FORMAT_SIGNED:
	case FORMAT_U64:
	case FORMAT_S64:
		return cfi_read_fixed(cursor, 8);
	case FORMAT_ULEB:
		return cfi_read_uleb(cursor);
	case FORMAT_SLEB:
		return (uint64_t)cfi_read_sleb(cursor);
	case FORMAT_U16:
		return cfi_read_fixed(cursor, 2);
	case FORMAT_S16:
		return (uint64_t)(int64_t)(int16_t)cfi_read_fixed(cursor, 2);
	case FORMAT_U32:
		return cfi_read_fixed(cursor, 4);
	case FORMAT_S32:
		return (uint64_t)(int64_t)(int32_t)cfi_read_fixed(cursor, 4);
	default:
		return cfi_damaged_(cursor);
	}
}

static uint64_t cursor_address(const struct cfi_cursor *cursor, const struct cfi_section *section)
{
	return section->address + (uint64_t)(cursor->at - section->bytes);
}

/* Move to where an aligned pointer is. Its encoding has no format: it is an address. */
static void skip_padding(struct cfi_cursor *cursor, const struct cfi_section *section)
{
	cfi_skip(cursor, -cursor_address(cursor, section) & 7);
}

uint64_t cfi_read_pointer(struct cfi_cursor *cursor, const struct cfi_section *section,
			  uint8_t encoding, uint64_t function)
{
	uint64_t base;

	if (encoding & POINTER_INDIRECT)
		return cfi_damaged_(cursor);
	switch (encoding & BASE_MASK) {
	case BASE_NONE:
		base = 0;
		break;
	case BASE_POINTER:
		base = cursor_address(cursor, section);
		break;
	case BASE_TEXT:
	case BASE_DATA:
		/* The ABI of x86-64 has no such bases, and libgcc takes 0 for them. */
		base = 0;
		break;
	case BASE_FUNCTION:
		base = function;
		break;
	case BASE_ALIGNED:
		skip_padding(cursor, section);
		base = 0;
		encoding = FORMAT_ADDRESS;
		break;
	default:
		return cfi_damaged_(cursor);
	}
	return base + read_format(cursor, encoding);
}

/* The personality routine is of no interest and may be of any encoding. */
static void skip_pointer(struct cfi_cursor *cursor, const struct cfi_section *section,
			 uint8_t encoding)
{
	if (encoding == CFI_POINTER_OMITTED)
		return;
	if ((encoding & BASE_MASK) == BASE_ALIGNED) {
		skip_padding(cursor, section);
		encoding = FORMAT_ADDRESS;
	}
	read_format(cursor, encoding);
}

static bool entry_is_cie(const struct cfi_section *section, uint64_t id, bool wide)
{
	if (!section->debug_frame)
		return id == 0;
	return id == (wide ? UINT64_MAX : UINT32_MAX);
}

int cfi_entry_next(const struct cfi_section *section, size_t *offset, struct cfi_entry *ret)
{
	struct cfi_cursor cursor = { 0 };
	struct cfi_entry entry;
	size_t at = *offset, id_at;
	uint64_t length, id;
	bool wide;

	/* Zero lengths end the list of one object file; a link may leave them in the middle. */
	do {
		if (section->size - at < 4) {
			*offset = section->size;
			return 0;
		}
		entry.offset = at;
		/* Not before: a file without the section has no bytes to add to. */
		cursor.at = section->bytes + at;
		cursor.end = section->bytes + section->size;
		length = cfi_read_fixed(&cursor, 4);
		at += 4;
	} while (length == 0);
	wide = length == LENGTH_64BIT;
	if (wide)
		length = cfi_read_fixed(&cursor, 8);
	if (cursor.damaged || length > (uint64_t)(cursor.end - cursor.at))
		return -EBADMSG;
	cursor.end = entry.end = cursor.at + length;
	*offset = (size_t)(entry.end - section->bytes);

	/* An id of .eh_frame has 4 bytes whatever the length: the distance back to the CIE. */
	id_at = (size_t)(cursor.at - section->bytes);
	id = cfi_read_fixed(&cursor, wide && section->debug_frame ? 8 : 4);
	entry.is_cie = entry_is_cie(section, id, wide);
	entry.cie_offset = section->debug_frame ? id : id_at - id;
	entry.body = cursor.at;
	/* Too short even for an id: of no CIE, which whoever reads it will notice. */
	if (cursor.damaged) {
		entry.is_cie = false;
		entry.cie_offset = SIZE_MAX;
	}
	*ret = entry;
	return 1;
}

/* Augmentations announce their size, but one not known could change what the rest means. */
static int read_augmentation(struct cfi_cursor *cursor, const struct cfi_section *section,
			     const char *letter, struct cfi_cie *cie)
{
	uint64_t size = cfi_read_uleb(cursor);
	const uint8_t *start = cursor->at;

	cie->augmented = true;
	for (; *letter; letter++) {
		switch (*letter) {
		case 'R':
			cie->pointer_encoding = cfi_read_u8(cursor);
			break;
		case 'P':
			skip_pointer(cursor, section, cfi_read_u8(cursor));
			break;
		case 'L':
			cfi_read_u8(cursor);
			break;
		case 'S':
			cie->signal_frame = true;
			break;
		case 'B':
			break;
		default:
			return -EBADMSG;
		}
	}
	if (cursor->damaged || (uint64_t)(cursor->at - start) > size)
		return -EBADMSG;
	cfi_skip(cursor, size - (uint64_t)(cursor->at - start));
	return 0;
}

static int read_cie(struct cfi_cursor *cursor, const struct cfi_section *section,
		    struct cfi_cie *cie)
{
	uint8_t version = cfi_read_u8(cursor);
	const char *letters = (const char *)cursor->at;
	size_t room = (size_t)(cursor->end - cursor->at);
	const uint8_t *nul;

	/* Bounded, or many FDEs with a CIE each in one long run of text would take for ever. */
	nul = memchr(cursor->at, 0, room < AUGMENTATION_MAX ? room : AUGMENTATION_MAX);
	if (!nul || (version != 1 && version != 3 && version != 4))
		return -EBADMSG;
	cursor->at = nul + 1;
	/* Addresses of 8 bytes, no segments. */
	if (version == 4 && (cfi_read_u8(cursor) != 8 || cfi_read_u8(cursor) != 0))
		return -EBADMSG;
	cie->code_factor = cfi_read_uleb(cursor);
	cie->data_factor = cfi_read_sleb(cursor);
	cie->return_register = version == 1 ? cfi_read_u8(cursor) : cfi_read_uleb(cursor);
	if (letters[0] == 'z')
		return read_augmentation(cursor, section, letters + 1, cie);
	return letters[0] ? -EBADMSG : 0;
}

/* Whether an entry is at @offset itself, and not behind zeros that start there. */
static bool is_entry(const struct cfi_section *section, size_t offset)
{
	uint32_t length;

	if (offset >= section->size || section->size - offset < sizeof(length))
		return false;
	memcpy(&length, section->bytes + offset, sizeof(length));
	return length != 0;
}

int cfi_cie_read(const struct cfi_section *section, size_t offset, struct cfi_cie *ret)
{
	struct cfi_cie cie = { .pointer_encoding = CFI_POINTER_ABSOLUTE };
	struct cfi_cursor cursor = { .end = NULL };
	struct cfi_entry entry;
	int r;

	if (!is_entry(section, offset) || cfi_entry_next(section, &offset, &entry) != 1 ||
	    !entry.is_cie)
		return -EBADMSG;
	cursor.at = entry.body;
	cursor.end = entry.end;
	r = read_cie(&cursor, section, &cie);
	if (r < 0)
		return r;
	if (cursor.damaged)
		return -EBADMSG;
	cie.program = cursor.at;
	cie.program_end = cursor.end;
	*ret = cie;
	return 0;
}

int cfi_fde_read(const struct cfi_section *section, const struct cfi_entry *entry,
		 const struct cfi_cie *cie, struct cfi_fde *ret)
{
	struct cfi_cursor cursor = { .at = entry->body, .end = entry->end };
	uint8_t encoding = cie->pointer_encoding;
	struct cfi_fde fde;
	uint64_t size;

	/* Nothing is relative to the start of the function before that is known. */
	if ((encoding & BASE_MASK) == BASE_FUNCTION)
		return -EBADMSG;
	fde.start = cfi_read_pointer(&cursor, section, encoding, 0);
	size = cfi_read_pointer(&cursor, section, encoding & CFI_POINTER_FORMAT, 0);
	fde.end = fde.start + size;
	if (cie->augmented)
		cfi_skip(&cursor, cfi_read_uleb(&cursor));
	if (cursor.damaged || fde.end < fde.start)
		return -EBADMSG;
	fde.program = cursor.at;
	fde.program_end = cursor.end;
	*ret = fde;
	return 0;
}
