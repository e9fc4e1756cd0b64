/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_tables.c - bytes of table per MB of .eh_frame, and milliseconds to make them.
 *
 * Usage: bench_tables FILE... Prints "name value unit" lines.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/unwind/unwind_table.h"

#define ROUNDS 3
#define MEGABYTE 1000000.0

struct totals {
	uint64_t cfi_bytes, table_bytes, rows, ns;
};

static int build(const char *path, struct rule_pool *pool, struct totals *totals)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t best_ns = UINT64_MAX;
	struct unwind_table table;

	if (fd < 0)
		return -1;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start_ns = clock_thread_cpu_ns(), ns;

		if (elf_file_open_fd(fd, &elf) || unwind_table_build(elf, pool, &table))
			return -1;
		ns = clock_thread_cpu_ns() - start_ns;
		best_ns = ns < best_ns ? ns : best_ns;
		if (i < ROUNDS - 1)
			unwind_table_done(&table);
		elf = elf_file_close(elf);
	}
	totals->cfi_bytes += table.stats.cfi_bytes;
	totals->table_bytes += table.cell_count * sizeof(*table.cells);
	totals->rows += table.stats.rows;
	totals->ns += best_ns;
	printf("table-of-%s %.2f ms\n", strrchr(path, '/') ? strrchr(path, '/') + 1 : path,
	       best_ns / 1e6);
	unwind_table_done(&table);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(16384);
	struct totals totals = { 0 };

	for (int i = 1; i < argc; i++)
		if (build(argv[i], pool, &totals))
			fprintf(stderr, "bench_tables: left out: %s\n", argv[i]);
	if (!totals.cfi_bytes)
		return 1;
	printf("rows %llu rows\n", (unsigned long long)totals.rows);
	printf("rules %u rules\n", rule_pool_count(pool));
	printf("bytes-per-mb %.0f bytes/MB\n",
	       totals.table_bytes / (totals.cfi_bytes / MEGABYTE));
	printf("ms-per-mb %.2f ms/MB\n", totals.ns / 1e6 / (totals.cfi_bytes / MEGABYTE));
	return 0;
}
