#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wick on a terminal: the progress line, Ctrl-C, what it must not get, and how long its lines are."""
import fcntl
import os
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WICK = os.environ.get("WICK", os.path.join(TOP, "build/wick"))
SECONDS = 30
COLUMNS = 70


class Terminal:
    """A run of wick that has a terminal of its own."""

    def __init__(self, *arguments, command="record", **files):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self.text = ""
        files = {name: files.get(name, slave) for name in ("stdin", "stdout", "stderr")}
        self.child = subprocess.Popen(
            [WICK, command, *arguments], start_new_session=True, close_fds=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
            env=dict(os.environ, TERM="xterm"), **files)
        os.close(slave)

    def read(self, seconds):
        """Adds what is written within that time to .text; false at the end."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self.master, 4096)
        except OSError:  # EIO: nobody has it open any more
            return False
        self.text += part.decode(errors="replace")
        return bool(part)

    def read_until(self, text):
        end = time.monotonic() + SECONDS
        while text not in self.text and time.monotonic() < end and self.read(0.1):
            pass
        return text in self.text

    def interrupt(self):
        os.write(self.master, b"\x03")

    def end(self):
        """Returns the exit status."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and self.read(0.1):
            pass
        try:
            return self.child.wait(1)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()
        finally:
            os.close(self.master)


failed = False


def check(name, condition, terminal=None):
    global failed
    print("%s - %s" % ("ok" if condition else "not ok", name), flush=True)
    if not condition:
        failed = True
        print("  %r" % (terminal.text if terminal else ""))


def test_progress():
    run = Terminal("-d", "1.2", "-o", "progress.folded")
    status = run.end()
    check("a terminal gets a progress line", "\r\x1b[K0 s  " in run.text, run)
    check("which is refreshed in place", run.text.count("\r\x1b[K") >= 4, run)
    last = run.text.split("\x1b[K")[-1]
    check("and gone at the end",
          status == 0 and "finishing" not in last and "samples  " in last, run)

    # An idle machine gives no samples, and a warning even with -q.
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as busy:
        run = Terminal("-d", "1", "-q", "-o", "progress.folded")
        check("quiet has none", run.end() == 0 and run.text == "", run)
        busy.kill()
    run = Terminal("-o", "progress.folded", "--", "sleep", "1")
    check("nor has a command, which may write there itself",
          run.end() == 0 and "\x1b" not in run.text, run)
    with open("messages", "wb") as file:
        run = Terminal("-d", "1", "-o", "progress.folded", stderr=file)
        run.end()
    with open("messages", "rb") as file:
        check("nor has a standard error that is a file", b"\x1b" not in file.read(), run)


def test_output():
    run = Terminal("-d", "1", "-o", "-", "--format", "pprof")
    check("pprof is refused to a terminal", run.end() == 2 and "not for a terminal" in run.text, run)
    run = Terminal("-q", "-a", "-o", "-", "--", "sh", "-c",
                   "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
    status = run.end()
    lines = [line for line in run.text.splitlines() if line]
    check("standard output on a terminal gets folded stacks",
          status == 0 and lines and all(line.split()[-1].isdigit() for line in lines), run)


def test_interrupt():
    run = Terminal("-o", "interrupt.folded")
    run.read_until(" samples ")
    run.interrupt()
    status = run.end()
    check("Ctrl-C finishes and writes", status == 0 and os.path.exists("interrupt.folded"), run)

    run = Terminal("-v", "-o", "survivor.folded", "--", "sh", "-c",
                   "trap '' INT; trap 'exit 9' TERM; echo up; sleep 2; exit 4")
    run.read_until("up")
    run.interrupt()
    check("a command may outlive Ctrl-C, and has its own status", run.end() == 4, run)
    check("and is waited for", "waiting for sh" in run.text, run)

    run = Terminal("-v", "-o", "twice.folded", "--", "sh", "-c", "trap '' INT; echo up; sleep 20")
    run.read_until("up")
    run.interrupt()
    run.read_until("waiting for sh")
    run.interrupt()
    check("a second Ctrl-C does not wait", run.end() == 130, run)


def test_report():
    with open("long.folded", "w", encoding="utf-8") as file:
        file.write("sh;%s;short 1\n" % ("\u00e9" * 200))
    run = Terminal("long.folded", command="report")
    status = run.end()
    lines = run.text.splitlines()
    check("a report's lines are cut at the width of the terminal",
          status == 0 and max(map(len, lines)) == COLUMNS and
          any(line.endswith("\u00e9\u2026") for line in lines) and
          any(line.endswith("  short") for line in lines), run)


def main():
    if os.geteuid() != 0:
        print("sampling needs root")
        return 77
    os.chdir(os.environ.get("WICK_TMP") or tempfile.mkdtemp())
    test_progress()
    test_output()
    test_interrupt()
    test_report()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
