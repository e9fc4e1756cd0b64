/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_types_private.h - what dwarf_types.c and its parts share; nobody else includes it.
 *
 * A type is known by the offset of its DIE, with flags above it. What is read may be hostile: every chain
 * of DIEs is followed only so far, and how many are visited is limited for each question.
 */
#ifndef WICK_DWARF_TYPES_PRIVATE_H
#define WICK_DWARF_TYPES_PRIVATE_H

#include "profiler/base/hashmap.h"
#include "profiler/base/intern.h"
#include "symbolizer/dwarf/dwarf_private.h"
#include "symbolizer/types/dwarf_types.h"
#include "symbolizer/types/type_text.h"

/* Typedefs, qualifiers and pointers around a type; also structs in structs. */
#define DWARF_CHAIN_MAX 64
#define DWARF_NESTING_MAX 16
#define DWARF_DIMENSIONS_MAX 8
#define DWARF_POINTER_BYTES 8

/* DW_CC_pass_by_reference and its like are newer than some headers. */
#define DWARF_BY_REFERENCE 4
#define DWARF_BY_VALUE 5
#define DWARF_LANG_RUST 0x1c
#define DWARF_LANG_GO 0x16

struct dwarf_types {
	struct type_provider provider;
	struct dwarf *dwarf;
	struct intern *names;		/* that are put together */
	struct type_text text;		/* for those, emptied each time */
	struct hashmap
		*definitions; /* where a declaration lies to the Dwarf_Die of what it declares */
	struct dwarf_unit *unit;	/* that had the function asked for last, or NULL */
	unsigned int depth;		/* of types that are read for others */
	uint64_t visits_left;		/* DIEs that look-ups by name may still visit */
};

static inline struct dwarf_types *dwarf_types_of(const struct type_info *type)
{
	return (struct dwarf_types *)type->provider->context;
}

const char *dwarf_types_text(const struct dwarf_types *types, Dwarf_Die *die, unsigned int name);
/* The DIE that attribute @name of @die refers to: 0, or -ENOENT. */
int dwarf_types_refer(Dwarf_Die *die, unsigned int name, Dwarf_Die *ret);
int dwarf_types_number(Dwarf_Die *die, unsigned int name, uint64_t *ret);
bool dwarf_types_flag(Dwarf_Die *die, unsigned int name);

/* Of the type at @die, NULL: void. Returns 0, -EBADMSG, -ENOMEM. */
int dwarf_type_info_read(struct dwarf_types *types, Dwarf_Die *die, struct type_info *ret);
/* What attribute DW_AT_type of @die says; void where it is not there. */
int dwarf_type_info_of(struct dwarf_types *types, Dwarf_Die *die, struct type_info *ret);
/* As the provider's target(). */
int dwarf_type_target(const struct type_info *type, struct type_info *ret);
bool dwarf_tag_is_qualifier(int tag);
bool dwarf_tag_is_struct(int tag);
/* In the place of a type in a unit of its own there may be nothing but the signature of that. */
void dwarf_type_follow_signature(Dwarf_Die *die);
/* What the type at @die is called, without the first @dimensions of an array; lives in types->names. */
int dwarf_type_name_read(struct dwarf_types *types, Dwarf_Die *die, unsigned int dimensions,
			 const char **ret);
/* The dimensions of an array from number @first on. Returns how many, at most @max. */
size_t dwarf_type_dimensions(Dwarf_Die *die, unsigned int first, uint64_t *ret, size_t max);
/* The DIE of @type; false for void. */
bool dwarf_type_die(const struct type_info *type, Dwarf_Die *ret);
/*
 * Put pointers on top of *@type, or one reference, which leaves its name. Returns 0, -ENOENT for too many,
 * -ENOMEM.
 */
int dwarf_type_point(struct dwarf_types *types, struct type_info *type, unsigned int pointers,
		     bool is_reference);

/* What @declaration, of a struct or an enum, declares: 0, -ENOENT, -ENOMEM. */
int dwarf_types_define(struct dwarf_types *types, Dwarf_Die *declaration, Dwarf_Die *ret);
int dwarf_types_by_name(const void *context, const char *name, struct type_info *ret);
/* Whether a class is passed by the address of a copy, because it is not copied as bytes. */
bool dwarf_type_is_by_reference(struct dwarf_types *types, Dwarf_Die *die);
/* Set is_text when it is a string. */
void dwarf_type_find_text(struct dwarf_types *types, Dwarf_Die *die, struct type_info *type);

/* Fill in all of @ret of the function whose DIE is @die. */
int dwarf_arguments_read(struct dwarf_types *types, Dwarf_Die *die, uint64_t address,
			 struct type_function *ret);
/*
 * Where the parameter at @die lies at @address, by its location: sets place of @argument and what belongs
 * to it. Returns 1, or 0 when the location does not tell.
 */
int dwarf_location_read(struct dwarf_types *types, Dwarf_Die *function, Dwarf_Die *die,
			uint64_t address, struct type_argument *argument);

/* All of it but context. */
extern const struct type_provider dwarf_type_provider;

#endif
