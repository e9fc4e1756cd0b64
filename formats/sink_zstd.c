/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "formats/sink_impl.h"

#define ZSTD_OUT_BYTES (64 << 10)

struct sink_zstd {
	struct sink sink;
	ZSTD_CCtx *context;
	unsigned char out[ZSTD_OUT_BYTES];
};

/* Compress @bytes and hand on what comes out; with ZSTD_e_end all that is left. */
static int zstd_compress(struct sink_zstd *zstd, const void *bytes, size_t size,
			 ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { .src = bytes, .size = size };
	ZSTD_outBuffer out;
	size_t left;
	int r;

	do {
		out = (ZSTD_outBuffer){ .dst = zstd->out, .size = sizeof(zstd->out) };
		left = ZSTD_compressStream2(zstd->context, &out, &in, end);
		if (ZSTD_isError(left))
			return -EIO;
		r = sink_write(zstd->sink.below, zstd->out, out.pos);
		if (r < 0)
			return r;
	} while (end == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

static int sink_zstd_write(struct sink *sink, const void *bytes, size_t size)
{
	return zstd_compress((struct sink_zstd *)sink, bytes, size, ZSTD_e_continue);
}

static int sink_zstd_finish(struct sink *sink)
{
	int r = zstd_compress((struct sink_zstd *)sink, NULL, 0, ZSTD_e_end);

	return r < 0 ? r : sink_close(take_ptr(sink->below));
}

static void sink_zstd_free(struct sink *sink)
{
	struct sink_zstd *zstd = (struct sink_zstd *)sink;

	ZSTD_freeCCtx(zstd->context);
	sink_abort(sink->below);
	free(zstd);
}

static const struct sink_ops sink_zstd_ops = {
	.write = sink_zstd_write,
	.finish = sink_zstd_finish,
	.free = sink_zstd_free,
};

int sink_open_zstd(struct sink *below, int level, struct sink **ret)
{
	_cleanup_free_ struct sink_zstd *zstd = malloc(sizeof(*zstd));
	size_t r;

	if (!zstd)
		return -ENOMEM;
	zstd->sink = (struct sink){ .ops = &sink_zstd_ops, .below = below };
	zstd->context = ZSTD_createCCtx();
	if (!zstd->context)
		return -ENOMEM;
	/* Level 0 is zstd's own word for its default, 3. */
	r = ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_compressionLevel, level);
	if (ZSTD_isError(r)) {
		ZSTD_freeCCtx(zstd->context);
		return -EINVAL;
	}
	*ret = &take_ptr(zstd)->sink;
	return 0;
}
