/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/quantity.h"

#include <inttypes.h>
#include <string.h>

struct quantity_step {
	double size;
	const char *name;
};

/* Largest first; the last is the unit itself. */
static const struct quantity_step time_steps[] = {
	{ 1e9, "s" },
	{ 1e6, "ms" },
	{ 1e3, "\u00b5s" },
	{ 1, "ns" },
};

static const struct quantity_step byte_steps[] = {
	{ 0x1p40, "TiB" }, { 0x1p30, "GiB" }, { 0x1p20, "MiB" }, { 0x1p10, "KiB" }, { 1, "B" },
};

static const struct quantity_scale {
	const char *unit;
	const struct quantity_step *steps;
} quantity_scales[] = {
	{ "nanoseconds", time_steps },
	{ "bytes", byte_steps },
};

static void quantity_print_scaled(struct strbuf *buf, int64_t value,
				  const struct quantity_step *step)
{
	const double size = value < 0 ? -(double)value : (double)value;
	double scaled;

	while (step->size > 1 && size < step->size)
		step++;
	scaled = size / step->size;
	strbuf_printf(buf, "%s%.*f %s", value < 0 ? "-" : "",
		      step->size == 1 || scaled >= 99.95 ? 0 :
		      scaled >= 9.995			 ? 1 :
							   2,
		      scaled, step->name);
}

void quantity_print_count(struct strbuf *buf, int64_t value)
{
	char digits[24];
	int size, i;

	size = snprintf(digits, sizeof(digits), "%" PRId64, value);
	for (i = 0; i < size; i++) {
		if (i && digits[i - 1] != '-' && (size - i) % 3 == 0)
			strbuf_add_char(buf, ',');
		strbuf_add_char(buf, digits[i]);
	}
}

void quantity_print(struct strbuf *buf, int64_t value, const char *type, const char *unit)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quantity_scales); i++) {
		if (!strcmp(quantity_scales[i].unit, unit)) {
			quantity_print_scaled(buf, value, quantity_scales[i].steps);
			return;
		}
	}
	quantity_print_count(buf, value);
	if (*type)
		strbuf_printf(buf, " %s", type);
}
