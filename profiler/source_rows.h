/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_rows.h - the functions the rows of the source table name, each in a file of its own.
 */
#ifndef WICK_SOURCE_ROWS_H
#define WICK_SOURCE_ROWS_H

#include "profiler/source.h"

int source_cpu_attach(struct source_run *run, struct error *err);
int source_cpu_update(struct source_run *run);
void source_offcpu_prepare(const struct source_options *options, struct bpf_object *object);

#endif
