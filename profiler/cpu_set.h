/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu_set.h - sets of CPU numbers as the kernel and users write them: "0-3,6". */
#ifndef WICK_CPU_SET_H
#define WICK_CPU_SET_H

#include <stdbool.h>
#include <stdint.h>
#include "bpf/sample_abi.h"

struct cpu_set {
	uint64_t bits[WICK_CPUS_MAX / 64];
};

static inline bool cpu_set_has(const struct cpu_set *set, unsigned int cpu)
{
	return cpu < WICK_CPUS_MAX && set->bits[cpu / 64] >> (cpu % 64) & 1;
}

/* Returns 0; -EINVAL when @text is no list; -ERANGE for a number over WICK_CPUS_MAX - 1. */
int cpu_set_parse(const char *text, struct cpu_set *ret);
/* From the open sysfs file @fd (cpu/online, cpu/possible), read anew from its start. */
int cpu_set_read(int fd, struct cpu_set *ret);
/* The highest number in it plus one; 0 when it is empty. */
unsigned int cpu_set_end(const struct cpu_set *set);

#endif
