/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/proc_stat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/cleanup.h"

#define FIELD_OF_NAME 2
#define FIELD_OF_STATE 3
#define LINE_BYTES 1024

/* Where field number @field is in the text, read into @line; NULL: there is no such process. */
static const char *field_find(uint32_t pid, unsigned int field, char *line)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], *at;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	line[fread(line, 1, LINE_BYTES - 1, f)] = '\0';
	/* The name may hold anything, ends of lines too. */
	at = strrchr(line, ')');
	for (unsigned int i = FIELD_OF_NAME; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : NULL;
}

int proc_stat_read(uint32_t pid, enum proc_stat_field field, unsigned long long *ret)
{
	char line[LINE_BYTES];
	const char *text = field_find(pid, field, line);

	return text && sscanf(text, "%llu", ret) == 1 ? 0 : -ESRCH;
}

bool proc_stat_lives(uint32_t pid)
{
	char line[LINE_BYTES];
	const char *state = field_find(pid, FIELD_OF_STATE, line);

	return state && *state != 'Z' && *state != 'X';
}
