/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * go_table.h - .gopclntab, what Go's linker says of each function of Go code.
 *
 * Go's runtime walks stacks by this table, so it is in every program, stripped
 * or not. Reads the layouts of Go 1.16 to 1.26. The bytes may be hostile:
 * nothing outside of the section is read, functions may come in any order, and
 * their addresses need not be in the file.
 *
 * Format: Go's src/runtime/symtab.go and runtime2.go (pcHeader, _func).
 */
#ifndef WICK_GO_TABLE_H
#define WICK_GO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/unwind/cfi_reader.h"
#include "profiler/unwind/special_code.h"
#include "symbolizer/elf/elf_file.h"

/* What the linker knows of a function (Go's src/internal/abi/symtab.go). */
enum go_function_flag {
	GO_TOP_FRAME = 1 << 0,		/* the outermost frame of its stack */
	GO_WRITES_SP = 1 << 1,		/* goes to another stack, which its deltas do not tell */
	GO_ASSEMBLY = 1 << 2,
};

struct go_table {
	const uint8_t *bytes;		/* of the section */
	size_t size;
	uint64_t text;			/* ELF address that functions count from */
	uint64_t names, values, functions;	/* offsets in the section */
	uint64_t count;			/* of functions; 0: no Go code here */
	uint32_t entry_bytes;		/* of an address of code */
	uint32_t flag_offset;		/* in a function's description; 0: Go 1.16 has no flags */
};

struct go_function {
	uint64_t start, end;		/* ELF addresses; end is not below start */
	uint64_t deltas;		/* offset of its table of stack sizes; 0: it has none */
	uint32_t name;			/* offset among the names */
	uint32_t flags;			/* enum go_function_flag */
};

/*
 * Read the table of @elf, which must outlive it, and the text of such a file into @code.
 * Returns 0, -ENOENT (not Go), -EBADMSG, -EOPNOTSUPP (a layout not known, or no
 * way to tell where its code begins), -ENOMEM.
 */
int go_table_open(struct elf_file *elf, struct special_code *code, struct go_table *ret);
/* The function at @index below the count. Returns 0 or -EBADMSG. */
int go_table_function(const struct go_table *table, uint64_t index, struct go_function *ret);
bool go_table_is_named(const struct go_table *table, const struct go_function *function,
		       const char *name);
/* Where the code of all functions begins and ends, by the first and the last. */
uint64_t go_table_start(const struct go_table *table);
uint64_t go_table_end(const struct go_table *table);

/* A function's stack sizes, in order of address. */
struct go_deltas {
	struct cfi_cursor pairs;
	uint64_t end;			/* of the code that @delta holds for */
	int32_t delta;			/* bytes that the function has on the stack */
	bool started;
};

void go_deltas_start(struct go_deltas *deltas, const struct go_table *table,
		     const struct go_function *function);
/* The next stretch of code, from the end of the last one on. 1, or 0 when there is none. */
int go_deltas_next(struct go_deltas *deltas);

#endif
