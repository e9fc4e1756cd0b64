#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wick symbolize of a file that kills who reads it: every address has its line, and what is left of names.

As in test_fault_names.py strace sends a signal, and libdw gets no memory.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402
import libfault_alloc  # noqa: E402

# Two questions of 256.
COUNT = 500
DEATH = re.compile(r"^wick: warning: the debug information of cxx_work made its reader die: "
                   r"continuing with its symbols$", re.MULTILINE)
GIVEN_UP = re.compile(r"^wick: warning: the symbol table of cxx_work made its reader die: continuing "
                      r"with its addresses$", re.MULTILINE)


def killed(signal, when):
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=recvmsg", "-e",
            "inject=recvmsg:signal=%s:when=%s" % (signal, when))


class Symbolize:
    def __init__(self, addresses, *arguments, prefix=(), env=None, elf="cxx_work"):
        done = subprocess.run([*prefix, libfault.WICK, "symbolize", "-e", elf, *arguments],
                              input="".join("0x%x\n" % address for address in addresses), env=env,
                              capture_output=True, text=True, timeout=libfault.SECONDS, check=False)
        self.said, self.text = done.stderr, done.stdout
        self.problems = [] if done.returncode == 0 else ["status %d" % done.returncode]
        if not arguments:
            answered = re.findall("^0x([0-9a-f]{16}) ", self.text, re.MULTILINE)
            if [int(digits, 16) for digits in answered] != list(addresses):
                self.problems.append("%d of %d addresses are answered, or others" %
                                     (len(answered), len(addresses)))

    def lines_of(self, addresses):
        """From the line of the first to that of the last."""
        return self.text.partition("0x%016x" % addresses[-1])[0]


def function_addresses():
    """COUNT addresses all over the functions of the program that C++ has a name for."""
    answer = subprocess.run(["nm", "-S", "--defined-only", "cxx_work"], capture_output=True,
                            text=True, check=True).stdout
    found = []
    for words in map(str.split, answer.splitlines()):
        if len(words) == 4 and words[2] in "tTwW" and "shapes" in words[3]:
            found += range(int(words[0], 16), int(words[0], 16) + int(words[1], 16))
    step = max(len(found) // COUNT, 1)
    return [found[i * step % len(found)] for i in range(COUNT)]


def test_alive(addresses):
    run = Symbolize(addresses)
    if run.said:
        run.problems.append("says something")
    if "cxx_work.cc:" not in run.text or "(inlined)" not in run.text:
        run.problems.append("no lines, or no inlined calls")
    libfault.case("a reader that lives names everything", run.problems, run.said)
    return run


def test_one(addresses, whole, signal):
    """At the third request, which is the second question: what was answered before it stays."""
    run = Symbolize(addresses, prefix=killed(signal, "3"))
    if not DEATH.search(run.said) or GIVEN_UP.search(run.said):
        run.problems.append("does not say which file it was")
    if run.lines_of(addresses[:256]) != whole.lines_of(addresses[:256]):
        run.problems.append("other names before it died")
    rest = run.text[len(run.lines_of(addresses[:257])):]
    if "shapes::" not in rest or "??" in rest or "cxx_work.cc" in rest:
        run.problems.append("not the symbols, and nothing else, behind that")
    libfault.case("%s while it reads: the symbols are still there" % signal, run.problems, run.said)


def test_all(addresses):
    run = Symbolize(addresses, prefix=killed("SIGKILL", "1+"))
    if not GIVEN_UP.search(run.said) or DEATH.search(run.said):
        run.problems.append("does not say once what it does without")
    if run.text.count(" ??\n") != COUNT:
        run.problems.append("names from nowhere")
    libfault.case("every reader dies at once: no address has a name", run.problems, run.said)
    run = Symbolize(addresses, "--json", prefix=killed("SIGKILL", "1+"))
    answers = [json.loads(line) for line in run.text.splitlines()]
    if [int(answer["address"], 16) for answer in answers] != addresses or \
            any(answer["frames"] for answer in answers):
        run.problems.append("%d answers" % len(answers))
    libfault.case("nor in JSON", run.problems, run.said)


def test_no_memory(addresses):
    problems, said = [], ""
    for at, on in ((1, False), (3, False), (20, False), (200, False), (1, True), (50, True)):
        run = Symbolize(addresses, env=libfault_alloc.environment(at, on, where="libdw"))
        if "shapes::" not in run.text or "??" in run.text:
            run.problems.append("no names of C++ functions")
        problems += ["%d%s: %s" % (at, " and on" if on else "", problem)
                     for problem in run.problems]
        said = run.said if run.problems else said
    libfault.case("libdw gets no memory: the symbols are still there", problems, said)


def test_waiting(addresses):
    """Who asks may wait for each answer, and write half a line before it."""
    child = subprocess.Popen([libfault.WICK, "symbolize", "-e", "cxx_work", "--json"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    problems, half = [], b""
    for address in addresses[:20]:
        text = b"0x%x" % address
        child.stdin.write(text[len(half):] + b"\n0x")
        half = b"0x"
        answer = json.loads(child.stdout.readline())
        if int(answer["address"], 16) != address or not answer["frames"]:
            problems.append(repr(answer))
    child.stdin.write(b"1")
    child.stdin.close()
    rest = child.stdout.read()
    if json.loads(rest)["address"] != "0x1" or child.wait() != 0:
        problems.append("the last line: %r" % rest)
    libfault.case("each address is answered before the next comes, and one that no line ends",
                  problems)


def test_terminal(addresses):
    name = b"./p\033[31mr\n"
    os.link("cxx_work", name)
    run = Symbolize(addresses, prefix=killed("SIGKILL", "1+"), elf=name)
    if "/p?[31mr? made its reader die" not in run.said or "\033" in run.said:
        run.problems.append("the name reaches the terminal, or is not said")
    libfault.case("a name with control characters is said without them", run.problems, run.said)


def main():
    os.chdir(tempfile.mkdtemp(dir=os.environ.get("WICK_TMP")))
    libfault_alloc.build()
    source = os.path.join(libfault.TOP, "tests/workloads/cxx_work.cc")
    subprocess.run(["c++", "-O2", "-g", source, "-o", "cxx_work"], check=True)
    addresses = function_addresses()
    whole = test_alive(addresses)
    test_waiting(addresses)
    test_no_memory(addresses)
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0:
        test_one(addresses, whole, "SIGSEGV")
        test_one(addresses, whole, "SIGABRT")
        test_all(addresses)
        test_terminal(addresses)
    else:
        libfault.skip("the reader dies", "strace cannot trace here")
    libfault.finish()


if __name__ == "__main__":
    main()
