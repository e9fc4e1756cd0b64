/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sorted.h - looking up in sorted arrays.
 *
 * bsearch() finds an element or nothing; what is asked here is nearly always
 * the last one that starts at or before an address.
 */
#ifndef WICK_SORTED_H
#define WICK_SORTED_H

#include <stddef.h>
#include <stdint.h>

/*
 * How many of the @count elements of @array, which is sorted by @member, have
 * one of at most @value: the last of them is at that index - 1. @member is an
 * unsigned number of 4 or 8 bytes.
 */
#define sorted_count(array, count, member, value) \
	sorted_count_((array), (count), sizeof(*(array)), offsetof(typeof(*(array)), member), \
		      sizeof((array)->member), (value))
size_t sorted_count_(const void *array, size_t count, size_t size, size_t offset,
		     size_t key_bytes, uint64_t value);

#endif
