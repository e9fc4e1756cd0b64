/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label_notes.h - what labels say that has to be looked up while it is there: the paths of cgroups,
 * the files of programs.
 *
 * Used by the processing thread, later by whoever resolves its window.
 */
#ifndef WICK_LABEL_NOTES_H
#define WICK_LABEL_NOTES_H

#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"

struct label_files;
struct label_notes;
struct resolve_options;
struct window;

/*
 * For the labels @wanted, bits of session_label_bit(). @cgroup_subsystem: the hierarchy of
 * WICK_DETAIL_CGROUP, as in struct cgroup_target. Returns 0 or -ENOMEM.
 */
int label_notes_new(uint64_t wanted, int32_t cgroup_subsystem, struct label_notes **ret);
struct label_notes *label_notes_free(struct label_notes *notes);
DEFINE_CLEANUP(struct label_notes *, label_notes_free)

/* Look up what is new in @window. */
void label_notes_add(struct label_notes *notes, const struct window *window);
/* What only the whole run tells. Returns 0 or -ENOMEM. */
int label_notes_learn(struct label_notes *notes, const struct resolve_options *options);
/*
 * The path of a cgroup; of the one a task is in now, or NULL; of a task's program, or NULL. They live
 * as long as @notes.
 */
const char *label_notes_cgroup(const struct label_notes *notes, uint64_t id);
const char *label_notes_cgroup_of(const struct label_notes *notes, const struct wick_task *task);
const char *label_notes_program(const struct label_notes *notes, const struct wick_task *task);
/* The text of WICK_DETAIL_FILE, or NULL. */
const char *label_notes_file(const struct label_notes *notes, uint64_t number);
/* Of the tables thread, until it has ended; NULL when nobody asked for files. */
struct label_files *label_notes_files(struct label_notes *notes);

#endif
