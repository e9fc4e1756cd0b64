#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Probes in programs: known functions, called a known number of times with known arguments.

Every count and sum is exact, and the program's own answer is what it is without a probe.
"""
import collections
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libfault  # noqa: E402
import libpprof  # noqa: E402

OUT = "out.pb.gz"
SECONDS = 60
# i = 0 … N - 1 are the arguments.
N = 500
SUM = N * (N - 1) // 2
EVEN = N // 2


def program(name):
    return os.path.join(libfault.WORKLOADS, name)


def has(name):
    return os.path.exists(program(name))


class Run:
    """wick record of @events over a command: its profile, what it said, and what the command did."""

    def __init__(self, events, *command):
        if os.path.exists(OUT):
            os.unlink(OUT)
        words = [libfault.WICK, "record", "-o", OUT, "--stats"]
        for event in events:
            words += ["-e", event]
        done = subprocess.run(words + ["--", program(command[0]), *map(str, command[1:])],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
        self.status = done.returncode
        self.printed = done.stdout.decode(errors="replace").strip()
        self.said = done.stderr.decode(errors="replace")
        self.profile = None
        if os.path.exists(OUT):
            with open(OUT, "rb") as file:
                self.profile = libpprof.Profile(file.read())

    def totals(self):
        found = collections.Counter()
        for sample in self.profile.samples if self.profile else []:
            for name, value in sample.values.items():
                found[name] += signed(value)
        return found

    def by_label(self, label, value):
        found = collections.Counter()
        for sample in self.profile.samples if self.profile else []:
            found[sample.labels.get(label)] += signed(sample.values.get(value, 0))
        return found


def signed(value):
    return value - (1 << 64) if value >> 63 else value


# What the programs print without any probe.
PLAIN = {}


def plain(command):
    if command not in PLAIN:
        PLAIN[command] = subprocess.run([program(command[0]), *map(str, command[1:])],
                                        stdout=subprocess.PIPE, timeout=SECONDS,
                                        check=True).stdout.decode().strip()
    return PLAIN[command]


ARGS = ("probed", "args", N)
METHODS = ("probed_cxx", "methods", N)
THROW = ("probed_cxx", "throw", N)
GROW = ("probed_go", "grow", N)
DEEP = ("probed_go", "grow", 50)
RUST = ("probed_rust", "add", N)
HOP = ("probed_cxx", "hop", N)
MANY = ("probed_many", 20)
USDT = ("probed_usdt", N)
FIXED = ("probed_usdt-fixed", N)
LENGTH = ("probed_ifunc", "strlen", N)
THREADS, CALLS = 8, 20000
CROWD = ("probed", "threads", THREADS, CALLS)

# A sentence, the event ({} is the program's path), the command, and the totals of its values.
EXACT = [
    ("a function is counted", "uprobe:{}:add_up", ARGS, {"add_up": N}),
    ("its return is counted", "uretprobe:{}:add_up", ARGS, {"add_up": N}),
    ("an int is summed up", "uprobe:{}:add_up,value=a", ARGS, {"add_up_a": SUM}),
    ("a negative long is", "uprobe:{}:add_up,value=b", ARGS, {"add_up_b": -SUM}),
    ("by its number", "uprobe:{}:add_up,value=arg2", ARGS, {"add_up_arg2": -SUM}),
    ("an unsigned char is not more than its byte", "uprobe:{}:add_up,value=c", ARGS,
     {"add_up_c": sum(i % 256 for i in range(N))}),
    ("the seventh argument, on the stack, is read", "uprobe:{}:add_up,value=seventh", ARGS,
     {"add_up_seventh": 7 * N}),
    ("and the ninth, a short", "uprobe:{}:add_up,value=ninth", ARGS, {"add_up_ninth": 9 * N}),
    ("a member behind two pointers is read", "uprobe:{}:add_up,value=p->inner->twice", ARGS,
     {"add_up_p_inner_twice": 2 * SUM}),
    ("what it returns is", "uretprobe:{}:tiny,value=ret", ("probed", "threads", 4, N),
     {"tiny": 4 * N, "tiny_ret": 4 * (SUM + N)}),
    ("a filter takes what it says", "uprobe:{}:add_up,filter=a >= 100 && a < 150", ARGS,
     {"add_up": 50}),
    ("with or", "uprobe:{}:add_up,filter=a == 3 || b == -7 || c == 9 && a < 256", ARGS,
     {"add_up": 3}),
    ("of a text", "uprobe:{}:add_up,filter=name == \"name-77\"", ARGS, {"add_up": 1}),
    ("of how a text begins", "uprobe:{}:add_up,filter=name == \"name-4*\"", ARGS,
     {"add_up": 1 + 10 + 100}),
    ("of an enum's name", "uprobe:{}:add_up,filter=color == GREEN", ARGS, {"add_up": EVEN}),
    ("of the process", "uprobe:{}:add_up,filter=comm == \"probed\"", ARGS, {"add_up": N}),
    ("and of another process it takes nothing", "uprobe:{}:add_up,filter=comm == \"other\"", ARGS,
     {"add_up": 0}),
    ("calls are measured in a recursion", "fn:{}:go_down", ("probed", "recurse", 40, 50),
     {"go_down": 41 * 50}),
    ("and where some leave by longjmp, those that return", "fn:{}:leave_early",
     ("probed", "jump", N), {"leave_early": EVEN}),
    ("children of fork are followed", "uprobe:{}:tiny", ("probed", "fork", 40), {"tiny": 40}),
    ("returns in them, too", "fn:{}:tiny,value=ret", ("probed", "fork", 40),
     {"tiny": 40, "tiny_ret": 820}),
    ("vfork and exec are left alone", "fn:{}:tiny", ("probed", "vfork", 40), {"tiny": 40}),
    ("a method is found", "uprobe:{}:Counter::add,value=n", METHODS,
     {"Counter_add": N, "Counter_add_n": SUM}),
    ("its object is this", "uprobe:{}:Counter::add,value=this->total", METHODS,
     {"Counter_add_this_total": sum(i * (i - 1) // 2 for i in range(N))}),
    ("overloads are both found by their name", "uprobe:{}:bank::pay", METHODS, {"bank_pay": 2 * N}),
    ("and one by its parameters", "uprobe:{}:bank::pay(int),value=amount", METHODS,
     {"bank_pay_int": N, "bank_pay_int_amount": SUM}),
    ("exceptions go through a measured function, which sees those that return",
     "fn:{}:middle", THROW, {"middle": N - (N + 2) // 3}),
    ("and through a probed return", "uretprobe:{}:middle", THROW, {"middle": N - (N + 2) // 3}),
    ("Go is probed while its stacks grow", "uprobe:{}:main.Grow,value=n", GROW,
     {"main_Grow": N, "main_Grow_n": SUM}),
    ("and its returns", "fn:{}:main.Grow", GROW, {"main_Grow": N}),
    ("a call that begins again on a larger stack is one", "uprobe:{}:main.deep,value=n", DEEP,
     {"main_deep": 50 * 201, "main_deep_n": 50 * 200 * 201 // 2}),
    ("and is measured as one", "fn:{}:main.deep", DEEP, {"main_deep": 50 * 201}),
    ("Rust is", "uprobe:{}:probed_rust::ledger::add,value=b", RUST,
     {"probed_rust_ledger_add": N, "probed_rust_ledger_add_b": 2 * SUM}),
    ("many functions are one event", "uprobe:{}:*e*", ("probed", "jump", N), {"e": None}),
    ("four hundred are counted, one with two names once", "uprobe:{}:many_*", MANY,
     {"many": 400 * 20}),
    ("and measured", "fn:{}:many_*,value=ret", MANY,
     {"many": 400 * 20, "many_ret": 20 * sum(range(100, 500)) + 400 * sum(range(20))}),
    ("fifty of them by a glob with a set and any letter", "uprobe:{}:many_1[0-4]?,value=i", MANY,
     {"many_1_0_4": 50 * 20, "many_1_0_4_i": 50 * sum(range(20))}),
    ("or by one that leaves a set out", "fn:{}:many_[!1-3]9*", MANY, {"many_1_3_9": 10 * 20}),
    ("a declared probe by globs of its provider and name", "usdt:{}:pro?ed:*dexed", USDT,
     {"dexed": N}),
    ("an alias is probed by its own name", "uprobe:{}:many_too,value=i", MANY,
     {"many_too": 20, "many_too_i": sum(range(20))}),
    ("calls of several threads at once are all counted", "uprobe:{}:tiny,value=i", CROWD,
     {"tiny": THREADS * CALLS, "tiny_i": THREADS * CALLS * (CALLS - 1) // 2}),
    ("and measured, with what they return", "fn:{}:tiny,value=ret", CROWD,
     {"tiny": THREADS * CALLS, "tiny_ret": THREADS * CALLS * (CALLS + 1) // 2}),
    ("what is refused for its returns is probed by force", "fn:{}:hop,force=1", HOP, {"hop": N}),
    ("and so is a changed return where exceptions would not do", "uretprobe:{}:hop,value=ret,force=1",
     HOP, {"hop": N, "hop_ret": SUM + N}),
    ("an operand with an index register is read, of a page that is not there yet",
     "usdt:{}:probed:indexed,value=arg1", USDT, {"indexed": N, "indexed_arg1": -7 * SUM}),
    ("one without a scale", "usdt:{}:probed:indexed,value=arg2", USDT,
     {"indexed_arg2": 1000000007 * SUM}),
    ("one without a base", "usdt:{}:indexed,value=arg3", USDT,
     {"indexed_arg3": -sum(i % 100 for i in range(N))}),
    ("and one below both", "usdt:{}:indexed,value=arg4", USDT,
     {"indexed_arg4": sum(i % 200 for i in range(N))}),
    ("they are filtered by", "usdt:{}:indexed,filter=arg4 == 7 && arg1 > -2000", USDT,
     {"indexed": 2}),
    ("and a text at one is read", "usdt:{}:indexed,filter=arg6:str == \"text-4\"", USDT,
     {"indexed": N // 10}),
    ("also at fixed addresses", "usdt:{}:indexed,value=arg3,filter=arg6:str == \"text-*\"", FIXED,
     {"indexed": N, "indexed_arg3": -sum(i % 100 for i in range(N))}),
    ("the C library's function that is chosen at start is counted where it is called",
     "uprobe:libc:strlen,filter=arg1:str == \"a text of wick's\"", LENGTH, {"strlen": N}),
    ("measured, with what it returns", "fn:libc:strlen,value=ret,filter=arg1:str == \"a text of *\"",
     LENGTH, {"strlen": N, "strlen_ret": 16 * N}),
    ("an instruction of a function is one place", "uprobe:{}:tiny+0", ("probed", "fork", 40),
     {"tiny": 40}),
]


def exact_case(sentence, event, command, totals):
    if not has(command[0]):
        libfault.skip(sentence, "%s was not built" % command[0])
        return
    run = Run([event.format(program(command[0]))], *command)
    found = run.totals()
    problems = []
    if run.status:
        problems.append("status %d" % run.status)
    if run.printed != plain(command):
        problems.append("the program said %r, without a probe %r" % (run.printed, plain(command)))
    for name, value in totals.items():
        if found[name] != value and not (value is None and found[name] > 0):
            problems.append("%s is %s instead of %s" % (name, found[name], value))
    libfault.case(sentence, problems, run.said)


# Options of wick instead of events, and what is said of them; status 1, 2 or 3.
REFUSED = [
    ("a function that is not there is said, with the nearest", "uprobe:{}:add_upp", ARGS,
     r"no such function.*did you mean add_up\?"),
    ("floating point is refused by name", "uprobe:{}:half,value=value", ARGS, r"floating point"),
    ("an argument that is not there", "uprobe:{}:add_up,value=nothing", ARGS, r"nothing"),
    ("an offset between instructions", "uprobe:{}:add_up+1,value=arg1", ARGS,
     r"no instruction begins there|offset"),
    ("an offset behind the function", "uprobe:{}:tiny+4096", ARGS, r"the function has"),
    ("a file that is not there", "uprobe:/no/such/file:f", ARGS, r"no such file"),
    ("a filter that does not end", "uprobe:{}:add_up,filter=(a > 1", ARGS, r"bad|\("),
    ("a return that cannot be told, where exceptions cross", "fn:{}:hop", HOP,
     r"cannot probe hop.*exceptions.*force=1"),
    ("a function that is chosen at start, where nobody tells, with those it is chosen from",
     "uprobe:{}:chosen", ("probed_ifunc", N),
     r"chosen of probed_ifunc.*IFUNC.*no process.*\*chosen_\*.*chosen_(fast|slow)"),
    ("one chosen at start, by its return, too", "uretprobe:{}:chosen", ("probed_ifunc", N),
     r"chosen.*IFUNC"),
    ("and of a glob that finds no other", "uprobe:{}:chose[n]", ("probed_ifunc", N),
     r"chosen.*IFUNC.*named alone"),
    ("a glob that no system call matches", "syscall:read+opne*", ARGS,
     r"no system call matches: opne\*; see: wick list 'syscall:\*'"),
    ("a glob of those with values, too", "syscall:opne*,value=ret", ARGS,
     r"no system call matches: opne\*"),
    ("a tracepoint that is not there, with where they are listed", "tracepoint:sched:nothing", ARGS,
     r"no such tracepoint: sched:nothing; see: wick list 'tracepoint:sched:\*'"),
    ("a raw one", "rawtp:nothing", ARGS, r"no such tracepoint: nothing; see: wick list 'rawtp:\*'"),
    ("more places than an event can have", "tracepoint:*:*", ARGS,
     r"too many places match \*: at most 2000 for an event; several events"),
    ("a declared probe that is not there", "usdt:{}:probed:indexe", USDT,
     r"no such USDT probe: \S+: probed:indexe; see: wick list 'usdt:\S+:\*'"),
    ("or where none has what is wanted", "syscall:open*,value=pathname", ARGS,
     r"bad value: pathname.*has no 'pathname'"),
    ("a return with an offset", "uretprobe:{}:add_up+4", ARGS, r"a return has no offset"),
]


def refused_case(sentence, event, command, says):
    run = Run([event.format(program(command[0]))], *command)
    problems = []
    if run.status not in (1, 2, 3):
        problems.append("status %d" % run.status)
    if not re.search(says, run.said):
        problems.append("does not say %s" % says)
    libfault.case(sentence, problems, run.said)


def labels_case():
    run = Run(["uprobe:%s:add_up,label=color+p->label" % program("probed")], *ARGS)
    colors, labels = run.by_label("color", "add_up"), run.by_label("p->label", "add_up")
    problems = []
    if colors != {"GREEN": EVEN, "BLUE": N - EVEN}:
        problems.append("colors: %r" % dict(colors))
    if labels != {"p%d" % i: N // 10 for i in range(10)}:
        problems.append("labels: %r" % dict(labels))
    libfault.case("an enum and a text are labels", problems, run.said)


def names_case():
    """Of many functions each is told: which it was is a label."""
    run = Run(["fn:%s:many_*" % program("probed_many")], *MANY)
    found, wanted = run.by_label("probe", "many"), {"many_%d" % i: 20 for i in range(101, 500)}
    # Of an alias either name will do.
    wanted["many_too" if "many_too" in found else "many_100"] = 20
    libfault.case("each of many functions has its name", [] if found == wanted else
                  ["%d names, with %r" % (len(found), dict(found.most_common(5)))], run.said)


def text_labels_case():
    """Of texts as long as a word, nothing of another one may follow."""
    run = Run(["uprobe:%s:add_up,filter=a >= 100 && a < 110,label=name" % program("probed")], *ARGS)
    names = run.by_label("name", "add_up")
    problems = []
    if names != {"name-%d" % i: 1 for i in range(100, 110)}:
        problems.append("names: %r" % dict(names))
    libfault.case("texts of eight bytes are labels, too", problems, run.said)


def syscalls_case():
    run = Run(["syscall:openat+preadv,filter=ret < 0"], "calls", "truth")
    calls, errors = run.by_label("syscall", "calls"), run.by_label("errno", "calls")
    problems = []
    if set(calls) != {"openat"} or not 500 <= calls["openat"] <= 520:
        problems.append("calls: %r" % dict(calls))
    if errors["ENOTDIR"] != 500 or None in errors:
        problems.append("errors: %r" % dict(errors))
    libfault.case("system calls that a filter takes have their names and errors", problems, run.said)
    run = Run(["syscall:open*,filter=filename == \"/dev/null/nowhere\""], "calls", "truth")
    calls = run.by_label("syscall", "calls")
    libfault.case("those of a glob that have not what is asked for are left out",
                  [] if calls == {"openat": 500} else [repr(dict(calls))], run.said)
    for event in ("syscall:pr?adv*+pwrite64", "syscall:pr?adv*+pwrite64,value=ret"):
        run = Run([event], "calls", "truth")
        calls = run.by_label("syscall", "calls")
        # 7 by each of 20 children of three kinds, and of 20 that a thread becomes.
        libfault.case("system calls by a glob are all that it matches: " + event,
                      [] if calls == {"preadv": 2000, "pwrite64": 7 * 20 * 4} else
                      [repr(dict(calls))], run.said)


def stacks_case():
    """Returns pending in every frame do not cut the stacks of cpu."""
    run = Run(["cpu", "fn:%s:go_down" % program("probed")], "probed", "recurse", 40, 20000)
    problems = []
    whole = re.search(r"([\d.]+) % of \d+ user stacks are complete", run.said)
    if run.totals()["go_down"] != 41 * 20000:
        problems.append("%d calls" % run.totals()["go_down"])
    if not whole or float(whole.group(1)) < 99:
        problems.append("complete: %s" % (whole and whole.group(0)))
    libfault.case("stacks are complete while 40 returns are pending", problems, run.said)


INLINE = ("probed", "inline", N)
NAPS = ("probed", "sleep", 20, 100)
# A sentence, the event, the command, the name of its value, and how stacks begin, leaf first.
LEAVES = [
    ("a function that has returned is the leaf, above the call that was inlined",
     "fn:{}:begins_inlined", INLINE, "begins_inlined",
     ("begins_inlined", "calls_last", "run_inline", "main")),
    ("by its return alone, too", "uretprobe:{}:begins_inlined,value=ret", INLINE, "begins_inlined",
     ("begins_inlined", "calls_last", "run_inline", "main")),
    ("one of a library", "fn:libc:usleep", NAPS, "usleep", ("usleep", "doze", "run_sleep", "main")),
    ("without debug information", "fn:{}:doze", ("probed-nodebug",) + NAPS[1:], "doze",
     ("doze", "run_sleep", "main")),
    ("a method", "fn:{}:Counter::add", METHODS, "Counter_add", ("Counter::add", "run_methods")),
    ("where exceptions cross it is there once, at its return instruction", "fn:{}:middle", THROW,
     "middle", ("middle", "run_throw", "main")),
    ("of Go, too", "fn:{}:main.Grow", GROW, "main_Grow", ("main.Grow", "main.main.func1")),
    ("of Rust", "uretprobe:{}:probed_rust::ledger::add", RUST, "probed_rust_ledger_add",
     ("probed_rust::ledger::add",)),
]


def plain_name(function):
    return function.split("(")[0]


def leaf_case(sentence, event, command, value, begin):
    """The first stacks of a program may be cut: as far as they go they are right."""
    if not has(command[0]):
        libfault.skip(sentence, "%s was not built" % command[0])
        return
    run = Run([event.format(program(command[0]))], *command)
    wrong, whole, total = collections.Counter(), 0, 0
    for sample in run.profile.samples if run.profile else []:
        names = [plain_name(name) for name in sample.functions]
        count = signed(sample.values.get(value, 0))
        end = next((i for i, name in enumerate(names) if name.startswith("[")), len(names))
        least = max(1, min(end, len(begin)))
        total += count
        if tuple(names[:least]) != begin[:least] or names.count(begin[0]) != 1:
            wrong[" < ".join(names[:len(begin) + 1])] += count
        elif least == len(begin):
            whole += count
    problems = ["stacks begin with %s" % names for names in wrong]
    if not total or whole < total / 10:
        problems.append("%d of %d stacks go as far" % (whole, total))
    libfault.case(sentence, problems, run.said)


def recursion_leaf_case():
    """What returns at a depth has as many frames as there were calls, where its stack is whole."""
    depth, rounds = 20, 1000
    run = Run(["fn:%s:go_down,label=depth" % program("probed")], "probed", "recurse", depth, rounds)
    wrong, whole = collections.Counter(), 0
    for sample in run.profile.samples if run.profile else []:
        calls = (sample.functions.count("go_down"), depth + 1 - sample.labels["depth"])
        if "main" not in sample.functions:
            continue
        whole += sample.values.get("go_down", 0)
        if calls[0] != calls[1]:
            wrong[calls] += 1
    problems = ["%d frames for %d calls" % calls for calls in wrong]
    if whole < (depth + 1) * rounds / 2:
        problems.append("only %d stacks are whole" % whole)
    libfault.case("returns of a recursion are as deep as their calls", problems, run.said)


def many_leaves_case():
    """Of many functions each is the leaf of its own samples, and in a line of trace."""
    event = "fn:%s:many_*" % program("probed_many")
    run = Run([event], *MANY)
    wrong = collections.Counter()
    for sample in run.profile.samples if run.profile else []:
        if sample.functions[0] != sample.labels.get("probe"):
            wrong[(sample.functions[0], sample.labels.get("probe"))] += 1
    # Of an alias either name will do.
    strange = [names for names in wrong if not set(names) <= {"many_too", "many_100"}]
    libfault.case("each of many functions is the leaf of its stacks",
                  ["%r" % strange[:5]] if strange or not run.profile else [], run.said)


def trace_leaf_case():
    event = "uretprobe:%s:begins_inlined" % program("probed")
    done = subprocess.run([libfault.WICK, "trace", "--json", "--stack", event, "--",
                           program("probed"), "inline", "5"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=SECONDS)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()
             if line.startswith("{")]
    stacks = [str(line.get("stack")) for line in lines]
    problems = []
    if len(stacks) != 5 or not all("begins_inlined" in stack and "calls_last" in stack and
                                   stack.index("begins_inlined") < stack.index("calls_last")
                                   for stack in stacks):
        problems.append("stacks: %r" % stacks)
    libfault.case("a line of trace has it, too", problems, done.stderr.decode())


def text_is_changed(pid, path):
    """Whether the code that @pid has mapped of @path is not the file's: it then has a breakpoint."""
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb") as memory, \
            open(path, "rb") as file:
        for line in maps:
            words = line.split()
            if "x" not in words[1] or words[-1] != os.path.realpath(path):
                continue
            first, end = (int(word, 16) for word in words[0].split("-"))
            memory.seek(first)
            file.seek(int(words[2], 16))
            wanted = file.read(end - first)
            return memory.read(end - first)[:len(wanted)] != wanted
    return None


def end_case(sentence, event, how):
    """The program goes on, with its own code, when wick ends by signal @how in the midst of it."""
    child = libfault.start([program("probed"), "loop"])
    wick = subprocess.Popen([libfault.WICK, "record", "-q", "-o", OUT, "-e",
                             event.format(program("probed")), "-p", str(child.pid)])
    problems = []
    deadline = time.monotonic() + SECONDS
    while not text_is_changed(child.pid, program("probed")) and time.monotonic() < deadline:
        time.sleep(0.05)
    if not text_is_changed(child.pid, program("probed")):
        problems.append("was never probed")
    time.sleep(0.3)
    wick.send_signal(how)
    wick.wait(timeout=SECONDS)
    while text_is_changed(child.pid, program("probed")) and time.monotonic() < deadline:
        time.sleep(0.05)
    if text_is_changed(child.pid, program("probed")):
        problems.append("a probe stays")
    time.sleep(0.2)
    if child.poll() is not None:
        problems.append("the program ended with %s" % child.returncode)
    libfault.end(child)
    libfault.case(sentence, problems)


ENDS = [
    ("a busy function is let go", "uprobe:{}:tiny", signal.SIGINT),
    ("and one that is measured, with returns pending", "fn:{}:tiny", signal.SIGINT),
    ("a killed wick leaves no probe", "uprobe:{}:tiny", signal.SIGKILL),
    ("nor a return probe", "fn:{}:tiny", signal.SIGKILL),
]


def main():
    libfault.need_root()
    for row in EXACT:
        exact_case(*row)
    for row in REFUSED:
        refused_case(*row)
    for row in ENDS:
        end_case(*row)
    for row in LEAVES:
        leaf_case(*row)
    recursion_leaf_case()
    many_leaves_case()
    trace_leaf_case()
    labels_case()
    text_labels_case()
    syscalls_case()
    names_case()
    stacks_case()
    sys.exit(1 if libfault.failed else 0)


main()
