/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/kernel_symbols.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"

struct kernel_symbols {
	char *path;
	struct kallsyms *kallsyms;	/* NULL: not read yet, or hidden */
	enum { KERNEL_UNREAD, KERNEL_FRESH, KERNEL_STALE } state;
	uint64_t load_ns;
};

struct kernel_symbols *kernel_symbols_new(const char *path)
{
	_cleanup_(kernel_symbols_freep) struct kernel_symbols *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->path = strdup(path ?: "/proc/kallsyms");
	if (!k->path)
		return NULL;
	return take_ptr(k);
}

struct kernel_symbols *kernel_symbols_free(struct kernel_symbols *k)
{
	if (!k)
		return NULL;
	kallsyms_free(k->kallsyms);
	free(k->path);
	free(k);
	return NULL;
}

/* Again too: what cannot be read leaves those there were. */
static int kernel_load(struct kernel_symbols *k)
{
	uint64_t start_ns = clock_monotonic_ns();
	struct kallsyms *kallsyms = NULL;
	int r;

	r = kallsyms_read(k->path, &kallsyms);
	k->load_ns += clock_monotonic_ns() - start_ns;
	if (r == -ENOMEM)
		return r;
	k->state = KERNEL_FRESH;
	if (r < 0) {
		log_debug(LOG_SYMBOLIZER, "reading kernel symbols: %s: %s", k->path, strerror(-r));
		return 0;
	}
	kallsyms_free(k->kallsyms);
	k->kallsyms = kallsyms;
	return 0;
}

void kernel_symbols_refresh(struct kernel_symbols *k)
{
	if (k->state == KERNEL_FRESH)
		k->state = KERNEL_STALE;
}

static int kernel_find(const struct kernel_symbols *k, uint64_t address,
		       struct kallsyms_symbol *ret)
{
	return k->kallsyms ? kallsyms_find(k->kallsyms, address, ret) : -ENOENT;
}

int kernel_symbols_find(struct kernel_symbols *k, uint64_t address, struct kallsyms_symbol *ret)
{
	int r;

	if (k->state == KERNEL_UNREAD) {
		r = kernel_load(k);
		if (r < 0)
			return r;
	}
	r = kernel_find(k, address, ret);
	/* What was loaded later is often taken for the end of what was there before it. */
	if (k->state == KERNEL_STALE && (r < 0 || ret->module)) {
		r = kernel_load(k);
		if (r < 0)
			return r;
		*ret = (struct kallsyms_symbol){ 0 };
		kernel_find(k, address, ret);
	}
	return 0;
}

uint64_t kernel_symbols_load_ns(const struct kernel_symbols *k)
{
	return k->load_ns;
}

size_t kernel_symbols_bytes(const struct kernel_symbols *k)
{
	return k->kallsyms ? kallsyms_bytes(k->kallsyms) : 0;
}
