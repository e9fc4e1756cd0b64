#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wick record while the N-th call of a kind fails: system calls by strace, allocations by a library.

strace counts the calls of each thread for itself. A few of the calls, or all with WICK_SWEEP=all,
which takes half an hour and prints a line for each.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402
import libfault_alloc  # noqa: E402

ALL = os.environ.get("WICK_SWEEP") == "all"
OUT = "out.pb.gz"
ARGUMENTS = ("-d", "0.2", "-F", "499", "--stats", "-o", OUT)

# What fails, how, and the calls of it that the short sweep takes.
CALLS = (
    ("bpf", ("ENOMEM",), (3, 40, 73, 96)),
    ("perf_event_open", ("EMFILE",), (1, 3)),
    ("mmap", ("ENOMEM",), (60,)),
    ("openat", ("EMFILE",), (30, 90)),
    ("write", ("ENOSPC",), (4, 5)),
    ("rename", ("EACCES",), (1,)),
    ("clone3", ("EAGAIN",), (3,)),
    ("fcntl", ("EMFILE",), (20,)),
    ("pread64", ("EIO",), (10,)),
    ("read", ("EIO",), (100,)),
    ("epoll_ctl", ("ENOSPC",), (2,)),
    ("eventfd2", ("EMFILE",), (1,)),
)
ALLOCATIONS = (60, 300, 1505, 3000)


def numbers(few, first, last):
    """Of the calls those to make fail: when all, the first 150 and then every seventh."""
    if not ALL:
        return few
    return [n for n in range(first + 1, last + 1) if n <= 150 or n % 7 == 0]


def count_calls(*command):
    """How often each call is made, by the thread that makes the most of them."""
    names = [name for name, _, _ in CALLS]
    subprocess.run(["strace", "-f", "-qq", "-o", "calls", "-e", "trace=" + ",".join(names),
                    *command], capture_output=True, check=False)
    counts = {}
    with open("calls", errors="replace") as file:
        for line in file:
            thread, _, call = line.partition(" ")
            name = call.strip().partition("(")[0]
            counts[name, thread] = counts.get((name, thread), 0) + 1
    return {name: max([n for (other, _), n in counts.items() if other == name] or [0])
            for name in names}


def sweep(name, tries):
    """@tries: a list of (title, options of the run)."""
    problems, said, statuses = [], "", {}
    for title, options in tries:
        libfault.old_file(OUT)
        run = libfault.Run(*ARGUMENTS, **options)
        # 127: the dynamic loader has said so, and wick has not begun.
        found = libfault.outcome_problems(run, OUT, (0, 1, 3, 127))
        statuses[run.status] = statuses.get(run.status, 0) + 1
        problems += ["%s: %s" % (title, problem) for problem in found]
        if found:
            said = run.said
        if ALL:
            first = [line for line in run.said.splitlines() if line.startswith("wick: ")]
            print("# %s: status %d%s; %s" % (title, run.status, " PROBLEM" if found else "",
                                             " | ".join(first[:4])), flush=True)
    print("# %s: %d injected; %s" % (name, len(tries), ", ".join(
        "status %s: %d" % pair for pair in sorted(statuses.items()))))
    libfault.case("%s: ends clearly, whichever call fails" % name, problems, said)


def sweep_calls():
    # Before it begins the dynamic loader does what it does.
    before = count_calls(libfault.WICK, "--version") if ALL else {}
    counts = count_calls(libfault.WICK, "record", *ARGUMENTS) if ALL else {}
    for call, errors, few in CALLS:
        if len(sys.argv) > 1 and call not in sys.argv[1:]:
            continue
        sweep(call, [("%s %s when=%d" % (call, error, n),
                      {"prefix": ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
                                  "-e", "inject=%s:error=%s:when=%d" % (call, error, n))})
                     for error in errors for n in numbers(few, before.get(call, 0),
                                                             counts.get(call, 0))])


def allocation_numbers():
    """Allocations grow with the machine, so here "all" is the first 40 and 400 more."""
    if not ALL:
        return ALLOCATIONS
    libfault.Run(*ARGUMENTS, env=libfault_alloc.environment(0))
    count = libfault_alloc.count()
    return [*range(1, 41), *range(41, count, count // 400 + 1)]


def sweep_allocations():
    if len(sys.argv) > 1 and "malloc" not in sys.argv[1:]:
        return
    libfault_alloc.build()
    tries = []
    for n in allocation_numbers():
        tries.append(("malloc %d" % n, {"env": libfault_alloc.environment(n)}))
        if n % 5 == 0:
            tries.append(("malloc from %d on" % n, {"env": libfault_alloc.environment(n, on=True)}))
    sweep("malloc", tries)


def main():
    libfault.need_root()
    libfault.start(["sh", "-c", "while :; do :; done"])
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0:
        sweep_calls()
    else:
        libfault.skip("system calls fail", "strace cannot trace here")
    sweep_allocations()
    libfault.finish()


if __name__ == "__main__":
    main()
