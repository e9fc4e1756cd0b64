/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of a process: sorted by address and free of overlaps. JIT compilers map
 * and remap thousands of anonymous pieces, so that most notices must change nothing or
 * one entry.
 */
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/processes/process_private.h"

bool mapping_is_anonymous(const struct mapping *mapping)
{
	return !mapping->inode && !mapping->build_id.size && strcmp(mapping->path, "[vdso]") &&
	       strcmp(mapping->path, "[uprobes]");
}

/* The vDSO is no proof: what is known of that is the 64-bit one's. */
bool process_is_compat(const struct process *process)
{
	bool compat = false;

	for (size_t i = 0; i < process->mapping_count; i++) {
		const struct mapping *m = &process->mappings[i];

		if (m->module && m->path[0] == '/')
			return false;
		compat |= m->compat;
	}
	return compat;
}

static bool same_build_id(const struct elf_build_id *a, const struct elf_build_id *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

/* Of no file, and called the same. */
static bool both_anonymous(const struct mapping *a, const struct mapping *b)
{
	return mapping_is_anonymous(a) && mapping_is_anonymous(b) && !strcmp(a->path, b->path);
}

/* @a and @b map the same file with the same bias, or no file at all. */
static bool mapping_continues(const struct mapping *a, const struct mapping *b)
{
	if (mapping_is_anonymous(a) || mapping_is_anonymous(b))
		return both_anonymous(a, b);
	return a->start - a->offset == b->start - b->offset && a->device == b->device &&
	       a->inode == b->inode && same_build_id(&a->build_id, &b->build_id) &&
	       !strcmp(a->path, b->path);
}

/* Index of the first mapping that ends after @address. */
static size_t mappings_search(const struct process *process, uint64_t address)
{
	size_t low = 0, high = process->mapping_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process->mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct mapping *process_find_mapping(const struct process *process, uint64_t address)
{
	size_t index = mappings_search(process, address);

	if (index == process->mapping_count || process->mappings[index].start > address)
		return NULL;
	return &process->mappings[index];
}

static int mappings_grow(struct process_table *table, struct process *process, size_t count)
{
	size_t capacity = process->mapping_capacity;
	int r = alloc_grow(&process->mappings, &process->mapping_capacity, count);

	if (r < 0)
		return r;
	table->mapping_bytes += (process->mapping_capacity - capacity) * sizeof(struct mapping);
	return 0;
}

/* Put @count mappings in the place of those from @first to before @last; takes over references. */
static int mappings_replace(struct process_table *table, struct process *process, size_t first,
			    size_t last, const struct mapping *mappings, size_t count)
{
	size_t total = process->mapping_count - (last - first) + count;
	int r = mappings_grow(table, process, total);

	if (r < 0)
		return r;
	for (size_t i = first; i < last; i++)
		module_put(process->mappings[i].module);
	memmove(process->mappings + first + count, process->mappings + last,
		(process->mapping_count - last) * sizeof(*mappings));
	memcpy(process->mappings + first, mappings, count * sizeof(*mappings));
	process->mapping_count = total;
	return 0;
}

/* The piece of @old from @start to @end, with a reference of its own. */
static struct mapping mapping_piece(const struct mapping *old, uint64_t start, uint64_t end)
{
	struct mapping piece = *old;

	if (!mapping_is_anonymous(old))
		piece.offset += start - old->start;
	piece.start = start;
	piece.end = end;
	if (piece.module)
		module_get(piece.module);
	return piece;
}

/* Let an anonymous @mapping take in the neighbours that touch it: *@first to before *@last. */
static void mapping_absorb(const struct process *process, struct mapping *mapping, size_t *first,
			   size_t *last)
{
	const struct mapping *list = process->mappings;

	if (!mapping_is_anonymous(mapping))
		return;
	if (*first > 0 && list[*first - 1].end == mapping->start &&
	    both_anonymous(&list[*first - 1], mapping))
		(*first)--;
	if (*last < process->mapping_count && list[*last].start == mapping->end &&
	    both_anonymous(&list[*last], mapping))
		(*last)++;
	if (*first == *last)
		return;
	if (both_anonymous(&list[*first], mapping) && list[*first].start < mapping->start)
		mapping->start = list[*first].start;
	if (both_anonymous(&list[*last - 1], mapping) && list[*last - 1].end > mapping->end)
		mapping->end = list[*last - 1].end;
}

static int mapping_init(struct process_table *table, const struct mapping *from,
			struct mapping *ret)
{
	uint32_t number;
	int r;

	*ret = (struct mapping){
		.start = from->start,
		.end = from->end,
		.offset = from->offset,
		.device = from->device,
		.inode = from->inode,
		.build_id = from->build_id,
		.path = from->path,
	};
	/* "//anon", "[heap]", "[anon:name]": all the same, and not worth remembering. */
	if (mapping_is_anonymous(ret)) {
		ret->offset = 0;
		if (!table->keeps_all || !ret->path[0] || !strcmp(ret->path, "//anon")) {
			ret->path = "";
			return 0;
		}
	}
	r = intern_add_text(table->paths, ret->path, &number);
	if (r < 0)
		return r;
	ret->path = intern_text(table->paths, number);
	return 0;
}

int process_add_mapping(struct process_table *table, struct process *process,
			const struct mapping *mapping)
{
	struct mapping pieces[3], added;
	size_t first, last, count = 0;
	int r;

	if (mapping->end <= mapping->start)
		return 0;
	r = mapping_init(table, mapping, &added);
	if (r < 0)
		return r;
	first = mappings_search(process, added.start);
	for (last = first; last < process->mapping_count; last++)
		if (process->mappings[last].start >= added.end)
			break;
	if (last == first + 1 && process->mappings[first].start <= added.start &&
	    process->mappings[first].end >= added.end &&
	    mapping_continues(&process->mappings[first], &added))
		return 0;
	mapping_absorb(process, &added, &first, &last);
	if (first < last && process->mappings[first].start < added.start)
		pieces[count++] = mapping_piece(&process->mappings[first],
						process->mappings[first].start, added.start);
	pieces[count++] = added;
	if (first < last && process->mappings[last - 1].end > added.end)
		pieces[count++] = mapping_piece(&process->mappings[last - 1], added.end,
						process->mappings[last - 1].end);
	r = mappings_replace(table, process, first, last, pieces, count);
	if (r < 0) {
		while (count > 0)
			module_put(pieces[--count].module);
		return r;
	}
	process->dirty = true;
	return 1;
}

int process_copy_mappings(struct process_table *table, struct process *process,
			  const struct process *from)
{
	int r = mappings_grow(table, process, from->mapping_count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < process->mapping_count; i++)
		module_put(process->mappings[i].module);
	if (from->mapping_count)
		memcpy(process->mappings, from->mappings,
		       from->mapping_count * sizeof(*from->mappings));
	process->mapping_count = from->mapping_count;
	for (size_t i = 0; i < process->mapping_count; i++)
		if (process->mappings[i].module)
			module_get(process->mappings[i].module);
	return 0;
}

void process_clear_mappings(struct process_table *table, struct process *process)
{
	for (size_t i = 0; i < process->mapping_count; i++)
		module_put(process->mappings[i].module);
	table->mapping_bytes -= process->mapping_capacity * sizeof(struct mapping);
	free(process->mappings);
	process->mappings = NULL;
	process->mapping_count = process->mapping_capacity = 0;
}
