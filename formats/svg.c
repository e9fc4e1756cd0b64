/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flame graph as one SVG file. It is complete without scripts, as an image
 * or in a viewer that forbids them; in a browser svg_script.js adds zoom,
 * search and the window's full width.
 */
#include "formats/writers.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "formats/embed.h"
#include "formats/svg_frames.h"
#include "formats/xml.h"

#define SVG_WIDTH 1200
#define SVG_MARGIN 10
#define SVG_FRAMES_WIDTH (SVG_WIDTH - 2 * SVG_MARGIN)
#define SVG_HEADER 60
#define SVG_FOOTER 26
#define SVG_CAPTION_CHARACTERS 175 /* of a 12 pixel sans-serif font */

EMBED_FILE(svg_style, "formats/svg_style.css");
EMBED_FILE(svg_script, "formats/svg_script.js");

static const char *svg_string(const struct profile *profile, profile_string text)
{
	return profile->strings[text];
}

static void svg_write_head(struct sink *sink, uint32_t height, bool icicle)
{
	sink_printf(sink,
		    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<svg xmlns=\"http://www.w3.org/2000/svg\"%s width=\"%d\" height=\"%" PRIu32
		    "\" "
		    "viewBox=\"0 0 %d %" PRIu32 "\">\n<style>\n",
		    icicle ? " class=\"icicle\"" : "", SVG_WIDTH, height, SVG_WIDTH, height);
	sink_write(sink, svg_style, (size_t)(svg_style_end - svg_style));
	sink_text(sink, "</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
}

/* Once for the browser's tab, once to read. */
static void svg_write_title(struct sink *sink, const struct profile *profile,
			    const struct svg_frames *frames)
{
	const struct profile_value_type *type = frames->type;
	profile_string subject = type->source ? type->source : type->type;
	const char *graph = frames->icicle ? "Icicle graph" : "Flame graph";

	sink_printf(sink, "<title>%s: ", graph);
	xml_write_text(sink, svg_string(profile, subject));
	sink_printf(sink, "</title>\n<text class=\"title\" x=\"%d\" y=\"24\">%s: ", SVG_MARGIN,
		    graph);
	xml_write_text(sink, svg_string(profile, subject));
	sink_text(sink, "</text>\n");
}

/* "12,345 samples in 10.0 s from 2026-01-31 12:00:00 UTC" */
static void svg_print_total(struct strbuf *text, const struct profile *profile,
			    const struct profile_value_type *type, const struct flame_tree *tree)
{
	time_t seconds = (time_t)(profile->time_ns / 1000000000);
	char date[32];
	struct tm tm;

	quantity_print(text, tree->nodes[0].total, svg_string(profile, type->type),
		       svg_string(profile, type->unit));
	if (profile->duration_ns) {
		strbuf_add_text(text, " in ");
		quantity_print(text, profile->duration_ns, "", "nanoseconds");
	}
	if (profile->time_ns && gmtime_r(&seconds, &tm) &&
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm))
		strbuf_printf(text, " from %s", date);
}

/* The total, what is not shown, then as many comments as fit: losses and quality come first. */
static int svg_write_caption(struct sink *sink, const struct profile *profile,
			     const struct svg_frames *frames, struct strbuf *text)
{
	size_t size;
	uint32_t i;

	strbuf_reset(text);
	svg_print_total(text, profile, frames->type, frames->tree);
	if (frames->hidden_count) {
		strbuf_add_text(text, " \u00b7 ");
		quantity_print_count(text, (int64_t)frames->hidden_count);
		strbuf_add_text(text, " narrow frames left out");
	}
	for (i = 0; i < profile->comment_count; i++)
		strbuf_printf(text, " \u00b7 %s", svg_string(profile, profile->comments[i]));
	if (text->error)
		return text->error;
	sink_text(sink, "<g><title>");
	for (i = 0; i < profile->comment_count; i++) {
		xml_write_text(sink, svg_string(profile, profile->comments[i]));
		sink_text(sink, "\n");
	}
	sink_printf(sink, "</title><text class=\"caption\" x=\"%d\" y=\"44\">", SVG_MARGIN);
	size = svg_clip_text(text->data, SVG_CAPTION_CHARACTERS);
	xml_write_bytes(sink, text->data, size);
	return sink_printf(sink, "%s</text></g>\n", text->data[size] ? "\u2026" : "");
}

/* Which kinds there are, at the right end however wide the page gets. */
static void svg_write_legend(struct sink *sink, const struct svg_frames *frames)
{
	int x = -SVG_MARGIN;
	size_t kind;

	sink_text(sink, "<svg x=\"100%\" overflow=\"visible\"><g class=\"legend\">\n");
	for (kind = SVG_KIND_COUNT; kind-- > 0;) {
		if (!frames->has_kind[kind])
			continue;
		x -= svg_kinds[kind].legend_width;
		sink_printf(
			sink,
			"<rect class=\"%c0\" x=\"%d\" y=\"13\" width=\"12\" height=\"12\" rx=\"2\"/>"
			"<text class=\"legend\" x=\"%d\" y=\"23\">%s</text>\n",
			svg_kinds[kind].letter, x, x + 17, svg_kinds[kind].name);
	}
	sink_text(sink, "</g></svg>\n");
}

static void svg_write_footer(struct sink *sink, uint32_t height)
{
	sink_printf(sink,
		    "<g class=\"footer\">\n"
		    "<svg y=\"%" PRIu32 "\" width=\"72%%\" height=\"%d\">"
		    "<text id=\"details\" x=\"%d\" y=\"17\"></text></svg>\n",
		    height - SVG_FOOTER, SVG_FOOTER, SVG_MARGIN);
	sink_printf(sink,
		    "<svg x=\"100%%\" y=\"%" PRIu32 "\" overflow=\"visible\" text-anchor=\"end\">\n"
		    "<text id=\"matched\" x=\"-210\"></text>\n"
		    "<text id=\"reset\" class=\"control gone\" x=\"-130\">Reset zoom</text>\n"
		    "<text id=\"search\" class=\"control\" x=\"-10\">Search (Ctrl-F)</text>\n"
		    "</svg>\n</g>\n",
		    height - 9);
}

static void svg_write_script(struct sink *sink)
{
	sink_text(sink, "<script><![CDATA[\n");
	sink_write(sink, svg_script, (size_t)(svg_script_end - svg_script));
	sink_text(sink, "]]></script>\n</svg>\n");
}

int svg_write(const struct profile *profile, const struct writer_options *options,
	      struct sink *sink)
{
	_cleanup_(flame_tree_done) struct flame_tree tree = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct svg_frames frames;
	uint32_t height;
	int r;

	r = flame_tree_init(&tree, profile, options, SVG_MIN_WIDTH / SVG_FRAMES_WIDTH);
	if (r < 0)
		return r;
	svg_frames_init(&frames, profile, options, &tree, SVG_FRAMES_WIDTH);
	height = SVG_HEADER + frames.height + SVG_FOOTER;
	svg_write_head(sink, height, frames.icicle);
	svg_write_title(sink, profile, &frames);
	r = svg_write_caption(sink, profile, &frames, &text);
	if (r < 0)
		return r;
	svg_write_legend(sink, &frames);
	sink_printf(sink,
		    "<svg id=\"frames\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%" PRIu32 "\">\n",
		    SVG_MARGIN, SVG_HEADER, frames.width, frames.height);
	r = svg_frames_write(&frames, sink, &text);
	if (r < 0)
		return r;
	sink_text(sink, "</svg>\n");
	svg_write_footer(sink, height);
	svg_write_script(sink);
	return sink_error(sink);
}
