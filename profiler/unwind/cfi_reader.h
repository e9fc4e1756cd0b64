/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cfi_reader.h - call frame information as bytes: numbers, pointers, CIEs and FDEs.
 *
 * Reads .eh_frame and .debug_frame, 32- and 64-bit DWARF, in x86-64's byte
 * order. The bytes may be hostile: nothing outside of the section is read, and
 * a cursor that ran past its end says so once and stays there. Nothing is
 * allocated; what comes back points into the section.
 *
 * Formats: DWARF 5 §6.4 and §7.24; Linux Standard Base 5.0 Core §10.6 for
 * .eh_frame and the encodings of pointers.
 */
#ifndef WICK_CFI_READER_H
#define WICK_CFI_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cfi_section {
	const uint8_t *bytes;
	size_t size;
	uint64_t address;	/* ELF address of bytes[0]; 0 for .debug_frame */
	bool debug_frame;	/* which of the two formats it has */
};

/* Bytes being read. Once @damaged, everything read is 0. */
struct cfi_cursor {
	const uint8_t *at, *end;
	bool damaged;
};

/* Pointer encodings (DW_EH_PE_*): a format in the low 4 bits, what it is relative to above. */
#define CFI_POINTER_ABSOLUTE 0x00
#define CFI_POINTER_FORMAT 0x0f
#define CFI_POINTER_OMITTED 0xff

/* One CIE or FDE, not yet looked into. */
struct cfi_entry {
	size_t offset;		/* of its length field, in the section */
	bool is_cie;
	size_t cie_offset;	/* of an FDE */
	const uint8_t *body;	/* behind the CIE id or pointer */
	const uint8_t *end;
};

struct cfi_cie {
	uint64_t code_factor;
	int64_t data_factor;
	uint64_t return_register;
	uint8_t pointer_encoding;	/* of its FDEs */
	bool augmented;			/* its FDEs have an augmentation length */
	bool signal_frame;		/* the return address is exact, not behind a call */
	const uint8_t *program, *program_end;
};

struct cfi_fde {
	uint64_t start, end;		/* ELF addresses */
	const uint8_t *program, *program_end;
};

static inline uint64_t cfi_damaged_(struct cfi_cursor *cursor)
{
	cursor->at = cursor->end;
	cursor->damaged = true;
	return 0;
}

static inline uint8_t cfi_read_u8(struct cfi_cursor *cursor)
{
	if (cursor->at == cursor->end)
		return cfi_damaged_(cursor);
	return *cursor->at++;
}

/* Fixed sizes, little endian, at any alignment. */
static inline uint64_t cfi_read_fixed(struct cfi_cursor *cursor, size_t size)
{
	uint64_t value = 0;

	if ((size_t)(cursor->end - cursor->at) < size)
		return cfi_damaged_(cursor);
	memcpy(&value, cursor->at, size);
	cursor->at += size;
	return value;
}

uint64_t cfi_read_uleb_long(struct cfi_cursor *cursor);

/* Unsigned LEB128; nearly all of them are a single byte. More than 64 bits is damage. */
static inline uint64_t cfi_read_uleb(struct cfi_cursor *cursor)
{
	if (cursor->at != cursor->end && *cursor->at < 0x80)
		return *cursor->at++;
	return cfi_read_uleb_long(cursor);
}

int64_t cfi_read_sleb(struct cfi_cursor *cursor);
void cfi_skip(struct cfi_cursor *cursor, uint64_t size);

/*
 * A pointer, as an ELF address. @function is the start of its function, for
 * pointers relative to that. Indirect and omitted ones are damage: the memory
 * they point to is not in the file.
 */
uint64_t cfi_read_pointer(struct cfi_cursor *cursor, const struct cfi_section *section,
			  uint8_t encoding, uint64_t function);

/*
 * The entry at *@offset, which moves behind it. Returns 1, 0 at the end of
 * the section, or -EBADMSG when its length is nonsense, so that no
 * entry behind it can be found.
 */
int cfi_entry_next(const struct cfi_section *section, size_t *offset, struct cfi_entry *ret);
/*
 * The CIE at @offset; the FDE @entry of @cie. Return 0, or -EBADMSG for what is
 * damaged or of a version or augmentation not known.
 */
int cfi_cie_read(const struct cfi_section *section, size_t offset, struct cfi_cie *ret);
int cfi_fde_read(const struct cfi_section *section, const struct cfi_entry *entry,
		 const struct cfi_cie *cie, struct cfi_fde *ret);

#endif
