/* SPDX-License-Identifier: BSD-2-Clause */
/* source_lock.c - which programs the lock source needs, and what kinds of locks there are. */
#include <bpf/libbpf.h>
#include <errno.h>

#include "bpf/lock_kind.h"
#include "profiler/source_rows.h"

/* As in bpf/lock.bpf.c; without either both are wanted. */
enum { OPTION_USER, OPTION_KERNEL };

#define KERNEL_PROGRAM "lock_contended"

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
	{ KERNEL_PROGRAM, true, false },
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

/* Without tracepoints for the kernel's locks futexes remain, if they are wanted. */
int source_lock_attach(struct source_run *run, struct error *err)
{
	const struct wick_settings *settings = &source_run_options(run)->settings;
	const struct bpf_program *program =
		bpf_object__find_program_by_name(source_object(run, 0), KERNEL_PROGRAM);

	if (settings->option[OPTION_KERNEL] && !settings->option[OPTION_USER] &&
	    !bpf_program__autoload(program))
		return error_set(err, ERROR_NOT_SUPPORTED, -ENOENT,
				 "cannot see locks of the kernel: it has no tracepoint "
				 "lock:contention_begin (Linux 5.19)");
	return source_attach_programs(run, err);
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
