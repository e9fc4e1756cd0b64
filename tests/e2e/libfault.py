# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of faults share: a run of wick that something is done to, and what is right then.

Whatever happens, wick ends in time. With status 0 it has written a whole profile, and said what it
did without; with 1 or 3 it has said why, and an older file is as it was. Never does it die of a
signal, hang, or leave a temporary file.
"""
import gzip
import os
import re
import select
import signal
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("WICK_BUILD", "build"))
WICK = os.environ.get("WICK", os.path.join(BUILD, "wick"))
WORKLOADS = os.environ.get("WICK_WORKLOADS", os.path.join(BUILD, "tests/workloads"))
# A run takes a second, and many times that where others want the CPUs too.
SECONDS = 120
OLD = b"what was there before\n"
failed = False
children = []


def need_root():
    if os.geteuid() != 0:
        print("sampling needs root")
        sys.exit(77)
    os.chdir(tempfile.mkdtemp(dir=os.environ.get("WICK_TMP")))


def case(name, problems, said=""):
    """Prints the verdict: @problems is a list of what is wrong, empty when all is right."""
    global failed
    print("%s - %s" % ("not ok" if problems else "ok", name), flush=True)
    for problem in problems[:10]:
        print("# missed: " + problem)
    if problems:
        failed = True
        for line in said.splitlines()[-20:]:
            print("  | " + line)


def skip(name, why):
    print("ok - %s # SKIP %s" % (name, why), flush=True)


def start(command, **options):
    """A process that is ended with the test."""
    child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, **options)
    children.append(child)
    return child


def end(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def end_all():
    while children:
        end(children.pop())


def finish():
    end_all()
    sys.exit(1 if failed else 0)


class Run:
    """wick record with @arguments, behind the words of @prefix."""

    def __init__(self, *arguments, prefix=(), seconds=SECONDS, **options):
        with open("said", "wb") as said:
            self.child = subprocess.Popen([*prefix, WICK, "record", *arguments], stderr=said,
                                          stdout=subprocess.DEVNULL, start_new_session=True,
                                          **options)
            self.timed_out = not self.ends_in(seconds)
            self.whereabouts = list(whereabouts(self.child.pid)) if self.timed_out else []
            if self.timed_out:
                os.killpg(self.child.pid, signal.SIGKILL)
            _, status, usage = os.wait4(self.child.pid, 0)
        self.status = self.child.returncode = os.waitstatus_to_exitcode(status)
        self.peak_mib = usage.ru_maxrss >> 10
        with open("said", errors="replace") as said:
            self.said = said.read()

    def ends_in(self, seconds):
        fd = os.pidfd_open(self.child.pid)
        ended = select.select([fd], [], [], seconds)[0]
        os.close(fd)
        return bool(ended)

    def count(self, name):
        """Of --stats."""
        found = re.search(r"^%s +(\d+)$" % re.escape(name), self.said, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def has(self, text):
        return text in self.said


def profile_problems(path):
    """What is wrong with the profile that is there."""
    problems = []
    try:
        with gzip.open(path) as file:
            file.read()
    except (OSError, EOFError) as error:
        problems.append("%s is not whole: %s" % (path, error))
    report = subprocess.run([WICK, "report", path], capture_output=True, check=False)
    if report.returncode:
        problems.append("wick report: status %d: %s" % (report.returncode, report.stderr[-200:]))
    return problems


def stats_problems(run):
    taken, reported, lost = run.count("taken"), run.count("reported"), run.count("lost")
    if taken != reported + lost:
        return ["%d taken, %d reported, %d lost" % (taken, reported, lost)]
    return []


def outcome_problems(run, path, statuses=(0, 1, 3)):
    """What of @run, which had --stats and -o @path, where OLD stood before, is not as it must be."""
    problems = []
    if run.timed_out:
        return ["did not end", *run.whereabouts]
    if run.status not in statuses:
        problems.append("status %d" % run.status)
    if run.status == 0:
        problems += profile_problems(path) + stats_problems(run)
    else:
        if not re.search(r"(^wick: .{8,}|loading shared libraries)", run.said, re.MULTILINE):
            problems.append("does not say why")
        with open(path, "rb") as file:
            if file.read() != OLD:
                problems.append("fails, and the file is another")
    left = [name for name in os.listdir(".") if name.startswith(".wick-")]
    for name in left:
        problems.append("left behind: " + name)
        os.unlink(name)
    return problems


def read_text(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def threads_of(pid):
    try:
        return os.listdir("/proc/%d/task" % pid)
    except OSError:
        return []


def children_of(pid):
    return [int(child) for task in threads_of(pid)
            for child in read_text("/proc/%d/task/%s/children" % (pid, task)).split()]


def user_stacks(pid):
    """By thread, its functions from the leaf on, where there is a debugger."""
    try:
        said = subprocess.run(["gdb", "-p", str(pid), "-batch", "-ex", "thread apply all bt 12"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    stacks, thread = {}, None
    for line in said.splitlines():
        begin = re.match(r"Thread \d+ .*LWP (\d+)", line)
        frame = re.match(r"#\d+ +(?:0x\w+ in )?([^ ]+) \(", line)
        thread = begin.group(1) if begin else thread
        if frame:
            stacks.setdefault(thread, []).append(frame.group(1))
    return stacks


def whereabouts(pid):
    """Where each thread of a process that does not end is, and of what it has started."""
    stacks = user_stacks(pid)
    for task in threads_of(pid):
        folder = "/proc/%d/task/%s/" % (pid, task)
        state = read_text(folder + "stat").rpartition(")")[2].split()
        kernel = re.findall(r"\] (\w+)\+", read_text(folder + "stack"))
        yield ("%s %s is %s after %s ticks: %s" %
               (read_text(folder + "comm").strip(), task, state[0] if state else "gone",
                "+".join(state[11:13]), " < ".join(kernel[:4] + stacks.get(task, []))))
    for child in children_of(pid):
        yield from whereabouts(child)


def old_file(path):
    with open(path, "wb") as file:
        file.write(OLD)
