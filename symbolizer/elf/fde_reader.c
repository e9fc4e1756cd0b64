/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf/fde_reader.h"

#include <errno.h>
#include <string.h>

/* Pointer encodings: a format in the low bits, what it is relative to above. */
#define PE_FORMAT 0x0f
#define PE_BASE 0xf0
#define PE_PCREL 0x10

/* Enough for the header of an FDE, and of any CIE that compilers make. */
#define ENTRY_BYTES 96

/* Some bytes and how far they have been read; reading too far sticks. */
struct cursor {
	uint8_t bytes[ENTRY_BYTES];
	size_t size, position;
	uint64_t address;	/* of the first byte */
	bool failed;
};

static int cursor_fill(const struct fde_reader *reader, uint64_t address, struct cursor *ret)
{
	uint64_t offset = address - reader->place.address;
	uint64_t left;
	int r;

	if (address < reader->place.address || offset >= reader->place.size)
		return -EBADMSG;
	left = reader->place.size - offset;
	ret->size = left < ENTRY_BYTES ? left : ENTRY_BYTES;
	ret->position = 0;
	ret->address = address;
	ret->failed = false;
	if (reader->bytes) {
		memcpy(ret->bytes, reader->bytes + offset, ret->size);
		return 0;
	}
	r = module_read(reader->mod, reader->place.offset + offset, ret->bytes, ret->size);
	return r < 0 ? r : 0;
}

static uint64_t cursor_unsigned(struct cursor *cur, size_t size)
{
	uint64_t value = 0;

	if (size > cur->size - cur->position) {
		cur->failed = true;
		return 0;
	}
	memcpy(&value, cur->bytes + cur->position, size);
	cur->position += size;
	return value;
}

static uint64_t cursor_leb128(struct cursor *cur)
{
	uint64_t value = 0, byte;
	unsigned int shift = 0;

	do {
		byte = cursor_unsigned(cur, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

/* Bytes of a pointer of this format, 0 when it has no fixed size. */
static size_t format_size(const struct fde_reader *reader, uint8_t encoding)
{
	/* Two, four and eight bytes, first without and then with a sign. */
	static const uint8_t sizes[16] = {
		[2] = 2, [3] = 4, [4] = 8, [10] = 2, [11] = 4, [12] = 8,
	};

	if ((encoding & PE_FORMAT) == 0)
		return reader->class32 ? 4 : 8;
	return sizes[encoding & PE_FORMAT];
}

static uint64_t cursor_pointer(struct cursor *cur, const struct fde_reader *reader,
			       uint8_t encoding)
{
	uint64_t place = cur->address + cur->position, value;
	size_t size = format_size(reader, encoding);

	value = cursor_unsigned(cur, size);
	if ((encoding & 0x08) && size < 8)
		value = (uint64_t)((int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size));
	if ((encoding & PE_BASE) == PE_PCREL)
		value += place;
	return reader->class32 ? (uint32_t)value : value;
}

/* What the augmentation string says about the encoding of addresses. */
static int cie_augmentation(struct cursor *cur, const struct fde_reader *reader,
			    const char *letters, uint8_t *ret)
{
	uint8_t personality;
	size_t size;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			*ret = (uint8_t)cursor_unsigned(cur, 1);
			return 0;
		case 'P':
			personality = (uint8_t)cursor_unsigned(cur, 1);
			size = format_size(reader, personality);
			if (!size)
				return -EOPNOTSUPP;
			cursor_unsigned(cur, size);
			break;
		case 'L':
			cursor_unsigned(cur, 1);
			break;
		case 'S':	/* a signal frame */
		case 'B':	/* pointer authentication */
		case 'G':	/* memory tagging */
			break;
		default:
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

static int cie_read(struct fde_reader *reader, uint64_t address)
{
	uint8_t encoding = 0, version;
	const char *letters;
	struct cursor cur;
	int r;

	r = cursor_fill(reader, address, &cur);
	if (r < 0)
		return r;
	cursor_unsigned(&cur, 4);
	if (cursor_unsigned(&cur, 4) != 0)
		return -EBADMSG;
	version = (uint8_t)cursor_unsigned(&cur, 1);
	if (version != 1 && version != 3)
		return -EOPNOTSUPP;
	letters = (const char *)cur.bytes + cur.position;
	if (!memchr(letters, '\0', cur.size - cur.position))
		return -EBADMSG;
	cur.position += strlen(letters) + 1;
	if (*letters && *letters != 'z')
		return -EOPNOTSUPP;
	cursor_leb128(&cur);			/* code alignment */
	cursor_leb128(&cur);			/* data alignment */
	if (version == 1)
		cursor_unsigned(&cur, 1);	/* return address register */
	else
		cursor_leb128(&cur);
	if (*letters) {
		cursor_leb128(&cur);		/* size of what follows */
		r = cie_augmentation(&cur, reader, letters + 1, &encoding);
		if (r < 0)
			return r;
	}
	if (cur.failed)
		return -EBADMSG;
	if (!format_size(reader, encoding) ||
	    ((encoding & PE_BASE) != 0 && (encoding & PE_BASE) != PE_PCREL))
		return -EOPNOTSUPP;
	reader->cie_address = address;
	reader->cie_encoding = encoding;
	return 0;
}

int fde_read(struct fde_reader *reader, uint64_t address, struct fde *ret)
{
	uint64_t length, body, cie;
	struct fde fde = { 0 };
	struct cursor cur;
	int r;

	if (address - reader->place.address == reader->place.size)
		return -ENOENT;
	r = cursor_fill(reader, address, &cur);
	if (r < 0)
		return r;
	length = cursor_unsigned(&cur, 4);
	if (cur.failed)
		return -EBADMSG;
	if (length == 0)
		return -ENOENT;
	body = address + 4;
	if (length == UINT32_MAX) {
		length = cursor_unsigned(&cur, 8);
		body += 8;
	}
	if (cur.failed || length > reader->place.address + reader->place.size - body)
		return -EBADMSG;
	fde.next = body + length;
	*ret = fde;
	if (body != address + 4)
		return -EOPNOTSUPP;
	cie = cursor_unsigned(&cur, 4);
	if (cie && body - cie != reader->cie_address) {
		r = cie_read(reader, body - cie);
		if (r < 0)
			return r;
	}
	if (cie) {
		fde.start = cursor_pointer(&cur, reader, reader->cie_encoding);
		fde.size = cursor_pointer(&cur, reader, reader->cie_encoding & PE_FORMAT);
	}
	if (cur.failed || cur.position > 4 + length || fde.start + fde.size < fde.start)
		return -EBADMSG;
	*ret = fde;
	return 0;
}
