/* SPDX-License-Identifier: BSD-2-Clause */
/* Histograms and tables for the terminal. */
#include <inttypes.h>
#include <string.h>

#include "formats/quantity.h"
#include "profiler/base/plain_text.h"
#include "tools/record/histogram.h"

#define VALUE_COLUMNS 12
#define RANGE_COLUMNS 21	/* "16.8 ms .. 33.6 ms" */
#define KEY_COLUMNS_MAX 48
#define BAR_LEAST 10
#define BAR_MOST 60

/* What is left of a line of the terminal behind range, value and the ends of the bar. */
static size_t bar_size(const struct histogram_view *view)
{
	size_t others = RANGE_COLUMNS + VALUE_COLUMNS + 4;
	size_t size = view->columns > others ? view->columns - others : 0;

	return size < BAR_LEAST ? BAR_LEAST : size > BAR_MOST ? BAR_MOST : size;
}

/* A letter is one column, however many bytes it has. */
static size_t text_columns(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static void add_blanks(size_t count, struct strbuf *ret)
{
	while (count--)
		strbuf_add_char(ret, ' ');
}

static void add_right(const char *text, size_t columns, struct strbuf *ret)
{
	size_t size = text_columns(text);

	add_blanks(size < columns ? columns - size : 0, ret);
	strbuf_add_text(ret, text);
}

/* Returns how many columns it took. */
static size_t add_key(const char *key, struct strbuf *ret)
{
	const char *shown = *key ? key : "-";

	strbuf_add_plain(ret, shown);
	return text_columns(shown);
}

static const char *value_name(const struct histograms *h, int value)
{
	return h->profile->strings[h->profile->value_types[value].type];
}

static void add_quantity(const struct histograms *h, int64_t number, int value, size_t columns,
			 struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	quantity_print(&text, number, "",
		       h->profile->strings[h->profile->value_types[value].unit]);
	add_right(text.data, columns, ret);
}

/* How often, and how long where that is known; with names, or without in columns. */
static void add_totals(const struct histograms *h, const struct histogram_group *group,
		       struct strbuf *ret)
{
	const struct histogram_source *source = &h->sources[group->source];

	if (source->count_value >= 0) {
		add_quantity(h, group->count, source->count_value, 0, ret);
		strbuf_printf(ret, " %s", value_name(h, source->count_value));
	}
	if (source->sum_value >= 0) {
		strbuf_add_text(ret, source->count_value >= 0 ? ", " : "");
		add_quantity(h, group->sum, source->sum_value, 0, ret);
	}
}

/* ---- histograms ---- */

/* "offcpu, comm cron, reason sleep: 12 waits, 1.20 s" */
static void add_title(const struct histograms *h, const struct histogram_group *group,
		      struct strbuf *ret)
{
	strbuf_add_text(ret, h->sources[group->source].name);
	for (size_t i = 0; h->by[i]; i++) {
		strbuf_printf(ret, ", %s ", h->by[i]);
		add_key(group->keys[i], ret);
	}
	strbuf_add_text(ret, ": ");
	add_totals(h, group, ret);
	strbuf_add_char(ret, '\n');
}

static void add_range(const struct histograms *h, int value, unsigned int bucket,
		      struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf range = STRBUF_INIT;
	/* The last one ends where numbers do. */
	int64_t end = bucket + 1 < HISTOGRAM_BUCKETS - 1 ? 2ll << bucket : INT64_MAX;

	add_quantity(h, bucket ? 1ll << bucket : 0, value, 0, &range);
	strbuf_add_text(&range, " .. ");
	add_quantity(h, end, value, 8, &range);
	add_right(range.data, RANGE_COLUMNS, ret);
}

static void add_bar(int64_t weight, int64_t most, size_t size, struct strbuf *ret)
{
	size_t filled = most > 0 ? (size_t)((double)weight * (double)size / (double)most + 0.5) : 0;

	/* What is there is seen. */
	filled = weight > 0 && !filled ? 1 : filled;
	strbuf_add_text(ret, " |");
	for (size_t i = 0; i < size; i++)
		strbuf_add_char(ret, i < filled ? '*' : ' ');
	strbuf_add_text(ret, "|\n");
}

static void add_histogram(const struct histograms *h, const struct histogram_group *group,
			  const struct histogram_view *view, struct strbuf *ret)
{
	const struct histogram_source *source = &h->sources[group->source];
	int weight = source->count_value >= 0 ? source->count_value : source->sum_value;
	int first = HISTOGRAM_BUCKETS, last = -1;
	int64_t most = group->unknown;

	add_title(h, group, ret);
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!group->buckets[i])
			continue;
		first = last < 0 ? i : first;
		last = i;
		most = group->buckets[i] > most ? group->buckets[i] : most;
	}
	add_right(value_name(h, source->sum_value), RANGE_COLUMNS, ret);
	add_right(value_name(h, weight), VALUE_COLUMNS, ret);
	strbuf_add_char(ret, '\n');
	for (int i = first; i <= last; i++) {
		add_range(h, source->sum_value, (unsigned int)i, ret);
		add_quantity(h, group->buckets[i], weight, VALUE_COLUMNS, ret);
		add_bar(group->buckets[i], most, bar_size(view), ret);
	}
	if (!group->unknown)
		return;
	add_right("unknown", RANGE_COLUMNS, ret);
	add_quantity(h, group->unknown, weight, VALUE_COLUMNS, ret);
	add_bar(group->unknown, most, bar_size(view), ret);
}

/* ---- tables ---- */

static size_t key_columns(const struct histograms *h, const struct histogram_group *groups,
			  uint32_t count, size_t key)
{
	size_t columns = text_columns(h->by[key]);

	for (uint32_t i = 0; i < count; i++) {
		size_t own = text_columns(groups[i].keys[key]);

		columns = own > columns ? own : columns;
	}
	return columns > KEY_COLUMNS_MAX ? KEY_COLUMNS_MAX : columns;
}

/* One line: of @group, or, without, what the columns are. */
static void add_row(const struct histograms *h, const struct histogram_source *source,
		    const struct histogram_group *group, const size_t *columns,
		    struct strbuf *ret)
{
	const int values[] = { source->count_value, source->sum_value };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (values[i] < 0)
			continue;
		/* One between them, also where a number is wider than its column. */
		strbuf_add_char(ret, ' ');
		if (group)
			add_quantity(h, i ? group->sum : group->count, values[i],
				     VALUE_COLUMNS - 1, ret);
		else
			add_right(value_name(h, values[i]), VALUE_COLUMNS - 1, ret);
	}
	for (size_t i = 0; h->by[i]; i++) {
		size_t used;

		strbuf_add_text(ret, "  ");
		used = add_key(group ? group->keys[i] : h->by[i], ret);
		if (h->by[i + 1] && used < columns[i])
			add_blanks(columns[i] - used, ret);
	}
	strbuf_add_char(ret, '\n');
}

static void add_table(const struct histograms *h, const struct histogram_group *groups,
		      uint32_t count, struct strbuf *ret)
{
	const struct histogram_source *source = &h->sources[groups->source];
	size_t columns[HISTOGRAM_KEYS_MAX] = { 0 };

	for (size_t i = 0; h->by[i]; i++)
		columns[i] = key_columns(h, groups, count, i);
	strbuf_printf(ret, "%s\n", source->name);
	add_row(h, source, NULL, columns, ret);
	for (uint32_t i = 0; i < count; i++)
		add_row(h, source, &groups[i], columns, ret);
}

/* ---- both ---- */

/* @count groups of one source. */
static void add_source(const struct histograms *h, const struct histogram_group *groups,
		       uint32_t count, const struct histogram_view *view, struct strbuf *ret)
{
	bool buckets = view->buckets && histogram_is_measured(&h->sources[groups->source]);
	uint32_t shown = view->top && view->top < count ? view->top : count;

	for (uint32_t i = 0; i < shown && buckets; i++) {
		strbuf_add_text(ret, i ? "\n" : "");
		add_histogram(h, &groups[i], view, ret);
	}
	if (!buckets)
		add_table(h, groups, shown, ret);
	if (shown < count)
		strbuf_printf(ret, "(%" PRIu32 " of %" PRIu32 "; --top 0 shows all)\n", shown,
			      count);
}

int histograms_add_text(const struct histograms *h, const struct histogram_view *view,
			struct strbuf *ret)
{
	for (uint32_t i = 0, next; i < h->group_count; i = next) {
		for (next = i; next < h->group_count &&
			       h->groups[next].source == h->groups[i].source;)
			next++;
		strbuf_add_text(ret, i ? "\n" : "");
		add_source(h, &h->groups[i], next - i, view, ret);
	}
	return ret->error;
}
