#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Let every fuzz target search for an input that breaks it, two at a time.

    tests/fuzz/search.py [NAME...]

Searches begin at tests/fuzz/corpus/NAME and tests/fuzz/found/NAME and take
FUZZ_SECONDS each (3; then the same random numbers are used each time, so that
a failure can be had again). The programs are those of WICK_BUILD/san. What is
found is left in WICK_BUILD/san/fuzz/NAME: once it is mended, the input belongs
into tests/fuzz/found/NAME. Inputs that reach new code stay in its corpus/, and
a longer run goes on from them.

Prints a case for each target, as tests/run reads it.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEARCHES_AT_ONCE = 2
SHORT_SECONDS = 3
# An input takes milliseconds; far more than a busy machine needs.
INPUT_SECONDS = 30
# Files may make us read sections of 1 GiB in all.
MEMORY_MIB = 2048
STATISTICS = re.compile(r"stat::(\w+):\s+(\d+)")
OUTPUT_LINES = 60


def folders(name):
    return [folder for folder in (os.path.join(TOP, "tests/fuzz", kind, name)
                                  for kind in ("corpus", "found")) if os.path.isdir(folder)]


def search(program, seconds, short):
    """Returns (name, whether nothing was found, output)."""
    name = os.path.basename(program)[len("fuzz_"):]
    work = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(program))), "fuzz", name)
    corpus = os.path.join(work, "corpus")
    os.makedirs(corpus, exist_ok=True)
    command = [program, "-max_total_time=%d" % seconds, "-timeout=%d" % INPUT_SECONDS,
               "-rss_limit_mb=%d" % MEMORY_MIB, "-print_final_stats=1",
               "-artifact_prefix=%s/" % work]
    if short:
        command.append("-seed=1")
    done = subprocess.run(command + [corpus] + folders(name), cwd=work, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return name, done.returncode == 0, done.stdout.decode(errors="replace")


def report(name, fine, output):
    statistics = dict(STATISTICS.findall(output))
    coverage = re.findall(r"cov: (\d+)", output)
    print("%s - %s: nothing found" % ("ok" if fine else "not ok", name))
    print("  %s inputs, coverage %s" % (statistics.get("number_of_executed_units", "no"),
                                        coverage[-1] if coverage else "unknown"))
    if not fine:
        for line in output.splitlines()[-OUTPUT_LINES:]:
            print("  " + line)
    sys.stdout.flush()


def main():
    seconds = float(os.environ.get("FUZZ_SECONDS", SHORT_SECONDS))
    build = os.path.join(TOP, os.environ.get("WICK_BUILD", "build"), "san/tests/fuzz")
    names = sys.argv[1:] or sorted(
        os.path.basename(source)[len("fuzz_"):-len(".c")]
        for source in glob.glob(os.path.join(TOP, "tests/fuzz/fuzz_*.c")))
    print("1..%d" % len(names))
    status = 0
    with concurrent.futures.ThreadPoolExecutor(SEARCHES_AT_ONCE) as pool:
        searches = [pool.submit(search, os.path.join(build, "fuzz_" + name), seconds,
                                seconds <= SHORT_SECONDS) for name in names]
        for one in concurrent.futures.as_completed(searches):
            report(*one.result())
            status |= not one.result()[1]
    return status


if __name__ == "__main__":
    sys.exit(main())
