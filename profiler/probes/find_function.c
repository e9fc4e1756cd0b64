/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find_function.c - uprobe:, uretprobe:, fn: the functions of programs and libraries.
 *
 * The kernel's own probe on a return (uretprobe) changes the return address on the stack. Go moves and
 * checks its stacks, and an exception that is thrown through the frame finds no caller there: in such
 * code probes sit on the RET instructions instead, and where a function is left by other ways, too, it
 * is refused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/probes/ifunc_choice.h"
#include "profiler/probes/probe_finding.h"
#include "profiler/probes/probe_opcodes.h"
#include "symbolizer/code/function_list.h"
#include "symbolizer/code/go_prologue.h"
#include "symbolizer/code/instructions.h"
#include "symbolizer/worker/type_worker.h"

/* One file of those that are searched. */
struct search {
	struct probe_finding *finding;
	struct module *module;
	const char *path;		/* for points */
	struct typed_file *types;	/* NULL: none, or not needed */
	enum return_danger danger;
	struct instructions *code;	/* NULL: not needed yet */
};

static int open_code(struct search *s)
{
	return s->code ? 0 : instructions_open(s->module, &s->code);
}

static int refuse(const struct search *s, const struct function_entry *function,
		  const char *reason, struct error *err)
{
	return error_set(err, ERROR_NOT_SUPPORTED, -EOPNOTSUPP,
			 "cannot probe %s of %s: %s", function->name, module_basename(s->module),
			 reason);
}

/* ---- returns ---- */

static const char *danger_text(enum return_danger danger)
{
	return danger == RETURN_GO ?
		       "it is Go, whose stacks must not be changed, and some of its returns cannot "
		       "be told; force=1 probes it all the same, and may end the program" :
		       "exceptions may cross it, which a changed return address stops, and some of its "
		       "returns cannot be told; force=1 probes it all the same, and may end the "
		       "program";
}

static int add_return_instructions(struct search *s, uint32_t site,
				   const struct function_returns *returns)
{
	int r = 0;

	for (size_t i = 0; i < returns->count && !r; i++) {
		const struct probe_point point = {
			.site = site,
			.role = s->finding->kind->at_entry ? PROBE_ROLE_LEAVE_AT_RET :
							     PROBE_ROLE_HIT,
			.path = s->path,
			.offset = returns->offsets[i],
		};

		r = probe_add_point(s->finding, &point);
	}
	return r;
}

/* The kernel has the function return to code of its own: what samples see is where it was called. */
static int add_changed_return(struct search *s, const struct probe_point *point)
{
	s->finding->set.places[point->site].is_left = true;
	return probe_add_point(s->finding, point);
}

static int add_returns(struct search *s, const struct function_entry *function, uint32_t site,
		       struct error *err)
{
	const struct probe_point point = {
		.site = site,
		.role = s->finding->kind->at_entry ? PROBE_ROLE_LEAVE : PROBE_ROLE_HIT,
		.by_return_address = true,
		.path = s->path,
		.offset = function->offset,
	};
	struct function_returns returns = { 0 };
	int r;

	if (s->danger == RETURN_SAFE || s->finding->request->force)
		return add_changed_return(s, &point);
	r = open_code(s);
	r = r ?: instructions_returns(s->code, function->address, function->size, &returns);
	if (r == -ENOMEM)
		return r;
	if (!r && returns.is_leaf && s->danger == RETURN_EXCEPTIONS)
		r = add_changed_return(s, &point);
	else if (r < 0 || returns.leaves_by_jump)
		r = refuse(s, function, danger_text(s->danger), err);
	else
		r = add_return_instructions(s, site, &returns);
	free(returns.offsets);
	return r;
}

/* ---- one function ---- */

/* How far behind its first byte a function is entered once for each call. */
static uint64_t entry_bytes(struct search *s, const struct function_entry *function)
{
	uint8_t bytes[GO_PROLOGUE_BYTES];
	ssize_t size = module_read_some(s->module, function->offset, bytes, sizeof(bytes));

	return size > 0 ? go_prologue_bytes(bytes, (size_t)size) : 0;
}

static int check_instruction(struct search *s, const struct function_entry *function,
			     uint64_t offset, struct error *err)
{
	uint8_t bytes[INSTRUCTION_BYTES_MAX];
	ssize_t size = module_read_some(s->module, offset, bytes, sizeof(bytes));

	if (size > 0 && probe_is_possible_at(bytes, (size_t)size))
		return 0;
	return refuse(s, function, size > 0 ? "the kernel cannot probe an instruction like the one "
					      "there" :
					      "its instructions cannot be read", err);
}

static int check_offset(struct search *s, const struct function_entry *function,
			struct error *err)
{
	const struct probe_words *words = &s->finding->words;
	bool begins;
	int r;

	if (!words->has_offset || !words->offset)
		return 0;
	if (s->finding->kind->at_return)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad event: %s+%llu: a return has no "
				 "offset", function->name, (unsigned long long)words->offset);
	if (!function->size || words->offset >= function->size)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad event: %s+%llu: the function has "
				 "%llu bytes", function->name, (unsigned long long)words->offset,
				 (unsigned long long)function->size);
	r = open_code(s);
	r = r ?: instructions_begin_at(s->code, function->address, function->size, words->offset,
				       &begins);
	if (r < 0)
		return r == -ENOMEM ? r :
				      refuse(s, function, "its instructions cannot be read", err);
	return begins ? 0 :
			error_set(err, ERROR_USAGE, -EINVAL,
				  "bad event: %s+%llu: no instruction "
				  "begins there",
				  function->name, (unsigned long long)words->offset);
}

static int add_function(struct search *s, const struct function_entry *function,
			struct error *err)
{
	struct probe_finding *f = s->finding;
	struct type_function type;
	struct probe_scope scope = {
		.arguments = SCOPE_REGISTERS,
		.is_user = true,
		.has_return = f->kind->at_return,
		.has_entry = probe_kind_is_measured(f->kind),
		.what = function->name,
	};
	struct probe_point point = {
		.role = f->kind->at_return ? PROBE_ROLE_ENTER : PROBE_ROLE_HIT,
		.path = s->path,
		.offset = function->offset + (f->words.has_offset ? f->words.offset :
								    entry_bytes(s, function)),
	};
	struct probe_place *place;
	int r = check_offset(s, function, err);

	r = r ?: check_instruction(s, function, point.offset, err);
	if (r < 0)
		return r;
	/* Behind its first instructions arguments may lie elsewhere. */
	if (s->types && !f->words.offset) {
		r = typed_file_function(s->types, function->address, &type);
		if (r == -ENOMEM)
			return r;
		scope.function = r < 0 ? NULL : &type;
	}
	scope.types = s->types ? typed_file_provider(s->types) : NULL;
	r = probe_add_place(f, function->name, &scope, &point.site, err);
	if (!r) {
		place = &f->set.places[point.site];
		place->module = s->module;
		place->address = function->address;
		if (s->danger == RETURN_GO)
			place->layout.site.flags |= PROBE_SITE_GO;
	}
	if (!r && f->kind->at_entry)
		r = probe_add_point(f, &point);
	if (!r && f->kind->at_return)
		r = add_returns(s, function, point.site, err);
	return r;
}

/* ---- files ---- */

static int open_types(struct search *s)
{
	struct probe_finding *f = s->finding;
	int r;

	if (!probe_wants_values(f))
		return 0;
	f->types = f->types ?: type_worker_new(0);
	if (!f->types)
		return -ENOMEM;
	r = type_worker_open(f->types, s->module, &s->types);
	/* Without them arguments are numbers, and have none. */
	return r == -ENOMEM ? r : 0;
}

/* Where its debug information was too much for who reads it, that is said; @r: how the search ended. */
static int say_failure(const struct search *s, int r, struct error *err)
{
	struct error found = err ? *err : (struct error){ 0 };
	char reason[300];

	if (!s->types || !typed_file_failure(s->types) || r == -ENOMEM)
		return r;
	typed_file_say_failure(s->types, reason, sizeof(reason));
	if (r < 0)
		return error_set(err, found.kind, found.code, "%s; %s", found.text, reason);
	probe_add_note(s->finding, true, "%s: continuing with arguments by number", reason);
	return r;
}

static int search_begin(struct search *s)
{
	struct probe_finding *f = s->finding;
	int r = open_types(s);

	s->path = probe_module_path(f, s->module);
	if (r < 0 || !s->path)
		return -ENOMEM;
	return f->kind->at_return ? instructions_return_danger(s->module, &s->danger) : 0;
}

/* A function that is refused for its returns has no entry, either. */
static int add_or_not(struct search *s, const struct function_entry *function, struct error *err)
{
	struct probe_finding *f = s->finding;
	size_t places = f->set.count, points = f->point_count;
	int r = add_function(s, function, err);

	if (r < 0) {
		f->set.count = places;
		f->point_count = points;
	}
	return r;
}

/* ---- names ---- */

static size_t underlines(const char *name)
{
	return strspn(name, "_");
}

/* Whether a program's author would rather know it by @a: "malloc" and not "__GI___libc_malloc". */
static bool is_plainer(const char *a, const char *b)
{
	if (underlines(a) != underlines(b))
		return underlines(a) < underlines(b);
	return strlen(a) < strlen(b);
}

/* Of the names of the code that number @first has, by address: aliases are one function. */
static const struct function_entry *plainest(const struct function_list *list, size_t first,
					     size_t *ret_end)
{
	const struct function_entry *best = function_list_at(list, first), *function;
	size_t i = first + 1;

	for (; i < function_list_count(list); i++) {
		function = function_list_at(list, i);
		if (function->address != best->address)
			break;
		if (is_plainer(function->name, best->name))
			best = function;
	}
	*ret_end = i;
	return best;
}

/* ---- functions that are chosen when they are loaded ---- */

#define IFUNC_TEXT \
	"it is an IFUNC: which function is called in place of it is chosen when a program starts, " \
	"and no process that runs tells; "

/* Of the names of the @index'th function's code, the one that says that it chooses another, or NULL. */
static const struct function_entry *find_resolver(const struct function_list *list, size_t index)
{
	uint64_t address = function_list_at(list, index)->address;

	while (index && function_list_at(list, index - 1)->address == address)
		index--;
	for (; index < function_list_count(list); index++) {
		if (function_list_at(list, index)->address != address)
			break;
		if (function_list_at(list, index)->is_ifunc)
			return function_list_at(list, index);
	}
	return NULL;
}

/* Who is called in place of @ifunc: functions whose names go on from its own, "__memcpy_ssse3". */
static int refuse_ifunc(const struct search *s, const struct function_entry *ifunc,
			struct error *err)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	const struct probe_words *words = &s->finding->words;
	char pattern[256], reason[512];
	const char *first = NULL;
	int r;

	snprintf(pattern, sizeof(pattern), "*%.200s_*", words->name);
	r = function_list_read(s->module, pattern, PROBE_PLACES_MAX, &list);
	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; list && i < function_list_count(list) && !first; i++)
		if (function_list_at(list, i)->address != ifunc->address && !find_resolver(list, i))
			first = function_list_at(list, i)->name;
	if (first)
		snprintf(reason, sizeof(reason),
			 IFUNC_TEXT "probe those: '%s:%s:%s', which has %.100s",
			 s->finding->request->source->name, words->file, pattern, first);
	else
		snprintf(reason, sizeof(reason), IFUNC_TEXT "their names are in its debug symbols, "
			 "which are not here");
	return refuse(s, ifunc, reason, err);
}

static int note_choice(const struct search *s, const struct function_entry *choice)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	char name[64];

	if (function_list_read(s->module, "*", 0, &list) == -ENOMEM)
		return -ENOMEM;
	snprintf(name, sizeof(name), "+%#llx", (unsigned long long)choice->address);
	for (size_t i = 0, end; list && i < function_list_count(list); i = end) {
		const struct function_entry *function = plainest(list, i, &end);

		if (function->address == choice->address)
			snprintf(name, sizeof(name), ":%s", function->name);
	}
	probe_add_note(s->finding, false,
		       "%.60s is an IFUNC: probed is what is called in place of it, %.60s%s",
		       choice->name, module_basename(s->module), name);
	return 0;
}

/* What processes call for @ifunc, by its name; of a glob only its own names. */
static int add_ifunc(struct search *s, const struct function_entry *ifunc, struct error *err)
{
	struct probe_finding *f = s->finding;
	struct function_entry choice;
	int r;

	if (probe_name_is_glob(f->words.name))
		return refuse(s, ifunc, "it is an IFUNC: it is probed where it is named alone",
			      err);
	r = ifunc_choice_read(s->module, ifunc, f->targets, &choice);
	if (r == -ENOENT)
		return refuse_ifunc(s, ifunc, err);
	r = r ?: add_or_not(s, &choice, err);
	return r ?: note_choice(s, &choice);
}

static const struct function_entry *find_ifunc(const struct function_list *list)
{
	for (size_t i = 0; i < function_list_count(list); i++)
		if (function_list_at(list, i)->is_ifunc)
			return function_list_at(list, i);
	return NULL;
}

/* ---- all of a file ---- */

static int add_functions(struct search *s, const struct function_list *list, struct error *err)
{
	bool is_glob = probe_name_is_glob(s->finding->words.name);
	const struct function_entry *ifunc = is_glob ? NULL : find_ifunc(list);

	/* A function of that name beside it is an older version, which hardly a program calls. */
	if (ifunc)
		return add_ifunc(s, ifunc, err);
	for (size_t i = 0, end; i < function_list_count(list); i = end) {
		const struct function_entry *function = plainest(list, i, &end);
		int r = 0;

		ifunc = find_resolver(list, i);
		if (ifunc)
			r = add_ifunc(s, ifunc, err);
		else
			r = add_or_not(s, function, err);
		/* Of many those that cannot be probed are left out. */
		if (r == -EOPNOTSUPP && is_glob)
			s->finding->left_out++;
		else if (r < 0)
			return r;
	}
	return 0;
}

static int search_module(struct probe_finding *f, struct module *module, struct error *err)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	struct search search = { .finding = f, .module = module };
	int r = function_list_read(module, f->words.name, PROBE_PLACES_MAX, &list);

	if (r == -EOVERFLOW)
		return error_set(err, ERROR_USAGE, r,
				 "too many functions of %s match %s: at most %d for an event; "
				 "several events, each with a narrower glob, have more",
				 module_basename(module), f->words.name, PROBE_PLACES_MAX);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!function_list_count(list))
		return 0;
	r = search_begin(&search);
	r = r ?: add_functions(&search, list, err);
	instructions_close(search.code);
	return say_failure(&search, r, err);
}

static int not_found(const struct probe_finding *f, struct error *err)
{
	_cleanup_free_ char *nearest = NULL;
	const char *where = *f->words.file ? f->words.file : "the target";

	for (size_t i = 0; i < f->files.count && !nearest; i++)
		if (function_list_suggest(f->files.modules[i], f->words.name, &nearest) == -ENOMEM)
			return -ENOMEM;
	if (nearest)
		return error_set(err, ERROR_FAILED, -ENOENT,
				 "no such function: %s: %s: did you mean "
				 "%s?",
				 where, f->words.name, nearest);
	return error_set(err, ERROR_FAILED, -ENOENT,
			 "no such function: %s: %s: see: wick list "
			 "'uprobe:%s:*'",
			 where, f->words.name, f->words.file);
}

static int find_functions(struct probe_finding *f, struct error *err)
{
	int r = probe_files_find(f->words.file, f->targets, &f->files, err);

	for (size_t i = 0; i < f->files.count && !r; i++)
		r = search_module(f, f->files.modules[i], err);
	if (r < 0)
		return r;
	if (!f->set.count)
		return f->left_out ? -EOPNOTSUPP : not_found(f, err);
	if (f->left_out)
		probe_add_note(f, true, "%zu functions are left out, of which the last: %.140s",
			       f->left_out, err ? err->text : "");
	return 0;
}

const struct probe_kind probe_uprobe = { .grammar = PROBE_GRAMMAR_FUNCTION, .at_entry = true,
					 .find = find_functions };
const struct probe_kind probe_uretprobe = { .grammar = PROBE_GRAMMAR_FUNCTION, .at_return = true,
					    .find = find_functions };
const struct probe_kind probe_fn = { .grammar = PROBE_GRAMMAR_FUNCTION, .at_entry = true,
				     .at_return = true, .find = find_functions };
