/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/typed_program.h"

#include <errno.h>

#include "tests/unit/unit.h"

void typed_program_init(struct typed_program *p, const char *command, const char *source)
{
	compiled_program_init(&p->program, command, source);
	p->mod = compiled_program_module(&p->program, "program");
	assert_int_equal(dwarf_types_open(p->mod, &p->types), 0);
	p->provider = dwarf_types_provider(p->types);
}

void typed_program_function(struct typed_program *p, const char *symbol, struct type_function *ret)
{
	struct type_function inside;
	uint64_t size, address = compiled_program_symbol(&p->program, symbol, &size);

	assert_int_equal(dwarf_types_function(p->types, address, ret), 0);
	/* Inside of it is not where it is entered. */
	assert_int_equal(dwarf_types_function(p->types, address + 1, &inside), -ENOENT);
}

void typed_program_done(struct typed_program *p)
{
	p->types = dwarf_types_close(p->types);
	module_put(p->mod);
	compiled_program_done(&p->program);
}
