#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Other people's viewers see in a real recording what wick report does.

One recording of a mixed workload is looked at by go tool pprof, by
inferno-flamegraph, and by Chromium, in which the script of our own flame graph
runs. Totals agree, and what each function has itself and with what it calls.
"""
import html
import json
import os
import re
import shutil
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get("WICK_BUILD", "build"))
WICK = os.path.abspath(os.environ.get("WICK", BUILD + "/wick"))
WORKLOADS = os.path.abspath(os.environ.get("WICK_WORKLOADS", BUILD + "/tests/workloads"))
TMP = os.environ.get("WICK_TMP", "/tmp")
TOP = 20
WIDTH, LEVEL_MIN_WIDTH = 1180, 6  # as in svg_frames.c

# Native, inlined and interpreted code, threads, and time in the kernel.
WORKLOAD = """
{w}/demo 3 & {w}/cxx_work 3 & {w}/threads 3 2 & {w}/recurse 3 20 &
timeout 3 python3 -c 'while True: sorted(str(i) for i in range(9999))' &
timeout 3 dd if=/dev/zero of=/dev/null bs=64k &
wait
"""

# Runs in the page, behind its own script: searches as a user does, then zooms.
DRIVER = """<script><![CDATA[
const wanted = %s, result = { matched: [] }, root = document.documentElement;
const press = key => dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey: key === 'f' }));
const search = text => {
	press('f');
	const input = document.querySelector('input');
	input.value = text;
	input.dispatchEvent(new Event('input'));
	return document.getElementById('matched').textContent;
};
for (const name of wanted)
	result.matched.push(search('^' + name.replace(/[^\\w\\s]/g, '\\\\$&') + '$'));
press('Escape');
result.after = document.getElementById('matched').textContent;
const seen = () => document.querySelectorAll('#frames > g:not(.gone)').length;
const frame = [...document.querySelectorAll('#frames > g')].find(
	g => g.querySelector('title').textContent.split('\\n')[0] === wanted[0]);
result.before = seen();
frame.dispatchEvent(new MouseEvent('click', { bubbles: true }));
result.width = frame.querySelector('rect').getAttribute('width');
result.zoomed = seen();
press('Escape');
result.again = seen();
root.setAttribute('data-result', JSON.stringify(result));
]]></script></svg>"""

failed = False


def check(name, problem):
    """@problem: what is wrong, empty when nothing is."""
    global failed
    print("%s - %s" % ("not ok" if problem else "ok", name), flush=True)
    if problem:
        failed = True
        print("  %s" % (problem,))


def skip(name, program):
    print("ok - %s # SKIP there is no %s" % (name, program))


def output(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                          timeout=120, **options).stdout.decode()


def report(*options):
    return json.loads(output(WICK, "report", "--json", "-n", "0", *options, "mixed.pb.gz"))


def differences(expected, actual):
    """Of two dictionaries; the first few."""
    return [(name, expected.get(name), actual.get(name))
            for name in sorted(set(expected) | set(actual))
            if expected.get(name) != actual.get(name)][:5]


def record():
    output(WICK, "record", "-q", "-F", "997", "-o", "mixed.pb.gz", "-o", "mixed.folded",
           "-o", "mixed.svg", "--", "sh", "-c", WORKLOAD.format(w=WORKLOADS))


# --- go tool pprof


def pprof(*options):
    return output("go", "tool", "pprof", "-symbolize=none", "-nodecount=0", "-nodefraction=0",
                  "-edgefraction=0", *options, "mixed.pb.gz")


def plain(name):
    return re.sub(r" \((partial-)?inline\)$", "", name)


def pprof_total(text):
    return tuple(map(int, re.search(r"accounting for (\d+), .* of (\d+) total", text).groups()))


def test_pprof_top(ours):
    text = pprof("-top")
    rows = [line.split(None, 5) for line in text.split("flat%")[1].splitlines()[1:]]
    theirs = {plain(row[5]): (int(row[0]), int(row[3])) for row in rows}
    total = sum(self for self, _ in ours["rows"].values())
    check("pprof -top has our total",
          [] if pprof_total(text) == (total, ours["total"]) else (pprof_total(text), total))
    check("and each function's self and total", differences(ours["rows"], theirs))


def test_pprof_traces(ours):
    selfs = {}
    for value, name in re.findall(r"^ *(\d+)   (\S.*)$", pprof("-traces"), re.MULTILINE):
        selfs[plain(name)] = selfs.get(plain(name), 0) + int(value)
    expected = {name: row[0] for name, row in ours["rows"].items() if row[0]}
    check("pprof -traces has what each function has itself", differences(expected, selfs))


def test_pprof_peek(ours):
    wrong = []
    for name in ours["top"][:3]:
        text = pprof("-peek", "^" + re.escape(name) + "$")
        row = re.search(r"^ *(\d+) +[\d.]+% +[\d.]+% +(\d+) +[\d.]+% +\| +(.*)$", text,
                        re.MULTILINE)
        if not row or (int(row[1]), int(row[2])) != ours["rows"][name] or plain(row[3]) != name:
            wrong.append((name, ours["rows"][name], row and row.groups()))
    check("pprof -peek has self and total of the hottest", wrong)


def test_pprof_tags():
    # A row is "PID COMM": a process that executes a program has two.
    totals = {}
    for row in report("--by", "pid")["rows"]:
        pid = row["name"].split()[0]
        totals[pid] = totals.get(pid, 0) + row["total"]
    pids = sorted(totals, key=totals.get, reverse=True)[:5]
    theirs = {pid: pprof_total(pprof("-top", "-tagfocus=pid=" + pid))[0] for pid in pids}
    check("pprof -tagfocus has what each process has",
          differences({pid: totals[pid] for pid in pids}, theirs))


def test_pprof_file():
    check("the file that pprof names is a program of the recording",
          [] if re.match(r"File: [\w.-]+\n", pprof("-top")) else pprof("-top")[:80])


# --- flame graphs


class Frame:
    def __init__(self, depth, start, total, name):
        self.depth, self.start, self.total, self.name = depth, start, total, name
        self.parent, self.below = None, 0

    def path(self):
        return (self.parent.path() if self.parent else ()) + (self.name,)


def make_tree(frames):
    """Sets the parents: the frame a level nearer to the root that covers one."""
    frames.sort(key=lambda frame: (frame.start, frame.depth))
    path = []
    for frame in frames:
        del path[frame.depth:]
        if frame.depth:
            frame.parent = path[-1]
            frame.parent.below += frame.total
        path.append(frame)
    return frames


def functions(frames):
    """Self and total of each; the process, depth 1, is none."""
    rows = {}
    for frame in frames:
        if frame.depth < 2:
            continue
        self, total = rows.get(frame.name, (0, 0))
        nested = frame.name in (frame.parent.path()[2:])
        rows[frame.name] = (self + frame.total - frame.below,
                            total + (0 if nested else frame.total))
    return rows


def read_inferno(text):
    frames = []
    for title, y, start, total in re.findall(
            r'<title>(.*?) \([\d,]+ samples?, [^<]*</title><rect [^>]*?y="(\d+)"[^>]*?'
            r'fg:x="(\d+)" fg:w="(\d+)"', text, re.DOTALL):
        frames.append((int(y), int(start), int(total), html.unescape(title)))
    bottom = max(y for y, _, _, _ in frames)
    return make_tree([Frame((bottom - y) // 16, start, total, name)
                      for y, start, total, name in frames])


def read_ours(text):
    frames = re.findall(r'<g data-s="(\d+)" data-v="(\d+)"><title>(.*?)\n.*?</title>'
                        r'<rect [^>]*? y="(\d+)"', text)
    bottom = max(int(y) for _, _, _, y in frames)
    return make_tree([Frame((bottom - int(y)) // 18, int(start), int(total), html.unescape(name))
                      for start, total, name, y in frames])


def read_folded():
    """What each path from the root has: the flame graph that should be."""
    totals = {}
    with open("mixed.folded", encoding="utf-8") as file:
        for line in file:
            stack, value = line.rstrip("\n").rsplit(" ", 1)
            path = ("all", *stack.split(";"))
            for depth in range(1, len(path) + 1):
                totals[path[:depth]] = totals.get(path[:depth], 0) + int(value)
    return totals


def test_inferno(ours, inferno):
    with open("mixed.folded", "rb") as file:
        frames = read_inferno(output(inferno, "--minwidth", "0", stdin=file))
    check("inferno has our total",
          [] if frames[0].total == ours["total"] else (frames[0].total, ours["total"]))
    check("and each function's self and total", differences(ours["rows"], functions(frames)))


def test_svg(ours):
    """Returns what is shown of each function."""
    with open("mixed.svg", encoding="utf-8") as file:
        frames = read_ours(file.read())
    expected = read_folded()
    shown = {frame.path(): frame.total for frame in frames}
    check("our flame graph has our total",
          [] if shown[("all",)] == ours["total"] else (shown[("all",)], ours["total"]))
    check("and each frame its part",
          [(path[-3:], value, expected.get(path)) for path, value in shown.items()
           if expected.get(path) != value][:5])
    least = ours["total"] * LEVEL_MIN_WIDTH / WIDTH
    check("only narrow frames are left out",
          [(path[-3:], value) for path, value in expected.items()
           if path not in shown and value >= least][:5])
    return functions(frames)


def test_chromium(ours, shown, chromium):
    with open("mixed.svg", encoding="utf-8") as file:
        text = file.read()
    names = ours["top"]
    with open("driven.svg", "w", encoding="utf-8") as file:
        file.write(text[:text.rindex("</svg>")] + DRIVER % json.dumps(names))
    text = output(chromium, "--headless", "--no-sandbox", "--disable-gpu",
                  "--user-data-dir=" + os.path.abspath("chromium"), "--dump-dom",
                  "file://" + os.path.abspath("driven.svg"))
    result = json.loads(html.unescape(re.search(r'data-result="([^"]*)"', text)[1]))
    shares = ["matched %.2f %%" % (100 * shown[name][1] / ours["total"]) for name in names]
    check("Chromium finds the share of each",
          [found for found in zip(names, shares, result["matched"]) if found[1] != found[2]])
    near = [(name, shown[name], ours["rows"][name]) for name in names
            if abs(shown[name][1] - ours["rows"][name][1]) > 0.01 * ours["total"]]
    check("which is that of the report, but for narrow frames", near)
    check("a search ends", result["after"])
    check("a click zooms",
          [] if result["width"] == "100%" and result["zoomed"] < result["before"] else result)
    check("Escape ends it", [] if result["again"] == result["before"] else result)


def find_program(*names):
    path = os.environ.get("PATH", "") + ":" + os.path.expanduser("~/.cargo/bin")
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def main():
    if os.geteuid() != 0:
        print("sampling needs root")
        return 77
    os.chdir(TMP)
    record()
    ours = report("--sort", "total")
    ours["rows"] = {row["name"]: (row["self"], row["total"]) for row in ours["rows"]}
    ours["top"] = sorted(ours["rows"], key=lambda name: ours["rows"][name], reverse=True)[:TOP]
    check("there is enough to see", [] if ours["total"] > 100 and len(ours["top"]) == TOP else
          ours["total"])
    if find_program("go"):
        test_pprof_top(ours)
        test_pprof_traces(ours)
        test_pprof_peek(ours)
        test_pprof_tags()
        test_pprof_file()
    else:
        skip("pprof has our numbers", "go")
    inferno = find_program("inferno-flamegraph")
    if inferno:
        test_inferno(ours, inferno)
    else:
        skip("inferno has our numbers", "inferno-flamegraph")
    shown = test_svg(ours)
    chromium = find_program("chromium", "chromium-browser")
    if chromium:
        test_chromium(ours, shown, chromium)
    else:
        skip("Chromium finds the share of each", "chromium")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
