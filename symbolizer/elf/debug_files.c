/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf/debug_files.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

/* Of a file whose CRC is asked for; larger ones have a build ID. */
#define CRC_BYTES_MAX ((uint64_t)1 << 30)

/* What a separate file must be, and where it is looked for. */
struct wanted {
	int root;		/* the folder that paths are below; -1: ours */
	const struct elf_build_id *build_id;
	bool by_crc;		/* there is no build ID */
	uint32_t crc;
	bool symbols_suffice;
};

/* 1, 0 or -ENOMEM. */
static int has_dwarf(struct elf_file *elf)
{
	return elf_file_has(elf, ".debug_info") ?: elf_file_has(elf, ".zdebug_info");
}

static bool same_build_id(const struct elf_build_id *a, const struct elf_build_id *b)
{
	return a->size && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

/* The CRC of gzip, four bits at a time. */
static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, size_t size)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	size_t i;

	for (i = 0; i < size; i++) {
		crc = table[(crc ^ bytes[i]) & 15] ^ crc >> 4;
		crc = table[(crc ^ bytes[i] >> 4) & 15] ^ crc >> 4;
	}
	return crc;
}

static int file_crc(struct module *mod, uint32_t *ret)
{
	_cleanup_free_ uint8_t *buffer = malloc(1 << 16);
	uint64_t offset;
	uint32_t crc = UINT32_MAX;
	ssize_t got;

	if (!buffer)
		return -ENOMEM;
	for (offset = 0; offset < CRC_BYTES_MAX; offset += (uint64_t)got) {
		got = module_read_some(mod, offset, buffer, 1 << 16);
		if (got < 0)
			return (int)got;
		if (!got) {
			*ret = ~crc;
			return 0;
		}
		crc = crc_add(crc, buffer, (size_t)got);
	}
	return -EFBIG;
}

/*
 * A pipe in its place must not be waited for; what is no file is refused later.
 * Of a foreign root, who owns it decides what is there: links out of it, and
 * mounts of file systems that never answer.
 */
static int open_below(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};

	if (root < 0)
		return open(path, (int)how.flags);
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int candidate_module(const char *path, const struct wanted *wanted, struct module **ret)
{
	struct module_info info = { .path = path, .build_id = *wanted->build_id };
	_cleanup_(module_putp) struct module *mod = NULL;
	int fd = open_below(wanted->root, path);

	if (fd < 0)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	mod = module_new(&info, fd);
	if (!mod)
		return -ENOMEM;
	if (wanted->root >= 0) {
		fd = fcntl(wanted->root, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
		module_set_root(mod, fd);
	}
	*ret = take_ptr(mod);
	return 0;
}

/* Returns 0 when the file at @path is what is wanted, else -ENOENT or another error. */
static int candidate_open(const char *path, const struct wanted *wanted, struct module **ret)
{
	_cleanup_(module_putp) struct module *mod = NULL;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	uint32_t crc = 0;
	int r;

	r = candidate_module(path, wanted, &mod);
	if (r < 0)
		return r;
	r = module_open(mod, &elf);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	r = has_dwarf(elf);
	if (!r && wanted->symbols_suffice)
		r = elf_file_has(elf, ".symtab");
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	if (wanted->by_crc) {
		r = file_crc(mod, &crc);
		if (r < 0 || crc != wanted->crc)
			return r == -ENOMEM ? r : -ENOENT;
	} else if (!same_build_id(elf_file_build_id(elf), wanted->build_id)) {
		return -ENOENT;
	}
	*ret = take_ptr(mod);
	return 0;
}

static int find_by_build_id(const char *folder, const struct wanted *wanted, struct module **ret)
{
	const struct elf_build_id *id = wanted->build_id;
	char hex[2 * ELF_BUILD_ID_MAX + 1] = "", path[PATH_MAX];
	size_t i;

	if (id->size < 2)
		return -ENOENT;
	for (i = 0; i < id->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", id->bytes[i]);
	if (snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", folder, hex, hex + 2) >=
	    (int)sizeof(path))
		return -ENOENT;
	return candidate_open(path, wanted, ret);
}

/* How many bytes of @path are its folder, with the last slash; 0 for a relative path. */
static int folder_length(const char *path)
{
	const char *slash = *path == '/' ? strrchr(path, '/') : NULL;

	return slash ? (int)(slash - path) + 1 : 0;
}

static int find_by_name(const char *path, const char *name, const char *folder,
			const struct wanted *wanted, struct module **ret)
{
	int length = folder_length(path), r = -ENOENT;
	char candidates[3][PATH_MAX];
	int sizes[3];
	size_t i;

	if (!length)
		return -ENOENT;
	sizes[0] = snprintf(candidates[0], PATH_MAX, "%.*s%s", length, path, name);
	sizes[1] = snprintf(candidates[1], PATH_MAX, "%.*s.debug/%s", length, path, name);
	sizes[2] = snprintf(candidates[2], PATH_MAX, "%s%.*s%s", folder, length, path, name);
	for (i = 0; i < ARRAY_SIZE(candidates) && r == -ENOENT; i++) {
		if (sizes[i] < PATH_MAX)
			r = candidate_open(candidates[i], wanted, ret);
	}
	return r;
}

static int find_by_link(struct elf_file *elf, const char *path, const char *folder,
			struct wanted *wanted, struct module **ret)
{
	struct elf_section section;
	size_t crc_offset;
	const char *name;
	int r;

	r = elf_file_section(elf, ".gnu_debuglink", &section);
	if (r < 0)
		return r;
	name = (const char *)section.bytes;
	if (!section.size || !memchr(name, '\0', section.size))
		return -EBADMSG;
	crc_offset = (strlen(name) + 4) & ~(size_t)3;
	if (crc_offset + 4 > section.size || !*name || strchr(name, '/'))
		return -EBADMSG;
	memcpy(&wanted->crc, section.bytes + crc_offset, sizeof(wanted->crc));
	wanted->by_crc = !wanted->build_id->size;
	return find_by_name(path, name, folder, wanted, ret);
}

/* Ours and, where @mod is of another, that one. */
static size_t roots_of(const struct module *mod, int roots[2])
{
	roots[0] = -1;
	roots[1] = module_root(mod);
	return roots[1] < 0 ? 1 : 2;
}

static int given(struct module *mod, struct module **ret)
{
	if (!mod)
		return -ENOENT;
	*ret = module_get(mod);
	return 0;
}

int debug_files_find(struct module *mod, const char *folder, struct module **ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct module *debug, *alternate;
	struct wanted wanted = { .symbols_suffice = true };
	int roots[2], found = -ENOENT, r;
	size_t count, i;

	r = module_open(mod, &elf);
	if (r < 0)
		return r;
	r = has_dwarf(elf);
	if (r < 0)
		return r;
	if (r > 0) {
		*ret = module_get(mod);
		return 0;
	}
	if (module_companions(mod, &debug, &alternate))
		return given(debug, ret);
	wanted.build_id = elf_file_build_id(elf);
	count = roots_of(mod, roots);
	for (i = 0; i < count && found == -ENOENT; i++) {
		wanted.root = roots[i];
		found = find_by_build_id(folder, &wanted, ret);
		if (found == -ENOENT)
			found = find_by_link(elf, module_info(mod)->path, folder, &wanted, ret);
	}
	return found;
}

static int alternate_open(const char *name, const char *path, const char *folder,
			  const struct wanted *wanted, struct module **ret)
{
	char beside[PATH_MAX];
	int r;

	r = find_by_build_id(folder, wanted, ret);
	if (r != -ENOENT || *name == '/')
		return r == -ENOENT ? candidate_open(name, wanted, ret) : r;
	if (snprintf(beside, sizeof(beside), "%.*s%s", folder_length(path), path, name) >=
	    (int)sizeof(beside))
		return -ENOENT;
	return candidate_open(beside, wanted, ret);
}

int debug_files_find_alternate(struct module *mod, struct elf_file *elf, const char *folder,
			       struct module **ret)
{
	struct elf_build_id build_id = { 0 };
	struct wanted wanted = { .build_id = &build_id };
	struct module *debug, *alternate;
	struct elf_section section;
	const char *name;
	size_t size, count, i;
	int roots[2], r;

	r = elf_file_section(elf, ".gnu_debugaltlink", &section);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	if (module_companions(mod, &debug, &alternate))
		return given(alternate, ret);
	name = (const char *)section.bytes;
	if (!section.size || !memchr(name, '\0', section.size))
		return -EBADMSG;
	size = section.size - strlen(name) - 1;
	if (!size || size > ELF_BUILD_ID_MAX)
		return -EBADMSG;
	build_id.size = (uint8_t)size;
	memcpy(build_id.bytes, name + strlen(name) + 1, size);
	count = roots_of(mod, roots);
	for (i = 0, r = -ENOENT; i < count && r == -ENOENT; i++) {
		wanted.root = roots[i];
		r = alternate_open(name, module_info(mod)->path, folder, &wanted, ret);
	}
	return r;
}
