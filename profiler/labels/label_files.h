/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label_files.h - which file was mapped where an address was accessed.
 *
 * The kernel's side tells addresses and when they were accessed; mappings come and go meanwhile. So all
 * mappings of all processes are followed here, by notices, and each event is looked up among those of
 * its time. Of what mremap() moves there are no notices: that is known as long as the process lives.
 * Filled by the tables thread, read when that has ended.
 */
#ifndef WICK_LABEL_FILES_H
#define WICK_LABEL_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/processes/notice.h"

struct label_files;
struct window;

/* @keep_addresses: they are wanted as labels, too. NULL: no memory. */
struct label_files *label_files_new(bool keep_addresses);
struct label_files *label_files_free(struct label_files *files);
DEFINE_CLEANUP(struct label_files *, label_files_free)

/* Read the mappings of what runs now; notices must be collected already. */
void label_files_begin(struct label_files *files);
/* Keep the notices of @batch until the window they happened in is there. */
void label_files_note(struct label_files *files, const struct notice_batch *batch);
/*
 * Events of *@window that have an address become samples that have a file: in a new window in place of
 * it. Without memory it stays as it is.
 */
void label_files_apply(struct label_files *files, struct window **window);
/* "/usr/lib/libc.so.6", "[heap]", "[stack]", "[anon]", "[unknown]"; NULL when there is no such. */
const char *label_files_text(const struct label_files *files, uint64_t number);

#endif
