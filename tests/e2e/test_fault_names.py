#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The process that reads files for names dies, at one file or at each: the profile is whole.

strace sends it a signal when it takes its N-th file, and libdw, which does not survive that, gets no
memory.
"""
import gzip
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402
import libfault_alloc  # noqa: E402

OUT = "out.pb.gz"
ARGUMENTS = ("-d", "0.5", "-F", "499", "--stats", "-o", OUT)
DEATH = re.compile(r"^wick: the debug information of (\S+) made its reader die: continuing with its "
                   r"symbols$", re.MULTILINE)
GIVEN_UP = re.compile(r"^wick: the symbol table of (\S+) made its reader die: continuing with its "
                      r"addresses$", re.MULTILINE)


def record(target, **options):
    libfault.old_file(OUT)
    run = libfault.Run("-p", target, *ARGUMENTS, **options)
    return run, libfault.outcome_problems(run, OUT, (0,))


def functions():
    report = subprocess.run([libfault.WICK, "report", "-n", "1000", OUT], capture_output=True,
                            text=True, check=False)
    return report.stdout


def killed(signal, when):
    """Behind this the process gets @signal when it receives that of its requests."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=recvmsg", "-e",
            "inject=recvmsg:signal=%s:when=%s" % (signal, when))


def test_alive(target):
    run, problems = record(target)
    if DEATH.search(run.said):
        problems.append("its reader died")
    # Which only debug information knows.
    with gzip.open(OUT) as file:
        if b"cxx_work.cc" not in file.read():
            problems.append("no source files")
    libfault.case("a reader that lives names everything", problems, run.said)


def test_one(target, signal):
    """Each at the fourth request: a file is opened and asked, and of the next one only symbols are."""
    run, problems = record(target, prefix=killed(signal, "4"))
    if not DEATH.search(run.said):
        problems.append("does not say which file it was")
    if "shapes::" not in functions():
        problems.append("no names of C++ functions")
    libfault.case("%s while it reads: the symbols are still there" % signal, problems, run.said)


def test_all(target):
    run, problems = record(target, prefix=killed("SIGKILL", "1+"))
    if not GIVEN_UP.search(run.said):
        problems.append("does not say what it does without")
    if "cxx_work+0x" not in functions():
        problems.append("no addresses in place of names")
    libfault.case("every reader dies at once: addresses are left", problems, run.said)


def test_no_memory(target):
    problems, said = [], ""
    for at, on in ((1, False), (3, False), (20, False), (200, False), (1, True), (50, True)):
        run, found = record(target, env=libfault_alloc.environment(at, on, where="libdw"))
        if "shapes::" not in functions():
            found.append("no names of C++ functions")
        problems += ["%d%s: %s" % (at, " and on" if on else "", problem) for problem in found]
        said = run.said if found else said
    libfault.case("libdw gets no memory: the symbols are still there", problems, said)


def test_terminal():
    """The file that kills its readers has a name that would paint the terminal."""
    name = b"./p\033[31mr\n"
    os.rename("cxx_work", name)
    target = str(libfault.start([name, "300"]).pid)
    run, problems = record(target, prefix=killed("SIGKILL", "1+"))
    if "/p?[31mr? made its reader die" not in run.said:
        problems.append("does not say which file it was")
    if "\033" in run.said:
        problems.append("the name reaches the terminal")
    libfault.case("a name with control characters is said without them", problems, run.said)


def main():
    libfault.need_root()
    libfault_alloc.build()
    source = os.path.join(libfault.TOP, "tests/workloads/cxx_work.cc")
    subprocess.run(["c++", "-O2", "-g", source, "-o", "cxx_work"], check=True)
    target = str(libfault.start(["./cxx_work", "300"]).pid)
    test_alive(target)
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0:
        test_one(target, "SIGSEGV")
        test_one(target, "SIGABRT")
        test_all(target)
        test_no_memory(target)
        test_terminal()
    else:
        libfault.skip("the reader dies", "strace cannot trace here")
    libfault.finish()


if __name__ == "__main__":
    main()
