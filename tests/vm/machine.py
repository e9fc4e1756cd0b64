# SPDX-License-Identifier: BSD-2-Clause
"""A virtual machine: QEMU without acceleration, a kernel, and an initramfs of a few programs.

The guest's first process is a script. What it writes to the second serial port, a
tar.gz, is what comes back; the first one is the console.
"""
import glob
import io
import os
import re
import shutil
import subprocess
import tarfile

FOLDERS = ("bin", "dev", "proc", "sys", "tmp", "root", "etc")
QEMU = "qemu-system-x86_64"
# no_timer_check: old kernels panic when a busy host delays the emulated timer during boot.
COMMAND_LINE = "console=ttyS0 no_timer_check quiet panic=-1 rdinit=/init"
# Five-level page tables make emulated walks slower still.
PROCESSOR = "max,la57=off"
BOOTS_MOST = 3


class Failed(Exception):
    """The machine gave no result."""


def missing():
    """What is not installed here, or None."""
    for tool in (QEMU, "busybox", "cpio"):
        if not shutil.which(tool):
            return tool
    return None


def libraries(program):
    """The shared libraries a program needs, none for a static one."""
    answer = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return re.findall(rb"(/[^ ]*) \(0x", answer.stdout)


def copy(source, root, target):
    place = os.path.join(root, target.lstrip("/"))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    shutil.copy(source, place)


def build_initramfs(path, root, init, programs, objects):
    """Pack @programs into /bin, @objects into /objects and the script @init."""
    for folder in FOLDERS:
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    copy(shutil.which("busybox"), root, "bin/busybox")
    copy(init, root, "init")
    with open(os.path.join(root, "etc/passwd"), "w") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\n")
    for program in programs:
        copy(program, root, "bin/" + os.path.basename(program))
        for library in libraries(program):
            copy(library.decode(), root, library.decode())
    for pattern in objects:
        for file in glob.glob(pattern):
            copy(file, root, "objects/" + os.path.basename(file))
    with open(path, "wb") as file:
        subprocess.run("find . | cpio -o -H newc -R 0:0 --quiet", shell=True, cwd=root, check=True,
                       stdout=file)


def boot(kernel, initramfs, folder, seconds):
    """Run the machine to its end. Returns a dict of what the guest left: name to text, or bytes
    where it is compressed.

    A kernel that dies before its first process is emulation's fault, seen now and then: again.
    """
    for _ in range(BOOTS_MOST - 1):
        try:
            return boot_once(kernel, initramfs, folder, seconds)
        except Failed:
            if "guest begins" in tail(os.path.join(folder, "console.log"), 10000):
                raise
    return boot_once(kernel, initramfs, folder, seconds)


def boot_once(kernel, initramfs, folder, seconds):
    os.makedirs(folder, exist_ok=True)
    console, result = (os.path.join(folder, name) for name in ("console.log", "result.tgz"))
    command = ["nice", QEMU, "-machine", "q35", "-cpu", PROCESSOR, "-accel", "tcg", "-smp", "2",
               "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-serial", "file:" + console, "-serial", "file:" + result,
               "-kernel", kernel, "-initrd", initramfs, "-append", COMMAND_LINE]
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failed("no end after %d s\n%s" % (seconds, tail(console)))
    try:
        return unpack(result)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise Failed("no result: %s\n%s%s" % (error, answer.stdout.decode(errors="replace"),
                                              tail(console)))


def unpack(path):
    with open(path, "rb") as file:
        data = io.BytesIO(file.read())
    with tarfile.open(fileobj=data, mode="r:gz") as archive:
        files = {os.path.basename(member.name): archive.extractfile(member).read()
                 for member in archive if member.isfile()}
    return {name: content if name.endswith(".gz") else content.decode(errors="replace")
            for name, content in files.items()}


def tail(path, lines=25):
    with open(path, errors="replace") as file:
        return "".join(file.readlines()[-lines:])
