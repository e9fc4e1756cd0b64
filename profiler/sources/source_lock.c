/* SPDX-License-Identifier: BSD-2-Clause */
/* source_lock.c - which programs the lock source needs, and what kinds of locks there are. */
#include <bpf/libbpf.h>

#include "bpf/lock_kind.h"
#include "profiler/sources/source_rows.h"

/* As in bpf/lock.bpf.c; without either both are wanted. */
enum { OPTION_USER, OPTION_KERNEL };

static const struct lock_program {
	const char *name;
	bool of_kernel, with_least_value;
} programs[] = {
	{ "lock_futex", false, false },
	{ "lock_futex_return", false, false },
	{ "lock_waking", false, false },
	{ "lock_thread_exit", false, false },
	{ "lock_exec", false, false },
	{ "lock_asleep", false, true },
	{ "lock_contended", true, false },
	{ "lock_had", true, false },
};

void source_lock_prepare(const struct source_options *options, struct bpf_object *object)
{
	const struct wick_settings *settings = &options->settings;
	bool both = !settings->option[OPTION_USER] == !settings->option[OPTION_KERNEL];

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		unsigned int option = programs[i].of_kernel ? OPTION_KERNEL : OPTION_USER;
		bool wanted = both || settings->option[option];

		if (programs[i].with_least_value && !settings->value_min)
			wanted = false;
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(object, programs[i].name), wanted);
	}
}

/* Called as "perf lock" calls them. */
const char *source_lock_kind(uint64_t key)
{
	static const struct {
		uint64_t flags;
		const char *text;
	} kinds[] = {
		{ 0, "spinlock" },
		{ WICK_LOCK_MUTEX, "mutex" },
		{ WICK_LOCK_READS, "rwsem:R" },
		{ WICK_LOCK_WRITES, "rwsem:W" },
		{ WICK_LOCK_SPINS | WICK_LOCK_READS, "rwlock:R" },
		{ WICK_LOCK_SPINS | WICK_LOCK_WRITES, "rwlock:W" },
		{ WICK_LOCK_RT, "rt-mutex" },
		{ WICK_LOCK_RT | WICK_LOCK_READS, "rwlock-rt:R" },
		{ WICK_LOCK_RT | WICK_LOCK_WRITES, "rwlock-rt:W" },
		{ WICK_LOCK_PERCPU | WICK_LOCK_READS, "percpu-sem:R" },
		{ WICK_LOCK_PERCPU | WICK_LOCK_WRITES, "percpu-sem:W" },
		{ WICK_LOCK_SPINS, "spinlock" },
	};

	if (key == WICK_LOCK_FUTEX)
		return "futex";
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (key == (WICK_LOCK_OF_KERNEL | kinds[i].flags))
			return kinds[i].text;
	return "kernel";
}
