/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cpu_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int number_read(const char **text, unsigned long *ret)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	*ret = strtoul(*text, &end, 10);
	*text = end;
	return *ret < WICK_CPUS_MAX ? 0 : -ERANGE;
}

int cpu_set_parse(const char *text, struct cpu_set *ret)
{
	struct cpu_set set = { 0 };

	for (;;) {
		unsigned long first, last;
		int r = number_read(&text, &first);

		if (r < 0)
			return r;
		last = first;
		if (*text == '-') {
			text++;
			r = number_read(&text, &last);
			if (r < 0)
				return r;
		}
		if (last < first)
			return -EINVAL;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			set.bits[cpu / 64] |= 1ull << (cpu % 64);
		if (*text != ',')
			break;
		text++;
	}
	if (*text && *text != '\n')
		return -EINVAL;
	*ret = set;
	return 0;
}

int cpu_set_read(int fd, struct cpu_set *ret)
{
	char text[4096];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

	if (size < 0)
		return -errno;
	text[size] = 0;
	return cpu_set_parse(text, ret);
}

unsigned int cpu_set_end(const struct cpu_set *set)
{
	for (unsigned int cpu = WICK_CPUS_MAX; cpu > 0; cpu--)
		if (cpu_set_has(set, cpu - 1))
			return cpu;
	return 0;
}
