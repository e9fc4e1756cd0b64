/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/symbolizer.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "profiler/base/log.h"
#include "profiler/base/strbuf.h"
#include "symbolizer/answers.h"
#include "symbolizer/elf/debuginfod.h"
#include "symbolizer/kernel_symbols.h"
#include "symbolizer/names.h"
#include "symbolizer/providers/providers.h"
#include "symbolizer/worker/symbol_worker.h"

#define CACHE_BYTES_DEFAULT ((size_t)32 << 20)
#define DEBUGINFOD_NS_DEFAULT (60 * 1000000000ull)
/*
 * Each holds a file descriptor by its reference to the module, and small
 * programs come and go without ever reaching the limit in bytes.
 */
#define MODULES_MAX 512

/* How far its file is believed: each step is taken when the one before has killed who read it. */
enum belief { BELIEVE_ALL, BELIEVE_SYMBOLS, BELIEVE_NOTHING };

/* What is in memory about one module. */
struct loaded {
	struct module *mod;
	struct providers providers;	/* unless another process reads it */
	struct answers answers;
	size_t bytes;			/* of all this, as counted in stats.cache_bytes */
	uint64_t used;			/* when, in lookups */
	enum belief belief;
};

struct symbolizer {
	struct names *names;
	struct hashmap *modules;	/* struct module * → struct loaded * */
	struct loaded *last;		/* addresses come module by module */
	size_t cache_bytes;
	struct kernel_symbols *kernel;
	struct debuginfod *debuginfod;	/* NULL: there is none */
	struct worker *worker;	/* NULL: files are read by this process */
	bool endless;
	bool without_libdw;
	struct symbolizer_failure *failures;
	size_t failure_count, failure_capacity;
	struct symbolizer_stats stats;
};

static struct loaded *loaded_free(struct loaded *loaded)
{
	if (!loaded)
		return NULL;
	providers_close(&loaded->providers);
	answers_done(&loaded->answers);
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
	if (answers_init(&loaded->answers) < 0)
		return NULL;
	return take_ptr(loaded);
}

static size_t loaded_bytes(const struct loaded *loaded)
{
	return sizeof(*loaded) + answers_bytes(&loaded->answers) +
	       providers_bytes(&loaded->providers);
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
	kernel_symbols_free(sym->kernel);
	debuginfod_free(sym->debuginfod);
	worker_free(sym->worker);
	free(sym->failures);
	names_free(sym->names);
	free(sym);
	return NULL;
}

static int symbolizer_find_debuginfod(struct symbolizer *sym, uint64_t limit_ns)
{
	int r = debuginfod_new(limit_ns ?: DEBUGINFOD_NS_DEFAULT, &sym->debuginfod);

	if (r < 0 && r != -ENOMEM && r != -ENOENT)
		log_debug(LOG_SYMBOLIZER, "continuing without debuginfod: %s", strerror(-r));
	return r == -ENOMEM ? r : 0;
}

struct symbolizer *symbolizer_new(const struct symbolizer_options *options)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = calloc(1, sizeof(*sym));

	if (!sym)
		return NULL;
	sym->cache_bytes = CACHE_BYTES_DEFAULT;
	if (options && options->cache_bytes)
		sym->cache_bytes = options->cache_bytes;
	sym->names = names_new();
	sym->modules = hashmap_new(sizeof(struct module *), sizeof(struct loaded *));
	sym->kernel = kernel_symbols_new(options ? options->kallsyms_path : NULL);
	if (!sym->names || !sym->modules || !sym->kernel)
		return NULL;
	if (symbolizer_find_debuginfod(sym, options ? options->debuginfod_ns : 0) < 0)
		return NULL;
	sym->endless = options && options->endless;
	if (options && options->isolated) {
		sym->worker = worker_new(options->module_ns);
		if (!sym->worker)
			return NULL;
	}
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
		if (candidate == kept || (open && !candidate->providers.is_open))
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
		providers_close(&oldest->providers);
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

/* ---- answers ---- */

static int loaded_remember(struct symbolizer *sym, struct loaded *loaded, uint64_t address,
			   const struct frame *frames, size_t count)
{
	/* One module must not fill the cache. */
	if (answers_bytes(&loaded->answers) > sym->cache_bytes / 2) {
		int r = answers_clear(&loaded->answers);

		if (r < 0)
			return r;
	}
	return answers_add(&loaded->answers, address, frames, count);
}

/* By this process. */
static int loaded_read(struct symbolizer *sym, struct loaded *loaded, uint64_t address)
{
	struct providers_question question = { .mod = loaded->mod, .names = sym->names,
					       .debuginfod = sym->debuginfod,
					       .without_libdw = sym->without_libdw };
	uint64_t before_ns = loaded->providers.load_ns;
	struct frame frames[PROVIDER_FRAMES_MAX] = { 0 };
	int count = providers_lookup(&loaded->providers, &question, address, frames);

	sym->stats.load_ns += loaded->providers.load_ns - before_ns;
	return count < 0 ? count : loaded_remember(sym, loaded, address, frames, (size_t)count);
}

struct answering {
	struct symbolizer *sym;
	struct loaded *loaded;
};

/* Frames from another process, with texts of its own. */
static int take_answer(void *context, uint64_t address, const struct frame *frames, size_t count)
{
	struct answering *answering = context;
	struct names *names = answering->sym->names;
	struct frame ours[PROVIDER_FRAMES_MAX];

	for (size_t i = 0; i < count; i++) {
		ours[i] = frames[i];
		ours[i].function = names_text(names, frames[i].function);
		ours[i].system_name = names_text(names, frames[i].system_name);
		ours[i].file = frames[i].file ? names_text(names, frames[i].file) : NULL;
		if (!ours[i].function || !ours[i].system_name || !ours[i].file != !frames[i].file)
			return -ENOMEM;
	}
	return loaded_remember(answering->sym, answering->loaded, address, ours, count);
}

static int ask_worker(struct symbolizer *sym, struct loaded *loaded, const uint64_t *addresses,
		      size_t count)
{
	struct answering answering = { .sym = sym, .loaded = loaded };
	int r = worker_open(sym->worker, loaded->mod, loaded->belief > BELIEVE_ALL,
			    sym->debuginfod);

	if (!r && sym->endless)
		worker_renew(sym->worker);
	return r ?: symbol_worker_ask(sym->worker, addresses, count, take_answer, &answering);
}

/* @loaded is not believed as much any more, or without @loaded no file is. */
static int note_failure(struct symbolizer *sym, const struct loaded *loaded, int error)
{
	struct symbolizer_failure *failure;
	int r = alloc_grow(&sym->failures, &sym->failure_capacity, sym->failure_count + 1);

	if (r < 0)
		return r;
	failure = &sym->failures[sym->failure_count++];
	*failure = (struct symbolizer_failure){ .error = error };
	if (!loaded)
		return 0;
	failure->by_address = loaded->belief == BELIEVE_NOTHING;
	failure->path = names_text(sym->names, module_info(loaded->mod)->path);
	return failure->path ? 0 : -ENOMEM;
}

/* By another process, which may die of it. */
static int loaded_ask(struct symbolizer *sym, struct loaded *loaded, const uint64_t *addresses,
		      size_t count)
{
	int r = 0;

	while (loaded->belief < BELIEVE_NOTHING) {
		r = ask_worker(sym, loaded, addresses, count);
		if (r >= 0 || r == -ENOMEM || r == -ECHILD)
			return r;
		loaded->belief++;
		r = note_failure(sym, loaded, r);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count && !r; i++) {
		struct frame frame = { .origin = FRAME_UNKNOWN };

		r = names_address(sym->names, module_basename(loaded->mod), addresses[i], &frame);
		r = r ?: loaded_remember(sym, loaded, addresses[i], &frame, 1);
	}
	return r;
}

static int loaded_answer(struct symbolizer *sym, struct loaded *loaded, const uint64_t *addresses,
			 size_t count)
{
	int r = 0;

	/* What has no file is an image of the kernel's, or has no names. */
	if (sym->worker && module_fd(loaded->mod) >= 0) {
		r = loaded_ask(sym, loaded, addresses, count);
		if (r != -ECHILD)
			return r;
		sym->worker = worker_free(sym->worker);
		sym->without_libdw = true;
		r = note_failure(sym, NULL, r);
	}
	for (size_t i = 0; i < count && !r; i++)
		r = loaded_read(sym, loaded, addresses[i]);
	return r;
}

int symbolizer_prepare(struct symbolizer *sym, struct module *mod, const uint64_t *addresses,
		       size_t count)
{
	struct loaded *loaded;
	int r;

	if (!sym->worker || !count)
		return 0;
	loaded = symbolizer_module(sym, mod);
	if (!loaded)
		return -ENOMEM;
	loaded->used = sym->stats.lookups;
	r = loaded_answer(sym, loaded, addresses, count);
	symbolizer_account(sym, loaded);
	return r;
}

int symbolizer_lookup(struct symbolizer *sym, struct module *mod, uint64_t address,
		      struct frame *ret, size_t max)
{
	const struct frame *known;
	struct loaded *loaded;
	bool is_new;
	size_t count;
	int r;

	if (!max)
		return -EINVAL;
	loaded = symbolizer_module(sym, mod);
	if (!loaded)
		return -ENOMEM;
	loaded->used = ++sym->stats.lookups;
	known = answers_find(&loaded->answers, address, &count);
	is_new = !known;
	sym->stats.cache_hits += !is_new;
	if (is_new) {
		r = loaded_answer(sym, loaded, &address, 1);
		if (r < 0)
			return r;
		known = answers_find(&loaded->answers, address, &count);
	}
	count = count < max ? count : max;
	memcpy(ret, known, count * sizeof(*ret));
	if (is_new)
		symbolizer_account(sym, loaded);
	return (int)count;
}

const struct symbolizer_failure *symbolizer_failures(const struct symbolizer *sym,
						     size_t *ret_count)
{
	*ret_count = sym->failure_count;
	return sym->failures;
}

void symbolizer_failure_write(const struct symbolizer_failure *failure, struct strbuf *ret)
{
	if (!failure->path)
		strbuf_add_text(ret, "no process for reading debug information: continuing without "
				     "inlined calls and lines");
	else
		strbuf_printf(ret, "%s of %s %s: continuing with its %s",
			      failure->by_address ? "the symbol table" : "the debug information",
			      failure->path, worker_error_text(failure->error),
			      failure->by_address ? "addresses" : "symbols");
}

/* ---- the kernel ---- */

void symbolizer_refresh_kernel(struct symbolizer *sym)
{
	kernel_symbols_refresh(sym->kernel);
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
	r = kernel_symbols_find(sym->kernel, address, &symbol);
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
	ret->load_ns += kernel_symbols_load_ns(sym->kernel);
	ret->kernel_bytes = kernel_symbols_bytes(sym->kernel);
	ret->text_bytes = names_bytes(sym->names);
	ret->worker_cpu_ns = sym->worker ? worker_cpu_ns(sym->worker) : 0;
}
