/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/table_store.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/tables/block_allocator.h"
#include "profiler/tables/mapping_store.h"
#include "profiler/tables/table_segments.h"

/* Each one more waits for RCU, for long when the machine is busy switching: enough for a usual load. */
#define SEGMENTS_AT_FIRST 2

enum table_state {
	TABLE_ABSENT,
	TABLE_LOADED,
	TABLE_EMPTY,		/* its file has no unwind information */
	TABLE_FAILED,		/* its file could not be read */
	TABLE_REFUSED,		/* there was no room, or it had to make room */
};

struct table {
	enum table_state state;
	int error;			/* what loading it says now */
	uint64_t used_ns, retry_ns;	/* an absent one is not tried again before */
	uint32_t first_block, block_count, row_count;
	struct module *module;		/* a reference, to try again */
};

struct table_store {
	struct table_store_options options;
	struct table_segments *segments;
	struct block_allocator *blocks;
	struct mapping_store *mappings;
	struct rule_pool *pool;
	struct wick_module *modules;	/* the kernel's, mapped */
	uint64_t *rules;		/* the kernel's, mapped */
	uint32_t rules_written;
	struct table *tables;		/* by module number */
	uint32_t tables_end;		/* the highest number there is, plus one */
	uint32_t refused_count;
	struct table_store_stats stats;
};

static size_t rules_bytes(const struct table_store *store)
{
	return store->options.rule_limit * sizeof(store->rules[0]);
}

static size_t modules_bytes(const struct table_store *store)
{
	return store->options.module_limit * sizeof(store->modules[0]);
}

struct table_store *table_store_free(struct table_store *store)
{
	if (!store)
		return NULL;
	for (uint32_t id = 0; id < store->tables_end; id++)
		module_put(store->tables[id].module);
	if (store->modules)
		munmap(store->modules, modules_bytes(store));
	if (store->rules)
		munmap(store->rules, rules_bytes(store));
	mapping_store_free(store->mappings);
	block_allocator_free(store->blocks);
	table_segments_free(store->segments);
	rule_pool_free(store->pool);
	free(store->tables);
	free(store);
	return NULL;
}

static void *map_shared(int fd, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int store_grow(struct table_store *store)
{
	int r = table_segments_add(store->segments);

	return r < 0 ? r : block_allocator_grow(store->blocks, WICK_SEGMENT_BLOCKS);
}

static int store_init(struct table_store *store)
{
	const struct table_store_options *options = &store->options;
	int r;

	store->segments = table_segments_new(options->segments_fd, options->segment_limit);
	store->blocks = block_allocator_new(0);
	store->pool = rule_pool_new(options->rule_limit);
	store->tables = calloc(options->module_limit, sizeof(store->tables[0]));
	if (!store->segments || !store->blocks || !store->pool || !store->tables)
		return -ENOMEM;
	store->modules = map_shared(options->modules_fd, modules_bytes(store));
	store->rules = map_shared(options->rules_fd, rules_bytes(store));
	if (!store->modules || !store->rules)
		return -errno;
	r = mapping_store_new(options->mappings_fd, options->processes_fd, options->known_files_fd,
			      options->mapping_limit, &store->mappings);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < SEGMENTS_AT_FIRST && i < options->segment_limit && !r; i++)
		r = store_grow(store);
	return r;
}

int table_store_new(const struct table_store_options *options, struct table_store **ret,
		    struct error *err)
{
	_cleanup_(table_store_freep) struct table_store *store = calloc(1, sizeof(*store));
	int r = -ENOMEM;

	if (store) {
		store->options = *options;
		r = store_init(store);
	}
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "make room for unwind tables: %s",
				 strerror(-r));
	*ret = take_ptr(store);
	return 0;
}

/* ---- room ---- */

/* Whether segments that may still be added make a run of @count blocks. */
static bool store_can_grow(const struct table_store *store, uint32_t count)
{
	uint64_t more = store->options.segment_limit - table_segments_count(store->segments);

	return block_allocator_tail(store->blocks) + more * WICK_SEGMENT_BLOCKS >= count;
}

static int blocks_take(struct table_store *store, uint32_t count, uint32_t *ret_first)
{
	int r = block_allocator_take(store->blocks, count, ret_first);

	while (r == -ENOSPC && store_can_grow(store, count)) {
		r = store_grow(store);
		if (!r)
			r = block_allocator_take(store->blocks, count, ret_first);
	}
	return r;
}

static void module_write(struct table_store *store, uint32_t id, uint32_t page_count,
			 uint32_t first_cell)
{
	__atomic_store_n(&store->modules[id].table, (uint64_t)first_cell << 32 | page_count,
			 __ATOMIC_RELEASE);
}

static void table_refuse(struct table_store *store, uint32_t id)
{
	struct table *table = &store->tables[id];

	module_write(store, id, 0, WICK_TABLE_NONE);
	table->state = TABLE_REFUSED;
	table->error = -ENOSPC;
	store->refused_count++;
}

/* The kernel side has been told that there is no table. */
static void table_retire(struct table_store *store, const struct table *table, uint64_t now_ns)
{
	block_allocator_retire(store->blocks, table->first_block, table->block_count, now_ns);
	store->stats.tables--;
	store->stats.rows -= table->row_count;
	store->stats.table_bytes -= table->block_count * sizeof(struct wick_block);
}

static void table_evict(struct table_store *store, uint32_t id, uint64_t now_ns)
{
	table_refuse(store, id);
	table_retire(store, &store->tables[id], now_ns);
	store->stats.tables_evicted++;
}

static void tables_drop_unused(struct table_store *store, uint64_t now_ns)
{
	for (uint32_t id = UNWIND_MODULE_FIRST; id < store->tables_end; id++) {
		struct table *table = &store->tables[id];

		if (table->state != TABLE_LOADED || now_ns < table->used_ns + TABLE_UNUSED_NS)
			continue;
		module_write(store, id, 0, WICK_TABLE_UNASKED);
		table->state = TABLE_ABSENT;
		table_retire(store, table, now_ns);
		store->stats.tables_unused++;
	}
}

/* One at a time, each of which waits for RCU, and one more than is free stays. */
static void store_shrink(struct table_store *store)
{
	if (table_segments_count(store->segments) <= SEGMENTS_AT_FIRST ||
	    block_allocator_tail(store->blocks) < 2 * WICK_SEGMENT_BLOCKS)
		return;
	if (!table_segments_remove(store->segments))
		block_allocator_shrink(store->blocks, WICK_SEGMENT_BLOCKS);
}

/* The loaded table that was not used for the longest time, if that is long; else 0. */
static uint32_t table_idle(const struct table_store *store, uint64_t now_ns)
{
	uint64_t oldest_ns = now_ns > TABLE_IDLE_NS ? now_ns - TABLE_IDLE_NS : 0;
	uint32_t found = 0;

	for (uint32_t id = UNWIND_MODULE_FIRST; id < store->tables_end; id++) {
		const struct table *table = &store->tables[id];

		if (table->state != TABLE_LOADED || table->used_ns >= oldest_ns)
			continue;
		oldest_ns = table->used_ns;
		found = id;
	}
	return found;
}

/* Evict what it takes to have a run of @count blocks after the grace period, if possible. */
static void store_make_room(struct table_store *store, uint32_t count, uint64_t now_ns)
{
	uint32_t id;

	if (count > block_allocator_count(store->blocks))
		return;
	while (block_allocator_longest_soon(store->blocks) < count) {
		id = table_idle(store, now_ns);
		if (!id)
			return;
		table_evict(store, id, now_ns);
	}
}

/* ---- tables ---- */

static void rules_write(struct table_store *store)
{
	const uint64_t *numbers = rule_pool_numbers(store->pool);
	uint32_t count = rule_pool_count(store->pool);

	memcpy(store->rules + store->rules_written, numbers + store->rules_written,
	       (count - store->rules_written) * sizeof(*numbers));
	store->rules_written = count;
}

/* Rules, then the rows that name them, then the module that has the rows. */
static void table_write(struct table_store *store, uint32_t id, const struct unwind_table *rows)
{
	uint32_t first_cell = store->tables[id].first_block << WICK_BLOCK_SHIFT;

	rules_write(store);
	table_segments_write(store->segments, first_cell, rows->cells, rows->cell_count);
	store->modules[id].start = rows->start;
	module_write(store, id, rows->page_count, first_cell);
}

static int table_place(struct table_store *store, uint32_t id, const struct unwind_table *rows,
		       uint64_t now_ns)
{
	struct table *table = &store->tables[id];
	int r;

	table->block_count = (rows->cell_count + WICK_BLOCK_CELLS - 1) / WICK_BLOCK_CELLS;
	table->row_count = rows->stats.rows;
	r = blocks_take(store, table->block_count, &table->first_block);
	/* The kernel may have refused a segment, too: the same limit by another name. */
	if (r < 0) {
		store_make_room(store, table->block_count, now_ns);
		store->stats.tables_refused++;
		table_refuse(store, id);
		return table->error;
	}
	table_write(store, id, rows);
	table->state = TABLE_LOADED;
	store->stats.tables++;
	store->stats.rows += table->row_count;
	store->stats.table_bytes += table->block_count * sizeof(struct wick_block);
	return 0;
}

static int rows_build(struct table_store *store, struct module *module, struct unwind_table *ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	uint64_t begin_ns = clock_thread_cpu_ns();
	int r = module_open(module, &elf);

	if (!r)
		r = unwind_table_build(elf, store->pool, ret);
	store->stats.build_ns += clock_thread_cpu_ns() - begin_ns;
	if (r < 0)
		return r;
	store->stats.cfi_bytes += ret->stats.cfi_bytes;
	store->stats.rows_built += ret->stats.rows;
	store->stats.rule_pool_full += ret->stats.rules_dropped;
	log_debug(LOG_TABLES, "%s: %u rows, %zu cells", module_info(module)->path,
		  ret->stats.rows, ret->cell_count);
	return 0;
}

static int table_load(struct table_store *store, uint32_t id, uint64_t now_ns)
{
	_cleanup_(unwind_table_done) struct unwind_table rows = { 0 };
	struct table *table = &store->tables[id];
	int r = rows_build(store, table->module, &rows);

	table->error = 0;
	if (r == -ENOMEM) {
		/* Large files take seconds until it is known that there is no memory. */
		table->error = r;
		table->retry_ns = now_ns + TABLE_RETRY_NS;
		return r;
	}
	if (r < 0) {
		module_write(store, id, 0, WICK_TABLE_NONE);
		table->state = TABLE_FAILED;
		table->error = r;
		store->stats.tables_failed++;
		return r;
	}
	if (!rows.page_count) {
		module_write(store, id, 0, WICK_TABLE_NONE);
		table->state = TABLE_EMPTY;
		return 0;
	}
	return table_place(store, id, &rows, now_ns);
}

int table_store_load_module(struct table_store *store, struct module *module, uint64_t now_ns)
{
	uint32_t id = module_info(module)->id;
	struct table *table;

	if (id >= store->options.module_limit)
		return -ENOSPC;
	table = &store->tables[id];
	table->used_ns = now_ns;
	if (table->state != TABLE_ABSENT || now_ns < table->retry_ns)
		return table->error;
	if (!table->module)
		table->module = module_get(module);
	if (id >= store->tables_end)
		store->tables_end = id + 1;
	return table_load(store, id, now_ns);
}

void table_store_touch(struct table_store *store, uint32_t id, uint64_t now_ns)
{
	if (id < store->tables_end)
		store->tables[id].used_ns = now_ns;
}

/* The refused table that was used last, if that is not long ago; else 0. */
static uint32_t table_wanted(const struct table_store *store, uint64_t now_ns)
{
	uint64_t newest_ns = now_ns > TABLE_IDLE_NS ? now_ns - TABLE_IDLE_NS : 0;
	uint32_t found = 0;

	for (uint32_t id = UNWIND_MODULE_FIRST; id < store->tables_end; id++) {
		const struct table *table = &store->tables[id];

		if (table->state != TABLE_REFUSED || table->used_ns <= newest_ns)
			continue;
		newest_ns = table->used_ns;
		found = id;
	}
	return found;
}

/* Try again what was refused, the one used last first; what finds no room makes some. */
static void tables_retry(struct table_store *store, uint64_t now_ns)
{
	uint32_t id;

	while (store->refused_count && (id = table_wanted(store, now_ns))) {
		struct table *table = &store->tables[id];

		if (block_allocator_longest(store->blocks) < table->block_count &&
		    !store_can_grow(store, table->block_count)) {
			store_make_room(store, table->block_count, now_ns);
			return;
		}
		table->state = TABLE_ABSENT;
		store->refused_count--;
		if (table_load(store, id, now_ns) < 0)
			return;
	}
}

void table_store_collect(struct table_store *store, uint64_t now_ns)
{
	if (now_ns > TABLE_GRACE_NS)
		block_allocator_collect(store->blocks, now_ns - TABLE_GRACE_NS);
	tables_retry(store, now_ns);
	tables_drop_unused(store, now_ns);
	store_shrink(store);
	mapping_store_collect(store->mappings, now_ns);
}

/* ---- the rest ---- */

uint64_t table_store_rule(const struct table_store *store, uint32_t module_id, uint64_t address)
{
	uint32_t directory, first_cell, page_count, row, low = 0, high, cell, number = 0;
	const struct wick_module *module;
	uint64_t page;

	if (module_id >= store->options.module_limit)
		return 0;
	module = &store->modules[module_id];
	if (address < module->start)
		return 0;
	page_count = (uint32_t)module->table;
	first_cell = module->table >> 32;
	page = (address - module->start) >> UNWIND_PAGE_SHIFT;
	if (page >= page_count)
		return 0;
	directory = table_segments_cell(store->segments, first_cell + page);
	row = first_cell + page_count + 2 * (directory >> 10);
	high = directory & UNWIND_PAGE_ROWS_MAX;
	/* The last row at or below the address; a page's first row is at its first byte. */
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		cell = table_segments_cell(store->segments, row + middle);
		if ((cell & 4095) <= (address & 4095)) {
			number = cell >> 12;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return number < store->rules_written ? store->rules[number] : 0;
}

int table_store_publish(struct table_store *store, const struct process *process, uint64_t now_ns)
{
	return mapping_store_publish(store->mappings, process, now_ns);
}

int table_store_fork(struct table_store *store, uint32_t parent, uint32_t child, uint64_t now_ns)
{
	return mapping_store_fork(store->mappings, parent, child, now_ns);
}

void table_store_forget(struct table_store *store, uint32_t pid, uint64_t now_ns)
{
	mapping_store_forget(store->mappings, pid, now_ns);
}

int table_store_find_process(const struct table_store *store, uint32_t pid,
			     struct wick_process *ret)
{
	return mapping_store_find_process(store->mappings, pid, ret);
}

int table_store_next_process(const struct table_store *store, const uint32_t *previous,
			     uint32_t *ret_pid, struct wick_process *ret)
{
	return mapping_store_next_process(store->mappings, previous, ret_pid, ret);
}

void table_store_know_file(struct table_store *store, uint64_t identity,
			   const struct mapping *mapping)
{
	mapping_store_know_file(store->mappings, identity, mapping);
}

void table_store_stats(const struct table_store *store, struct table_store_stats *ret)
{
	struct mapping_store_stats mappings;

	mapping_store_stats(store->mappings, &mappings);
	*ret = store->stats;
	ret->segments = table_segments_count(store->segments);
	ret->rules = rule_pool_count(store->pool);
	ret->mappings_used = mappings.used;
	ret->mappings_full = mappings.full;
	ret->processes_published = mappings.published;
	ret->processes_gone = mappings.gone;
	ret->files_known = mappings.files;
	ret->scans = mappings.scans;
}

size_t table_store_user_bytes(const struct table_store *store)
{
	return sizeof(*store) + mapping_store_bytes(store->mappings) +
	       block_allocator_bytes(store->blocks) + store->tables_end * sizeof(store->tables[0]) +
	       rule_pool_count(store->pool) * 2 * sizeof(struct unwind_rule);
}
