/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/needs.h"

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
#include "profiler/sources/program_features.h"

/* The types are some megabytes, and not everybody wants them. */
struct session_needs {
	struct btf *kernel_types;
	bool has_looked;
	int types_error;		/* why there are none, a negative errno */
};

struct session_needs *session_needs_new(void)
{
	libbpf_set_print(NULL);
	return calloc(1, sizeof(struct session_needs));
}

struct session_needs *session_needs_free(struct session_needs *needs)
{
	if (!needs)
		return NULL;
	btf__free(needs->kernel_types);
	free(needs);
	return NULL;
}

int needs_types_error(const struct session_needs *needs)
{
	return needs->types_error;
}

/* ---- probes ---- */

static bool has_types(struct session_needs *needs, const char *name)
{
	if (!needs->has_looked) {
		needs->has_looked = true;
		needs->kernel_types = btf__load_vmlinux_btf();
		needs->types_error = needs->kernel_types ? 0 : -errno;
	}
	return needs->kernel_types != NULL;
}

/* The least program that needs what ours do. */
static bool may_load(struct session_needs *needs, const char *name)
{
	return program_may_load() && !session_lockdown();
}

static bool has_ring(struct session_needs *needs, const char *name)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0,
						(uint32_t)sysconf(_SC_PAGESIZE), NULL);

	return fd >= 0;
}

bool needs_tracepoint(struct session_needs *needs, const char *name)
{
	char type[96];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return has_types(needs, "") &&
	       btf__find_by_name_kind(needs->kernel_types, type, BTF_KIND_TYPEDEF) >= 0;
}

static bool has_event(struct session_needs *needs, const char *name)
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
	/* Rights are another matter. */
	return fd >= 0 || errno == EACCES || errno == EPERM;
}

/* A kind of perf event that has a folder of its own. */
static bool has_event_source(struct session_needs *needs, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	return !access(path, F_OK);
}

static bool has_hardware(struct session_needs *needs, const char *name)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_HARDWARE,
					.config = PERF_COUNT_HW_CPU_CYCLES, .disabled = 1 };
	_cleanup_close_ int fd =
		(int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd >= 0 || errno == EACCES || errno == EPERM;
}

/*
 * Whether trampolines are used at all, told by that of a function that every kernel has. They stand for
 * kprobes, and are not missed without.
 */
static bool has_trampolines(struct session_needs *needs, const char *name)
{
	int id = has_types(needs, "") ?
			 btf__find_by_name_kind(needs->kernel_types, name, BTF_KIND_FUNC) :
			 -1;

	return !has_event_source(needs, "kprobe") ||
	       (id > 0 && program_has_trampoline((uint32_t)id, false));
}

static bool has_guards(struct session_needs *needs, const char *name)
{
	return !has_event_source(needs, name) || program_trampolines_guard();
}

/* ---- lists ---- */

static const struct source_need needs_common[] = {
	{ has_types, "", "the kernel does not describe its types (/sys/kernel/btf/vmlinux)",
	  "a kernel with CONFIG_DEBUG_INFO_BTF" },
	{ may_load, "", "we may not load BPF programs", "the rights: see wick doctor" },
	{ has_ring, "", "the kernel has no BPF ring buffers", "Linux 5.8 or newer" },
	{ 0 },
};

#define TRACEPOINT(name, substitute)                                               \
	{ needs_tracepoint, name, "the kernel has no tracepoint " name, substitute }
#define TRACEPOINT_FOR(name, substitute, part, loss)                               \
	{ needs_tracepoint, name, "the kernel has no tracepoint " name, substitute, \
	  part, loss }

#define BY_SWITCHES "a kernel with CONFIG_TRACEPOINTS; until then -e cpu shows what does run"
#define WITHOUT_SYSCALLS "-e offcpu: those that wait, by the reason"
#define LEAVE_OUT_LATER "all of them, and leave the short ones out when it is shown"
#define BY_PROCESSES "a kernel with CONFIG_TRACEPOINTS"

/* In the order of the flags in the source table. */
enum { FLAG_FIRST, FLAG_SECOND };

static enum source_loss loss_of_least(const struct wick_settings *settings)
{
	return settings->value_min ? SOURCE_LOSS_ALL : SOURCE_LOSS_NONE;
}

static enum source_loss loss_of_waker(const struct wick_settings *settings)
{
	return settings->option[FLAG_SECOND] ? SOURCE_LOSS_PART : SOURCE_LOSS_NONE;
}

/* One of two kinds: flags ask for one alone, and without any, or with both, it is both. */
static enum source_loss loss_of_kind(const struct wick_settings *settings, unsigned int flag)
{
	if (!settings->option[FLAG_FIRST] == !settings->option[FLAG_SECOND])
		return SOURCE_LOSS_HALF;
	return settings->option[flag] ? SOURCE_LOSS_ALL : SOURCE_LOSS_NONE;
}

static enum source_loss loss_of_first(const struct wick_settings *settings)
{
	return loss_of_kind(settings, FLAG_FIRST);
}

static enum source_loss loss_of_second(const struct wick_settings *settings)
{
	return loss_of_kind(settings, FLAG_SECOND);
}

const struct source_need needs_cpu[] = {
	{ has_event, "cpu-clock", "the kernel has no perf events",
	  "a kernel with CONFIG_PERF_EVENTS; until then -e switch shows what gets off a CPU" },
	{ 0 },
};

const struct source_need needs_offcpu[] = {
	TRACEPOINT("sched_switch", BY_SWITCHES),
	TRACEPOINT_FOR("sched_waking", "-e switch shows who sleeps", "who ends the wait (waker)",
		       loss_of_waker),
	TRACEPOINT_FOR("sys_exit", LEAVE_OUT_LATER, "min=", loss_of_least),
	{ 0 },
};

#define WITHOUT_WAKEUP "-e offcpu,preempted: it includes the wait for a CPU"

const struct source_need needs_runq[] = {
	TRACEPOINT("sched_switch", BY_SWITCHES),
	TRACEPOINT("sched_wakeup", WITHOUT_WAKEUP),
	TRACEPOINT("sched_wakeup_new", WITHOUT_WAKEUP),
	TRACEPOINT_FOR("sys_exit", LEAVE_OUT_LATER, "min=", loss_of_least),
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

const struct source_need needs_syscall[] = {
	TRACEPOINT("sys_enter", WITHOUT_SYSCALLS),
	TRACEPOINT("sys_exit", WITHOUT_SYSCALLS),
	TRACEPOINT("sched_process_exit", BY_PROCESSES),
	TRACEPOINT("sched_process_exec", BY_PROCESSES),
	{ 0 },
};

#define FUTEXES(name, substitute) TRACEPOINT_FOR(name, substitute, "futexes", loss_of_first)
#define KERNEL_LOCKS(name)                                                         \
	{ needs_tracepoint, name,                                                  \
	  "the kernel has no tracepoint " name " (Linux 5.19)",                    \
	  "-e offcpu: its reason kernel-lock", "locks of the kernel", loss_of_second }

const struct source_need needs_lock[] = {
	FUTEXES("sys_enter", WITHOUT_SYSCALLS),
	FUTEXES("sys_exit", WITHOUT_SYSCALLS),
	FUTEXES("sched_waking", WITHOUT_SYSCALLS),
	FUTEXES("sched_process_exit", BY_PROCESSES),
	FUTEXES("sched_process_exec", BY_PROCESSES),
	KERNEL_LOCKS("contention_begin"),
	KERNEL_LOCKS("contention_end"),
	{ 0 },
};

#define WITHOUT_FAULTS "-e offcpu: its reason page-fault, for those that wait"

const struct source_need needs_fault[] = {
	{ has_event, "page-faults-min", "the kernel has no perf event page-faults-min",
	  WITHOUT_FAULTS },
	{ has_event, "page-faults-maj", "the kernel has no perf event page-faults-maj",
	  WITHOUT_FAULTS },
	{ 0 },
};

const struct source_need needs_signal[] = {
	TRACEPOINT("signal_generate", "-e syscall:kill+tgkill shows who sends them"),
	{ 0 },
};

#define WITHOUT_EXITS "-e syscall:exit_group, for those that are not killed"

const struct source_need needs_exit[] = {
	TRACEPOINT("sched_process_exit", WITHOUT_EXITS),
	TRACEPOINT("sched_process_free", WITHOUT_EXITS),
	TRACEPOINT("signal_deliver", "-e signal shows who sends them"),
	{ 0 },
};

#define WITHOUT_INTERRUPTS "-e cpu shows their code where samples hit it"

const struct source_need needs_irq[] = {
	TRACEPOINT("irq_handler_entry", WITHOUT_INTERRUPTS),
	TRACEPOINT("irq_handler_exit", WITHOUT_INTERRUPTS),
	{ 0 },
};

const struct source_need needs_softirq[] = {
	TRACEPOINT("softirq_entry", WITHOUT_INTERRUPTS),
	TRACEPOINT("softirq_exit", WITHOUT_INTERRUPTS),
	{ 0 },
};

/* ---- probes ---- */

/* Where calls are measured, threads that end are followed. */
#define FOLLOWS_THREADS                                                            \
	TRACEPOINT("sched_process_exit", BY_PROCESSES),                            \
		TRACEPOINT("sched_process_exec", BY_PROCESSES)

const struct source_need needs_uprobe[] = {
	{ has_event_source, "uprobe", "the kernel has no probes in programs (CONFIG_UPROBE_EVENTS)",
	  "-e cpu, and syscall: for what leaves the program" },
	FOLLOWS_THREADS,
	{ 0 },
};

#define BY_KPROBES "kprobes, which cost more, and beside which the kernel skips CPU samples"

/* Of each function it is said how it is probed. */
static enum source_loss loss_of_nothing(const struct wick_settings *settings)
{
	return SOURCE_LOSS_NONE;
}

const struct source_need needs_kprobe[] = {
	{ has_event_source, "kprobe", "the kernel has no probes in itself (CONFIG_KPROBE_EVENTS)",
	  "rawtp: or tracepoint:, where a tracepoint is near; see wick list 'tracepoint:*'" },
	FOLLOWS_THREADS,
	{ has_trampolines, "vfs_read",
	  "the kernel calls no program from its functions "
	  "(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)",
	  BY_KPROBES, "fentry", loss_of_nothing },
	{ has_guards, "kprobe",
	  "a program that its functions call may come to run inside itself "
	  "(Linux before 5.12)",
	  BY_KPROBES, "fentry", loss_of_nothing },
	{ 0 },
};

const struct source_need needs_rawtp[] = {
	{ has_types, "tracepoints", "the kernel does not describe its tracepoints' arguments",
	  "tracepoint:, the same places with their records" },
	{ 0 },
};

const struct source_need needs_tracefs[] = {
	{ has_event_source, "tracepoint", "the kernel has no events of tracepoints "
	  "(CONFIG_EVENT_TRACING)", "rawtp:, the same places with other arguments" },
	{ 0 },
};

const struct source_need needs_hardware[] = {
	{ has_hardware, "cycles", "this machine, or the virtual one, has no hardware counters",
	  "sw:, and -e cpu on a clock" },
	{ 0 },
};

/* ---- what is not there ---- */

/* The lack number *@left, counting down, among those of @list: one for each part. */
static bool find_lack(struct session_needs *needs, const struct source_need *list,
		      size_t *left, struct session_lack *ret)
{
	const char *part = NULL;

	for (; list && list->reason; list++) {
		if (list->probe(needs, list->name) ||
		    (part && list->part && !strcmp(part, list->part)))
			continue;
		part = list->part;
		if ((*left)--)
			continue;
		*ret = (struct session_lack){ list->reason, list->substitute, list->part };
		return true;
	}
	return false;
}

const struct source_need *needs_lacking(struct session_needs *needs,
					const struct source_need *list,
					const struct wick_settings *settings, size_t *position,
					enum source_loss *ret_loss)
{
	while (list && list[*position].reason) {
		const struct source_need *need = &list[(*position)++];
		enum source_loss loss = need->loss ? need->loss(settings) : SOURCE_LOSS_ALL;

		if (loss == SOURCE_LOSS_NONE || need->probe(needs, need->name))
			continue;
		*ret_loss = loss;
		return need;
	}
	return NULL;
}

/* The row of one of those that an event stands for. */
static const struct source *source_of(const char *event)
{
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)source_name_size(event), event);
	return source_find(name);
}

bool session_source_lack(struct session_needs *needs, size_t index, size_t lack,
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
	for (const char *const *event = row->stands_for; event && *event; event++)
		if (**event != '?' && find_lack(needs, source_of(*event)->needs, &lack, ret))
			return true;
	return false;
}
