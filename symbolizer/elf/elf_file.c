/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "profiler/base/alloc.h"
#include "symbolizer/elf/elf_private.h"

/* Notes are tens of bytes; a larger segment is a core file's, which has no build ID for us. */
#define NOTES_BYTES_MAX 65536

int elf_failure(void)
{
	return errno == ENOMEM || errno == EIO ? -errno : -EBADMSG;
}

int elf_chunk(struct elf_file *elf, uint64_t offset, uint64_t size, Elf_Type type, Elf_Data **ret)
{
	Elf_Data *data;

	if (offset > elf->file_bytes || size > elf->file_bytes - offset)
		return -EBADMSG;
	if (size > ELF_BYTES_MAX)
		return -EFBIG;
	errno = 0;
	data = elf_getdata_rawchunk(elf->elf, (int64_t)offset, size, type);
	if (!data)
		return elf_failure();
	*ret = data;
	return 0;
}

/* Returns whether one of the notes is a build ID, which is then in @ret. */
static bool notes_find_build_id(Elf_Data *notes, struct elf_build_id *ret)
{
	size_t offset = 0, name_offset, desc_offset;
	const char *bytes = notes->d_buf;
	GElf_Nhdr note;

	while ((offset = gelf_getnote(notes, offset, &note, &name_offset, &desc_offset))) {
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof(ELF_NOTE_GNU) ||
		    memcmp(bytes + name_offset, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)))
			continue;
		/* The kernel too knows no longer ones, and a cut one would name the wrong file. */
		if (!note.n_descsz || note.n_descsz > ELF_BUILD_ID_MAX)
			return false;
		ret->size = (uint8_t)note.n_descsz;
		memcpy(ret->bytes, bytes + desc_offset, note.n_descsz);
		return true;
	}
	return false;
}

static void elf_file_read_notes(struct elf_file *elf, const GElf_Phdr *segment)
{
	Elf_Type type = segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
	Elf_Data *notes;

	if (elf->build_id.size || segment->p_filesz > NOTES_BYTES_MAX)
		return;
	/* A file without a readable identity is still known by device and inode. */
	if (elf_chunk(elf, segment->p_offset, segment->p_filesz, type, &notes) < 0)
		return;
	notes_find_build_id(notes, &elf->build_id);
}

static int elf_file_add_segment(struct elf_file *elf, const GElf_Phdr *segment, size_t *capacity)
{
	int r;

	if (segment->p_offset + segment->p_filesz < segment->p_offset ||
	    segment->p_vaddr + segment->p_memsz < segment->p_vaddr)
		return -EBADMSG;
	r = alloc_grow(&elf->segments, capacity, elf->segment_count + 1);
	if (r < 0)
		return r;
	elf->segments[elf->segment_count++] = (struct elf_segment){
		.offset = segment->p_offset,
		.address = segment->p_vaddr,
		.file_bytes = segment->p_filesz,
		.memory_bytes = segment->p_memsz,
		.executable = segment->p_flags & PF_X,
	};
	return 0;
}

static int elf_file_read_segments(struct elf_file *elf)
{
	size_t count, i, capacity = 0;
	GElf_Phdr segment;
	int r;

	errno = 0;
	if (elf_getphdrnum(elf->elf, &count))
		return elf_failure();
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf->elf, (int)i, &segment))
			return elf_failure();
		if (segment.p_type == PT_NOTE)
			elf_file_read_notes(elf, &segment);
		if (segment.p_type == PT_GNU_EH_FRAME)
			elf->eh_frame_hdr = (struct elf_place){
				.offset = segment.p_offset,
				.size = segment.p_filesz,
				.address = segment.p_vaddr,
			};
		if (segment.p_type != PT_LOAD)
			continue;
		r = elf_file_add_segment(elf, &segment, &capacity);
		if (r < 0)
			return r;
	}
	return 0;
}

/* For objects without segments, such as kernel modules. */
static void elf_file_read_note_sections(struct elf_file *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf_Data *notes;

	while (!elf->build_id.size && (section = elf_nextscn(elf->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE ||
		    header.sh_size > NOTES_BYTES_MAX)
			continue;
		notes = elf_getdata(section, NULL);
		if (notes && notes->d_buf)
			notes_find_build_id(notes, &elf->build_id);
	}
}

static int elf_file_read_headers(struct elf_file *elf)
{
	int r;

	if (elf_kind(elf->elf) != ELF_K_ELF)
		return -EBADMSG;
	errno = 0;
	if (!gelf_getehdr(elf->elf, &elf->header))
		return elf_failure();
	r = elf_file_read_segments(elf);
	if (r < 0)
		return r;
	if (!elf->build_id.size && elf->header.e_type == ET_REL)
		elf_file_read_note_sections(elf);
	return 0;
}

int elf_file_open_fd(int fd, struct elf_file **ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	char magic[SELFMAG];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* Reading a pipe or a terminal would wait for ever. */
	if (!S_ISREG(st.st_mode) || pread(fd, magic, SELFMAG, 0) != SELFMAG ||
	    memcmp(magic, ELFMAG, SELFMAG))
		return -ENOEXEC;
	elf = calloc(1, sizeof(*elf));
	if (!elf)
		return -ENOMEM;
	elf->file_bytes = (uint64_t)st.st_size;
	elf->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (elf->fd < 0)
		return -errno;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	errno = 0;
	/* Not mapped: a file that shrinks while it is mapped kills its reader by SIGBUS. */
	elf->elf = elf_begin(elf->fd, ELF_C_READ, NULL);
	if (!elf->elf)
		return elf_failure();
	r = elf_file_read_headers(elf);
	if (r < 0)
		return r;
	*ret = take_ptr(elf);
	return 0;
}

int elf_file_open_memory(const void *image, size_t size, struct elf_file **ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	int r;

	if (size < SELFMAG || memcmp(image, ELFMAG, SELFMAG))
		return -ENOEXEC;
	elf = calloc(1, sizeof(*elf));
	if (!elf)
		return -ENOMEM;
	elf->fd = -1;
	elf->file_bytes = size;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	errno = 0;
	/* Never written to: libelf takes a plain pointer because it can also build images. */
	elf->elf = elf_memory((char *)image, size);
	if (!elf->elf)
		return elf_failure();
	r = elf_file_read_headers(elf);
	if (r < 0)
		return r;
	*ret = take_ptr(elf);
	return 0;
}

struct elf_file *elf_file_close(struct elf_file *elf)
{
	if (!elf)
		return NULL;
	elf_end(elf->elf);
	if (elf->fd >= 0)
		close(elf->fd);
	free(elf->segments);
	free(elf->sections);
	free(elf);
	return NULL;
}

const struct elf_build_id *elf_file_build_id(const struct elf_file *elf)
{
	return &elf->build_id;
}

int elf_file_class(const struct elf_file *elf)
{
	return elf->header.e_ident[EI_CLASS];
}

int elf_file_machine(const struct elf_file *elf)
{
	return elf->header.e_machine;
}

int elf_file_type(const struct elf_file *elf)
{
	return elf->header.e_type;
}

uint64_t elf_file_entry(const struct elf_file *elf)
{
	return elf->header.e_entry;
}

const struct elf_segment *elf_file_segments(const struct elf_file *elf, size_t *ret_count)
{
	*ret_count = elf->segment_count;
	return elf->segments;
}

/*
 * How well a segment answers for an offset, 0 for not at all. The kernel maps
 * whole pages, so the page of an executable segment's first bytes also begins
 * with the end of the segment before it; a mapping starts there.
 */
static int segment_rank(const struct elf_segment *segment, uint64_t offset, uint64_t page_bytes)
{
	uint64_t start = segment->offset & ~(page_bytes - 1);
	uint64_t end = segment->offset + segment->file_bytes;
	uint64_t last = (end + page_bytes - 1) & ~(page_bytes - 1);
	int rank;

	if (offset >= segment->offset && offset < end)
		rank = 2;
	else if (segment->file_bytes && offset >= start && offset < last)
		rank = 1;
	else
		return 0;
	return segment->executable ? rank + 2 : rank;
}

int elf_file_offset_to_address(const struct elf_file *elf, uint64_t offset, uint64_t *ret)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	const struct elf_segment *segment, *best = NULL;
	int rank, best_rank = 0;
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		segment = &elf->segments[i];
		rank = segment_rank(segment, offset, page_bytes);
		if (rank <= best_rank)
			continue;
		best = segment;
		best_rank = rank;
	}
	if (!best)
		return -ENOENT;
	*ret = best->address + (offset - best->offset);
	return 0;
}

int elf_file_address_to_offset(const struct elf_file *elf, uint64_t address, uint64_t *ret)
{
	const struct elf_segment *segment, *best = NULL;
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		segment = &elf->segments[i];
		if (address < segment->address ||
		    address - segment->address >= segment->file_bytes)
			continue;
		if (!best || (segment->executable && !best->executable))
			best = segment;
	}
	if (!best)
		return -ENOENT;
	*ret = best->offset + (address - best->address);
	return 0;
}
