/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/svg_frames.h"

#include <inttypes.h>
#include <string.h>

#include "formats/xml.h"

#define ROW_HEIGHT 18
#define TEXT_BASELINE 13
#define TEXT_PADDING 3
#define TEXT_MIN_CHARACTERS 4
#define CHARACTER_WIDTH 7.26 /* of a 12 pixel monospace font: 0.605 em */
#define SHADE_COUNT 4

/*
 * A tower a pixel wide makes the page as tall as itself: levels without a frame this
 * wide are drawn only up to LEVELS_MIN.
 */
#define LEVEL_MIN_WIDTH 6
#define LEVELS_MIN 24
#define THIN_WIDTH 3 /* below, an outline would leave nothing to see */
/* More than browsers handle with ease; then only wider frames are drawn. */
#define FRAMES_MAX 20000

const struct svg_kind svg_kinds[SVG_KIND_COUNT] = {
	[STACK_FRAME_TASK] = { 't', "process", 76 },
	[STACK_FRAME_NATIVE] = { 'n', "native", 66 },
	[STACK_FRAME_INLINED] = { 'i', "inlined", 70 },
	[STACK_FRAME_KERNEL] = { 'k', "kernel", 68 },
	[STACK_FRAME_JIT] = { 'j', "JIT", 48 },
	[STACK_FRAME_MARK] = { 'm', "incomplete stack", 122 },
};

static bool svg_frame_is_shown(const struct svg_frames *frames, const struct flame_node *node)
{
	return node->depth <= frames->depth_max &&
	       (double)node->total >= frames->min_share * (double)frames->tree->nodes[0].total;
}

/* The deepest level with a frame that is wide enough to be worth its height. */
static uint32_t svg_frames_depth(const struct flame_tree *tree, int width)
{
	double least = (double)tree->nodes[0].total * LEVEL_MIN_WIDTH / width;
	uint32_t depth = LEVELS_MIN;

	for (size_t i = 0; i < tree->node_count; i++) {
		const struct flame_node *node = &tree->nodes[i];

		if (node->depth > depth && (double)node->total >= least)
			depth = node->depth;
	}
	return depth;
}

/* How many frames are wide enough; notes their kinds and height. */
static size_t svg_frames_measure(struct svg_frames *frames)
{
	const struct flame_node *node = frames->tree->nodes;
	const struct flame_node *end = node + frames->tree->node_count;
	size_t count = 0;

	memset(frames->has_kind, 0, sizeof(frames->has_kind));
	frames->height = 0;
	for (; node < end; node++) {
		if (!svg_frame_is_shown(frames, node))
			continue;
		count++;
		frames->has_kind[node->kind] = true;
		if ((node->depth + 1) * ROW_HEIGHT > frames->height)
			frames->height = (node->depth + 1) * ROW_HEIGHT;
	}
	return count;
}

void svg_frames_init(struct svg_frames *frames, const struct profile *profile,
		     const struct writer_options *options, const struct flame_tree *tree, int width)
{
	int type = options ? (int)options->value_type : writer_main_value(profile, NULL);
	size_t shown;

	*frames = (struct svg_frames){
		.profile = profile,
		.type = &profile->value_types[type],
		.tree = tree,
		.width = width,
		.icicle = options && options->icicle,
		.min_share = SVG_MIN_WIDTH / width,
		.depth_max = svg_frames_depth(tree, width),
	};
	shown = svg_frames_measure(frames);
	while (shown > FRAMES_MAX) {
		frames->min_share *= 1.5;
		shown = svg_frames_measure(frames);
	}
	frames->hidden_count = tree->dropped_count + tree->node_count - shown;
}

size_t svg_clip_text(const char *text, size_t count)
{
	size_t size = 0, last = 0, characters = 0;

	for (; text[size]; size++) {
		if (((unsigned char)text[size] & 0xc0) == 0x80)
			continue;
		if (characters == count)
			return last;
		last = size;
		characters++;
	}
	return size;
}

/* In one unit of the value; a profile may be empty. */
static double svg_percents(const struct svg_frames *frames)
{
	return 100.0 / (double)(frames->tree->nodes[0].total ?: 1);
}

/* The same for a name everywhere and always (FNV-1a): graphs are compared by eye. */
static unsigned int svg_shade(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return (hash >> 16) % SHADE_COUNT;
}

/* The tooltip: the whole name, then how much. The script takes the name from the first line. */
static int svg_write_tooltip(const struct svg_frames *frames, const struct flame_node *node,
			     struct sink *sink, struct strbuf *text)
{
	const struct profile *profile = frames->profile;
	const char *type = profile->strings[frames->type->type];
	const char *unit = profile->strings[frames->type->unit];

	strbuf_reset(text);
	quantity_print(text, node->total, type, unit);
	strbuf_printf(text, ", %.2f %%", (double)node->total * svg_percents(frames));
	if (node->self && node->self < node->total) {
		strbuf_add_text(text, ", itself ");
		quantity_print(text, node->self, "", unit);
	}
	sink_text(sink, "<title>");
	xml_write_text(sink, node->name);
	sink_text(sink, "\n");
	xml_write_text(sink, text->data);
	sink_text(sink, "</title>");
	return text->error;
}

static void svg_write_label(const char *name, double percent, double pixels, uint32_t y,
			    struct sink *sink)
{
	double room = (pixels - 2 * TEXT_PADDING) / CHARACTER_WIDTH;
	size_t size;

	if (room < TEXT_MIN_CHARACTERS)
		return;
	size = svg_clip_text(name, (size_t)room);
	sink_printf(sink, "<text x=\"%.4f%%\" dx=\"%d\" y=\"%" PRIu32 "\">", percent, TEXT_PADDING,
		    y + TEXT_BASELINE);
	xml_write_bytes(sink, name, size);
	sink_printf(sink, "%s</text>", name[size] ? "\u2026" : "");
}

static int svg_write_frame(const struct svg_frames *frames, const struct flame_node *node,
			   struct sink *sink, struct strbuf *text)
{
	const double scale = svg_percents(frames);
	const double x = (double)node->start * scale;
	const double width = node->depth ? (double)node->total * scale : 100;
	const double pixels = width * frames->width / 100;
	const uint32_t row = frames->icicle ? node->depth :
					      frames->height / ROW_HEIGHT - 1 - node->depth;
	const uint32_t y = row * ROW_HEIGHT;
	int r;

	sink_printf(sink, "<g data-s=\"%" PRId64 "\" data-v=\"%" PRId64 "\">", node->start,
		    node->total);
	r = svg_write_tooltip(frames, node, sink, text);
	if (r < 0)
		return r;
	sink_printf(sink,
		    "<rect class=\"%c%u%s\" x=\"%.4f%%\" y=\"%" PRIu32
		    "\" width=\"%.4f%%\" height=\"%d\"/>",
		    svg_kinds[node->kind].letter, svg_shade(node->name),
		    pixels < THIN_WIDTH ? " thin" : "", x, y, width, ROW_HEIGHT - 1);
	svg_write_label(node->name, x, pixels, y, sink);
	return sink_text(sink, "</g>\n");
}

int svg_frames_write(const struct svg_frames *frames, struct sink *sink, struct strbuf *text)
{
	const struct flame_node *node = frames->tree->nodes;
	const struct flame_node *end = node + frames->tree->node_count;
	int r = 0;

	for (; node < end && !r; node++) {
		if (svg_frame_is_shown(frames, node))
			r = svg_write_frame(frames, node, sink, text);
	}
	return r;
}
