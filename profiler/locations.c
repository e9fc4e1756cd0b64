/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/locations.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "profiler/probes/probe_set.h"
#include "profiler/processes/main_module.h"
#include "profiler/resolve.h"

#define INLINES_MAX 64

/* What tells frames apart: raw addresses mean something else in every process. */
struct frame_key {
	uint64_t frame;
	uint64_t start_ns;
	uint32_t pid;
	uint32_t is_kernel;
};

struct locations {
	const struct resolve_options *options;
	struct profile_builder *builder;
	struct hashmap *known;		/* struct frame_key to struct location_info */
	struct hashmap *mappings;	/* module number to mapping index */
	struct hashmap *functions;	/* struct probe_place * to struct location_info */
};

int locations_new(const struct resolve_options *options, struct profile_builder *builder,
		  struct locations **ret)
{
	_cleanup_(locations_freep) struct locations *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->options = options;
	l->builder = builder;
	l->known = hashmap_new(sizeof(struct frame_key), sizeof(struct location_info));
	l->mappings = hashmap_new(sizeof(uint32_t), sizeof(uint32_t));
	l->functions = hashmap_new(sizeof(struct probe_place *), sizeof(struct location_info));
	if (!l->known || !l->mappings || !l->functions)
		return -ENOMEM;
	*ret = take_ptr(l);
	return 0;
}

struct locations *locations_free(struct locations *l)
{
	if (!l)
		return NULL;
	hashmap_free(l->known);
	hashmap_free(l->mappings);
	hashmap_free(l->functions);
	free(l);
	return NULL;
}

/* Behind a call begins what follows it: what is meant is the call, as further out. */
static struct frame_key key_of(const struct window_stack *stack, size_t index, bool after_call)
{
	uint64_t frame = stack->frames[index] - (after_call && !index);
	bool raw = !stack->is_kernel && unwind_frame_module(frame) == UNWIND_MODULE_NONE;

	return (struct frame_key){ .frame = frame, .is_kernel = stack->is_kernel,
				   .pid = raw ? stack->pid : 0,
				   .start_ns = raw ? stack->start_ns : 0 };
}

/* ---- mappings ---- */

static int add_mapping(struct locations *l, const char *file, const struct elf_build_id *build_id,
		       uint32_t *ret)
{
	struct profile_mapping mapping = { .has_functions = true };
	char hex[2 * ELF_BUILD_ID_MAX + 1] = "";
	int error;

	for (size_t i = 0; build_id && i < build_id->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", build_id->bytes[i]);
	error = profile_builder_string(l->builder, file, &mapping.file);
	error = error ?: profile_builder_string(l->builder, hex, &mapping.build_id);
	return error ?: profile_builder_mapping(l->builder, &mapping, ret);
}

static int module_mapping(struct locations *l, const struct module *module, uint32_t *ret)
{
	const struct module_info *info = module_info(module);
	void *value;
	int r = hashmap_add(l->mappings, &info->id, &value);

	if (r < 0)
		return r;
	if (r > 0) {
		uint32_t index;

		r = add_mapping(l, info->path, &info->build_id, &index);
		if (r < 0)
			return r;
		*(uint32_t *)value = index;
	}
	*ret = *(uint32_t *)value;
	return 0;
}

/* The first one. */
static int add_main_mapping(struct locations *l)
{
	_cleanup_(module_putp) struct module *module = NULL;
	uint32_t index;
	int r = main_module_find(l->options, &module);

	return r < 0 || !module ? r : module_mapping(l, module, &index);
}

/* ---- locations ---- */

static int add_line(struct locations *l, const struct frame *frame, struct profile_line *ret)
{
	struct profile_function function = { 0 };
	int error = profile_builder_string(l->builder, frame->function, &function.name);

	error = error ?: profile_builder_string(l->builder, frame->system_name ?: "",
						&function.system_name);
	error = error ?: profile_builder_string(l->builder, frame->file ?: "", &function.file);
	error = error ?: profile_builder_function(l->builder, &function, &ret->function);
	ret->line = frame->line;
	return error;
}

static int add_location(struct locations *l, struct profile_location *location,
			const struct frame *frames, size_t count, struct location_info *ret)
{
	struct profile_line lines[INLINES_MAX];
	enum frame_origin origin = frames[0].origin;

	for (size_t i = 0; i < count; i++) {
		int error = add_line(l, &frames[i], &lines[i]);

		if (error < 0)
			return error;
	}
	if (profile_builder_string(l->builder, frames[0].function, &ret->name) < 0)
		return -ENOMEM;
	location->lines = lines;
	location->line_count = count;
	ret->by_fde = origin == FRAME_FDE;
	ret->named = origin != FRAME_FDE && origin != FRAME_UNKNOWN;
	return profile_builder_location(l->builder, location, &ret->location);
}

static int add_kernel_location(struct locations *l, uint64_t address, struct location_info *ret)
{
	struct profile_location location = { .address = address, .kind = FRAME_KIND_KERNEL };
	struct frame frames[INLINES_MAX];
	const char *module;
	int count = symbolizer_lookup_kernel(l->options->symbolizer, address, frames, INLINES_MAX,
					     &module);

	if (count < 0)
		return count;
	count = add_mapping(l, module, NULL, &location.mapping) ?: count;
	return count < 0 ? count : add_location(l, &location, frames, count, ret);
}

static int add_user_location(struct locations *l, struct module *module, uint64_t address,
			     struct location_info *ret)
{
	struct profile_location location = { .address = address, .kind = FRAME_KIND_NATIVE };
	struct frame frames[INLINES_MAX];
	int count = symbolizer_lookup(l->options->symbolizer, module, address, frames, INLINES_MAX);

	if (count < 0)
		return count;
	count = module_mapping(l, module, &location.mapping) ?: count;
	return count < 0 ? count : add_location(l, &location, frames, count, ret);
}

/* Executable memory of no file: JIT code, named by the process's perf map where it has one. */
static int add_raw_location(struct locations *l, const struct frame_key *key,
			    struct location_info *ret)
{
	uint64_t address = unwind_frame_address(key->frame);
	struct profile_location location = { .address = address, .kind = FRAME_KIND_JIT };
	struct frame frame = { .origin = FRAME_JIT };
	char name[32];
	int error = add_mapping(l, "//anon", NULL, &location.mapping);

	if (l->options->jit_maps)
		frame.function = jit_maps_find(l->options->jit_maps, key->pid, key->start_ns,
					       address, NULL);
	if (!frame.function) {
		snprintf(name, sizeof(name), "[anon]+0x%" PRIx64, address);
		frame.function = name;
		frame.origin = FRAME_UNKNOWN;
	}
	return error ?: add_location(l, &location, &frame, 1, ret);
}

static int add_frame(struct locations *l, const struct frame_key *key, struct module *module,
		     struct location_info *ret)
{
	if (key->is_kernel)
		return add_kernel_location(l, key->frame, ret);
	if (module)
		return add_user_location(l, module, unwind_frame_address(key->frame), ret);
	return add_raw_location(l, key, ret);
}

/* ---- all frames of a window, module by module ---- */

static int collect_stack(struct locations *l, const struct window *window, uint64_t id,
			 bool after_call)
{
	const struct window_stack *stack = id < WICK_STACK_FIRST ? NULL : window_stack(window, id);

	for (size_t i = 0; stack && i < stack->count; i++) {
		struct frame_key key = key_of(stack, i, after_call);
		void *value;
		int r = hashmap_add(l->known, &key, &value);

		if (r < 0)
			return r;
	}
	return 0;
}

static int collect_sample(struct locations *l, const struct window *window,
			  const struct window_sample *sample, const struct probe_values *values)
{
	const struct probe_place *place = locations_place(l->options, sample, values);
	const struct wick_detail *detail = window_detail(window, sample->key.detail);
	int r = collect_stack(l, window, sample->key.kernel_stack, false);

	r = r ?: collect_stack(l, window, sample->key.user_stack,
			       place && place->module && place->is_left);
	if (!detail)
		return r;
	r = r ?: collect_stack(l, window, detail->value[WICK_DETAIL_PEER_KERNEL], false);
	return r ?: collect_stack(l, window, detail->value[WICK_DETAIL_PEER_USER], false);
}

static int collect_frames(struct locations *l, const struct window *window)
{
	const struct window_event *events;
	struct window_sample sample;
	size_t position = 0, count;
	int r = 0;

	while (r >= 0 && window_next_sample(window, &position, &sample))
		r = collect_sample(l, window, &sample, NULL);
	events = window_events(window, &count);
	for (size_t i = 0; r >= 0 && i < count; i++)
		r = collect_sample(l, window, &events[i].sample, events[i].values);
	return r;
}

static int compare_keys(const void *a, const void *b)
{
	const struct frame_key *x = a, *y = b;

	if (x->is_kernel != y->is_kernel)
		return x->is_kernel < y->is_kernel ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* So many at once: what is known of them must fit into the symbolizer's cache. */
#define ADDRESSES_AT_ONCE 256

/* Have the symbolizer name those of @keys that are of @mod, the module of the first. */
static int prepare_names(struct locations *l, struct module *mod, const struct frame_key *keys,
			 size_t count)
{
	uint64_t addresses[ADDRESSES_AT_ONCE];
	size_t own = 0;

	while (own < count && own < ADDRESSES_AT_ONCE && !keys[own].is_kernel &&
	       unwind_frame_module(keys[own].frame) == unwind_frame_module(keys[0].frame)) {
		addresses[own] = unwind_frame_address(keys[own].frame);
		own++;
	}
	return symbolizer_prepare(l->options->symbolizer, mod, addresses, own) ?: (int)own;
}

/* The module number is the upper part of a frame: in order of frames, modules come one by one. */
static int name_frames(struct locations *l, const struct frame_key *keys, size_t count)
{
	_cleanup_(module_putp) struct module *module = NULL;
	uint32_t id = UNWIND_MODULE_NONE;
	size_t prepared = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t next = keys[i].is_kernel ? UNWIND_MODULE_NONE :
						    unwind_frame_module(keys[i].frame);
		struct location_info *info = hashmap_find(l->known, &keys[i]);
		int r = 0;

		if (next != id) {
			module_put(module);
			module = l->options->module(l->options->module_context, next);
			id = next;
		}
		if (module && id != UNWIND_MODULE_NONE && i >= prepared)
			r = prepare_names(l, module, &keys[i], count - i);
		if (r < 0)
			return r;
		prepared = r ? i + (size_t)r : prepared;
		r = add_frame(l, &keys[i], id == UNWIND_MODULE_NONE ? NULL : module, info);
		if (r < 0)
			return r;
	}
	return 0;
}

int locations_prepare(struct locations *l, const struct window *window)
{
	_cleanup_free_ struct frame_key *keys = NULL;
	size_t position = 0, count = 0;
	const void *key;
	int r = collect_frames(l, window);

	r = r ?: add_main_mapping(l);
	if (r < 0)
		return r;
	keys = calloc(hashmap_count(l->known) + 1, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	while (hashmap_next(l->known, &position, &key, NULL))
		keys[count++] = *(const struct frame_key *)key;
	qsort(keys, count, sizeof(*keys), compare_keys);
	return name_frames(l, keys, count);
}

int locations_find(struct locations *l, const struct window_stack *stack, size_t index,
		   bool after_call, struct location_info *ret)
{
	struct frame_key key = key_of(stack, index, after_call);
	const struct location_info *known = hashmap_find(l->known, &key);

	if (!known)
		return -ENOENT;
	*ret = *known;
	return 0;
}

int locations_mark(struct locations *l, const char *name, uint32_t *ret)
{
	struct profile_location location = { .mapping = PROFILE_NONE, .kind = FRAME_KIND_MARK };
	struct frame frame = { .function = name, .origin = FRAME_UNKNOWN };
	struct location_info info;
	int r = add_location(l, &location, &frame, 1, &info);

	if (r >= 0)
		*ret = info.location;
	return r;
}

/* ---- functions of probes ---- */

const struct probe_place *locations_place(const struct resolve_options *options,
					  const struct window_sample *sample,
					  const struct probe_values *values)
{
	const struct wick_detail *detail = window_detail(options->window, sample->key.detail);
	const struct probe_set *set = sample->source < options->source_count ?
					      options->sources[sample->source]->probes :
					      NULL;
	uint64_t site = 0;

	if (!set)
		return NULL;
	if (values)
		site = values->site;
	else if (detail && detail->present & WICK_DETAIL_BIT(KEY))
		site = detail->value[WICK_DETAIL_KEY];
	else if (set->count > 1)
		return NULL;
	return site < set->count ? &set->places[site] : NULL;
}

static bool is_same_file(const struct module_info *a, const struct module_info *b)
{
	if (b->build_id.size && a->build_id.size == b->build_id.size &&
	    !memcmp(a->build_id.bytes, b->build_id.bytes, b->build_id.size))
		return true;
	return a->inode && a->device == b->device && a->inode == b->inode;
}

/* The one that frames have a number of, for the file of @module; or @module itself. */
static struct module *find_module(struct locations *l, struct module *module)
{
	struct module *known;

	for (uint32_t id = UNWIND_MODULE_FIRST;
	     (known = l->options->module(l->options->module_context, id)); id++) {
		if (is_same_file(module_info(known), module_info(module)))
			return known;
		module_put(known);
	}
	return module_get(module);
}

static int read_user_function(struct locations *l, const struct probe_place *place,
			      struct profile_location *location, struct frame *frames)
{
	_cleanup_(module_putp) struct module *module = find_module(l, place->module);
	const struct module_info *info = module_info(module);
	int count = symbolizer_lookup(l->options->symbolizer, module, place->address, frames,
				      INLINES_MAX),
	    r;

	if (count < 0)
		return count;
	if (module == place->module)
		r = add_mapping(l, info->path, &info->build_id, &location->mapping);
	else
		r = module_mapping(l, module, &location->mapping);
	return r ?: count;
}

/* Whoever may not see where it is knows its name. */
static int read_kernel_function(struct locations *l, const struct probe_place *place,
				struct profile_location *location, struct frame *frames)
{
	const char *module = "[kernel.kallsyms]";
	int count = 1;

	frames[0] = (struct frame){ .function = place->name, .origin = FRAME_KALLSYMS };
	if (place->address)
		count = symbolizer_lookup_kernel(l->options->symbolizer, place->address, frames,
						 INLINES_MAX, &module);
	if (count < 0)
		return count;
	return add_mapping(l, module, NULL, &location->mapping) ?: count;
}

static int add_function_location(struct locations *l, const struct probe_place *place,
				 struct location_info *ret)
{
	struct profile_location location = {
		.address = place->address,
		.kind = place->module ? FRAME_KIND_NATIVE : FRAME_KIND_KERNEL,
	};
	struct frame frames[INLINES_MAX];
	struct frame *outermost;
	int count = (place->module ? read_user_function : read_kernel_function)(l, place, &location,
										frames);

	if (count < 0)
		return count;
	outermost = &frames[count - 1];
	/* It was found by a name that nobody gives to addresses. */
	if (outermost->origin == FRAME_FDE || outermost->origin == FRAME_UNKNOWN)
		outermost->function = place->name;
	return add_location(l, &location, outermost, 1, ret);
}

int locations_function(struct locations *l, const struct probe_place *place,
		       struct location_info *ret)
{
	void *value;
	int r = hashmap_add(l->functions, &place, &value);

	if (r > 0)
		r = add_function_location(l, place, value);
	if (r >= 0)
		*ret = *(struct location_info *)value;
	return r < 0 ? r : 0;
}
