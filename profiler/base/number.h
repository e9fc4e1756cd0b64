/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * number.h - the one way to turn text into numbers.
 *
 * Each takes the whole text: trailing characters, signs where none belong,
 * and overflow are -EINVAL or -ERANGE, and @ret is untouched.
 */
#ifndef WICK_NUMBER_H
#define WICK_NUMBER_H

#include <stdint.h>

/* Decimal, or hexadecimal after 0x; at most @max. */
int number_parse_u64(const char *text, uint64_t max, uint64_t *ret);
/* "10", "0.5", "500ms", "2m", "1h", "20us", "7ns"; a bare number is seconds. */
int number_parse_duration_ns(const char *text, uint64_t *ret);
/* "64M", "1G", "4096", "16K", also with a trailing B or iB; powers of 1024. */
int number_parse_size_bytes(const char *text, uint64_t *ret);

#endif
