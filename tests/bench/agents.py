# SPDX-License-Identifier: BSD-2-Clause
"""Profilers side by side under the mixed load: what each costs, and what it writes."""
import os
import shutil
import signal
import statistics
import subprocess
import time

import libbpf_tools
import observed
from table import Failed

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 6
SETTLE_SECONDS = 1.5
ROUNDS = 2
SIZE_SECONDS = 8
QUICK_SECONDS = 1
LOAD_SECONDS = 900
STATS = "/proc/sys/kernel/bpf_stats_enabled"
BPFTRACE = "profile:hz:99 { @[kstack, ustack, comm] = count(); }"
# Without looking for and copying the files of build IDs, on which perf 6.1 dies now and then.
PERF = ["perf", "record", "-B", "-N", "-a"]


class Load:
    """The mixed load, with the kernel counting what BPF programs take."""

    def __enter__(self):
        with open(STATS) as file:
            self.stats = file.read()
        with open(STATS, "w") as file:
            file.write("1")
        self.process = subprocess.Popen([HERE + "/load", str(LOAD_SECONDS)],
                                        start_new_session=True)
        time.sleep(2)

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with open(STATS, "w") as file:
            file.write(self.stats)


def commands(build, folder):
    """Rows (name, command or the exception that says why there is none)."""
    wick = [build + "/wick", "record", "-q", "-a", "-o", folder + "/wick.pb.gz", "-F"]
    for hz in ("99", "19", "999"):
        yield "wick %s Hz" % hz, wick + [hz]
    try:
        yield "libbpf-tools profile 99 Hz", libbpf_tools.command(build, "profile") + [
            "-F", "99", "-f", "--stack-storage-size", "16384"]
    except Failed as error:
        yield "libbpf-tools profile 99 Hz", error
    for name, command in (
            ("bpftrace 99 Hz", ["bpftrace", "-e", BPFTRACE]),
            ("perf -g 99 Hz", PERF + ["-F", "99", "-g", "-o", folder + "/fp.data"]),
            ("perf --call-graph dwarf 99 Hz",
             PERF + ["-F", "99", "--call-graph", "dwarf", "-o", folder + "/dwarf.data"])):
        yield name, command if shutil.which(command[0]) else Failed("not installed")


def measure(command, measured_seconds):
    """One run: values in the order of the columns."""
    with observed.Observed(command) as it:
        time.sleep(SETTLE_SECONDS)
        before = observed.Cost(it.pid)
        time.sleep(measured_seconds)
        after = observed.Cost(it.pid)
        own, kernel = observed.memory(it.pid)
    seconds, cpu = after.time - before.time, after.cpu - before.cpu
    runs = after.sampler_runs - before.sampler_runs
    return (
        (after.sampler_ns - before.sampler_ns) / runs / 1000 if runs else None,
        100 * (after.bpf_ns - before.bpf_ns) / 1e9 / seconds if runs else None,
        100 * cpu / seconds,
        it.total_cpu - cpu,
        own,
        kernel,
        own + kernel)


def median(values):
    return None if None in values else statistics.median(values)


def side_by_side(table, build, folder, quick):
    table.begin("mixed load", ["us/sample", "BPF % CPU", "own % CPU", "start+end s", "own MiB",
                               "kernel MiB", "all MiB"])
    rows, runs, broken = list(commands(build, folder)), {}, {}
    seconds = QUICK_SECONDS if quick else SECONDS
    with Load():
        for _ in range(1 if quick else ROUNDS):
            for name, command in rows:
                try:
                    if isinstance(command, Failed):
                        raise command
                    runs.setdefault(name, []).append(measure(command, seconds))
                except Failed as error:
                    broken[name] = error
    results = {name: [median(column) for column in zip(*values)] for name, values in runs.items()}
    for name, _ in rows:
        if name in results and name not in broken:
            table.row(name, *results[name])
        else:
            table.failed(name, broken[name])
    return {name: values for name, values in results.items() if name not in broken}


def compare(table, results):
    """The goal: no more a sample than who follows frame pointers."""
    table.begin("a sample of the mixed load", ["ratio"])
    wick = results.get("wick 99 Hz")
    for name in ("libbpf-tools profile 99 Hz", "bpftrace 99 Hz"):
        if wick and name in results:
            table.row("wick to " + name, wick[0] / results[name][0])


def mebibytes(path):
    return os.path.getsize(path) / (1 << 20)


def sizes(table, build, folder, quick):
    """What is written of as many seconds, and what naming it takes.

    One after the other: in the kernels of 2025, what asks for build IDs of mappings, as wick does,
    makes the kernel mark such records of others, too, and perf 6.1 dies of that.
    """
    seconds = str(QUICK_SECONDS if quick else SIZE_SECONDS)
    table.begin("%s s of it in a file" % seconds, ["MiB", "naming s"])
    wick = [build + "/wick", "record", "-q", "-a", "-F", "99", "-d", seconds]
    suffixes = ("pb.gz", "folded", "svg")
    for suffix in suffixes:
        wick += ["-o", folder + "/size." + suffix]
    perf = {"fp": ["-g"], "dwarf": ["--call-graph", "dwarf"]}
    end = ["--", "sleep", seconds]
    with Load():
        subprocess.run(wick, check=True)
        for name, how in perf.items():
            if shutil.which("perf"):
                subprocess.run(PERF + ["-F", "99", "-o", folder + "/" + name, *how, *end],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for suffix in suffixes:
        table.row("wick ." + suffix, mebibytes(folder + "/size." + suffix), None)
    for name in perf:
        path = folder + "/" + name
        if not os.path.exists(path):
            table.failed("perf.data " + name, "no file")
            continue
        try:
            cpu, _ = observed.run(["perf", "script", "--no-inline", "-i", path], build, folder)
            table.row("perf.data " + name, mebibytes(path), cpu)
        except Failed as error:
            table.row("perf.data " + name, mebibytes(path), None, note="failed: %s" % error)


def run(table, build, folder, quick):
    compare(table, side_by_side(table, build, folder, quick))
    sizes(table, build, folder, quick)
