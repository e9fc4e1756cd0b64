/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink.h - where a writer's bytes go: a file, memory, or through gzip or zstd into another sink.
 *
 * A regular file appears under its name only when sink_close() succeeds:
 * it is written beside it and renamed, and keeps the mode of the file it
 * replaces; of a symbolic link the target is replaced. Devices, pipes, sockets
 * and /dev/stdout (/dev/fd/N, /proc/self/fd/N) are written in place; "-" is
 * standard output. Errors stick: after one, writes do nothing and sink_close()
 * returns it. A broken pipe is -EPIPE if the program ignores SIGPIPE.
 */
#ifndef WICK_SINK_H
#define WICK_SINK_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/strbuf.h"

struct sink;

/* Returns 0 or a negative errno (-EACCES, -EISDIR, -ENOENT …). */
int sink_open_file(const char *path, struct sink **ret);
/* Appends to @buf, which must outlive the sink. */
int sink_open_memory(struct strbuf *buf, struct sink **ret);
/*
 * Compress into @below, which is closed or aborted together with the new sink
 * (on failure it stays the caller's). @level 0: a good default. The same
 * input gives the same bytes: no time or file name is in them.
 */
int sink_open_gzip(struct sink *below, int level, struct sink **ret);
int sink_open_zstd(struct sink *below, int level, struct sink **ret);
/* Passes all on to @below, which stays the caller's: to end a compressed part, not the file. */
int sink_open_borrowed(struct sink *below, struct sink **ret);

int sink_write(struct sink *sink, const void *bytes, size_t size);
int sink_text(struct sink *sink, const char *text);
int sink_printf(struct sink *sink, const char *format, ...) _printf_(2, 3);
int sink_error(const struct sink *sink); /* 0, or the first error */
uint64_t sink_written_bytes(const struct sink *sink); /* that reached the lowest sink */
/* Finish and publish. Returns 0 or the first error (-EIO, -ENOSPC, -EPIPE); frees it always. */
int sink_close(struct sink *sink);
/* Drop what was written, leave no file behind. Returns NULL; sink_abort(NULL) does nothing. */
struct sink *sink_abort(struct sink *sink);
DEFINE_CLEANUP(struct sink *, sink_abort)

#endif
