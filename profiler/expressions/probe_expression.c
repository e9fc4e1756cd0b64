/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/expressions/probe_expression.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/expressions/expression_filter.h"
#include "profiler/expressions/expression_parser.h"
#include "profiler/expressions/expression_value.h"

#define SEPARATOR '+'

static void set_name(struct probe_value *value, const char *name, size_t size)
{
	snprintf(value->name, sizeof(value->name), "%.*s", (int)size, name);
}

static void name_item(const struct expression_item *item, struct probe_value *value)
{
	size_t size = item->text_size;

	/* How it is read is no part of the name. */
	if (item->root->kind == EXPRESSION_FORM)
		size = item->root->at - item->text;
	while (size && (item->text[size - 1] == ' ' || item->text[size - 1] == ':'))
		size--;
	if (item->name)
		set_name(value, item->name, item->name_size);
	else
		set_name(value, item->text, size);
}

static int compile_shown(struct expression_compilation *c, const char *text,
			 struct expression *expression, struct error *err)
{
	int r;

	if (!*text)
		return 0;
	r = expression_parse_values("values", text, SEPARATOR, expression, err);
	for (size_t i = 0; r >= 0 && i < expression->item_count; i++) {
		const struct expression_item *item = &expression->items[i];
		struct expression_value value;

		r = expression_value_read(c, item->root, &value);
		if (r < 0)
			return r;
		name_item(item, &value.value);
		r = expression_value_add(c, item->root, &value, EXPRESSION_SHOWN);
	}
	return r;
}

static int compile_sum(struct expression_compilation *c, const char *text,
		       struct expression *expression, struct error *err)
{
	struct expression_value value;
	int r;

	r = expression_parse_values("value", text, SEPARATOR, expression, err);
	if (r < 0)
		return r;
	if (expression->item_count > 1)
		return expression_refuse(&expression->lexer, expression->items[1].text,
					 "one value can be the main one");
	r = expression_value_number(c, expression->items[0].root, &value);
	if (r < 0)
		return r;
	name_item(&expression->items[0], &value.value);
	r = expression_value_add(c, expression->items[0].root, &value, EXPRESSION_HIDDEN);
	if (r >= 0)
		c->layout->site.sum = r;
	return r;
}

/* A label is what is shown already, unless it is to have another name. */
static int add_label(struct expression_compilation *c, const struct expression_item *item)
{
	struct probe_layout *layout = c->layout;
	struct expression_value value;
	int r;

	r = expression_value_read(c, item->root, &value);
	if (r < 0)
		return r;
	name_item(item, &value.value);
	r = expression_value_add(c, item->root, &value, EXPRESSION_HIDDEN);
	if (r >= 0 && item->name && strcmp(layout->values[r].name, value.value.name)) {
		r = expression_value_add(c, item->root, &value, EXPRESSION_SHOWN);
		if (r >= 0)
			layout->site.values[r].flags |= PROBE_FETCH_HIDDEN;
	}
	if (r >= 0)
		layout->site.labels[layout->site.label_count++] = r;
	return r;
}

static int compile_labels(struct expression_compilation *c, const char *text,
			  struct expression *expression, struct error *err)
{
	int r;

	r = expression_parse_values("labels", text, SEPARATOR, expression, err);
	if (r >= 0 && expression->item_count > PROBE_LABELS_MAX)
		return expression_refuse(&expression->lexer,
					 expression->items[PROBE_LABELS_MAX].text,
					 "more than %d labels", PROBE_LABELS_MAX);
	for (size_t i = 0; r >= 0 && i < expression->item_count; i++)
		r = add_label(c, &expression->items[i]);
	return r;
}

/* Argument, field or result number @index of what is shown when nothing is asked for. -ENOENT: the end. */
static int find_default(struct expression_compilation *c, size_t index,
			struct expression_place *place, char name[64])
{
	const struct probe_scope *scope = c->context.scope;
	static const struct expression_node result = { .kind = EXPRESSION_NAME, .at = "ret",
						       .text = "ret", .size = 3 };
	const struct type_function *function = scope->function;
	size_t arguments = function ? function->argument_count : 0;

	if (index < scope->field_count) {
		snprintf(name, 64, "%s", scope->fields[index].name);
		return expression_place_field(&c->context, &scope->fields[index], place);
	}
	index -= scope->field_count;
	if (index < arguments) {
		const char *known = function->arguments[index].name;

		if (known && *known)
			snprintf(name, 64, "%s", known);
		else
			snprintf(name, 64, "arg%zu", index + 1);
		return expression_place_argument(&c->context, &result, index, place);
	}
	if (index > arguments || !scope->has_return)
		return -ENOENT;
	snprintf(name, 64, "ret");
	return expression_place_name(&c->context, &result, place);
}

/* Everything there is, as far as it can be read, at most @room of it. */
static int compile_default(struct expression_compilation *c, size_t room)
{
	static const struct expression_node node = { .at = "" };
	static const struct expression_lexer silent = { .what = "", .text = "" };
	const struct expression_lexer *lexer = c->context.lexer;
	struct expression_place place;
	struct expression_value value;
	char name[64];
	int r = 0;

	c->context.lexer = &silent;
	for (size_t i = 0; c->layout->site.value_count < room; i++) {
		r = find_default(c, i, &place, name);
		if (r == -ENOENT)
			break;
		if (r >= 0)
			r = expression_value_from_place(c, &node, &place, &value);
		if (r == -ENOMEM)
			break;
		if (r < 0)
			continue;
		set_name(&value.value, name, strlen(name));
		expression_value_add(c, &node, &value, EXPRESSION_SHOWN);
	}
	c->context.lexer = lexer;
	return r == -ENOMEM ? r : 0;
}

static int compile_filter(struct expression_compilation *c, const char *text,
			  struct expression *expression, struct error *err)
{
	int r;

	r = expression_parse_filter(text, expression, err);
	return r < 0 ? r : expression_filter_compile(c, expression->items[0].root);
}

/* @room: for values that are shown when nothing is asked for. */
static int compile(const struct probe_request *request, struct expression_compilation *c,
		   size_t room, struct error *err)
{
	struct expression expression;
	int r;

	expression.lexer = (struct expression_lexer){ .what = "values", .text = "", .err = err };
	c->context.lexer = &expression.lexer;
	r = request->show ? compile_shown(c, request->show, &expression, err) :
			    compile_default(c, room);
	if (r >= 0 && request->sum)
		r = compile_sum(c, request->sum, &expression, err);
	if (r >= 0 && request->labels)
		r = compile_labels(c, request->labels, &expression, err);
	if (r >= 0 && request->filter)
		r = compile_filter(c, request->filter, &expression, err);
	return r < 0 ? r : expression_sizes_share(c);
}

int probe_compile(const struct probe_request *request, const struct probe_scope *scope,
		  struct probe_layout *ret, struct error *err)
{
	struct probe_layout layout;
	struct error last = { 0 };
	size_t room = PROBE_VALUES_MAX;
	bool has_room;
	int r;

	/* What is asked for has precedence over what is shown because nothing was asked for. */
	do {
		struct expression_compilation c = { .layout = &layout, .has_room = true };

		memset(&layout, 0, sizeof(layout));
		layout.site.sum = PROBE_NO_VALUE;
		c.context.scope = scope;
		r = compile(request, &c, room, &last);
		has_room = c.has_room;
	} while (r < 0 && !has_room && !request->show && room--);
	if (r < 0) {
		if (err)
			*err = last;
		return r;
	}
	*ret = layout;
	return 0;
}

int probe_request_check(const struct probe_request *request, struct error *err)
{
	struct expression expression;
	int r = 0;

	if (request->show && *request->show)
		r = expression_parse_values("values", request->show, SEPARATOR, &expression, err);
	if (r >= 0 && request->sum)
		r = expression_parse_values("value", request->sum, SEPARATOR, &expression, err);
	if (r >= 0 && request->labels)
		r = expression_parse_values("labels", request->labels, SEPARATOR, &expression,
					    err);
	if (r >= 0 && request->filter)
		r = expression_parse_filter(request->filter, &expression, err);
	return r < 0 ? r : 0;
}
