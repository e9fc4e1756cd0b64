/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_probe.h - an event that is a probe, as a row of its own: its name, values and labels are
 * known only when its places have been found.
 */
#ifndef WICK_SOURCE_PROBE_H
#define WICK_SOURCE_PROBE_H

#include "profiler/probes/probe_files.h"
#include "profiler/sources/source.h"

struct source_probe;

/* Its row is @row's with what was found; it lives as long as the probe. As probe_find(). */
int source_probe_open(const struct source_request *request, const struct probe_targets *targets,
		      bool shows_all, struct source_probe **ret, struct error *err);
struct source_probe *source_probe_free(struct source_probe *probe);
DEFINE_CLEANUP(struct source_probe *, source_probe_free)
const struct source *source_probe_row(const struct source_probe *probe);
/* What people should know of what was found; NULL: nothing. */
const char *source_probe_note(const struct source_probe *probe);
/* Whether that is less than was asked for. */
bool source_probe_falls_back(const struct source_probe *probe);

/* What its programs must know. Returns 0, or -EOPNOTSUPP with the sentence in @err. */
int source_probe_settings(const struct source_probe *probe, struct wick_settings *settings,
			  struct error *err);

/*
 * The names of its values, from the words alone: "malloc", "malloc_time". Returns false when it has
 * not as many.
 */
#define SOURCE_PROBE_VALUE_BYTES 64
bool source_probe_value(const struct source_request *request, size_t index,
			char name[SOURCE_PROBE_VALUE_BYTES], const char **ret_unit);

/* For the rows of the table. */
void source_probe_prepare(const struct source_options *options, struct bpf_object *object);
int source_probe_attach(struct source_run *run, struct error *err);
int source_syscall_attach(struct source_run *run, struct error *err);
int source_counter_attach(struct source_run *run, struct error *err);
int source_counter_update(struct source_run *run);

#endif
