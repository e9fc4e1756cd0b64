/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/sorted.h"

#include <assert.h>
#include <string.h>

static uint64_t key_of(const char *element, size_t offset, size_t key_bytes)
{
	uint32_t small;
	uint64_t large;

	if (key_bytes == sizeof(small)) {
		memcpy(&small, element + offset, sizeof(small));
		return small;
	}
	memcpy(&large, element + offset, sizeof(large));
	return large;
}

size_t sorted_count_(const void *array, size_t count, size_t size, size_t offset,
		     size_t key_bytes, uint64_t value)
{
	size_t low = 0, high = count, middle;

	assert(key_bytes == sizeof(uint32_t) || key_bytes == sizeof(uint64_t));
	while (low < high) {
		middle = low + (high - low) / 2;
		if (key_of((const char *)array + middle * size, offset, key_bytes) <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
