#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each command of the README's one-liners, while what it asks for happens."""
import os
import pty
import re
import shlex
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402

SECONDS = 90
LASTS = "2"
THROWER = os.path.join(libfault.WORKLOADS, "probed_cxx")

# What a process of -p does, until it is ended.
TARGET = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
while True:
    with open('/etc/hostname') as file:
        file.read()
    with open('synced', 'w') as file:
        file.write('x' * 100)
        file.flush()
        os.fsync(file.fileno())
    subprocess.run(['true', 'word'])
    os.kill(os.getpid(), signal.SIGUSR1)
    bytes(100000)
    time.sleep(0.01)
"""


# ---- what happens beside ----

def throw(stop):
    while not stop.is_set():
        subprocess.run([THROWER, "throw", "300"], stdout=subprocess.DEVNULL, check=False)


def type_into_shell(stop):
    """Whole lines at the prompt of an interactive bash."""
    pid, fd = pty.fork()
    if not pid:
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    reader = threading.Thread(target=read_all, args=(fd,), daemon=True)
    reader.start()
    while not stop.wait(0.1):
        os.write(fd, b"echo typed-words\n")
    os.write(fd, b"exit\n")
    os.waitpid(pid, 0)


def read_all(fd):
    try:
        while os.read(fd, 4096):
            pass
    except OSError:
        pass


def send_again(stop):
    """Connections that are not taken: the kernel asks again each second."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    while not stop.wait(0.1):
        if len(waiting) < 50:
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listener.getsockname())
    for one in waiting + [listener]:
        one.close()


# By the event: what it must say, and what is done for it beside the target's own.
EXPECTED = {
    "trace exec": (r'sched_process_exec .*cmdline="true word"', None),
    "trace open": (r'openat\(AT_FDCWD, "/etc/hostname", O_RDONLY\|O_CLOEXEC\) = \d+ <', None),
    "trace syscall -p": (r"(?s)openat\(.*fsync\(\d+\) = 0 <", None),
    "record -e syscall --stacks": (r"calls +syscall +comm\n", None),
    "trace syscall --histogram": (r"comm python3?\S*: [\d,]+ calls", None),
    "syscall:read,": (r"syscall_ret +calls\n", None),
    "malloc": (r"wrote +malloc.svg", None),
    "alloc*": (r"\d +malloc\n", None),
    "fn:libc:fsync": (r"fsync_time +fsync\n", None),
    "kretprobe:vfs_read": (r"vfs_read_time +vfs_read\n", None),
    "readline": (r'readline = "echo typed-words"', type_into_shell),
    "libstdc++:throw": (r"wrote +throws.svg", throw),
    "tcp_retransmit_skb": (r"tcp:tcp_retransmit_skb .*saddr=127\.0\.0\.1", send_again),
    "trace signal": (r"signal.*SIGUSR1", None),
    "context-switches": (r"wrote +switches.svg", None),
    "wick list": (r"tracepoint:sched:sched_switch\(.*prev_comm", None),
}
# What a kernel without kprobes says.
KERNEL_FUNCTIONS = re.compile(r"kprobe:|kretprobe:")


def commands():
    """The last column of the table, as a shell has it."""
    with open(os.path.join(libfault.TOP, "README.md"), encoding="utf-8") as file:
        text = file.read().split("## Ten one-liners\n")[1].split("\n## ")[0]
    found = []
    for line in text.splitlines():
        if line.startswith("|") and "wick " in line:
            found.append(re.findall(r"`([^`]*wick [^`]*)`", line)[-1])
    return found


def words_of(command, target):
    """As it is typed, but for a moment: PID is @target's."""
    words = [word for word in shlex.split(command) if word != "sudo"]
    words[0] = libfault.WICK
    words = [str(target) if word == "PID" else word for word in words]
    if "-d" in words:
        words[words.index("-d") + 1] = LASTS
    elif words[1] == "trace":
        words += ["-d", LASTS]
    return words


def has_kprobes():
    return os.path.exists("/sys/bus/event_source/devices/kprobe")


def run_case(command, target):
    key = next((key for key in EXPECTED if key in command), None)
    if not key:
        libfault.case(command, ["nothing says what it must show"])
        return
    says, beside = EXPECTED[key]
    stop = threading.Event()
    worker = threading.Thread(target=beside, args=(stop,)) if beside else None
    if worker:
        worker.start()
    done = subprocess.run(words_of(command, target), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                          check=False)
    stop.set()
    if worker:
        worker.join()
    said, status = done.stdout.decode(errors="replace"), 0
    if KERNEL_FUNCTIONS.search(command) and not has_kprobes():
        says, status = r"not.*kprobe|no probes in itself.*instead: ", 3
    problems = []
    if done.returncode != status:
        problems.append("status %d" % done.returncode)
    if not re.search(says, said):
        problems.append("does not say %s" % says)
    if "no samples" in said or "no events" in said:
        problems.append("nothing was taken")
    libfault.case(command, problems, said)


def main():
    libfault.need_root()
    found = commands()
    libfault.case("the README has ten one-liners, and each its check",
                  [] if len(found) >= 10 and len(found) == len(EXPECTED) else
                  ["%d commands, %d checks" % (len(found), len(EXPECTED))])
    target = libfault.start([sys.executable, "-S", "-E", "-c", TARGET])
    time.sleep(0.5)
    for command in found:
        run_case(command, target.pid)
    libfault.finish()


main()
