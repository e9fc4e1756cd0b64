/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btf_types_private.h - what btf_types.c, btf_type_info.c and btf_members.c share; nobody else includes it.
 */
#ifndef WICK_BTF_TYPES_PRIVATE_H
#define WICK_BTF_TYPES_PRIVATE_H

#include <bpf/btf.h>

#include "profiler/base/intern.h"
#include "profiler/kernel_types/btf_types.h"
#include "symbolizer/types/type_text.h"

/* The types of vmlinux, or those a module adds to them. */
struct btf_module {
	char *name;		/* NULL: vmlinux */
	struct btf *btf;
	int fd;			/* of the kernel's object; 0: not asked for */
	uint32_t first;		/* id of the first type of its own */
	/* Ids of what has a name and can be asked for, by its hash; 0: free. Made at the first look-up. */
	uint32_t *index;
	size_t index_size;	/* a power of two */
};

struct btf_types {
	struct type_provider provider;
	char *folder;
	struct btf_module *modules;	/* the first is vmlinux */
	size_t module_count, module_capacity;
	bool modules_read;
	struct intern *names;		/* of types that are put together: "struct file *" */
	struct type_text text;		/* for those, emptied each time */
};

/* A type as type_info.id has it. Those of vmlinux have module 0 wherever they were met. */
struct btf_place {
	uint32_t module;
	uint32_t id;
};

/* type_info.id: the id, the module, and how many pointers by_name() put on top of it. */
#define BTF_MODULE_SHIFT 32
#define BTF_POINTERS_SHIFT 56
#define BTF_POINTER_BYTES 8

/* Kinds as bits, for look-ups. */
#define BTF_BIT(kind) (1u << (kind))

/*
 * The first of that name and one of those kinds, in vmlinux or else in modules. Returns 0, -ENOENT, or a
 * negative errno.
 */
int btf_types_find(struct btf_types *types, const char *name, unsigned int kinds,
		   struct btf_place *ret);
const struct btf_type *btf_types_at(const struct btf_types *types, struct btf_place place);
const char *btf_types_text(const struct btf_types *types, struct btf_place place, uint32_t offset);
/*
 * Down through typedefs and qualifiers, which moves *@place. Returns the type, or NULL when there is no end to
 * it; *@ret_user says whether a tag "user" was on the way.
 */
const struct btf_type *btf_types_skip_names(const struct btf_types *types, struct btf_place *place,
					    bool *ret_user);
/* Returns 0, -EBADMSG, -ENOMEM. */
int btf_type_info_read(struct btf_types *types, struct btf_place place, struct type_info *ret);
/* All of it but context. */
extern const struct type_provider btf_type_provider;

#endif
