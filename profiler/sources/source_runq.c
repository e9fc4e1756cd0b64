/* SPDX-License-Identifier: BSD-2-Clause */
/* source_runq.c - which programs the runq source needs for what is asked of it. */
#include <bpf/libbpf.h>

#include "profiler/sources/source_rows.h"

static void choose(struct bpf_object *object, const char *name, bool is_needed)
{
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, name), is_needed);
}

void source_runq_prepare(const struct source_options *options, struct bpf_object *object)
{
	const uint64_t of_leaving = WICK_DETAIL_BIT(SYSCALL) | WICK_DETAIL_BIT(REASON);
	const struct wick_settings *settings = &options->settings;
	bool is_walked = settings->walk_user || settings->walk_kernel;
	bool is_bare = !is_walked && !(settings->labels & of_leaving);

	choose(object, "runq_switch", is_bare);
	choose(object, "runq_in", !is_bare);
	choose(object, "runq_out", !is_bare);
	choose(object, "runq_return", settings->value_min && settings->walk_user);
	choose(object, "runq_waiting", settings->value_min || !is_walked);
}
