/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/perf_map.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "symbolizer/range_index.h"

/* Of lines that cover one address; more of them are not made by use of memory again. */
#define COVERING_MAX 64

struct perf_map {
	char *text;		/* each name in it ends with NUL */
	size_t size;
	struct range_index ranges;	/* to places of names in text */
};

struct perf_map *perf_map_free(struct perf_map *map)
{
	if (!map)
		return NULL;
	free(map->text);
	range_index_done(&map->ranges);
	free(map);
	return NULL;
}

/* The hexadecimal number at *@text, and the space behind it. Returns whether they are there. */
static bool parse_hex(char **text, uint64_t *ret)
{
	char *end, *start = *text;

	/* strtoull() would also take signs and spaces. */
	if (!isxdigit((unsigned char)*start))
		return false;
	errno = 0;
	*ret = strtoull(start, &end, 16);
	if (errno || *end != ' ')
		return false;
	while (*end == ' ')
		end++;
	*text = end;
	return true;
}

/* @line is NUL-terminated and in map->text. */
static int perf_map_add_line(struct perf_map *map, char *line)
{
	uint64_t start, size;

	if (!parse_hex(&line, &start) || !parse_hex(&line, &size) || !*line)
		return 0;
	if (size > UINT64_MAX - start)
		return 0;
	return range_index_add(&map->ranges, start, start + size, (uint32_t)(line - map->text));
}

static int perf_map_parse_lines(struct perf_map *map)
{
	char *line = map->text, *end = map->text + map->size, *newline;
	int r;

	/* What no newline ends is still being written. */
	for (; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
		*newline = '\0';
		r = perf_map_add_line(map, line);
		if (r < 0)
			return r;
	}
	range_index_build(&map->ranges);
	return 0;
}

int perf_map_parse(const char *text, size_t size, struct perf_map **ret)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	int r;

	if (size > PERF_MAP_BYTES_MAX)
		return -EFBIG;
	map = calloc(1, sizeof(*map));
	if (!map)
		return -ENOMEM;
	map->text = malloc(size + 1);
	if (!map->text)
		return -ENOMEM;
	memcpy(map->text, text, size);
	map->text[size] = '\0';
	map->size = size;
	r = perf_map_parse_lines(map);
	if (r < 0)
		return r;
	*ret = take_ptr(map);
	return 0;
}

const char *perf_map_find(const struct perf_map *map, uint64_t address, uint64_t *ret_start)
{
	const struct range *range, *latest = NULL;
	uint32_t position = RANGE_NONE;
	int i;

	for (i = 0; i < COVERING_MAX; i++) {
		range = range_index_next(&map->ranges, address, &position);
		if (!range)
			break;
		/* Later lines are further behind in the text. */
		if (!latest || range->value > latest->value)
			latest = range;
	}
	if (!latest)
		return NULL;
	if (ret_start)
		*ret_start = latest->start;
	return map->text + latest->value;
}

size_t perf_map_count(const struct perf_map *map)
{
	return map->ranges.count;
}

size_t perf_map_bytes(const struct perf_map *map)
{
	return sizeof(*map) + map->size + 1 + map->ranges.capacity * sizeof(*map->ranges.ranges);
}
