/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf/module.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

struct module {
	atomic_uint references;
	struct module_info info;
	const char *basename;
	int fd;			/* -1: no file */
	const void *image;	/* NULL: not in memory */
	size_t image_bytes;
	int root;		/* the folder that the path is below, -1: our root */
	void *owned;		/* the image, when it goes with the module */
	bool has_companions;
	struct module *debug, *alternate;	/* its companions, or NULL */
	char path[];
};

static struct module *module_alloc(const struct module_info *info)
{
	const char *path = info->path ? info->path : "";
	size_t size = strlen(path) + 1;
	struct module *mod;
	char *slash;

	mod = calloc(1, sizeof(*mod) + size);
	if (!mod)
		return NULL;
	atomic_init(&mod->references, 1);
	memcpy(mod->path, path, size);
	mod->info = *info;
	mod->info.path = mod->path;
	slash = strrchr(mod->path, '/');
	mod->basename = slash ? slash + 1 : mod->path;
	mod->fd = -1;
	mod->root = -1;
	return mod;
}

struct module *module_new(const struct module_info *info, int fd)
{
	struct module *mod = module_alloc(info);

	if (mod)
		mod->fd = fd;
	else if (fd >= 0)
		close(fd);
	return mod;
}

struct module *module_new_memory(const struct module_info *info, const void *image, size_t size)
{
	struct module *mod = module_alloc(info);

	if (!mod)
		return NULL;
	mod->image = image;
	mod->image_bytes = size;
	return mod;
}

struct module *module_new_image(const struct module_info *info, void *image, size_t size)
{
	struct module *mod = module_new_memory(info, image, size);

	if (mod)
		mod->owned = image;
	else
		free(image);
	return mod;
}

void module_set_root(struct module *mod, int fd)
{
	mod->root = fd;
}

int module_root(const struct module *mod)
{
	return mod->root;
}

int module_fd(const struct module *mod)
{
	return mod->fd;
}

void module_set_companions(struct module *mod, struct module *debug, struct module *alternate)
{
	module_put(mod->debug);
	module_put(mod->alternate);
	mod->has_companions = true;
	mod->debug = debug;
	mod->alternate = alternate;
}

bool module_companions(const struct module *mod, struct module **ret_debug,
		       struct module **ret_alternate)
{
	if (!mod->has_companions)
		return false;
	*ret_debug = mod->debug;
	*ret_alternate = mod->alternate;
	return true;
}

struct module *module_get(struct module *mod)
{
	atomic_fetch_add_explicit(&mod->references, 1, memory_order_relaxed);
	return mod;
}

struct module *module_put(struct module *mod)
{
	if (!mod)
		return NULL;
	/* What other holders did with it must be over before it is freed. */
	if (atomic_fetch_sub_explicit(&mod->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	if (mod->fd >= 0)
		close(mod->fd);
	if (mod->root >= 0)
		close(mod->root);
	module_put(mod->debug);
	module_put(mod->alternate);
	free(mod->owned);
	free(mod);
	return NULL;
}

const struct module_info *module_info(const struct module *mod)
{
	return &mod->info;
}

const char *module_basename(const struct module *mod)
{
	return mod->basename;
}

int module_open(struct module *mod, struct elf_file **ret)
{
	if (mod->image)
		return elf_file_open_memory(mod->image, mod->image_bytes, ret);
	if (mod->fd < 0)
		return -ENOENT;
	return elf_file_open_fd(mod->fd, ret);
}

static int module_read_image(const struct module *mod, uint64_t offset, void *buffer, size_t size)
{
	if (offset > mod->image_bytes || size > mod->image_bytes - offset)
		return -EBADMSG;
	memcpy(buffer, (const char *)mod->image + offset, size);
	return 0;
}

ssize_t module_read_some(struct module *mod, uint64_t offset, void *buffer, size_t size)
{
	ssize_t got;

	if (mod->image) {
		if (offset >= mod->image_bytes)
			return 0;
		if (size > mod->image_bytes - offset)
			size = mod->image_bytes - offset;
		return module_read_image(mod, offset, buffer, size) ?: (ssize_t)size;
	}
	if (mod->fd < 0)
		return -ENOENT;
	if (offset > INT64_MAX - size)
		return -EBADMSG;
	do {
		got = pread(mod->fd, buffer, size, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

int module_read(struct module *mod, uint64_t offset, void *buffer, size_t size)
{
	char *position = buffer;
	ssize_t got;

	if (mod->image)
		return module_read_image(mod, offset, buffer, size);
	while (size) {
		got = module_read_some(mod, offset, position, size);
		if (got < 0)
			return (int)got;
		if (!got)
			return -EBADMSG;
		position += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return mod->fd < 0 ? -ENOENT : 0;
}

long module_read_text(struct module *mod, uint64_t offset, uint64_t limit, char *buffer,
		      size_t size)
{
	size_t used = 0, part;
	char *end;
	int r;

	/* Most names end within the first part, and few are asked for twice. */
	for (part = 128; used + 1 < size && used < limit; part *= 4) {
		if (part > size - 1 - used)
			part = size - 1 - used;
		if (part > limit - used)
			part = limit - used;
		r = module_read(mod, offset + used, buffer + used, part);
		if (r < 0)
			return r;
		end = memchr(buffer + used, '\0', part);
		if (end)
			return end - buffer;
		used += part;
	}
	if (used >= limit)
		return -EBADMSG;
	buffer[used] = '\0';
	return (long)used;
}
