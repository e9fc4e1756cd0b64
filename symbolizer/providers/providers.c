/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/providers/providers.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "symbolizer/elf/debuginfod.h"
#include "symbolizer/names.h"

void providers_close(struct providers *p)
{
	size_t i;

	for (i = 0; i < provider_count; i++) {
		if (p->states[i])
			provider_table[i]->free(p->states[i]);
		p->states[i] = NULL;
		p->opened[i] = false;
	}
	p->is_open = false;
}

size_t providers_bytes(const struct providers *p)
{
	size_t bytes = 0, i;

	for (i = 0; i < provider_count; i++) {
		if (p->states[i])
			bytes += provider_table[i]->bytes(p->states[i]);
	}
	return bytes;
}

/* What @provider has of the module's debug file that a server has. */
static int open_remote(const struct providers_question *question, const struct provider *provider,
		       void **ret)
{
	_cleanup_(module_putp) struct module *found = NULL;
	int r;

	r = debuginfod_find(question->debuginfod, question->mod, &found);
	return r < 0 ? r : provider->open(found, ret);
}

/* Open provider @index of the table. Returns 0 or -ENOMEM: a module may lack any. */
static int provider_open(struct providers *p, const struct providers_question *question,
			 size_t index)
{
	const struct provider *provider = provider_table[index];
	uint64_t start_ns = clock_monotonic_ns();
	int r;

	r = provider->open(question->mod, &p->states[index]);
	if (r == -ENOENT && provider->in_debug_files && question->debuginfod)
		r = open_remote(question, provider, &p->states[index]);
	p->load_ns += clock_monotonic_ns() - start_ns;
	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -ENOENT)
		log_debug(LOG_SYMBOLIZER, "reading %s: %s: %s", provider->name,
			  module_info(question->mod)->path, strerror(-r));
	p->opened[index] = true;
	p->is_open = true;
	return 0;
}

int providers_lookup(struct providers *p, const struct providers_question *question,
		     uint64_t address, struct frame *ret)
{
	size_t i;
	int r;

	for (i = 0; i < provider_count; i++) {
		if (question->without_libdw && provider_table[i]->by_libdw)
			continue;
		r = p->opened[i] ? 0 : provider_open(p, question, i);
		if (r < 0)
			return r;
		if (!p->states[i])
			continue;
		r = provider_table[i]->lookup(p->states[i], question->names, address, ret,
					      PROVIDER_FRAMES_MAX);
		if (r > 0 || r == -ENOMEM)
			return r;
	}
	r = names_address(question->names, module_basename(question->mod), address, ret);
	if (r < 0)
		return r;
	ret->origin = FRAME_UNKNOWN;
	return 1;
}
