/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/sorted.h"

/* Longest line: 16 digits, a type, a name of KSYM_NAME_LEN (512), a module's name (56). */
#define BUFFER_BYTES 65536
/*
 * How far the last symbol of a module, or of the core kernel, reaches: the
 * file has no sizes, and what comes next in memory may be far away.
 */
#define LAST_SYMBOL_BYTES 65536
/* No kernel has 4 GiB of names or 65535 modules; damaged input may. */
#define MODULES_MAX UINT16_MAX

struct kernel_symbol {
	uint64_t start;
	uint32_t name;		/* offset in the texts */
	uint16_t module;	/* index, 0 for the core kernel */
	uint16_t rank;		/* among symbols at the same address the highest is shown */
};

struct kallsyms {
	struct kernel_symbol *symbols;	/* by start, then rank */
	size_t count, capacity;
	char *texts;		/* NUL-terminated, one after the other */
	size_t text_size, text_capacity;
	uint32_t *modules;	/* their names' offsets in the texts */
	size_t module_count, module_capacity;
	bool unsorted;
	bool hidden;		/* there were symbols, all at address 0 */
};

/* A line, taken apart; its texts are not NUL-terminated. */
struct kallsyms_line {
	uint64_t address;
	char type;
	const char *name, *module;
	size_t name_size, module_size;
};

struct kallsyms *kallsyms_free(struct kallsyms *syms)
{
	if (!syms)
		return NULL;
	free(syms->symbols);
	free(syms->texts);
	free(syms->modules);
	free(syms);
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* "ffffffff81000000 T _text" or "ffffffffc0000000 t ext4_init\t[ext4]". */
static bool line_parse(const char *text, const char *end, struct kallsyms_line *ret)
{
	struct kallsyms_line line = { 0 };
	const char *start = text, *tab;
	int digit;

	for (; text < end && (digit = hex_digit(*text)) >= 0; text++)
		line.address = line.address << 4 | (uint64_t)digit;
	if (text == start || text - start > 16 || end - text < 4 || text[0] != ' ' ||
	    text[2] != ' ')
		return false;
	line.type = text[1];
	line.name = text + 3;
	tab = memchr(line.name, '\t', (size_t)(end - line.name));
	line.name_size = (size_t)((tab ? tab : end) - line.name);
	if (tab) {
		line.module = tab + 1;
		line.module_size = (size_t)(end - line.module);
	}
	*ret = line;
	return line.name_size > 0;
}

static int kallsyms_add_text(struct kallsyms *syms, const char *text, size_t size, uint32_t *ret)
{
	int r;

	if (syms->text_size + size >= UINT32_MAX)
		return -EFBIG;
	r = alloc_grow(&syms->texts, &syms->text_capacity, syms->text_size + size + 1);
	if (r < 0)
		return r;
	*ret = (uint32_t)syms->text_size;
	memcpy(syms->texts + syms->text_size, text, size);
	syms->texts[syms->text_size + size] = '\0';
	syms->text_size += size + 1;
	return 0;
}

/* The lines of a module follow each other, so the search nearly always ends where it begins. */
static int kallsyms_module(struct kallsyms *syms, const struct kallsyms_line *line, uint16_t *ret)
{
	const char *known;
	size_t i;
	int r;

	if (!line->module_size) {
		*ret = 0;
		return 0;
	}
	for (i = syms->module_count; i > 0; i--) {
		known = syms->texts + syms->modules[i - 1];
		if (strlen(known) == line->module_size &&
		    !memcmp(known, line->module, line->module_size))
			break;
	}
	if (!i) {
		if (syms->module_count == MODULES_MAX)
			return -EFBIG;
		r = alloc_grow(&syms->modules, &syms->module_capacity, syms->module_count + 1);
		if (r < 0)
			return r;
		r = kallsyms_add_text(syms, line->module, line->module_size,
				      &syms->modules[syms->module_count]);
		if (r < 0)
			return r;
		i = ++syms->module_count;
	}
	*ret = (uint16_t)i;
	return 0;
}

/* Global over weak over local, then fewer underscores: memcpy and not __memcpy. */
static uint16_t line_rank(const struct kallsyms_line *line)
{
	uint16_t rank = line->type == 'T' ? 3 : line->type == 't' ? 1 : 2;
	uint16_t underscores = 0;

	while (underscores < 15 && underscores < line->name_size &&
	       line->name[underscores] == '_')
		underscores++;
	return (uint16_t)(rank * 16 + 15 - underscores);
}

static int kernel_symbol_compare(const void *a, const void *b)
{
	const struct kernel_symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	/* Of equals the first in the file. */
	return (x->name < y->name) - (x->name > y->name);
}

/* The core kernel comes sorted but for the order of aliases, and is spared the sort that way. */
static void kallsyms_insert(struct kallsyms *syms, const struct kernel_symbol *symbol)
{
	size_t i = syms->count++;

	if (i && syms->symbols[i - 1].start > symbol->start)
		syms->unsorted = true;
	for (; i && syms->symbols[i - 1].start == symbol->start; i--) {
		if (kernel_symbol_compare(&syms->symbols[i - 1], symbol) < 0)
			break;
		syms->symbols[i] = syms->symbols[i - 1];
	}
	syms->symbols[i] = *symbol;
}

static int kallsyms_add(struct kallsyms *syms, const struct kallsyms_line *line)
{
	struct kernel_symbol symbol = { .start = line->address };
	int r;

	if (!strchr("tTwW", line->type))
		return 0;
	if (!line->address) {
		syms->hidden = true;
		return 0;
	}
	r = kallsyms_module(syms, line, &symbol.module);
	if (r < 0)
		return r;
	r = kallsyms_add_text(syms, line->name, line->name_size, &symbol.name);
	if (r < 0)
		return r;
	symbol.rank = line_rank(line);
	r = alloc_grow(&syms->symbols, &syms->capacity, syms->count + 1);
	if (r < 0)
		return r;
	kallsyms_insert(syms, &symbol);
	return 0;
}

/* Adds the whole lines of @size bytes; returns how many bytes those were, or a negative errno. */
static ssize_t kallsyms_add_lines(struct kallsyms *syms, const char *text, size_t size)
{
	const char *start = text, *end;
	struct kallsyms_line line;
	int r;

	while ((end = memchr(text, '\n', size - (size_t)(text - start)))) {
		r = line_parse(text, end, &line) ? kallsyms_add(syms, &line) : 0;
		if (r < 0)
			return r;
		text = end + 1;
	}
	return text - start;
}

static int kallsyms_read_fd(struct kallsyms *syms, int fd)
{
	_cleanup_free_ char *buffer = malloc(BUFFER_BYTES);
	ssize_t got, used;
	size_t kept = 0;

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		got = read(fd, buffer + kept, BUFFER_BYTES - kept);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		kept += (size_t)got;
		used = kallsyms_add_lines(syms, buffer, kept);
		if (used < 0)
			return (int)used;
		kept -= (size_t)used;
		if (kept == BUFFER_BYTES)
			return -EBADMSG;	/* not text */
		memmove(buffer, buffer + used, kept);
	}
}

/* Give back what growing by halves took too much: this stays for the whole session. */
static int kallsyms_shrink(struct kallsyms *syms)
{
	void *smaller;

	smaller = realloc(syms->symbols, syms->count * sizeof(*syms->symbols));
	if (!smaller)
		return -ENOMEM;
	syms->symbols = smaller;
	syms->capacity = syms->count;
	smaller = realloc(syms->texts, syms->text_size);
	if (!smaller)
		return -ENOMEM;
	syms->texts = smaller;
	syms->text_capacity = syms->text_size;
	return 0;
}

int kallsyms_read(const char *path, struct kallsyms **ret)
{
	_cleanup_(kallsyms_freep) struct kallsyms *syms = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	syms = calloc(1, sizeof(*syms));
	if (!syms)
		return -ENOMEM;
	r = kallsyms_read_fd(syms, fd);
	if (r < 0)
		return r;
	if (!syms->count)
		return syms->hidden ? -EACCES : -ENOENT;
	/* Modules come in the order they were loaded. */
	if (syms->unsorted)
		qsort(syms->symbols, syms->count, sizeof(*syms->symbols), kernel_symbol_compare);
	r = kallsyms_shrink(syms);
	if (r < 0)
		return r;
	*ret = take_ptr(syms);
	return 0;
}

int kallsyms_find(const struct kallsyms *syms, uint64_t address, struct kallsyms_symbol *ret)
{
	size_t next = sorted_count(syms->symbols, syms->count, start, address);
	const struct kernel_symbol *symbol;

	if (!next)
		return -ENOENT;
	symbol = &syms->symbols[next - 1];
	if ((next == syms->count || syms->symbols[next].module != symbol->module) &&
	    address - symbol->start >= LAST_SYMBOL_BYTES)
		return -ENOENT;
	ret->name = syms->texts + symbol->name;
	ret->module = symbol->module ? syms->texts + syms->modules[symbol->module - 1] : NULL;
	ret->start = symbol->start;
	return 0;
}

size_t kallsyms_count(const struct kallsyms *syms)
{
	return syms->count;
}

size_t kallsyms_bytes(const struct kallsyms *syms)
{
	return sizeof(*syms) + syms->capacity * sizeof(*syms->symbols) + syms->text_capacity +
	       syms->module_capacity * sizeof(*syms->modules);
}
