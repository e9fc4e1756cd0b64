/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/e2e/store_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define EXIT_SKIPPED 77
#define PROCESSES 4096

static int create(enum bpf_map_type type, const char *name, uint32_t value_size, uint32_t entries,
		  int inner_fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int fd;

	if (type == BPF_MAP_TYPE_ARRAY)
		options.map_flags = BPF_F_MMAPABLE;
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		options.inner_map_fd = (uint32_t)inner_fd;
	fd = bpf_map_create(type, name, sizeof(uint32_t), value_size, entries, &options);
	if (fd == -EPERM) {
		printf("creating BPF maps is not permitted here\n");
		exit(EXIT_SKIPPED);
	}
	assert_true(fd >= 0);
	return fd;
}

void store_maps_open(struct table_store_options *options)
{
	int inner = create(BPF_MAP_TYPE_ARRAY, "inner", sizeof(struct wick_block),
			   WICK_SEGMENT_BLOCKS, -1);

	options->segments_fd = create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "segments", sizeof(uint32_t),
				      WICK_SEGMENTS_MAX, inner);
	close(inner);
	options->rules_fd = create(BPF_MAP_TYPE_ARRAY, "rules",
				   options->rule_limit * (uint32_t)sizeof(uint64_t), 1, -1);
	options->modules_fd = create(BPF_MAP_TYPE_ARRAY, "modules", sizeof(struct wick_module),
				     options->module_limit, -1);
	options->mappings_fd = create(BPF_MAP_TYPE_ARRAY, "mappings", sizeof(struct wick_mapping),
				      options->mapping_limit, -1);
	options->known_files_fd = create(BPF_MAP_TYPE_ARRAY, "known_files",
					 sizeof(struct wick_known_file), WICK_KNOWN_FILES, -1);
	options->processes_fd = create(BPF_MAP_TYPE_HASH, "processes", sizeof(struct wick_process),
				       PROCESSES, -1);
}

void store_maps_close(struct table_store_options *options)
{
	close(options->segments_fd);
	close(options->rules_fd);
	close(options->modules_fd);
	close(options->mappings_fd);
	close(options->known_files_fd);
	close(options->processes_fd);
}

void store_maps_request(const struct table_store_options *options, uint32_t pid,
			uint64_t start_ns, uint32_t exec_id)
{
	struct wick_process entry = {
		.start_ns = start_ns,
		.exec_id = exec_id,
		.state = WICK_PROCESS_REQUESTED,
	};

	assert_int_equal(bpf_map_update_elem(options->processes_fd, &pid, &entry, BPF_ANY), 0);
}

bool store_maps_process(const struct table_store_options *options, uint32_t pid,
			struct wick_process *ret)
{
	return bpf_map_lookup_elem(options->processes_fd, &pid, ret) == 0;
}

void store_maps_mapping(const struct table_store_options *options, uint32_t index,
			struct wick_mapping *ret)
{
	assert_int_equal(bpf_map_lookup_elem(options->mappings_fd, &index, ret), 0);
}

void store_maps_module(const struct table_store_options *options, uint32_t id,
		       struct wick_module *ret)
{
	assert_int_equal(bpf_map_lookup_elem(options->modules_fd, &id, ret), 0);
}

bool store_maps_file(const struct table_store_options *options, uint64_t identity,
		     struct wick_known_file *ret)
{
	uint32_t index = identity & (WICK_KNOWN_FILES - 1);

	assert_int_equal(bpf_map_lookup_elem(options->known_files_fd, &index, ret), 0);
	return ret->identity == identity;
}

/* The block that @cell is in. */
static void block_read(const struct table_store_options *options, uint32_t cell,
		       struct wick_block *ret)
{
	uint32_t segment = cell >> WICK_SEGMENT_SHIFT, id;
	uint32_t block = (cell >> WICK_BLOCK_SHIFT) & (WICK_SEGMENT_BLOCKS - 1);
	int fd;

	assert_int_equal(bpf_map_lookup_elem(options->segments_fd, &segment, &id), 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &block, ret), 0);
	close(fd);
}

uint64_t store_maps_rule(const struct table_store_options *options, uint32_t id, uint64_t address)
{
	uint32_t zero = 0, page, cell, directory, row, number = 0;
	uint32_t first_cell, page_count;
	struct wick_module module;
	struct wick_block block;
	uint64_t *rules, rule;

	store_maps_module(options, id, &module);
	page_count = (uint32_t)module.table;
	first_cell = module.table >> 32;
	page = (address - module.start) >> 12;
	if (address < module.start || page >= page_count)
		return 0;
	cell = first_cell + page;
	block_read(options, cell, &block);
	directory = block.cells[cell % WICK_BLOCK_CELLS];
	row = first_cell + page_count + 2 * (directory >> 10);
	if (!(directory & 1023))
		return 0;
	block_read(options, row, &block);
	for (uint32_t i = 0; i < (directory & 1023); i++) {
		cell = block.cells[(row + i) % WICK_BLOCK_CELLS];
		if ((cell & 4095) <= (address & 4095))
			number = cell >> 12;
	}
	rules = calloc(options->rule_limit, sizeof(*rules));
	assert_non_null(rules);
	assert_int_equal(bpf_map_lookup_elem(options->rules_fd, &zero, rules), 0);
	rule = rules[number];
	free(rules);
	return rule;
}
