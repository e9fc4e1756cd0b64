/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * special_code.h - code without CFI that can be unwound all the same.
 *
 * Signal trampolines (of Go and musl) are known by their bytes, the PLT of lld,
 * which writes no CFI for it, and _init and _fini by their sections and bytes, the
 * entry of a program by its address: nothing called it, so it is the end of every stack. As
 * is musl's call of a thread's function, known by what becomes of the result.
 */
#ifndef WICK_SPECIAL_CODE_H
#define WICK_SPECIAL_CODE_H

#include "bpf/unwind_abi.h"
#include "symbolizer/elf/elf_file.h"

/* A file may claim thousands of segments; linkers make one or two executable ones. */
#define TEXT_SEGMENTS_MAX 16u

struct text_segment {
	uint64_t start, end;	/* ELF addresses */
	const uint8_t *bytes;	/* NULL: not read */
};

struct special_range {
	uint64_t start, end;
	struct unwind_rule rule;
};

#define SPECIAL_RANGES_MAX 16u

/*
 * What was found last in a gap. Large programs may have hundreds of megabytes without CFI, with thousands of
 * special places: what is far ahead must not be searched for again at each of them.
 */
struct special_search {
	uint64_t from, to;	/* what was asked for */
	uint64_t end;		/* of the bytes there are */
	uint64_t at;		/* what was found, to be found from here; @end: nothing */
	struct special_range range;
};

struct special_code {
	struct text_segment segments[TEXT_SEGMENTS_MAX];
	size_t segment_count;
	struct special_range ranges[SPECIAL_RANGES_MAX];	/* all but trampolines */
	size_t range_count;
	bool is_go;		/* calls in another way */
	bool is_bare;		/* much of it has no CFI */
	struct special_search trampoline, outermost_call;
};

/* Finds the executable segments; reads no text. */
void special_code_init(struct special_code *code, const struct elf_file *elf);
/* Reads all text, unless it has been read. Returns 0 or -ENOMEM. */
int special_code_read(struct special_code *code, struct elf_file *elf);
/*
 * Find out the entry and the PLT, and read the text where that is worth it: of static
 * programs, and where at least an eighth of it, all but @covered bytes, has no CFI.
 * Returns 0 or -ENOMEM.
 */
int special_code_load(struct special_code *code, struct elf_file *elf, uint64_t covered);
/* The segment that @address is in, or NULL. */
const struct text_segment *special_code_segment(const struct special_code *code, uint64_t address);
/*
 * The first range that starts in [@from, @to), code without CFI; a trampoline's
 * begins one byte earlier, because return addresses are looked up at the byte before. To go through a
 * gap in order costs as much as one look at it.
 */
bool special_code_next(struct special_code *code, uint64_t from, uint64_t to,
		       struct special_range *ret);

#endif
