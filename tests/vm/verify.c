/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify.c - loads BPF objects and prints how many instructions the verifier processed for each
 * program. Usage: verify OBJECT.bpf.o...
 *
 * Prints "OBJECT PROGRAM INSTRUCTIONS" for each program, the log of what the verifier refuses to
 * standard error. The verifier knows the settings and drops what they rule out, so sources are loaded
 * twice: as they are without options, with every target; and, called OBJECT+all, with every
 * option and label as well, least and most values, EVENTS delivery and the optional programs (but those
 * on tracepoints that this kernel does not have). Nothing is attached, and each object has
 * its maps to itself.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "profiler/limits.h"
#include "profiler/settings.h"

#define PROGRAMS_MAX 64
#define LOG_BYTES (1u << 20)
/* What BPF_LOG_STATS is called in the kernel: only the line of sums. */
#define LOG_LEVEL_STATS 4

static int settings_all(struct wick_settings *ret)
{
	struct session_options options = {
		.frequency_hz = 99,
		.stacks = SESSION_STACKS_USER | SESSION_STACKS_KERNEL,
		.filter_uid = true,
		.comm_glob = "a*b?[cd]*",
	};
	struct session_limits limits = { 0 };
	struct error err = { 0 };
	uint64_t window_bytes;
	int r;

	limits_fill(LIMITS_MEMORY_DEFAULT, 1, 1, &limits, &window_bytes);
	r = settings_fill(&options, &limits, 1, ret, &err);
	if (r < 0)
		return r;
	ret->filter_pids = ret->filter_tids = ret->filter_cgroup = 1;
	ret->skip_pid = 1;
	return 0;
}

static void settings_add_options(struct wick_settings *settings)
{
	settings->value_min = 1000;
	settings->value_max = 1000000000;
	settings->labels = (1ull << WICK_DETAIL_COUNT) - 1;
	settings->syscalls[0] = 1;
	settings->deliver_events = 1;
	for (size_t i = 0; i < ARRAY_SIZE(settings->option); i++)
		settings->option[i] = 1;
}

/* Programs on uprobes that may sleep came with 6.0. */
static bool kernel_has_sleepers(void)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", nothing,
					       ARRAY_SIZE(nothing), &options);

	return fd >= 0;
}

/* "tp_btf/NAME" needs the type btf_trace_NAME. */
static bool kernel_has_program(const struct btf *kernel, const char *section)
{
	const char *name = strstr(section, "tp_btf/");
	char type[96];

	if (strstr(section, "uprobe.s"))
		return kernel_has_sleepers();
	if (!name)
		return true;
	snprintf(type, sizeof(type), "btf_trace_%s", name + strlen("tp_btf/"));
	return btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) >= 0;
}

/* Which function sources set before they load such a program; every kernel has this one. */
static void target_choose(struct bpf_program *program)
{
	enum bpf_attach_type type = bpf_program__expected_attach_type(program);

	if (type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT)
		bpf_program__set_attach_target(program, 0, "vfs_read");
}

static void programs_choose(struct bpf_object *object, const struct btf *kernel, bool all)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *section = bpf_program__section_name(program);
		bool wanted = all || bpf_program__autoload(program);

		bpf_program__set_autoload(program,
					  wanted && kernel_has_program(kernel, section));
		target_choose(program);
	}
}

static void object_closep(struct bpf_object **object)
{
	bpf_object__close(*object);
}

static int maps_prepare(struct bpf_object *object, const struct wick_settings *settings)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int r = 0;

		if (strstr(bpf_map__name(map), ".rodata.settings"))
			r = bpf_map__set_initial_value(map, settings, sizeof(*settings));
		if (r < 0)
			return r;
	}
	return 0;
}

static long processed(const char *log)
{
	const char *line = strstr(log, "processed ");

	return line ? atol(line + strlen("processed ")) : -1;
}

/* The end of the log says why. */
static void print_tail(const char *name, const char *log)
{
	size_t size = strlen(log);

	fprintf(stderr, "refused: %s: %s\n", name, size > 2000 ? log + size - 2000 : log);
}

static int object_load(struct bpf_object *object, const char *name)
{
	char *logs[PROGRAMS_MAX] = { NULL };
	struct bpf_program *program;
	size_t count = 0, i = 0;
	int r;

	bpf_object__for_each_program(program, object)
	{
		if (count == PROGRAMS_MAX)
			return -E2BIG;
		logs[count] = calloc(1, LOG_BYTES);
		if (!logs[count])
			return -ENOMEM;
		bpf_program__set_log_level(program, LOG_LEVEL_STATS);
		bpf_program__set_log_buf(program, logs[count++], LOG_BYTES);
	}
	r = bpf_object__load(object);
	bpf_object__for_each_program(program, object)
	{
		const char *log = logs[i++];

		if (r < 0 && log[0])
			print_tail(bpf_program__name(program), log);
		else if (r >= 0 && bpf_program__fd(program) >= 0)
			printf("%s %s %ld\n", name, bpf_program__name(program), processed(log));
	}
	while (count)
		free(logs[--count]);
	return r;
}

/* Returns 0, 1 when the object is not of a source and has no options, or a negative errno. */
static int verify(const char *path, const struct btf *kernel, bool all)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	_cleanup_(object_closep) struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct wick_settings settings;
	char name[64];
	int r = object ? settings_all(&settings) : -errno;

	snprintf(name, sizeof(name), "%.*s%s", (int)strcspn(base, "."), base, all ? "+all" : "");
	if (!r && all) {
		if (!bpf_object__find_map_by_name(object, "counts_0"))
			return 1;
		settings_add_options(&settings);
	}
	r = r ?: maps_prepare(object, &settings);
	if (!r) {
		programs_choose(object, kernel, all);
		r = object_load(object, name);
	}
	if (r < 0)
		fprintf(stderr, "cannot load BPF object: %s: %s\n", path, strerror(-r));
	return r;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

int main(int argc, char **argv)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct btf *kernel;
	int failed = 0;

	libbpf_set_print(quiet);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	kernel = btf__load_vmlinux_btf();
	if (!kernel) {
		fprintf(stderr, "cannot read kernel BTF: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		failed |= verify(argv[i], kernel, false) < 0;
		failed |= verify(argv[i], kernel, true) < 0;
	}
	btf__free(kernel);
	return failed;
}
