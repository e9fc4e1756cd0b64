/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/dwarf/dwarf_file.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/elf/debug_files.h"

/* Of all sections together: they are memory of who reads them. */
#define DEBUG_BYTES_MAX ((uint64_t)1 << 30)

struct dwarf_file *dwarf_file_close(struct dwarf_file *file)
{
	if (!file)
		return NULL;
	dwarf_end(file->dwarf);
	dwarf_file_close(file->alternate);
	elf_file_close(file->elf);
	module_put(file->mod);
	free(file);
	return NULL;
}

/* By the name it has when it is compressed in the old way, too. */
static int debug_section(struct elf_file *elf, const char *name, const char *compressed,
			 struct elf_section *ret)
{
	int r = elf_file_section(elf, name, ret);

	return r == -ENOENT ? elf_file_section(elf, compressed, ret) : r;
}

/* A file may have no lines; then its functions are still named. */
static int dwarf_file_find_sections(struct dwarf_file *file)
{
	static const struct {
		const char *name, *compressed;
		size_t place;
	} sections[] = {
		{ ".debug_line", ".zdebug_line", offsetof(struct dwarf_file, lines.lines) },
		{ ".debug_str", ".zdebug_str", offsetof(struct dwarf_file, lines.strings) },
		{ ".debug_line_str", ".zdebug_line_str",
		  offsetof(struct dwarf_file, lines.line_strings) },
		{ ".debug_info", ".zdebug_info", offsetof(struct dwarf_file, entries[0]) },
		{ ".debug_types", ".zdebug_types", offsetof(struct dwarf_file, entries[1]) },
	};
	size_t i;
	int r;

	file->lines.address_bytes = elf_file_class(file->elf) == ELFCLASS32 ? 4 : 8;
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		r = debug_section(file->elf, sections[i].name, sections[i].compressed,
				  (void *)((char *)file + sections[i].place));
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

/* The file of @mod, which is put in every case. */
static int dwarf_file_open_module(struct module *mod, struct dwarf_file **ret)
{
	_cleanup_(dwarf_file_closep) struct dwarf_file *file = calloc(1, sizeof(*file));
	uint64_t bytes;
	int r;

	if (!file) {
		module_put(mod);
		return -ENOMEM;
	}
	file->mod = mod;
	r = module_open(mod, &file->elf);
	if (r < 0)
		return r;
	r = elf_file_debug_bytes(file->elf, &bytes);
	if (r < 0)
		return r;
	if (bytes > DEBUG_BYTES_MAX)
		return -EFBIG;
	file->bytes = bytes;
	if (bytes) {
		file->dwarf = dwarf_begin_elf(elf_file_handle(file->elf), DWARF_C_READ, NULL);
		if (!file->dwarf)
			return -EBADMSG;
		r = dwarf_file_find_sections(file);
		if (r < 0)
			return r;
	}
	*ret = take_ptr(file);
	return 0;
}

/*
 * Told of no alternate file libdw would look for one itself, and open whatever
 * path it reads. So without the right one we do without all of it.
 */
static int dwarf_file_set_alternate(struct dwarf_file *file)
{
	struct module *mod;
	int r;

	r = debug_files_find_alternate(file->mod, file->elf, DEBUG_FOLDER, &mod);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	r = dwarf_file_open_module(mod, &file->alternate);
	if (r < 0)
		return r;
	/* Neither may it refer to a third one. */
	r = elf_file_has(file->alternate->elf, ".gnu_debugaltlink");
	if (r || !file->alternate->dwarf)
		return r < 0 ? r : -EBADMSG;
	dwarf_setalt(file->dwarf, file->alternate->dwarf);
	file->bytes += file->alternate->bytes;
	return 0;
}

int dwarf_file_open(struct module *mod, struct dwarf_file **ret)
{
	_cleanup_(dwarf_file_closep) struct dwarf_file *file = NULL;
	struct module *found;
	int r;

	r = debug_files_find(mod, DEBUG_FOLDER, &found);
	if (r < 0)
		return r;
	r = dwarf_file_open_module(found, &file);
	if (r < 0)
		return r;
	/* An object that is not linked yet has no addresses. (What dwz makes claims to be one.) */
	if (elf_file_type(file->elf) == ET_REL)
		return -ENOENT;
	if (file->dwarf) {
		r = dwarf_file_set_alternate(file);
		if (r < 0)
			return r;
	}
	*ret = take_ptr(file);
	return 0;
}

/* Whether @text is in @section and ends there. */
static bool text_ends(const struct elf_section *section, const char *text)
{
	const char *start = (const char *)section->bytes;

	if (!section->size || text < start || text >= start + section->size)
		return false;
	return memchr(text, '\0', (size_t)(start + section->size - text));
}

static bool text_is_whole(const struct dwarf_file *file, const char *text)
{
	return text_ends(&file->lines.strings, text) ||
	       text_ends(&file->lines.line_strings, text) ||
	       text_ends(&file->entries[0], text) || text_ends(&file->entries[1], text);
}

const char *dwarf_file_text(const struct dwarf_file *file, Dwarf_Attribute *attribute)
{
	const char *text = dwarf_formstring(attribute);

	if (!text || text_is_whole(file, text) ||
	    (file->alternate && text_is_whole(file->alternate, text)))
		return text;
	return NULL;
}
