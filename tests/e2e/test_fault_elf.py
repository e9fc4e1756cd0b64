#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Files that lie, shrink or are enormous, while a process runs what is mapped from them."""
import os
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402

# dec %rdi; jnz; ret: what odd_code runs.
CODE = bytes((0x48, 0xff, 0xcf, 0x75, 0xfb, 0xc3)).ljust(4096, b"\x90")
TEXT = 0x1000
NAMES = b"\0.text\0.symtab\0.strtab\0"


def elf(sections=(), size=None, **fields):
    """A shared object with one page of code. @sections: (name, type, link, entry size, bytes)."""
    placed, where = [(1, 1, 0, 0, CODE, TEXT)], 2 * TEXT
    for name, kind, link, entry, data in (*sections, (b".text", 3, 0, 0, NAMES)):
        placed.append((NAMES.index(name), kind, link, entry, data, where))
        where += len(data) + 15 & ~15
    table = where
    header = dict(phoff=64, shoff=table, phnum=2, shnum=len(placed) + 1, phentsize=56, shentsize=64,
                  shstrndx=len(placed), offset=TEXT, filesz=4096, memsz=4096, vaddr=TEXT)
    header.update(fields)
    image = bytearray(b"\x7fELF\2\1\1".ljust(16, b"\0"))
    image += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, TEXT, header["phoff"], header["shoff"], 0, 64,
                         header["phentsize"], header["phnum"], header["shentsize"],
                         header["shnum"], header["shstrndx"])
    image += struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, 232, 232, 4096)
    image += struct.pack("<IIQQQQQQ", 1, 5, header["offset"], header["vaddr"], header["vaddr"],
                         header["filesz"], header["memsz"], 4096)
    for _, _, _, _, data, place in placed:
        image = image.ljust(place, b"\0") + data
    image = image.ljust(table, b"\0") + bytes(64)
    for name, kind, link, entry, data, place in placed:
        code = kind == 1
        image += struct.pack("<IIQQQQIIQQ", name, kind, 6 if code else 0, place if code else 0, place,
                             len(data), link, 0, 8, entry)
    return bytes(image)


def with_symbols(count):
    """Names of 10 bytes, all within the page of code."""
    names = b"\0" + b"".join(b"symb%05x\0" % (i & 0xfffff) for i in range(count))
    table = bytearray(24) + b"".join(
        struct.pack("<IBBHQQ", 1 + i * 10, 0x12, 0, 1, TEXT + i % 4096, 1) for i in range(count))
    return elf([(b".symtab", 2, 3, 24, bytes(table)), (b".strtab", 3, 0, 0, names)])


def run_mapped(path, count=1):
    child = subprocess.Popen([os.path.join(libfault.WORKLOADS, "odd_code"), path, str(TEXT),
                              str(count), "120"], stdout=subprocess.PIPE, start_new_session=True)
    libfault.children.append(child)
    return child if child.stdout.readline() == b"mapped\n" else None


def profile(name, path, damage=None, count=1, wanted=None, seconds="0.5"):
    """Maps @path, does @damage to it, profiles who runs it."""
    child = run_mapped(path, count)
    if not child:
        libfault.case(name, ["the workload does not run"])
        return None
    if damage:
        damage(path)
    libfault.old_file("out.pb.gz")
    begin = time.monotonic()
    run = libfault.Run("-d", seconds, "-F", "499", "--stats", "-p", str(child.pid), "-o",
                       "out.pb.gz", "-o", "out.folded")
    libfault.end(child)
    problems = libfault.outcome_problems(run, "out.pb.gz", (0,))
    if run.count("taken") < 20:
        problems.append("%d samples" % run.count("taken"))
    with open("out.folded") as file:
        text = file.read()
    if wanted and wanted not in text:
        problems.append("no %s in %s" % (wanted, text[-200:]))
    print("# %s: %.1f s, %d MiB" % (name, time.monotonic() - begin,
                                    run.peak_mib))
    libfault.case(name, problems, run.said)
    return run


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def shrink(path):
    os.truncate(path, 2 * TEXT)


def scribble(path):
    with open(path, "r+b") as file:
        file.write(os.urandom(TEXT))


LIES = (
    ("segments beyond the end", {"phoff": 1 << 40}),
    ("a segment table that wraps", {"phoff": 2**64 - 32}),
    ("65535 segments", {"phnum": 0xfffe}),
    ("segment headers of no size", {"phentsize": 0}),
    ("sections beyond the end", {"shoff": 1 << 40}),
    ("65000 sections", {"shnum": 65000}),
    ("a name table that is none", {"shstrndx": 0xff00}),
    ("a segment as large as can be", {"filesz": 2**64 - 1, "memsz": 2**64 - 1}),
    ("a segment at the end of memory", {"vaddr": 2**64 - 4096}),
    ("code that no segment maps", {"offset": 0x7000}),
)


def test_lies():
    problems, said = [], ""
    for name, fields in LIES:
        path = write("lie.so", elf(**fields))
        child = run_mapped(path)
        run = libfault.Run("-q", "-d", "0.1", "-F", "499", "-p", str(child.pid), "-o", "lie.pb.gz",
                           "--stats")
        libfault.end(child)
        found = libfault.profile_problems("lie.pb.gz") if run.status == 0 else [
            "status %s" % run.status]
        found += libfault.stats_problems(run)
        problems += ["%s: %s" % (name, problem) for problem in found]
        said = run.said if found else said
        os.unlink(path)
    print("# lying headers: %d files" % len(LIES))
    libfault.case("headers that lie are no harm", problems, said)


def test_damaged_library():
    """Random bytes of a real one are others: sections, symbols, unwind information."""
    source = os.path.join(libfault.WORKLOADS, "libplugin.so")
    with open(source, "rb") as file:
        data = file.read()
    chance = random.Random(1)
    rounds = 100 if os.environ.get("WICK_SWEEP") == "all" else 2
    problems, said = [], ""
    for number in range(rounds):
        damaged = bytearray(data)
        for _ in range(1 + number % 40):
            damaged[chance.randrange(64, len(damaged))] = chance.randrange(256)
        # The code that is run stays: behind the end, which damage may have moved.
        at = len(damaged) + 4095 & ~4095
        path = write("damaged.so", bytes(damaged).ljust(at, b"\0") + CODE)
        child = subprocess.Popen([os.path.join(libfault.WORKLOADS, "odd_code"), path, str(at), "1",
                                  "60"], stdout=subprocess.PIPE, start_new_session=True)
        libfault.children.append(child)
        child.stdout.readline()
        run = libfault.Run("-q", "-d", "0.1", "-F", "499", "-p", str(child.pid), "-o", "dam.pb.gz",
                           "--stats")
        libfault.end(child)
        found = [] if run.status == 0 else ["status %s" % run.status]
        found += libfault.stats_problems(run)
        problems += ["round %d: %s" % (number, problem) for problem in found]
        said = run.said if found else said
        os.unlink(path)
    print("# damaged libraries: %d files" % rounds)
    libfault.case("a library with random damage is no harm", problems, said)


def main():
    libfault.need_root()
    plain = write("plain.so", elf())
    profile("code without symbols has the name of its file", plain, wanted="plain.so")
    profile("a file cut off after it was mapped", write("cut.so", with_symbols(1000)), shrink)
    profile("one whose headers are overwritten", write("random.so", with_symbols(1000)), scribble)
    profile("one that is unlinked", write("gone.so", with_symbols(1000)), os.unlink,
            wanted="symb")
    test_lies()
    test_damaged_library()

    path = write("sparse.so", elf())
    os.truncate(path, 8 << 30)
    profile("a sparse file of 8 GiB", path)
    path = write("sparse2.so", elf(shoff=(8 << 30) - 6400, shnum=100))
    os.truncate(path, 8 << 30)
    profile("one whose sections are at its end", path)
    profile("a file that is no ELF object", write("raw", bytes(TEXT) + CODE))
    # By a child: the peak of what we run begins with the memory that we have ourselves.
    maker = os.fork()
    if not maker:
        write("many.so", with_symbols(3000000))
        os._exit(0)
    os.waitpid(maker, 0)
    run = profile("three million symbols", "many.so", wanted="symb")
    if run:
        libfault.case("in bounded memory",
                      [] if run.peak_mib < 300 else ["%d MiB" % run.peak_mib])
    os.unlink("many.so")
    profile("60,000 executable mappings", plain, count=60000, seconds="2")
    libfault.finish()


if __name__ == "__main__":
    main()
