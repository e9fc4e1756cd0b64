/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf.c - functions, inlined calls, files and lines by DWARF.
 *
 * An address finds its unit in an index over all units; the unit's functions
 * and lines are read whole, once, and let go when others need the room. So it
 * is fast when addresses come in order.
 */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "symbolizer/dwarf/dwarf_private.h"
#include "symbolizer/names.h"
#include "symbolizer/providers/provider.h"

/* Of what is read of units. LLVM's largest takes 20 MiB, most less than 100 KiB. */
#define LOADED_BYTES_MAX ((size_t)16 << 20)
/* Of a function that so many units have, one of the first few is the one that was kept. */
#define CLAIMS_MAX 16

static size_t unit_bytes(const struct dwarf_unit *unit)
{
	return (unit->functions ? dwarf_functions_bytes(unit->functions) : 0) +
	       (unit->lines ? dwarf_lines_bytes(unit->lines) : 0);
}

static void unit_unload(struct dwarf *dwarf, struct dwarf_unit *unit)
{
	dwarf->loaded_bytes -= unit_bytes(unit);
	unit->functions = dwarf_functions_free(unit->functions);
	unit->lines = dwarf_lines_free(unit->lines);
}

static void dwarf_free(void *state)
{
	struct dwarf *dwarf = state;
	size_t i;

	for (i = 0; i < dwarf->units.count; i++)
		unit_unload(dwarf, &dwarf->units.units[i]);
	for (i = 0; i < dwarf->alternate_units.count; i++)
		unit_unload(dwarf, &dwarf->alternate_units.units[i]);
	dwarf_units_done(&dwarf->units);
	dwarf_units_done(&dwarf->alternate_units);
	if (dwarf->symbols)
		elf_symtab_provider.free(dwarf->symbols);
	dwarf_file_close(dwarf->file);
	free(dwarf);
}
DEFINE_CLEANUP(struct dwarf *, dwarf_free)

static int dwarf_open(struct module *mod, void **ret)
{
	_cleanup_(dwarf_freep) struct dwarf *dwarf = calloc(1, sizeof(*dwarf));
	int r;

	if (!dwarf)
		return -ENOMEM;
	r = dwarf_file_open(mod, &dwarf->file);
	if (r < 0)
		return r;
	if (dwarf->file->dwarf) {
		r = dwarf_units_read(dwarf->file->dwarf, &dwarf->units);
		if (r == -ENOMEM)
			return r;
	}
	/* The symbols of the module's own file are another provider's. */
	if (!dwarf->units.count && dwarf->file->mod == mod)
		return -ENOENT;
	*ret = take_ptr(dwarf);
	return 0;
}

/* The one of @units that was not used longest, or @other if that is older. */
static struct dwarf_unit *oldest_of(const struct dwarf_units *units, struct dwarf_unit *other)
{
	struct dwarf_unit *oldest = other, *unit;
	size_t i;

	for (i = 0; i < units->count; i++) {
		unit = &units->units[i];
		if (!unit->functions && !unit->lines)
			continue;
		if (!oldest || unit->used < oldest->used)
			oldest = unit;
	}
	return oldest;
}

void dwarf_make_room(struct dwarf *dwarf)
{
	struct dwarf_unit *oldest;

	while (dwarf->loaded_bytes > LOADED_BYTES_MAX) {
		oldest = oldest_of(&dwarf->alternate_units, oldest_of(&dwarf->units, NULL));
		/* A unit larger than the limit stays while it is the only one asked for. */
		if (!oldest || oldest->used == dwarf->clock)
			break;
		unit_unload(dwarf, oldest);
	}
	dwarf->clock++;
}

int dwarf_load_functions(struct dwarf *dwarf, struct dwarf_unit *unit)
{
	int r;

	unit->used = dwarf->clock;
	if (unit->functions)
		return 0;
	if (unit->functions_damaged)
		return -ENOENT;
	r = dwarf_functions_read(&unit->die, &unit->functions);
	if (r == -ENOMEM)
		return r;
	unit->functions_damaged = r < 0;
	if (r < 0)
		return -ENOENT;
	dwarf->loaded_bytes += dwarf_functions_bytes(unit->functions);
	return 0;
}

static int dwarf_load_lines(struct dwarf *dwarf, struct dwarf_unit *unit)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset;
	const char *folder;
	int r;

	unit->used = dwarf->clock;
	if (unit->lines)
		return 0;
	if (unit->lines_damaged || !dwarf->file->lines.lines.size)
		return -ENOENT;
	if (dwarf_formudata(dwarf_attr(&unit->die, DW_AT_stmt_list, &attribute), &offset))
		return -ENOENT;
	folder = dwarf_file_text(dwarf->file,
				 dwarf_attr(&unit->die, DW_AT_comp_dir, &attribute));
	r = dwarf_lines_read(&dwarf->file->lines, offset, folder, &unit->lines);
	if (r == -ENOMEM)
		return r;
	unit->lines_damaged = r < 0;
	if (r < 0)
		return -ENOENT;
	dwarf->loaded_bytes += dwarf_lines_bytes(unit->lines);
	return 0;
}

int dwarf_symbol(struct dwarf *dwarf, struct names *names, uint64_t address, struct frame *ret)
{
	int r;

	if (!dwarf->symbols_opened) {
		r = elf_symtab_provider.open(dwarf->file->mod, &dwarf->symbols);
		if (r == -ENOMEM)
			return r;
		dwarf->symbols_opened = true;
	}
	if (!dwarf->symbols)
		return -ENOENT;
	return elf_symtab_provider.lookup(dwarf->symbols, names, address, ret, 1);
}

static int frame_set_place(struct dwarf_unit *unit, struct names *names, uint32_t file,
			   uint32_t line, struct frame *frame)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	int r;

	r = dwarf_lines_path(unit->lines, file, &buf);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	frame->file = names_text(names, buf.data);
	if (!frame->file)
		return -ENOMEM;
	frame->line = line;
	return 0;
}

/* The place of the innermost frame is in the line table, of the others where they call. */
static int frames_set_places(struct dwarf *dwarf, struct names *names, struct dwarf_unit *unit,
			     uint64_t address, const struct dwarf_scope *scopes,
			     struct frame *frames, size_t count)
{
	uint32_t file, line;
	size_t i;
	int r;

	r = dwarf_load_lines(dwarf, unit);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (dwarf_lines_find(unit->lines, address, &file, &line) == 0) {
		r = frame_set_place(unit, names, file, line, &frames[0]);
		if (r < 0)
			return r;
	}
	for (i = 1; i < count; i++) {
		r = frame_set_place(unit, names, scopes[i - 1].call_file, scopes[i - 1].call_line,
				    &frames[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int frames_fill(struct dwarf *dwarf, struct names *names, struct dwarf_unit *unit,
		       uint64_t address, const struct dwarf_scope *scopes, size_t count,
		       struct frame *ret)
{
	size_t i;
	int r;

	for (i = 0; i < count; i++) {
		r = dwarf_name(dwarf, names, &scopes[i], &ret[i]);
		if (r < 0)
			return r;
		ret[i].origin = FRAME_DWARF;
		ret[i].inlined = scopes[i].inlined && i + 1 < count;
		ret[i].start = scopes[i].inlined ? 0 : scopes[i].start;
	}
	r = frames_set_places(dwarf, names, unit, address, scopes, ret, count);
	return r < 0 ? r : (int)count;
}

/* Assembly has lines but no functions, and a separate file has the symbols that were stripped. */
static int lookup_symbol(struct dwarf *dwarf, struct names *names, uint64_t address,
			 struct dwarf_unit *unit, struct frame *ret)
{
	int r;

	r = dwarf_symbol(dwarf, names, address, ret);
	if (r < 0 || !unit)
		return r;
	return frames_set_places(dwarf, names, unit, address, NULL, ret, 1) ?: r;
}

static int lookup_units(struct dwarf *dwarf, struct names *names, uint64_t address,
			struct frame *ret, size_t max)
{
	struct dwarf_scope scopes[PROVIDER_FRAMES_MAX];
	struct dwarf_unit *claims[CLAIMS_MAX];
	size_t count, i, depth;
	int r;

	if (max > PROVIDER_FRAMES_MAX)
		max = PROVIDER_FRAMES_MAX;
	count = dwarf_units_find(&dwarf->units, address, claims, CLAIMS_MAX);
	for (i = 0; i < count; i++) {
		r = dwarf_load_functions(dwarf, claims[i]);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		depth = dwarf_functions_find(claims[i]->functions, address, scopes, max);
		if (depth)
			return frames_fill(dwarf, names, claims[i], address, scopes, depth, ret);
	}
	return lookup_symbol(dwarf, names, address, count ? claims[0] : NULL, ret);
}

static int dwarf_lookup(void *state, struct names *names, uint64_t address, struct frame *ret,
			size_t max)
{
	struct dwarf *dwarf = state;
	int r;

	dwarf_make_room(dwarf);
	r = lookup_units(dwarf, names, address, ret, max);
	/* Half an answer must not show through that of the next provider. */
	if (r < 0)
		memset(ret, 0, max * sizeof(*ret));
	return r;
}

static size_t dwarf_bytes(const void *state)
{
	const struct dwarf *dwarf = state;

	return sizeof(*dwarf) + dwarf->file->bytes + dwarf_units_bytes(&dwarf->units) +
	       dwarf_units_bytes(&dwarf->alternate_units) + dwarf->loaded_bytes +
	       (dwarf->symbols ? elf_symtab_provider.bytes(dwarf->symbols) : 0);
}

const struct provider dwarf_provider = {
	.name = "DWARF",
	.in_debug_files = true,
	.by_libdw = true,
	.open = dwarf_open,
	.lookup = dwarf_lookup,
	.bytes = dwarf_bytes,
	.free = dwarf_free,
};
