/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_maps.h - one line of /proc/PID/maps.
 *
 * Pure. Paths come as the kernel writes them, without " (deleted)" at the end and
 * with its "\012" turned back into a newline.
 */
#ifndef WICK_PROC_MAPS_H
#define WICK_PROC_MAPS_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
