/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notice.h - what the capture thread tells the tables thread: what processes did, which
 * tables are wanted, which stacks came as copies.
 *
 * A batch is one queue item; it owns everything in it and is freed whole. What
 * is added is copied. Requests and copies must be taken from the ring before
 * sideband_read(): then the notices say all that happened before them.
 */
#ifndef WICK_NOTICE_H
#define WICK_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/sample_abi.h"
#include "profiler/base/arena.h"
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/elf_file.h"

struct window;

enum notice_type { NOTICE_MMAP, NOTICE_FORK, NOTICE_EXEC, NOTICE_EXIT };

/* One perf sideband record (include/uapi/linux/perf_event.h). */
struct notice {
	enum notice_type type;
	uint32_t sequence;		/* in its batch; decides between equal times */
	uint64_t time_ns;		/* CLOCK_MONOTONIC */
	uint32_t pid, tid;
	uint32_t parent_pid;		/* FORK: of the parent process; equal to pid for a thread */
	/* MMAP */
	bool is_data;			/* memory that is not executable: only when asked for */
	uint64_t address, length, offset;
	struct elf_build_id build_id;	/* size 0: not given, then device and inode are */
	uint64_t device, inode;		/* device as makedev(); 0 when build_id is given */
	const char *path;		/* MMAP: file name, "[vdso]", "//anon"; EXEC: the comm */
};

/* A stack that came as a copy: the first part with the registers, and those with what lies above. */
struct stack_copy {
	const struct wick_copy_record *parts[WICK_COPY_PARTS];	/* each only as long as its bytes */
	uint32_t part_count;
	/* Registers alone, of a thread that does not run: the stack is to be read. Else 0. */
	uint32_t sleeper_tid;
	uint64_t arrivals;		/* as in struct wick_sleeper_record */
};

struct notice_batch {
	struct arena *arena;			/* paths and copies */
	struct notice *notices;			/* by time */
	size_t notice_count, notice_capacity;
	bool notices_lost;			/* re-read every loaded process from /proc */
	struct wick_request_record *requests;
	size_t request_count, request_capacity;
	struct wick_file_record *files;
	size_t file_count, file_capacity;
	struct stack_copy *copies;
	size_t copy_count, copy_capacity;
	/* A drained window to pass on once the rest is done, or NULL. */
	struct window *window;
};

/* NULL: no memory. */
struct notice_batch *notice_batch_new(void);
/* Frees its window too. Returns NULL. */
struct notice_batch *notice_batch_free(struct notice_batch *batch);
DEFINE_CLEANUP(struct notice_batch *, notice_batch_free)

/* Nothing in it: not worth a place in the queue. */
bool notice_batch_is_empty(const struct notice_batch *batch);

/*
 * Each copies what it is given to the end of its list; further parts of a copy, which come after
 * the first, are added to that. Returns 0, -ENOMEM, or -EINVAL for a record that cannot be.
 */
int notice_batch_add(struct notice_batch *batch, const struct notice *notice);
int notice_batch_add_request(struct notice_batch *batch, const struct wick_request_record *request);
int notice_batch_add_file(struct notice_batch *batch, const struct wick_file_record *file);
int notice_batch_add_sleeper(struct notice_batch *batch, const struct wick_sleeper_record *record);
int notice_batch_add_copy(struct notice_batch *batch, const struct wick_copy_record *record);
/* Order notices and copies by time. */
void notice_batch_sort(struct notice_batch *batch);

#endif
