# SPDX-License-Identifier: BSD-2-Clause
"""How to run programs of libbpf-tools."""
import os
import subprocess

from table import Failed

FETCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch-tool")


def command(build, name):
    """The command without options. Where the system has none it is fetched into the build."""
    answer = subprocess.run([FETCH, os.path.abspath(build) + "/bench", name],
                            stdout=subprocess.PIPE, text=True)
    lines = answer.stdout.strip().splitlines() or ["nothing said"]
    if answer.returncode:
        raise Failed(lines[-1])
    return lines[-1].split()
