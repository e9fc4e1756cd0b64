/* SPDX-License-Identifier: BSD-2-Clause */
/* What names stand for where a probe fires. */
#include "profiler/expressions/expression_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/number.h"
#include "profiler/base/suggest.h"

#define COMM_BYTES 16
#define NAME_BYTES 64
/* Words of a context that is not described; more than any raw tracepoint has. */
#define WORDS_MAX 12
/* Above the return address. */
#define STACK_ARGUMENTS_OFFSET 8

/* How integers and pointers are passed: figure 3.4 of the System V ABI for x86-64. */
static const uint8_t argument_registers[] = { PROBE_RDI, PROBE_RSI, PROBE_RDX,
					      PROBE_RCX, PROBE_R8,  PROBE_R9 };

#define INTEGER(name_, bytes_, is_signed_) \
	{ .kind = TYPE_INTEGER, .name = (name_), .bytes = (bytes_), .is_signed = (is_signed_) }

static const struct built_in_value {
	const char *name;
	enum probe_base base;
	enum probe_show show;
	struct type_info type;
} built_in_values[] = {
	{ "pid", PROBE_BASE_PID, PROBE_SHOW_UNSIGNED, INTEGER("pid_t", 4, false) },
	{ "tid", PROBE_BASE_TID, PROBE_SHOW_UNSIGNED, INTEGER("pid_t", 4, false) },
	{ "uid", PROBE_BASE_UID, PROBE_SHOW_UNSIGNED, INTEGER("uid_t", 4, false) },
	{ "cgroup", PROBE_BASE_CGROUP, PROBE_SHOW_UNSIGNED, INTEGER("u64", 8, false) },
	{ "cpu", PROBE_BASE_CPU, PROBE_SHOW_UNSIGNED, INTEGER("unsigned int", 4, false) },
	{ "comm", PROBE_BASE_COMM, PROBE_SHOW_TEXT,
	  { .kind = TYPE_ARRAY, .name = "char[16]", .bytes = COMM_BYTES, .count = COMM_BYTES } },
	{ "cmdline", PROBE_BASE_COMMAND, PROBE_SHOW_WORDS,
	  { .kind = TYPE_ARRAY, .name = "char[]", .count = PROBE_TEXT_MAX } },
	{ "latency", PROBE_BASE_LATENCY, PROBE_SHOW_NANOSECONDS, INTEGER("u64", 8, false) },
};

static bool is_named(const char *name, const char *wanted, size_t size)
{
	return name && strlen(name) == size && !memcmp(name, wanted, size);
}

static const struct built_in_value *find_built_in(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(built_in_values); i++)
		if (is_named(built_in_values[i].name, name, size))
			return &built_in_values[i];
	return NULL;
}

static const struct probe_field *find_field(const struct probe_scope *scope, const char *name,
					    size_t size)
{
	for (size_t i = 0; i < scope->field_count; i++)
		if (is_named(scope->fields[i].name, name, size))
			return &scope->fields[i];
	return NULL;
}

/* Returns its index, or -ENOENT. */
static int find_argument(const struct probe_scope *scope, const char *name, size_t size)
{
	size_t count = scope->function ? scope->function->argument_count : 0;

	for (size_t i = 0; i < count; i++)
		if (size && is_named(scope->function->arguments[i].name, name, size))
			return i;
	return -ENOENT;
}

/* "arg7" is 7; 0: it is no such name. */
static unsigned int argument_number(const char *name, size_t size)
{
	char digits[4];
	uint64_t number;

	if (size < 4 || size > 5 || memcmp(name, "arg", 3))
		return 0;
	snprintf(digits, sizeof(digits), "%.*s", (int)(size - 3), name + 3);
	return number_parse_u64(digits, 99, &number) < 0 ? 0 : number;
}

bool expression_name_exists(const struct probe_scope *scope, const char *name, size_t size)
{
	return find_field(scope, name, size) || find_argument(scope, name, size) >= 0 ||
	       argument_number(name, size) || is_named("ret", name, size) ||
	       find_built_in(name, size);
}

static const char *scope_name(const struct probe_scope *scope)
{
	return scope->what ? scope->what : "this probe";
}

/*
 * The addresses of the packet and of its socket lie in the record, at the offset and at the step; they
 * are values that all of its fields share.
 */
static void split_packet(const struct probe_fetch *fetch, struct expression_place *place)
{
	const struct probe_fetch address = { .base = PROBE_BASE_RECORD, .bytes = sizeof(uint64_t),
					     .flags = PROBE_FETCH_MEMORY };

	place->has_origin = true;
	place->origin = address;
	place->origin.offset = fetch->offset;
	place->fetch.offset = 0;
	place->has_socket = fetch->step_count;
	place->socket = address;
	place->socket.offset = fetch->step[0];
	place->fetch.step_count = 0;
	place->fetch.step[0] = 0;
}

int expression_place_field(const struct expression_context *context,
			   const struct probe_field *field, struct expression_place *ret)
{
	const struct probe_fetch *fetch = &field->fetch;
	struct expression_place place = { .fetch = *fetch };

	place.type = value_type_unknown();
	if (field->type.kind != TYPE_OTHER) {
		place.type.info = field->type;
	} else {
		/* Numbers may have names all the same. */
		place.type.info.provider = field->type.provider;
		place.type.info.id = field->type.id;
	}
	/* As it lies there, whatever its type says: an int in a record of a system call has 8 bytes. */
	if (fetch->bytes &&
	    (place.type.info.kind == TYPE_INTEGER || place.type.info.kind == TYPE_OTHER)) {
		place.type.info.bytes = fetch->bytes;
		place.type.info.is_signed = fetch->flags & PROBE_FETCH_SIGNED;
	}
	place.in_memory = fetch->form != PROBE_NUMBER || (fetch->flags & PROBE_FETCH_MEMORY);
	place.is_user = fetch->base == PROBE_BASE_RECORD ? fetch->flags & PROBE_FETCH_USER :
							   context->scope->is_user;
	place.is_fixed = fetch->base == PROBE_BASE_PACKET || fetch->base == PROBE_BASE_CONSTANT ||
			 fetch->base == PROBE_BASE_COMMAND || (fetch->flags & PROBE_FETCH_DATA_LOC);
	place.bit_shift = fetch->bit_shift;
	place.bit_count = fetch->bit_count;
	place.is_kept = context->scope->has_entry;
	place.show = field->show;
	place.has_show = place.type.info.kind != TYPE_STRUCT;
	if (fetch->base == PROBE_BASE_PACKET)
		split_packet(fetch, &place);
	*ret = place;
	return 0;
}

unsigned int expression_word_index(const struct type_function *function, size_t index)
{
	unsigned int word = 0;

	for (size_t i = 0; i < index && i < function->argument_count; i++)
		word += function->arguments[i].type.kind == TYPE_STRUCT &&
					function->arguments[i].type.bytes > 8 ?
				2 :
				1;
	return word;
}

/* Of a function that nothing is known of, @number counted from 1. */
static int place_unknown(const struct expression_context *context,
			 const struct expression_node *node, unsigned int number,
			 struct expression_place *place)
{
	place->type = value_type_unknown();
	if (context->scope->arguments == SCOPE_WORDS) {
		if (number > WORDS_MAX)
			return expression_refuse(context->lexer, node->at, "arg%u is too many: %s",
						 number, scope_name(context->scope));
		place->fetch.base = PROBE_BASE_WORD;
		place->fetch.index = number - 1;
		return 0;
	}
	place->fetch.base = PROBE_BASE_REGISTER;
	if (number <= ARRAY_SIZE(argument_registers)) {
		place->fetch.index = argument_registers[number - 1];
		return 0;
	}
	place->fetch.index = PROBE_RSP;
	place->fetch.offset = STACK_ARGUMENTS_OFFSET +
			      8 * (int64_t)(number - ARRAY_SIZE(argument_registers) - 1);
	place->in_memory = true;
	return 0;
}

static int place_known(const struct expression_context *context, const struct expression_node *node,
		       const struct type_argument *argument, struct expression_place *place)
{
	const char *refusal = argument->refusal;
	const struct value_type type = { .info = argument->type };

	place->type.info = argument->type;
	if (context->scope->arguments == SCOPE_WORDS) {
		place->fetch.base = PROBE_BASE_WORD;
		if (argument->type.kind == TYPE_STRUCT)
			place->pieces = argument;
		if (argument->type.kind != TYPE_FLOAT)
			return 0;
	} else if (argument->place == ARGUMENT_REGISTER && argument->reg < PROBE_REGISTER_COUNT) {
		place->fetch.base = PROBE_BASE_REGISTER;
		place->fetch.index = argument->reg;
		return 0;
	} else if (argument->place == ARGUMENT_PIECES) {
		place->pieces = argument;
		return expression_place_enter(context, node, 0, &type, place);
	} else if (argument->place == ARGUMENT_STACK) {
		place->fetch.base = PROBE_BASE_REGISTER;
		place->fetch.index = PROBE_RSP;
		place->fetch.offset = argument->stack_offset;
		place->in_memory = true;
		return 0;
	}
	if (!refusal && argument->type.kind == TYPE_FLOAT)
		refusal = "floating point is not read";
	return expression_refuse(context->lexer, node->at, "%s",
				 refusal ? refusal : "it is not known where this lies");
}

/* Extra ones of printf() and the like follow as those of an unknown function would. */
static bool is_extra(const struct type_function *function)
{
	for (size_t i = 0; i < function->argument_count; i++)
		if (function->arguments[i].place != ARGUMENT_REGISTER)
			return false;
	return function->is_variadic;
}

static int check_entry(const struct expression_context *context, const struct expression_node *node)
{
	const struct probe_scope *scope = context->scope;

	if (!scope->has_return || scope->has_entry || scope->arguments == SCOPE_WORDS)
		return 0;
	return expression_refuse(
		context->lexer, node->at,
		"arguments are gone where a function returns, and this is %s; 'fn:' "
		"keeps them from its entry",
		scope_name(scope));
}

int expression_place_argument(const struct expression_context *context,
			      const struct expression_node *node, size_t index,
			      struct expression_place *ret)
{
	const struct probe_scope *scope = context->scope;
	const struct type_function *function = scope->function;
	struct expression_place place = { .is_user = scope->is_user,
					  .is_kept = scope->has_entry };
	int r;

	r = check_entry(context, node);
	if (r < 0)
		return r;
	if (!function || (index >= function->argument_count && is_extra(function)))
		r = place_unknown(context, node, index + 1, &place);
	else if (index < function->argument_count)
		r = place_known(context, node, &function->arguments[index], &place);
	else
		return expression_refuse(context->lexer, node->at, "%s has %zu argument%s",
					 scope_name(scope), function->argument_count,
					 function->argument_count == 1 ? "" : "s");
	if (r >= 0 && function && scope->arguments == SCOPE_WORDS)
		place.fetch.index = expression_word_index(function, index);
	if (r >= 0)
		*ret = place;
	return r;
}

/* Fields that are arguments can be told by number, too; those of a record cannot. */
static int place_numbered_field(const struct expression_context *context,
				const struct expression_node *node, size_t index,
				struct expression_place *ret)
{
	const struct probe_scope *scope = context->scope;

	if (scope->arguments == SCOPE_RECORD)
		return expression_refuse(context->lexer, node->at,
					 "%s has fields, by their names, and no arguments",
					 scope_name(scope));
	if (index >= scope->field_count || !strcmp(scope->fields[index].name, "ret"))
		return expression_refuse(context->lexer, node->at, "%s has no argument %zu",
					 scope_name(scope), index + 1);
	return expression_place_field(context, &scope->fields[index], ret);
}

static int place_result(const struct expression_context *context,
			const struct expression_node *node, struct expression_place *ret)
{
	const struct probe_scope *scope = context->scope;
	const struct type_function *function = scope->function;
	struct expression_place place = { .is_user = scope->is_user };
	int r = 0;

	if (!scope->has_return)
		return expression_refuse(context->lexer, node->at,
					 "%s does not fire where a function returns",
					 scope_name(scope));
	place.type = value_type_unknown();
	place.fetch.base = PROBE_BASE_REGISTER;
	place.fetch.index = PROBE_RAX;
	if (function && function->result.type.kind == TYPE_VOID)
		return expression_refuse(context->lexer, node->at, "this function returns nothing");
	if (function)
		r = place_known(context, node, &function->result, &place);
	if (scope->arguments == SCOPE_WORDS) {
		/* Behind the arguments; without a description nobody knows how many those are. */
		place.fetch.base = PROBE_BASE_WORD;
		place.fetch.index =
			function ? expression_word_index(function, function->argument_count) : 0;
	}
	if (scope->is_system_call) {
		place.has_show = true;
		place.show = PROBE_SHOW_ERRNO;
	}
	if (r >= 0)
		*ret = place;
	return r;
}

static int place_built_in(const struct expression_context *context,
			  const struct expression_node *node, const struct built_in_value *value,
			  struct expression_place *ret)
{
	const struct probe_scope *scope = context->scope;
	struct expression_place place = { .type.info = value->type, .is_fixed = true,
					  .has_show = true, .show = value->show };

	if (value->base == PROBE_BASE_LATENCY && !(scope->has_entry && scope->has_return))
		return expression_refuse(
			context->lexer, node->at,
			"only a probe from entry to return ('fn:') has a latency, and "
			"this is %s",
			scope_name(scope));
	place.fetch.base = value->base;
	if (value->type.kind == TYPE_ARRAY) {
		place.fetch.form = value->base == PROBE_BASE_COMM ? PROBE_TEXT : PROBE_BYTES;
		place.fetch.size = value->type.count;
		place.fetch.flags = value->base == PROBE_BASE_COMM ? 0 : PROBE_FETCH_USER;
	} else {
		place.fetch.bytes = value->type.bytes;
	}
	*ret = place;
	return 0;
}

static void offer_names(const struct probe_scope *scope, struct suggestion *suggestion)
{
	size_t count = scope->function ? scope->function->argument_count : 0, i;

	for (i = 0; i < scope->field_count; i++)
		suggestion_offer(suggestion, scope->fields[i].name);
	for (i = 0; i < count; i++)
		if (scope->function->arguments[i].name)
			suggestion_offer(suggestion, scope->function->arguments[i].name);
	if (scope->has_return)
		suggestion_offer(suggestion, "ret");
	for (i = 0; i < ARRAY_SIZE(built_in_values); i++)
		suggestion_offer(suggestion, built_in_values[i].name);
}

static int refuse_name(const struct expression_context *context, const struct expression_node *node)
{
	const struct probe_scope *scope = context->scope;
	char name[NAME_BYTES];
	struct suggestion suggestion = { .wanted = name };
	const char *nearest;

	snprintf(name, sizeof(name), "%.*s", (int)node->size, node->text);
	offer_names(scope, &suggestion);
	nearest = suggestion_get(&suggestion);
	if (nearest)
		return expression_refuse(context->lexer, node->at,
					 "%s has no '%s'; did you mean '%s'?", scope_name(scope),
					 name, nearest);
	if (!scope->function && !scope->field_count)
		return expression_refuse(context->lexer, node->at,
					 "%s has no '%s'; without debug information arguments are "
					 "arg1, arg2 and so on",
					 scope_name(scope), name);
	return expression_refuse(context->lexer, node->at, "%s has no '%s'", scope_name(scope),
				 name);
}

int expression_place_name(const struct expression_context *context,
			  const struct expression_node *node, struct expression_place *ret)
{
	const struct probe_field *field = find_field(context->scope, node->text, node->size);
	int argument = find_argument(context->scope, node->text, node->size);
	unsigned int number = argument_number(node->text, node->size);
	const struct built_in_value *value = find_built_in(node->text, node->size);

	/* What the probe has comes first: "pid" of kill() is whom it is for. */
	if (field)
		return expression_place_field(context, field, ret);
	if (argument >= 0)
		return expression_place_argument(context, node, argument, ret);
	if (number && context->scope->fields)
		return place_numbered_field(context, node, number - 1, ret);
	if (number)
		return expression_place_argument(context, node, number - 1, ret);
	if (is_named("ret", node->text, node->size))
		return place_result(context, node, ret);
	if (value)
		return place_built_in(context, node, value, ret);
	return refuse_name(context, node);
}
