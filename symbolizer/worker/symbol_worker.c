/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/worker/symbol_worker.h"

#include "symbolizer/providers/provider.h"
#include "symbolizer/worker/symbol_wire.h"

static int answers_take(const uint8_t *bytes, size_t size, const uint64_t *addresses, size_t count,
			int (*answer)(void *context, uint64_t address, const struct frame *frames,
				      size_t count),
			void *context)
{
	struct symbol_wire_reader reader = { .bytes = bytes, .size = size };
	struct frame frames[PROVIDER_FRAMES_MAX];

	for (size_t i = 0; i < count; i++) {
		int frame_count = symbol_wire_next(&reader, frames, PROVIDER_FRAMES_MAX), r;

		if (frame_count < 0)
			return frame_count;
		r = answer(context, addresses[i], frames, (size_t)frame_count);
		if (r < 0)
			return r;
	}
	return 0;
}

int symbol_worker_ask(struct worker *w, const uint64_t *addresses, size_t count,
		      int (*answer)(void *context, uint64_t address, const struct frame *frames,
				    size_t count),
		      void *context)
{
	for (size_t done = 0, part; done < count; done += part) {
		struct worker_question question = { .type = WORKER_SYMBOLS,
						    .parts = { addresses + done } };
		_cleanup_free_ uint8_t *bytes = NULL;
		size_t size = 0;
		int r;

		part = count - done < WORKER_ADDRESSES_MAX ? count - done : WORKER_ADDRESSES_MAX;
		question.sizes[0] = part * sizeof(*addresses);
		r = worker_ask(w, &question, &bytes, &size);
		if (r < 0)
			return r;
		r = answers_take(bytes, size, addresses + done, part, answer, context);
		if (r < 0)
			return worker_fail(w, r);
	}
	return 0;
}
