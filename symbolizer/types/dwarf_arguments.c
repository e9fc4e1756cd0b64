/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_arguments.c - a function's parameters, and where they lie when it is entered.
 *
 * Both are asked, the calling convention of the language and the locations that optimizers leave. They
 * agree but where the optimizer has changed how the function is called: then only locations are
 * believed, and what has none is refused, as is what it has taken out.
 */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/types/dwarf_types_private.h"
#include "symbolizer/types/go_abi.h"
#include "symbolizer/types/rust_abi.h"
#include "symbolizer/types/sysv_abi.h"

/* Children of a function that are looked at, variables and blocks among them. */
#define CHILDREN_MAX 4096
#define REG_RAX 0

static const char taken_out[] = "the compiler has left it out";
static const char changed[] = "the compiler has changed how the function is called";

struct parameter {
	Dwarf_Die die;
	bool is_missing;	/* of a copy of the function that was made without it */
	bool is_located;
	struct type_argument by_location;
};

struct function {
	struct dwarf_types *types;
	Dwarf_Die die;
	uint64_t address;
	int lang;
	struct parameter parameters[TYPE_ARGUMENTS_MAX];
	size_t count;
	struct go_call go_results;
	struct type_function *ret;
};

/* ---- which there are ---- */

static void add_parameter(struct function *f, Dwarf_Die *die, bool is_missing)
{
	if (f->count < TYPE_ARGUMENTS_MAX)
		f->parameters[f->count++] = (struct parameter){ .die = *die,
								.is_missing = is_missing };
}

/* The parameter of @function that is a copy of @origin. */
static bool find_copy(Dwarf_Die *function, Dwarf_Die *origin, Dwarf_Die *ret)
{
	Dwarf_Die of;
	int next, left = CHILDREN_MAX;

	for (next = dwarf_child(function, ret); next == 0 && left--;
	     next = dwarf_siblingof(ret, ret)) {
		if (dwarf_tag(ret) == DW_TAG_formal_parameter &&
		    dwarf_types_refer(ret, DW_AT_abstract_origin, &of) == 0 &&
		    of.addr == origin->addr)
			return true;
	}
	return false;
}

/* In the order of the source, which that of a copy need not be: GCC puts those it took out last. */
static void collect_children(struct function *f, Dwarf_Die *listing)
{
	bool is_copy = listing->addr != f->die.addr;
	Dwarf_Die child, copy;
	int next, left = CHILDREN_MAX;

	for (next = dwarf_child(listing, &child); next == 0 && left--;
	     next = dwarf_siblingof(&child, &child)) {
		if (dwarf_tag(&child) == DW_TAG_unspecified_parameters)
			f->ret->is_variadic = true;
		if (dwarf_tag(&child) != DW_TAG_formal_parameter)
			continue;
		if (!is_copy)
			add_parameter(f, &child, false);
		else if (find_copy(&f->die, &child, &copy))
			add_parameter(f, &copy, false);
		/* Of constructors there are some without what only others need. */
		else if (!dwarf_hasattr_integrate(&child, DW_AT_artificial))
			add_parameter(f, &child, true);
	}
}

static void collect(struct function *f)
{
	Dwarf_Die origin;

	if (dwarf_types_refer(&f->die, DW_AT_abstract_origin, &origin) == 0)
		collect_children(f, &origin);
	if (!f->count)
		collect_children(f, &f->die);
}

/* ---- what they are ---- */

static int parameter_read(struct function *f, struct parameter *parameter,
			  struct type_argument *ret)
{
	const char *name = dwarf_types_text(f->types, &parameter->die, DW_AT_name);

	/* Go calls what has no name "~p0". */
	*ret = (struct type_argument){ .name = name && *name != '~' ? name : "",
				       .place = ARGUMENT_UNKNOWN };
	return dwarf_type_info_of(f->types, &parameter->die, &ret->type);
}

static int parameter_locate(struct function *f, struct parameter *parameter,
			    const struct type_argument *argument)
{
	int r;

	if (parameter->is_missing || dwarf_hasattr(&parameter->die, DW_AT_const_value))
		return 0;
	parameter->by_location = *argument;
	r = dwarf_location_read(f->types, &f->die, &parameter->die, f->address,
				&parameter->by_location);
	if (r < 0)
		return r;
	parameter->is_located = r > 0;
	return 0;
}

/* Results are among the parameters; the first is taken. */
static int read_go_result(struct function *f, struct parameter *parameter)
{
	struct type_argument result;
	int r;

	r = parameter_read(f, parameter, &result);
	if (r < 0)
		return r;
	go_place(&f->go_results, &result);
	if (f->ret->result.type.kind == TYPE_VOID)
		f->ret->result = result;
	return 0;
}

static int read_parameters(struct function *f)
{
	struct type_argument *argument;
	size_t i, count = 0;
	int r;

	for (i = 0; i < f->count; i++) {
		if (f->lang == DWARF_LANG_GO &&
		    dwarf_types_flag(&f->parameters[i].die, DW_AT_variable_parameter)) {
			r = read_go_result(f, &f->parameters[i]);
			if (r < 0)
				return r;
			continue;
		}
		argument = &f->ret->arguments[count];
		f->parameters[count] = f->parameters[i];
		r = parameter_read(f, &f->parameters[count], argument);
		if (r < 0)
			return r;
		r = parameter_locate(f, &f->parameters[count], argument);
		if (r < 0)
			return r;
		count++;
	}
	f->count = f->ret->argument_count = count;
	return 0;
}

/* ---- by convention ---- */

static bool is_class_by_reference(struct function *f, const struct type_info *type)
{
	Dwarf_Die die;

	return type->kind == TYPE_STRUCT && dwarf_type_die(type, &die) &&
	       dwarf_type_is_by_reference(f->types, &die);
}

static int place_by_sysv(struct function *f)
{
	struct type_argument *result = &f->ret->result, *argument;
	struct sysv_call call = { 0 };
	size_t i;
	int r;

	if (is_class_by_reference(f, &result->type) || sysv_returns_in_memory(&result->type)) {
		sysv_take_pointer(&call);
		r = dwarf_type_point(f->types, &result->type, 1, true);
		if (r < 0)
			return r;
	}
	sysv_place_result(result);
	for (i = 0; i < f->count; i++) {
		argument = &f->ret->arguments[i];
		if (is_class_by_reference(f, &argument->type)) {
			r = dwarf_type_point(f->types, &argument->type, 1, true);
			if (r < 0)
				return r;
		}
		sysv_place_argument(&call, argument);
	}
	return 0;
}

static int place_by_rust(struct function *f)
{
	struct type_argument *result = &f->ret->result, *argument;
	struct rust_call call = { 0 };
	size_t i;
	int r;

	if (rust_returns_in_memory(&result->type)) {
		sysv_take_pointer(&call.call);
		r = dwarf_type_point(f->types, &result->type, 1, true);
		if (r < 0)
			return r;
	}
	rust_place_result(result);
	for (i = 0; i < f->count; i++) {
		argument = &f->ret->arguments[i];
		if (!rust_place_argument(&call, argument))
			continue;
		r = dwarf_type_point(f->types, &argument->type, 1, true);
		if (r < 0)
			return r;
		rust_place_argument(&call, argument);
	}
	return 0;
}

/* Of a generic one a dictionary comes first; debug information has it only sometimes. */
static void place_by_go(struct function *f)
{
	const char *name = dwarf_types_text(f->types, &f->die, DW_AT_name);
	struct go_call call = { 0 };
	size_t i;

	if (name && strstr(name, "[go.shape.") &&
	    (!f->count || strcmp(f->ret->arguments[0].name, ".dict")))
		call.integers = 1;
	for (i = 0; i < f->count; i++)
		go_place(&call, &f->ret->arguments[i]);
}

static int place_by_convention(struct function *f)
{
	if (f->lang == DWARF_LANG_GO) {
		place_by_go(f);
		return 0;
	}
	/* What has no mangled name is extern "C". */
	if (f->lang == DWARF_LANG_RUST && dwarf_hasattr_integrate(&f->die, DW_AT_linkage_name))
		return place_by_rust(f);
	return place_by_sysv(f);
}

/* ---- both ---- */

/* Whether each piece that has a location lies where the convention has it. */
static bool agree_pieces(const struct type_argument *convention,
			 const struct type_argument *location)
{
	size_t i, k;

	for (i = 0; i < location->piece_count; i++) {
		for (k = 0; k < convention->piece_count; k++) {
			if (convention->pieces[k].offset == location->pieces[i].offset)
				break;
		}
		if (k == convention->piece_count ||
		    convention->pieces[k].reg != location->pieces[i].reg)
			return false;
	}
	return true;
}

static bool agree(const struct type_argument *convention, const struct type_argument *location)
{
	if (convention->place != location->place)
		return false;
	switch (convention->place) {
	case ARGUMENT_REGISTER:
		return convention->reg == location->reg;
	case ARGUMENT_STACK:
		return convention->stack_offset == location->stack_offset;
	case ARGUMENT_PIECES:
		return agree_pieces(convention, location);
	default:
		return true;
	}
}

static bool is_changed(const struct function *f)
{
	uint64_t convention = DW_CC_normal;
	Dwarf_Die die = f->die;
	size_t i;

	dwarf_types_number(&die, DW_AT_calling_convention, &convention);
	if (convention != DW_CC_normal && convention != DW_CC_program)
		return true;
	for (i = 0; i < f->count; i++) {
		if (f->parameters[i].is_located &&
		    f->ret->arguments[i].place != ARGUMENT_UNKNOWN &&
		    !agree(&f->ret->arguments[i], &f->parameters[i].by_location))
			return true;
	}
	return false;
}

/* By the convention then, also what it does not use. Go leaves out nothing; Rust calls all functions external. */
static bool is_called_by_others(struct function *f)
{
	return f->lang == DWARF_LANG_GO ||
	       (f->lang != DWARF_LANG_RUST && dwarf_types_flag(&f->die, DW_AT_external));
}

/* Whether the optimizer may have left out a parameter, that has no location. */
static bool may_be_left_out(struct function *f, struct parameter *parameter)
{
	return !dwarf_hasattr(&parameter->die, DW_AT_location) && !is_called_by_others(f);
}

static void decide(struct function *f)
{
	bool is_other = is_changed(f);
	struct type_argument *argument;
	struct parameter *parameter;
	const char *refusal;
	size_t i;

	for (i = 0; i < f->count; i++) {
		argument = &f->ret->arguments[i];
		parameter = &f->parameters[i];
		refusal = NULL;
		/* A location may lack the parts that are not used; what others call gets them all. */
		if (parameter->is_located && !is_other && is_called_by_others(f))
			continue;
		if (parameter->is_located)
			*argument = parameter->by_location;
		else if (parameter->is_missing ||
			 dwarf_hasattr(&parameter->die, DW_AT_const_value) ||
			 may_be_left_out(f, parameter))
			refusal = taken_out;
		else if (is_other)
			refusal = changed;
		if (!refusal)
			continue;
		argument->place = ARGUMENT_UNKNOWN;
		argument->refusal = refusal;
	}
}

int dwarf_arguments_read(struct dwarf_types *types, Dwarf_Die *die, uint64_t address,
			 struct type_function *ret)
{
	struct function f = { .types = types, .die = *die, .address = address,
			      .lang = dwarf_language(die), .ret = ret };
	int r;

	*ret = (struct type_function){ .result = { .name = "", .place = ARGUMENT_UNKNOWN } };
	r = dwarf_type_info_of(types, die, &ret->result.type);
	if (r < 0)
		return r;
	collect(&f);
	r = read_parameters(&f);
	if (r < 0)
		return r;
	if (f.lang != DWARF_LANG_GO || ret->result.type.kind == TYPE_VOID)
		sysv_place_result(&ret->result);
	r = place_by_convention(&f);
	if (r < 0)
		return r;
	decide(&f);
	return 0;
}
