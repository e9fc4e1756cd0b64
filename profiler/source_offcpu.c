/* SPDX-License-Identifier: BSD-2-Clause */
/* source_offcpu.c - which programs the offcpu source needs for what is asked of it. */
#include <bpf/libbpf.h>

#include "profiler/source_rows.h"

void source_offcpu_prepare(const struct source_options *options, struct bpf_object *object)
{
	const struct wick_settings *settings = &options->settings;
	struct bpf_program *program;

	program = bpf_object__find_program_by_name(object, "offcpu_return");
	bpf_program__set_autoload(program, settings->value_min > 0);
	program = bpf_object__find_program_by_name(object, "offcpu_asleep");
	bpf_program__set_autoload(program, settings->value_min > 0);
	program = bpf_object__find_program_by_name(object, "offcpu_waking");
	bpf_program__set_autoload(program, settings->option[1]);
}
