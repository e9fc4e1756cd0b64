/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/comm_pattern.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Read a bracket expression whose '[' is at @p; sets @member and returns past ']', or NULL. */
static const char *bracket_read(const char *p, bool member[256])
{
	bool negated = p[1] == '!' || p[1] == '^';
	const char *first = p + 1 + negated;

	memset(member, negated, 256);
	for (p = first; *p && (*p != ']' || p == first); p++) {
		unsigned char low = p[0], high = low;

		if (p[1] == '-' && p[2] && p[2] != ']') {
			high = p[2];
			p += 2;
		}
		for (unsigned int c = low; c <= high; c++)
			member[c] = !negated;
	}
	return *p ? p + 1 : NULL;
}

/* One literal, "?" or bracket; returns what follows it, or NULL when it is malformed. */
static const char *literal_read(const char *p, bool member[256])
{
	if (*p == '[')
		return bracket_read(p, member);
	memset(member, *p == '?', 256);
	if (*p == '?')
		return p + 1;
	if (*p == '\\')
		p++;
	if (!*p)
		return NULL;
	member[(unsigned char)*p] = true;
	return p + 1;
}

int comm_pattern_compile(const char *glob, struct wick_settings *settings)
{
	uint32_t match[256] = { 0 }, loops = 0, count = 0;
	bool member[256];

	for (const char *p = glob; *p;) {
		if (*p == '*') {
			loops |= 1u << count;
			p++;
			continue;
		}
		if (count == WICK_GLOB_LITERALS)
			return -E2BIG;
		p = literal_read(p, member);
		if (!p)
			return -EINVAL;
		for (int c = 0; c < 256; c++)
			match[c] |= (uint32_t)member[c] << count;
		count++;
	}
	memcpy(settings->glob_match, match, sizeof(match));
	settings->glob_loops = loops;
	settings->glob_accept = 1u << count;
	settings->filter_comm = 1;
	return 0;
}
