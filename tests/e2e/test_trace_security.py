#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wick trace exec,open,privilege: each program, file and change of rights of a workload that counts."""
import collections
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402

PROGRAM = os.path.join(libfault.WORKLOADS, "security")
SECONDS = 240
MANY = 10000
SUMMARY = re.compile(r"^events +(\d+) taken in [0-9.]+ s.*?, (\d+) lost", re.MULTILINE)


class Trace:
    """A run over the workload: its events, what wick said and what the workload printed."""

    def __init__(self, events, *command, options=()):
        with open("printed", "wb") as printed:
            done = subprocess.run([libfault.WICK, "trace", events, "--json", "-o", "events.json",
                                   *options, "--", PROGRAM, *map(str, command)],
                                  stdin=subprocess.DEVNULL, stdout=printed,
                                  stderr=subprocess.PIPE, timeout=SECONDS, check=False)
        self.status = done.returncode
        self.said = done.stderr.decode(errors="replace")
        with open("printed", encoding="utf-8") as file:
            self.printed = file.read().strip()
        with open("events.json", encoding="utf-8") as file:
            self.events = [json.loads(line) for line in file]
        match = SUMMARY.search(self.said)
        self.taken, self.lost = map(int, match.groups()) if match else (-1, -1)

    def calls(self):
        """Those of system calls: name, first argument and error or result."""
        return [(event["event"], event["args"]) for event in self.events
                if event["source"] == "syscall"]

    def problems(self, printed, count):
        """@count: of the events, as the workload made them."""
        problems = []
        if self.status:
            problems.append("status %d" % self.status)
        if self.printed != printed:
            problems.append("the workload said %r" % self.printed)
        if len(self.events) + self.lost != count or self.taken != count:
            problems.append("%d lines and %d lost of %d taken, %d happened"
                            % (len(self.events), self.lost, self.taken, count))
        return problems


def test_execs():
    run = Trace("exec", "execs", MANY)
    libfault.case("each of 10,000 programs that are executed is a line, or counted as lost",
                  run.problems("execs %d" % MANY, MANY + 1), run.said)
    libfault.case("and none is lost", ["%d" % run.lost] if run.lost else [], run.said)
    found = collections.Counter(tuple(event["args"]["cmdline"]) for event in run.events)
    wanted = {("security", "end", str(i)): 1 for i in range(MANY)}
    wanted[PROGRAM, "execs", str(MANY)] = 1
    wrong = [words for words in found if found[words] != wanted.get(words)]
    libfault.case("with its arguments, word by word",
                  [] if found == wanted else [str(wrong[:3])] + ["%d lines" % len(found)])
    numbers = [event["pid"] for event in run.events]
    libfault.case("and each in a process of its own", [] if len(set(numbers)) == len(numbers) else
                  ["%d processes" % len(set(numbers))])


def test_opens():
    os.mkdir("folder")
    run = Trace("open", "opens", MANY, "folder")
    missing = (MANY + 2) // 3
    libfault.case("each of 10,000 files that are opened is a line, or counted as lost",
                  run.problems("opens %d %d" % (MANY - missing, missing), MANY), run.said)
    libfault.case("and none is lost", ["%d" % run.lost] if run.lost else [], run.said)
    problems = []
    for i, (name, args) in enumerate(run.calls()):
        path = "folder/%s-%d" % ("file" if i % 3 else "none", i)
        flags = "O_WRONLY|O_CREAT|O_CLOEXEC" if i % 3 else "O_RDONLY"
        if name != "openat" or args["filename"] != path or args["flags_text"] != flags or \
                (args["ret"] < 0) != (i % 3 == 0):
            problems.append("%d: %r" % (i, args))
    libfault.case("with its path, its flags and what came of it, in order", problems)
    run = Trace("open,filter=ret == -ENOENT", "opens", 300, "folder")
    libfault.case("a filter leaves those that failed",
                  run.problems("opens 200 100", 100) +
                  [str(args) for _, args in run.calls() if args["ret"] != -2], run.said)


def test_rights():
    run = Trace("exec,open,privilege", "rights")
    problems = [] if run.printed == "rights 3" and not run.status else [run.printed]
    results = {}
    for name, args in run.calls():
        results.setdefault(name, []).append(args)
    became = [(args["uid"], args["ret"]) for args in results.get("setuid", [])]
    if became != [(65534, 0), (0, -1)]:
        problems.append("setuid: %r" % became)
    for name in ("setgid", "setgroups", "ptrace", "unshare"):
        if [args["ret"] for args in results.get(name, [])] != [0]:
            problems.append("%s: %r" % (name, results.get(name)))
    libfault.case("who becomes somebody else, or fails to, is told", problems, run.said)
    executed = [event["args"]["cmdline"] for event in run.events
                if event["source"] == "sched_process_exec"]
    libfault.case("beside what was executed", [] if executed == [[PROGRAM, "rights"]] else
                  [str(executed)], run.said)
    checks = [event for event in run.events if event["source"] == "cap_capable"]
    if not os.path.exists("/sys/kernel/tracing/events/capability"):
        libfault.case("a kernel without a tracepoint of capabilities (before 6.13) tells the rest",
                      [str(checks)] if checks else [], run.said)
        return
    # CAP_SETGID 6 and CAP_SETUID 7: the child has them before setuid(), and not after.
    found = collections.Counter((event["args"]["cap"], event["args"]["ret"]) for event in checks)
    libfault.case("checks of capabilities are told, with which and the answer",
                  [] if found[7, 0] >= 1 and found[7, -1] >= 1 and found[6, 0] >= 2 else
                  [str(found)], run.said)
    names = {event["args"]["cap"]: event["args"]["cap_text"] for event in checks}
    libfault.case("by their names, too",
                  [] if names.get(6) == "CAP_SETGID" and names.get(7) == "CAP_SETUID" else
                  [str(names)], run.said)
    libfault.case("all in the order of time", [] if
                  [event["time_ns"] for event in run.events] ==
                  sorted(event["time_ns"] for event in run.events) else ["not so"])


def test_capability():
    """By its name in a filter, and in a line."""
    if not os.path.exists("/sys/kernel/tracing/events/capability"):
        libfault.skip("checks of one capability", "no tracepoint of capabilities (before 6.13)")
        return
    done = subprocess.run([libfault.WICK, "trace", "-o", "checks", "tracepoint:capability:"
                           "cap_capable,show=cap+ret,filter=cap == CAP_SETUID", "--", PROGRAM,
                           "rights"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=SECONDS, check=False)
    with open("checks", encoding="utf-8") as file:
        lines = file.read().splitlines()
    wrong = [line for line in lines if "cap=CAP_SETUID" not in line]
    libfault.case("checks of one capability are filtered and shown by its name",
                  wrong + ([] if len(lines) >= 2 else ["%d lines" % len(lines)]),
                  done.stderr.decode(errors="replace"))


def main():
    libfault.need_root()
    test_execs()
    test_opens()
    test_rights()
    test_capability()
    libfault.finish()


main()
