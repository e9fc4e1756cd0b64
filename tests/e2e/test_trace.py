#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wick trace: a line for each event and none too many, in order, in every format, to the end."""
import atexit
import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WICK = os.path.abspath(os.environ.get("WICK", os.path.join(TOP, "build/wick")))
SECONDS = 60
SUMMARY = re.compile(r"^events +(\d+) taken in [0-9.]+ s.*?, (\d+) lost(?: \([^)]*\): ([^;\n]*))?"
                     r"(?:; (\d+) more)?", re.MULTILINE)

failed = False


def check(name, condition, seen=""):
    global failed
    print("%s - %s" % ("ok" if condition else "not ok", name), flush=True)
    if not condition:
        failed = True
        print("  %s" % str(seen)[-3000:].replace("\n", "\n  "), flush=True)


class Trace:
    """A run that has ended."""

    def __init__(self, *arguments, python=None, stdout="out"):
        command = [WICK, "trace", *arguments]
        if python:
            command += ["--", sys.executable, "-S", "-E", "-c", python]
        with open(stdout, "wb") as out:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.PIPE, timeout=SECONDS, check=False)
        self.status = done.returncode
        self.said = done.stderr.decode(errors="replace")
        self.text = ""
        if not stdout.startswith("/dev/"):
            with open(stdout, encoding="utf-8") as out:
                self.text = out.read()
        self.lines = self.text.splitlines()

    def events(self):
        return [json.loads(line) for line in self.lines]

    def counts(self):
        """How many were taken, lost and left out."""
        match = SUMMARY.search(self.said)
        if not match:
            return None
        return int(match.group(1)), int(match.group(2)), int(match.group(4) or 0)

    def __str__(self):
        return "status %d\n%s\n%s" % (self.status, self.said, self.text[-1500:])


def test_signals():
    run = Trace("signal", "--json", python="""
import os, signal, time
child = os.fork()
if not child:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    time.sleep(100)
time.sleep(0.2)
for i in range(25):
    os.kill(child, signal.SIGUSR1)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
print(os.getpid(), child)
""")
    sender, target = map(int, run.lines.pop(0 if run.lines[0][0] != "{" else -1).split())
    sent = collections.Counter((event["args"]["signal"], event["pid"], event["args"]["target_pid"])
                               for event in run.events())
    check("25 signals are 25 lines, with sender and target",
          sent["SIGUSR1", sender, target] == 25, run)
    check("and the last one is the one that kills", sent["SIGKILL", sender, target] == 1, run)
    taken, lost, _ = run.counts()
    check("nothing is taken that is not shown", taken == len(run.lines) and not lost, run)


def test_calls():
    run = Trace("syscall:rmdir+mkdir", "--json", "-o", "calls.json", python="""
import os
for i in range(30):
    try: os.rmdir("nothing")
    except OSError: pass
for i in range(7):
    os.mkdir("something")
    os.rmdir("something")
""")
    with open("calls.json", encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    kinds = collections.Counter((event["event"], event["args"].get("error")) for event in events)
    check("failed calls have their error, and others none",
          kinds == {("rmdir", "ENOENT"): 30, ("rmdir", None): 7, ("mkdir", None): 7}, events)
    check("each says how long it took",
          all(0 < event["latency_ns"] < 10**9 for event in events), events)
    check("a file of output is written, and standard output is not", not run.text, run)


def test_glob():
    run = Trace("syscall:mkdir*+r?dir", "--json", python="""
import os
top = os.open(".", os.O_RDONLY)
for i in range(5):
    os.mkdir("globbed")
    os.rmdir("globbed")
    os.mkdir("globbed", dir_fd=top)
    os.rmdir("globbed", dir_fd=top)
""")
    kinds = collections.Counter(event["event"] for event in run.events())
    check("a glob is all system calls that it matches, with their arguments",
          kinds == {"mkdir": 5, "rmdir": 5, "mkdirat": 5} and
          all(event["args"]["pathname"] == "globbed" for event in run.events()), run)


def test_flags():
    run = Trace("syscall:openat,filter=flags & O_CREAT && dfd == AT_FDCWD",
                "syscall:mmap,filter=prot & PROT_EXEC && flags & MAP_SHARED",
                "syscall:kill,filter=sig == SIGURG", "--json", python="""
import mmap, os, signal
for i in range(3):
    os.close(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
    os.close(os.open("made", os.O_RDWR | os.O_CREAT))
    os.close(os.open("made", os.O_RDWR))
    mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()
    mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ).close()
    os.kill(os.getpid(), signal.SIGURG)
    os.kill(os.getpid(), signal.SIGCONT)
""")
    events = run.events()
    kinds = collections.Counter(event["event"] for event in events)
    check("filters know flags and signals of system calls by name",
          kinds == {"openat": 3, "mmap": 3, "kill": 3} and
          all(event["args"]["filename"] == "made" for event in events
              if event["event"] == "openat"), run)
    run = Trace("tracepoint:syscalls:sys_enter_openat,filter=flags & O_CREAT", "--json", python="""
import os
for i in range(4):
    os.close(os.open("made", os.O_RDWR | os.O_CREAT))
    os.close(os.open("made", os.O_RDWR))
""")
    check("so do those of their tracepoints", len(run.lines) == 4, run)
    run = Trace("syscall:openat,filter=flags & O_CRAET", "--", "true")
    check("a flag that is none is refused, with the nearest one",
          run.status == 2 and "did you mean 'O_CREAT'?" in run.said, run)


def test_mounts():
    run = Trace("syscall:mount+umount2", python="""
import ctypes
libc = ctypes.CDLL(None)
libc.mount(b"from", b"/no/where", b"tmpfs", 14, None)
libc.umount2(b"/no/where", 10)
""")
    text = "\n".join(line.split(" ", 1)[1] for line in run.lines)
    check("mounts have their names, and flags",
          'mount("from", "/no/where", "tmpfs", MS_NOSUID|MS_NODEV|MS_NOEXEC, 0x0) = -1 ENOENT'
          in text and 'umount2("/no/where", MNT_DETACH|UMOUNT_NOFOLLOW) = -1 ENOENT' in text, run)


def test_raw_tracepoint():
    run = Trace("rawtp:sched_process_fork,show=parent->pid+child->pid+made=child->comm,"
                "filter=parent->comm == \"forker\"", "--json", python="""
import os
with open("/proc/self/comm", "w") as file:
    file.write("forker")
made = [os.posix_spawnp("true", ["true"], {}) for i in range(4)]
for pid in made:
    os.waitpid(pid, 0)
print(os.getpid(), *made)
""")
    own, *made = next(line for line in run.lines if line[0] != "{").split()
    events = [json.loads(line)["args"] for line in run.lines if line[0] == "{"]
    check("arguments of raw tracepoints have the names that the kernel gives them",
          [event["child->pid"] for event in events] == list(map(int, made)) and
          all(event["parent->pid"] == int(own) and event["made"] == "forker"
              for event in events), run)
    run = Trace("rawtp:sched_process_fork,show=nothing", "--", "true")
    check("and what they do not have is refused", run.status == 2 and "nothing" in run.said, run)


def test_text():
    run = Trace("syscall:rmdir", python="import os\ntry: os.rmdir('nothing')\nexcept OSError: pass")
    check("a call reads as strace has it", len(run.lines) == 1 and re.search(
        r"^\d\d:\d\d:\d\d\.\d{9} +\d+ python\S* +\d+ +rmdir\(.*\) = -1 ENOENT "
        r"\(No such file or directory\) <\d+\.\d{6}>$", run.text, re.MULTILINE), run)
    check("a pipe or file has neither colors nor a header",
          "\x1b" not in run.text and "COMM" not in run.text, run)
    run = Trace("exit", "--time", "relative", "--", "sh", "-c", "sleep 0.3; exit 7")
    times = [float(line.split()[0]) for line in run.lines]
    check("exits say how; times may be since the start",
          len(run.lines) == 2 and "status=7" in run.lines[1] and 0.25 < times[1] < 20 and
          times[0] <= times[1], run)
    check("the exit status is the command's", run.status == 7, run)
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    run = Trace("exit", "--time", "monotonic", "--", "true")
    at = float(run.lines[0].split()[0])
    check("or since the machine was started",
          before <= at <= time.clock_gettime(time.CLOCK_MONOTONIC), run)
    run = Trace("exit", "--json", "--", "true")
    check("or since the epoch", abs(run.events()[0]["time_ns"] / 1e9 - time.time()) < 20, run)


# Several, spread over the CPUs, that call the system all the time.
BUSY = """
import os, time
end = time.monotonic() + 1
for i in range(3): os.fork()
cpus = sorted(os.sched_getaffinity(0))
os.sched_setaffinity(0, {cpus[os.getpid() % len(cpus)]})
while time.monotonic() < end:
    for i in range(20): os.getppid()
    time.sleep(0.003)
"""


def test_order():
    run = Trace("syscall:getppid+clock_nanosleep", "--json", python=BUSY)
    events = run.events()
    times = [event["time_ns"] for event in events]
    check("lines are in order of time over all CPUs",
          len(times) > 1000 and times == sorted(times), run.said)
    check("and come from several of them",
          os.cpu_count() == 1 or len({event["cpu"] for event in events}) > 1, run.said)
    taken, lost, _ = run.counts()
    check("and none is missing", taken == len(times) + lost and not lost, run.said)


def test_chrome():
    run = Trace("syscall:getppid", "exit", "--chrome", python="import os\n" +
                "for i in range(9): os.getppid()")
    events = json.loads(run.text)
    kinds = collections.Counter((event["ph"], event["name"]) for event in events)
    check("a trace of Chrome has what takes time as complete events",
          kinds["X", "getppid"] == 9 and kinds["i", "exit"] == 1 and
          kinds["M", "thread_name"] >= 1, run)
    check("that have what viewers want", all(
        {"pid", "tid", "ts"} <= event.keys() and
        (event["ph"] != "X" or event["dur"] >= 0) for event in events), run)


def interrupt(arguments, number, name):
    with open(name, "wb") as out:
        child = subprocess.Popen([WICK, "trace", *arguments], stdout=out, stderr=subprocess.PIPE)
        end = time.monotonic() + SECONDS
        while os.path.getsize(name) < 1000 and time.monotonic() < end:
            time.sleep(0.05)
        grown = os.path.getsize(name)
        child.send_signal(number)
        said = child.communicate(timeout=SECONDS)[1].decode()
    with open(name, encoding="utf-8") as file:
        return child.returncode, grown, file.read(), said


def test_interrupt():
    with subprocess.Popen([sys.executable, "-c", "import time\nwhile 1: time.sleep(0.01)"]) as busy:
        target = str(busy.pid)
        status, grown, text, said = interrupt(["offcpu", "-p", target, "--chrome"],
                                              signal.SIGINT, "chrome")
        check("events are written while it runs", grown >= 1000, said)
        check("Ctrl-C ends it", status == 0 and "taken" in said, said)
        check("and leaves valid JSON", len(json.loads(text)) > 5, text)
        status, _, text, said = interrupt(["offcpu", "-p", target], signal.SIGTERM, "text")
        check("so does SIGTERM, and the last line is whole",
              status == 0 and text.endswith(">\n"), text)
        # Once in many times it is awake just then.
        for _ in range(3):
            if "<unfinished ...>" not in text.splitlines()[-1]:
                _, _, text, said = interrupt(["offcpu", "-p", target], signal.SIGTERM, "text")
        check("a wait that has not ended is shown as that",
              "<unfinished ...>" in text.splitlines()[-1], text)
        run = Trace("offcpu", "-p", target, "-d", "0.5")
        check("a duration ends it", run.status == 0 and len(run.lines) > 5, run)
        busy.kill()


def test_limits():
    run = Trace("syscall:getppid", "--count", "5", python=BUSY)
    taken, lost, more = run.counts()
    check("--count ends it after as many", len(run.lines) == 5 and taken == 5 and not lost, run)
    check("its command then ends, too", run.status == 0, run)
    run = Trace("syscall:getppid", "--limit", "10/s", "--json", python=BUSY)
    times = [event["time_ns"] for event in run.events()]
    taken, lost, more = run.counts()
    check("--limit shows no more in a second",
          5 <= len(times) <= 30 and all(later - first >= 10**9 * 0.9
                                         for first, later in zip(times, times[10:])), run)
    check("and counts the others", more > 500 and taken == len(times) and not lost, run.said)


def test_pipe():
    busy = subprocess.Popen([sys.executable, "-c", "import os\nwhile 1: os.getppid()"])
    # Whatever happens here, it does not go on.
    atexit.register(busy.kill)
    start = time.monotonic()
    child = subprocess.Popen([WICK, "trace", "syscall:getppid", "-p", str(busy.pid)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = child.stdout.readline()
    child.stdout.close()
    status = child.wait(SECONDS)
    said = child.stderr.read().decode()
    check("a pipe that is closed ends it quietly",
          b"getppid()" in line and status == 0 and not said and time.monotonic() - start < 20,
          said)
    # Nobody reads for a while: what does not fit is dropped.
    child = subprocess.Popen([WICK, "trace", "syscall:getppid", "-p", str(busy.pid), "-d", "3",
                              "--memory", "16M", "--capacity", "queue_items=4"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(4)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(child.stdout))
    reader.start()
    said = child.stderr.read().decode()
    reader.join()
    child.wait(SECONDS)
    busy.kill()
    busy.wait()
    match = SUMMARY.search(said)
    check("a reader that is too slow loses events, which are counted",
          match and "-late" in (match.group(3) or "") and
          int(match.group(1)) == len(lines) + int(match.group(2)),
          "%d lines\n%s" % (len(lines), said))


def test_stack():
    run = Trace("syscall:clock_nanosleep", "--stack", "--", "sleep", "0.3")
    check("a stack is below its event, leaf first",
          len(run.lines) > 3 and "clock_nanosleep" in run.lines[0] and
          all(line.startswith("        ") for line in run.lines[1:]) and
          "nanosleep" in run.lines[1], run)
    run = Trace("syscall:clock_nanosleep", "--stack", "--json", "--", "sleep", "0.3")
    functions = [frame["function"] for frame in run.events()[0]["stack"]]
    check("and in JSON a list", any("main" in name for name in functions), functions)
    run = Trace("offcpu", "--json", "--", "sleep", "0.3")
    check("without --stack there is none", all("stack" not in event for event in run.events()), run)


def test_counted():
    run = Trace("syscall:getppid", "--histogram", "--by", "syscall",
                python="import os\nfor i in range(300): os.getppid()")
    check("a histogram is counted in the kernel", "getppid" in run.text and "300" in run.text, run)
    run = Trace("syscall:getppid", "--by", "syscall", "--json",
                python="import os\nfor i in range(300): os.getppid()")
    rows = json.loads(run.text)
    check("so is a table", run.status == 0 and len(rows) == 1 and rows[0]["calls"] == 300, run)


def test_lock():
    run = Trace("lock", "--json", python="""
import threading, time
lock = threading.Lock()
def work():
    for i in range(20):
        with lock: time.sleep(0.002)
threads = [threading.Thread(target=work) for i in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""")
    waits = [event for event in run.events() if event["args"].get("kind") == "futex"]
    check("waits for a lock say which, and how long",
          len(waits) >= 20 and all(event["args"]["lock"].startswith("0x") for event in waits) and
          max(event["latency_ns"] for event in waits) > 10**6, run)


def test_usage():
    for arguments, text in (([], "missing event"), (["nonsense"], "unknown event"),
                            (["exit", "--json", "--chrome"], "one or the other"),
                            (["exit", "--limit", "fast"], "not a number"),
                            (["exit", "--by", "comm", "--count", "3"], "all are counted"),
                            (["exit", "--time", "noon"], "noon")):
        run = Trace(*arguments)
        check("trace %s is refused" % " ".join(arguments),
              run.status == 2 and text in run.said and not run.text, run)
    with open("kept", "w", encoding="utf-8") as file:
        file.write("kept")
    run = Trace("exit", "-o", "kept", "--dry-run", "--", "true")
    with open("kept", encoding="utf-8") as file:
        check("a dry run leaves the file as it is", run.status == 0 and file.read() == "kept", run)
    run = Trace("exit", "-o", "/nonexistent/file", "--", "true")
    check("so is a file that cannot be written",
          run.status == 1 and "cannot write: /nonexistent/file" in run.said, run)
    run = Trace("exit", "--", "true", stdout="/dev/full")
    check("a full disk is a failure, and said", run.status == 1 and "No space left" in run.said,
          run.said)
    run = Trace("signal", "-n", "nobody-has-it", "-d", "0.2")
    check("no events are a warning", run.status == 0 and "no events" in run.said, run)


def main():
    if os.geteuid():
        print("needs root")
        sys.exit(77)
    os.chdir(tempfile.mkdtemp(dir=os.environ.get("WICK_TMP")))
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            test()
    sys.exit(1 if failed else 0)


main()
