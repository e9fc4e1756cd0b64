/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processing.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "profiler/base/thread.h"

struct processing {
	struct queue *in;
	struct window *run;
	struct jit_maps *jit_maps;
	struct label_notes *notes;
	uint64_t lost;
	pthread_t thread;
	bool running;
};

int processing_new(struct queue *in, uint64_t window_bytes, struct label_notes *notes,
		   struct processing **ret)
{
	_cleanup_(processing_freep) struct processing *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->in = in;
	p->notes = notes;
	p->run = window_new(window_bytes);
	p->jit_maps = jit_maps_new();
	if (!p->run || !p->jit_maps)
		return -ENOMEM;
	*ret = take_ptr(p);
	return 0;
}

static void *processing_run(void *argument)
{
	struct processing *p = argument;
	void *item;

	thread_begin("wick-processing", THREAD_NICE_USUAL);
	while (!queue_take(p->in, -1, &item)) {
		_cleanup_(window_freep) struct window *window = item;
		uint64_t lost;

		jit_maps_note(p->jit_maps, window);
		label_notes_add(p->notes, window);
		if (window_merge(p->run, window, &lost) < 0)
			p->lost += lost;
	}
	return NULL;
}

int processing_start(struct processing *p)
{
	int r = pthread_create(&p->thread, NULL, processing_run, p);

	p->running = !r;
	return -r;
}

void processing_join(struct processing *p)
{
	if (!p->running)
		return;
	pthread_join(p->thread, NULL);
	p->running = false;
}

struct processing *processing_free(struct processing *p)
{
	if (!p)
		return NULL;
	processing_join(p);
	window_free(p->run);
	jit_maps_free(p->jit_maps);
	free(p);
	return NULL;
}

const struct window *processing_window(const struct processing *p)
{
	return p->run;
}

struct jit_maps *processing_jit_maps(struct processing *p)
{
	return p->jit_maps;
}

uint64_t processing_lost(const struct processing *p)
{
	return p->lost;
}
