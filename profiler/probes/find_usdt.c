/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find_usdt.c - usdt: the probes that programs and libraries declare themselves (<sys/sdt.h>).
 *
 * A probe may be in several places of the code, each with its arguments elsewhere: each is a place.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "profiler/probes/probe_finding.h"
#include "symbolizer/code/usdt_notes.h"

struct fields {
	struct probe_field list[USDT_ARGUMENTS_MAX];
	char names[USDT_ARGUMENTS_MAX][8];
	size_t count;
};

/* Where argument @a of @probe lies. Returns false when that cannot be read. */
static bool fill_fetch(const struct usdt_argument *a, struct probe_fetch *ret)
{
	uint8_t sign = a->is_signed ? PROBE_FETCH_SIGNED : 0;

	switch (a->kind) {
	case USDT_CONSTANT:
		*ret = (struct probe_fetch){ .base = PROBE_BASE_CONSTANT, .offset = a->value,
					     .bytes = a->bytes, .flags = sign };
		return true;
	case USDT_REGISTER:
		*ret = (struct probe_fetch){ .base = PROBE_BASE_REGISTER, .index = a->reg,
					     .bytes = a->bytes, .flags = sign,
					     .bit_shift = a->reg_shift,
					     .bit_count = a->reg_shift ? 8 : 0 };
		return true;
	case USDT_MEMORY:
		*ret = (struct probe_fetch){ .base = PROBE_BASE_REGISTER,
					     .index = a->reg == USDT_NO_REGISTER ?
							      PROBE_NO_REGISTER :
							      a->reg,
					     .scaled = a->index_scale ? a->index_reg + 1 : 0,
					     .scale_shift = a->index_scale ?
								    ffs(a->index_scale) - 1 :
								    0,
					     .bytes = a->bytes, .offset = a->value,
					     .flags = sign | PROBE_FETCH_MEMORY |
						      PROBE_FETCH_USER };
		return true;
	default:
		return false;
	}
}

static void fill_fields(const struct usdt_probe *probe, struct fields *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < probe->argument_count; i++) {
		const struct usdt_argument *argument = &probe->arguments[i];
		struct probe_field *field = &ret->list[ret->count];

		*field = (struct probe_field){ .name = ret->names[i],
					       .type = { .kind = TYPE_OTHER },
					       .show = argument->is_signed ? PROBE_SHOW_SIGNED :
									     PROBE_SHOW_UNSIGNED };
		snprintf(ret->names[i], sizeof(ret->names[i]), "arg%zu", i + 1);
		if (fill_fetch(argument, &field->fetch))
			ret->count++;
	}
}

static int add_probe(struct probe_finding *f, struct module *module,
		     const struct usdt_probe *probe, struct error *err)
{
	struct fields fields;
	struct probe_scope scope = { .fields = fields.list, .arguments = SCOPE_REGISTERS,
				     .is_user = true, .what = probe->name };
	struct probe_point point = { .role = PROBE_ROLE_HIT, .offset = probe->offset,
				     .semaphore_offset = probe->semaphore_offset };
	char name[256];
	int r;

	fill_fields(probe, &fields);
	scope.field_count = fields.count;
	snprintf(name, sizeof(name), "%s:%s", probe->provider, probe->name);
	point.path = probe_module_path(f, module);
	if (!point.path)
		return -ENOMEM;
	r = probe_add_place(f, name, &scope, &point.site, err);
	return r ?: probe_add_point(f, &point);
}

static int search_module(struct probe_finding *f, struct module *module, struct error *err)
{
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;
	int r = usdt_notes_read(module, f->words.category, f->words.name, &notes);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < usdt_notes_count(notes) && !r; i++)
		r = add_probe(f, module, usdt_notes_at(notes, i), err);
	return r;
}

static int find_usdt(struct probe_finding *f, struct error *err)
{
	int r = probe_files_find(f->words.file, f->targets, &f->files, err);

	for (size_t i = 0; i < f->files.count && !r; i++)
		r = search_module(f, f->files.modules[i], err);
	if (r < 0 || f->set.count)
		return r;
	return error_set(err, ERROR_FAILED, -ENOENT,
			 "no such USDT probe: %s: %s:%s; see: wick list "
			 "'usdt:%s:*'",
			 *f->words.file ? f->words.file : "the target", f->words.category,
			 f->words.name, f->words.file);
}

const struct probe_kind probe_usdt = { .grammar = PROBE_GRAMMAR_USDT, .find = find_usdt };
