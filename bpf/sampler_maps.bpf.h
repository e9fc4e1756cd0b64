/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sampler_maps.bpf.h - the maps. All are shared by every BPF object of a session (the counts are not: sampler.bpf.h):
 * the loader opens them once and reuses them by name. Sizes given here are placeholders
 * that user space replaces before load.
 */
#ifndef WICK_SAMPLER_MAPS_BPF_H
#define WICK_SAMPLER_MAPS_BPF_H

#include "bpf/core_compat.bpf.h"
#include "bpf/sample_abi.h"

/* A section of its own, so that the loader can fill it without knowing the rest of .rodata. */
const volatile struct wick_settings settings SEC(".rodata.settings") = {};

/* A copy of a stack while it is made: copy.bpf.h. */
struct copy_state {
	struct wick_record head;
	struct wick_key key;
	struct wick_value value;
	__u64 time_ns, next, top;	/* where the last part begins, and where the stack ends */
	__u32 bytes, part;		/* of that part */
};

/*
 * A sample that looks for its user stack. Where that makes a record, the sample goes with it, which
 * costs a third of a new entry in the counts; at usual rates most stacks of a window are new.
 */
struct stack_wish {
	struct wick_key key;		/* user_stack: what a copy goes by, and then what was found */
	struct wick_value value;	/* count 0: only the stack is wanted */
	__u32 is_gone;			/* it went with the stack: there is nothing more to deliver */
};

/* An event with what its probe has read. */
struct probe_event {
	struct wick_event_record event;
	struct probe_values values;
	/* For verifiers, and for the last text, whose end there is cut. */
	__u8 slack[PROBE_TEXTS_BYTES + PROBE_TEXT_ROOM];
};

/* A search for a mapping: vma.bpf.h. */
#define VMA_NODE_WORDS 32
struct vma_search {
	__u64 address, entry;		/* what is looked for, and where the search is */
	__u64 node[VMA_NODE_WORDS];
	struct wick_mapping mapping;	/* what was found */
	struct wick_file_record unknown;	/* or of which file it is; identity 0: of none */
	__u32 is_used, reserved;	/* this walk has no list of mappings */
};

/* Per-run state of one program, claimed so that a program that interrupts another has its own. */
struct scratch {
	struct unwind_cursor unwind;
	/* Where the walk began, and what it changes: a copy begins with these. */
	__u64 start_ip, start_sp, start_fp, start_rbx;
	struct copy_state copy;
	struct vma_search vmas;
	struct pt_regs saved;		/* too large for a program's stack, as what follows */
	struct stack_wish wish;
	struct wick_copy_record part;
	struct wick_stack_record stack;
	struct wick_task_record task;	/* the last one, */
	__u64 task_mark;		/* by this mix of what it goes by, */
	__u32 task_generation, reserved;	/* sent in this generation */
	struct wick_detail_record detail;
	struct wick_event_record event;
	struct wick_sleeper_record sleeper;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WICK_SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

/* Apart from the scratch, mmap-able, so that the drain polls it without a system call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WICK_SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct wick_claim);
} claims SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_control);
} control SEC(".maps");

/* [source * CPUs + cpu], mmap-able: --stats and tests read it at any time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_counters);
} counters SEC(".maps");

/* Frames, tasks, copies, events and requests, on their way out. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* Direct-mapped: slot id mod N holds id ^ generation when that id was sent in that generation. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sent SEC(".maps");

/* pid to its mappings; kept right across fork, exec and exit in the kernel (process.bpf.c). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_mapping);
} mappings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_module);
} modules SEC(".maps");

/* Files that are known by their place in the kernel: vma.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WICK_KNOWN_FILES);
	__type(key, __u32);
	__type(value, struct wick_known_file);
} known_files SEC(".maps");

/* One value: a rule pool indexed after one look-up. */
#define WICK_RULES_MAX 16384	/* a whole machine has some two thousand */
struct wick_rules {
	__u64 rule[WICK_RULES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_rules);
} rules SEC(".maps");

/* Direct-mapped, by module and line of code: the rules found last (unwind.bpf.h). */
#define WICK_RULE_CACHE_SHIFT 12
struct wick_cached_rule {
	__u64 rule, check;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << WICK_RULE_CACHE_SHIFT);
	__type(key, __u32);
	__type(value, struct wick_cached_rule);
} rule_cache SEC(".maps");

/*
 * Cells of all tables. The inner maps are arrays of one shape and without
 * BPF_F_INNER_MAP, so that both look-ups are inlined; the template is declared by
 * sizes, not by type, or 6.1 refuses inner maps made without BTF.
 */
struct segment {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WICK_SEGMENT_BLOCKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct wick_block));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WICK_SEGMENTS_MAX);
	__type(key, __u32);
	__array(values, struct segment);
} segments SEC(".maps");

/* Wanted processes and threads; children are added in the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target_pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target_tids SEC(".maps");

#endif
