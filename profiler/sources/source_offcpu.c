/* SPDX-License-Identifier: BSD-2-Clause */
/* source_offcpu.c - which programs the offcpu source needs for what is asked of it. */
#include <bpf/libbpf.h>

#include "profiler/sources/source_rows.h"

void source_offcpu_prepare(const struct source_options *options, struct bpf_object *object)
{
	const struct wick_settings *settings = &options->settings;
	bool is_walked = settings->walk_user || settings->walk_kernel;
	struct bpf_program *program;

	program = bpf_object__find_program_by_name(object, "offcpu_return");
	bpf_program__set_autoload(program, settings->value_min && settings->walk_user);
	program = bpf_object__find_program_by_name(object, "offcpu_asleep");
	bpf_program__set_autoload(program, settings->value_min || !is_walked);
	program = bpf_object__find_program_by_name(object, "offcpu_waking");
	bpf_program__set_autoload(program, settings->option[1]);
}
