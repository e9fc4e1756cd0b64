/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/suggest.h"

#include <stdint.h>
#include <string.h>

#include "profiler/base/cleanup.h"

/* Longer than every name we have; what is longer was not meant to be one. */
#define NAME_MAX_BYTES 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * Edits that turn @a into @b: a letter more, a letter less, another letter,
 * or two neighbours swapped, which is the most common slip of all.
 */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_BYTES + 1];
	size_t size_a = strlen(a), size_b = strlen(b), i, j;

	if (size_a > NAME_MAX_BYTES || size_b > NAME_MAX_BYTES)
		return SIZE_MAX;
	for (j = 0; j <= size_b; j++)
		rows[0][j] = j;
	for (i = 1; i <= size_a; i++) {
		size_t *above = rows[(i - 1) % 3], *row = rows[i % 3];
		const size_t *before = rows[(i + 1) % 3];

		row[0] = i;
		for (j = 1; j <= size_b; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1,
				      above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[size_a % 3][size_b];
}

void suggestion_offer(struct suggestion *suggestion, const char *name)
{
	size_t size = strlen(suggestion->wanted);
	size_t distance;

	/* The beginning of a name is that name, however much is missing. */
	if (size >= 2 && !strncmp(suggestion->wanted, name, size))
		distance = 0;
	else
		distance = edit_distance(suggestion->wanted, name);
	/* One slip in three letters; more is another word. */
	if (distance > (size + 2) / 3 || distance >= strlen(name))
		return;
	if (suggestion->nearest && distance >= suggestion->distance)
		return;
	suggestion->nearest = name;
	suggestion->distance = distance;
}

const char *suggestion_get(const struct suggestion *suggestion)
{
	return suggestion->nearest;
}
