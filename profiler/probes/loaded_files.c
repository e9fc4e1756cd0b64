/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loaded_files.c - the files that a program is loaded from, before it is: as a shell and the dynamic
 * linker look for them. ld.so.cache is not read: it has what is in the folders.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/strbuf.h"
#include "profiler/probes/probe_files_private.h"
#include "symbolizer/elf/needed_files.h"

/* As ld.so(8) and Debian's multiarch have it. */
#define LIBRARY_FOLDERS \
	"/usr/local/lib/x86_64-linux-gnu:/usr/local/lib:/lib/x86_64-linux-gnu:" \
	"/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib"
#define COMMAND_FOLDERS "/usr/local/bin:/usr/bin:/bin"
#define FILES_MAX 4096
#define SCRIPT_BYTES 256

/* The next of @list, which has colons between them; NULL: none. Returns whether there was one. */
static bool next_folder(const char **list, struct strbuf *ret)
{
	size_t size = *list ? strcspn(*list, ":") : 0;

	if (!*list || !**list)
		return false;
	strbuf_reset(ret);
	strbuf_add(ret, *list, size);
	*list += size + ((*list)[size] == ':');
	return true;
}

/* The first of @folders that has @name. Returns 1, 0 when none has, -ENOMEM. */
static int add_first(struct probe_files *files, int root, const char *folders, const char *name)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	int r = 0;

	while (!r && next_folder(&folders, &path)) {
		strbuf_printf(&path, "/%s", name);
		r = path.error ?: probe_files_add(files, root, path.data);
	}
	return r;
}

static int add_program(struct probe_files *files, int root, const char *name)
{
	if (strchr(name, '/'))
		return probe_files_add(files, root, name);
	return add_first(files, root,
			 root < 0 ? getenv("PATH") ?: COMMAND_FOLDERS : COMMAND_FOLDERS, name);
}

/* ---- by name ---- */

static int add_matching(struct probe_files *files, int root, const char *folder, const char *name)
{
	_cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT;
	glob_t found = { 0 };
	size_t skipped;
	int r = 0;

	if (root >= 0)
		strbuf_printf(&pattern, "/proc/self/fd/%d", root);
	skipped = pattern.size;
	strbuf_printf(&pattern, "%s/%s{,.so,.so.*,-[0-9]*.so}", folder, name);
	if (pattern.error)
		return -ENOMEM;
	if (!glob(pattern.data, GLOB_BRACE | GLOB_NOSORT, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc && r >= 0; i++)
			r = probe_files_add(files, root, found.gl_pathv[i] + skipped);
	globfree(&found);
	return r < 0 ? r : 0;
}

int loaded_files_add(struct probe_files *files, int root, const char *name)
{
	_cleanup_strbuf_ struct strbuf folder = STRBUF_INIT;
	const char *folders[] = { root < 0 ? getenv("LD_LIBRARY_PATH") : NULL, LIBRARY_FOLDERS };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		while (!r && next_folder(&folders[i], &folder))
			r = folder.error ?: add_matching(files, root, folder.data, name);
	r = r ?: add_program(files, root, name);
	return r < 0 ? r : 0;
}

/* ---- a command ---- */

/* Folders that a file names itself, with $ORIGIN for its own. */
static int write_folders(const char *text, const char *path, struct strbuf *ret)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };
	const char *slash = strrchr(path, '/');

	while (*text) {
		size_t size = 0;

		for (size_t i = 0; i < ARRAY_SIZE(origins) && !size; i++)
			if (!strncmp(text, origins[i], strlen(origins[i])))
				size = strlen(origins[i]);
		if (!size)
			strbuf_add_char(ret, *text++);
		else if (slash)
			strbuf_add(ret, path, slash - path);
		text += size;
	}
	return ret->error;
}

static int add_needed(struct probe_files *files, struct module *module)
{
	_cleanup_strbuf_ struct strbuf folders = STRBUF_INIT;
	_cleanup_(needed_files_done) struct needed_files needed = { 0 };
	int r = needed_files_read(module, &needed);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = write_folders(needed.folders ?: "", module_info(module)->path, &folders);
	strbuf_printf(&folders, ":%s:%s", getenv("LD_LIBRARY_PATH") ?: "", LIBRARY_FOLDERS);
	r = r ?: folders.error;
	for (size_t i = 0; i < needed.count && r >= 0; i++)
		r = strchr(needed.names[i], '/') ?
			    probe_files_add(files, -1, needed.names[i]) :
			    add_first(files, -1, folders.data, needed.names[i]);
	return r < 0 ? r : 0;
}

/* Of a script, what runs it: "#!/usr/bin/env python3". */
static int add_interpreter(struct probe_files *files, struct module *module)
{
	char text[SCRIPT_BYTES + 1], *rest = text + 2, *word;
	ssize_t size = module_read_some(module, 0, text, SCRIPT_BYTES);
	bool is_env;

	if (size < 2 || memcmp(text, "#!", 2))
		return 0;
	text[size] = 0;
	text[strcspn(text, "\n")] = 0;
	word = strtok_r(rest, " \t", &rest);
	if (!word)
		return 0;
	is_env = !strcmp(word, "/usr/bin/env");
	if (is_env)
		word = strtok_r(NULL, " \t", &rest);
	return word ? add_program(files, -1, word) : 0;
}

int loaded_files_add_command(struct probe_files *files, const char *command)
{
	int r = add_program(files, -1, command);

	for (size_t i = 0; i < files->count && files->count < FILES_MAX && r >= 0; i++) {
		r = add_interpreter(files, files->modules[i]);
		r = r < 0 ? r : add_needed(files, files->modules[i]);
	}
	return r < 0 ? r : 0;
}
