/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "symbolizer/elf/debug_files.h"
#include "symbolizer/elf/debuginfod.h"

void debug_files_done(struct debug_files *files)
{
	files->debug = module_put(files->debug);
	files->alternate = module_put(files->alternate);
}

bool debug_files_are_wanted(struct module *mod)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct elf_section section;

	if (module_open(mod, &elf) < 0)
		return false;
	if (elf_file_has(elf, ".debug_info") > 0 || elf_file_has(elf, ".zdebug_info") > 0)
		return elf_file_has(elf, ".gnu_debugaltlink") > 0;
	elf_file_section(elf, ".gnu_debuglink", &section);
	return true;
}

/* Of @debug, the file that has the debug information. */
static int find_alternate(struct module *debug, struct module **ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	int r = module_open(debug, &elf);

	return r ?: debug_files_find_alternate(debug, elf, DEBUG_FOLDER, ret);
}

int debug_files_collect(struct module *mod, struct debuginfod *debuginfod,
			struct debug_files *ret)
{
	_cleanup_(module_putp) struct module *debug = NULL;
	struct module *alternate = NULL;
	int r;

	r = debug_files_find(mod, DEBUG_FOLDER, &debug);
	if (r == -ENOENT && debuginfod)
		r = debuginfod_find(debuginfod, mod, &debug);
	if (!r)
		r = find_alternate(debug, &alternate);
	if (r == -ENOMEM)
		return r;
	/* Its own file goes without saying. */
	ret->debug = debug == mod ? NULL : take_ptr(debug);
	ret->alternate = alternate;
	return 0;
}
