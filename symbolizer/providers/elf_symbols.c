/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_symbols.c - names by .symtab and .dynsym.
 *
 * Sixteen bytes a symbol stay in memory; names are read from the file when an
 * address has found its symbol.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/sorted.h"
#include "symbolizer/names.h"
#include "symbolizer/providers/provider.h"

/* Longer names are cut: no compiler makes them, and demangling gives up far below. */
#define NAME_BYTES_MAX 8192
#define NONE UINT32_MAX
/* Three digits make a start; the rank fits into one. */
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

struct symbol {
	uint32_t start;		/* from symbols.base */
	uint32_t size;
	uint32_t name;		/* offset in the names */
	uint32_t outer;		/* while loading: symbol_rank(), later: see symbols_nest() */
};

struct symbols {
	struct module *mod;
	uint64_t base;		/* ELF address */
	struct elf_place names;
	struct symbol *symbols;	/* by start, and at the same start the best last */
	size_t count;
	size_t capacity;
	enum frame_origin origin;
};

/*
 * Which of several symbols at one address names it best: higher is better. A
 * label without a type comes last because linker scripts put global ones
 * (__executable_start) at functions.
 */
static uint32_t symbol_rank(const struct elf_symbol *symbol)
{
	static const uint8_t bindings[] = {
		[STB_LOCAL] = 1, [STB_WEAK] = 2, [STB_GLOBAL] = 3, [STB_GNU_UNIQUE] = 3,
	};
	uint32_t rank = 0;

	if (symbol->binding < ARRAY_SIZE(bindings))
		rank = bindings[symbol->binding];
	if (symbol->type != STT_NOTYPE)
		rank += 4;
	if (symbol->size)
		rank += 8;
	return rank;
}

/* One digit of what is sorted by: first the rank, then the start from its low end. */
static uint32_t symbol_digit(const struct symbol *symbol, unsigned int pass)
{
	return pass ? symbol->start >> (pass - 1) * DIGIT_BITS & (DIGITS - 1) : symbol->outer;
}

static void symbols_sort_pass(const struct symbol *from, struct symbol *to, size_t count,
			      unsigned int pass)
{
	size_t places[DIGITS] = { 0 }, next = 0, here, i;

	for (i = 0; i < count; i++)
		places[symbol_digit(&from[i], pass)]++;
	for (i = 0; i < DIGITS; i++) {
		here = places[i];
		places[i] = next;
		next += here;
	}
	for (i = 0; i < count; i++)
		to[places[symbol_digit(&from[i], pass)]++] = from[i];
}

/*
 * By start, then by rank, and of equals by place in the file: which of them
 * names an address is chance, but then it is the one that llvm-symbolizer
 * takes. By radix, since qsort() took half of the time that loading a table takes.
 */
static int symbols_sort(struct symbols *syms)
{
	_cleanup_free_ struct symbol *other = malloc(syms->count * sizeof(*other));

	if (!other)
		return -ENOMEM;
	symbols_sort_pass(syms->symbols, other, syms->count, 0);
	symbols_sort_pass(other, syms->symbols, syms->count, 1);
	symbols_sort_pass(syms->symbols, other, syms->count, 2);
	symbols_sort_pass(other, syms->symbols, syms->count, 3);
	return 0;
}

static void symbols_add(struct symbols *syms, const struct elf_symbol *symbol)
{
	uint64_t start = symbol->address - syms->base, size = symbol->size;

	/* No section of code is that large; a symbol out there is damage. */
	if (symbol->address < syms->base || start >= NONE)
		return;
	/* Until the section's end; symbols_end_labels() finds the next symbol. */
	if (!size)
		size = symbol->limit - symbol->address;
	if (size > NONE - start)
		size = NONE - start;
	syms->symbols[syms->count++] = (struct symbol){
		.start = (uint32_t)start,
		.size = (uint32_t)size,
		.name = symbol->name_offset,
		.outer = symbol_rank(symbol),
	};
}

static bool symbol_is_sized(const struct symbol *symbol)
{
	return symbol->outer >= 8;
}

/*
 * Symbols without a size reach to the next one. Where the file says of another
 * symbol that it covers them, they are labels inside of a function and go.
 */
static void symbols_end_labels(struct symbols *syms)
{
	struct symbol *symbols = syms->symbols, *symbol;
	size_t i, next, kept = 0;
	uint32_t start, reach = 0;	/* of the sized ones so far */
	bool covered;

	for (i = 0; i < syms->count; i = next) {
		start = symbols[i].start;
		for (next = i; next < syms->count && symbols[next].start == start; next++)
			;
		/* The sized ones at an address are the last there. */
		covered = reach > start || symbol_is_sized(&symbols[next - 1]);
		for (symbol = &symbols[i]; symbol < &symbols[next]; symbol++) {
			if (symbol_is_sized(symbol)) {
				if (start + symbol->size > reach)
					reach = start + symbol->size;
			} else if (covered) {
				continue;
			} else if (next < syms->count &&
				   symbols[next].start - start < symbol->size) {
				symbol->size = symbols[next].start - start;
			}
			symbols[kept++] = *symbol;
		}
	}
	syms->count = kept;
}

/*
 * Symbols may nest, so the last one that starts before an address need not be
 * one that covers it. outer leads from a symbol to the nearest one before it
 * that ends behind its start: whatever covers an address is on the way from
 * the last symbol that starts before it.
 */
static void symbols_nest(struct symbols *syms)
{
	struct symbol *symbols = syms->symbols;
	uint32_t i, outer;

	for (i = 0; i < syms->count; i++) {
		outer = i ? i - 1 : NONE;
		while (outer != NONE &&
		       symbols[outer].start + symbols[outer].size <= symbols[i].start)
			outer = symbols[outer].outer;
		symbols[i].outer = outer;
	}
}

static void symbols_free(void *state)
{
	struct symbols *syms = state;

	free(syms->symbols);
	free(syms);
}
DEFINE_CLEANUP(struct symbols *, symbols_free)

static uint64_t lowest_address(const struct elf_file *elf)
{
	const struct elf_segment *segments;
	uint64_t lowest = UINT64_MAX;
	size_t count, i;

	segments = elf_file_segments(elf, &count);
	for (i = 0; i < count; i++) {
		if (segments[i].address < lowest)
			lowest = segments[i].address;
	}
	return count ? lowest : 0;
}

static int symbols_finish(struct symbols *syms)
{
	struct symbol *smaller;
	int r;

	r = symbols_sort(syms);
	if (r < 0)
		return r;
	symbols_end_labels(syms);
	symbols_nest(syms);
	smaller = realloc(syms->symbols, syms->count * sizeof(*syms->symbols));
	if (!smaller)
		return -ENOMEM;
	syms->symbols = smaller;
	syms->capacity = syms->count;
	return 0;
}

static int symbols_open(struct module *mod, const char *section, enum frame_origin origin,
			void **ret)
{
	_cleanup_(symbols_freep) struct symbols *syms = NULL;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct elf_symbol_walk walk;
	struct elf_symbol symbol;
	int r;

	r = module_open(mod, &elf);
	if (r < 0)
		return r;
	r = elf_symbols_begin(elf, section, &walk);
	if (r < 0)
		return r;
	syms = calloc(1, sizeof(*syms));
	if (!syms)
		return -ENOMEM;
	syms->mod = mod;
	syms->base = lowest_address(elf);
	syms->names = walk.names;
	syms->origin = origin;
	/* Room for all, also those that are not code: memory never written to costs nothing. */
	r = alloc_grow(&syms->symbols, &syms->capacity, walk.count);
	if (r < 0)
		return r;
	while (elf_symbols_next(&walk, &symbol))
		symbols_add(syms, &symbol);
	if (!syms->count || syms->count >= NONE)
		return -ENOENT;
	r = symbols_finish(syms);
	if (r < 0)
		return r;
	*ret = take_ptr(syms);
	return 0;
}

static int symtab_open(struct module *mod, void **ret)
{
	return symbols_open(mod, ".symtab", FRAME_SYMTAB, ret);
}

static int dynsym_open(struct module *mod, void **ret)
{
	return symbols_open(mod, ".dynsym", FRAME_DYNSYM, ret);
}

static bool symbol_covers(const struct symbol *symbol, uint32_t place)
{
	return place - symbol->start < symbol->size;
}

/* The nearest symbol that covers @place, or NONE. */
static uint32_t symbols_find(const struct symbols *syms, uint32_t place)
{
	uint32_t i = (uint32_t)sorted_count(syms->symbols, syms->count, start, place);

	for (i = i ? i - 1 : NONE; i != NONE; i = syms->symbols[i].outer) {
		if (symbol_covers(&syms->symbols[i], place))
			return i;
	}
	return NONE;
}

static long symbols_read_name(const struct symbols *syms, uint32_t index, char *buffer, size_t size)
{
	uint32_t name = syms->symbols[index].name;
	char *version;
	long r;

	r = module_read_text(syms->mod, syms->names.offset + name, syms->names.size - name, buffer,
			     size);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	/* "@GLIBC_2.2.5"; a name may begin with anything. */
	version = strchr(buffer + 1, '@');
	if (version)
		*version = '\0';
	return r;
}

/* The name of @index, or of its alias where that one is only glibc's private spelling. */
static long symbols_name(const struct symbols *syms, uint32_t index, uint32_t place, char *buffer,
			 size_t size)
{
	static const char private[] = "__GI_";
	const struct symbol *symbols = syms->symbols;
	uint32_t alias = index;
	long r;

	do {
		r = symbols_read_name(syms, alias, buffer, size);
		if (r < 0 || strncmp(buffer, private, strlen(private)))
			return r;
		alias = symbols[alias].outer;
	} while (alias != NONE && symbols[alias].start == symbols[index].start &&
		 symbol_covers(&symbols[alias], place));
	return symbols_read_name(syms, index, buffer, size);
}

static int symbols_lookup(void *state, struct names *names, uint64_t address, struct frame *ret,
			  size_t max)
{
	const struct symbols *syms = state;
	char name[NAME_BYTES_MAX];
	uint32_t index;
	long r;

	if (address < syms->base || address - syms->base >= NONE)
		return -ENOENT;
	index = symbols_find(syms, (uint32_t)(address - syms->base));
	if (index == NONE)
		return -ENOENT;
	r = symbols_name(syms, index, (uint32_t)(address - syms->base), name, sizeof(name));
	if (r < 0)
		return (int)r;
	r = names_symbol(names, name, ret);
	if (r < 0)
		return (int)r;
	ret->start = syms->base + syms->symbols[index].start;
	ret->origin = syms->origin;
	return 1;
}

static size_t symbols_bytes(const void *state)
{
	const struct symbols *syms = state;

	return sizeof(*syms) + syms->capacity * sizeof(*syms->symbols);
}

const struct provider elf_symtab_provider = {
	.name = ".symtab",
	.open = symtab_open,
	.lookup = symbols_lookup,
	.bytes = symbols_bytes,
	.free = symbols_free,
};

const struct provider elf_dynsym_provider = {
	.name = ".dynsym",
	.open = dynsym_open,
	.lookup = symbols_lookup,
	.bytes = symbols_bytes,
	.free = symbols_free,
};
