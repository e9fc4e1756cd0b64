/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * type_info.h - types as debug information describes them, the same for DWARF, BTF, tracepoints and system calls.
 *
 * What an expression like "arg1->f_path.dentry->d_name.name" walks. Everything belongs to the
 * provider that made it and lives as long. Knows no BPF and no processes.
 */
#ifndef WICK_TYPE_INFO_H
#define WICK_TYPE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum type_kind {
	TYPE_VOID,
	TYPE_INTEGER,		/* also bool, char and enum */
	TYPE_FLOAT,
	TYPE_POINTER,		/* references of C++, too */
	TYPE_ARRAY,
	TYPE_STRUCT,		/* class and union, too */
	TYPE_FUNCTION,
	TYPE_OTHER,
};

struct type_enumerator {
	const char *name;
	int64_t value;
};

/* With typedefs, const and the like taken off; name is what the source says. */
struct type_info {
	enum type_kind kind;
	const char *name;		/* "int", "struct file *", "size_t"; "" when it has none */
	uint64_t bytes;			/* 0: incomplete */
	bool is_signed;			/* INTEGER */
	bool is_char;			/* INTEGER of text: "char", not "unsigned char" */
	bool is_bool, is_enum;		/* INTEGER */
	bool is_user;			/* POINTER to user memory, where that is known (BTF's type tag) */
	bool is_reference;		/* POINTER that the source writes as what it points to: "x.y" */
	/*
	 * STRUCT that is a text without NUL (Go's string, Rust's &str, C++'s string_view and string): where in it
	 * the pointer to its bytes lies, and their number, 8 bytes each.
	 */
	bool is_text;
	uint8_t text_offset, length_offset;
	uint64_t count;			/* ARRAY: elements, 0 when not known; FLOAT: 2 of a complex one */
	const struct type_provider *provider;
	uint64_t id;			/* the provider's own */
};

struct type_member {
	const char *name;
	uint64_t offset;		/* bytes */
	/*
	 * Of a bit field, from the lowest bit at the offset; count 0: none. It lies within type.bytes, which are
	 * more than the type has where it is packed across them.
	 */
	uint8_t bit_shift, bit_count;
	struct type_info type;
};

#define TYPE_PIECES_MAX 9

/* Part of a value, in a register. */
struct type_piece {
	uint8_t offset, bytes;		/* in the value */
	uint8_t reg;			/* DWARF number */
};

/* An argument where its function is entered, a result where it returns. */
struct type_argument {
	const char *name;		/* "" when it has none */
	struct type_info type;
	enum {
		ARGUMENT_REGISTER,	/* a scalar in the lowest bits of reg */
		ARGUMENT_STACK,		/* at rsp + stack_offset, whatever it is */
		ARGUMENT_PIECES,	/* a struct or what is wider than a register, in several or in parts of one */
		ARGUMENT_UNKNOWN,
	} place;
	unsigned int reg;		/* DWARF number */
	int64_t stack_offset;
	size_t piece_count;
	/* By offset. What lies in none cannot be read: it is floating point, padding or left out. */
	struct type_piece pieces[TYPE_PIECES_MAX];
	const char *refusal;		/* UNKNOWN: why, "floating point is not read", for the user */
};

#define TYPE_ARGUMENTS_MAX 32

struct type_function {
	size_t argument_count;		/* those beyond TYPE_ARGUMENTS_MAX are left out */
	struct type_argument arguments[TYPE_ARGUMENTS_MAX];
	struct type_argument result;	/* kind VOID: none; of Go's the first */
	bool is_variadic;
};

/* Each returns 0 or a negative errno: -ENOENT there is none, -EBADMSG damaged. */
struct type_provider {
	/* What a POINTER points to, or the element of an ARRAY. */
	int (*target)(const struct type_info *type, struct type_info *ret);
	/* A member by name, those of anonymous structs and base classes included. */
	int (*member)(const struct type_info *type, const char *name, struct type_member *ret);
	/* Members by index, those of anonymous structs and base classes in their place. -ENOENT after the last. */
	int (*member_at)(const struct type_info *type, size_t index, struct type_member *ret);
	/* A type by name, for casts: "struct file". */
	int (*by_name)(const void *context, const char *name, struct type_info *ret);
	/* Of an enum; -ENOENT after the last. */
	int (*enumerator)(const struct type_info *type, size_t index, struct type_enumerator *ret);
	const void *context;
};

#endif
