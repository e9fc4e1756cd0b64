#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# wick record --histogram, and tables of --stacks none --by, as their users meet them.
set -u

. "$(dirname "$0")/lib.sh"

expect "histograms and a profile on standard output do not go together" 2 "both are for standard" \
	record --histogram -o -
expect "JSON of nothing is a usage error" 2 "it goes with --histogram" record --json
expect "a bad number of rows is a usage error" 2 "bad value: --top some" record --top some
if ! "$WICK" record --dry-run -o dry.folded >/dev/null 2>&1; then
	skip "what is printed" "cannot record here"
	exit $failed
fi

# Waits of a known kind on the machine, for as long as this runs.
sh -c 'while :; do sleep 0.01; done' &
sleeper=$!
trap 'kill $sleeper 2>/dev/null' EXIT

# sums FILE TAKEN: all that was reported is in its histograms. "samples  N taken in S s, M lost"
cat >sums.py <<'END'
import json, re, sys
rows = json.load(open(sys.argv[1]))
said = re.search(r"(\d+) taken in .*?, (\d+) lost", open(sys.argv[2]).read())
reported = int(said.group(1)) - int(said.group(2))
count = sum(r["waits"] for r in rows)
buckets = sum(b["weight"] for r in rows for b in r["buckets"]) + sum(r["unknown"] for r in rows)
print(count, buckets, reported)
sys.exit(not (count == buckets == reported > 0))
END

"$WICK" record -e offcpu --histogram --by comm -d 1 --json --top 0 >h.json 2>said
check "every wait that was reported is in a histogram" python3 sums.py h.json said
check "one for each name" json h.json \
	'"sleep" in [r["by"]["comm"] for r in d] and len({r["by"]["comm"] for r in d}) == len(d)'
check "the first waited longest" json h.json '[r["off_cpu"] for r in d] == sorted(
	(r["off_cpu"] for r in d), reverse=True)'
"$WICK" record -e offcpu --histogram --by comm -d 1 --top 0 >out 2>said
check "the terminal shows bars" grep -qE "^ +[0-9.]+ .s \.\. +[0-9.]+ .s +[0-9,]+ \|\*+ *\|$" out
check "and who they are of" grep -qE "^offcpu, comm sleep: [0-9,]+ waits, " out
"$WICK" record -e offcpu,cpu -F 999 --stacks none --by comm,cpu -d 1 --top 0 >out 2>said
check "without stacks there is a table for each event" sh -c 'grep -qx offcpu out && grep -qx cpu out'
check "with what was asked for" grep -qE "^ +waits +off_cpu  comm +cpu$" out
check "labels come with --by" grep -qE "^ +[0-9,]+ .*  sleep +[0-9]+$" out
check "no file is written by either" test ! -e wick.pb.gz
"$WICK" record -e offcpu --histogram -d 0.5 -o h.folded >out 2>said
check "but with -o, beside the histogram" sh -c 'grep -q "^offcpu: " out && grep -q ";" h.folded'
expect "a key that no sample has is said" 0 "--by nosuch: no sample has it" \
	record -e switch --stacks none --by nosuch -d 0.5
expect "what only counts is a table" 0 "without a histogram of switch: it only counts" \
	record -e switch --histogram -d 0.5
"$WICK" record -e offcpu --histogram -d 0.5 >/dev/full 2>said
ended "a full standard output is an error" $? 1 "cannot write: standard output: No space left"


"$WICK" record -e offcpu -d 1 -q -o off.pb.gz 2>said
expect "a report of waits is of their time" 0 "off_cpu " report off.pb.gz
check "they end in what was waited for, not in the scheduler" \
	sh -c 'grep -q do_nanosleep out && ! grep -q " __schedule$" out'
exit $failed
