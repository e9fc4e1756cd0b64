/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sample_abi.h - the bytes that cross the kernel boundary.
 *
 * Compiles for BPF (after vmlinux.h) and for the host. Every struct here has no
 * padding that is not named. Sizes of maps are not here: user space sets them
 * from --memory before load.
 */
#ifndef WICK_SAMPLE_ABI_H
#define WICK_SAMPLE_ABI_H

#include "bpf/probe_abi.h"
#include "bpf/unwind_abi.h"

#define WICK_COMM_BYTES 16
#define WICK_CPUS_MAX 1024
/* Programs interrupt each other (a timer a tracepoint), so each CPU has several scratch states. */
#define WICK_SCRATCH_SLOTS 4
#define WICK_COPY_BYTES 8192
/* A deep stack comes in several records of that size. */
#define WICK_COPY_PARTS 8
#define WICK_COPY_CHUNK_BYTES 1024
#define WICK_GLOB_LITERALS 31
#define WICK_SOURCE_OPTIONS 4
#define WICK_SYSCALL_WORDS 8
#define WICK_CPU_WORDS (WICK_CPUS_MAX / 64)

/* What kernel.perf_event_max_stack is unless somebody has set it. */
#define WICK_KERNEL_FRAMES_MAX 127

/* Stack ids below this are not hashes. */
enum wick_stack_id {
	WICK_STACK_NONE = 0,	/* there is none: a user-mode sample has no kernel stack */
	WICK_STACK_LOST = 1,	/* its frames did not get into the ring */
	WICK_STACK_COPIED = 2,	/* comes as a copy, unwound in user space */
	WICK_STACK_FIRST = 16,
};

/*
 * One per source and CPU; names are what the user reads. Every sample that is
 * taken is reported or counted under exactly one of the LOST ones.
 */
#define WICK_COUNTERS(X)                                                                       \
	X(ENTERED, "entered")             /* program runs */                                   \
	X(FILTERED, "filtered")           /* not wanted: no stack was walked */                \
	X(TAKEN, "taken")                 /* wanted: reported or lost */                       \
	X(REPORTED, "reported")           /* counted in a map or sent as an event or copy */   \
	X(LOST_SCRATCH, "no-scratch")     /* all scratch states of the CPU were claimed */     \
	X(LOST_COUNTS, "counts-full")     /* the map of counts was full */                     \
	X(LOST_TASK, "task-unsent")       /* the ring had no room to say which task it was */  \
	X(LOST_EVENT, "event-unsent")     /* the ring had no room for the event */             \
	X(LOST_WAITS, "waits-full")       /* no place to note when a wait began */             \
	X(WALKS_USER, "user-walks")                                                            \
	X(WALKS_KERNEL, "kernel-walks")                                                        \
	X(STACKS_SENT, "stacks-sent")                                                          \
	X(STACKS_KNOWN, "stacks-known")   /* sent before in this generation */                 \
	X(STACKS_LOST, "stack-lost")      /* reported, but without its stack: ring full */     \
	X(COPIES, "copies")               /* stack copies sent, tables not loaded yet */       \
	X(COPIES_LIMITED, "copies-limited") /* not copied: over the rate; reported not-loaded */ \
	X(COPIES_LOST, "copies-lost")     /* not copied: ring full; reported not-loaded */     \
	X(DETAILS_LOST, "detail-lost")    /* reported, but without its labels: ring full */    \
	X(TIMES_LOST, "time-lost")        /* reported as 0 ns: when it began is not known */ \
	X(REQUESTS, "table-requests")     /* wake-ups that ask for a process's tables */       \
	X(NESTED, "nested")               /* ran inside another program of ours */             \
	X(LIMITED, "limited")             /* events over the limits: neither taken nor lost */ \
	X(UNREADABLE, "value-unreadable") /* hits: a filter, sum or label could not be read */ \
	X(CALLS_DROPPED, "calls-dropped") /* entered, and left by no return that was seen */   \
	X(RETURNS_UNKNOWN, "returns-unknown") /* returns of calls that were not seen to begin */

enum wick_counter {
#define WICK_COUNTER_ENUM(name, text) WICK_COUNTER_##name,
	WICK_COUNTERS(WICK_COUNTER_ENUM)
#undef WICK_COUNTER_ENUM
	WICK_COUNTER_COUNT,
};
#define WICK_COUNTER_SLOTS 32	/* a power of two above it, and whole cache lines */

struct wick_counters {
	wick_u64 value[WICK_COUNTER_SLOTS];
};

/* Who: sent once per generation, known by a hash of its content. */
struct wick_task {
	wick_u32 pid, tid;		/* the kernel's tgid and pid */
	wick_u64 start_ns;		/* of the process, CLOCK_MONOTONIC */
	wick_u32 exec_id;		/* counts execs, tells instances of a process apart */
	wick_u32 flags;			/* enum wick_task_flag */
	char comm[WICK_COMM_BYTES];	/* the thread's */
	char process_comm[WICK_COMM_BYTES];
};

enum wick_task_flag {
	WICK_TASK_KERNEL = 1 << 0,	/* a kernel thread */
	WICK_TASK_EXITING = 1 << 1,
};

/*
 * What else tells samples apart: facts of the source and what --label asks for. Like a task
 * it is sent once per generation and known by a hash of its content.
 */
#define WICK_DETAILS(X)                                                                        \
	X(KEY, "key")             /* the source's own: its row says what it means */           \
	X(BUCKET, "bucket")       /* of a histogram: values from 2^bucket on, below twice it */\
	X(CPU, "cpu")                                                                          \
	X(CGROUP, "cgroup")       /* kernfs id of its folder */                                \
	X(SYSCALL, "syscall")     /* number */                                                 \
	X(ERRNO, "errno")                                                                      \
	X(REASON, "reason")       /* enum wick_reason */                                       \
	X(LOCK, "lock")           /* address */                                                \
	X(ADDRESS, "address")                                                                  \
	X(FILE, "file")           /* number of its text; user space makes it out of ADDRESS */ \
	X(PEER_TASK, "peer")      /* id of the task at the other end: waker, owner, target */  \
	X(PEER_KERNEL, "peer_kernel_stack")                                                    \
	X(PEER_USER, "peer_user_stack")                                                        \
	X(ARG1, "arg1")           /* labels of a probe's site: a number, or the id of a text */\
	X(ARG2, "arg2")                                                                        \
	X(ARG3, "arg3")                                                                        \
	X(ARG4, "arg4")

enum wick_detail_field {
#define WICK_DETAIL_ENUM(name, text) WICK_DETAIL_##name,
	WICK_DETAILS(WICK_DETAIL_ENUM)
#undef WICK_DETAIL_ENUM
	WICK_DETAIL_COUNT,
};
/* What a file's number means where the kernel's side knows better than the list of mappings. */
#define WICK_FILE_HEAP 1
/* What a system call returns from minus this on is an error: include/linux/err.h. */
#define WICK_ERRNO_MAX 4095
/* The key of an exit: its status plus 1, or the number of the signal on top of this. */
#define WICK_EXIT_SIGNAL 256
#define WICK_DETAIL_BIT(name) (1ull << WICK_DETAIL_##name)

struct wick_detail {
	wick_u64 present;		/* bits of enum wick_detail_field; the others are 0 */
	wick_u64 value[WICK_DETAIL_COUNT];
};

/* What a task waits for, as far as the kernel's side knows it. */
#define WICK_REASONS(X)                                                                        \
	X(UNKNOWN, "other")                                                                    \
	X(SYSCALL, "syscall")     /* by its system call: WICK_DETAIL_SYSCALL */                \
	X(DISK, "disk")           /* the task is in iowait */                                  \
	X(FAULT, "page-fault")                                                                 \
	X(PREEMPTED, "preempted")                                                              \
	X(KERNEL, "kernel")       /* a kernel thread */

enum wick_reason {
#define WICK_REASON_ENUM(name, text) WICK_REASON_##name,
	WICK_REASONS(WICK_REASON_ENUM)
#undef WICK_REASON_ENUM
	WICK_REASON_COUNT,
};

/* The key and value of a count: who, where, what and how much. */
struct wick_key {
	wick_u64 task;			/* id of a wick_task */
	wick_u64 kernel_stack, user_stack;
	wick_u64 detail;		/* id of a wick_detail; WICK_DETAIL_NONE, WICK_DETAIL_LOST */
};

#define WICK_DETAIL_NONE 0ull
#define WICK_DETAIL_LOST 1ull
#define WICK_TEXT_LOST 1ull

struct wick_value {
	wick_u64 count;
	wick_u64 sum;			/* ns or bytes, what the source measures */
};

/* How many entries a half of the counts has, of the half of that generation. */
struct wick_counts_made {
	wick_u32 generation, count;
};

/*
 * What samples of a CPU had last: recent.bpf.h. Of each half of the counts samples without stacks that the
 * map has not been given yet, by their keys' hash; it has an entry for each of them.
 */
#define WICK_RECENT_COUNTS 16
#define WICK_RECENT_DETAILS 32

struct wick_recent_count {
	wick_u64 task, detail;		/* of the key, whose stacks are WICK_STACK_NONE; task 0: none */
	struct wick_value value;
	wick_u32 generation, reserved[7];
};

struct wick_recent_detail {
	wick_u64 facts, id;
	wick_u32 generation, reserved;
};

struct wick_recent {
	struct wick_recent_count counts[2][WICK_RECENT_COUNTS];
	struct wick_recent_detail details[WICK_RECENT_DETAILS];
};

/* Records in the ring. Each begins with this. */
enum wick_record_type {
	WICK_RECORD_TASK = 1,
	WICK_RECORD_STACK,
	WICK_RECORD_COPY,
	WICK_RECORD_EVENT,
	WICK_RECORD_REQUEST,
	WICK_RECORD_DETAIL,
	WICK_RECORD_SLEEPER,
	WICK_RECORD_TEXT,
	WICK_RECORD_FILE,
};

struct wick_record {
	wick_u16 type;
	wick_u16 source;		/* its index in the session */
	wick_u32 generation;
};

struct wick_task_record {
	struct wick_record head;
	wick_u64 id;
	struct wick_task task;
};

struct wick_detail_record {
	struct wick_record head;
	wick_u64 id;
	struct wick_detail detail;
};

/* A text that is a label: sent once per generation, too. Only as much of text as is used is sent. */
struct wick_text_record {
	struct wick_record head;
	wick_u64 id;
	wick_u32 bytes;			/* without NUL */
	wick_u32 reserved;
	char text[PROBE_TEXT_MAX];	/* zeros up to a whole word */
};
#define WICK_TEXT_RECORD_HEAD_BYTES __builtin_offsetof(struct wick_text_record, text)

/*
 * A stack and, with its first sample, that: it needs no place in the counts. Without one
 * value.count is 0.
 */
struct wick_stack_record {
	struct wick_record head;
	struct wick_key key;
	struct wick_value value;
	wick_u64 id;
	wick_u32 count;			/* frames that follow, leaf first */
	wick_u16 stop;			/* enum unwind_stop; kernel stacks: UNWIND_STOP_END */
	wick_u16 is_kernel;
	wick_u32 flags;			/* enum unwind_flag */
	/* The process instance, when some frame is a raw address; else 0. */
	wick_u32 pid;
	wick_u64 start_ns;
	wick_u64 frames[UNWIND_FRAMES_SLOTS];
};
#define WICK_STACK_RECORD_HEAD_BYTES __builtin_offsetof(struct wick_stack_record, frames)

/*
 * A sample whose user stack is unwound in user space: process tables were not loaded yet. What lies
 * further up follows in more parts, of which only time_ns, key.task, base, bytes and data count.
 * Of a wait that only begins the sample comes later: then the count is 0, and key.user_stack the id
 * that it will use for this stack.
 */
struct wick_copy_record {
	struct wick_record head;
	struct wick_key key;		/* user_stack is WICK_STACK_COPIED, or an id */
	struct wick_value value;
	wick_u64 time_ns;
	wick_u32 pid, exec_id;
	wick_u64 start_ns;
	wick_u64 ip, sp, fp;
	wick_u64 regs[UNWIND_REGISTERS];
	wick_u64 base;			/* user address of data[0]: below sp, or above if it was not there */
	wick_u32 bytes;			/* how much of data is valid */
	wick_u32 part;			/* 0, and then upwards */
	wick_u8 data[WICK_COPY_BYTES];	/* a part that is not full may be sent without the rest */
};
#define WICK_COPY_RECORD_HEAD_BYTES __builtin_offsetof(struct wick_copy_record, data)

/*
 * The user registers of a thread that is not on a CPU: user space reads its stack, and sees by the count
 * of its arrivals on a CPU (/proc/PID/task/TID/schedstat) that it has not run meanwhile.
 */
struct wick_sleeper_record {
	struct wick_record head;
	wick_u64 task, user_stack;	/* ids: whose, and the one its frames are to have */
	wick_u64 time_ns, arrivals;
	wick_u32 pid, tid, exec_id, reserved;
	wick_u64 start_ns;
	wick_u64 ip, sp, fp;
	wick_u64 regs[UNWIND_REGISTERS];
};

/* EVENTS delivery: one sample, with its time; behind it a struct probe_values, when it has any. */
struct wick_event_record {
	struct wick_record head;
	struct wick_key key;
	struct wick_value value;
	wick_u64 time_ns;		/* CLOCK_MONOTONIC */
	wick_u32 cpu;
	wick_u32 values_bytes;		/* of the struct probe_values that follows; 0: none */
};

/* Asks user space to load a process's tables; the only record that wakes it. */
struct wick_request_record {
	struct wick_record head;
	wick_u32 pid, exec_id;
	wick_u64 start_ns;
	wick_u32 is_loaded;		/* it has tables, but its mappings may have changed */
	wick_u32 module;		/* not the process: only the table of this module; 0: none */
};

/*
 * A file that a process without tables maps, by what the kernel knows of it: who knows the mappings of
 * that process can tell which module it is. Sent once per generation.
 */
struct wick_file_record {
	struct wick_record head;
	wick_u64 identity;		/* of a file, its content, and a place in it */
	wick_u64 start, offset;		/* where the process has that place, and which it is */
	wick_u64 start_ns;
	wick_u32 pid, exec_id;
};

/*
 * What user space makes of it, direct-mapped by identity. Written while programs run: the identity last.
 */
#define WICK_KNOWN_FILES 4096
struct wick_known_file {
	wick_u64 identity;		/* 0: none */
	wick_u64 address;		/* the ELF address of that place */
	wick_u32 module, reserved;
};

/*
 * What a task waits for, from its begin to its end: one per thread, in the source's own map, and
 * kept for its next wait. The drain reads it: stacks of open waits are carried from window to window.
 */
enum wick_wait_state {
	WICK_WAIT_NONE = 0,
	WICK_WAIT_OPEN,
	WICK_WAIT_ENDED,		/* long enough; its user stack comes when the task runs */
	WICK_WAIT_PREPARED,		/* has its stacks, and begins later: nothing to report yet */
	WICK_WAIT_BEGUN,		/* its stacks are being walked */
};

struct wick_wait {
	wick_u64 begin_ns;		/* CLOCK_MONOTONIC */
	wick_u64 value;			/* ns, when it has ended */
	wick_u64 task, kernel_stack, user_stack;
	wick_u64 peer_task, peer_kernel, peer_user;
	wick_u64 key;			/* the source's own */
	wick_u64 lock;			/* address, or 0 */
	wick_u32 state;			/* enum wick_wait_state */
	wick_u32 reason;		/* enum wick_reason */
	wick_u32 syscall;		/* number + 1, or 0 */
	wick_u32 instance;		/* of thread and program: tells another one of that tid apart */
	wick_u32 error;			/* errno, or 0 */
	/* The task of the thread's last sample, sent in that generation: wait.bpf.h. */
	wick_u32 known_generation;
	wick_u64 known_task, known_mark;	/* an id, and what of the task it goes by */
	wick_u32 cpu;			/* number + 1 of the one it began on, when labels ask; or 0 */
	wick_u32 reserved;
};

/* A process known to the kernel side: which mappings are its own. */
enum wick_process_state {
	WICK_PROCESS_REQUESTED = 1,	/* tables were asked for */
	WICK_PROCESS_LOADED,
	WICK_PROCESS_COMPAT,		/* 32-bit: flagged, not unwound */
};

struct wick_process {
	wick_u64 start_ns;		/* with exec_id: must match the task's, or it is stale */
	wick_u32 exec_id;
	wick_u32 state;			/* enum wick_process_state */
	wick_u32 map_first, map_count;	/* its range in the mappings array, sorted by address */
	wick_u64 requested_ns;		/* when it was last asked for */
	wick_u32 misses;		/* walks that left the list, since it was published */
	wick_u32 reserved;
};

struct wick_mapping {
	wick_u64 start, end;		/* user addresses, end exclusive */
	wick_u64 bias;			/* ELF address = address - bias */
	wick_u32 module;		/* UNWIND_MODULE_NONE: executable memory of no file */
	wick_u32 reserved;
};

/* A module's table (profiler/unwind/unwind_table.h) in the store of cells. */
struct wick_module {
	wick_u64 start;			/* ELF address of the first page */
	/*
	 * In one word, so that both are of the same table. Low half: how many pages, 0: no table.
	 * High half: first cell of the directory, in the store; enum wick_table_absent without table.
	 */
	wick_u64 table;
};

enum wick_table_absent {
	WICK_TABLE_UNASKED = 0,		/* nobody has come there yet: ask for it */
	WICK_TABLE_NONE = 1,		/* there is none to be had: frame pointers */
};

/* The store: maps of 1 MiB, all of the same shape, of blocks of 4 KiB. */
#define WICK_BLOCK_CELLS 1024
#define WICK_SEGMENT_BLOCKS 256
#define WICK_BLOCK_SHIFT 10
#define WICK_SEGMENT_SHIFT 18
#define WICK_SEGMENTS_MAX 1024

struct wick_block {
	wick_u32 cells[WICK_BLOCK_CELLS];
};

/*
 * Claims of scratch states, one per CPU and slot, polled by the drain. A program
 * stores CLAIMED, reads the generation, stores CLAIMED plus it, works, stores FREE.
 */
#define WICK_CLAIM_FREE 0ull
#define WICK_CLAIM_UNKNOWN (1ull << 32)
#define WICK_CLAIM_GENERATION(g) ((2ull << 32) | (g))

struct wick_claim {
	wick_u64 state;
	wick_u64 reserved[7];		/* a cache line each */
};

/* Written by user space while programs run, through mmap. */
struct wick_control {
	wick_u32 generation;		/* its low bit is the half of the counts in use */
	wick_u32 enabled;		/* 0: every sample is turned away as filtered */
	wick_u64 first_sample_ns;	/* written by the first wanted sample, CLOCK_MONOTONIC */
	/* Of all sources, when events are limited: how many were let through, and when more may be. */
	wick_u64 events_allowed, events_next_ns;
	wick_u32 reserved[8];
};

/* Which tasks are wanted and how: set before load. Zero means no such filter. */
struct wick_settings {
	wick_u32 source;		/* index of this source in the session */
	wick_u32 deliver_events;	/* EVENTS delivery instead of COUNTED */
	wick_u32 filter_pids, filter_tids, inherit;
	wick_u32 filter_uid, uid;
	wick_u32 filter_cgroup;
	wick_s32 cgroup_subsystem;	/* v1: index in css_set.subsys; -1: the v2 hierarchy */
	wick_u32 filter_cpus;		/* only those in cpus */
	wick_u64 cgroup_id;		/* kernfs id of the cgroup's folder */
	wick_u32 skip_pid;		/* 0, or a PID never sampled */
	wick_u32 walk_user, walk_kernel, depth_max;
	wick_u64 value_per_sample;	/* ns a cpu sample stands for */
	wick_u64 value_min,
		value_max; /* others are left out, before a stack is walked; 0: no limit */
	wick_u64 labels;		/* bits of enum wick_detail_field to fill in */
	wick_u32 option[WICK_SOURCE_OPTIONS];	/* what the source's own options mean to it */
	wick_u64 syscalls[WICK_SYSCALL_WORDS];	/* bits of system calls; all 0: every one */
	wick_u64 cpus[WICK_CPU_WORDS];	/* bits of CPUs */
	wick_u64 sent_mask;		/* size of the sent-array, a power of two, minus 1 */
	wick_u64 copy_interval_ns;	/* between copies on a CPU, on average */
	wick_u32 copy_burst;		/* copies in a row before that holds */
	wick_u32 thread_bytes;		/* kernel stack size, where bpf_task_pt_regs() is missing */
	wick_u32 cpu_count;		/* possible CPUs */
	wick_u32 wakeup_bytes;		/* the ring wakes its reader when it holds more */
	wick_u32 stacks_bytes;		/* and takes no stacks when it holds more */
	wick_u32 events_per_second;	/* EVENTS delivery, of all sources together; 0: no limit */
	wick_u64 events_max;		/* and in the whole run, but for as many as there are CPUs; 0: no limit */
	/* Comm glob, bit-parallel (bpf/comm_glob.h). */
	wick_u32 filter_comm, glob_loops, glob_accept;
	wick_u32 counts_wakeup;		/* entries of a half that wake the ring's reader, too */
	wick_u32 glob_match[256];
};

/* Values of the target maps. */
enum wick_target {
	WICK_TARGET_ACTIVE = 1,
	WICK_TARGET_AT_EXEC = 2,	/* becomes active when it executes its command */
};

#endif
