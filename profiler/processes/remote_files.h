/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remote_files.h - files whose file system may never answer: FUSE, NFS and their like.
 *
 * Who opens or reads such a file may wait for ever, and if its server has taken the
 * request even SIGKILL does not end the wait. So a child reads it, into memory, and is
 * left behind when it does not end in time; its file system is then not asked again for
 * a while, and not before that child is gone. Knows nothing of ELF. One thread at a time.
 */
#ifndef WICK_REMOTE_FILES_H
#define WICK_REMOTE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct remote_files;

/* What fstat() said of the file, and a copy of it in memory. */
struct remote_file {
	int fd;
	uint64_t device, inode, mtime_ns;
};

struct remote_files *remote_files_new(void);
/* Does not wait for children: those that cannot be killed are left to init. */
struct remote_files *remote_files_free(struct remote_files *files);
DEFINE_CLEANUP(struct remote_files *, remote_files_free)

/*
 * Whether the file behind @handle, a descriptor by O_PATH of a file that process @pid has
 * mapped, is on such a file system. Asks the kernel only.
 */
bool remote_files_has_handle(uint32_t pid, int handle);
/* Whether @path is, in the mount namespace and root of @pid (0: ours). */
bool remote_files_has_path(uint32_t pid, const char *path);
/*
 * Read the regular file at @path, or the one behind @handle when that is not negative. The
 * descriptor in @ret is the caller's. Returns 0, -ETIMEDOUT, -EFBIG when it, or all of
 * them together, would take too much memory, -ENOEXEC when it is no regular file, or why
 * the child could not read it.
 */
int remote_files_read(struct remote_files *files, const char *path, int handle,
		      struct remote_file *ret);
/* Memory of all copies. */
size_t remote_files_bytes(const struct remote_files *files);

#endif
