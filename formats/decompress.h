/* SPDX-License-Identifier: BSD-2-Clause */
/* decompress.h - gzip or zstd bytes, from anyone, into memory. */
#ifndef WICK_DECOMPRESS_H
#define WICK_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it begins as a gzip or zstd file does. */
bool decompress_detect(const void *bytes, size_t size);
/*
 * All members or frames of it, one after the other; the memory is the caller's
 * to free(). Returns 0, -EBADMSG when it is neither, damaged or truncated, -EFBIG
 * when it becomes more than @limit bytes, or -ENOMEM.
 */
int decompress(const void *bytes, size_t size, size_t limit, uint8_t **ret, size_t *ret_size);

#endif
