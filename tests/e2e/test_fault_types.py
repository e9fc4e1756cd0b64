#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The process that reads the types of probed files dies, or the files are damaged: probes are there by number.

strace sends it a signal when it takes its N-th request: the third one asks for functions.
"""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402
import libfault_alloc  # noqa: E402
import libpprof  # noqa: E402

OUT = "out.pb.gz"
N = 500
SUM = N * (N - 1) // 2
SECTION = re.compile(r"\] (\.debug_\w+) +PROGBITS +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)")
DEATH = re.compile(r"^wick: (?:warning: )?the debug information of \S+/probed made its reader die: "
                   r"continuing with(?:out arguments| arguments by number)$", re.MULTILINE)


def killed(signal, when):
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=recvmsg", "-e",
            "inject=recvmsg:signal=%s:when=%s" % (signal, when))


def list_functions(path, prefix=(), **options):
    return subprocess.run([*prefix, libfault.WICK, "list", "uprobe:%s:*" % path],
                          capture_output=True, text=True, errors="replace", check=False,
                          timeout=libfault.SECONDS, **options)


def list_problems(done, path, has_arguments=None):
    problems = [] if done.returncode == 0 else ["status %d" % done.returncode]
    found = re.search(r"^uprobe:%s:add_up(\(int a, .*)?$" % re.escape(path), done.stdout,
                      re.MULTILINE)
    if not found:
        problems.append("add_up is not listed")
    elif has_arguments is not None and bool(found.group(1)) != has_arguments:
        problems.append("add_up has %r" % found.group(1))
    return problems


def record(path, option, **options):
    libfault.old_file(OUT)
    return libfault.Run("-e", "uprobe:%s:add_up,%s" % (path, option), "--stats", "-o", OUT, "--",
                        path, "args", str(N), **options)


def sum_problems(run):
    """Of arg1, which is right whatever its type is."""
    problems = libfault.outcome_problems(run, OUT, (0,))
    if problems:
        return problems
    with open(OUT, "rb") as file:
        profile = libpprof.Profile(file.read())
    totals = [sum(sample.values[name] for sample in profile.samples)
              for name in profile.samples[0].values]
    return [] if SUM in totals else ["%r, without %d" % (totals, SUM)]


def test_alive(path):
    done = list_functions(path)
    problems = list_problems(done, path, True)
    if done.stderr:
        problems.append("says something")
    libfault.case("a reader that lives tells all arguments", problems, done.stderr)


def test_killed(path):
    for signal, when in (("SIGSEGV", "3"), ("SIGABRT", "2"), ("SIGKILL", "1+")):
        done = list_functions(path, killed(signal, when))
        problems = list_problems(done, path, False)
        if not DEATH.search(done.stderr):
            problems.append("does not say why there are no arguments")
        libfault.case("a list by a reader that dies of %s at request %s" % (signal, when),
                      problems, done.stderr)
    run = record(path, "value=arg1", prefix=killed("SIGSEGV", "3"))
    problems = sum_problems(run)
    if not DEATH.search(run.said):
        problems.append("does not say why names are not known")
    libfault.case("arguments by number need no reader", problems, run.said)
    run = record(path, "value=a", prefix=killed("SIGSEGV", "3"))
    problems = [] if run.status == 2 else ["status %s" % run.status]
    if not re.search(r"'a'.*; the debug information of \S+/probed made its reader die$", run.said,
                     re.MULTILINE):
        problems.append("does not say why")
    libfault.case("one by name is refused with the reason", problems, run.said)


def test_no_memory(path):
    problems, said = [], ""
    for at, on in ((1, False), (3, False), (20, False), (200, False), (1, True), (50, True)):
        done = list_functions(path, env=libfault_alloc.environment(at, on, where="libdw"))
        found = list_problems(done, path)
        problems += ["%d%s: %s" % (at, " and on" if on else "", problem) for problem in found]
        said = done.stderr if found else said
    libfault.case("libdw gets no memory: the functions are still listed", problems, said)


def debug_bytes(path):
    """Offsets in the file of all bytes of debug information that say what there is."""
    shown = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True)
    sections = {name: (int(offset, 16), int(size, 16))
                for name, offset, size in SECTION.findall(shown.stdout)}
    return [offset + i for name in (".debug_info", ".debug_abbrev", ".debug_str")
            for offset, size in (sections[name],) for i in range(size)]


def test_damaged(path):
    """Its code is whole, so that it runs, and what describes it is not."""
    with open(path, "rb") as file:
        data = file.read()
    places = debug_bytes(path)
    chance = random.Random(1)
    rounds = 200 if os.environ.get("WICK_SWEEP") == "all" else 6
    problems, said, known = [], "", 0
    for number in range(rounds):
        damaged = bytearray(data)
        for _ in range(1 + number % 60):
            damaged[chance.choice(places)] = chance.randrange(256)
        damaged_path = os.path.abspath("damaged")
        with open(damaged_path, "wb") as file:
            file.write(bytes(damaged))
        os.chmod(damaged_path, 0o755)
        done = list_functions(damaged_path)
        known += "add_up(int a" in done.stdout
        found = list_problems(done, damaged_path)
        run = record(damaged_path, "value=arg1:s32")
        found += sum_problems(run)
        problems += ["round %d: %s" % (number, problem) for problem in found]
        said = done.stderr + run.said if found else said
    print("# %d damaged files, of %d the arguments were known" % (rounds, known))
    libfault.case("damaged debug information is no harm", problems, said)


def main():
    libfault.need_root()
    libfault_alloc.build()
    path = os.path.join(libfault.WORKLOADS, "probed")
    test_alive(path)
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0:
        test_killed(path)
        test_no_memory(path)
    else:
        libfault.skip("the reader dies", "strace cannot trace here")
    test_damaged(path)
    libfault.finish()


if __name__ == "__main__":
    main()
