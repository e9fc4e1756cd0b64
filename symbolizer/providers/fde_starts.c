/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fde_starts.c - where the functions of stripped code start, by .eh_frame.
 *
 * The unwind information of a function has its address and size even when its
 * name is gone: "libc.so.6+0x2a050" is a name that stays the same between
 * samples, so a flame graph of stripped code still has a shape.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "symbolizer/elf/fde_reader.h"
#include "symbolizer/names.h"
#include "symbolizer/providers/fde_starts.h"
#include "symbolizer/providers/provider.h"

/* The form that every linker writes: 32-bit distances from .eh_frame_hdr itself. */
#define TABLE_ENCODING 0x3b
#define COUNT_ENCODING 0x03
#define HDR_BYTES 12

/* As in the file. */
struct fde_row {
	int32_t start;		/* both are distances from fde_starts.base */
	int32_t fde;
};

struct fde_starts {
	struct fde_reader reader;
	uint64_t base;
	struct fde_row *rows;	/* by start */
	size_t count;
	size_t capacity;
};

struct fde_starts *fde_starts_close(struct fde_starts *starts)
{
	if (!starts)
		return NULL;
	free(starts->rows);
	free(starts);
	return NULL;
}

static void fde_starts_free(void *state)
{
	fde_starts_close(state);
}

/* The linker's own table. Returns -ENOENT when there is none that we can use. */
static int fde_starts_load(struct fde_starts *starts, struct elf_file *elf)
{
	struct elf_place place;
	uint8_t hdr[HDR_BYTES];
	uint32_t count;
	int r;

	r = elf_file_place(elf, ".eh_frame_hdr", &place);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	if (place.size < HDR_BYTES ||
	    module_read(starts->reader.mod, place.offset, hdr, sizeof(hdr)))
		return -ENOENT;
	/* Other encodings of the second byte could have another size. */
	if (hdr[0] != 1 || (hdr[1] & 0x07) != 3 || hdr[2] != COUNT_ENCODING ||
	    hdr[3] != TABLE_ENCODING)
		return -ENOENT;
	memcpy(&count, hdr + 8, sizeof(count));
	if (!count || count > (place.size - HDR_BYTES) / sizeof(*starts->rows))
		return -ENOENT;
	r = alloc_grow(&starts->rows, &starts->capacity, count);
	if (r < 0)
		return r;
	r = module_read(starts->reader.mod, place.offset + HDR_BYTES, starts->rows,
			count * sizeof(*starts->rows));
	if (r < 0)
		return r;
	starts->base = place.address;
	starts->count = count;
	return 0;
}

static int fde_row_compare(const void *a, const void *b)
{
	const struct fde_row *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int fde_starts_add(struct fde_starts *starts, const struct fde *fde, uint64_t address)
{
	int64_t start = (int64_t)(fde->start - starts->base);
	int64_t distance = (int64_t)(address - starts->base);
	int r;

	if (!fde->size || start != (int32_t)start || distance != (int32_t)distance)
		return 0;
	r = alloc_grow(&starts->rows, &starts->capacity, starts->count + 1);
	if (r < 0)
		return r;
	starts->rows[starts->count++] = (struct fde_row){ (int32_t)start, (int32_t)distance };
	return 0;
}

/* Our own table, from one walk over .eh_frame; damage ends it early. */
static int fde_starts_scan(struct fde_starts *starts, struct elf_file *elf)
{
	struct fde_reader reader = starts->reader;
	struct elf_section section;
	uint64_t address;
	struct fde fde;
	int r;

	r = elf_file_section(elf, ".eh_frame", &section);
	if (r < 0)
		return r;
	reader.bytes = section.bytes;
	reader.place.size = section.size;
	starts->base = reader.place.address;
	for (address = starts->base;; address = fde.next) {
		r = fde_read(&reader, address, &fde);
		if (r == -EOPNOTSUPP)
			continue;
		if (r < 0)
			break;
		r = fde_starts_add(starts, &fde, address);
		if (r < 0)
			return r;
	}
	if (!starts->count)
		return -ENOENT;
	qsort(starts->rows, starts->count, sizeof(*starts->rows), fde_row_compare);
	return 0;
}

int fde_starts_open(struct module *mod, struct fde_starts **ret)
{
	_cleanup_(fde_starts_closep) struct fde_starts *starts = NULL;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	int r;

	r = module_open(mod, &elf);
	if (r < 0)
		return r;
	starts = calloc(1, sizeof(*starts));
	if (!starts)
		return -ENOMEM;
	starts->reader.mod = mod;
	starts->reader.class32 = elf_file_class(elf) == ELFCLASS32;
	r = elf_file_place(elf, ".eh_frame", &starts->reader.place);
	if (r < 0)
		return r;
	r = fde_starts_load(starts, elf);
	if (r == -ENOENT)
		r = fde_starts_scan(starts, elf);
	if (r < 0)
		return r;
	*ret = take_ptr(starts);
	return 0;
}

static int fde_starts_provide(struct module *mod, void **ret)
{
	struct fde_starts *starts;
	int r = fde_starts_open(mod, &starts);

	if (r < 0)
		return r;
	*ret = starts;
	return 0;
}

/* The last row that starts at or before @address, NULL when there is none. */
static const struct fde_row *fde_starts_find(const struct fde_starts *starts, uint64_t address)
{
	size_t low = 0, high = starts->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if ((int64_t)starts->rows[middle].start <= (int64_t)(address - starts->base))
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &starts->rows[low - 1] : NULL;
}

int fde_starts_range(struct fde_starts *starts, uint64_t address, uint64_t *ret_start,
		     uint64_t *ret_size)
{
	const struct fde_row *row = fde_starts_find(starts, address);
	struct fde fde;
	int r;

	if (!row)
		return -ENOENT;
	r = fde_read(&starts->reader, starts->base + (uint64_t)(int64_t)row->fde, &fde);
	if (r < 0)
		return r;
	/* The code after the last FDE, and between two, has none. */
	if (address - fde.start >= fde.size)
		return -ENOENT;
	*ret_start = fde.start;
	*ret_size = fde.size;
	return 0;
}

static int fde_starts_lookup(void *state, struct names *names, uint64_t address,
			     struct frame *ret, size_t max)
{
	struct fde_starts *starts = state;
	uint64_t start, size;
	int r;

	r = fde_starts_range(starts, address, &start, &size);
	if (r < 0)
		return r;
	r = names_address(names, module_basename(starts->reader.mod), start, ret);
	if (r < 0)
		return r;
	ret->start = start;
	ret->origin = FRAME_FDE;
	return 1;
}

static size_t fde_starts_bytes(const void *state)
{
	const struct fde_starts *starts = state;

	return sizeof(*starts) + starts->capacity * sizeof(*starts->rows);
}

const struct provider fde_starts_provider = {
	.name = "FDE",
	.open = fde_starts_provide,
	.lookup = fde_starts_lookup,
	.bytes = fde_starts_bytes,
	.free = fde_starts_free,
};
