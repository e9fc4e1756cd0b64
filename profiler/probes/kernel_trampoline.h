/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_trampoline.h - whether a function of the kernel is probed by a trampoline (fentry, fexit) or by
 * a kprobe.
 *
 * A kprobe is a breakpoint, or a jump in its place: it costs more, and takes a guard from CPU samples.
 */
#ifndef WICK_KERNEL_TRAMPOLINE_H
#define WICK_KERNEL_TRAMPOLINE_H

#include <stdbool.h>
#include "profiler/probes/probe_kind.h"

struct btf_types;

/*
 * Why a probe of @kind at @words is a kprobe, as part of a sentence: "it is a module's"; NULL: it
 * is a trampoline. Of one function the kernel is asked, by programs that do nothing.
 */
const char *kernel_trampoline_lack(struct btf_types *types, const struct probe_kind *kind,
				   const struct probe_words *words);

#endif
