/* SPDX-License-Identifier: BSD-2-Clause */
/* Values in the tables of a site. */
#include "profiler/expressions/expression_value.h"

#include <errno.h>
#include <string.h>

/* Of a text whose length nobody says, if there is room for it. */
#define DEFAULT_TEXT_BYTES 256
/* Of use still, and more than a filter compares with. */
#define DEFAULT_TEXT_BYTES_MIN 72

_Static_assert(DEFAULT_TEXT_BYTES_MIN > PROBE_CONSTANT_BYTES,
	       "texts are read as far as they are compared");

/* Everything but whether it is shown. */
static bool is_same(const struct probe_fetch *a, const struct probe_fetch *b)
{
	return a->base == b->base && a->index == b->index && a->form == b->form &&
	       !((a->flags ^ b->flags) & ~PROBE_FETCH_HIDDEN) && a->bytes == b->bytes &&
	       a->bit_shift == b->bit_shift && a->bit_count == b->bit_count &&
	       a->step_count == b->step_count && a->size == b->size &&
	       a->size_value == b->size_value && a->from == b->from && a->scaled == b->scaled &&
	       a->scale_shift == b->scale_shift && a->offset == b->offset &&
	       !memcmp(a->step, b->step, a->step_count * sizeof(a->step[0]));
}

static int find_same(const struct expression_compilation *c, const struct probe_fetch *fetch)
{
	const struct probe_site *site = &c->layout->site;

	for (size_t i = 0; i < site->value_count; i++)
		if (is_same(&site->values[i], fetch))
			return i;
	return -ENOENT;
}

/* The value that another one begins with, as a number without a name. Returns its number. */
static int add_origin(struct expression_compilation *c, const struct expression_node *node,
		      const struct probe_fetch *fetch)
{
	struct expression_value origin = { .fetch = *fetch,
					   .value = { .type = "void *",
						      .show = PROBE_SHOW_HEXADECIMAL } };

	return expression_value_add(c, node, &origin, EXPRESSION_HIDDEN);
}

int expression_value_add(struct expression_compilation *c, const struct expression_node *node,
			 const struct expression_value *value, enum expression_use use)
{
	struct probe_site *site = &c->layout->site;
	struct probe_fetch fetch = value->fetch;
	size_t i;
	int r;

	if (value->has_origin) {
		r = add_origin(c, node, &value->origin);
		if (r < 0)
			return r;
		fetch.from = r;
	}
	if (value->has_socket) {
		r = add_origin(c, node, &value->socket);
		if (r < 0)
			return r;
		fetch.size_value = r + 1;
	}
	r = use == EXPRESSION_HIDDEN ? find_same(c, &fetch) : -ENOENT;
	if (r >= 0)
		return r;
	i = site->value_count;
	if (i == PROBE_VALUES_MAX) {
		c->has_room = false;
		return expression_refuse(c->context.lexer, node->at,
					 "more than %d values, the filter's included",
					 PROBE_VALUES_MAX);
	}
	site->values[i] = fetch;
	c->layout->values[i] = value->value;
	if (use == EXPRESSION_HIDDEN)
		site->values[i].flags |= PROBE_FETCH_HIDDEN;
	if (value->has_default_size)
		c->default_sizes |= 1u << i;
	return site->value_count++;
}

unsigned int expression_value_bits(const struct expression_value *value)
{
	return value->fetch.bit_count ? value->fetch.bit_count : value->fetch.bytes * 8u;
}

int expression_sizes_share(struct expression_compilation *c)
{
	struct probe_site *site = &c->layout->site;
	size_t used = 0, shares = 0, share, i;

	for (i = 0; i < site->value_count; i++) {
		if (c->default_sizes & (1u << i))
			shares++;
		else
			used += site->values[i].size;
	}
	share = shares && used < PROBE_TEXTS_BYTES ? (PROBE_TEXTS_BYTES - used) / shares : 0;
	share = share < DEFAULT_TEXT_BYTES ? share & ~(size_t)7 : DEFAULT_TEXT_BYTES;
	if (used > PROBE_TEXTS_BYTES || (shares && share < DEFAULT_TEXT_BYTES_MIN))
		return expression_refuse(c->context.lexer, c->context.lexer->text,
					 "texts and bytes of more than %d together",
					 PROBE_TEXTS_BYTES);
	for (i = 0; i < site->value_count; i++)
		if (c->default_sizes & (1u << i))
			site->values[i].size = share;
	return 0;
}
