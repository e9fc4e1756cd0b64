# SPDX-License-Identifier: BSD-2-Clause
"""The table of what each kernel's verifier has to do for each program: tests/vm/verifier.txt.

A program that grows makes loading slower, and one that reaches a million instructions is
refused; a loop the verifier can no longer merge shows as a jump long before. A row says
"refused" where a program cannot be had on that kernel.
"""
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "verifier.txt")
GROWTH_MOST = 1.5
# Some tens of instructions more in a small program are no jump.
SMALL = 500
HEAD = """\
# SPDX-License-Identifier: BSD-2-Clause
#
# Instructions the verifier processes, as make test-vm sees them with clang 14; written by
# tests/vm/test_kernels.py --update. More than half above it fails the test: say in the commit why.
#
# kernel  object         program                      instructions
"""


def parse(kernel, text):
    """Rows (kernel, object, program, count) of what tests/vm/verify printed."""
    return [(kernel, words[0], words[1], int(words[2]))
            for words in (line.split() for line in text.splitlines()) if len(words) == 3]


def read():
    """{(kernel, object, program): count}, count None for refused."""
    table = {}
    if os.path.exists(PATH):
        with open(PATH) as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    kernel, name, program, count = line.split()
                    table[kernel, name, program] = None if count == "refused" else int(count)
    return table


def write(table, rows):
    """Replace the rows of the kernels in @rows, keep those of others."""
    kernels = {row[0] for row in rows}
    merged = {key: count for key, count in table.items()
              if key[0] not in kernels or count is None}
    merged.update({row[:3]: row[3] for row in rows})
    with open(PATH, "w") as file:
        file.write(HEAD)
        for (kernel, name, program), count in sorted(merged.items(), key=order):
            file.write("%-9s %-14s %-28s %s\n" % (kernel, name, program,
                                                  "refused" if count is None else count))


def order(item):
    kernel, name, program = item[0]
    return [int(part) for part in kernel.split(".")], name, program


def compare(table, kernel, text):
    """Yields (sentence, None or why it does not hold); nothing without a table."""
    if table is None:
        return
    seen = set()
    for row in parse(kernel, text):
        _, name, program, count = row
        seen.add(row[:3])
        known = table.get(row[:3])
        why = None
        if known is None:
            why = "%s %s: %d, and not in the table; see %s" % (name, program, count, PATH)
        elif count > max(known * GROWTH_MOST, SMALL):
            why = "%s %s: %d instructions, %d in the table" % (name, program, count, known)
        yield ("the verifier needs %d instructions for %s, near the known %s"
               % (count, program, known)), why
    gone = [key for key, count in table.items()
            if key[0] == kernel and key not in seen and count is not None]
    yield "every program of the table is loaded", "\n".join(" ".join(key) for key in gone) or None
