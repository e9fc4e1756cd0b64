/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_table.c - one row per kind of profile. `wick list`, --help, completion and the
 * README's tables are printed from these rows.
 */
#include <string.h>

#include "profiler/probes/probe_kind.h"
#include "profiler/sources/needs.h"
#include "profiler/sources/source.h"
#include "profiler/sources/source_probe.h"
#include "profiler/sources/source_rows.h"

#define OPTION_MIN                                                                       \
	{ "min", "leave shorter ones out, as min=1ms", source_parse_duration,            \
	  offsetof(struct source_request, settings.value_min), "min=TIME" }
#define OPTION_MAX                                                                       \
	{ "max", "leave longer ones out, as max=10s", source_parse_duration,             \
	  offsetof(struct source_request, settings.value_max), "max=TIME" }
#define OPTION_FLAG(name, help, index)                                                   \
	{ name, help, NULL, offsetof(struct source_request, settings.option[index]) }

/* Of two events, with one meaning. */
#define KIND_HELP "which kind of lock, or of page fault"

#define PREEMPTED 0	/* its index, for who always has it */
#define OPTION_WAKER OPTION_FLAG("waker", "who ended the wait, on top of the stack", 1)

static const struct source_option offcpu_options[] = {
	OPTION_MIN,
	OPTION_MAX,
	OPTION_FLAG("preempted", "also the time a task could run and another did", PREEMPTED),
	OPTION_WAKER,
	{ 0 },
};

static const struct source_option wall_options[] = { OPTION_MIN, OPTION_MAX, OPTION_WAKER, { 0 } };

static const struct source_option length_options[] = { OPTION_MIN, OPTION_MAX, { 0 } };

static const struct source_option lock_options[] = {
	OPTION_MIN,
	OPTION_MAX,
	OPTION_FLAG("user", "only futexes", 0),
	OPTION_FLAG("kernel", "only locks of the kernel", 1),
	{ 0 },
};

static const struct source_option fault_options[] = {
	OPTION_FLAG("minor", "only those without reading", 0),
	OPTION_FLAG("major", "only those that read from a disk", 1),
	{ "range", "only those of addresses from A to below B, as range=7f0000000000-7f0000200000",
	  source_fault_parse_range, offsetof(struct source_request, settings.value_min),
	  "range=A-B" },
	{ 0 },
};

static const struct source_option exit_options[] = {
	OPTION_FLAG("fatal", "only those by a signal", 0),
	{ 0 },
};

#define OPTION_TEXT(name, help, field, shown)                                            \
	{ name, help, source_parse_text, offsetof(struct source_request, field), shown }
#define OPTIONS_OF_PROBE                                                                 \
	OPTION_TEXT("filter", "only where this holds, as filter=arg2 > 4k && comm == \"sh\"",  \
		    filter, "filter=EXPR"),                                                \
		OPTION_TEXT("label", "labels of samples, as label=arg1+arg2:str", labels,         \
			    "label=EXPR"),                                                        \
		OPTION_TEXT("value", "what a sample is worth, as value=arg1", sum, "value=EXPR"), \
		OPTION_TEXT("unit", "of that value, as unit=bytes", unit, "unit=NAME"),           \
		OPTION_TEXT("show", "what wick trace shows, as show=arg1+arg2:str", show,         \
			    "show=EXPR")

static const struct source_option probe_options[] = { OPTIONS_OF_PROBE, { 0 } };

#define OPTION_FORCE                                                                     \
	{ "force", "probe returns even where that could end the program, as force=1",    \
	  source_parse_one, offsetof(struct source_request, force), "force=1" }

static const struct source_option return_options[] = { OPTIONS_OF_PROBE, OPTION_FORCE, { 0 } };

static const struct source_option call_options[] = {
	OPTION_MIN, OPTION_MAX, OPTIONS_OF_PROBE, OPTION_FORCE, { 0 },
};

static const struct source_option counter_options[] = {
	{ "period", "events for one sample, as period=1000", source_parse_count,
	  offsetof(struct source_request, period), "period=N" },
	{ 0 },
};

#define PROBE_LABEL                                                                      \
	.key_label = "probe",                                                            \
	.key_help = "the function or tracepoint, of an event that has several"

/*
 * Of functions, on breakpoints: kprobes hold the guard that turns CPU samples away, and uprobes before
 * Linux 6.0.
 */
#define PROBE_ROW(scheme, kind, option_table, need_table, text)                            \
	{ .name = scheme, .help = text, .probe = &kind, .objects = { "probe" }, PROBE_LABEL, \
	  .takes_guard = true, .options = option_table, .needs = need_table,               \
	  .prepare = source_probe_prepare, .attach = source_probe_attach }

static const struct source_option length_probe_options[] = {
	OPTION_MIN, OPTION_MAX, OPTIONS_OF_PROBE, { 0 },
};

/* With what calls are given and return. */
static const struct source syscall_values = {
	.name = "syscall",
	.probe = &probe_syscall,
	.objects = { "syscall_values" },
	.options = length_probe_options,
	.no_kernel_stack = true,
	.values = { { "calls", "count", false, false }, { "syscall", "nanoseconds", true, true } },
	.labels = WICK_DETAIL_BIT(SYSCALL) | WICK_DETAIL_BIT(ERRNO),
	.attach = source_syscall_attach,
};

static const char *const exec_events[] = {
	"rawtp:sched_process_exec,show=filename=arg3->filename+cmdline",
	NULL,
};

static const char *const open_events[] = { "syscall:open+openat+openat2+creat", NULL };

/* The kernel has a tracepoint of its checks from 6.13 on, and before that a function. */
static const char *const privilege_events[] = {
	"syscall:setuid+setgid+setreuid+setregid+setresuid+setresgid+setfsuid+setfsgid+setgroups+"
	"capset+ptrace+process_vm_writev+bpf+init_module+finit_module+delete_module+kexec_load+"
	"kexec_file_load+unshare+setns+chroot+pivot_root+mount+umount2",
	"?tracepoint:capability:cap_capable,show=cap+ret",
	NULL,
};

const struct source source_table[] = {
	{ .name = "cpu", .help = "where CPUs spend their time, on a clock",
	  .objects = { "cpu" }, .reason = "on-cpu",
	  .values = { { "samples", "count", false, true }, { "cpu", "nanoseconds", true, false } },
	  .attach = source_cpu_attach,
	  .update_cpus = source_cpu_update,
	  .needs = needs_cpu },
	{ .name = "offcpu",
	  .help = "where tasks wait, from switch-out to switch-in",
	  .objects = { "offcpu" },
	  .options = offcpu_options,
	  .in_tracepoint = true,
	  .in_scheduler = true,
	  .values = { { "waits", "count", false, false },
		      { "off_cpu", "nanoseconds", true, true } },
	  .labels = WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(SYSCALL),
	  .peer_label = "waker", .peer_help = "who ended the wait, with the option waker",
	  .prepare = source_offcpu_prepare,
	  .attach = source_attach_programs,
	  .needs = needs_offcpu },
	{ .name = "runq",
	  .help = "how long tasks that can run wait for a CPU",
	  .objects = { "runq" },
	  .options = length_options,
	  .in_tracepoint = true,
	  .values = { { "delays", "count", false, false }, { "runq", "nanoseconds", true, true } },
	  .labels = WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(SYSCALL),
	  .prepare = source_runq_prepare,
	  .attach = source_attach_programs,
	  .needs = needs_runq },
	{ .name = "wakeup",
	  .help = "who wakes tasks, and how long they had slept; targets are the woken",
	  .objects = { "wakeup" },
	  .options = length_options,
	  .in_tracepoint = true,
	  .in_interrupts = true,
	  .values = { { "wakeups", "count", false, true },
		      { "slept", "nanoseconds", true, false } },
	  .peer_label = "woken", .peer_help = "who was woken",
	  .attach = source_attach_programs,
	  .needs = needs_wakeup },
	{ .name = "switch",
	  .help = "what takes tasks off their CPU, each time",
	  .objects = { "switches" },
	  .in_tracepoint = true,
	  .in_scheduler = true,
	  .values = { { "switches", "count", false, true } },
	  .labels = WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(SYSCALL),
	  .attach = source_attach_programs,
	  .needs = needs_switch },
	{ .name = "syscall",
	  .help = "how long system calls take, and how they fail; some as syscall:read+write or syscall:open*",
	  .parse_argument = source_syscall_parse,
	  .objects = { "syscall" },
	  .options = length_probe_options,
	  .with_values = &syscall_values,
	  .no_kernel_stack = true,
	  .values = { { "calls", "count", false, false },
		      { "syscall", "nanoseconds", true, true } },
	  .labels = WICK_DETAIL_BIT(SYSCALL) | WICK_DETAIL_BIT(ERRNO),
	  .attach = source_attach_programs,
	  .needs = needs_syscall },
	{ .name = "lock",
	  .help = "waits for locks: futexes (mutexes and condition variables alike), the kernel's",
	  .objects = { "lock" },
	  .options = lock_options,
	  .in_tracepoint = true,
	  .in_interrupts = true,
	  .skips_profiler = true,
	  .values = { { "contentions", "count", false, false },
		      { "lock_wait", "nanoseconds", true, true } },
	  .labels = WICK_DETAIL_BIT(KEY) | WICK_DETAIL_BIT(LOCK) | WICK_DETAIL_BIT(ERRNO),
	  .key_label = "kind", .key_help = KIND_HELP,
	  .key_text = source_lock_kind,
	  .peer_label = "owner", .peer_help = "who had the lock, and woke the waiter",
	  .prepare = source_lock_prepare,
	  .attach = source_attach_programs,
	  .needs = needs_lock },
	{ .name = "fault",
	  .help = "page faults, by the code that touched the page",
	  .objects = { "fault" },
	  .options = fault_options,
	  .takes_guard = true,
	  .has_address = true,
	  .values = { { "faults", "count", false, true } },
	  .labels = WICK_DETAIL_BIT(KEY),
	  .key_label = "kind", .key_help = KIND_HELP,
	  .key_text = source_fault_kind,
	  .prepare = source_fault_prepare,
	  .attach = source_fault_attach,
	  .update_cpus = source_fault_update,
	  .needs = needs_fault },
	{ .name = "signal",
	  .help = "signals, by who sends them, to whom; targets are the senders",
	  .objects = { "signal" },
	  .in_tracepoint = true,
	  .in_interrupts = true,
	  .values = { { "signals", "count", false, true } },
	  .labels = WICK_DETAIL_BIT(KEY),
	  .key_label = "signal", .key_help = "which signal",
	  .key_write = source_signal_name,
	  .peer_label = "target", .peer_help = "whom the signal was for",
	  .attach = source_attach_programs,
	  .needs = needs_signal },
	{ .name = "exit",
	  .help = "how processes end; where they were when a signal kills them",
	  .objects = { "exit" },
	  .options = exit_options,
	  .in_tracepoint = true,
	  .values = { { "exits", "count", false, true } },
	  .labels = WICK_DETAIL_BIT(KEY),
	  .key_label = "status", .key_help = "the status of a process, or the signal that ended it",
	  .key_write = source_exit_status,
	  .attach = source_attach_programs,
	  .needs = needs_exit },
	{ .name = "irq",
	  .help = "how long handlers of interrupts run",
	  .objects = { "irq" },
	  .options = length_options,
	  .no_user_stack = true,
	  .in_tracepoint = true,
	  .in_interrupts = true,
	  .values = { { "interrupts", "count", false, false },
		      { "irq", "nanoseconds", true, true } },
	  .labels = WICK_DETAIL_BIT(KEY),
	  .key_label = "irq", .key_help = "number and device of an interrupt",
	  .key_write = source_irq_name,
	  .attach = source_attach_programs,
	  .needs = needs_irq },
	{ .name = "softirq",
	  .help = "how long deferred work of interrupts runs: timers, network, RCU",
	  .objects = { "softirq" },
	  .options = length_options,
	  .no_user_stack = true,
	  .in_tracepoint = true,
	  .in_interrupts = true,
	  .values = { { "softirqs", "count", false, false },
		      { "softirq", "nanoseconds", true, true } },
	  .labels = WICK_DETAIL_BIT(KEY),
	  .key_label = "softirq", .key_help = "which deferred work",
	  .key_text = source_softirq_name,
	  .attach = source_attach_programs,
	  .needs = needs_softirq },
	/* Elapsed time: also that in which a task could run, and had no CPU. */
	{ .name = "wall",
	  .help = "where tasks spend their time: on a CPU, waiting, and waiting for a CPU",
	  .option = { [PREEMPTED] = 1 },
	  .parts = { "cpu", "offcpu" }, .options = wall_options,
	  .values = { { "wall", "nanoseconds", true, true } } },
	{ .name = "exec", .help = "programs that are executed, with their arguments",
	  .stands_for = exec_events, .options = probe_options },
	{ .name = "open", .help = "files that are opened, or that cannot be",
	  .stands_for = open_events, .options = length_probe_options },
	{ .name = "privilege",
	  .help = "who becomes somebody else, debugs, loads code into the kernel, or is asked for a "
		  "capability",
	  .stands_for = privilege_events, .options = probe_options },
	PROBE_ROW("uprobe", probe_uprobe, probe_options, needs_uprobe,
		  "a function of a program or library, each time it is entered: uprobe:libc:malloc"),
	PROBE_ROW("uretprobe", probe_uretprobe, return_options, needs_uprobe,
		  "the same when it returns, with its value: uretprobe:libc:malloc"),
	PROBE_ROW("fn", probe_fn, call_options, needs_uprobe,
		  "how long a function takes, from entry to return: fn:libc:fsync"),
	PROBE_ROW("usdt", probe_usdt, probe_options, needs_uprobe,
		  "a probe that a program declares: usdt:libstdc++:throw"),
	PROBE_ROW("kprobe", probe_kprobe, probe_options, needs_kprobe,
		  "a function of the kernel, each time it is entered: kprobe:do_sys_openat2"),
	PROBE_ROW("kretprobe", probe_kretprobe, length_probe_options, needs_kprobe,
		  "how long one takes, from entry to return: kretprobe:do_sys_openat2"),
	{ .name = "rawtp",
	  .help = "a tracepoint with the arguments the kernel gives it: rawtp:sched_switch",
	  .probe = &probe_rawtp, PROBE_LABEL, .objects = { "rawtp" }, .options = probe_options,
	  .needs = needs_rawtp,
	  .prepare = source_probe_prepare, .attach = source_probe_attach },
	{ .name = "tracepoint",
	  .help = "a tracepoint with the fields of its record: tracepoint:sched:sched_switch",
	  .probe = &probe_tracepoint,
	  PROBE_LABEL,
	  .objects = { "tracepoint" },
	  .options = probe_options,
	  .takes_guard = true,
	  .in_interrupts = true,
	  .needs = needs_tracefs,
	  .prepare = source_probe_prepare,
	  .attach = source_probe_attach },
	{ .name = "sw",
	  .help = "a software counter, a sample each period=: sw:cpu-migrations",
	  .probe = &probe_sw,
	  .objects = { "perf_counter" },
	  .options = counter_options,
	  .takes_guard = true,
	  .needs = needs_cpu,
	  .attach = source_counter_attach,
	  .update_cpus = source_counter_update },
	{ .name = "hw", .help = "a hardware counter, a sample each period=: hw:cache-misses",
	  .probe = &probe_hw, .objects = { "perf_counter" }, .options = counter_options,
	  .takes_guard = true, .needs = needs_hardware,
	  .attach = source_counter_attach,
	  .update_cpus = source_counter_update },
	{ 0 },
};

const struct source *source_find(const char *name)
{
	for (const struct source *s = source_table; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}
