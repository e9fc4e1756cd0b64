#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Too little of everything: descriptors, memory, disk; and wick killed at any moment."""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402

ALL = os.environ.get("WICK_SWEEP") == "all"
OUT = "out.pb.gz"
ARGUMENTS = ("-d", "0.2", "-F", "499", "--stats", "-o", OUT)
KILLED = -signal.SIGKILL


def sweep(name, tries, statuses=(0, 1, 3)):
    """@tries: a list of (title, words before wick, other options of the run)."""
    problems, said, seen = [], "", {}
    for title, prefix, options in tries:
        libfault.old_file(OUT)
        run = libfault.Run(*ARGUMENTS, prefix=prefix, **options)
        found = libfault.outcome_problems(run, OUT, statuses)
        problems += ["%s: %s" % (title, problem) for problem in found]
        said = run.said if found else said
        seen[run.status] = seen.get(run.status, 0) + 1
        if ALL:
            first = [line for line in run.said.splitlines() if line.startswith("wick: ")]
            print("# %s: status %s; %s" % (title, run.status, " | ".join(first[:4])), flush=True)
    print("# %s: %d runs; %s" % (name, len(tries), ", ".join(
        "status %s: %d" % pair for pair in sorted(seen.items()))))
    libfault.case(name, problems, said)


def test_rlimits():
    files = range(8, 130, 4) if ALL else (40, 100)
    sweep("few descriptors", [("%d files" % n, ("prlimit", "--nofile=%d:%d" % (n, n)), {})
                              for n in files])
    # Below 20 MiB the dynamic loader has no room for the libraries.
    sizes = range(24, 400, 12) if ALL else (60, 200)
    sweep("little address space", [("%d MiB" % n, ("prlimit", "--as=%d" % (n << 20)), {})
                                   for n in sizes], (0, 1, 3, 127))


def group_make(mib):
    """The path of a cgroup with a limit, v1 or v2; None where none can be made."""
    for folder, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                          ("/sys/fs/cgroup", "memory.max")):
        path = os.path.join(folder, "wick-fault-%d" % os.getpid())
        try:
            os.mkdir(path)
            with open(os.path.join(path, limit), "w") as file:
                file.write(str(mib << 20))
            return path
        except OSError:
            group_remove(path)
    return None


def group_remove(path):
    """As soon as the last process in it is gone."""
    for _ in range(50):
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.1)


def test_cgroup():
    """Too little memory may be the end of it, by the kernel's hand; the file is whole even then."""
    problems, said, seen = [], "", {}
    for mib in range(4, 100, 4) if ALL else (8, 64):
        group = group_make(mib)
        if not group:
            libfault.skip("little memory in a cgroup", "no memory cgroups")
            return
        libfault.old_file(OUT)
        run = libfault.Run(*ARGUMENTS, prefix=(
            "sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', group))
        group_remove(group)
        if run.status == KILLED and not run.timed_out:
            found = killed_problems(OUT)
        else:
            found = libfault.outcome_problems(run, OUT)
        problems += ["%d MiB: %s" % (mib, problem) for problem in found]
        seen[run.status] = seen.get(run.status, 0) + 1
        said = run.said if found else said
        if ALL:
            print("# %d MiB: status %s, peak %d MiB; %s" % (mib, run.status, run.peak_mib,
                                                            run.said[:200].splitlines()))
    print("# cgroup: %s" % seen)
    libfault.case("little memory in a cgroup", problems, said)


def killed_problems(path):
    """After SIGKILL the file is the old one or a whole new one, and at most one other is left."""
    problems = []
    with open(path, "rb") as file:
        if file.read() != libfault.OLD:
            problems += libfault.profile_problems(path)
    left = [name for name in os.listdir(".") if name.startswith(".wick-")]
    if len(left) > 1:
        problems.append("left behind: %s" % left)
    for name in left:
        os.unlink(name)
    return problems


def test_full_disk():
    os.mkdir("small")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", "small"],
                      check=False).returncode:
        libfault.skip("a full disk", "cannot mount")
        return
    try:
        libfault.old_file("small/out.folded")
        with open("small/filler", "wb") as file:
            file.write(bytes(52 << 10))
        run = libfault.Run("-d", "0.5", "-F", "999", "-o", "small/out.folded")
        with open("small/out.folded", "rb") as file:
            problems = [] if file.read() in (libfault.OLD,) or run.status == 0 else ["another file"]
        # One page is free: the first is written, more is not.
        if run.status != 1 or not run.has("cannot write: small/out.folded: No space left"):
            problems.append("status %s" % run.status)
        if sorted(os.listdir("small")) != ["filler", "out.folded"]:
            problems.append("left behind: %s" % os.listdir("small"))
        libfault.case("a full disk is an error, and the old file stays", problems, run.said)
    finally:
        subprocess.run(["umount", "small"], check=False)


def test_temporary_folder():
    libfault.old_file(OUT)
    run = libfault.Run(*ARGUMENTS, env=dict(os.environ, TMPDIR="/nonexistent", HOME="/nonexistent"))
    libfault.case("no folder for temporary files is needed",
                  libfault.outcome_problems(run, OUT, (0,)), run.said)


def programs_of(pid):
    """Numbers of the BPF programs that @pid holds."""
    found = set()
    for name in os.listdir("/proc/%d/fdinfo" % pid):
        try:
            with open("/proc/%d/fdinfo/%s" % (pid, name)) as file:
                found.update(re.findall(r"^prog_id:\s*(\d+)", file.read(), re.MULTILINE))
        except OSError:
            pass
    return found


def test_kill_sampling():
    child = subprocess.Popen([libfault.WICK, "record", "-v", "-o", OUT], stderr=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, text=True, start_new_session=True)
    libfault.children.append(child)
    while "sampling\n" not in (child.stderr.readline() or "sampling\n"):
        pass
    time.sleep(0.3)
    programs = programs_of(child.pid)
    libfault.end(child)
    left = programs
    # The kernel frees them after a grace period.
    for _ in range(100):
        left = {number for number in left if not subprocess.run(
            ["bpftool", "prog", "show", "id", number], capture_output=True, check=False).returncode}
        if not left:
            break
        time.sleep(0.2)
    libfault.case("killed while it samples: nothing stays attached",
                  [] if len(programs) >= 2 and not left else ["%s of %s" % (left, programs)])


def test_kill_writing():
    """At the entry of each call that has to do with the file."""
    tries = [("write", n) for n in range(1, 10)] + [("rename", 1), ("close", 300), ("fchmod", 1)]
    problems = []
    seen = {}
    for call, n in tries if ALL else tries[4:5] + tries[-3:-2]:
        libfault.old_file(OUT)
        run = libfault.Run(*ARGUMENTS, prefix=(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
            "inject=%s:signal=SIGKILL:when=%d" % (call, n)))
        if run.timed_out:
            problems.append("%s %d: did not end" % (call, n))
        seen[run.status] = seen.get(run.status, 0) + 1
        problems += ["%s %d: %s" % (call, n, problem) for problem in killed_problems(OUT)]
    print("# killed at a call: %s" % seen)
    libfault.case("killed while it writes: the file is the old one or a whole one", problems)


def main():
    libfault.need_root()
    libfault.start(["sh", "-c", "while :; do :; done"])
    test_rlimits()
    test_cgroup()
    test_full_disk()
    test_temporary_folder()
    test_kill_sampling()
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0:
        test_kill_writing()
    else:
        libfault.skip("killed while it writes", "strace cannot trace here")
    libfault.finish()


if __name__ == "__main__":
    main()
