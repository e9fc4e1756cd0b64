/* SPDX-License-Identifier: BSD-2-Clause */
/* iterator.h - BPF programs that are run once for each task of the machine (SEC("iter/task")). */
#ifndef WICK_ITERATOR_H
#define WICK_ITERATOR_H

#include <stdbool.h>

struct bpf_program;

bool iterator_is(const struct bpf_program *program);
/* Run @program, which is loaded and writes nothing, for all tasks. Returns 0 or a negative errno. */
int iterator_run(const struct bpf_program *program);

#endif
