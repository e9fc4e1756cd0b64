# SPDX-License-Identifier: BSD-2-Clause
"""Naming the same addresses of a program, functions, inlined calls and lines, by several tools."""
import os
import random
import shutil
import subprocess

import observed
from table import Failed

COUNT = 4000
MOST_BYTES = 1 << 16


def function_addresses(path):
    """COUNT addresses inside functions, the same in each run."""
    answer = subprocess.run(["nm", "-S", "--defined-only", path], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True)
    ranges = [(int(words[0], 16), min(int(words[1], 16), MOST_BYTES))
              for words in map(str.split, answer.stdout.splitlines())
              if len(words) >= 4 and words[2] in "tTwW" and int(words[1], 16)]
    chance = random.Random(1)
    chosen = chance.choices(ranges, weights=[size for _, size in ranges], k=COUNT)
    return [start + chance.randrange(size) for start, size in chosen]


def run(table, build, folder, quick):
    tools = {
        "wick symbolize": [build + "/wick", "symbolize", "-e"],
        "llvm-symbolizer": ["llvm-symbolizer", "--inlines", "-e"],
        "addr2line": ["addr2line", "-f", "-i", "-C", "-e"],
        "eu-addr2line": ["eu-addr2line", "-f", "-i", "-C", "-e"],
    }
    table.begin("naming of %d addresses" % COUNT, ["us/address", "MiB", "x wick"])
    cxx = folder + "/cxx_work"
    subprocess.run(["c++", "-O2", "-g", "tests/workloads/cxx_work.cc", "-o", cxx], check=True)
    for name, path in (("C", build + "/wick"), ("C++", cxx),
                       ("Go", build + "/tests/workloads/go_work")):
        if os.path.exists(path):
            compare(table, tools, name, path, build, folder)


def compare(table, tools, name, path, build, folder):
    asked = folder + "/addresses"
    with open(asked, "w") as file:
        file.writelines("0x%x\n" % address for address in function_addresses(path))
    first = None
    for tool, command in tools.items():
        label = "%s, %s" % (tool, name)
        if not shutil.which(command[0]):
            table.failed(label, "not installed")
            continue
        try:
            with open(asked) as file:
                cpu, mib = observed.run(command + [path], build, folder, stdin=file)
        except Failed as error:
            table.failed(label, error)
            continue
        first = first or cpu
        table.row(label, cpu / COUNT * 1e6, mib, cpu / first)
