/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_impl.h - what a kind of sink is made of; only for the files sink*.c.
 *
 * A kind embeds struct sink as its first member.
 */
#ifndef WICK_SINK_IMPL_H
#define WICK_SINK_IMPL_H

#include "formats/sink.h"

struct sink_ops {
	/* Takes all of @bytes. Returns 0 or a negative errno, which then sticks. */
	int (*write)(struct sink *sink, const void *bytes, size_t size);
	/* Called at most once, and only when no write failed: flush, then publish. */
	int (*finish)(struct sink *sink);
	/* Releases everything; what has not been finished leaves no trace. */
	void (*free)(struct sink *sink);
};

struct sink {
	const struct sink_ops *ops;
	struct sink *below; /* NULL in the lowest */
	uint64_t written_bytes;
	int error;
};

#endif
