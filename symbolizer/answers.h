/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answers.h - the frames of addresses of one module that were asked for before.
 */
#ifndef WICK_ANSWERS_H
#define WICK_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

struct frame;
struct hashmap;

struct answers {
	struct hashmap *places;		/* address to where its frames are */
	struct frame *frames;
	size_t frame_count, frame_capacity;
};

/* Returns 0 or -ENOMEM. */
int answers_init(struct answers *answers);
void answers_done(struct answers *answers);
/* The frames of @address, until the next call that adds some; NULL when they are not known. */
const struct frame *answers_find(const struct answers *answers, uint64_t address,
				 size_t *ret_count);
/* @frames is copied, the texts are not. Returns 0, also when @address is known, or -ENOMEM. */
int answers_add(struct answers *answers, uint64_t address, const struct frame *frames,
		size_t count);
/* Forget all of them. Returns 0 or -ENOMEM, and then nothing is forgotten. */
int answers_clear(struct answers *answers);
size_t answers_bytes(const struct answers *answers);

#endif
