# SPDX-License-Identifier: BSD-2-Clause
"""The one table that benchmarks print, section by section, and that is written as JSON."""
import json


class Failed(Exception):
    """A measurement that could not be made; what it says goes into the table."""


class Table:
    def __init__(self):
        self.sections = {}
        self.columns = []

    def begin(self, title, columns):
        self.columns = columns
        self.rows = self.sections.setdefault(title, {})
        print("\n%-32s" % title + "".join("%14s" % column for column in columns), flush=True)

    def row(self, name, *values, note=""):
        """Values are numbers, None where there is none."""
        self.rows[name] = dict(zip(self.columns, values))
        print("%-32s" % name + "".join("%14s" % text(value) for value in values) +
              ("  " + note if note else ""), flush=True)

    def failed(self, name, error):
        self.rows[name] = {"failed": str(error)}
        print("%-32s  failed: %s" % (name, error), flush=True)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.sections, file, indent=1)


def text(value):
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return "%.*f" % (0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2, value)
