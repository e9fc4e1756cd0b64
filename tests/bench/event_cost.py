# SPDX-License-Identifier: BSD-2-Clause
"""How much slower events get while they are counted, each by wick and by what a user would take
instead, by pairs: the same work alone and beside the profiler, in turns."""
import shutil
import statistics
import subprocess
import time

import libbpf_tools
import observed
from table import Failed

ROUNDS = 3
SETTLE_SECONDS = 0.5
DEPTH = "20"
WORK_SECONDS = 60
# Switches of a busy machine, not of one that does nothing else.
PACED_NS = 10000
CALIBRATION_SPINS = 2000

# bpftrace where libbpf-tools has nothing, or nothing that walks stacks.
RUNQ_STACKS = """
tracepoint:sched:sched_wakeup { @woken[args->pid] = nsecs; }
tracepoint:sched:sched_switch {
    @stack[tid] = kstack; @user[tid] = ustack;
    if (@woken[args->next_pid]) {
        @[@stack[args->next_pid], @user[args->next_pid], args->next_comm] =
            sum(nsecs - @woken[args->next_pid]);
        delete(@woken[args->next_pid]); } }"""
SYSCALL_STACKS = """
tracepoint:raw_syscalls:sys_enter { @begin[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /@begin[tid]/ {
    @[ustack, comm, args->id] = sum(nsecs - @begin[tid]); delete(@begin[tid]); }"""
FAULT_STACKS = "software:page-faults:1 { @[kstack, ustack, comm] = count(); }"
FUTEX_STACKS = """
tracepoint:syscalls:sys_enter_futex { @begin[tid] = nsecs; }
tracepoint:syscalls:sys_exit_futex /@begin[tid]/ {
    @[ustack, comm] = sum(nsecs - @begin[tid]); delete(@begin[tid]); }"""


def wick(*arguments):
    return lambda build, folder: [build + "/wick", "record", "-q", "-a", *arguments] + (
        [] if "none" in arguments else ["-o", folder + "/sources.pb.gz"])


def tool(name, *arguments):
    return lambda build, folder: libbpf_tools.command(build, name) + [*arguments]


def installed(*command):
    def find(build, folder):
        if not shutil.which(command[0]):
            raise Failed("not installed")
        return [word.replace("FOLDER", folder) for word in command]
    return find


def bpftrace(program):
    return installed("bpftrace", "-e", program)


STORAGE = ("--stack-storage-size", "16384")
OFFCPU = (
    ("wick offcpu", wick("-e", "offcpu")),
    ("offcputime", tool("offcputime", *STORAGE)),
    ("wick offcpu,min=1ms", wick("-e", "offcpu,min=1ms")),
    ("offcputime -m 1000", tool("offcputime", "-m", "1000", *STORAGE)),
)
RUNQ = (
    ("wick runq, histogram", wick("-e", "runq", "--stacks", "none", "--histogram")),
    ("runqlat", tool("runqlat")),
    ("wick runq", wick("-e", "runq")),
    ("bpftrace, runq by stack", bpftrace(RUNQ_STACKS)),
    ("perf sched record", installed("perf", "sched", "record", "-a", "-o", "FOLDER/sched.data")),
)
SYSCALL = (
    ("wick syscall, no stacks", wick("-e", "syscall", "--stacks", "none", "--by", "syscall")),
    ("syscount -L", tool("syscount", "-L")),
    ("perf trace -s", installed("perf", "trace", "-a", "-s")),
    ("wick syscall", wick("-e", "syscall")),
    ("bpftrace, calls by stack", bpftrace(SYSCALL_STACKS)),
)
FAULT = (
    ("wick fault", wick("-e", "fault")),
    ("bpftrace, faults by stack", bpftrace(FAULT_STACKS)),
    ("perf record -e page-faults", installed("perf", "record", "-B", "-N", "-a", "-g", "-c", "1", "-e",
                                             "page-faults", "-o", "FOLDER/fault.data")),
)
LOCK = (
    ("wick lock,user", wick("-e", "lock,user")),
    ("futexctn", tool("futexctn", *STORAGE)),
    ("bpftrace, futexes by stack", bpftrace(FUTEX_STACKS)),
    ("wick lock", wick("-e", "lock")),
    ("klockstat", tool("klockstat")),
)

# Titles, what source_work does, in which pace, and who counts it.
WORKS = (
    ("switches, 100,000 a second", "switch", True, OFFCPU + RUNQ),
    ("switches, as fast as it goes", "switch", False, OFFCPU + RUNQ),
    ("switches, between two CPUs", "switch-between", False, OFFCPU + RUNQ),
    ("system calls", "syscall", False, SYSCALL),
    ("page faults", "fault", False, FAULT),
    ("waits for a mutex", "mutex", False, LOCK),
)


def event_ns(build, work, spins, prefix=()):
    """Nanoseconds per event; @prefix: words of a program that runs the work."""
    command = ["timeout", str(WORK_SECONDS), *prefix, build + "/tests/bench/source_work", work, DEPTH,
               str(spins)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if answer.returncode:
        raise Failed("%s ends with %d: %s" % (work, answer.returncode, answer.stderr.strip()))
    return float(answer.stdout)


def event_ns_beside(build, work, spins, command):
    sign = observed.LINK if command[0].endswith("/wick") else observed.EVENT + "|" + observed.LINK
    with observed.Observed(command, sign=sign) as it:
        time.sleep(SETTLE_SECONDS)
        ns = event_ns(build, work, spins)
        if it.process.poll() is not None:
            raise Failed("ended early: " + it.said())
    return ns


def paced_spins(build, work):
    """Rounds of work between events that make them as seldom as PACED_NS says."""
    bare = event_ns(build, work, 0)
    per_spin = (event_ns(build, work, CALIBRATION_SPINS) - bare) / CALIBRATION_SPINS
    return max(0, round((PACED_NS - bare) / per_spin))


def measure(build, folder, work, spins, rows, rounds):
    """For each row pairs (alone, beside) of ns per event, or why there are none."""
    pairs = {name: [] for name, _ in rows}
    for _ in range(rounds):
        for name, command in rows:
            if isinstance(pairs[name], Failed):
                continue
            try:
                beside = event_ns_beside(build, work, spins, command(build, folder))
                pairs[name].append((event_ns(build, work, spins), beside))
            except Failed as error:
                pairs[name] = error
    return pairs


def report(table, title, pairs):
    table.begin(title, ["% median", "% quartile 1", "% quartile 3", "ns/event", "alone ns"])
    for name, values in pairs.items():
        if isinstance(values, Failed):
            table.failed(name, values)
            continue
        low, middle, high = statistics.quantiles([(b / a - 1) * 100 for a, b in values], n=4)
        table.row(name, middle, low, high, statistics.median(b - a for a, b in values),
                  statistics.median(a for a, _ in values))


def run(table, build, folder, quick):
    for title, work, is_paced, rows in WORKS:
        spins = paced_spins(build, work) if is_paced else 0
        pairs = measure(build, folder, work, spins, rows, 2 if quick else ROUNDS)
        report(table, title, pairs)
