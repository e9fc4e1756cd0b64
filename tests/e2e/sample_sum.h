/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample_sum.h - sums over the samples of a profile that a test is about.
 */
#ifndef WICK_SAMPLE_SUM_H
#define WICK_SAMPLE_SUM_H

#include <stdint.h>
#include "formats/profile.h"

/* NULL: any. A label is meant by its text. */
struct sample_choice {
	const char *function;		/* anywhere in the stack */
	const char *comm;		/* of the process */
	const char *thread;
	int64_t tid;			/* 0: any */
	const char *label, *text;	/* one more; text NULL: samples that do not have it */
};

/* The sum of the value type @value ("calls") over the samples that are @choice. */
int64_t sample_sum(const struct profile *profile, const char *value,
		   const struct sample_choice *choice);

#endif
