/* SPDX-License-Identifier: BSD-2-Clause */
/* source_runq.c - which programs the runq source needs for what is asked of it. */
#include <bpf/libbpf.h>

#include "profiler/sources/source_rows.h"

void source_runq_prepare(const struct source_options *options, struct bpf_object *object)
{
	const struct wick_settings *settings = &options->settings;
	bool is_walked = settings->walk_user || settings->walk_kernel;
	struct bpf_program *program;

	program = bpf_object__find_program_by_name(object, "runq_return");
	bpf_program__set_autoload(program, settings->value_min && settings->walk_user);
	program = bpf_object__find_program_by_name(object, "runq_waiting");
	bpf_program__set_autoload(program, settings->value_min || !is_walked);
}
