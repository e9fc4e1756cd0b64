# SPDX-License-Identifier: BSD-2-Clause
"""How much slower a program of fixed work is while it is profiled, by pairs."""
import statistics
import subprocess
import time

import observed
from table import Failed

ROUNDS = 10
DEPTH = "30"
CPU = "1"
SETTLE_SECONDS = 0.4


def work_ns(build):
    answer = subprocess.run([build + "/tests/bench/fixed_work", CPU, DEPTH],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if answer.returncode:
        raise Failed("fixed_work: " + answer.stderr.strip())
    return int(answer.stdout)


def work_ns_beside(build, command):
    with observed.Observed(command) as it:
        time.sleep(SETTLE_SECONDS)
        ns = work_ns(build)
        if it.process.poll() is not None:
            raise Failed("ended early: " + it.said())
    return ns


def run(table, build, folder, quick):
    wick = [build + "/wick", "record", "-q", "-a", "-o", folder + "/slow.pb.gz", "-F"]
    rows = {"an empty program, 999 Hz": [build + "/tests/bench/empty_sampler", "999"],
            "wick, 99 Hz": wick + ["99"], "wick, 999 Hz": wick + ["999"]}
    table.begin("slowdown of fixed work", ["% median", "% quartile 1", "% quartile 3"])
    ratios = {name: [] for name in rows}
    for _ in range(2 if quick else ROUNDS):
        for name, command in rows.items():
            # A pair each, one after the other: what changes slowly is in both.
            ratios[name].append((work_ns_beside(build, command) / work_ns(build) - 1) * 100)
    for name in rows:
        low, middle, high = statistics.quantiles(ratios[name], n=4)
        table.row(name, middle, low, high)
