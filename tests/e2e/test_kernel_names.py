#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A BPF program that is loaded while wick samples is named in kernel stacks.

It is loaded and run by this test itself, over and over, by BPF_PROG_TEST_RUN.
"""
import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys
import time

BUILD = os.environ.get("WICK_BUILD", "build")
WICK = os.environ.get("WICK", BUILD + "/wick")
TMP = os.environ.get("WICK_TMP", "/tmp")
SYS_BPF = 321
BPF_PROG_LOAD, BPF_PROG_TEST_RUN = 5, 10
SOCKET_FILTER = 1
NAME = b"wick_late"
REPEAT = 200000

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    attr = ctypes.create_string_buffer(attr.ljust(128, b"\0"))
    result = libc.syscall(SYS_BPF, command, attr, len(attr))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def load():
    """A program that adds for some time and returns 0; a descriptor of it."""
    instructions = struct.pack("<BBhi", 0xb7, 0, 0, 0)		# r0 = 0
    instructions += 2000 * struct.pack("<BBhi", 0x07, 0, 0, 3)	# r0 += 3
    instructions += struct.pack("<BBhi", 0xb7, 0, 0, 0)
    instructions += struct.pack("<BBhi", 0x95, 0, 0, 0)		# exit
    code = ctypes.create_string_buffer(instructions)
    license_text = ctypes.create_string_buffer(b"GPL")
    return bpf(BPF_PROG_LOAD, struct.pack("<IIQQIIQII16s", SOCKET_FILTER,
                                          len(instructions) // 8, ctypes.addressof(code),
                                          ctypes.addressof(license_text), 0, 0, 0, 0, 0, NAME))


def run(program):
    packet = ctypes.create_string_buffer(64)
    bpf(BPF_PROG_TEST_RUN, struct.pack("<IIIIQQII", program, 0, 64, 0, ctypes.addressof(packet),
                                       0, REPEAT, 0))


def work(seconds):
    """What is profiled: idle until wick samples, then in the program, which stays loaded."""
    time.sleep(1)
    program = load()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run(program)


def main():
    if os.geteuid() or platform.machine() != "x86_64":
        print("needs root, on x86-64")
        sys.exit(77)
    try:
        os.close(load())
    except OSError as error:
        print("cannot load a BPF program: %s" % error)
        sys.exit(77)
    child = os.fork()
    if not child:
        work(120)
        os._exit(0)
    path = os.path.join(TMP, "kernel.folded")
    try:
        subprocess.run([WICK, "record", "-q", "-F", "499", "-d", "4", "-p", str(child), "-o", path],
                       check=True)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    named = wrong = 0
    with open(path) as file:
        for line in file:
            stack, count = line.rsplit(" ", 1)
            leaf = stack.split(";")[-1]
            if leaf.endswith(NAME.decode()):
                named += int(count)
            elif leaf.startswith(("bpf_prog_", "0xffff")):
                wrong += int(count)
    good = named > 20 and wrong <= named / 20
    print("%s - a BPF program that was loaded while sampling is named: %d samples, %d wrong"
          % ("ok" if good else "not ok", named, wrong))


main()
