/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/kernel_trampoline.h"

#include <errno.h>
#include <string.h>

#include "profiler/kernel_types/btf_types.h"
#include "profiler/sources/program_features.h"

/*
 * A trampoline waits for each call to return before it is given back; the kernel itself refuses these from
 * 6.15 on.
 */
static bool never_returns(const char *name)
{
	static const char *const names[] = { "do_exit", "do_group_exit", "make_task_dead",
					     "kthread_exit", "kthread_complete_and_exit",
					     "__x64_sys_exit", "__x64_sys_exit_group" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Of a function by its name. */
static const char *name_lack(struct btf_types *types, const char *name, bool at_return)
{
	struct type_function type;
	uint32_t id;
	int module, r = btf_types_attach_id(types, name, &id, &module);

	if (r == -ENOENT)
		return "the kernel's types do not have it";
	if (r < 0)
		return "the types of its module cannot be had";
	if (module)
		return "it is a module's";
	if (at_return && never_returns(name))
		return "it does not return";
	if (btf_types_function(types, name, &type) < 0)
		return "its arguments cannot be told";
	if (!program_trampolines_guard())
		return "this kernel's trampolines do not keep a program from running inside itself "
		       "(Linux 5.12)";
	return program_has_trampoline(id, at_return) ? NULL :
						       "this kernel has no trampoline for it";
}

const char *kernel_trampoline_lack(struct btf_types *types, const struct probe_kind *kind,
				   const struct probe_words *words)
{
	/* Each trampoline takes a program of its own. */
	if (probe_name_is_glob(words->name))
		return "a pattern may be many functions";
	if (words->has_offset && words->offset)
		return "it is not where the function begins";
	return name_lack(types, words->name, kind->at_return);
}
