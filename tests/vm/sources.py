# SPDX-License-Identifier: BSD-2-Clause
"""What sources recorded of workloads in a virtual machine, against what those know themselves.

guest.sh runs them; a workload NAME leaves its own figures in NAME.truth. Counts have to be exact but
for what was lost by a named cause. Time is coarse in emulation, where a CPU stops while the host does
something else, so that only its order is held.
"""
import errno
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import libpprof    # noqa: E402

# As in guest.sh.
FAULT_PAGES, BROUGHT_PAGES = 2000, 50
WAKES = 20
ENDINGS = 4
SIGNALS = 50
# As in tests/workloads: calls.c, waits.c.
READS, FAILURES, SUSPENDS, CHILD_WRITES = 2000, 500, 50, 4 * 20 * 7
ROUNDS = 10
NAPS, NAP_NS = 20, 5000000
# From the exec to the first page that counts.
START_UP_FAULTS = 3000
TIME_PERCENT = 25
TIME_APART_NS = 30e6
# Programs of other sources run between the kernel's look at the clock and that of runq.
SWITCH_APART_NS = 3e5
# Threads are counted by the kernel until their own last look at it.
SWITCHES_PERCENT, SWITCHES_APART = 2, 10
# The first stacks come before the tables of a program are there, on a slow machine.
STACKS_PERCENT = 80
# Programs that end at once, each with some system calls.
MOMENTS = 200
COMPLETE_PERCENT = 99


class Recording:
    """A profile, and what was lost of it."""

    def __init__(self, data):
        self.profile = libpprof.Profile(data)
        taken = [re.match(r"wick: (\d+) samples taken, (\d+) reported, (\d+) lost", text)
                 for text in self.profile.comments]
        self.taken, self.reported, self.lost = map(int, next(filter(None, taken)).groups())

    def sum(self, value, function=None, **labels):
        return sum(sample.values.get(value, 0) for sample in self.profile.samples
                   if (function is None or function in sample.functions) and
                   all(sample.labels.get(key) == text for key, text in labels.items()))

    def counts(self, count, expected):
        """Whether what is missing may have been lost."""
        return max(expected - self.lost, 1) <= count <= expected


def near(ns, truth_ns, apart_ns=TIME_APART_NS):
    return abs(ns - truth_ns) <= max(truth_ns * TIME_PERCENT / 100, apart_ns)


def mostly(part, whole):
    return whole > 0 and part >= whole * STACKS_PERCENT / 100


def check_invariant(recording, _):
    yield ("taken = reported + lost: %d = %d + %d"
           % (recording.taken, recording.reported, recording.lost),
           recording.taken == recording.reported + recording.lost)


def check_fault(recording, truth):
    faults = int(truth("faults").split()[0])
    minor = recording.sum("faults", comm="faults", kind="minor")
    touched = recording.sum("faults", "touch_pages", comm="faults", kind="minor")
    told = int(truth("brought").split()[0])
    major = recording.sum("faults", "send_pages", comm="faults", kind="major")
    yield ("fault: %d minor ones, the kernel counts %d from main() on" % (minor, faults),
           FAULT_PAGES <= faults <= minor + recording.lost and
           minor <= faults + START_UP_FAULTS)
    yield ("fault: %d of %d pages are touched where they are" % (touched, FAULT_PAGES),
           mostly(touched, FAULT_PAGES))
    yield ("fault: %d major ones of %d pages that another thread brings, the kernel counts %d"
           % (major, BROUGHT_PAGES, told),
           told >= BROUGHT_PAGES and mostly(major, told) and
           recording.counts(major, BROUGHT_PAGES))


def check_offcpu(recording, truth):
    told = dict(re.findall(r"^(\w+) (\d+) \d+$", truth("waits"), re.M))
    for name, reason in (("sleep", "sleep"), ("fault", "page-fault")):
        function = "wait_" + name
        count = recording.sum("waits", function, comm="waits", reason=reason)
        ns = recording.sum("off_cpu", function, comm="waits", reason=reason)
        yield ("offcpu: %d of %d waits in %s()" % (count, ROUNDS, function),
               recording.counts(count, ROUNDS))
        yield ("offcpu: they took %.0f ms, by %s() itself %.0f ms"
               % (ns / 1e6, function, int(told.get(name, 0)) / 1e6),
               name in told and near(ns, int(told[name])))


def check_wakeup(recording, truth):
    least, most = map(int, truth("wakes").split())
    count = recording.sum("wakeups", thread="waker", woken="sleeper")
    where = recording.sum("wakeups", "wake_it", thread="waker", woken="sleeper")
    ns = recording.sum("slept", thread="waker", woken="sleeper")
    yield ("wakeup: %d of %d, %d where they are" % (count, WAKES, where),
           recording.counts(count, WAKES) and mostly(where, WAKES))
    yield ("wakeup: the sleeper slept %.0f ms, it says %.0f to %.0f ms"
           % (ns / 1e6, least / 1e6, most / 1e6),
           recording.lost or least - TIME_APART_NS <= ns <= most + TIME_APART_NS)


def crowd(truth):
    for line in truth("crowded").splitlines():
        name, tid, delay_ns, willing, forced = line.split()
        yield name, int(tid), int(delay_ns), int(willing), int(forced)


def check_crowd(recording, truth):
    threads = list(crowd(truth))
    delay_ns = sum(thread[2] for thread in threads)
    ns = sum(recording.sum("runq", tid=thread[1]) for thread in threads)
    delays = sum(recording.sum("delays", tid=thread[1]) for thread in threads)
    yield ("runq: %d threads waited %.0f ms for their CPU, the kernel says %.0f ms"
           % (len(threads), ns / 1e6, delay_ns / 1e6),
           len(threads) == 3 and near(ns, delay_ns, TIME_APART_NS + delays * SWITCH_APART_NS))
    for name, tid, _, willing, forced in threads:
        switches = recording.sum("switches", tid=tid)
        apart = max((willing + forced) * SWITCHES_PERCENT / 100, SWITCHES_APART)
        yield ("switch: the %s was switched out %d times, the kernel says %d"
               % (name, switches, willing + forced),
               willing + forced - apart <= switches + recording.lost and
               switches <= willing + forced + apart)


def check_syscall(recording, _):
    for sentence, expected, choice in (
            ("preadv", READS, {"syscall": "preadv"}),
            ("pwrite of children", CHILD_WRITES, {"syscall": "pwrite64"}),
            ("openat that fails", FAILURES, {"errno": "ENOTDIR"}),
            ("waits for a signal", SUSPENDS, {"syscall": "rt_sigsuspend"})):
        count = recording.sum("calls", comm="calls", **choice)
        yield ("syscall: %d of %d %s" % (count, expected, sentence),
               recording.counts(count, expected))
    where = recording.sum("calls", "reading", comm="calls", syscall="preadv")
    yield "syscall: %d of them where they are made" % where, mostly(where, READS)


def check_futex(recording, truth):
    lock = re.match(r"lock (\w+)", truth("convoy")).group(1)
    waited = {(int(i), int(j)): int(ns) for i, j, ns in
              re.findall(r"^waited (\d+) (\d+) (\d+)$", truth("convoy"), re.M)}
    told = sum(waited.values())
    ns = recording.sum("lock_wait", comm="convoy", kind="futex", lock=lock)
    owned = sum(min(told_ns, recording.sum("lock_wait", thread="convoy-%d" % i, lock=lock,
                                           owner="convoy-%d" % j))
                for (i, j), told_ns in waited.items())
    yield ("lock: waits for a mutex took %.0f ms, by the waiters themselves %.0f ms"
           % (ns / 1e6, told / 1e6), near(ns, told))
    yield ("lock: %.0f ms of them for the owner they say" % (owned / 1e6), mostly(owned, told))


def check_kernel_lock(recording, _):
    count = recording.sum("contentions", comm="contend", kind="rwsem:W")
    where = recording.sum("contentions", "rwsem_down_write_slowpath", comm="contend",
                          kind="rwsem:W")
    yield ("lock: %d writers waited for the kernel's lock of their memory, %d where they do"
           % (count, where), mostly(where, count))


def check_signal(recording, _):
    count = recording.sum("signals", comm="endings", signal="SIGUSR1", target="receiver")
    where = recording.sum("signals", "send_signals", signal="SIGUSR1", target="receiver")
    yield ("signal: %d of %d sent, %d where they are" % (count, SIGNALS, where),
           recording.counts(count, SIGNALS) and mostly(where, SIGNALS))


def check_exit(recording, _):
    # "endings" itself ends twice without an error, and once by a bad address.
    for status, expected in (("0", ENDINGS + 2), ("3", ENDINGS), ("SIGABRT", ENDINGS),
                             ("SIGTERM", ENDINGS), ("SIGKILL", ENDINGS),
                             ("SIGSEGV", ENDINGS + 1)):
        count = recording.sum("exits", comm="endings", status=status)
        yield ("exit: %d of %d processes end with %s" % (count, expected, status),
               recording.counts(count, expected))
    for function, status, expected in (("give_up", "SIGABRT", ENDINGS),
                                       ("crash_here", "SIGSEGV", ENDINGS + 1)):
        count = recording.sum("exits", function, comm="endings", status=status)
        yield ("exit: %s met %d of %d processes in %s()" % (status, count, expected, function),
               recording.counts(count, expected))


def check_wall(recording, truth):
    for tid, ns in re.findall(r"^cycle-(\d+) (\d+) 0$", truth("wall"), re.M):
        seen = recording.sum("wall", tid=int(tid))
        yield ("wall: %.0f ms of a thread that was there for %.0f ms" % (seen / 1e6, int(ns) / 1e6),
               near(seen, int(ns)))


def tallies(text):
    """The first number of each CPU, summed, of rows "NAME: N N text" of /proc/interrupts."""
    rows = {}
    for line in text.splitlines():
        name, colon, rest = line.strip().partition(":")
        if colon:
            rows[name] = sum(map(int, re.match(r"[\d\s]*(?=\s|$)", rest).group().split()))
    return rows


def check_tallies(source, value, recording, truth):
    """Between what the kernel counted within the run, and what it counted around it."""
    before, begun, last, after = (tallies(truth("%s.%s" % (source, when)))
                                  for when in ("before", "begun", "last", "after"))
    seen = 0
    for name in after:
        if name.isdigit() != (source == "irq"):
            continue
        count = sum(sample.values.get(value, 0) for sample in recording.profile.samples
                    if sample.labels.get(source, "").split(" ")[0] == name)
        inner = last.get(name, 0) - begun.get(name, 0)
        outer = after[name] - before.get(name, 0)
        # Those that ran when the programs came or went, and that were raised again meanwhile.
        slack = 4 + outer // 50
        if inner or count:
            yield ("%s: %d of %s, the kernel counts %d to %d" % (source, count, name, inner, outer),
                   inner - slack <= count + recording.lost and count <= outer + slack)
        seen += count
    yield "%s: there are some" % source, seen > 0


def check_softirq(recording, truth):
    return check_tallies("softirq", "softirqs", recording, truth)


def check_irq(recording, truth):
    return check_tallies("irq", "interrupts", recording, truth)


def check_user_probes(recording, _):
    for sentence, value, expected in (
            ("calls of a function that a filter takes", "add_up", 150),
            ("the sum of an argument", "add_up_arg2", -sum(range(50, 200))),
            ("calls of a function that is not called", "tiny", 0),
            ("calls of a recursion, from entry to return", "go_down", 21 * 10)):
        seen = sum(s - (1 << 64) if s >> 63 else s for s in
                   (sample.values.get(value, 0) for sample in recording.profile.samples))
        yield "probes: %d: %s, %d" % (seen, sentence, expected), seen == expected


def check_kernel_probes(recording, _):
    for sentence, value, labels, expected in (
            ("opens of a file, told by its name in a struct", "vfs_open", {}, 5),
            ("the same by a label, and a probe found by a glob", "vfs_ope_n",
             {"path->dentry->d_name.name": "marked"}, 5),
            ("returns with an error", "do_sys_openat2", {}, FAILURES),
            ("the errors they return, added up", "do_sys_openat2_ret", {},
             (-errno.ENOTDIR * FAILURES) % (1 << 64)),
            ("calls with a text of their entry for filter and label", "do_filp_open",
             {"pathname->name": "/tmp/marked"}, 5),
            ("calls that take a while", "hrtimer_nanosleep", {}, NAPS),
            ("calls by a tracepoint", "sys_enter_preadv", {}, READS),
            ("execs by a tracepoint's text", "sched_process_exec", {}, 3),
            ("exits by an argument of a raw tracepoint, by its name", "sched_process_exit", {}, 5)):
        seen = recording.sum(value, **labels) % (1 << 64)
        yield "probes: %d: %s, %d" % (seen, sentence, expected), seen == expected
    slept = recording.sum("hrtimer_nanosleep_time")
    yield ("probes: they took %.0f ms, of %.0f ms asked for" % (slept / 1e6, NAPS * NAP_NS / 1e6),
           slept >= NAPS * NAP_NS and near(slept, NAPS * NAP_NS, NAPS * TIME_APART_NS))
    took = recording.sum("do_filp_open_time")
    yield "probes: opens took %.3f ms" % (took / 1e6), 0 < took < 5 * TIME_APART_NS


# The value, the function, and who calls it. At the entry or where it has returned, by what it may be.
LEAVES = [
    ("vfs_open", "vfs_open", "do_open|path_openat"),
    ("vfs_ope_n", "vfs_open", "do_open|path_openat"),
    ("do_sys_openat2", "do_sys_openat2", "do_sys_open|.*sys_openat"),
    ("do_filp_open", "do_filp_open", "do_sys_openat2"),
    ("do_filp_ope_n", "do_filp_open", "do_sys_openat2"),
    ("hrtimer_nanosleep", "hrtimer_nanosleep", "common_nsleep|.*sys_clock_nanosleep"),
]


def check_kernel_leaves(recording, truth):
    """Before 5.15 the kernel does not know who is behind a kretprobe: the program's code follows."""
    knows_callers = not truth("release").startswith("5.10.")
    for value, function, caller in LEAVES:
        if not knows_callers and not value.startswith("vfs"):
            caller = "openat|open|clock_nanosleep|__.*|busybox.*"
        # Of a process's first moments the program's part may be missing; then there is no caller to see.
        stacks = {tuple(sample.functions[:3]) for sample in recording.profile.samples
                  if sample.values.get(value) and
                  not sample.functions[1].startswith("[incomplete:")}
        yield ("probes: stacks of %s begin with it and its caller: %s"
               % (value, ", ".join(sorted(map(" < ".join, stacks)))),
               stacks and all(stack[0] == function and re.fullmatch(caller, stack[1]) and
                              function not in stack[1:] for stack in stacks))


# How each function of probes-kernel is probed, on kernels whose trampolines can be used and others.
WAYS = [
    ("kprobe:vfs_open", "by fentry"),
    ("kprobe:vfs_ope[n]", "by a kprobe: a pattern may be many functions"),
    ("kretprobe:do_sys_openat2", "by fentry"),
    ("kretprobe:do_filp_open", "by fentry"),
    ("kretprobe:do_filp_ope[n]", "by a kprobe: a pattern may be many functions"),
    ("kretprobe:hrtimer_nanosleep", "by fentry"),
]
OLD_WAY = "by a kprobe: this kernel's trampolines do not keep a program from running inside itself"


def check_ways(said, data, has_trampolines):
    """Sentences about what a recording says of the functions of the kernel, and notes in the profile."""
    comments = libpprof.Profile(data).comments if data else []
    for event, way in WAYS:
        text = "%s: %s" % (event, way if has_trampolines or "fentry" not in way
                           else OLD_WAY)
        yield ("probes: it is said, and noted in the profile: %s" % text,
               text in said and any(text in comment for comment in comments))


def check_call_lines(text):
    """Sentences about lines of wick trace --json of a function of the kernel."""
    events = [json.loads(line) for line in text.splitlines()]
    args = [event["args"] for event in events]
    yield ("trace: %d of 5 calls of a function, with arguments and what it returns: %r"
           % (len(args), args[:1]),
           len(args) == 5 and all(arg.get("filename") == "/tmp/marked" and arg.get("dfd") == -100 and
                                  3 <= (arg.get("ret") or 0) < 100 for arg in args))


def check_opens(text):
    """Sentences about lines of wick trace open --json."""
    try:
        events = [json.loads(line) for line in text.splitlines()]
    except ValueError as error:
        events = []
        yield "trace: each line is JSON: %s" % error, False
    failed = [e for e in events if e["comm"] == "calls" and e["args"]["ret"] == -errno.ENOTDIR]
    yield "trace: %d of %d opens that fail" % (len(failed), FAILURES), len(failed) == FAILURES
    marked = sum(e["args"].get("filename") == "/tmp/marked" for e in events if e["comm"] == "cat")
    yield "trace: %d of 5 opens of a file" % marked, marked == 5
    times = [e["time_ns"] for e in events]
    yield "trace: they come in order of time", times == sorted(times)


def check_moments(recording, truth):
    """What the recording says of itself: stacks of files that are known need no copy."""
    said = {name: int(count)
            for name, count in re.findall(r"^(\S+) +(\d+)$", truth("moments"), re.M)}
    user, complete = said["reported_user"], said["complete_user"]
    copies = said.get("counter.copies", 0)
    yield ("moments: %d of %d stacks of programs that end at once are complete" % (complete, user),
           user >= MOMENTS and complete >= user * COMPLETE_PERCENT / 100)
    yield ("moments: %d of them are copies, %d files are known" % (copies, said["counter.files-known"]),
           copies <= user * (100 - STACKS_PERCENT) / 100)


# By the name of the recording.
CHECKS = {
    "moments": [check_invariant, check_moments],
    "probes-user": [check_invariant, check_user_probes],
    "probes-kernel": [check_invariant, check_kernel_probes, check_kernel_leaves],
    "probes-self": [check_invariant],
    "sources": [check_invariant, check_fault, check_offcpu, check_wakeup, check_crowd,
                check_syscall, check_futex, check_signal, check_exit],
    "kernel-locks": [check_invariant, check_kernel_lock],
    "interrupts": [check_invariant, check_softirq, check_irq],
    "wall": [check_invariant, check_wall],
}


def check(name, data, truth):
    """Sentences about the recording @name, and whether they hold. @truth: texts by name."""
    try:
        recording = Recording(data)
        for one in CHECKS[name]:
            yield from one(recording, truth)
    except (ValueError, KeyError, AttributeError, StopIteration, EOFError, OSError) as error:
        yield "%s can be read: %r" % (name, error), False
