# SPDX-License-Identifier: BSD-2-Clause
"""A file system in user space with one file, "program", that stops answering when told to.

    libfault_fuse.py FOLDER PROGRAM

mounts on FOLDER and answers until SIGUSR1. From then on it takes requests without ever answering
them: who waits for one cannot even be killed until this process has ended.
"""
import ctypes
import os
import signal
import stat
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, INIT = 1, 2, 3, 14, 15, 17, 18, 26
ROOT, PROGRAM = 1, 2
KEEP_CACHE = 2
ENOENT, ENOSYS = 2, 38
hung = False


def attributes(node, size):
    mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o755
    return struct.pack("<QQQQQQIIIIIIIIII", node, size, 0, 1, 1, 1, 0, 0, 0, mode, 1, 0, 0, 0,
                       4096, 0)


class Program:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()

    def answer(self, opcode, node, body):
        """(error, bytes), or None for what has no answer."""
        if opcode == INIT:
            return 0, struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 65536, 1, 16, 0, 0)
        if opcode == LOOKUP:
            if body.rstrip(b"\0") != b"program":
                return -ENOENT, b""
            # Valid for no time at all: each use of the name asks again.
            return 0, struct.pack("<QQQQII", PROGRAM, 1, 0, 0, 0, 0) + attributes(PROGRAM,
                                                                                  len(self.data))
        if opcode == GETATTR:
            return 0, struct.pack("<QII", 0, 0, 0) + attributes(node, len(self.data))
        if opcode == OPEN:
            return 0, struct.pack("<QII", 1, KEEP_CACHE, 0)
        if opcode == STATFS:
            return 0, struct.pack("<QQQQQIIII24x", 1000, 0, 0, 2, 0, 4096, 255, 4096, 0)
        if opcode == READ:
            offset, size = struct.unpack_from("<QI", body, 8)
            return 0, self.data[offset:offset + size]
        if opcode == RELEASE:
            return 0, b""
        return None if opcode == FORGET else (-ENOSYS, b"")


def mount(fd, folder):
    libc = ctypes.CDLL(None, use_errno=True)
    options = "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % fd
    if libc.mount(b"wick-fault", folder.encode(), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), "mount")


def stop_answering(*_):
    global hung
    hung = True


def serve(fd, program):
    while True:
        request = os.read(fd, 1 << 20)
        if hung:
            continue
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        answer = program.answer(opcode, node, request[40:])
        if answer:
            error, data = answer
            os.write(fd, struct.pack("<IiQ", 16 + len(data), error, unique) + data)


def main():
    signal.signal(signal.SIGUSR1, stop_answering)
    program = Program(sys.argv[2])
    fd = os.open("/dev/fuse", os.O_RDWR)
    mount(fd, sys.argv[1])
    print("mounted", flush=True)
    serve(fd, program)


if __name__ == "__main__":
    main()
