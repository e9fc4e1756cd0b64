/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_maps.h - /proc/PID/maps, line by line.
 *
 * Paths come as the kernel writes them, without " (deleted)" at the end and
 * with its "\012" turned back into a newline.
 */
#ifndef WICK_PROC_MAPS_H
#define WICK_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "profiler/base/cleanup.h"

struct proc_map {
	uint64_t start, end;	/* user addresses, end exclusive */
	uint64_t offset;	/* of start in the file */
	uint64_t device, inode;	/* device as makedev(); both 0 for memory of no file */
	bool executable;
	const char *path;	/* in the line; "" when there is none */
};

/* @line is changed: the path is cut out of it. Returns 0, or -EINVAL when it is no such line. */
int proc_maps_parse(char *line, struct proc_map *ret);
/* The same cleaning for the path of a notice, in place: cuts " (deleted)" off. */
void proc_maps_clean_path(char *path);

/* A file that is read. */
struct proc_maps {
	FILE *file;
	char *line;
	size_t size;
};

#define PROC_MAPS_INIT { 0 }

/* @path: "/proc/PID/maps". Returns 0, -ESRCH when no such process is there, or a negative errno. */
int proc_maps_open(struct proc_maps *maps, const char *path);
/*
 * The next mapping; its path is good until the one after it. Returns 1, 0 after the last one, -ESRCH when the
 * process has died halfway, or a negative errno.
 */
int proc_maps_next(struct proc_maps *maps, struct proc_map *ret);
/* The next that is code of a file. */
int proc_maps_next_code(struct proc_maps *maps, struct proc_map *ret);
void proc_maps_close(struct proc_maps *maps);
#define _cleanup_proc_maps_ _cleanup_(proc_maps_close)

/* The link to the file that @pid has mapped from @start to @end, whatever its path leads to now. */
#define PROC_MAPS_LINK_BYTES 96
void proc_maps_link(uint32_t pid, uint64_t start, uint64_t end, char ret[PROC_MAPS_LINK_BYTES]);

#endif
