/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_types/btf_types.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hash.h"
#include "profiler/kernel_types/btf_types_private.h"
#include "symbolizer/types/sysv_abi.h"

#define TRACEPOINT_PREFIX "btf_trace_"
/* The function that calls all that is attached: its parameters have the names that the type has not. */
#define CALLER_PREFIX "__traceiter_"
/* What look-ups by name ask for. */
#define NAMED_KINDS                                                                          \
	(BTF_BIT(BTF_KIND_FUNC) | BTF_BIT(BTF_KIND_TYPEDEF) | BTF_BIT(BTF_KIND_STRUCT) |     \
	 BTF_BIT(BTF_KIND_UNION) | BTF_BIT(BTF_KIND_ENUM) | BTF_BIT(BTF_KIND_ENUM64) |       \
	 BTF_BIT(BTF_KIND_INT) | BTF_BIT(BTF_KIND_FLOAT))

/* ---- files ---- */

static int add_module(struct btf_types *types, const char *name)
{
	struct btf *base = types->module_count ? types->modules[0].btf : NULL;
	_cleanup_free_ char *path = NULL, *copy = NULL;
	struct btf_module *module;
	struct btf *btf;
	int r;

	if (asprintf(&path, "%s/%s", types->folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	copy = base ? strdup(name) : NULL;
	if (base && !copy)
		return -ENOMEM;
	r = alloc_grow(&types->modules, &types->module_capacity, types->module_count + 1);
	if (r < 0)
		return r;
	btf = base ? btf__parse_raw_split(path, base) : btf__parse_raw(path);
	if (!btf)
		return -errno;
	module = &types->modules[types->module_count++];
	*module = (struct btf_module){
		.name = take_ptr(copy),
		.btf = btf,
		.first = base ? btf__type_cnt(base) : 1,
	};
	return 0;
}

static int is_module(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "vmlinux");
}

/* One that cannot be read, because it is being unloaded for example, is left out. */
static int read_modules(struct btf_types *types)
{
	struct dirent **entries;
	int count, i, r = 0;

	if (types->modules_read)
		return 0;
	count = scandir(types->folder, &entries, is_module, alphasort);
	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		if (r != -ENOMEM)
			r = add_module(types, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (r == -ENOMEM)
		return r;
	types->modules_read = true;
	return 0;
}

int btf_types_open_folder(const char *folder, struct btf_types **ret)
{
	_cleanup_(btf_types_closep) struct btf_types *types = calloc(1, sizeof(*types));
	int r;

	if (!types)
		return -ENOMEM;
	types->text = (struct type_text)TYPE_TEXT_INIT;
	types->provider = btf_type_provider;
	types->provider.context = types;
	types->folder = strdup(folder);
	types->names = intern_new();
	if (!types->folder || !types->names)
		return -ENOMEM;
	r = add_module(types, "vmlinux");
	if (r < 0)
		return r;
	*ret = take_ptr(types);
	return 0;
}

int btf_types_open(struct btf_types **ret)
{
	return btf_types_open_folder(BTF_FOLDER, ret);
}

struct btf_types *btf_types_close(struct btf_types *types)
{
	size_t i;

	if (!types)
		return NULL;
	/* Modules before what they are based on. */
	for (i = types->module_count; i--;) {
		if (types->modules[i].fd > 0)
			close(types->modules[i].fd);
		btf__free(types->modules[i].btf);
		free(types->modules[i].index);
		free(types->modules[i].name);
	}
	free(types->modules);
	type_text_done(&types->text);
	intern_free(types->names);
	free(types->folder);
	free(types);
	return NULL;
}

const struct type_provider *btf_types_provider(const struct btf_types *types)
{
	return &types->provider;
}

/* ---- by name ---- */

static const char *type_name(const struct btf_module *module, const struct btf_type *type)
{
	return btf__name_by_offset(module->btf, type->name_off) ?: "";
}

static bool is_named(const struct btf_module *module, const struct btf_type *type)
{
	return type->name_off && BTF_BIT(btf_kind(type)) & NAMED_KINDS;
}

static size_t index_slot(const struct btf_module *module, const char *name)
{
	return hash_bytes(name, strlen(name)) & (module->index_size - 1);
}

static void index_add(struct btf_module *module, uint32_t id, const char *name)
{
	size_t slot = index_slot(module, name);

	while (module->index[slot])
		slot = (slot + 1) & (module->index_size - 1);
	module->index[slot] = id;
}

static int index_build(struct btf_module *module)
{
	uint32_t end = btf__type_cnt(module->btf), id;
	const struct btf_type *type;
	size_t size = 16;

	while (size < (size_t)(end - module->first) * 2)
		size *= 2;
	module->index = calloc(size, sizeof(*module->index));
	if (!module->index)
		return -ENOMEM;
	module->index_size = size;
	for (id = module->first; id < end; id++) {
		type = btf__type_by_id(module->btf, id);
		if (is_named(module, type))
			index_add(module, id, type_name(module, type));
	}
	return 0;
}

/* Returns 0, -ENOENT or -ENOMEM. */
static int module_find(struct btf_module *module, const char *name, unsigned int kinds,
		       uint32_t *ret)
{
	const struct btf_type *type;
	size_t slot;
	int r;

	if (!module->index) {
		r = index_build(module);
		if (r < 0)
			return r;
	}
	for (slot = index_slot(module, name); module->index[slot];
	     slot = (slot + 1) & (module->index_size - 1)) {
		type = btf__type_by_id(module->btf, module->index[slot]);
		if (!(BTF_BIT(btf_kind(type)) & kinds) || strcmp(type_name(module, type), name))
			continue;
		*ret = module->index[slot];
		return 0;
	}
	return -ENOENT;
}

int btf_types_find(struct btf_types *types, const char *name, unsigned int kinds,
		   struct btf_place *ret)
{
	uint32_t i, id;
	int r;

	for (i = 0; i < types->module_count || !types->modules_read; i++) {
		if (i) {
			r = read_modules(types);
			if (r < 0 || i >= types->module_count)
				return r < 0 ? r : -ENOENT;
		}
		r = module_find(&types->modules[i], name, kinds, &id);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		*ret = (struct btf_place){ .module = i, .id = id };
		return 0;
	}
	return -ENOENT;
}

const struct btf_type *btf_types_at(const struct btf_types *types, struct btf_place place)
{
	return btf__type_by_id(types->modules[place.module].btf, place.id);
}

/* ---- functions ---- */

static int argument_read(struct btf_types *types, struct btf_place place, const char *name,
			 struct type_argument *ret)
{
	*ret = (struct type_argument){ .name = name, .place = ARGUMENT_UNKNOWN };
	return btf_type_info_read(types, place, &ret->type);
}

/* Of the prototype at @place, without its first @skipped parameters. */
static int function_read(struct btf_types *types, struct btf_place place, size_t skipped,
			 struct type_function *ret)
{
	const struct btf_type *prototype = btf_types_at(types, place);
	/* Not the module: when others are read, it moves. */
	const struct btf *btf = types->modules[place.module].btf;
	const struct btf_param *parameter;
	struct btf_place at = place;
	size_t i, count;
	int r;

	if (!prototype || !btf_is_func_proto(prototype))
		return -EBADMSG;
	count = btf_vlen(prototype);
	for (i = skipped; i < count; i++) {
		parameter = &btf_params(prototype)[i];
		if (i == count - 1 && !parameter->type) {
			ret->is_variadic = true;
			break;
		}
		if (ret->argument_count == TYPE_ARGUMENTS_MAX)
			break;
		at.id = parameter->type;
		r = argument_read(types, at,
				  btf__name_by_offset(btf, parameter->name_off) ?: "",
				  &ret->arguments[ret->argument_count++]);
		if (r < 0)
			return r;
	}
	at.id = prototype->type;
	return argument_read(types, at, "", &ret->result);
}

int btf_types_function(struct btf_types *types, const char *name, struct type_function *ret)
{
	struct type_function function = { 0 };
	struct sysv_call call = { 0 };
	struct btf_place place;
	size_t i;
	int r;

	r = btf_types_find(types, name, BTF_BIT(BTF_KIND_FUNC), &place);
	if (r < 0)
		return r;
	place.id = btf_types_at(types, place)->type;
	r = function_read(types, place, 0, &function);
	if (r < 0)
		return r;
	if (sysv_returns_in_memory(&function.result.type))
		sysv_take_pointer(&call);
	for (i = 0; i < function.argument_count; i++)
		sysv_place_argument(&call, &function.arguments[i]);
	sysv_place_result(&function.result);
	*ret = function;
	return 0;
}

/* What is called @prefix@name: in any module, or in that of *@place. */
static int find_joined(struct btf_types *types, const char *prefix, const char *name,
		       unsigned int kinds, bool is_known_module, struct btf_place *place)
{
	_cleanup_free_ char *whole = NULL;

	if (asprintf(&whole, "%s%s", prefix, name) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	if (!is_known_module)
		return btf_types_find(types, whole, kinds, place);
	return module_find(&types->modules[place->module], whole, kinds, &place->id);
}

/* Names of the arguments of a raw tracepoint of the module at @place. Linux 5.10 has most of them. */
static int name_arguments(struct btf_types *types, struct btf_place place, const char *name,
			  struct type_function *function)
{
	struct type_function named = { 0 };
	int r = find_joined(types, CALLER_PREFIX, name, BTF_BIT(BTF_KIND_FUNC), true, &place);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	place.id = btf_types_at(types, place)->type;
	r = function_read(types, place, 1, &named);
	if (r < 0)
		return r;
	for (size_t i = 0; i < function->argument_count && i < named.argument_count; i++)
		function->arguments[i].name = named.arguments[i].name;
	return 0;
}

int btf_types_raw_tracepoint(struct btf_types *types, const char *name, struct type_function *ret)
{
	struct type_function function = { 0 };
	const struct btf_type *pointer;
	struct btf_place place = { 0 };
	int r;

	r = find_joined(types, TRACEPOINT_PREFIX, name, BTF_BIT(BTF_KIND_TYPEDEF), false, &place);
	if (r < 0)
		return r;
	/* typedef void (*btf_trace_NAME)(void *__data, …) */
	place.id = btf_types_at(types, place)->type;
	pointer = btf_types_at(types, place);
	if (!pointer || !btf_is_ptr(pointer))
		return -EBADMSG;
	place.id = pointer->type;
	r = function_read(types, place, 1, &function);
	r = r ?: name_arguments(types, place, name, &function);
	if (r < 0)
		return r;
	*ret = function;
	return 0;
}

/* The name to be listed of type @id, or NULL when it is not of what is listed. */
static const char *listed_name(const struct btf_module *module, uint32_t id, bool raw_tracepoints)
{
	const struct btf_type *type = btf__type_by_id(module->btf, id);
	const char *name;

	if (btf_kind(type) != (raw_tracepoints ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC))
		return NULL;
	name = type_name(module, type);
	if (!raw_tracepoints)
		return name;
	return strncmp(name, TRACEPOINT_PREFIX, strlen(TRACEPOINT_PREFIX)) ?
		       NULL :
		       name + strlen(TRACEPOINT_PREFIX);
}

const char *btf_types_next(struct btf_types *types, const char *glob, bool raw_tracepoints,
			   size_t *position, const char **ret_module)
{
	/* The module above, the id below. */
	size_t number = *position >> 32;
	uint32_t id = (uint32_t)*position, end;
	const struct btf_module *module;
	const char *name;

	for (; number < types->module_count; number++, id = 0) {
		module = &types->modules[number];
		end = btf__type_cnt(module->btf);
		for (id = id ? id : module->first; id < end; id++) {
			name = listed_name(module, id, raw_tracepoints);
			if (!name || (glob && fnmatch(glob, name, 0)))
				continue;
			*position = number << 32 | (id + 1);
			if (ret_module)
				*ret_module = module->name;
			return name;
		}
		/* Without memory for modules the list ends with what is there. */
		if (!number)
			read_modules(types);
	}
	*position = number << 32;
	return NULL;
}

/* ---- for fentry ---- */

/* The kernel's object of the BTF of @module. Returns a descriptor or a negative errno. */
static int open_kernel_object(const struct btf_module *module)
{
	char name[64];
	uint32_t id = 0;
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		struct bpf_btf_info info = { .name = (uintptr_t)name, .name_len = sizeof(name) };
		uint32_t size = sizeof(info);

		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		*name = '\0';
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf &&
		    !strcmp(name, module->name))
			return fd;
		close(fd);
	}
	return errno == ENOENT ? -ENOENT : -errno;
}

int btf_types_attach_id(struct btf_types *types, const char *name, uint32_t *ret_id, int *ret_fd)
{
	struct btf_module *module;
	struct btf_place place;
	int r;

	r = btf_types_find(types, name, BTF_BIT(BTF_KIND_FUNC), &place);
	if (r < 0)
		return r;
	module = &types->modules[place.module];
	if (module->name && module->fd <= 0) {
		r = open_kernel_object(module);
		if (r < 0)
			return r;
		module->fd = r;
	}
	*ret_id = place.id;
	*ret_fd = module->fd;
	return 0;
}
