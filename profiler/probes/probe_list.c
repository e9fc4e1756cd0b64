/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_list.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/alloc.h"
#include "profiler/base/arena.h"
#include "profiler/base/strbuf.h"
#include "profiler/kernel_types/btf_types.h"
#include "profiler/kernel_types/tracepoint_format.h"
#include "profiler/probes/find_counter.h"
#include "profiler/probes/kernel_trampoline.h"
#include "profiler/probes/probe_words.h"
#include "profiler/sources/program_features.h"
#include "profiler/sources/syscalls.h"
#include "symbolizer/code/function_list.h"
#include "symbolizer/code/usdt_notes.h"
#include "symbolizer/worker/type_worker.h"

/* For a file; the largest have some hundred thousand functions. */
#define TYPES_NS (60 * 1000000000ull)

struct probe_list {
	struct arena *arena;
	struct probe_entry *entries;
	size_t count, capacity;
	const char *note;
};

/* What one scheme is listed with. */
struct lister {
	struct probe_list *list;
	const char *scheme, *pattern;		/* what is behind the scheme */
	const struct probe_targets *targets;
	struct type_worker *types;	/* NULL: none were wanted yet */
	struct error *err;
};

static int add(struct lister *l, const char *name, const struct strbuf *arguments,
	       const char *result)
{
	struct probe_list *list = l->list;
	_cleanup_strbuf_ struct strbuf event = STRBUF_INIT;
	struct probe_entry entry;
	int r = alloc_grow(&list->entries, &list->capacity, list->count + 1);

	strbuf_printf(&event, "%s:%s", l->scheme, name);
	if (r < 0 || event.error || (arguments && arguments->error))
		return -ENOMEM;
	entry = (struct probe_entry){ .event = arena_strdup(list->arena, event.data) };
	entry.arguments = arguments ? arena_strdup(list->arena, arguments->data) : "";
	entry.result = arena_strdup(list->arena, result);
	if (!entry.event || !entry.arguments || !entry.result)
		return -ENOMEM;
	list->entries[list->count++] = entry;
	return 0;
}

static void add_argument(struct strbuf *text, const char *type, const char *name)
{
	strbuf_printf(text, "%s%s%s%s", text->size ? ", " : "", type, *type && *name ? " " : "",
		      name);
}

static int add_function(struct lister *l, const char *name, const struct type_function *type)
{
	_cleanup_strbuf_ struct strbuf arguments = STRBUF_INIT;

	for (size_t i = 0; type && i < type->argument_count; i++)
		add_argument(&arguments, type->arguments[i].type.name, type->arguments[i].name);
	if (type && type->is_variadic)
		add_argument(&arguments, "...", "");
	return add(l, name, &arguments,
		   type && type->result.type.kind != TYPE_VOID ? type->result.type.name : "");
}

/* ---- the kernel's ---- */

static int add_format(struct lister *l, const char *name, const struct tracepoint_format *format,
		      size_t first, const char *result)
{
	_cleanup_strbuf_ struct strbuf arguments = STRBUF_INIT;

	for (size_t i = first; format && i < tracepoint_format_count(format); i++) {
		const struct tracepoint_field *field = tracepoint_format_at(format, i);

		add_argument(&arguments, field->type, field->name);
	}
	return add(l, name, &arguments, result);
}

static int add_tracepoint(struct lister *l, int tracefs, const char *name)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
	int r = tracepoint_format_read_named(tracefs, name, &format);

	return r == -ENOMEM ? r : add_format(l, name, format, 0, "");
}

static int list_tracepoints(struct lister *l)
{
	_cleanup_close_ int tracefs = tracefs_open(l->err);
	_cleanup_free_ char *copy = strdup(l->pattern);
	char **names = NULL, *colon;
	size_t count = 0;
	int r = tracefs;

	if (!copy)
		return -ENOMEM;
	if (tracefs < 0)
		return r;
	colon = strchr(copy, ':');
	if (colon)
		*colon = 0;
	r = tracepoint_names(tracefs, colon ? copy : "*", colon ? colon + 1 : copy, &names, &count);
	for (size_t i = 0; i < count && !r; i++)
		r = add_tracepoint(l, tracefs, names[i]);
	tracepoint_names_free(names, count);
	return r;
}

static int list_typed(struct lister *l, bool raw)
{
	_cleanup_(btf_types_closep) struct btf_types *types = NULL;
	size_t position = 0;
	const char *name;
	int r = btf_types_open(&types);

	if (r < 0 && r != -ENOMEM)
		return error_set(l->err, ERROR_NOT_SUPPORTED, r,
				 "cannot read the kernel's types: %s", strerror(-r));
	while (!r && (name = btf_types_next(types, l->pattern, raw, &position, NULL))) {
		struct type_function type;
		int known = raw ? btf_types_raw_tracepoint(types, name, &type) :
				  btf_types_function(types, name, &type);

		r = add_function(l, name, known < 0 ? NULL : &type);
	}
	return r;
}

/* For what is in the list from @first on. Without the right to load programs nothing is known. */
static void add_way(struct lister *l, const struct probe_kind *kind, size_t first)
{
	const struct probe_words words = { .name = l->pattern };
	_cleanup_(btf_types_closep) struct btf_types *types = NULL;
	struct probe_list *list = l->list;
	const char *reason;

	if (list->count == first || probe_name_is_glob(l->pattern) || !program_may_load() ||
	    btf_types_open(&types) < 0)
		return;
	reason = kernel_trampoline_lack(types, kind, &words);
	for (size_t i = first; i < list->count; i++) {
		list->entries[i].has_way = true;
		list->entries[i].kprobe_reason = reason;
	}
}

static int list_kernel_functions(struct lister *l, const struct probe_kind *kind)
{
	size_t first = l->list->count;
	int r = list_typed(l, false);

	if (!r)
		add_way(l, kind, first);
	return r;
}

static int list_kprobes(struct lister *l)
{
	return list_kernel_functions(l, &probe_kprobe);
}

static int list_kretprobes(struct lister *l)
{
	return list_kernel_functions(l, &probe_kretprobe);
}

static int list_raw_tracepoints(struct lister *l)
{
	return list_typed(l, true);
}

static int list_syscalls(struct lister *l)
{
	_cleanup_close_ int tracefs = tracefs_open(NULL);
	uint64_t i = syscall_next(l->pattern, 0);
	int r = 0;

	for (; i < SYSCALLS_MAX && !r; i = syscall_next(l->pattern, i + 1)) {
		_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
		const char *name = syscall_name(i);

		if (tracefs >= 0 &&
		    tracepoint_format_read_syscall(tracefs, name, &format) == -ENOMEM)
			return -ENOMEM;
		r = add_format(l, name, format, 1, "long");
	}
	return r;
}

static int list_counters(struct lister *l)
{
	const char *name;
	int r = 0;

	for (size_t i = 0; (name = counter_name(l->scheme, i)) && !r; i++)
		if (!fnmatch(l->pattern, name, 0))
			r = add(l, name, NULL, "");
	return r;
}

/* ---- files' ---- */

/* Functions of a file; those up to number @done have been added. */
struct listing {
	struct lister *lister;
	const char *file;
	const struct function_list *functions;
	size_t done;
};

static int add_listed(void *context, size_t index, const struct type_function *type)
{
	struct listing *listing = context;
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	strbuf_printf(&name, "%s:%s", listing->file,
		      function_list_at(listing->functions, index)->name);
	listing->done = index + 1;
	return name.error ?: add_function(listing->lister, name.data, type);
}

static int note_failure(struct lister *l, const struct typed_file *file)
{
	char text[300];

	typed_file_say_failure(file, text, sizeof(text));
	l->list->note = arena_strdup(l->list->arena, text);
	return l->list->note ? 0 : -ENOMEM;
}

/* As far as debug information tells. Returns 0 or -ENOMEM. */
static int add_typed(struct listing *listing, struct module *module)
{
	struct lister *l = listing->lister;
	size_t count = function_list_count(listing->functions);
	_cleanup_free_ uint64_t *addresses = calloc(count, sizeof(*addresses));
	struct typed_file *file;
	int r;

	l->types = l->types ?: type_worker_new(TYPES_NS);
	if (!addresses || !l->types)
		return -ENOMEM;
	r = type_worker_open(l->types, module, &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < count; i++)
		addresses[i] = function_list_at(listing->functions, i)->address;
	r = typed_file_functions(file, addresses, count, add_listed, listing);
	if (r == -ENOMEM || !typed_file_failure(file))
		return r;
	return note_failure(l, file);
}

static int list_functions_of(struct lister *l, struct module *module, const char *file,
			     const char *pattern)
{
	_cleanup_(function_list_freep) struct function_list *functions = NULL;
	struct listing listing = { .lister = l, .file = file };
	int r = function_list_read(module, pattern, 0, &functions);

	if (r < 0 || !function_list_count(functions))
		return r == -ENOMEM ? r : 0;
	listing.functions = functions;
	r = add_typed(&listing, module);
	while (!r && listing.done < function_list_count(functions))
		r = add_listed(&listing, listing.done, NULL);
	return r;
}

static int list_usdt_of(struct lister *l, struct module *module, const char *file,
			const char *pattern)
{
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;
	_cleanup_free_ char *copy = strdup(pattern);
	char *colon = copy ? strchr(copy, ':') : NULL;
	int r;

	if (!copy)
		return -ENOMEM;
	if (colon)
		*colon = 0;
	r = usdt_notes_read(module, colon ? copy : NULL, colon ? colon + 1 : copy, &notes);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < usdt_notes_count(notes) && !r; i++) {
		const struct usdt_probe *probe = usdt_notes_at(notes, i);
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT, arguments = STRBUF_INIT;

		strbuf_printf(&name, "%s:%s:%s", file, probe->provider, probe->name);
		strbuf_add_text(&arguments, probe->arguments_text);
		r = name.error ?: add(l, name.data, &arguments, "");
	}
	return r;
}

typedef int list_of_fn(struct lister *l, struct module *module, const char *file,
		       const char *pattern);

static int list_files(struct lister *l, list_of_fn *list)
{
	struct probe_files files = { 0 };
	_cleanup_free_ char *copy = strdup(l->pattern);
	char *colon = copy ? strchr(copy, ':') : NULL;
	int r;

	if (!copy)
		return -ENOMEM;
	if (!colon)
		return error_set(l->err, ERROR_USAGE, -EINVAL, "bad pattern: %s:%s: expected "
				 "%s:FILE:PATTERN", l->scheme, l->pattern, l->scheme);
	*colon = 0;
	r = probe_files_find(copy, l->targets, &files, l->err);
	for (size_t i = 0; i < files.count && !r; i++)
		r = list(l, files.modules[i], *copy ? copy : module_info(files.modules[i])->path,
			 colon + 1);
	probe_files_done(&files);
	return r;
}

static int list_user_functions(struct lister *l)
{
	return list_files(l, list_functions_of);
}

static int list_usdt(struct lister *l)
{
	return list_files(l, list_usdt_of);
}

/* ---- all of them ---- */

static const struct {
	const char *scheme;
	int (*list)(struct lister *l);
	bool is_kernel;		/* listed without a scheme, too */
} schemes[] = {
	{ "tracepoint", list_tracepoints, true }, { "rawtp", list_raw_tracepoints, true },
	{ "kprobe", list_kprobes, true },	  { "kretprobe", list_kretprobes },
	{ "syscall", list_syscalls, true },	  { "uprobe", list_user_functions },
	{ "uretprobe", list_user_functions },	  { "fn", list_user_functions },
	{ "usdt", list_usdt },			  { "sw", list_counters, true },
	{ "hw", list_counters, true },
};

static int list_scheme(struct lister *l, size_t index, const char *pattern)
{
	int r;

	l->scheme = schemes[index].scheme;
	l->pattern = pattern;
	r = schemes[index].list(l);
	if (r < 0 && r != -ENOMEM && l->err && !l->err->text[0])
		return error_set(l->err, ERROR_FAILED, r, "cannot list probes: %s:%s: %s",
				 l->scheme, pattern, strerror(-r));
	return r;
}

/* What cannot be listed here leaves the others. */
static int list_kernel(struct lister *l, const char *pattern)
{
	int r, failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		r = schemes[i].is_kernel ? list_scheme(l, i, pattern) : 0;
		if (r == -ENOMEM)
			return r;
		failed = failed ?: r;
	}
	return l->list->count ? 0 : failed;
}

static int list_all(struct lister *l, const char *pattern)
{
	size_t size = strcspn(pattern, ":");

	if (!pattern[size])
		return list_kernel(l, pattern);
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strlen(schemes[i].scheme) == size && !memcmp(schemes[i].scheme, pattern, size))
			return list_scheme(l, i, pattern + size + 1);
	return error_set(l->err, ERROR_USAGE, -EINVAL,
			 "no such kind of probe: %.*s; see: wick list", (int)size, pattern);
}

int probe_list_read(const char *pattern, const struct probe_targets *targets,
		    struct probe_list **ret, struct error *err)
{
	_cleanup_(probe_list_freep) struct probe_list *list = calloc(1, sizeof(*list));
	struct lister lister = { .list = list, .targets = targets, .err = err };
	int r;

	if (!list)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	list->arena = arena_new(0);
	r = list->arena ? list_all(&lister, pattern) : -ENOMEM;
	type_worker_free(lister.types);
	if (r == -ENOMEM)
		return error_set(err, ERROR_FAILED, r, "no memory");
	if (r < 0)
		return r;
	*ret = take_ptr(list);
	return 0;
}

struct probe_list *probe_list_free(struct probe_list *list)
{
	if (!list)
		return NULL;
	free(list->entries);
	arena_free(list->arena);
	free(list);
	return NULL;
}

size_t probe_list_count(const struct probe_list *list)
{
	return list->count;
}

const struct probe_entry *probe_list_at(const struct probe_list *list, size_t index)
{
	return &list->entries[index];
}

const char *probe_list_note(const struct probe_list *list)
{
	return list->note;
}
