/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processing.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "profiler/base/thread.h"
#include "profiler/event_stream.h"

struct processing {
	struct processing_options options;
	struct window *run;
	struct jit_maps *jit_maps;
	uint64_t lost;
	pthread_t thread;
	bool running;
};

int processing_new(const struct processing_options *options, struct processing **ret)
{
	_cleanup_(processing_freep) struct processing *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->options = *options;
	p->run = window_new(options->window_bytes);
	p->jit_maps = jit_maps_new();
	if (!p->run || !p->jit_maps)
		return -ENOMEM;
	*ret = take_ptr(p);
	return 0;
}

static void window_take(struct processing *p, const struct window *window)
{
	uint64_t lost;

	jit_maps_note(p->jit_maps, window);
	label_notes_add(p->options.notes, window);
	if (p->options.stream)
		event_stream_add(p->options.stream, window, p->jit_maps);
	else if (window_merge(p->run, window, &lost) < 0)
		p->lost += lost;
}

static void *processing_run(void *argument)
{
	struct processing *p = argument;
	void *item;

	thread_begin("wick-processing", THREAD_NICE_USUAL);
	while (!queue_take(p->options.in, -1, &item)) {
		_cleanup_(window_freep) struct window *window = item;

		window_take(p, window);
	}
	if (p->options.stream)
		event_stream_end(p->options.stream);
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
