/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * empty_calls.c - BPF programs that do nothing, where system calls begin and where they return, until
 * it is killed: what no tracer by these tracepoints can be below.
 *
 * Usage: empty_calls enter|both.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/baseline.skel.h"

static int attach(struct bpf_program *program)
{
	if (bpf_program__attach(program))
		return 0;
	perror("system calls");
	return -1;
}

int main(int argc, char **argv)
{
	struct baseline *baseline = baseline__open_and_load();
	int is_both = argc == 2 && !strcmp(argv[1], "both");

	if (!baseline || argc != 2 || (!is_both && strcmp(argv[1], "enter")))
		return 1;
	if (attach(baseline->progs.empty_enter) ||
	    (is_both && attach(baseline->progs.empty_return)))
		return 1;
	pause();
}
