/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * providers.h - the providers of one module, opened as they are asked.
 *
 * Knows the provider table and nothing of caches: what it found is for the
 * caller to remember.
 */
#ifndef WICK_PROVIDERS_H
#define WICK_PROVIDERS_H

#include "symbolizer/providers/provider.h"

struct debuginfod;

struct providers {
	void *states[PROVIDERS_MAX];	/* by place in the provider table; NULL: it has nothing */
	bool opened[PROVIDERS_MAX];
	bool is_open;			/* any of them */
	uint64_t load_ns;		/* spent opening them */
};

/* What is asked, and with what. */
struct providers_question {
	struct module *mod;		/* the same as long as anything is open */
	struct names *names;
	struct debuginfod *debuginfod;	/* NULL: there is none */
	bool without_libdw;		/* only by what is ours */
};

/*
 * Ask the providers in turn; the last resort is the address itself, FRAME_UNKNOWN. Fills zeroed
 * @ret, of PROVIDER_FRAMES_MAX. Returns how many frames, at least one, or -ENOMEM.
 */
int providers_lookup(struct providers *providers, const struct providers_question *question,
		     uint64_t address, struct frame *ret);
/* Memory held by those that are open. */
size_t providers_bytes(const struct providers *providers);
void providers_close(struct providers *providers);

#endif
