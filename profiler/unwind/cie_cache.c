/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/cie_cache.h"

const struct cfi_common *cie_cache_find(struct cie_cache *cache, const struct cfi_section *section,
					size_t offset)
{
	/* Entries begin at multiples of 4, nearly always of 8. */
	struct cie_cache_slot *slot = &cache->slots[(offset >> 3 ^ offset >> 9) % CIE_CACHE_SLOTS];

	if (slot->section != section || slot->offset != offset) {
		slot->section = section;
		slot->offset = offset;
		slot->damaged = cfi_common_read(section, offset, &slot->common) < 0;
	}
	return slot->damaged ? NULL : &slot->common;
}
