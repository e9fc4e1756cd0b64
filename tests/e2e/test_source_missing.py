#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Events this kernel lacks something for: they are left out, say why, and stop no other.

What a kernel has is looked up in its types (/sys/kernel/btf/vmlinux). So wick is run where that
file is another one, in which tracepoints have other names: it then is on a kernel without them.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402
import libpprof  # noqa: E402

BTF = "/sys/kernel/btf/vmlinux"
FUTEX_TRACEPOINTS = ("sys_enter", "sys_exit")
LOCK_TRACEPOINTS = ("contention_begin", "contention_end")
OUT = "out.pb.gz"


def btf_without(tracepoints):
    """The path of the kernel's types, without those of @tracepoints."""
    path = os.path.abspath("btf-" + "-".join(tracepoints))
    with open(BTF, "rb") as file:
        types = file.read()
    for name in tracepoints:
        text = b"\0btf_trace_" + name.encode() + b"\0"
        if text not in types:
            return None
        types = types.replace(text, text[:-2] + b"#\0")
    with open(path, "wb") as file:
        file.write(types)
    return path


def refused_call(event, program):
    """Which call of bpf() loads @program of @event, beside cpu; None: strace cannot tell."""
    if not shutil.which("strace"):
        return None
    subprocess.run(["strace", "-qq", "-o", "calls", "-s", "64", "-e", "trace=bpf", libfault.WICK,
                    "record", "--dry-run", "-q", "-e", "cpu", "-e", event], check=False)
    with open("calls", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if "BPF_PROG_LOAD" in line and 'prog_name="%s"' % program in line:
                return number
    return None


def refuse(number):
    """Words before wick: that call fails, and the next, by which libbpf asks for the reasons."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=bpf", "-e",
            "inject=bpf:error=EINVAL:when=%d..%d" % (number, number + 1)]


class Run:
    def __init__(self, tracepoints, *arguments, prefix=()):
        if os.path.exists(OUT):
            os.unlink(OUT)
        command = [*prefix, libfault.WICK, "record", *arguments]
        btf = tracepoints and btf_without(tracepoints)
        if tracepoints and not btf:
            libfault.skip(" ".join(arguments), "this kernel has not %s" % " ".join(tracepoints))
            sys.exit(77)
        if btf:
            command = ["unshare", "-m", "sh", "-c", "mount --bind \"$0\" %s && exec \"$@\"" % BTF,
                       btf] + command
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=libfault.SECONDS)
        self.status, self.said = done.returncode, done.stdout.decode(errors="replace")

    def problems(self, status, texts, sources):
        """What is not as it should be; @sources: those that the profile has values of, or None."""
        found = []
        if self.status != status:
            found.append("status %s instead of %s" % (self.status, status))
        found += ["does not say: " + text for text in texts if text not in self.said]
        if sources is None:
            return found + (["wrote a profile"] if os.path.exists(OUT) else [])
        if not os.path.exists(OUT):
            return found + ["wrote no profile"]
        with open(OUT, "rb") as file:
            profile = libpprof.Profile(file.read())
        if set(profile.types) != sources:
            found.append("values: %s" % profile.types)
        comments = "\n".join(profile.comments)
        found += ["not in the profile: " + text for text in texts
                  if "continuing" in text and text not in comments]
        return found


CPU = {"samples", "cpu"}
CASES = (
    ("an event without its tracepoint is left out, the other is recorded", LOCK_TRACEPOINTS,
     ("-e", "cpu", "-e", "lock,kernel"), 0,
     ("cannot record lock,kernel here: the kernel has no tracepoint contention_begin",
      "instead: -e offcpu", "continuing without it"), CPU),
    ("in any order, and with several left out", ("sched_switch",) + LOCK_TRACEPOINTS,
     ("-e", "lock,kernel", "-e", "offcpu", "-e", "cpu", "-e", "runq,min=1ms"), 0,
     ("cannot record lock,kernel here", "cannot record offcpu here",
      "cannot record runq,min=1ms here"), CPU),
    ("alone it is an error that says why", LOCK_TRACEPOINTS, ("-e", "lock,kernel"), 3,
     ("cannot record lock,kernel here: the kernel has no tracepoint contention_begin",), None),
    ("of two that cannot be recorded both are said", ("sched_switch",) + LOCK_TRACEPOINTS,
     ("-e", "lock,kernel", "-e", "offcpu"), 3,
     ("cannot record lock,kernel here", "; cannot record offcpu here"), None),
    ("a composite needs all its parts", ("sched_switch",), ("-e", "wall", "-e", "cpu"), 0,
     ("cannot record wall here: the kernel has no tracepoint sched_switch",), CPU),
    ("half of an event is the half that is there", LOCK_TRACEPOINTS, ("-e", "lock"), 0,
     ("cannot record locks of the kernel of lock here", "continuing without that"),
     {"contentions", "lock_wait"}),
    ("the half that is not asked for is not missed", LOCK_TRACEPOINTS, ("-e", "lock,user"), 0,
     (), {"contentions", "lock_wait"}),
    ("the other half alone", FUTEX_TRACEPOINTS, ("-e", "lock,user", "-e", "cpu"), 0,
     ("cannot record lock,user here: the kernel has no tracepoint sys_enter",), CPU),
    ("without either half nothing is left of it", FUTEX_TRACEPOINTS + LOCK_TRACEPOINTS,
     ("-e", "lock", "-e", "cpu"), 0,
     ("cannot record lock here: the kernel has no tracepoint contention_begin",), CPU),
    ("an option that cannot be had is left out", ("sched_waking",), ("-e", "offcpu,waker"), 0,
     ("cannot record who ends the wait (waker) of offcpu,waker here",
      "continuing without that"), {"waits", "off_cpu"}),
    ("an option without which it would be something else takes it along", ("sys_exit",),
     ("-e", "offcpu,min=1ms", "-e", "cpu"), 0,
     ("cannot record offcpu,min=1ms here: the kernel has no tracepoint sys_exit",), CPU),
    ("where all is there nothing is said of it", (), ("-e", "cpu", "-e", "offcpu,waker"), 0, (),
     CPU | {"waits", "off_cpu"}),
)


def test_refused():
    """What a verifier does not take is left out as what lacks a tracepoint is."""
    name = "an event the verifier refuses is left out, the other is recorded"
    number = refused_call("exit", "exit_note")
    if not number:
        libfault.skip(name, "strace cannot tell which call to refuse")
        return
    run = Run((), "-d", "0.2", "-o", OUT, "-e", "cpu", "-e", "exit", prefix=refuse(number))
    libfault.case(name, run.problems(0, ("cannot record exit here: cannot load BPF program: exit",
                                         "continuing without it"), CPU), run.said)


def call_numbers(call, text, events):
    """Which calls of @call of a run with @events have @text in them, numbered as strace does: by thread."""
    if not shutil.which("strace"):
        return []
    subprocess.run(["strace", "-f", "-qq", "-o", "calls", "-s", "64", "-e", "trace=" + call,
                    libfault.WICK, "record", "-q", "-d", "0.1", "-o", OUT, *events], check=False)
    numbers, counts = [], {}
    with open("calls", errors="replace") as file:
        for line in file:
            if " %s(" % call not in line:
                continue
            thread = line.partition(" ")[0]
            counts[thread] = counts.get(thread, 0) + 1
            if text in line:
                numbers.append(counts[thread])
    return numbers


# Of the calls by which events are attached: which one, the @nth that has the text, and the last is refused.
ATTACHED = (
    ("an event that loads and cannot be attached is left out", "perf_event_open",
     "PAGE_FAULTS_MIN, sample_period=1", 0, "ENOSPC", ("-e", "cpu", "-e", "fault"), 0,
     ("cannot record fault here: cannot open perf event: page-faults: No space left on device",
      "continuing without it"), CPU),
    ("before others, and after it had begun on one CPU", "perf_event_open",
     "PAGE_FAULTS_MIN, sample_period=1", -1, "ENOSPC", ("-e", "fault", "-e", "cpu"), 0,
     ("cannot record fault here", "continuing without it"), CPU),
    ("so is the CPU clock", "perf_event_open", "CPU_CLOCK, sample_freq", 0, "ENOSPC",
     ("-e", "cpu", "-e", "switch"), 0,
     ("cannot record cpu here: cannot open perf event: cpu-clock: No space left on device",
      "continuing without it"), {"switches"}),
    ("with a part all of a composite is left out, what was attached of it too", "bpf",
     "BPF_LINK_CREATE", -2, "ENOSPC", ("-e", "fault", "-e", "wall"), 0,
     ("cannot record wall here: cannot attach: offcpu_", "continuing without it"), {"faults"}),
    ("alone it is an error", "perf_event_open", "PAGE_FAULTS_MIN, sample_period=1", 0, "ENOSPC",
     ("-e", "fault"), 1, ("cannot open perf event: page-faults: No space left on device",), None),
)


def test_attached():
    for name, call, text, nth, error, events, status, texts, sources in ATTACHED:
        numbers = call_numbers(call, text, events)
        if not numbers:
            libfault.skip(name, "strace cannot tell which call to refuse")
            continue
        prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                  "inject=%s:error=%s:when=%d" % (call, error, numbers[nth])]
        run = Run((), "-d", "0.2", "-o", OUT, *events, prefix=prefix)
        libfault.case(name, run.problems(status, texts, sources), run.said)


def main():
    libfault.need_root()
    if not os.access(BTF, os.R_OK):
        print("this kernel does not describe its types")
        return 77
    for name, tracepoints, arguments, status, texts, sources in CASES:
        run = Run(tracepoints, "-d", "0.2", "-o", OUT, *arguments)
        problems = run.problems(status, texts, sources)
        if not texts and "cannot record" in run.said:
            problems.append("something is left out")
        libfault.case(name, problems, run.said)
    test_refused()
    test_attached()
    return 1 if libfault.failed else 0


if __name__ == "__main__":
    sys.exit(main())
