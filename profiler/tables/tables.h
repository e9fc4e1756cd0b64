/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.h - the tables thread: opens files, builds rows, publishes them, unwinds copied stacks.
 *
 * Takes notice batches from the queue @in, in order; passes each batch's window on to
 * @out, with the samples of the copies that came before it added. When @out is full the
 * window is dropped and its samples are counted as lost. Never blocks the capture thread.
 *
 * A file may keep the thread waiting for ever. Nobody waits for the thread as long: it is left behind,
 * and what it had not passed on goes on without it.
 */
#ifndef WICK_TABLES_H
#define WICK_TABLES_H

#include <stdbool.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "profiler/base/queue.h"
#include "profiler/processes/modules.h"
#include "profiler/tables/table_store.h"

struct label_files;
struct tables;

struct tables_options {
	struct table_store_options store;
	struct queue *in, *out;
	struct label_files *files;	/* NULL: nobody wants to know them */
	uint32_t module_limit;
	bool as_events;		/* samples of copies are events, with their time */
	uint32_t depth_max;	/* frames of a copied stack; 0: as many as there can be */
};

struct tables_stats {
	struct table_store_stats store;
	struct modules_stats modules;
	uint64_t requests, maps_read, maps_failed;
	uint64_t requests_late;		/* requests and copies of what was gone by then */
	uint64_t copies, copies_complete;
	uint64_t copies_lost;		/* samples of copies that had no memory, or no thread */
	uint64_t windows_late_samples;	/* samples in windows dropped because @out was full */
	uint64_t build_ns, rows_built, cfi_bytes;
	uint64_t processes, user_bytes, cpu_ns;
};

int tables_new(const struct tables_options *options, struct tables **ret, struct error *err);
/*
 * The thread loads first what there is in the map of processes: targets, known beforehand. Waits until
 * they are loaded, but not for long. Returns 0 or a negative errno when there can be no thread.
 */
int tables_start(struct tables *tables);
/*
 * Waits for the thread, which ends when @in is closed and empty; then @out is closed. Returns 0, or
 * -ETIMEDOUT when it gets no further and is left behind: then @in, @out and all that @options names
 * must stay as long as the process does, and so does @tables.
 */
int tables_join(struct tables *tables);
struct tables *tables_free(struct tables *tables);
DEFINE_CLEANUP(struct tables *, tables_free)

/* Any thread. As they were after the last batch. */
void tables_stats(struct tables *tables, struct tables_stats *ret);
/* A new reference, or NULL. */
struct module *tables_module(struct tables *tables, uint32_t id);

#endif
