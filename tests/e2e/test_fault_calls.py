#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wick record while the N-th call of a kind fails: system calls by strace, allocations by a library.

strace counts the calls of each thread for itself. A few of the calls, or all with WICK_SWEEP=all,
which takes half an hour and prints a line for each.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402

ALL = os.environ.get("WICK_SWEEP") == "all"
OUT = "out.pb.gz"
ARGUMENTS = ("-d", "0.2", "-F", "499", "--stats", "-o", OUT)

# What fails, how, and the calls of it that the short sweep takes.
CALLS = (
    ("bpf", ("ENOMEM",), (3, 40, 73, 96)),
    ("perf_event_open", ("EMFILE",), (1, 3)),
    ("mmap", ("ENOMEM",), (60,)),
    ("openat", ("EMFILE",), (30, 90)),
    ("write", ("ENOSPC",), (4, 5)),
    ("rename", ("EACCES",), (1,)),
    ("clone3", ("EAGAIN",), (3,)),
    ("fcntl", ("EMFILE",), (20,)),
    ("pread64", ("EIO",), (10,)),
    ("read", ("EIO",), (100,)),
    ("epoll_ctl", ("ENOSPC",), (2,)),
    ("eventfd2", ("EMFILE",), (1,)),
)
ALLOCATIONS = (60, 300, 1505, 3000)

# Fails allocation FAIL_AT of those that the program itself makes, and with FAIL_ON all from there on.
# What libraries allocate for themselves does not fail: libdw 0.188 does not survive that.
LIBRARY = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
static long at = -1, on, count;
static char *begin, *end;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static void learn(void)
{
	const ElfW(Phdr) *header = (void *)getauxval(AT_PHDR);
	char *base = NULL;
	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
		if (header[i].p_type == PT_PHDR)
			base = (char *)header - header[i].p_vaddr;
		if (header[i].p_type == PT_LOAD && header[i].p_flags & PF_X) {
			begin = base + header[i].p_vaddr;
			end = begin + header[i].p_memsz;
		}
	}
	at = getenv("FAIL_AT") ? atol(getenv("FAIL_AT")) : 0;
	on = !!getenv("FAIL_ON");
}
static int fails(void *caller)
{
	long now;
	if (at < 0)
		learn();
	if ((char *)caller < begin || (char *)caller >= end)
		return 0;
	now = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	if (!at || (on ? now < at : now != at))
		return 0;
	errno = ENOMEM;
	return 1;
}
#define FAILS fails(__builtin_return_address(0))
void *malloc(size_t size) { return FAILS ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return FAILS ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return FAILS ? NULL : __libc_realloc(old, size); }
char *strndup(const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	char *copy = FAILS ? NULL : __libc_malloc(length + 1);
	if (copy)
		*(char *)mempcpy(copy, text, length) = 0;
	return copy;
}
char *strdup(const char *text)
{
	return FAILS ? NULL : strcpy(__libc_malloc(strlen(text) + 1), text);
}
__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("FAIL_COUNT");
	int fd = path ? open(path, O_WRONLY | O_CREAT, 0600) : -1;
	if (fd >= 0)
		dprintf(fd, "%ld", count);
}
"""


def numbers(few, first, last):
    """Of the calls those to make fail: when all, the first 150 and then every seventh."""
    if not ALL:
        return few
    return [n for n in range(first + 1, last + 1) if n <= 150 or n % 7 == 0]


def count_calls(*command):
    """How often each call is made, by the thread that makes the most of them."""
    names = [name for name, _, _ in CALLS]
    subprocess.run(["strace", "-f", "-qq", "-o", "calls", "-e", "trace=" + ",".join(names),
                    *command], capture_output=True, check=False)
    counts = {}
    with open("calls", errors="replace") as file:
        for line in file:
            thread, _, call = line.partition(" ")
            name = call.strip().partition("(")[0]
            counts[name, thread] = counts.get((name, thread), 0) + 1
    return {name: max([n for (other, _), n in counts.items() if other == name] or [0])
            for name in names}


def sweep(name, tries):
    """@tries: a list of (title, options of the run)."""
    problems, said, statuses = [], "", {}
    for title, options in tries:
        libfault.old_file(OUT)
        run = libfault.Run(*ARGUMENTS, **options)
        # 127: the dynamic loader has said so, and wick has not begun.
        found = libfault.outcome_problems(run, OUT, (0, 1, 3, 127))
        statuses[run.status] = statuses.get(run.status, 0) + 1
        problems += ["%s: %s" % (title, problem) for problem in found]
        if found:
            said = run.said
        if ALL:
            first = [line for line in run.said.splitlines() if line.startswith("wick: ")]
            print("# %s: status %d%s; %s" % (title, run.status, " PROBLEM" if found else "",
                                             " | ".join(first[:4])), flush=True)
    print("# %s: %d injected; %s" % (name, len(tries), ", ".join(
        "status %s: %d" % pair for pair in sorted(statuses.items()))))
    libfault.case("%s: ends clearly, whichever call fails" % name, problems, said)


def sweep_calls():
    # Before it begins the dynamic loader does what it does.
    before = count_calls(libfault.WICK, "--version") if ALL else {}
    counts = count_calls(libfault.WICK, "record", *ARGUMENTS) if ALL else {}
    for call, errors, few in CALLS:
        if len(sys.argv) > 1 and call not in sys.argv[1:]:
            continue
        sweep(call, [("%s %s when=%d" % (call, error, n),
                      {"prefix": ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
                                  "-e", "inject=%s:error=%s:when=%d" % (call, error, n))})
                     for error in errors for n in numbers(few, before.get(call, 0),
                                                             counts.get(call, 0))])


def allocation_numbers():
    """Allocations grow with the machine, so here "all" is the first 40 and 400 more."""
    if not ALL:
        return ALLOCATIONS
    libfault.Run(*ARGUMENTS, env=dict(os.environ, LD_PRELOAD="./fail.so", FAIL_COUNT="count"))
    with open("count") as file:
        count = int(file.read())
    return [*range(1, 41), *range(41, count, count // 400 + 1)]


def sweep_allocations():
    if len(sys.argv) > 1 and "malloc" not in sys.argv[1:]:
        return
    with open("fail.c", "w") as file:
        file.write(LIBRARY)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-w", "-o", "fail.so", "fail.c"], check=True)
    tries = []
    for n in allocation_numbers():
        env = dict(os.environ, LD_PRELOAD=os.path.abspath("fail.so"), FAIL_AT=str(n))
        tries.append(("malloc %d" % n, {"env": env}))
        if n % 5 == 0:
            tries.append(("malloc from %d on" % n, {"env": dict(env, FAIL_ON="1")}))
    sweep("malloc", tries)


def main():
    libfault.need_root()
    libfault.start(["sh", "-c", "while :; do :; done"])
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0:
        sweep_calls()
    else:
        libfault.skip("system calls fail", "strace cannot trace here")
    sweep_allocations()
    libfault.finish()


if __name__ == "__main__":
    main()
