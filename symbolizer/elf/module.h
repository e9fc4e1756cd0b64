/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module.h - an ELF object that processes have mapped, known by build ID.
 *
 * Counted references, safe across threads; the rest of it never changes once
 * made, so any thread may read it and open its file at any time. It keeps a
 * file descriptor, so that a deleted or replaced file can still be named, and
 * never opens a path again.
 */
#ifndef WICK_MODULE_H
#define WICK_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/elf_file.h"

struct module;

struct module_info {
	uint32_t id;			/* the number in frames; unique in a session */
	const char *path;		/* as the process saw it: "/usr/bin/x", "[vdso]" */
	struct elf_build_id build_id;
	uint64_t device, inode, mtime_ns;	/* of the file; 0 for an image in memory */
};

/*
 * A module over the open file @fd, which it takes over in every case; -1 when
 * the file could not be opened: such a module has a name and nothing else.
 * @info and its path are copied. Returns NULL when there is no memory. The new
 * reference is the caller's.
 */
struct module *module_new(const struct module_info *info, int fd);
/* A module over an image in memory, which must outlive it (the vDSO). */
struct module *module_new_memory(const struct module_info *info, const void *image, size_t size);
/* The same over one from malloc(), which it takes over in every case. */
struct module *module_new_image(const struct module_info *info, void *image, size_t size);
/*
 * Its path is of the file system below the folder behind @fd, a descriptor that
 * the module takes over; not of ours. For who made it, before others have it.
 */
void module_set_root(struct module *mod, int fd);
/* That descriptor, the module's own, or -1. */
int module_root(const struct module *mod);
/* The file it is read from, the module's own descriptor, or -1. */
int module_fd(const struct module *mod);
/*
 * For where no file can be opened: the separate file with its debug information and the alternate file
 * of its own, references that the module takes over in place of those it has, NULL for those it lacks; no
 * other files are looked for then. For who made it, before others have it.
 */
void module_set_companions(struct module *mod, struct module *debug, struct module *alternate);
/* Whether they were set; then *@ret_debug and *@ret_alternate are those, the module's own. */
bool module_companions(const struct module *mod, struct module **ret_debug,
		       struct module **ret_alternate);
struct module *module_get(struct module *mod);
struct module *module_put(struct module *mod);	/* returns NULL */
DEFINE_CLEANUP(struct module *, module_put)

const struct module_info *module_info(const struct module *mod);
/* The part of the path after the last slash. */
const char *module_basename(const struct module *mod);
/*
 * Open its ELF file anew for the caller, who closes it. Returns 0, -ENOENT for
 * a module without a file, or what elf_file_open_fd() says.
 */
int module_open(struct module *mod, struct elf_file **ret);
/*
 * Read @size bytes at file @offset into @buffer, for those who keep no file
 * open. Returns 0, -EBADMSG when the file has not that many, or a negative errno.
 */
int module_read(struct module *mod, uint64_t offset, void *buffer, size_t size);
/* Read up to @size bytes there. Returns how many, 0 at the end, or a negative errno. */
ssize_t module_read_some(struct module *mod, uint64_t offset, void *buffer, size_t size);
/*
 * Read the NUL-terminated text at file @offset, of at most @limit bytes with
 * its NUL, into @buffer; what does not fit is cut off. Returns its length,
 * -EBADMSG when it does not end within @limit, or a negative errno.
 */
long module_read_text(struct module *mod, uint64_t offset, uint64_t limit, char *buffer,
		      size_t size);

#endif
