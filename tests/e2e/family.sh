#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# wick record -p of a process that had its children before, as servers do, and has more meanwhile.
set -u

. "$(dirname "$0")/lib.sh"

if ! "$WICK" record --dry-run -o dry.folded >/dev/null 2>&1; then
	skip "children of a target" "cannot record here"
	exit 0
fi

# Before: recurse, below a shell that goes on. Later, on request: shares, by that shell.
cat >parent.sh <<END
"$WORKLOADS/recurse" 60 7 &
echo \$! >before
while [ ! -e more ]; do sleep 0.05; done
"$WORKLOADS/shares" 60 &
echo \$! >later
wait
END
sh parent.sh &
parent=$!
trap 'kill $parent $(cat before later 2>/dev/null) 2>/dev/null' EXIT
while [ ! -s before ]; do sleep 0.05; done

expect "a process is recorded that only waits" 0 "" record -F 499 -d 2 -p $parent -o family.folded
check "its child from before is there" grep -q "^recurse;.*recurse_leaf" family.folded
expect "it is recorded without children" 0 "" \
	record -F 499 -d 1 -p $parent --no-inherit -o alone.folded
check "none is there" sh -c '! grep -q "^recurse;" alone.folded'

"$WICK" record -F 499 -d 4 -p $parent -o more.folded >out 2>said &
recorder=$!
sleep 1
touch more
wait $recorder
check "one that is started meanwhile is there, too" grep -q "^shares;" more.folded

kill "$(cat before)" "$(cat later)"
wait $parent
expect "a process that has ended is none" 1 "no such process" record -d 1 -p $parent -o gone.folded
exit $failed
