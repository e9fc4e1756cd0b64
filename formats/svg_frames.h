/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_frames.h - the frames of a flame graph as SVG elements; only for svg.c.
 *
 * Widths and positions are percentages, so that the page can be made wider by
 * changing one number; labels are cut for the width given here.
 */
#ifndef WICK_SVG_FRAMES_H
#define WICK_SVG_FRAMES_H

#include "formats/flame_tree.h"
#include "formats/quantity.h"
#include "formats/sink.h"

/* In pixels; narrower frames are not drawn. */
#define SVG_MIN_WIDTH 0.1
#define SVG_KIND_COUNT (STACK_FRAME_MARK + 1)

struct svg_kind {
	char letter; /* of its CSS classes */
	const char *name;
	int legend_width; /* pixels */
};

extern const struct svg_kind svg_kinds[SVG_KIND_COUNT];

struct svg_frames {
	const struct profile *profile;
	const struct profile_value_type *type;
	const struct flame_tree *tree;
	int width;
	bool icicle; /* the root on top */
	uint32_t height;
	double min_share; /* of the total, for a frame to be drawn */
	uint32_t depth_max; /* deeper frames are not drawn: towers hardly a pixel wide */
	uint64_t hidden_count; /* frames that are not */
	bool has_kind[SVG_KIND_COUNT];
};

void svg_frames_init(struct svg_frames *frames, const struct profile *profile,
		     const struct writer_options *options, const struct flame_tree *tree,
		     int width);
/* @text: scratch. Returns 0 or a negative errno. */
int svg_frames_write(const struct svg_frames *frames, struct sink *sink, struct strbuf *text);
/* How many bytes of @text are at most @count characters, one less if more follow. */
size_t svg_clip_text(const char *text, size_t count);

#endif
