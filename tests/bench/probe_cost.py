# SPDX-License-Identifier: BSD-2-Clause
"""What it costs a program that its system calls are traced and its functions probed, by wick and by
what a user would take instead; and how long a list of everything takes."""
import os
import shutil
import statistics
import subprocess
import time

import event_cost
from table import Failed

ROUNDS = 3
LIST_ROUNDS = 5
WORK = "source_work"

CALLS_COUNTED = "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }"
CALLS_MEASURED = """
tracepoint:raw_syscalls:sys_enter { @begin[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /@begin[tid]/ {
    @ns[args->id] = hist(nsecs - @begin[tid]); delete(@begin[tid]); }"""
CALLS_TRACED = """
tracepoint:raw_syscalls:sys_enter /comm == "source_work"/ {
    printf("%lld %s %d %ld\\n", nsecs, comm, tid, args->id); }"""


def wick(tool, *arguments):
    def command(build, folder):
        target = os.path.abspath(build + "/tests/bench/" + WORK)
        return [build + "/wick", tool, "-q"] + [
            word.replace("TARGET", target).replace("FOLDER", folder) for word in arguments]
    return command


def bpftrace(program):
    def command(build, folder):
        if not shutil.which("bpftrace"):
            raise Failed("not installed")
        target = os.path.abspath(build + "/tests/bench/" + WORK)
        return ["bpftrace", "-o", folder + "/bpftrace.txt", "-e", program.replace("TARGET", target)]
    return command


def empty(where):
    """Programs that do nothing, at the same tracepoints: nobody who uses these can be below."""
    return lambda build, folder: [build + "/tests/bench/empty_calls", where]


class Around:
    """A tracer that runs the work instead of watching it."""

    def __init__(self, *words):
        self.words = words


SYSCALL = (
    ("empty, where calls begin", empty("enter")),
    ("wick, counted", wick("record", "-e", "rawtp:sys_enter", "--stacks", "none", "--by", "comm")),
    ("bpftrace, counted", bpftrace(CALLS_COUNTED)),
    ("empty, at both ends", empty("both")),
    ("wick trace --histogram", wick("trace", "syscall", "--histogram", "--by", "syscall")),
    ("bpftrace, histogram", bpftrace(CALLS_MEASURED)),
    ("wick trace", wick("trace", "syscall", "-n", WORK, "-o", "FOLDER/trace.txt")),
    ("bpftrace, a line each", bpftrace(CALLS_TRACED)),
    ("perf trace", event_cost.installed("perf", "trace", "-a", "-o", "FOLDER/perf.txt")),
    ("strace", Around("strace", "-f", "-qq", "-o", "FOLDER/strace.txt")),
)
CALL = (
    ("wick uprobe, counted", wick("record", "-e", "uprobe:TARGET:probed_call", "--stacks", "none",
                                  "--by", "comm")),
    ("bpftrace, counted", bpftrace("uprobe:TARGET:probed_call { @ = count(); }")),
    ("wick uprobe, a sum", wick("record", "-e", "uprobe:TARGET:probed_call,value=arg1",
                                "--stacks", "none", "--by", "comm")),
    ("bpftrace, a sum", bpftrace("uprobe:TARGET:probed_call { @ = sum(arg0); }")),
    ("wick uprobe, stacks", wick("record", "-e", "uprobe:TARGET:probed_call", "-o",
                                 "FOLDER/call.pb.gz")),
    ("bpftrace, stacks", bpftrace("uprobe:TARGET:probed_call { @[ustack] = count(); }")),
    ("wick fn, histogram", wick("record", "-e", "fn:TARGET:probed_call", "--histogram")),
    ("bpftrace, histogram", bpftrace(
        "uprobe:TARGET:probed_call { @begin[tid] = nsecs; } uretprobe:TARGET:probed_call "
        "/@begin[tid]/ { @ = hist(nsecs - @begin[tid]); delete(@begin[tid]); }")),
)
WORKS = (("system calls that do nothing, traced", "syscall", SYSCALL),
         ("reads of 4 KiB in memory, traced", "read", SYSCALL), ("a function, probed", "call", CALL))

LISTS = (
    ("wick list 'tracepoint:*'", lambda build: [build + "/wick", "list", "tracepoint:*"]),
    ("bpftrace -lv 'tracepoint:*'", lambda build: ["bpftrace", "-lv", "tracepoint:*"]),
    ("wick list 'kprobe:*'", lambda build: [build + "/wick", "list", "kprobe:*"]),
    ("bpftrace -l 'kprobe:*'", lambda build: ["bpftrace", "-l", "kprobe:*"]),
)


def around_ns(build, folder, work, tracer):
    if not shutil.which(tracer.words[0]):
        raise Failed("not installed")
    words = [word.replace("FOLDER", folder) for word in tracer.words]
    return event_cost.event_ns(build, work, 0, prefix=words)


def beside_ns(build, folder, work, row):
    if isinstance(row, Around):
        return around_ns(build, folder, work, row)
    return event_cost.event_ns_beside(build, work, 0, row(build, folder))


def measure(build, folder, work, rows, rounds):
    pairs = {name: [] for name, _ in rows}
    for _ in range(rounds):
        for name, row in rows:
            if isinstance(pairs[name], Failed):
                continue
            try:
                beside = beside_ns(build, folder, work, row)
                pairs[name].append((event_cost.event_ns(build, work, 0), beside))
            except Failed as error:
                pairs[name] = error
    return pairs


def report(table, title, pairs):
    table.begin(title, ["x as long", "ns/event", "alone ns"])
    for name, values in pairs.items():
        if isinstance(values, Failed):
            table.failed(name, values)
            continue
        table.row(name, statistics.median(b / a for a, b in values),
                  statistics.median(b - a for a, b in values),
                  statistics.median(a for a, _ in values))


def list_seconds(command):
    if not shutil.which(command[0]):
        raise Failed("not installed")
    begin = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    return seconds, run.stdout.count(b"\n")


def lists(table, build, rounds):
    table.begin("lists", ["seconds", "lines"])
    for name, command in LISTS:
        try:
            runs = [list_seconds(command(build)) for _ in range(rounds)]
            table.row(name, statistics.median(s for s, _ in runs), runs[0][1])
        except Failed as error:
            table.failed(name, error)


def run(table, build, folder, quick):
    for title, work, rows in WORKS:
        report(table, title, measure(build, folder, work, rows, 2 if quick else ROUNDS))
    lists(table, build, 2 if quick else LIST_ROUNDS)
