/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/answers.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "symbolizer/symbolizer.h"

/* In answers.frames. */
struct place {
	uint32_t first;
	uint32_t count;
};

int answers_init(struct answers *answers)
{
	*answers = (struct answers){ 0 };
	answers->places = hashmap_new(sizeof(uint64_t), sizeof(struct place));
	return answers->places ? 0 : -ENOMEM;
}

void answers_done(struct answers *answers)
{
	hashmap_free(answers->places);
	free(answers->frames);
}

const struct frame *answers_find(const struct answers *answers, uint64_t address,
				 size_t *ret_count)
{
	const struct place *place = hashmap_find(answers->places, &address);

	if (!place)
		return NULL;
	*ret_count = place->count;
	return answers->frames + place->first;
}

int answers_add(struct answers *answers, uint64_t address, const struct frame *frames,
		size_t count)
{
	void *value;
	int r = alloc_grow(&answers->frames, &answers->frame_capacity,
			   answers->frame_count + count);

	if (r < 0)
		return r;
	r = hashmap_add(answers->places, &address, &value);
	if (r <= 0)
		return r;
	*(struct place *)value = (struct place){ (uint32_t)answers->frame_count,
						 (uint32_t)count };
	memcpy(answers->frames + answers->frame_count, frames, count * sizeof(*frames));
	answers->frame_count += count;
	return 0;
}

int answers_clear(struct answers *answers)
{
	struct answers empty;
	int r = answers_init(&empty);

	if (r < 0)
		return r;
	answers_done(answers);
	*answers = empty;
	return 0;
}

size_t answers_bytes(const struct answers *answers)
{
	return hashmap_bytes(answers->places) +
	       answers->frame_capacity * sizeof(*answers->frames);
}
