#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wick under other kernels, in virtual machines: what has to hold on each of tests/vm/kernels.

    tests/vm/test_kernels.py            prints a case a line, as tests/run reads them
    tests/vm/test_kernels.py --update   also writes tests/vm/verifier.txt anew

WICK_BUILD is the build folder (default: build), WICK_VM_KERNELS names some of the kernels.
Under emulation no rate and no cost holds; what is tested is what is in the profiles.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine    # noqa: E402
import sources    # noqa: E402
import verifier   # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("WICK_BUILD", "build"))
FOLDER = os.path.join(BUILD, "vm")
WORKLOADS = os.path.join(BUILD, "tests/workloads")
PROGRAMS = [os.path.join(BUILD, "wick"), os.path.join(BUILD, "tests/vm/verify"),
            os.path.join(BUILD, "tests/vm/probe_functions"),
            *(os.path.join(WORKLOADS, name) for name in (
                "recurse", "recurse-static", "faults", "waits", "wakes", "crowded", "convoy",
                "contend", "calls", "endings", "probed"))]
EXIT_SKIPPED = 77
EXIT_NOT_SUPPORTED = 3
# Fourteen times what a quiet machine needs: as a companion of other tests it has taken 430 s.
BOOT_SECONDS = 1200
SAMPLES_LEAST = 50
COMPLETE_LEAST = 99.0
# Of two processes that start at the same moment on the slow machine, some first samples come
# before their mappings are known.
CHAIN_COMPLETE_LEAST = 95.0


def wanted_kernels():
    with open(os.path.join(HERE, "kernels")) as file:
        names = [line.split()[0] for line in file if line.strip() and not line.startswith("#")]
    chosen = os.environ.get("WICK_VM_KERNELS", "").split()
    return [name for name in names if not chosen or name in chosen]


def folded_read(text):
    """Lines of (process, frames, count)."""
    for line in text.splitlines():
        stack, count = line.rsplit(" ", 1)
        names = stack.split(";")
        yield names[0], names[1:], int(count)


def recursion_counts(text, process, depth):
    """Samples of @process in main > @depth of recurse_down > recurse_leaf: (complete, all).

    All are those with a recurse_leaf, whatever is above it.
    """
    expected = ["main"] + ["recurse_down"] * depth + ["recurse_leaf"]
    complete = every = 0
    for name, frames, count in folded_read(text):
        if name != process or "recurse_leaf" not in frames:
            continue
        # The leaf may be interrupted, and looks at the clock.
        user = frames[:frames.index("recurse_leaf") + 1]
        every += count
        if user[-len(expected):] == expected and not user[0].startswith("["):
            complete += count
    return complete, every


class Machine:
    """What one machine left, and the cases about it."""

    def __init__(self, kernel, left):
        self.kernel = kernel
        self.left = left
        self.failed = False

    def text(self, name):
        return self.left.get(name, "")

    def case(self, sentence, holds, why=""):
        print("%s - %s: %s" % ("ok" if holds else "not ok", self.kernel, sentence))
        if not holds:
            self.failed = True
            print("\n".join("    " + line for line in why.splitlines()[-40:]))
        sys.stdout.flush()

    def said(self, name):
        return "status %s\n%s" % (self.text(name + ".status").strip(), self.text(name + ".err"))

    def ended(self, name, status=0):
        return self.text(name + ".status").strip() == str(status)

    def check_objects(self, table):
        self.case("the verifier accepts every BPF object", self.ended("verify"),
                  self.said("verify"))
        for sentence, why in verifier.compare(table, self.kernel, self.text("verify.out")):
            self.case(sentence, not why, why or "")
        for file in sorted(self.left):
            if re.match(r"event-.*\.status$", file):
                name = file[:-len(".status")]
                self.case("--dry-run loads the event %s" % name[len("event-"):],
                          self.ended(name), self.said(name))

    def check_source(self, name):
        self.case("the recording \"%s\" is made" % name, self.ended(name), self.said(name))
        for sentence, holds in sources.check(name, self.left.get(name + ".pb.gz", b""),
                                             lambda what: self.text(what + ".truth")):
            self.case(sentence, holds, self.said(name))

    def check_sources(self):
        for name in ("sources", "interrupts", "wall", "moments", "probes-user",
                     "probes-kernel", "probes-self"):
            self.check_source(name)
        self.check_trampolines()
        self.case("functions of the kernel are probed by kprobes and trampolines",
                  self.ended("probe-functions") and
                  "[  SKIPPED ]" not in self.text("probe-functions.out"),
                  self.text("probe-functions.out") + self.said("probe-functions"))
        for sentence, holds in sources.check_call_lines(self.text("trace-call.json")):
            self.case(sentence, holds, self.said("trace-call"))
        for sentence, holds in sources.check_opens(self.text("trace-open.json")):
            self.case(sentence, holds, self.said("trace-open"))
        if self.text("contention.out"):
            self.check_source("kernel-locks")
        else:
            for name in ("sources", "kernel-locks"):
                self.case("\"%s\" say that this kernel does not tell of its own locks" % name,
                          "contention_begin" in self.text(name + ".err"), self.said(name))
            self.case("an event that needs them is left out, and the one beside it recorded",
                      self.ended("kernel-locks") and "cannot record lock,kernel here" in
                      self.text("kernel-locks.err"), self.said("kernel-locks"))

    def check_trampolines(self):
        """Which kernels have those that can be used is known: 5.10 has none."""
        usable = not self.text("release").startswith("5.10.")
        for sentence, holds in sources.check_ways(self.text("probes-kernel.err"),
                                                  self.left.get("probes-kernel.pb.gz", b""),
                                                  usable):
            self.case(sentence, holds, self.said("probes-kernel"))
        way = "by fentry" if usable else sources.OLD_WAY
        self.case("list says of a function of the kernel how it is probed",
                  "kprobe:vfs_read: " + way in self.text("list-entry.err"),
                  self.said("list-entry"))
        self.case("and in JSON", '"by": "%s"' % ("fentry" if usable else "kprobe") in
                  self.text("list-call.out"), self.text("list-call.out"))
        self.case("list says whether the kernel has trampolines",
                  ("without fentry" in self.text("list-offered.out")) != usable,
                  self.text("list-offered.out"))

    def check_recursion(self, name, process, depth, least):
        complete, every = recursion_counts(self.text(name + ".folded"), process, depth)
        percent = 100.0 * complete / every if every else 0
        why = "%d of %d samples\n%s\n%s" % (complete, every, self.said(name),
                                           self.text(name + ".folded"))
        self.case("%s %d deep, %.1f %% of %d stacks are complete and as the program makes them"
                  % (process, depth, percent, every),
                  every >= SAMPLES_LEAST and percent >= least, why)

    def check_hotplug(self):
        online = self.text("hotplug.out").split()
        self.case("CPU 1 is unplugged and comes back during a record", online == ["0", "0-1"],
                  self.text("hotplug.out") + self.text("dmesg"))
        self.case("record goes on over that", self.ended("hotplug"), self.said("hotplug"))
        folded = self.text("hotplug.folded")
        for depth, when in ((3, "before it goes"), (7, "after it is back")):
            complete, _ = recursion_counts(folded, "recurse", depth)
            self.case("CPU 1 is sampled %s" % when, complete >= SAMPLES_LEAST,
                      "%d samples\n%s\n%s" % (complete, self.said("hotplug"), folded))

    def check_no_btf(self):
        said = self.text("no-btf.err")
        self.case("without kernel types record ends with status %d and says what is missing"
                  % EXIT_NOT_SUPPORTED, self.ended("no-btf", EXIT_NOT_SUPPORTED) and
                  "CONFIG_DEBUG_INFO_BTF" in said and "no-btf.folded" not in self.left,
                  self.said("no-btf"))

    def check_lockdown(self):
        said = self.text("lockdown.err")
        self.case("in a kernel that is locked down record ends with status %d and says that"
                  % EXIT_NOT_SUPPORTED, self.ended("lockdown", EXIT_NOT_SUPPORTED) and
                  "locked down" in said and "lockdown.folded" not in self.left,
                  self.said("lockdown"))
        self.case("doctor says it, too",
                  "lockdown is confidentiality" in self.text("lockdown-doctor.out"),
                  self.text("lockdown-doctor.out"))

    def check_kernel(self):
        bad = [line for line in self.text("dmesg").splitlines()
               if re.search(r"\bBUG:|\bWARNING:|\bOops\b|rcu_\w+ .*stall", line)]
        self.case("the kernel has nothing to complain about", not bad, self.text("dmesg"))

    def check(self, table):
        self.check_objects(table)
        self.check_sources()
        for name, process, depth, least in (
                ("depth", "recurse", 40, COMPLETE_LEAST),
                ("chain", "recurse", 10, CHAIN_COMPLETE_LEAST),
                ("chain", "recurse-static", 20, CHAIN_COMPLETE_LEAST)):
            self.check_recursion(name, process, depth, least)
        self.check_hotplug()
        self.check_no_btf()
        self.case("doctor finds that it can record", self.ended("doctor"),
                  self.text("doctor.out") + self.said("doctor"))
        self.check_lockdown()
        self.check_kernel()
        return not self.failed


def skip(why):
    print(why)
    return EXIT_SKIPPED


def fetch(kernel):
    """None, or why it cannot be had. An error of the tool itself is a failure, not that."""
    answer = subprocess.run([os.path.join(HERE, "fetch-kernel"), kernel, FOLDER],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = answer.stdout.decode(errors="replace").strip()
    if answer.returncode == EXIT_SKIPPED:
        return text.splitlines()[-1] if text else "without saying why"
    if answer.returncode:
        raise machine.Failed("fetch-kernel: " + text)
    return None


def run_kernel(kernel, initramfs, table, rows):
    """Returns whether all cases passed, or None when it is skipped."""
    begin = time.monotonic()
    try:
        why = fetch(kernel)
        if why:
            print("ok - %s # SKIP %s" % (kernel, why))
            return None
        left = machine.boot(os.path.join(FOLDER, "vmlinuz-" + kernel), initramfs,
                            os.path.join(FOLDER, "run-" + kernel), BOOT_SECONDS)
    except machine.Failed as error:
        print("not ok - %s: the machine runs to its end\n%s" % (kernel, error))
        return False
    print("# %s is %s, %.0f s" % (kernel, left.get("release", "?").strip(),
                                  time.monotonic() - begin))
    rows += verifier.parse(kernel, left.get("verify.out", ""))
    return Machine(kernel, left).check(table)


def main():
    update = "--update" in sys.argv[1:]
    tool = machine.missing()
    if tool:
        return skip("virtual machines need %s: tests/install-packages vm" % tool)
    missing = [path for path in PROGRAMS if not os.path.exists(path)]
    if missing:
        return skip("not built: %s; see: make test-vm" % ", ".join(missing))
    os.makedirs(FOLDER, exist_ok=True)
    initramfs = os.path.join(FOLDER, "initramfs")
    root = tempfile.mkdtemp(prefix="wick-vm-")
    try:
        machine.build_initramfs(initramfs, root, os.path.join(HERE, "guest.sh"), PROGRAMS,
                                [os.path.join(BUILD, "bpf/*.bpf.o")])
    finally:
        shutil.rmtree(root)
    table, rows, results = verifier.read(), [], []
    for kernel in wanted_kernels():
        results.append(run_kernel(kernel, initramfs, None if update else table, rows))
    if update:
        verifier.write(table, rows)
    return 1 if False in results else 0


if __name__ == "__main__":
    sys.exit(main())
