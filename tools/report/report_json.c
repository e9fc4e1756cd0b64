/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>

#include "formats/json.h"
#include "tools/report/report.h"

/* The members that both kinds have. */
static void add_header(const struct report *report, int64_t total, struct strbuf *ret)
{
	const struct profile *profile = report->profile;
	const struct profile_value_type *type = &profile->value_types[report->value_type];
	uint32_t i;

	strbuf_add_text(ret, "{\"file\": ");
	json_add_text(ret, report->file);
	strbuf_add_text(ret, ", \"type\": ");
	json_add_text(ret, profile->strings[type->type]);
	strbuf_add_text(ret, ", \"unit\": ");
	json_add_text(ret, profile->strings[type->unit]);
	strbuf_printf(ret, ", \"time_ns\": %" PRId64 ", \"duration_ns\": %" PRId64,
		      profile->time_ns, profile->duration_ns);
	strbuf_printf(ret, ", \"total\": %" PRId64 ",\n\"comments\": [", total);
	for (i = 0; i < profile->comment_count; i++) {
		strbuf_add_text(ret, i ? ",\n " : "\n ");
		json_add_text(ret, profile->strings[profile->comments[i]]);
	}
	strbuf_add_text(ret, "],\n");
}

int report_add_table_json(const struct report *report, const struct tally *tally,
			  struct strbuf *ret)
{
	uint32_t count = report_row_count(report, tally), i;

	add_header(report, tally->total, ret);
	strbuf_add_text(ret, "\"by\": ");
	json_add_text(ret, report->by);
	strbuf_printf(ret, ", \"row_count\": %" PRIu32 ", \"rows\": [", tally->row_count);
	for (i = 0; i < count; i++) {
		strbuf_add_text(ret, i ? ",\n {\"name\": " : "\n {\"name\": ");
		json_add_text(ret, tally->rows[i].name);
		strbuf_printf(ret, ", \"self\": %" PRId64 ", \"total\": %" PRId64 "}",
			      tally->rows[i].self, tally->rows[i].total);
	}
	strbuf_add_text(ret, "]}\n");
	return ret->error;
}

/*
 * A list of nodes with their depths, as on the terminal: nested objects as deep
 * as a stack are more than many readers of JSON allow.
 */
int report_add_tree_json(const struct report *report, const struct flame_tree *tree,
			 struct strbuf *ret)
{
	_cleanup_(report_walk_done) struct report_walk walk = { 0 };
	const struct flame_node *node;
	uint32_t count = 0;
	int r;

	add_header(report, tree->node_count ? tree->nodes[0].total : 0, ret);
	strbuf_add_text(ret, "\"tree\": [");
	r = report_walk_init(&walk, report, tree);
	while (r >= 0 && (r = report_walk_next(&walk, &node)) > 0) {
		if (report->limit && count == report->limit)
			break;
		strbuf_printf(ret, "%s\n {\"depth\": %" PRIu32 ", \"name\": ", count++ ? "," : "",
			      node->depth);
		json_add_text(ret, node->name);
		strbuf_printf(ret, ", \"self\": %" PRId64 ", \"total\": %" PRId64 "}", node->self,
			      node->total);
	}
	strbuf_add_text(ret, "]}\n");
	return r < 0 ? r : ret->error;
}
