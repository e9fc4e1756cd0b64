#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program on a file system that answers, and then no longer does."""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def mount_fuse():
    """The server and whether it could mount."""
    os.mkdir("mount")
    server = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "libfault_fuse.py"), os.path.abspath("mount"),
         os.path.join(libfault.WORKLOADS, "recurse-static")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    libfault.children.append(server)
    return server, server.stdout.readline() == b"mounted\n"


def test_answers(program):
    run = libfault.Run("-q", "-d", "1", "-F", "499", "-p", program, "-o", "out.folded")
    with open("out.folded") as file:
        text = file.read()
    libfault.case("a program on a FUSE mount has its names",
                  [] if "recurse_leaf" in text else [text[-300:]], run.said)


def test_hangs(name, *arguments):
    begin = time.monotonic()
    libfault.old_file("out.pb.gz")
    run = libfault.Run("-d", "1", "-F", "499", "--stats", "-o", "out.pb.gz", *arguments)
    seconds = time.monotonic() - begin
    problems = libfault.outcome_problems(run, "out.pb.gz", (0,))
    if not run.has("a file system does not answer: continuing without"):
        problems.append("does not say what it does without")
    if not run.count("taken") or not run.count("counter.modules-unopened"):
        problems.append("nothing is counted")
    print("# %s: ended after %.1f s" % (name, seconds))
    libfault.case(name, problems, run.said)


def mount_overlay():
    for name in ("over", "empty"):
        os.mkdir(name)
    return subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                           "lowerdir=%s:%s" % (os.path.abspath("mount"), os.path.abspath("empty")),
                           "over"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_stuck(name, *arguments):
    libfault.old_file("out.pb.gz")
    run = libfault.Run("-d", "1", "-F", "499", "--stats", "-o", "out.pb.gz", *arguments)
    problems = libfault.outcome_problems(run, "out.pb.gz", (0,))
    if not run.has("a file or process does not answer: continuing without"):
        problems.append("does not say what it does without")
    # Busy machines lose some by other causes.
    if run.count("reported") < 10 * run.count("lost") + 1:
        problems.append("%d reported, %d lost" % (run.count("reported"), run.count("lost")))
    libfault.case(name, problems, run.said)


def test_stuck_names(server, program):
    """It answers while the program is sampled, and no longer when that is named."""
    libfault.old_file("out.pb.gz")
    child = subprocess.Popen([libfault.WICK, "record", "-v", "-p", program, "-d", "2", "-F", "499",
                              "-o", "out.pb.gz"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    libfault.children.append(child)
    said = ""
    while "sampling\n" not in said:
        said += child.stderr.readline() or "sampling\n"
    time.sleep(1)
    server.send_signal(signal.SIGSTOP)
    try:
        said += child.communicate(timeout=libfault.SECONDS)[1]
    except subprocess.TimeoutExpired:
        pass
    problems = [] if child.returncode == 0 else ["status %s" % child.returncode]
    if not re.search("^wick: the symbol table of .*/program keeps its reader busy", said,
                     re.MULTILINE):
        problems.append("does not say what it does without")
    libfault.case("a file that does not answer when it is named", problems or
                  libfault.profile_problems("out.pb.gz"), said)


def test_below_overlay(server):
    """Which is no file system of a server by what it is called, and reading there waits for one."""
    if not mount_overlay():
        libfault.skip("an overlay over a hung file system", "no overlay here")
        return
    try:
        program = libfault.start(["over/program", "300", "200"])
        time.sleep(0.2)
        test_stuck_names(server, str(program.pid))
        server.send_signal(signal.SIGCONT)
        # Stopped, and not silent: a request that it has taken could not even be given up.
        server.send_signal(signal.SIGSTOP)
        test_stuck("a thread waits for a file for ever: its samples are there", "-p",
                   str(program.pid))
        test_stuck("and those of the whole machine")
    finally:
        server.send_signal(signal.SIGCONT)
        libfault.end(program)
        libfault.children.remove(program)
        subprocess.run(["umount", "-l", "over"], check=False)


def test_interrupt(program):
    child = subprocess.Popen([libfault.WICK, "record", "-v", "-p", program, "-o", "int.folded"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    libfault.children.append(child)
    while "sampling" not in (child.stderr.readline() or "sampling"):
        pass
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    try:
        status = child.wait(libfault.SECONDS)
    except subprocess.TimeoutExpired:
        status = None
    libfault.case("Ctrl-C ends it, and it writes",
                  [] if status == 0 and os.path.exists("int.folded") else ["status %s" % status])


def main():
    libfault.need_root()
    server, mounted = mount_fuse()
    if not mounted:
        libfault.skip("a hung FUSE file", "no FUSE here")
        libfault.finish()
    try:
        program = str(libfault.start(["mount/program", "300", "200"]).pid)
        test_answers(program)
        test_below_overlay(server)
        server.send_signal(signal.SIGUSR1)
        test_hangs("its server hangs: the process is profiled without its tables", "-p", program)
        test_hangs("and so is the whole machine")
        test_interrupt(program)
    finally:
        # Who waits for an answer gets an error now.
        libfault.end_all()
        subprocess.run(["umount", "-l", "mount"], check=False)
    libfault.finish()


if __name__ == "__main__":
    main()
