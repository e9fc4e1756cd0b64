/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/function_list.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/arena.h"
#include "profiler/base/strbuf.h"
#include "profiler/base/suggest.h"
#include "symbolizer/code/function_scan.h"
#include "symbolizer/code/name_pattern.h"
#include "symbolizer/demangle.h"

struct function_list {
	struct arena *texts;
	struct function_entry *entries;
	size_t count, capacity;
};

struct function_list *function_list_free(struct function_list *list)
{
	if (!list)
		return NULL;
	arena_free(list->texts);
	free(list->entries);
	free(list);
	return NULL;
}

static struct function_list *function_list_new(void)
{
	_cleanup_(function_list_freep) struct function_list *list = calloc(1, sizeof(*list));

	if (!list)
		return NULL;
	list->texts = arena_new(0);
	return list->texts ? take_ptr(list) : NULL;
}

size_t function_list_count(const struct function_list *list)
{
	return list->count;
}

const struct function_entry *function_list_at(const struct function_list *list, size_t index)
{
	return &list->entries[index];
}

/* Returns 1, 0 or -ENOMEM. */
static int symbol_matches(const struct name_pattern *pattern, const struct function_symbol *symbol)
{
	if (symbol->is_go)
		return name_pattern_matches(pattern, symbol->name);
	if (symbol->type == STT_NOTYPE)
		return !strcmp(pattern->text, symbol->name);
	if (function_symbol_is_cold(symbol) && !strstr(pattern->text, ".cold"))
		return 0;
	return name_pattern_matches_symbol(pattern, symbol->name);
}

static int function_list_add(struct function_list *list, const struct elf_file *elf,
			     const struct function_symbol *symbol)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	struct function_entry entry = {
		.address = symbol->address,
		.size = symbol->size,
		.is_ifunc = symbol->type == STT_GNU_IFUNC,
	};
	int r;

	if (elf_file_address_to_offset(elf, symbol->address, &entry.offset) < 0)
		return 0;
	r = alloc_grow(&list->entries, &list->capacity, list->count + 1);
	if (r < 0)
		return r;
	entry.symbol = arena_strdup(list->texts, symbol->name);
	if (!entry.symbol)
		return -ENOMEM;
	entry.name = entry.symbol;
	if (!symbol->is_go) {
		r = name_pattern_show(symbol->name, &shown);
		if (r < 0)
			return r;
		if (strcmp(shown.data, entry.symbol))
			entry.name = arena_copy(list->texts, shown.data, shown.size + 1);
		if (!entry.name)
			return -ENOMEM;
	}
	list->entries[list->count++] = entry;
	return 0;
}

/* By address, then name; of the same ones the first to stay: who knows its size, the longer symbol. */
static int entry_compare(const void *a_, const void *b_)
{
	const struct function_entry *a = a_, *b = b_;
	int r;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	r = strcmp(a->name, b->name);
	if (r)
		return r;
	if (a->is_ifunc != b->is_ifunc)
		return a->is_ifunc ? -1 : 1;
	if (a->size != b->size)
		return !a->size || (b->size && b->size < a->size) ? 1 : -1;
	return -strcmp(a->symbol, b->symbol);
}

/* The two constructors of a class are often one, and several tables have the same symbol. */
static void function_list_unite(struct function_list *list)
{
	size_t i, kept = 0;

	if (!list->count)
		return;
	qsort(list->entries, list->count, sizeof(*list->entries), entry_compare);
	for (i = 1; i < list->count; i++) {
		if (list->entries[i].address != list->entries[kept].address ||
		    strcmp(list->entries[i].name, list->entries[kept].name))
			list->entries[++kept] = list->entries[i];
	}
	list->count = kept + 1;
}

static int function_list_fill(struct function_list *list, struct function_scan *scan,
			      const char *text)
{
	struct function_symbol symbol;
	struct name_pattern pattern;
	int r;

	name_pattern_init(&pattern, text);
	while ((r = function_scan_next(scan, &symbol)) > 0) {
		r = symbol_matches(&pattern, &symbol);
		if (r > 0)
			r = function_list_add(list, scan->elf, &symbol);
		if (r < 0)
			return r;
	}
	return r;
}

int function_list_read(struct module *mod, const char *pattern, size_t max,
		       struct function_list **ret)
{
	_cleanup_(function_list_freep) struct function_list *list = function_list_new();
	_cleanup_(function_scan_done) struct function_scan scan;
	int r;

	r = function_scan_init(&scan, mod);
	if (r < 0)
		return r;
	if (!list)
		return -ENOMEM;
	r = function_list_fill(list, &scan, pattern);
	if (r < 0)
		return r;
	function_list_unite(list);
	if (!list->count)
		return scan.damage == -EBADMSG ? -EBADMSG : -ENOENT;
	if (max && list->count > max) {
		list->count = max;
		r = -EOVERFLOW;
	}
	*ret = take_ptr(list);
	return r;
}

/* ---- did you mean ---- */

/* Whether @name is "scope::@wanted" or Go's "scope.@wanted". */
static bool is_in_scope(const char *name, const char *wanted)
{
	size_t size = strlen(name), length = strlen(wanted);
	const char *last = name + size - length;

	return length && size > length && !strcmp(last, wanted) &&
	       (last[-1] == '.' || last[-1] == ':');
}

/* @buf: what @symbol would be asked for by. */
static int suggestion_name(const struct function_symbol *symbol, struct strbuf *buf)
{
	strbuf_reset(buf);
	if (symbol->is_go || !demangle_is_mangled(symbol->name))
		strbuf_add(buf, symbol->name, 1 + strcspn(symbol->name + 1, "@"));
	else if (demangle_symbol_plain(symbol->name, buf) < 0)
		return -ENOMEM;
	return buf->error;
}

/* Offers @name, which is not kept, and keeps a copy of the nearest in *@nearest. Returns 0 or -ENOMEM. */
static int offer(struct suggestion *best, const char *name, char **nearest)
{
	struct suggestion now = *best;

	suggestion_offer(&now, name);
	if (now.nearest != name)
		return 0;
	free(*nearest);
	*nearest = strdup(name);
	now.nearest = *nearest;
	*best = now;
	return *nearest ? 0 : -ENOMEM;
}

int function_list_suggest(struct module *mod, const char *pattern, char **ret)
{
	_cleanup_(function_scan_done) struct function_scan scan;
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	struct suggestion best = { .wanted = pattern };
	_cleanup_free_ char *nearest = NULL;
	struct function_symbol symbol;
	int r;

	r = function_scan_init(&scan, mod);
	if (r < 0)
		return r;
	while ((r = function_scan_next(&scan, &symbol)) > 0) {
		if (symbol.type == STT_NOTYPE || function_symbol_is_cold(&symbol))
			continue;
		r = suggestion_name(&symbol, &name);
		if (r < 0)
			return r;
		if (is_in_scope(name.data, pattern)) {
			*ret = strbuf_take(&name);
			return *ret ? 0 : -ENOMEM;
		}
		r = offer(&best, name.data, &nearest);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (!nearest)
		return scan.damage == -EBADMSG ? -EBADMSG : -ENOENT;
	*ret = take_ptr(nearest);
	return 0;
}
