#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where probes reach: commands before they run, libraries that are mapped later, other roots."""
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402
import libpprof  # noqa: E402

OUT = "out.pb.gz"
SECONDS = 60
N = 500
SUM = N * (N - 1) // 2


def workload(name):
    return os.path.join(libfault.WORKLOADS, name)


LIBRARY = workload("libprobed_late.so")


def totals():
    """Of the profile that is there, and the profile."""
    with open(OUT, "rb") as file:
        profile = libpprof.Profile(file.read())
    os.unlink(OUT)
    found = {}
    for sample in profile.samples:
        for name, value in sample.values.items():
            found[name] = found.get(name, 0) + value
    return found, profile


class Recorder:
    """wick record, which may run beside others; ready() when it samples."""

    def __init__(self, *arguments, environment=None):
        if os.path.exists(OUT):
            os.unlink(OUT)
        self.child = subprocess.Popen([libfault.WICK, "record", "-v", "-o", OUT, *arguments],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, env=environment)
        self.said = b""

    def ready(self):
        end = time.monotonic() + SECONDS
        while b"sampling" not in self.said and time.monotonic() < end:
            if not select.select([self.child.stderr], [], [], 1)[0]:
                continue
            part = os.read(self.child.stderr.fileno(), 4096)
            if not part:
                return False
            self.said += part
        return True

    def end(self, interrupt=False):
        if interrupt:
            self.child.send_signal(signal.SIGINT)
        self.said += self.child.communicate(timeout=SECONDS)[1]
        return self.child.returncode


def counted_case(sentence, recorder, name, least, most, status=0):
    """Whether @name was counted as often."""
    problems = []
    if recorder.child.returncode != status:
        problems.append("status %s" % recorder.child.returncode)
    if not os.path.exists(OUT):
        problems.append("no profile")
    else:
        found = totals()[0].get(name, 0)
        if not least <= found <= most:
            problems.append("%s is %d, not %d to %d" % (name, found, least, most))
    libfault.case(sentence, problems, recorder.said.decode(errors="replace"))


# ---- commands that do not run yet ----

def command_case(sentence, arguments, command, name, least, most, status=0, **options):
    recorder = Recorder(*arguments, "--", *command, **options)
    recorder.end()
    counted_case(sentence, recorder, name, least, most, status)


def test_commands():
    probed = [workload("probed"), "threads", "4", str(N)]
    linked = [workload("probed_linked"), "-", str(N)]
    command_case("without a file it is the command's", ["-e", "uprobe::tiny"], probed, "tiny",
                 4 * N, 4 * N)
    command_case("also when it runs through a delay", ["-D", "1", "-e", "fn::doze"],
                 [workload("probed"), "sleep", "20", "100000"], "doze", 5, 19)
    command_case("and a library's that it is linked with, beside the program",
                 ["-e", "uprobe::late,value=i"], linked, "late_i", SUM, SUM)
    command_case("a function that the program and a library have is found in the one that is run",
                 ["-e", "fn::late"], linked, "late", N, N)
    path = dict(os.environ, PATH=libfault.WORKLOADS + ":" + os.environ["PATH"])
    command_case("a command is looked for as a shell does", ["-e", "uprobe::tiny"],
                 ["probed"] + probed[1:], "tiny", 4 * N, 4 * N, environment=path)
    with open("script", "w") as script:
        script.write("#!%s threads\n" % workload("probed"))
    os.chmod("script", 0o755)
    command_case("of a script it is what runs it", ["-e", "uprobe::main"], ["./script"], "main",
                 1, 1)
    with open("script", "w") as script:
        script.write("#!/usr/bin/env probed_linked\n")
    # It runs without its arguments, and says so.
    command_case("also by env", ["-e", "uprobe::main"], ["./script"], "main", 1, 1, status=2,
                 environment=path)


# ---- libraries that are mapped later ----

def test_late():
    child = subprocess.Popen([workload("probed_late"), LIBRARY, str(N)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    recorder = Recorder("-e", "uprobe:%s:late,value=i" % LIBRARY, "-p", str(child.pid))
    is_ready = recorder.ready()
    printed = child.communicate(b"\n", timeout=SECONDS)[0].decode().strip()
    recorder.end()
    counted_case("a library that the target maps later is probed", recorder, "late_i", SUM, SUM)
    libfault.case("and does what it does without", [] if is_ready and printed ==
                  "late %d" % (SUM + N) else [printed])
    environment = dict(os.environ, LD_LIBRARY_PATH=libfault.WORKLOADS)
    recorder = Recorder("-e", "uprobe:libprobed_late.so:late", "-d", "60", environment=environment)
    recorder.ready()
    for _ in range(3):
        subprocess.run([workload("probed_linked"), "-", str(N)], stdout=subprocess.DEVNULL,
                       timeout=SECONDS, check=True)
    recorder.end(interrupt=True)
    counted_case("a library by its name is probed in processes that start later", recorder, "late",
                 3 * N, 3 * N)
    child = subprocess.Popen([workload("probed_late"), LIBRARY, str(N)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    recorder = Recorder("-e", "uprobe:libprobed_late:late", "-p", str(child.pid),
                        environment=environment)
    recorder.ready()
    child.communicate(b"\n", timeout=SECONDS)
    recorder.end()
    counted_case("so it is in a target that has not mapped it", recorder, "late", N, N)


# ---- functions that are chosen when they are loaded ----

def chosen_case(sentence, program, arguments, file, says):
    """Of a program that waits: it is counted, with a note, where its process tells what it calls."""
    child = subprocess.Popen([workload(program), str(N), *arguments], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    recorder = Recorder("-e", "uprobe:%s:chosen,value=arg1" % file, "-p", str(child.pid))
    is_ready = recorder.ready()
    printed = child.communicate(b"\n", timeout=SECONDS)[0].decode().strip()
    recorder.end()
    said = recorder.said.decode(errors="replace")
    problems = [] if re.search(says, said) else ["does not say %s" % says]
    if printed != "chosen %d" % (SUM + N):
        problems.append(printed)
    if is_ready:
        found = totals()[0]
        if (found.get("chosen"), found.get("chosen_arg1")) != (N, SUM):
            problems.append(str(found))
    libfault.case(sentence, problems, said)


def test_chosen():
    note = r"chosen is an IFUNC: probed is .*\S:chosen_fast"
    chosen_case("a function that is chosen at start is probed where the target calls it",
                "probed_ifunc", [], workload("probed_ifunc"), note)
    chosen_case("so is a library's, which the target has called", "probed_ifunc-linked", ["early"],
                workload("libprobed_ifunc.so"), note)
    chosen_case("it is refused while nobody has called it", "probed_ifunc-linked", [],
                workload("libprobed_ifunc.so"), r"cannot probe chosen.*IFUNC.*no process")


# ---- other roots ----

def make_root(folder):
    """A root folder with a program, its libraries, and links that only in there lead somewhere."""
    os.makedirs(os.path.join(folder, "app"))
    program = workload("probed")
    shutil.copy(program, os.path.join(folder, "app/contained"))
    os.symlink("/app/contained", os.path.join(folder, "contained-link"))
    text = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    for path in re.findall(r"(/\S+)", text):
        target = folder + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.realpath(path), target)


def test_roots():
    folder = os.path.abspath("root")
    make_root(folder)
    # It calls doze() once in a millisecond.
    child = libfault.start(["unshare", "-m", "chroot", folder, "/app/contained", "sleep",
                            "1000000", "1000"])
    target = str(child.pid)
    end = time.monotonic() + SECONDS
    while "contained" not in os.readlink("/proc/%s/exe" % target) and time.monotonic() < end:
        time.sleep(0.05)
    for sentence, event, name in (
            ("a path is in the target's root", "uprobe:/app/contained:doze", "doze"),
            ("a link of that root leads to a file of that root",
             "uprobe:/contained-link:doze,value=us", "doze_us"),
            ("a program of another root is found by its name", "fn:contained:doze", "doze"),
            ("without a file it is the target's own", "uprobe::doze", "doze"),
            ("its library is not ours", "uprobe:libc:usleep", "usleep")):
        recorder = Recorder("-e", event, "-p", target, "-d", "0.5")
        recorder.end()
        counted_case(sentence, recorder, name, 20, 10**6)
    recorder = Recorder("-e", "uprobe:contained:doze", "-d", "0.5")
    recorder.end()
    counted_case("without a target, too, by the name of what runs", recorder, "doze", 20, 10**6)
    other = libfault.start([workload("probed"), "sleep", "1000000", "1000"])
    recorder = Recorder("-e", "uprobe:libc:usleep", "-d", "0.5")
    recorder.end()
    _, profile = totals()
    callers = {}
    for sample in profile.samples:
        name = sample.labels.get("comm")
        callers[name] = callers.get(name, 0) + sample.values["usleep"]
    libfault.case("a library's name means all that are called so, of every root, at once",
                  [] if min(callers.get("contained", 0), callers.get("probed", 0)) >= 20 else
                  [str(callers)], recorder.said.decode(errors="replace"))
    libfault.end(other)
    recorder = Recorder("-e", "uprobe::doze", "-p", target, "-d", "0.5")
    recorder.end()
    _, profile = totals()
    stacks = [sample for sample in profile.samples
              if "run_sleep" in sample.functions]
    libfault.case("and its stacks have their names",
                  [] if stacks else ["%d samples" % len(profile.samples)],
                  recorder.said.decode(errors="replace"))
    libfault.end(child)


# ---- a C library of its own, which no other program runs ----

def test_library():
    """Also where functions begin with what the kernel does not carry out rightly below a probe."""
    folder = os.path.abspath("library-root")
    make_root(folder)
    found = subprocess.run(["find", folder, "-name", "libc.so.6"], stdout=subprocess.PIPE,
                           check=True)
    library = found.stdout.decode().split()[0]
    command = ["chroot", folder, "/app/contained", "args", "300"]
    plain = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    for scheme in ("uprobe", "fn"):
        problems, hits = [], 0
        for glob in ("*str*", "*mem*", "_IO*", "*printf*", "[a-l]*", "[m-z]*"):
            done = subprocess.run([libfault.WICK, "record", "-o", OUT, "--stacks", "none", "-e",
                                   "%s:%s:%s" % (scheme, library, glob), "--", *command],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS,
                                  check=False)
            if done.returncode or done.stdout != plain:
                problems.append("%s: status %d, %r, %s" % (glob, done.returncode, done.stdout,
                                                           done.stderr[-300:]))
            else:
                hits += sum(sample.values.popitem()[1] > 0 for sample in totals()[1].samples)
        libfault.case("a program is what it is when %s: is at hundreds of its C library's functions"
                      % scheme, problems + ([] if hits else ["none was hit"]))


def main():
    libfault.need_root()
    test_commands()
    test_late()
    test_chosen()
    test_roots()
    test_library()
    libfault.finish()


main()
