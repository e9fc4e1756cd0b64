/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multi_attach.h - many functions by one attachment: uprobe_multi (Linux 6.6) and kprobe_multi (5.18).
 *
 * One by one a function takes a perf event, and the kernel waits for each when it is removed. The
 * libraries of Debian 12 do not know uprobe_multi yet.
 */
#ifndef WICK_MULTI_ATTACH_H
#define WICK_MULTI_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a program must be loaded for: enum bpf_attach_type, include/uapi/linux/bpf.h. */
#define MULTI_ATTACH_KPROBE 42
#define MULTI_ATTACH_UPROBE 48

/* Whether the kernel has it. Loads a little program for a moment. */
bool multi_attach_is_possible(unsigned int type);

struct multi_attach {
	int program_fd;
	const char *path;		/* of the file; NULL: the kernel */
	bool by_return_address;
	size_t count;
	const uint64_t *offsets;	/* in the file */
	const char *const *symbols;	/* or functions of the kernel */
	const uint64_t *cookies;
	const uint64_t *semaphores;	/* their offsets in the file; NULL: none */
};

/* Returns a descriptor, whose close() detaches, or a negative errno. */
int multi_attach(const struct multi_attach *what);

#endif
