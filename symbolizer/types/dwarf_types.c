/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/types/dwarf_types.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>

#include "symbolizer/providers/provider.h"
#include "symbolizer/types/dwarf_types_private.h"

/* Of a function that several units have, one of the first few is the one that was kept. */
#define CLAIMS_MAX 16
/* What all look-ups by name may cost together: some seconds. Most find theirs in the first unit. */
#define VISITS_MAX 50000000

int dwarf_types_open(struct module *mod, struct dwarf_types **ret)
{
	_cleanup_(dwarf_types_closep) struct dwarf_types *types = calloc(1, sizeof(*types));
	void *dwarf;
	int r;

	if (!types)
		return -ENOMEM;
	types->text = (struct type_text)TYPE_TEXT_INIT;
	types->provider = dwarf_type_provider;
	types->provider.context = types;
	types->visits_left = VISITS_MAX;
	types->names = intern_new();
	types->definitions = hashmap_new(sizeof(uint64_t), sizeof(Dwarf_Die));
	if (!types->names || !types->definitions)
		return -ENOMEM;
	r = dwarf_provider.open(mod, &dwarf);
	if (r < 0)
		return r;
	types->dwarf = dwarf;
	if (!types->dwarf->units.count)
		return -ENOENT;
	*ret = take_ptr(types);
	return 0;
}

struct dwarf_types *dwarf_types_close(struct dwarf_types *types)
{
	if (!types)
		return NULL;
	if (types->dwarf)
		dwarf_provider.free(types->dwarf);
	type_text_done(&types->text);
	hashmap_free(types->definitions);
	intern_free(types->names);
	free(types);
	return NULL;
}

const struct type_provider *dwarf_types_provider(const struct dwarf_types *types)
{
	return &types->provider;
}

/* ---- attributes ---- */

const char *dwarf_types_text(const struct dwarf_types *types, Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	return dwarf_file_text(types->dwarf->file, dwarf_attr_integrate(die, name, &attribute));
}

int dwarf_types_refer(Dwarf_Die *die, unsigned int name, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;

	if (!dwarf_attr(die, name, &attribute) || !dwarf_formref_die(&attribute, ret))
		return -ENOENT;
	return 0;
}

int dwarf_types_number(Dwarf_Die *die, unsigned int name, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value))
		return -ENOENT;
	*ret = value;
	return 0;
}

bool dwarf_types_flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	bool flag = false;

	/* What was declared before is no declaration itself. */
	if (name == DW_AT_declaration ? !dwarf_attr(die, name, &attribute) :
					!dwarf_attr_integrate(die, name, &attribute))
		return false;
	return !dwarf_formflag(&attribute, &flag) && flag;
}

/* ---- functions ---- */

/* Whether the function at @die is entered at @address; its first range is not always where. */
static bool is_entry(Dwarf_Die *die, const struct dwarf_scope *scope, uint64_t address)
{
	Dwarf_Addr entry;

	if (scope->start == address)
		return true;
	return dwarf_entrypc(die, &entry) == 0 && entry == address;
}

/* In @unit: 0, -ENOENT, or an error. */
static int find_function(struct dwarf_types *types, struct dwarf_unit *unit, uint64_t address,
			 Dwarf_Die *ret)
{
	struct dwarf_scope scopes[PROVIDER_FRAMES_MAX];
	size_t count;
	int r;

	r = dwarf_load_functions(types->dwarf, unit);
	if (r < 0)
		return r;
	count = dwarf_functions_find(unit->functions, address, scopes, PROVIDER_FRAMES_MAX);
	if (!count || scopes[count - 1].inlined)
		return -ENOENT;
	if (!dwarf_offdie(types->dwarf->file->dwarf, scopes[count - 1].die, ret))
		return -EBADMSG;
	return is_entry(ret, &scopes[count - 1], address) ? 0 : -ENOENT;
}

int dwarf_types_function(struct dwarf_types *types, uint64_t address, struct type_function *ret)
{
	struct dwarf_unit *claims[CLAIMS_MAX];
	struct type_function function = { 0 };
	size_t count, i;
	Dwarf_Die die;
	int r = -ENOENT;

	dwarf_make_room(types->dwarf);
	count = dwarf_units_find(&types->dwarf->units, address, claims, CLAIMS_MAX);
	for (i = 0; i < count && r == -ENOENT; i++) {
		r = find_function(types, claims[i], address, &die);
		if (r == 0)
			types->unit = claims[i];
	}
	if (r < 0)
		return r;
	/* An assembler knows where a function is, and neither its arguments nor what it returns. */
	if (dwarf_language(&die) == DW_LANG_Mips_Assembler)
		return -ENOENT;
	r = dwarf_arguments_read(types, &die, address, &function);
	if (r < 0)
		return r;
	*ret = function;
	return 0;
}
