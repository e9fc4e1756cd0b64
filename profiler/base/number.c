/* SPDX-License-Identifier: BSD-2-Clause */
/* Not strtoull(): it skips blanks, takes signs and octal, and depends on the locale. */
#include "profiler/base/number.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "profiler/base/cleanup.h"

struct number_unit {
	const char *name;
	uint64_t factor;
};

static const struct number_unit duration_units[] = {
	{ "", 1000000000 },
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60ULL * 1000000000 },
	{ "h", 3600ULL * 1000000000 },
};

static const struct number_unit size_units[] = {
	{ "", 1 },
	{ "K", 1ULL << 10 },
	{ "M", 1ULL << 20 },
	{ "G", 1ULL << 30 },
	{ "T", 1ULL << 40 },
};

static int digit_value(char c, unsigned int base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

/* Digits from *@text on, at least one; *@text is moved behind them. */
static int parse_digits(const char **text, unsigned int base, uint64_t *ret)
{
	const char *p = *text;
	uint64_t number = 0;
	int digit;

	if (digit_value(*p, base) < 0)
		return -EINVAL;
	for (; (digit = digit_value(*p, base)) >= 0; p++) {
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, (unsigned int)digit, &number))
			return -ERANGE;
	}
	*text = p;
	*ret = number;
	return 0;
}

static const struct number_unit *unit_find(const struct number_unit *units, size_t count,
					   const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strlen(units[i].name) == size && !memcmp(units[i].name, name, size))
			return &units[i];
	return NULL;
}

int number_parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned int base = 10;
	uint64_t number;
	int r;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	r = parse_digits(&text, base, &number);
	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	if (number > max)
		return -ERANGE;
	*ret = number;
	return 0;
}

/*
 * The digits after a point, as billionths; *@text is moved behind them. More
 * than nine digits are finer than anything we count and are dropped.
 */
static int parse_fraction(const char **text, uint64_t *ret)
{
	uint64_t scale = 100000000;
	uint64_t billionths = 0;
	const char *p = *text;
	int digit;

	if (digit_value(*p, 10) < 0)
		return -EINVAL;
	for (; (digit = digit_value(*p, 10)) >= 0; p++, scale /= 10)
		billionths += (unsigned int)digit * scale;
	*text = p;
	*ret = billionths;
	return 0;
}

int number_parse_duration_ns(const char *text, uint64_t *ret)
{
	const struct number_unit *unit;
	uint64_t whole, billionths = 0;
	unsigned __int128 ns;
	int r;

	r = parse_digits(&text, 10, &whole);
	if (r < 0)
		return r;
	if (*text == '.') {
		text++;
		r = parse_fraction(&text, &billionths);
		if (r < 0)
			return r;
	}
	unit = unit_find(duration_units, ARRAY_SIZE(duration_units), text, strlen(text));
	if (!unit)
		return -EINVAL;
	ns = (unsigned __int128)whole * unit->factor;
	ns += (unsigned __int128)billionths * unit->factor / 1000000000;
	if (ns > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)ns;
	return 0;
}

int number_parse_size_bytes(const char *text, uint64_t *ret)
{
	const struct number_unit *unit;
	uint64_t whole, bytes;
	size_t size;
	int r;

	r = parse_digits(&text, 10, &whole);
	if (r < 0)
		return r;
	size = strlen(text);
	if (size >= 3 && !strcmp(text + size - 2, "iB"))
		size -= 2;
	else if (size >= 1 && text[size - 1] == 'B')
		size -= 1;
	unit = unit_find(size_units, ARRAY_SIZE(size_units), text, size);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit->factor, &bytes))
		return -ERANGE;
	*ret = bytes;
	return 0;
}
