/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traced_process.h - a child that is followed instruction by instruction, with its unwind tables.
 *
 * Keeps a shadow of the child's stack: every call adds to it, every return and
 * every return from a signal takes from it. It knows nothing of CFI, so that
 * what an unwinder says can be held against it.
 */
#ifndef WICK_TRACED_PROCESS_H
#define WICK_TRACED_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>
#include "profiler/base/cleanup.h"
#include "profiler/unwind/unwind_table.h"

#define SHADOW_MAX 1024

struct shadow_frame {
	uint64_t ip;		/* where this caller goes on */
	bool exact;		/* there was no call: it was interrupted, or is a trampoline */
};

struct traced_module {
	char name[256];		/* path, or "[vdso]" */
	struct unwind_table table;
};

struct traced_mapping {
	uint64_t start, end, bias;
	int module;		/* index, or -1: of no file */
};

struct traced_process {
	pid_t pid;
	int signal;		/* to be delivered with the next step */
	bool ended;
	int exit_status;
	uint64_t entry;		/* of the program, not of its dynamic linker */
	struct user_regs_struct regs;
	struct shadow_frame shadow[SHADOW_MAX];		/* outermost first */
	size_t shadow_count;
	bool shadow_lost;	/* a return went elsewhere than the call came from */
	struct rule_pool *pool;
	struct traced_module *modules;
	size_t module_count, module_capacity;
	struct traced_mapping *mappings;		/* executable ones, sorted */
	size_t mapping_count, mapping_capacity;
	uint64_t code_page;	/* address of what is in code[] */
	uint8_t code[4096];
};

/* Start @argv, stopped at its first instruction. NULL when that cannot be done. */
struct traced_process *traced_start(const char *const argv[]);
struct traced_process *traced_free(struct traced_process *t);
DEFINE_CLEANUP(struct traced_process *, traced_free)
/* One instruction. Returns 0, or -1 when the child has ended or cannot be traced. */
int traced_step(struct traced_process *t);
int traced_read(const struct traced_process *t, void *to, size_t size, uint64_t address);
const struct traced_mapping *traced_mapping(const struct traced_process *t, uint64_t address);
/* The rule for a runtime address. */
struct unwind_rule traced_rule(const struct traced_process *t, uint64_t address);

#endif
