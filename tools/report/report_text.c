/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "formats/quantity.h"
#include "profiler/base/plain_text.h"
#include "tools/report/report.h"

#define VALUE_COLUMNS 11
#define INDENT_DEPTH_MAX 60 /* deeper frames would be out of sight */

static double share(int64_t value, int64_t total)
{
	return total ? 100.0 * (double)value / (double)total : 0;
}

uint32_t report_row_count(const struct report *report, const struct tally *tally)
{
	const double least = (double)tally->total * report->min_share;
	uint32_t count = 0, i;

	for (i = 0; i < tally->row_count; i++) {
		if (report->limit && count == report->limit)
			break;
		if ((double)tally->rows[i].total < least && tally->rows[i].total >= 0)
			break;
		count++;
	}
	return count;
}

static const char *type_name(const struct report *report)
{
	return report->profile->strings[report->profile->value_types[report->value_type].type];
}

static const char *type_unit(const struct report *report)
{
	return report->profile->strings[report->profile->value_types[report->value_type].unit];
}

/* A line. */
static void add_name(const char *name, struct strbuf *ret)
{
	strbuf_add_plain(ret, name);
	strbuf_add_char(ret, '\n');
}

/* "FILE: 26 samples, over 2.00 s", or "FILE: cpu 260 ms, …". */
static void add_header(const struct report *report, int64_t total, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf quantity = STRBUF_INIT;
	uint32_t i;

	quantity_print(&quantity, total, type_name(report), type_unit(report));
	strbuf_printf(ret, "%s: ", report->file);
	if (!strstr(quantity.data, type_name(report)))
		strbuf_printf(ret, "%s ", type_name(report));
	strbuf_add_text(ret, quantity.data);
	if (report->profile->duration_ns > 0) {
		strbuf_add_text(ret, ", over ");
		quantity_print(ret, report->profile->duration_ns, "", "nanoseconds");
	}
	strbuf_add_char(ret, '\n');
	for (i = 0; report->notes && i < report->profile->comment_count; i++) {
		strbuf_add_text(ret, "  ");
		add_name(report->profile->strings[report->profile->comments[i]], ret);
	}
}

/* Aligned to the right; µ is one column and two bytes. */
static void add_value(const struct report *report, int64_t value, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int width = VALUE_COLUMNS;

	quantity_print(&text, value, "", type_unit(report));
	if (strstr(text.data, "\u00b5"))
		width++;
	strbuf_printf(ret, "%*s", width, text.data);
}

static void add_row(const struct report *report, const struct tally *tally,
		    const struct tally_row *row, int64_t *sum, struct strbuf *ret)
{
	if (tally->has_stacks) {
		*sum += row->self;
		add_value(report, row->self, ret);
		strbuf_printf(ret, " %6.2f%% %6.2f%% ", share(row->self, tally->total),
			      share(*sum, tally->total));
	}
	add_value(report, row->total, ret);
	strbuf_printf(ret, " %6.2f%%  ", share(row->total, tally->total));
	add_name(row->name, ret);
}

int report_add_table(const struct report *report, const struct tally *tally, struct strbuf *ret)
{
	uint32_t count = report_row_count(report, tally), i;
	int64_t sum = 0;

	add_header(report, tally->total, ret);
	if (tally->has_stacks)
		strbuf_printf(ret, "%*s %7s %7s ", VALUE_COLUMNS, "self", "self%", "sum%");
	strbuf_printf(ret, "%*s %7s  %s\n", VALUE_COLUMNS, "total", "total%", report->by);
	for (i = 0; i < count; i++)
		add_row(report, tally, &tally->rows[i], &sum, ret);
	if (count < tally->row_count)
		strbuf_printf(ret, "(%" PRIu32 " of %" PRIu32 " rows; --limit 0 --min-share 0 "
			      "shows all)\n", count, tally->row_count);
	return ret->error;
}

int report_add_tree(const struct report *report, const struct flame_tree *tree, struct strbuf *ret)
{
	_cleanup_(report_walk_done) struct report_walk walk = { 0 };
	int64_t total = tree->node_count ? tree->nodes[0].total : 0;
	const struct flame_node *node;
	uint32_t count = 0, indent;
	int r;

	add_header(report, total, ret);
	strbuf_printf(ret, "%*s %7s %*s  %s\n", VALUE_COLUMNS, "total", "total%", VALUE_COLUMNS,
		      "self", "call tree");
	r = report_walk_init(&walk, report, tree);
	while (r >= 0 && (r = report_walk_next(&walk, &node)) > 0) {
		if (report->limit && count++ == report->limit)
			break;
		add_value(report, node->total, ret);
		strbuf_printf(ret, " %6.2f%% ", share(node->total, total));
		add_value(report, node->self, ret);
		indent = node->depth < INDENT_DEPTH_MAX ? node->depth : INDENT_DEPTH_MAX;
		strbuf_printf(ret, "  %*s", (int)indent, "");
		add_name(node->name, ret);
	}
	return r < 0 ? r : ret->error;
}
