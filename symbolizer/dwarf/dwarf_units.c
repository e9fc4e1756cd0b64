/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/dwarf/dwarf_units.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "profiler/base/alloc.h"
#include "profiler/base/sorted.h"

/* Empty ones among them. */
#define RANGES_READ_MAX ((size_t)8 << 20)

static int dwarf_units_add_ranges(struct dwarf_units *units, struct dwarf_unit *unit)
{
	uint32_t number = (uint32_t)(unit - units->units);
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;
	int r;

	/* All units may name one long list: how much is read of them together is limited. */
	while (units->ranges_read++ < RANGES_READ_MAX &&
	       (offset = dwarf_ranges(&unit->die, offset, &base, &start, &end)) > 0) {
		/* What the linker dropped is left at address 0. */
		if (!start)
			continue;
		r = range_index_add(&units->ranges, start, end, number);
		if (r < 0)
			return r;
	}
	/* A unit with damaged ranges is only not found. */
	return 0;
}

static int dwarf_units_add(struct dwarf_units *units, const Dwarf_Die *die)
{
	struct dwarf_unit *unit;
	int r;

	r = alloc_grow(&units->units, &units->capacity, units->count + 1);
	if (r < 0)
		return r;
	unit = &units->units[units->count++];
	*unit = (struct dwarf_unit){ .die = *die };
	/* The DIE follows the header, whose size depends on the version. */
	unit->offset = dwarf_dieoffset(&unit->die) - dwarf_cuoffset(&unit->die);
	return dwarf_units_add_ranges(units, unit);
}

int dwarf_units_read(Dwarf *dwarf, struct dwarf_units *ret)
{
	Dwarf_CU *cu = NULL;
	uint8_t type;
	Dwarf_Die die;
	size_t i;
	int r;

	/* Without asking for the split unit, which libdw would open by any path the file names. */
	while ((r = dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL)) == 0) {
		/* A skeleton has lines, though its functions are in a .dwo file. */
		if (type != DW_UT_compile && type != DW_UT_partial && type != DW_UT_skeleton)
			continue;
		r = dwarf_units_add(ret, &die);
		if (r < 0)
			return r;
	}
	/* After damage in the middle, what was read before it is still good. */
	if (!ret->count)
		return r < 0 ? -EBADMSG : -ENOENT;
	for (i = 0; i < ret->count; i++)
		ret->units[i].end = i + 1 < ret->count ? ret->units[i + 1].offset : UINT64_MAX;
	range_index_build(&ret->ranges);
	return 0;
}

static void insert_unit(struct dwarf_unit **units, size_t count, struct dwarf_unit *unit)
{
	size_t i;

	for (i = count; i && units[i - 1] > unit; i--)
		units[i] = units[i - 1];
	units[i] = unit;
}

size_t dwarf_units_find(const struct dwarf_units *units, uint64_t address,
			struct dwarf_unit **ret, size_t max)
{
	uint32_t position = RANGE_NONE;
	const struct range *range;
	size_t count = 0;

	while (count < max && (range = range_index_next(&units->ranges, address, &position)))
		insert_unit(ret, count++, &units->units[range->value]);
	return count;
}

struct dwarf_unit *dwarf_units_at(const struct dwarf_units *units, uint64_t offset)
{
	size_t count = sorted_count(units->units, units->count, offset, offset);
	struct dwarf_unit *unit;

	if (!count)
		return NULL;
	unit = &units->units[count - 1];
	return offset < unit->end ? unit : NULL;
}

size_t dwarf_units_bytes(const struct dwarf_units *units)
{
	return units->capacity * sizeof(*units->units) +
	       units->ranges.capacity * sizeof(*units->ranges.ranges);
}

void dwarf_units_done(struct dwarf_units *units)
{
	free(units->units);
	range_index_done(&units->ranges);
	*units = (struct dwarf_units){ 0 };
}
