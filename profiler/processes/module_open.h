/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module_open.h - the file behind a mapping, opened, and proven to be it.
 *
 * Paths are what a process saw, which may be another file or none by now, or
 * one in another mount namespace. Knows no numbers and no caches. What is on a file
 * system that may never answer is read through remote_files.h.
 */
#ifndef WICK_MODULE_OPEN_H
#define WICK_MODULE_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/processes/process.h"
#include "profiler/processes/remote_files.h"
#include "symbolizer/elf/elf_file.h"

struct module_file {
	int fd;				/* -1: an image in memory */
	const void *image;
	size_t image_size;
	uint64_t device, inode, mtime_ns;	/* as fstat() says; 0 for an image */
	struct elf_build_id build_id;	/* size 0: it has none */
	bool compat;			/* 32-bit */
	struct elf_segment *segments;	/* executable ones */
	size_t segment_count;
};

/*
 * Open the file of @mapping: through the process's map_files or root, through the
 * root of an ancestor, or by its plain path. It must have the mapping's build ID, else
 * its device and inode. Regular files only: opening a device may do things. Returns
 * 0; -ENOEXEC when it is no ELF object; -ESTALE when only other files were found;
 * -ETIMEDOUT when its file system does not answer; or why it could not be opened.
 */
int module_file_open(const struct process *process, const struct mapping *mapping,
		     struct remote_files *remote, struct module_file *ret);
/* The vDSO, which is the same in all 64-bit processes, from our own memory. */
int module_file_open_vdso(struct module_file *ret);
void module_file_done(struct module_file *file);

/*
 * The ELF address of byte @offset by the segment that maps it, page-rounded as the
 * kernel does. Returns 0 or -ENOENT.
 */
int module_segments_address(const struct elf_segment *segments, size_t count, uint64_t offset,
			    uint64_t *ret);
uint64_t module_mtime_ns(int fd);

#endif
