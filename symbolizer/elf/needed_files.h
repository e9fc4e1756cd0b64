/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * needed_files.h - the libraries that an ELF file asks the dynamic linker for (DT_NEEDED).
 */
#ifndef WICK_NEEDED_FILES_H
#define WICK_NEEDED_FILES_H

#include <stddef.h>
#include "symbolizer/elf/module.h"

/* No program asks for so many; the others are left out. */
#define NEEDED_FILES_MAX 1024

struct needed_files {
	char **names;		/* "libc.so.6", or a path */
	size_t count, capacity;
	char *folders;		/* to look in first, "$ORIGIN/../lib:/opt/lib"; NULL: none are named */
};

/*
 * Returns 0, also for a file that needs none, -ENOEXEC, -EBADMSG, -ENOMEM. needed_files_done() in every
 * case.
 */
int needed_files_read(struct module *mod, struct needed_files *ret);
void needed_files_done(struct needed_files *needed);

#endif
