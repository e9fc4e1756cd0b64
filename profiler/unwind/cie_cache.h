/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cie_cache.h - CIEs already read, for the many FDEs that share one.
 *
 * Of a fixed size: a file has some tens of CIEs, and one with more is merely
 * read slower. Remembers damaged ones too.
 */
#ifndef WICK_CIE_CACHE_H
#define WICK_CIE_CACHE_H

#include "profiler/unwind/cfi_program.h"

#define CIE_CACHE_SLOTS 64u

struct cie_cache_slot {
	const struct cfi_section *section;	/* NULL: never used */
	size_t offset;
	bool damaged;
	struct cfi_common common;
};

/* Starts out as zeros. */
struct cie_cache {
	struct cie_cache_slot slots[CIE_CACHE_SLOTS];
};

/* The CIE at @offset, until the next call, or NULL when it is damaged. */
const struct cfi_common *cie_cache_find(struct cie_cache *cache, const struct cfi_section *section,
					size_t offset);

#endif
