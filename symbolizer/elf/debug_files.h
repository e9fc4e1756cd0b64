/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_files.h - where the debug information of a module lives.
 *
 * In the module's own file, by build ID in the folder of debug files, or where
 * .gnu_debuglink points: beside the file, in .debug/ there, or in the folder
 * under the same path. First those of this machine, then of the root that the
 * module's path is of, where no link leads out of it and no mount is entered. A
 * separate file is believed when its build ID is the module's, or its CRC where
 * there is no build ID.
 */
#ifndef WICK_DEBUG_FILES_H
#define WICK_DEBUG_FILES_H

#include "symbolizer/elf/module.h"

struct debuginfod;

#define DEBUG_FOLDER "/usr/lib/debug"

/*
 * The file with DWARF or, when it is a separate one, at least symbols of @mod:
 * @mod itself or a new module, a reference the caller puts. @folder is
 * DEBUG_FOLDER. Returns 0, -ENOENT when there is none, or a negative errno.
 */
int debug_files_find(struct module *mod, const char *folder, struct module **ret);
/*
 * The supplementary file that dwz made and @elf, which is @mod's, refers to by
 * .gnu_debugaltlink. Returns 0, -ENODATA when it refers to none, -ENOENT when
 * it is not found, or a negative errno.
 */
int debug_files_find_alternate(struct module *mod, struct elf_file *elf, const char *folder,
			       struct module **ret);

/* The files that its debug information is read from, besides its own; NULL: there is none. */
struct debug_files {
	struct module *debug, *alternate;
};

/*
 * All of them for a module that someone else reads, from DEBUG_FOLDER or, where @debuginfod is not NULL,
 * from a server. Returns 0, also when there are none, or -ENOMEM.
 */
int debug_files_collect(struct module *mod, struct debuginfod *debuginfod,
			struct debug_files *ret);
void debug_files_done(struct debug_files *files);
/* Whether there may be some: its own file has not all. Reads what debug_files_collect() reads of that. */
bool debug_files_are_wanted(struct module *mod);

#endif
