/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "symbolizer/elf/elf_private.h"

/* The first bytes of .eh_frame_hdr: version, three encodings, then where .eh_frame is. */
#define EH_FRAME_HDR_BYTES 8
#define EH_PE_PCREL_SDATA4 0x1b

int elf_sections_load(struct elf_file *elf)
{
	_cleanup_free_ GElf_Shdr *sections = NULL;
	size_t count, i;

	if (elf->sections_loaded)
		return 0;
	errno = 0;
	if (elf_getshdrnum(elf->elf, &count))
		return elf_failure();
	sections = calloc(count ? count : 1, sizeof(*sections));
	if (!sections)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		if (!gelf_getshdr(elf_getscn(elf->elf, i), &sections[i]))
			return elf_failure();
	}
	elf->sections = take_ptr(sections);
	elf->section_count = count;
	elf->sections_loaded = true;
	return 0;
}

int elf_section_find(struct elf_file *elf, const char *name, size_t *ret_index)
{
	const char *known;
	size_t names, i;
	int r;

	r = elf_sections_load(elf);
	if (r < 0)
		return r;
	if (!elf->section_count)
		return -ENOENT;
	errno = 0;
	if (elf_getshdrstrndx(elf->elf, &names))
		return elf_failure();
	for (i = 1; i < elf->section_count; i++) {
		if (elf->sections[i].sh_type == SHT_NULL || elf->sections[i].sh_type == SHT_NOBITS)
			continue;
		known = elf_strptr(elf->elf, names, elf->sections[i].sh_name);
		if (!known || strcmp(known, name))
			continue;
		*ret_index = i;
		return 0;
	}
	return -ENOENT;
}

/* .eh_frame begins at @address; it ends with a zero word, or at the latest with its segment. */
static int eh_frame_by_address(struct elf_file *elf, uint64_t address, struct elf_place *ret)
{
	const struct elf_segment *segment;
	uint64_t skipped;
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		segment = &elf->segments[i];
		skipped = address - segment->address;
		if (address < segment->address || skipped >= segment->file_bytes)
			continue;
		ret->offset = segment->offset + skipped;
		ret->size = segment->file_bytes - skipped;
		ret->address = address;
		return 0;
	}
	return -EBADMSG;
}

/* Stripped of its section headers, a program still shows the runtime where to unwind by. */
static int eh_frame_by_segment(struct elf_file *elf, const char *name, struct elf_place *ret)
{
	const struct elf_place *hdr = &elf->eh_frame_hdr;
	const uint8_t *bytes;
	int32_t distance;
	Elf_Data *data;
	int r;

	if (!hdr->size)
		return -ENOENT;
	if (!strcmp(name, ".eh_frame_hdr")) {
		*ret = *hdr;
		return 0;
	}
	if (strcmp(name, ".eh_frame"))
		return -ENOENT;
	if (hdr->size < EH_FRAME_HDR_BYTES)
		return -EBADMSG;
	r = elf_chunk(elf, hdr->offset, EH_FRAME_HDR_BYTES, ELF_T_BYTE, &data);
	if (r < 0)
		return r;
	bytes = data->d_buf;
	if (bytes[0] != 1 || bytes[1] != EH_PE_PCREL_SDATA4)
		return -ENOENT;
	memcpy(&distance, bytes + 4, sizeof(distance));
	return eh_frame_by_address(elf, hdr->address + 4 + (uint64_t)(int64_t)distance, ret);
}

/* How .gopclntab begins, behind its first byte: on a machine with words of 8 bytes. */
static const uint8_t go_header[] = { 0xff, 0xff, 0xff, 0x00, 0x00, 0x01, 0x08 };
/* Go 1.20, 1.18 and 1.16, and the versions after each. */
static const uint8_t go_first_bytes[] = { 0xf1, 0xf0, 0xfa };

/* Where in @bytes, from a segment, .gopclntab begins; NULL: not there. */
static const uint8_t *go_header_find(const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = bytes + size;

	while ((at = memmem(at, (size_t)(end - at), go_header, sizeof(go_header)))) {
		if (at > bytes && (at - 1 - bytes) % 8 == 0 &&
		    memchr(go_first_bytes, at[-1], sizeof(go_first_bytes)))
			return at - 1;
		at++;
	}
	return NULL;
}

/* Go's runtime, too, needs its table without section headers. It may end before its segment does. */
static int gopclntab_by_segment(struct elf_file *elf, struct elf_place *ret)
{
	const struct elf_segment *segment;
	const uint8_t *found;
	Elf_Data *data;
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		segment = &elf->segments[i];
		if (segment->executable || !segment->file_bytes ||
		    segment->file_bytes > ELF_BYTES_MAX ||
		    elf_chunk(elf, segment->offset, segment->file_bytes, ELF_T_BYTE, &data) < 0)
			continue;
		found = go_header_find(data->d_buf, data->d_size);
		if (!found)
			continue;
		ret->offset = segment->offset + (uint64_t)(found - (const uint8_t *)data->d_buf);
		ret->size = segment->file_bytes - (ret->offset - segment->offset);
		ret->address = segment->address + (ret->offset - segment->offset);
		return 0;
	}
	return -ENOENT;
}

static int place_by_segment(struct elf_file *elf, const char *name, struct elf_place *ret)
{
	if (!elf->section_count && !strcmp(name, ".gopclntab"))
		return gopclntab_by_segment(elf, ret);
	return eh_frame_by_segment(elf, name, ret);
}

int elf_file_place(struct elf_file *elf, const char *name, struct elf_place *ret)
{
	struct elf_place place;
	const GElf_Shdr *header;
	size_t index;
	int r;

	r = elf_section_find(elf, name, &index);
	if (r == 0) {
		header = &elf->sections[index];
		if (header->sh_flags & SHF_COMPRESSED)
			return -ENOENT;
		place.offset = header->sh_offset;
		place.size = header->sh_size;
		place.address = header->sh_addr;
	} else {
		r = r == -ENOENT ? place_by_segment(elf, name, &place) : r;
		if (r < 0)
			return r;
	}
	if (place.offset > elf->file_bytes || place.size > elf->file_bytes - place.offset ||
	    place.address + place.size < place.address)
		return -EBADMSG;
	*ret = place;
	return 0;
}

/* Decompress the section in place, unless that was done before. */
static int elf_section_expand(struct elf_file *elf, size_t index, Elf_Scn *section)
{
	GElf_Chdr compressed;
	GElf_Shdr now;

	if (!(elf->sections[index].sh_flags & SHF_COMPRESSED))
		return 0;
	errno = 0;
	if (!gelf_getshdr(section, &now))
		return elf_failure();
	if (!(now.sh_flags & SHF_COMPRESSED))
		return 0;
	if (!gelf_getchdr(section, &compressed))
		return elf_failure();
	if (compressed.ch_size > ELF_BYTES_MAX)
		return -EFBIG;
	return elf_compress(section, 0, 0) < 0 ? elf_failure() : 0;
}

static int elf_section_read(struct elf_file *elf, size_t index, struct elf_section *ret)
{
	Elf_Scn *section = elf_getscn(elf->elf, index);
	Elf_Data *data;
	int r;

	if (elf->sections[index].sh_size > elf->file_bytes)
		return -EBADMSG;
	if (elf->sections[index].sh_size > ELF_BYTES_MAX)
		return -EFBIG;
	r = elf_section_expand(elf, index, section);
	if (r < 0)
		return r;
	errno = 0;
	data = elf_rawdata(section, NULL);
	if (!data)
		return elf_failure();
	/* An empty section too has an address, so that readers may add to it. */
	ret->bytes = data->d_buf ? data->d_buf : (const void *)"";
	ret->size = data->d_buf ? data->d_size : 0;
	ret->address = elf->sections[index].sh_addr;
	return 0;
}

int elf_file_section(struct elf_file *elf, const char *name, struct elf_section *ret)
{
	struct elf_place place;
	Elf_Data *data;
	size_t index;
	int r;

	r = elf_section_find(elf, name, &index);
	if (r == 0)
		return elf_section_read(elf, index, ret);
	if (r != -ENOENT)
		return r;
	r = elf_file_place(elf, name, &place);
	if (r < 0)
		return r;
	r = elf_chunk(elf, place.offset, place.size, ELF_T_BYTE, &data);
	if (r < 0)
		return r;
	*ret = (struct elf_section){ data->d_buf, data->d_size, place.address };
	return 0;
}

int elf_file_has(struct elf_file *elf, const char *name)
{
	size_t index;
	int r = elf_section_find(elf, name, &index);

	return r == -ENOMEM ? r : r == 0;
}

struct Elf *elf_file_handle(struct elf_file *elf)
{
	return elf->elf;
}

/* The old way, before SHF_COMPRESSED: ".zdebug_info" is "ZLIB", the size in 8 bytes, and data. */
static int gnu_compressed_bytes(struct elf_file *elf, const GElf_Shdr *header, uint64_t *ret)
{
	uint64_t size = 0;
	Elf_Data *data;
	int r, i;

	r = elf_chunk(elf, header->sh_offset, 12, ELF_T_BYTE, &data);
	if (r < 0)
		return r;
	for (i = 4; i < 12; i++)
		size = size << 8 | ((const uint8_t *)data->d_buf)[i];
	*ret = size;
	return 0;
}

static int elf_section_bytes(struct elf_file *elf, size_t index, const char *name, uint64_t *ret)
{
	const GElf_Shdr *header = &elf->sections[index];
	GElf_Chdr compressed;
	int r = 0;

	*ret = header->sh_size;
	if (header->sh_size > elf->file_bytes)
		return -EBADMSG;
	if (header->sh_flags & SHF_COMPRESSED) {
		errno = 0;
		if (!gelf_getchdr(elf_getscn(elf->elf, index), &compressed))
			return elf_failure();
		*ret = compressed.ch_size;
	} else if (!strncmp(name, ".zdebug_", 8)) {
		r = gnu_compressed_bytes(elf, header, ret);
	}
	return r < 0 ? r : *ret > ELF_BYTES_MAX ? -EFBIG : 0;
}

int elf_file_debug_bytes(struct elf_file *elf, uint64_t *ret)
{
	uint64_t total = 0, bytes;
	const char *name;
	size_t names, i;
	int r;

	r = elf_sections_load(elf);
	if (r < 0)
		return r;
	errno = 0;
	if (elf_getshdrstrndx(elf->elf, &names))
		return elf_failure();
	for (i = 1; i < elf->section_count; i++) {
		if (elf->sections[i].sh_type == SHT_NULL || elf->sections[i].sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf->elf, names, elf->sections[i].sh_name);
		if (!name || (strncmp(name, ".debug_", 7) && strncmp(name, ".zdebug_", 8)))
			continue;
		r = elf_section_bytes(elf, i, name, &bytes);
		if (r < 0)
			return r;
		total += bytes;
	}
	*ret = total;
	return 0;
}

int elf_file_text(struct elf_file *elf, size_t index, struct elf_section *ret)
{
	const struct elf_segment *segment = NULL;
	Elf_Data *data;
	size_t i;
	int r;

	for (i = 0; i < elf->segment_count; i++) {
		if (elf->segments[i].executable && index-- == 0) {
			segment = &elf->segments[i];
			break;
		}
	}
	if (!segment)
		return -ENOENT;
	r = elf_chunk(elf, segment->offset, segment->file_bytes, ELF_T_BYTE, &data);
	if (r < 0)
		return r;
	*ret = (struct elf_section){ data->d_buf, data->d_size, segment->address };
	return 0;
}
