/* SPDX-License-Identifier: BSD-2-Clause */
/* program_features.h - what this kernel's BPF can do for probes, found out by trying. */
#ifndef WICK_PROGRAM_FEATURES_H
#define WICK_PROGRAM_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_prog_load_opts;

/*
 * Load a program of @type (enum bpf_prog_type) that does nothing: whether the kernel takes it tells what
 * it can do. @opts may be NULL. Returns a descriptor or a negative errno.
 */
int program_load_nothing(unsigned int type, const struct bpf_prog_load_opts *opts);

/* Whether any program may be loaded. */
bool program_may_load(void);
/* Programs know by a cookie which attachment runs them (Linux 5.15). */
bool program_has_cookies(void);
/* Programs of uprobes may wait for memory (Linux 6.0). */
bool program_may_wait(void);
/*
 * A program on a trampoline does not run inside itself, when it comes to a function it is attached to
 * (Linux 5.12); without that it may not end.
 */
bool program_trampolines_guard(void);
/*
 * Whether the kernel's function of that BTF id can be probed by fentry, or with @at_return by fexit (Linux
 * 5.5, where it is allowed). Attaches a program for a moment: nothing else tells.
 */
bool program_has_trampoline(uint32_t btf_id, bool at_return);

#endif
