#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The chains of inlined calls at sampled addresses are those llvm-symbolizer has there.

And those at addresses all over the code of the same programs, by `wick symbolize`. Compared are whole chains: for each call the name in the object file (so that
no two demanglers have to agree), the source file and the line. Taken as equal is

- a name with and without a suffix that compilers give to clones of a function;
- a qualified name and its end: of a function without linkage name llvm-symbolizer
  prints what DWARF calls it, which is without its namespaces;
- any file when there is no line: llvm-symbolizer takes it from the symbol table.

Left out are addresses in libraries (llvm-symbolizer 14 reads the folders of
Debian's debug files as "stdlib/stdlib", and most libraries have none) and PLT
stubs, which wick names "memcpy@plt" and llvm-symbolizer takes for "_init".
"""
import json
import os
import re
import shutil
import subprocess
import sys

from libpprof import read_locations

BUILD = os.environ.get("WICK_BUILD", "build")
WICK = os.path.abspath(os.environ.get("WICK", BUILD + "/wick"))
SOURCES = "tests/workloads/"
TMP = os.environ.get("WICK_TMP", "/tmp")
CLONE = re.compile(r"(\.(isra|constprop|part|cold|lto_priv|llvm)(\.\d+)?)+$")
# What is asked of wick, where it is the program that is sampled: addresses all over itself.
NAMING = "while :; do seq 200000 7 900000 | '%s' symbolize -e '%s' >/dev/null; done" % (WICK, WICK)

# Name, how to build it ("{}" is the program), and how to run it.
PROGRAMS = [
    ("C++ by gcc", ["c++", "-O2", "-g", SOURCES + "cxx_work.cc", "-o", "{}"], ["{}", "30"]),
    ("C++ by clang", ["clang++", "-O3", "-g", SOURCES + "cxx_work.cc", "-o", "{}"], ["{}", "30"]),
    ("Rust", ["rustc", "-g", "-C", "opt-level=2", SOURCES + "rust_work.rs", "-o", "{}"],
     ["{}", "30"]),
    ("C, wick itself", ["cp", WICK, "{}"], ["sh", "-c", NAMING.replace(WICK, "{}")]),
]
SAMPLED_MIN = 60
INLINED_MIN = 20
SPREAD = 4000
SAME_PERCENT = 99.9


def sampled_chains(program, command):
    """The chains of the sampled addresses of @program, by address."""
    profile = os.path.join(TMP, "chains.pb.gz")
    # The command ends by wick's SIGTERM, and none of its own output is wanted.
    subprocess.run([WICK, "record", "-q", "-F", "4999", "-d", "2", "-o", profile, "--"] + command,
                   check=True, stdout=subprocess.DEVNULL)
    return {location.address: [(line.system_name, line.file, line.number)
                               for line in location.lines]
            for location in read_locations(profile)
            if location.file == program and not location.lines[0].name.endswith("@plt")}


def spread_chains(program):
    """Those of addresses all over its code."""
    sections = subprocess.run(["readelf", "-SW", program], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
    start, size = re.search(r" \.text +PROGBITS +(\w+) +\w+ +(\w+)", sections).groups()
    start, end = int(start, 16), int(start, 16) + int(size, 16)
    addresses = ["0x%x" % a for a in range(start, end, max((end - start) // SPREAD, 1))]
    text = subprocess.run([WICK, "symbolize", "-e", program, "--json"] + addresses,
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return {int(answer["address"], 16): [(call["system_name"], call["file"] or "", call["line"])
                                         for call in answer["frames"]]
            for answer in map(json.loads, text.splitlines())}


def llvm_chains(program, addresses):
    text = subprocess.run(["llvm-symbolizer", "--obj=" + program, "--no-demangle", "--inlines",
                           "--output-style=JSON"],
                          input="".join("0x%x\n" % address for address in addresses),
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    chains = {}
    for answer in map(json.loads, filter(None, text.splitlines())):
        chains[int(answer["Address"], 16)] = [
            (call["FunctionName"], call["FileName"], call["Line"]) for call in answer["Symbol"]]
    return chains


def same_call(wick, llvm):
    name, expected = (CLONE.sub("", call[0]) for call in (wick, llvm))
    if name != expected and not name.endswith("::" + expected):
        return False
    if wick[2] != llvm[2]:
        return False
    return not llvm[2] or os.path.normpath(wick[1]) == os.path.normpath(llvm[1])


def same_chain(wick, llvm):
    # Without a name llvm-symbolizer has a call all the same, without anything.
    llvm = [call for call in llvm if call[0]]
    return len(wick) == len(llvm) and all(map(same_call, wick, llvm))


def compare(name, program, wick, least, least_inlined):
    llvm = llvm_chains(program, wick)
    differ = [address for address in wick if not same_chain(wick[address], llvm[address])]
    inlined = sum(len(chain) > 1 for chain in wick.values())
    same = 100 * (1 - len(differ) / max(len(wick), 1))
    for address in differ[:5]:
        print("# 0x%x\n#   wick %s\n#   llvm %s" % (address, wick[address], llvm[address]))
    good = len(wick) >= least and inlined >= least_inlined and same >= SAME_PERCENT
    print("%s - %s: %.2f %% of %d addresses are the same, %d in inlined calls"
          % ("ok" if good else "not ok", name, same, len(wick), inlined), flush=True)


def check(name, build, command):
    program = os.path.join(TMP, re.sub(r"\W+", "-", name))
    subprocess.run([word.replace("{}", program) for word in build], check=True)
    compare(name + ", sampled", program,
            sampled_chains(program, [word.replace("{}", program) for word in command]),
            SAMPLED_MIN, INLINED_MIN)
    compare(name + ", all over", program, spread_chains(program), SPREAD // 2, SPREAD // 4)


def main():
    if os.geteuid() or not shutil.which("llvm-symbolizer"):
        print("needs root and llvm-symbolizer")
        sys.exit(77)
    for name, build, command in PROGRAMS:
        if shutil.which(build[0]):
            check(name, build, command)
        else:
            print("ok - %s # SKIP no %s" % (name, build[0]))


main()
