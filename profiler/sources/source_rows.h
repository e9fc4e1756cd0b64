/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_rows.h - the functions the rows of the source table name, each in a file of its own.
 */
#ifndef WICK_SOURCE_ROWS_H
#define WICK_SOURCE_ROWS_H

#include "profiler/sources/source.h"

int source_cpu_attach(struct source_run *run, struct error *err);
int source_cpu_update(struct source_run *run);
void source_runq_prepare(const struct source_options *options, struct bpf_object *object);
int source_syscall_parse(const char *text, struct wick_settings *settings, struct error *err);
void source_offcpu_prepare(const struct source_options *options, struct bpf_object *object);
const char *source_lock_kind(uint64_t key);
void source_lock_prepare(const struct source_options *options, struct bpf_object *object);
int source_fault_attach(struct source_run *run, struct error *err);
int source_fault_update(struct source_run *run);
int source_fault_parse_range(const char *text, void *field);
void source_fault_prepare(const struct source_options *options, struct bpf_object *object);
const char *source_fault_kind(uint64_t key);
void source_signal_name(uint64_t key, char *text, size_t size);
void source_exit_status(uint64_t key, char *text, size_t size);
void source_irq_name(uint64_t key, char *text, size_t size);
const char *source_softirq_name(uint64_t key);

#endif
