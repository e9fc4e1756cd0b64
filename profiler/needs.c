/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/needs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/session.h"

struct session_needs {
	struct btf *kernel_types;	/* NULL: there are none */
};

struct session_needs *session_needs_new(void)
{
	struct session_needs *needs = calloc(1, sizeof(*needs));

	if (!needs)
		return NULL;
	libbpf_set_print(NULL);
	needs->kernel_types = btf__load_vmlinux_btf();
	return needs;
}

struct session_needs *session_needs_free(struct session_needs *needs)
{
	if (!needs)
		return NULL;
	btf__free(needs->kernel_types);
	free(needs);
	return NULL;
}

/* ---- probes ---- */

static bool has_types(const struct session_needs *needs, const char *name)
{
	return needs->kernel_types != NULL;
}

/* The least program that needs what ours do. */
static bool may_load(const struct session_needs *needs, const char *name)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", nothing,
					       ARRAY_SIZE(nothing), NULL);

	return fd >= 0 && !session_lockdown();
}

static bool has_ring(const struct session_needs *needs, const char *name)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0,
						(uint32_t)sysconf(_SC_PAGESIZE), NULL);

	return fd >= 0;
}

/* What a program on a tracepoint is checked against by the verifier. */
static bool has_tracepoint(const struct session_needs *needs, const char *name)
{
	char type[96];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return needs->kernel_types &&
	       btf__find_by_name_kind(needs->kernel_types, type, BTF_KIND_TYPEDEF) >= 0;
}

static bool has_event(const struct session_needs *needs, const char *name)
{
	static const struct {
		const char *name;
		uint64_t config;
	} events[] = {
		{ "cpu-clock", PERF_COUNT_SW_CPU_CLOCK },
		{ "page-faults-min", PERF_COUNT_SW_PAGE_FAULTS_MIN },
		{ "page-faults-maj", PERF_COUNT_SW_PAGE_FAULTS_MAJ },
	};
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_SOFTWARE,
					.disabled = 1 };
	_cleanup_close_ int fd = -1;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(events[i].name, name))
			attr.config = events[i].config;
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd >= 0;
}

/* ---- lists ---- */

static const struct source_need needs_common[] = {
	{ has_types, "", "the kernel does not describe its types (/sys/kernel/btf/vmlinux)",
	  "a kernel with CONFIG_DEBUG_INFO_BTF" },
	{ may_load, "", "we may not load BPF programs", "the rights: see wick doctor" },
	{ has_ring, "", "the kernel has no BPF ring buffers", "Linux 5.8 or newer" },
	{ 0 },
};

#define TRACEPOINT(name, substitute)                                             \
	{ has_tracepoint, name, "the kernel has no tracepoint " name, substitute }

#define BY_SWITCHES "a kernel with CONFIG_TRACEPOINTS; until then -e cpu shows what does run"

const struct source_need needs_cpu[] = {
	{ has_event, "cpu-clock", "the kernel has no perf events",
	  "a kernel with CONFIG_PERF_EVENTS; until then -e switch shows what gets off a CPU" },
	{ 0 },
};

const struct source_need needs_offcpu[] = {
	TRACEPOINT("sched_switch", BY_SWITCHES),
	{ has_tracepoint, "sched_waking", "the kernel has no tracepoint sched_waking: no waker",
	  "-e switch shows who sleeps", true },
	{ 0 },
};

const struct source_need needs_runq[] = {
	TRACEPOINT("sched_switch", BY_SWITCHES),
	TRACEPOINT("sched_wakeup", "-e offcpu,preempted: it includes the wait for a CPU"),
	{ 0 },
};

const struct source_need needs_wakeup[] = {
	TRACEPOINT("sched_switch", BY_SWITCHES),
	TRACEPOINT("sched_waking", "-e offcpu: who sleeps, but not who wakes"),
	{ 0 },
};

const struct source_need needs_switch[] = {
	TRACEPOINT("sched_switch", BY_SWITCHES),
	{ 0 },
};

#define WITHOUT_SYSCALLS "-e offcpu: those that wait, by the reason"

const struct source_need needs_syscall[] = {
	TRACEPOINT("sys_enter", WITHOUT_SYSCALLS),
	TRACEPOINT("sys_exit", WITHOUT_SYSCALLS),
	{ 0 },
};

const struct source_need needs_lock[] = {
	{ has_tracepoint, "sys_enter", "the kernel has no tracepoint sys_enter: no futexes",
	  WITHOUT_SYSCALLS, true },
	{ has_tracepoint, "contention_begin",
	  "the kernel has no tracepoint contention_begin (Linux 5.19): only futexes",
	  "-e offcpu: its reason kernel-lock", true },
	{ 0 },
};

const struct source_need needs_fault[] = {
	{ has_event, "page-faults-min", "the kernel has no perf event page-faults-min",
	  "-e offcpu: its reason page-fault, for those that wait" },
	{ has_event, "page-faults-maj", "the kernel has no perf event page-faults-maj",
	  "-e offcpu: its reason page-fault, for those that wait" },
	{ 0 },
};

const struct source_need needs_signal[] = {
	TRACEPOINT("signal_generate", "-e syscall:kill+tgkill shows who sends them"),
	{ 0 },
};

const struct source_need needs_exit[] = {
	TRACEPOINT("sched_process_exit", "-e syscall:exit_group, for those that are not killed"),
	TRACEPOINT("signal_deliver", "-e signal shows who sends them"),
	{ 0 },
};

const struct source_need needs_irq[] = {
	TRACEPOINT("irq_handler_entry", "-e cpu shows their code where samples hit it"),
	TRACEPOINT("irq_handler_exit", "-e cpu shows their code where samples hit it"),
	{ 0 },
};

const struct source_need needs_softirq[] = {
	TRACEPOINT("softirq_entry", "-e cpu shows their code where samples hit it"),
	TRACEPOINT("softirq_exit", "-e cpu shows their code where samples hit it"),
	{ 0 },
};

/* ---- what is not there ---- */

/* The lack number *@left, counting down, among those of @list. */
static bool find_lack(const struct session_needs *needs, const struct source_need *list,
		      size_t *left, struct session_lack *ret)
{
	for (; list && list->reason; list++) {
		if (list->probe(needs, list->name) || (*left)--)
			continue;
		*ret = (struct session_lack){ list->reason, list->substitute, list->is_partial };
		return true;
	}
	return false;
}

bool session_source_lack(const struct session_needs *needs, size_t index, size_t lack,
			 struct session_lack *ret)
{
	const struct source *row = &source_table[index];
	size_t common = 0;

	/* Without these nothing else can be told. */
	if (find_lack(needs, needs_common, &common, ret))
		return !lack;
	if (find_lack(needs, row->needs, &lack, ret))
		return true;
	for (size_t i = 0; i < SOURCE_PARTS_MAX && row->parts[i]; i++)
		if (find_lack(needs, source_find(row->parts[i])->needs, &lack, ret))
			return true;
	return false;
}
