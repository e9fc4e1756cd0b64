# SPDX-License-Identifier: BSD-2-Clause
"""A running process, and what it costs as the kernel counts it: the same for every profiler."""
import glob
import os
import re
import signal
import subprocess
import tempfile
import time

from table import Failed

BPF_PROG_TYPE_PERF_EVENT = 7
READY_SECONDS = 30
END_SECONDS = 90
EXIT_TIMEOUT = 124
# What user space shares with the kernel, and is counted there.
SHARED = re.compile(r"bpf-map|\[perf_event\]")
# What a profiler holds that has begun.
EVENT = r"perf_event"
LINK = r"bpf[-_]link"


class Cost:
    """Sums since the process began, and memory at this moment."""

    def __init__(self, pid):
        self.time = time.monotonic()
        # The CPU clock of a process, threads that ended included, in ns; see clock_getcpuclockid().
        self.cpu = time.clock_gettime((~pid << 3) | 2)
        self.sampler_ns = self.sampler_runs = self.bpf_ns = self.map_bytes = 0
        for entry in bpf_objects(pid):
            ns = entry.get("run_time_ns", 0)
            self.bpf_ns += ns
            self.map_bytes += entry.get("memlock", 0) if "map_id" in entry else 0
            if entry.get("prog_type") == BPF_PROG_TYPE_PERF_EVENT:
                self.sampler_ns += ns
                self.sampler_runs += entry["run_cnt"]


def bpf_objects(pid):
    """The programs and maps a process holds, each once, as {field: number}."""
    seen = {}
    for path in glob.glob("/proc/%d/fdinfo/*" % pid):
        try:
            with open(path) as file:
                entry = {key: int(value) for key, value in
                         re.findall(r"^(\w+):\s+(\d+)$", file.read(), re.MULTILINE)}
        except OSError:
            continue
        for kind in ("prog_id", "map_id"):
            if kind in entry and "link_id" not in entry:
                seen[kind, entry[kind]] = entry
    return seen.values()


def memory(pid):
    """MiB of its own at most, and MiB in the kernel: BPF maps and rings of perf events."""
    with open("/proc/%d/status" % pid) as file:
        own = int(re.search(r"^VmHWM:\s+(\d+)", file.read(), re.MULTILINE).group(1))
    rings, shared = 0, False
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            field, size = line.split()[:2]
            if not field.endswith(":"):
                shared = SHARED.search(line)
            elif shared and field == "Rss:":
                own -= int(size)
            elif shared and field == "Size:" and "perf_event" in shared.group(0):
                rings += int(size)
    return own / 1024, rings / 1024 + Cost(pid).map_bytes / (1 << 20)


class Observed:
    """with Observed(command) as it: the process samples; afterwards it has ended by SIGINT.

    That it does is seen by what it holds: @sign is how such a thing is called in /proc/PID/fd.
    """

    def __init__(self, command, output=os.devnull, sign=EVENT):
        self.command = command
        self.sign = sign
        self.output = output
        self.total_cpu = 0.0

    def __enter__(self):
        self.errors = tempfile.TemporaryFile("w+")
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=self.errors)
        self.pid = self.process.pid
        end = time.monotonic() + READY_SECONDS
        while not self.has_begun():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise Failed("does not begin: " + self.said())
            time.sleep(0.02)
        return self

    def has_begun(self):
        for path in glob.glob("/proc/%d/fd/*" % self.pid):
            try:
                if re.search(self.sign, os.readlink(path)):
                    return True
            except OSError:
                pass
        return False

    def __exit__(self, kind, *_):
        if kind:
            self.kill()
            return
        self.process.send_signal(signal.SIGINT)
        self.wait()
        # perf ends by the signal it was sent.
        if self.process.returncode not in (0, -signal.SIGINT):
            raise Failed("ends with %d: %s" % (self.process.returncode, self.said()))

    def wait(self):
        end = time.monotonic() + END_SECONDS
        while time.monotonic() < end:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.total_cpu = usage.ru_utime + usage.ru_stime
                return
            time.sleep(0.02)
        self.kill()
        raise Failed("does not end within %d s of SIGINT" % END_SECONDS)

    def kill(self):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()

    def said(self):
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines()
        return lines[-1] if lines else "nothing said"


def run(command, build, folder, stdin=None):
    """CPU seconds and peak MiB of a command that ends by itself within END_SECONDS."""
    cost = folder + "/cost"
    with open(os.devnull, "w") as nothing:
        answer = subprocess.run(["timeout", str(END_SECONDS), build + "/tests/bench/cost", cost,
                                 *command], stdin=stdin, stdout=nothing, stderr=nothing)
    if answer.returncode == EXIT_TIMEOUT:
        raise Failed("%s: more than %d s" % (command[0], END_SECONDS))
    if answer.returncode:
        raise Failed("%s ends with %d" % (command[0], answer.returncode))
    with open(cost) as file:
        seconds, kibibytes = file.read().split()
    return float(seconds), int(kibibytes) / 1024
