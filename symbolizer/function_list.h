/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function_list.h - the functions of an ELF file by name: the other way around than symbolizer.h.
 *
 * From .symtab, .dynsym, .gnu_debugdata, Go's .gopclntab and the separate debug file's symbols, each
 * address once per name. A pattern is a glob (* ? [a-z]) or a plain name; it is tried on the symbol as
 * it is in the file ("_ZN3foo3barEi"), without its version ("malloc@@GLIBC_2.2.5"), and demangled with
 * and without parameters ("foo::bar(int)", "foo::bar"), so that overloads are all found. IFUNCs are
 * their resolver: they are left out unless their implementation has a symbol of its own, and said.
 */
#ifndef WICK_FUNCTION_LIST_H
#define WICK_FUNCTION_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/module.h"

struct function_list;

struct function_entry {
	uint64_t address;	/* ELF virtual address */
	uint64_t size;		/* bytes; 0: not known */
	uint64_t offset;	/* of its first byte in the file, as perf's uprobes want it */
	const char *symbol;	/* as in the file */
	const char *name;	/* demangled, with parameters; the symbol itself for C */
	bool is_ifunc;
};

/*
 * Those of @mod that match @pattern, sorted by address, at most @max (0: no limit). Returns 0, -ENOENT
 * when none matches, -EOVERFLOW when there are more (and *@ret has the first @max), -EBADMSG, -ENOMEM.
 */
int function_list_read(struct module *mod, const char *pattern, size_t max,
		       struct function_list **ret);
struct function_list *function_list_free(struct function_list *list);
DEFINE_CLEANUP(struct function_list *, function_list_free)
size_t function_list_count(const struct function_list *list);
const struct function_entry *function_list_at(const struct function_list *list, size_t index);
/* Names nearest to @pattern, for "did you mean": NULL when none is near. Lives as long as @mod's caller frees it. */
char *function_list_suggest(struct module *mod, const char *pattern);

#endif
