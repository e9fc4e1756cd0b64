/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find_kernel.c - kprobe:, kretprobe: functions of the kernel, and rawtp: its tracepoints with their
 * own arguments. By BTF, which says what the arguments are; a function without is found in
 * /proc/kallsyms and has numbers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/expressions/expression_place.h"
#include "profiler/kernel_types/btf_types.h"
#include "profiler/probes/kernel_trampoline.h"
#include "profiler/probes/probe_finding.h"

static int open_types(struct probe_finding *f, struct error *err)
{
	int r = btf_types_open(&f->kernel_types);

	if (r < 0 && r != -ENOMEM)
		return error_set(err, ERROR_NOT_SUPPORTED, r,
				 "cannot read the kernel's types: %s", strerror(-r));
	return r;
}

/* ---- functions ---- */

/* From entry to return where calls are measured, else at the entry. */
static int add_points(struct probe_finding *f, const struct probe_point *entry)
{
	bool is_measured = probe_kind_is_measured(f->kind);
	struct probe_point point = *entry;
	int r;

	point.role = is_measured ? PROBE_ROLE_ENTER : PROBE_ROLE_HIT;
	r = probe_add_point(f, &point);
	point.role = PROBE_ROLE_LEAVE;
	point.by_return_address = !f->has_trampoline;
	return r < 0 || !is_measured ? r : probe_add_point(f, &point);
}

static int add_function(struct probe_finding *f, const char *name, struct error *err)
{
	struct type_function type;
	struct probe_scope scope = {
		.types = btf_types_provider(f->kernel_types),
		.arguments = f->has_trampoline ? SCOPE_WORDS : SCOPE_REGISTERS,
		.has_return = f->kind->at_return,
		.has_entry = f->kind->at_return,
		.what = name,
	};
	struct probe_point point = { .offset = f->words.offset };
	int r;

	if (!f->words.offset && !btf_types_function(f->kernel_types, name, &type))
		scope.function = &type;
	/* Arguments, and what is returned. */
	if (scope.function && f->has_trampoline)
		point.words =
			expression_word_index(&type, type.argument_count) + f->kind->at_return;
	r = probe_add_place(f, name, &scope, &point.site, err);
	point.name = r < 0 ? NULL : f->set.places[point.site].name;
	return r ?: add_points(f, &point);
}

/* By a trampoline or by a kprobe, which is said: they differ in what they cost. */
static void choose_way(struct probe_finding *f)
{
	const char *lack = kernel_trampoline_lack(f->kernel_types, f->kind, &f->words);

	f->has_trampoline = !lack;
	probe_add_note(f, lack, "%s:%.100s: by %s%s", f->request->source->name,
		       f->request->argument, lack ? "a kprobe: " : "fentry", lack ?: "");
}

/* ---- where they are ---- */

#define SYMBOL_BYTES 512

/* The next function of the kernel. Returns false at the end. */
static bool next_symbol(FILE *f, char name[SYMBOL_BYTES], uint64_t *ret_address)
{
	char line[1024], type;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64 " %c %511s", ret_address, &type, name) == 3 &&
		    (type == 't' || type == 'T'))
			return true;
	return false;
}

/* Whether the kernel has a function of that name, with types or not. */
static bool in_kallsyms(const char *name)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	char symbol[SYMBOL_BYTES];
	uint64_t address;

	while (next_symbol(f, symbol, &address))
		if (!strcmp(symbol, name))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct probe_place *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Of one name the first is probed. Addresses are 0 for who may not see them. */
static void set_addresses(struct probe_place **places, size_t count)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	char symbol[SYMBOL_BYTES];
	struct probe_place wanted = { .name = symbol }, *key = &wanted, **found;
	uint64_t address;

	while (next_symbol(f, symbol, &address)) {
		found = bsearch(&key, places, count, sizeof(*places), by_name);
		if (found && !(*found)->address)
			(*found)->address = address;
	}
}

/* Where they are. A kretprobe has them return to code of its own; a trampoline has them on the stack. */
static int note_places(struct probe_finding *f)
{
	_cleanup_free_ struct probe_place **places = calloc(f->set.count + 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < f->set.count; i++) {
		places[i] = &f->set.places[i];
		places[i]->is_left = f->kind->at_return && !f->has_trampoline;
	}
	qsort(places, f->set.count, sizeof(*places), by_name);
	set_addresses(places, f->set.count);
	return 0;
}

static int find_functions(struct probe_finding *f, struct error *err)
{
	bool is_glob = probe_name_is_glob(f->words.name);
	const char *name;
	size_t position = 0;
	int r = open_types(f, err);

	if (!r && f->kind->at_return && f->words.has_offset)
		r = error_set(err, ERROR_USAGE, -EINVAL, "bad event: %s+%llu: a return has no "
			      "offset", f->words.name, (unsigned long long)f->words.offset);
	if (!r)
		choose_way(f);
	while (!r && is_glob &&
	       (name = btf_types_next(f->kernel_types, f->words.name, false, &position, NULL)))
		r = add_function(f, name, err);
	if (!r && !is_glob && in_kallsyms(f->words.name))
		r = add_function(f, f->words.name, err);
	if (!r && (f->kind->at_return || f->has_trampoline))
		r = note_places(f);
	if (r < 0 || f->set.count)
		return r;
	return error_set(err, ERROR_FAILED, -ENOENT,
			 "no such function of the kernel: %s; see: wick "
			 "list 'kprobe:*'",
			 f->words.name);
}

/* ---- raw tracepoints ---- */

static int find_raw(struct probe_finding *f, struct error *err)
{
	struct type_function type;
	struct probe_scope scope = { .function = &type, .arguments = SCOPE_WORDS,
				     .what = f->words.name };
	struct probe_point point = { .role = PROBE_ROLE_HIT };
	int r = open_types(f, err);

	r = r ?: btf_types_raw_tracepoint(f->kernel_types, f->words.name, &type);
	if (r == -ENOENT)
		return error_set(err, ERROR_FAILED, r, "no such tracepoint: %s; see: wick list "
				 "'rawtp:*'", f->words.name);
	if (r < 0)
		return r;
	scope.types = btf_types_provider(f->kernel_types);
	point.words = type.argument_count;
	r = probe_add_place(f, f->words.name, &scope, &point.site, err);
	point.name = r < 0 ? NULL : f->set.places[point.site].name;
	return r ?: probe_add_point(f, &point);
}

const struct probe_kind probe_kprobe = { .grammar = PROBE_GRAMMAR_KERNEL, .at_entry = true,
					 .find = find_functions };
const struct probe_kind probe_kretprobe = { .grammar = PROBE_GRAMMAR_KERNEL, .at_entry = true,
					    .at_return = true, .find = find_functions };
const struct probe_kind probe_rawtp = { .grammar = PROBE_GRAMMAR_NAME, .find = find_raw };
