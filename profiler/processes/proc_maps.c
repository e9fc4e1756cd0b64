/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/proc_maps.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Digits of @base up to a character that is none and must be @end; *@text goes behind that. */
static int field_read(char **text, unsigned int base, char end, uint64_t *ret)
{
	uint64_t value = 0;
	char *at = *text;

	for (; isxdigit((unsigned char)*at); at++) {
		unsigned int digit = isdigit((unsigned char)*at) ?
					     (unsigned int)(*at - '0') :
					     (unsigned int)(tolower((unsigned char)*at) - 'a' + 10);

		if (digit >= base || value > (UINT64_MAX - digit) / base)
			return -EINVAL;
		value = value * base + digit;
	}
	if (at == *text || *at != end)
		return -EINVAL;
	*text = at + 1;
	*ret = value;
	return 0;
}

/* "r-xp ": */
static int permissions_read(char **text, bool *ret_executable)
{
	char *at = *text;

	if (strnlen(at, 5) < 5 || at[4] != ' ')
		return -EINVAL;
	*ret_executable = at[2] == 'x';
	*text = at + 5;
	return 0;
}

void proc_maps_clean_path(char *path)
{
	static const char deleted[] = " (deleted)";
	size_t size = strlen(path);

	if (size > sizeof(deleted) - 1 && path[0] == '/' &&
	    !strcmp(path + size - (sizeof(deleted) - 1), deleted))
		path[size - (sizeof(deleted) - 1)] = 0;
}

/* The kernel escapes newlines only (fs/proc/task_mmu.c), so that a line stays one. */
static void path_unescape(char *path)
{
	char *to = path;

	while (*path) {
		if (!strncmp(path, "\\012", 4)) {
			*to++ = '\n';
			path += 4;
		} else {
			*to++ = *path++;
		}
	}
	*to = 0;
}

int proc_maps_parse(char *line, struct proc_map *ret)
{
	struct proc_map map = { 0 };
	uint64_t major, minor;
	char *text = line, *path;

	/* Of the inode's number only the end may be the line's. */
	line[strcspn(line, "\n")] = 0;
	if (field_read(&text, 16, '-', &map.start) < 0 ||
	    field_read(&text, 16, ' ', &map.end) < 0 ||
	    permissions_read(&text, &map.executable) < 0 ||
	    field_read(&text, 16, ' ', &map.offset) < 0 || field_read(&text, 16, ':', &major) < 0 ||
	    field_read(&text, 16, ' ', &minor) < 0)
		return -EINVAL;
	path = text + strcspn(text, " ");
	if (field_read(&text, 10, *path, &map.inode) < 0 || map.end <= map.start)
		return -EINVAL;
	path += strspn(path, " ");
	path_unescape(path);
	proc_maps_clean_path(path);
	map.device = makedev(major, minor);
	map.path = path;
	*ret = map;
	return 0;
}

/* ---- files of them ---- */

int proc_maps_open(struct proc_maps *maps, const char *path)
{
	maps->file = fopen(path, "re");
	if (maps->file)
		return 0;
	return errno == ENOENT ? -ESRCH : -errno;
}

int proc_maps_next(struct proc_maps *maps, struct proc_map *ret)
{
	errno = 0;
	while (getline(&maps->line, &maps->size, maps->file) > 0) {
		/* What is no mapping line is nothing we know how to use; there is none today. */
		if (!proc_maps_parse(maps->line, ret))
			return 1;
	}
	return -errno;
}

int proc_maps_next_code(struct proc_maps *maps, struct proc_map *ret)
{
	struct proc_map map;
	int r;

	while ((r = proc_maps_next(maps, &map)) > 0) {
		if (!map.executable || map.path[0] != '/')
			continue;
		*ret = map;
		return 1;
	}
	return r;
}

void proc_maps_close(struct proc_maps *maps)
{
	if (maps->file)
		fclose(maps->file);
	free(maps->line);
	*maps = (struct proc_maps)PROC_MAPS_INIT;
}

void proc_maps_link(uint32_t pid, uint64_t start, uint64_t end, char ret[PROC_MAPS_LINK_BYTES])
{
	snprintf(ret, PROC_MAPS_LINK_BYTES, "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid,
		 start, end);
}
