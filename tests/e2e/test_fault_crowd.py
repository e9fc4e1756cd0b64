#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Very many processes, execs without end, and others who profile at the same time."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402

OUT = "out.pb.gz"
SHARES = {"share_60": 60, "share_30": 30, "share_10": 10}
POINTS_APART = 15


def folded_sums(path, pattern):
    """Of the lines with a match, the sum of values by what matched."""
    sums = {}
    with open(path) as file:
        for line in file:
            found = re.search(pattern, line)
            if found:
                sums[found.group(0)] = sums.get(found.group(0), 0) + int(line.split()[-1])
    return sums


def share_problems(path):
    sums = folded_sums(path, r"share_\d+")
    total = sum(sums.values())
    if total < 100:
        return ["only %d samples of shares" % total]
    return ["%s has %d of %d" % (name, sums.get(name, 0), total) for name, percent in SHARES.items()
            if abs(100 * sums.get(name, 0) / total - percent) > POINTS_APART]


def profiled(seconds="2", hertz="999"):
    libfault.old_file(OUT)
    run = libfault.Run("-d", seconds, "-F", hertz, "--stats", "-o", OUT, "-o", "out.folded")
    return run, libfault.outcome_problems(run, OUT, (0,))


def test_crowd():
    count = 10000
    crowd = subprocess.Popen([os.path.join(libfault.WORKLOADS, "crowd"), str(count), "100"],
                             stdout=subprocess.PIPE, text=True, start_new_session=True)
    libfault.children.append(crowd)
    answer = crowd.stdout.readline().strip()
    if answer != "all":
        libfault.skip("10,000 processes", "only %s can be made here" % answer)
        libfault.end(crowd)
        return
    run, problems = profiled("4")
    libfault.end(crowd)
    members = folded_sums("out.folded", r"^crowd;.*member").values()
    if sum(members) < 10:
        problems.append("%d samples of the crowd" % sum(members))
    print("# 10,000 processes: %d samples, %d lost, %d processes known, %d MiB at most" % (
        run.count("taken"), run.count("lost"), run.count("processes"), run.peak_mib))
    libfault.case("10,000 processes: each sample is reported or counted as lost", problems,
                  run.said)


def test_execs():
    for name in ("odd", "even"):
        os.symlink(os.path.join(libfault.WORKLOADS, "exec_chain"), name)
    chain = libfault.start(["./even", "100"])
    run, problems = profiled()
    libfault.end(chain)
    sums = folded_sums("out.folded", r"^(odd|even);.*(chain_odd|chain_even)")
    right = wrong = 0
    for text, value in sums.items():
        if text.partition(";")[0] == text.rpartition("_")[2]:
            right += value
        else:
            wrong += value
    if right < 20 or wrong:
        problems.append("%d samples of the right program, %d of the other" % (right, wrong))
    print("# execs: %d samples of the right program, %d of the other" % (right, wrong))
    libfault.case("a process that executes without end is never taken for what it was", problems,
                  run.said)


def test_two():
    """Two at once, of which neither sees less for the other."""
    shares = libfault.start([os.path.join(libfault.WORKLOADS, "shares"), "100"])
    other = subprocess.Popen([libfault.WICK, "record", "-d", "3", "-F", "997", "--stats", "-p",
                              str(shares.pid), "-o", "other.folded"], stderr=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, text=True)
    run, problems = profiled()
    _, said = other.communicate(timeout=libfault.SECONDS)
    counts = {name: int(value) for name, value in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}
    if other.returncode or counts["taken"] != counts["reported"] + counts["lost"]:
        problems.append("the other: status %d, %s" % (other.returncode, counts))
    problems += share_problems("out.folded") + share_problems("other.folded")
    libfault.end(shares)
    libfault.case("two wicks at once are both right", problems, run.said)


def test_beside(name, command, needed):
    if not shutil.which(needed):
        libfault.skip(name, "no %s" % needed)
        return
    shares = libfault.start([os.path.join(libfault.WORKLOADS, "shares"), "100"])
    beside = libfault.start(command)
    time.sleep(1)
    if beside.poll() is not None:
        libfault.skip(name, "%s does not run here" % needed)
        libfault.end(shares)
        return
    run, problems = profiled()
    problems += share_problems("out.folded")
    if beside.poll() is not None:
        problems.append("%s has ended" % needed)
    libfault.end(beside)
    libfault.end(shares)
    libfault.case(name, problems, run.said)


def main():
    libfault.need_root()
    test_execs()
    test_two()
    test_beside("beside perf record", ["perf", "record", "-a", "-g", "-F", "499", "-o", "perf.data"],
                "perf")
    test_beside("beside a BPF profiler with stacks", [
        "bpftrace", "-e", "profile:hz:499 { @[ustack, kstack] = count(); }"], "bpftrace")
    test_crowd()
    libfault.finish()


if __name__ == "__main__":
    main()
