#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The stacks wick sees are those gdb sees in the stopped process, address by address.

The two innermost frames are left out: they move while the program runs.
"""
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
import time

BUILD = os.environ.get("WICK_BUILD", "build")
WICK = os.environ.get("WICK", BUILD + "/wick")
WORKLOADS = os.environ.get("WICK_WORKLOADS", BUILD + "/tests/workloads")
TMP = os.environ.get("WICK_TMP", "/tmp")
MOVING = 2

PROGRAMS = [
    ("a recursion 40 deep", ["recurse", "60", "40"]),
    ("a recursion 100 deep with frames of 1 KB", ["recurse-1k", "60", "100"]),
    ("a static PIE", ["recurse-static-pie", "60", "30"]),
    ("a stripped program", ["recurse-stripped", "60", "30"]),
    ("a signal handler on an alternate stack", ["altstack", "60"]),
    ("frame pointers", ["recurse-fp", "60", "30"]),
]


def fields(data):
    """The fields of a protobuf message: number, and an int or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size


def packed(value):
    return [value] if isinstance(value, int) else [v for _, v in fields_packed(value)]


def fields_packed(data):
    at = 0
    while at < len(data):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield 0, value


def read_stacks(path):
    """Leaf-first stacks of (file, address) of a pprof file, marks left out."""
    strings, mappings, locations, samples = [], {}, {}, []
    for number, value in fields(gzip.open(path).read()):
        if number == 6:
            strings.append(value.decode())
        elif number == 3:
            m = dict(fields(value))
            mappings[m[1]] = m.get(5, 0)
        elif number == 4:
            m = dict(fields(value))
            locations[m[1]] = (m.get(2, 0), m.get(3, 0))
        elif number == 2:
            samples.append([v for n, f in fields(value) if n == 1 for v in packed(f)])
    stacks = set()
    for sample in samples:
        stack = []
        for location in sample:
            mapping, address = locations[location]
            name = strings[mappings.get(mapping, 0)]
            if name and not name.startswith("[kernel"):
                stack.append((os.path.basename(name), address))
        stacks.add(tuple(stack))
    return stacks


def elf_base(path, start, offset):
    """What to take from an address of this mapping to get its ELF address."""
    text = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True).stdout
    for m in re.finditer(r"^\s*LOAD\s+(0x\w+)\s+(0x\w+)\s+0x\w+\s+(0x\w+)", text, re.M):
        at, address, size = (int(g, 16) for g in m.groups())
        if at & ~4095 <= offset < at + size:
            return start - offset + at - address
    return start - offset


def mappings_of(pid):
    result = []
    with open(f"/proc/{pid}/maps") as f:
        for line in f:
            part = line.split()
            if "x" not in part[1] or len(part) < 6:
                continue
            start, end = (int(x, 16) for x in part[0].split("-"))
            base = start
            if part[5].startswith("/"):
                base = elf_base(part[5], start, int(part[2], 16))
            result.append((start, end, base, os.path.basename(part[5])))
    return result


def gdb_stack(pid):
    """Leaf first, as wick has it: return addresses minus one, exact after a signal."""
    # Without debug files: with them gdb adds frames of inlined and tail calls.
    text = subprocess.run(["gdb", "-nx", "-batch", "-iex",
                           "set debug-file-directory /nonexistent", "-p", str(pid),
                           "-ex", "set backtrace past-main on",
                           "-ex", "p/x $pc", "-ex", "bt"],
                          capture_output=True, text=True, errors="replace").stdout
    maps = mappings_of(pid)
    stack, exact = [], True
    for line in text.splitlines():
        first = re.match(r"\$1 = (0x\w+)", line)
        frame = re.match(r"#\d+\s+(0x\w+) in ", line)
        if "<signal handler called>" in line:
            exact = True
            stack.append(None)
            continue
        if re.match(r"#0 ", line) or not (first or frame):
            continue
        address = int((first or frame).group(1), 16)
        address -= 0 if exact else 1
        exact = False
        for start, end, base, name in maps:
            if start <= address < end:
                stack.append((name, address - base))
    return stack


def same(wick, gdb):
    """None stands for the signal trampoline, which gdb gives no address."""
    if len(wick) != len(gdb):
        return False
    return all(b is None or a == b for a, b in zip(wick[MOVING:], gdb[MOVING:]))


def check(name, command):
    process = subprocess.Popen([os.path.join(WORKLOADS, command[0])] + command[1:],
                               stdout=subprocess.DEVNULL, start_new_session=True)
    path = os.path.join(TMP, "backtrace.pb.gz")
    try:
        time.sleep(0.3)
        subprocess.run([WICK, "record", "-q", "-F", "499", "-d", "1.5", "-p", str(process.pid),
                        "-o", path], check=True)
        stacks = read_stacks(path)
        # Where it is stopped is chance: a leaf called from elsewhere is another depth.
        for _ in range(8):
            gdb = gdb_stack(process.pid)
            if len(gdb) > MOVING + 2 and any(same(s, gdb) for s in stacks):
                print(f"ok - {name}: {len(gdb)} frames")
                return
            time.sleep(0.05)
        print(f"# gdb: {gdb}\n# wick: {max(stacks, key=len, default=None)}")
        print(f"not ok - {name}")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main():
    if os.geteuid() or not shutil.which("gdb"):
        print("needs root and gdb")
        sys.exit(77)
    for name, command in PROGRAMS:
        check(name, command)


main()
