/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suggest.h - the name somebody meant who typed another one.
 *
 * Start from { .wanted = text }, offer every name there is, then ask for the
 * nearest. Keeps pointers to the names; allocates nothing.
 */
#ifndef WICK_SUGGEST_H
#define WICK_SUGGEST_H

#include <stddef.h>

struct suggestion {
	const char *wanted;
	const char *nearest;
	size_t distance;
};

void suggestion_offer(struct suggestion *suggestion, const char *name);
/* The nearest name that was offered, or NULL when none is near enough to be what was meant. */
const char *suggestion_get(const struct suggestion *suggestion);

#endif
