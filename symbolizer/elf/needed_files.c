/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf/needed_files.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"

void needed_files_done(struct needed_files *needed)
{
	for (size_t i = 0; i < needed->count; i++)
		free(needed->names[i]);
	free(needed->names);
	free(needed->folders);
	*needed = (struct needed_files){ 0 };
}

/* The text at @offset of @names; NULL when it does not end in there. */
static const char *text_at(const struct elf_section *names, uint64_t offset)
{
	if (offset >= names->size || !memchr(names->bytes + offset, 0, names->size - offset))
		return NULL;
	return (const char *)names->bytes + offset;
}

static int add_name(struct needed_files *ret, const char *name)
{
	int r = alloc_grow(&ret->names, &ret->capacity, ret->count + 1);

	if (r < 0)
		return r;
	ret->names[ret->count] = strdup(name);
	if (!ret->names[ret->count])
		return -ENOMEM;
	ret->count++;
	return 0;
}

static int add_entry(struct needed_files *ret, const Elf64_Dyn *entry,
		     const struct elf_section *names)
{
	bool is_name = entry->d_tag == DT_NEEDED,
	     is_folders = entry->d_tag == DT_RUNPATH || (entry->d_tag == DT_RPATH && !ret->folders);
	const char *text = is_name || is_folders ? text_at(names, entry->d_un.d_val) : NULL;

	if (!text || !*text)
		return is_name || is_folders ? -EBADMSG : 0;
	if (is_name)
		return ret->count < NEEDED_FILES_MAX ? add_name(ret, text) : 0;
	free(ret->folders);
	ret->folders = strdup(text);
	return ret->folders ? 0 : -ENOMEM;
}

int needed_files_read(struct module *mod, struct needed_files *ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct elf_section entries, names;
	int r = module_open(mod, &elf);

	if (r < 0)
		return r == -ENOENT ? -ENOEXEC : r;
	if (elf_file_class(elf) != ELFCLASS64)
		return 0;
	r = elf_file_section(elf, ".dynamic", &entries);
	r = r ?: elf_file_section(elf, ".dynstr", &names);
	if (r < 0)
		return r == -ENOENT ? 0 : r == -ENOMEM ? r : -EBADMSG;
	for (size_t at = 0; !r && at + sizeof(Elf64_Dyn) <= entries.size; at += sizeof(Elf64_Dyn)) {
		Elf64_Dyn entry;

		memcpy(&entry, entries.bytes + at, sizeof(entry));
		if (entry.d_tag == DT_NULL)
			break;
		r = add_entry(ret, &entry, &names);
	}
	return r;
}
