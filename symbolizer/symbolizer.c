/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/symbolizer.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/clock.h"
#include "profiler/base/hashmap.h"
#include "profiler/base/log.h"
#include "symbolizer/kallsyms.h"
#include "symbolizer/names.h"
#include "symbolizer/provider.h"

#define CACHE_BYTES_DEFAULT ((size_t)32 << 20)
/*
 * Each holds a file descriptor by its reference to the module, and small
 * programs come and go without ever reaching the limit in bytes.
 */
#define MODULES_MAX 512

/* Where the frames of an address are in loaded.frames. */
struct answer {
	uint32_t first;
	uint32_t count;
};

/* What is in memory about one module. */
struct loaded {
	struct module *mod;
	void *states[PROVIDERS_MAX];	/* by place in the provider table; NULL: it has nothing */
	bool opened[PROVIDERS_MAX];
	bool is_open;			/* any of them */
	struct hashmap *answers;	/* address → struct answer */
	struct frame *frames;
	size_t frame_count, frame_capacity;
	size_t bytes;			/* of all this, as counted in stats.cache_bytes */
	uint64_t used;			/* when, in lookups */
};

struct symbolizer {
	struct names *names;
	struct hashmap *modules;	/* struct module * → struct loaded * */
	struct loaded *last;		/* addresses come module by module */
	size_t cache_bytes;
	char *kallsyms_path;
	struct kallsyms *kallsyms;	/* NULL: not read yet, or hidden */
	enum { KERNEL_UNREAD, KERNEL_FRESH, KERNEL_STALE } kernel_state;
	struct symbolizer_stats stats;
};

static void loaded_close(struct loaded *loaded)
{
	size_t i;

	for (i = 0; i < provider_count; i++) {
		if (loaded->states[i])
			provider_table[i]->free(loaded->states[i]);
		loaded->states[i] = NULL;
		loaded->opened[i] = false;
	}
	loaded->is_open = false;
}

static struct loaded *loaded_free(struct loaded *loaded)
{
	if (!loaded)
		return NULL;
	loaded_close(loaded);
	hashmap_free(loaded->answers);
	free(loaded->frames);
	module_put(loaded->mod);
	free(loaded);
	return NULL;
}
DEFINE_CLEANUP(struct loaded *, loaded_free)

static struct loaded *loaded_new(struct module *mod)
{
	_cleanup_(loaded_freep) struct loaded *loaded = calloc(1, sizeof(*loaded));

	if (!loaded)
		return NULL;
	loaded->mod = module_get(mod);
	loaded->answers = hashmap_new(sizeof(uint64_t), sizeof(struct answer));
	if (!loaded->answers)
		return NULL;
	return take_ptr(loaded);
}

static size_t loaded_answer_bytes(const struct loaded *loaded)
{
	return hashmap_bytes(loaded->answers) + loaded->frame_capacity * sizeof(*loaded->frames);
}

/* Forget the answers when they have grown over @limit: one module must not fill the cache. */
static int loaded_limit_answers(struct loaded *loaded, size_t limit)
{
	struct hashmap *answers;

	if (loaded_answer_bytes(loaded) <= limit)
		return 0;
	answers = hashmap_new(sizeof(uint64_t), sizeof(struct answer));
	if (!answers)
		return -ENOMEM;
	hashmap_free(loaded->answers);
	loaded->answers = answers;
	free(take_ptr(loaded->frames));
	loaded->frame_count = 0;
	loaded->frame_capacity = 0;
	return 0;
}

static size_t loaded_bytes(const struct loaded *loaded)
{
	size_t bytes = sizeof(*loaded) + loaded_answer_bytes(loaded), i;

	for (i = 0; i < provider_count; i++) {
		if (loaded->states[i])
			bytes += provider_table[i]->bytes(loaded->states[i]);
	}
	return bytes;
}

struct symbolizer *symbolizer_free(struct symbolizer *sym)
{
	size_t position = 0;
	void *value;

	if (!sym)
		return NULL;
	while (sym->modules && hashmap_next(sym->modules, &position, NULL, &value))
		loaded_free(*(struct loaded **)value);
	hashmap_free(sym->modules);
	kallsyms_free(sym->kallsyms);
	free(sym->kallsyms_path);
	names_free(sym->names);
	free(sym);
	return NULL;
}

struct symbolizer *symbolizer_new(const struct symbolizer_options *options)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = calloc(1, sizeof(*sym));
	const char *path = "/proc/kallsyms";

	if (!sym)
		return NULL;
	if (options && options->kallsyms_path)
		path = options->kallsyms_path;
	sym->cache_bytes = CACHE_BYTES_DEFAULT;
	if (options && options->cache_bytes)
		sym->cache_bytes = options->cache_bytes;
	sym->names = names_new();
	sym->modules = hashmap_new(sizeof(struct module *), sizeof(struct loaded *));
	sym->kallsyms_path = strdup(path);
	if (!sym->names || !sym->modules || !sym->kallsyms_path)
		return NULL;
	return take_ptr(sym);
}

/* What is known of @mod, loaded or not; NULL: no memory. */
static struct loaded *symbolizer_module(struct symbolizer *sym, struct module *mod)
{
	_cleanup_(loaded_freep) struct loaded *loaded = NULL;
	void *value;
	int r;

	if (sym->last && sym->last->mod == mod)
		return sym->last;
	value = hashmap_find(sym->modules, &mod);
	if (value)
		return sym->last = *(struct loaded **)value;
	loaded = loaded_new(mod);
	if (!loaded)
		return NULL;
	r = hashmap_add(sym->modules, &mod, &value);
	if (r < 0)
		return NULL;
	sym->stats.modules_loaded++;
	sym->last = loaded;
	*(struct loaded **)value = loaded;
	return take_ptr(loaded);
}

static void symbolizer_evict(struct symbolizer *sym, struct loaded *loaded)
{
	hashmap_remove(sym->modules, &loaded->mod);
	sym->stats.cache_bytes -= loaded->bytes;
	sym->stats.modules_evicted++;
	loaded_free(loaded);
}

/* The one that was not asked for longest, but for @kept; of those with providers when @open. */
static struct loaded *symbolizer_oldest(const struct symbolizer *sym, const struct loaded *kept,
					bool open)
{
	struct loaded *oldest = NULL, *candidate;
	size_t position = 0;
	void *value;

	while (hashmap_next(sym->modules, &position, NULL, &value)) {
		candidate = *(struct loaded **)value;
		if (candidate == kept || (open && !candidate->is_open))
			continue;
		if (!oldest || candidate->used < oldest->used)
			oldest = candidate;
	}
	return oldest;
}

static void symbolizer_count(struct symbolizer *sym, struct loaded *loaded)
{
	sym->stats.cache_bytes -= loaded->bytes;
	loaded->bytes = loaded_bytes(loaded);
	sym->stats.cache_bytes += loaded->bytes;
}

/*
 * Let go of something other than @kept: of what was read from a file first,
 * because debug information is a thousand times larger than the answers found
 * in it, and a program that is running asks for the same ones again. Returns
 * whether there was something.
 */
static bool symbolizer_shrink(struct symbolizer *sym, const struct loaded *kept)
{
	struct loaded *oldest = symbolizer_oldest(sym, kept, true);

	if (oldest) {
		loaded_close(oldest);
		symbolizer_count(sym, oldest);
		return true;
	}
	oldest = symbolizer_oldest(sym, kept, false);
	if (oldest)
		symbolizer_evict(sym, oldest);
	return oldest;
}

/* Count what @loaded has grown by, and make room for it; @loaded itself stays. */
static void symbolizer_account(struct symbolizer *sym, struct loaded *loaded)
{
	struct loaded *oldest;

	symbolizer_count(sym, loaded);
	while (sym->stats.cache_bytes > sym->cache_bytes) {
		if (!symbolizer_shrink(sym, loaded))
			break;
	}
	while (hashmap_count(sym->modules) > MODULES_MAX) {
		oldest = symbolizer_oldest(sym, loaded, false);
		if (!oldest)
			break;
		symbolizer_evict(sym, oldest);
	}
}

/* Open provider @index of the table for the module. Returns 0 or -ENOMEM: a module may lack any. */
static int loaded_open(struct symbolizer *sym, struct loaded *loaded, size_t index)
{
	const struct provider *provider = provider_table[index];
	uint64_t start_ns = clock_monotonic_ns();
	int r;

	r = provider->open(loaded->mod, &loaded->states[index]);
	sym->stats.load_ns += clock_monotonic_ns() - start_ns;
	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -ENOENT)
		log_debug(LOG_SYMBOLIZER, "reading %s: %s: %s", provider->name,
			  module_info(loaded->mod)->path, strerror(-r));
	loaded->opened[index] = true;
	loaded->is_open = true;
	return 0;
}

/* Ask the providers in turn; the last resort is the address itself. */
static int loaded_resolve(struct symbolizer *sym, struct loaded *loaded, uint64_t address,
			  struct frame *ret)
{
	size_t i;
	int r;

	for (i = 0; i < provider_count; i++) {
		r = loaded->opened[i] ? 0 : loaded_open(sym, loaded, i);
		if (r < 0)
			return r;
		if (!loaded->states[i])
			continue;
		r = provider_table[i]->lookup(loaded->states[i], sym->names, address, ret,
					      PROVIDER_FRAMES_MAX);
		if (r > 0 || r == -ENOMEM)
			return r;
	}
	r = names_address(sym->names, module_basename(loaded->mod), address, ret);
	if (r < 0)
		return r;
	ret->origin = FRAME_UNKNOWN;
	return 1;
}

/* Resolve @address and remember the answer. */
static int loaded_answer(struct symbolizer *sym, struct loaded *loaded, uint64_t address,
			 struct answer *ret)
{
	struct frame frames[PROVIDER_FRAMES_MAX] = { 0 };
	struct answer answer;
	void *value;
	int count, r;

	r = loaded_limit_answers(loaded, sym->cache_bytes / 2);
	if (r < 0)
		return r;
	count = loaded_resolve(sym, loaded, address, frames);
	if (count < 0)
		return count;
	r = alloc_grow(&loaded->frames, &loaded->frame_capacity,
		       loaded->frame_count + (size_t)count);
	if (r < 0)
		return r;
	r = hashmap_add(loaded->answers, &address, &value);
	if (r < 0)
		return r;
	answer.first = (uint32_t)loaded->frame_count;
	answer.count = (uint32_t)count;
	memcpy(loaded->frames + answer.first, frames, answer.count * sizeof(*frames));
	loaded->frame_count += answer.count;
	*(struct answer *)value = answer;
	*ret = answer;
	return 0;
}

int symbolizer_lookup(struct symbolizer *sym, struct module *mod, uint64_t address,
		      struct frame *ret, size_t max)
{
	const struct answer *known;
	struct answer answer;
	struct loaded *loaded;
	size_t count;
	int r;

	if (!max)
		return -EINVAL;
	loaded = symbolizer_module(sym, mod);
	if (!loaded)
		return -ENOMEM;
	loaded->used = ++sym->stats.lookups;
	known = hashmap_find(loaded->answers, &address);
	if (known) {
		answer = *known;
		sym->stats.cache_hits++;
	} else {
		r = loaded_answer(sym, loaded, address, &answer);
		if (r < 0)
			return r;
	}
	count = answer.count < max ? answer.count : max;
	memcpy(ret, loaded->frames + answer.first, count * sizeof(*ret));
	if (!known)
		symbolizer_account(sym, loaded);
	return (int)count;
}

/* Read the kernel's symbols, again too: what cannot be read leaves those there were. */
static int symbolizer_load_kernel(struct symbolizer *sym)
{
	uint64_t start_ns = clock_monotonic_ns();
	struct kallsyms *kallsyms = NULL;
	int r;

	r = kallsyms_read(sym->kallsyms_path, &kallsyms);
	sym->stats.load_ns += clock_monotonic_ns() - start_ns;
	if (r == -ENOMEM)
		return r;
	sym->kernel_state = KERNEL_FRESH;
	if (r < 0) {
		log_debug(LOG_SYMBOLIZER, "reading kernel symbols: %s: %s", sym->kallsyms_path,
			  strerror(-r));
		return 0;
	}
	kallsyms_free(sym->kallsyms);
	sym->kallsyms = kallsyms;
	sym->stats.kernel_bytes = kallsyms_bytes(kallsyms);
	return 0;
}

void symbolizer_refresh_kernel(struct symbolizer *sym)
{
	if (sym->kernel_state == KERNEL_FRESH)
		sym->kernel_state = KERNEL_STALE;
}

static int symbolizer_find_kernel(struct symbolizer *sym, uint64_t address,
				  struct kallsyms_symbol *ret)
{
	return sym->kallsyms ? kallsyms_find(sym->kallsyms, address, ret) : -ENOENT;
}

/* Returns 0 or -ENOMEM; @ret has no name when there is none. */
static int symbolizer_kernel_symbol(struct symbolizer *sym, uint64_t address,
				    struct kallsyms_symbol *ret)
{
	int r;

	if (sym->kernel_state == KERNEL_UNREAD) {
		r = symbolizer_load_kernel(sym);
		if (r < 0)
			return r;
	}
	r = symbolizer_find_kernel(sym, address, ret);
	/* What was loaded later is often taken for the end of what was there before it. */
	if (sym->kernel_state == KERNEL_STALE && (r < 0 || ret->module)) {
		r = symbolizer_load_kernel(sym);
		if (r < 0)
			return r;
		*ret = (struct kallsyms_symbol){ 0 };
		symbolizer_find_kernel(sym, address, ret);
	}
	return 0;
}

int symbolizer_lookup_kernel(struct symbolizer *sym, uint64_t address, struct frame *ret,
			     size_t max, const char **ret_module)
{
	struct frame frame = { .origin = FRAME_UNKNOWN };
	struct kallsyms_symbol symbol = { 0 };
	const char *module;
	int r;

	if (!max)
		return -EINVAL;
	r = symbolizer_kernel_symbol(sym, address, &symbol);
	if (r < 0)
		return r;
	if (symbol.name) {
		r = names_symbol(sym->names, symbol.name, &frame);
		frame.start = symbol.start;
		frame.origin = FRAME_KALLSYMS;
	} else {
		r = names_address(sym->names, "", address, &frame);
	}
	if (r < 0)
		return r;
	/* Ours outlives the next reading. */
	module = names_text(sym->names, symbol.module ?: "[kernel.kallsyms]");
	if (!module)
		return -ENOMEM;
	*ret = frame;
	*ret_module = module;
	return 1;
}

void symbolizer_stats(const struct symbolizer *sym, struct symbolizer_stats *ret)
{
	*ret = sym->stats;
	ret->text_bytes = names_bytes(sym->names);
}
