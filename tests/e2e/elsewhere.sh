#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs whose files are not where they were, or not where we look: deleted, replaced, in
# memory, in another root, mount or PID namespace. Their stacks are complete and named all the same.
set -u

[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
build=${WICK_BUILD:-build}
WICK=$(realpath "${WICK:-$build/wick}")
workloads=$(realpath "${WICK_WORKLOADS:-$build/tests/workloads}")
tmp=$(mktemp -d "${WICK_TMP:-/tmp}/elsewhere.XXXXXX")
cd "$tmp" || exit 1
trap 'kill -9 $pids 2>/dev/null; rm -rf "$tmp"' EXIT
pids=

# profiled NAME PID FUNCTION: nearly every stack of the process goes through FUNCTION from a root.
profiled() {
	"$WICK" record -q -F 499 -d 1 -p "$2" -o out.folded 2>said
	all=$(awk '{ sum += $NF } END { print sum + 0 }' out.folded)
	good=$(grep "$3" out.folded | grep -v '\[incomplete' |
		awk '{ sum += $NF } END { print sum + 0 }')
	if [ "$all" -gt 50 ] && [ $((good * 100)) -ge $((all * 95)) ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "# missed: $good of $all samples; $(cat said)"
		sort -t' ' -k2 -n out.folded | tail -n 3 | cut -c 1-300 | sed 's/^/# /'
	fi
	kill -9 "$2" 2>/dev/null
}

# wait_for COMMAND...: until it succeeds. On a machine that others use that may take a while.
wait_for() {
	tries=0
	while ! "$@" >/dev/null 2>&1 && [ $((tries += 1)) -lt 600 ]; do
		sleep 0.1
	done
}

runs() {
	readlink "/proc/$pid/exe" | grep -q "$1"
}

maps() {
	grep -q "$1" "/proc/$pid/maps"
}

# start NAME COMMAND...: its PID in $pid, as soon as it runs the program NAME.
start() {
	name=$1
	shift
	"$@" >/dev/null 2>&1 &
	pid=$!
	pids="$pids $pid"
	wait_for runs "$name"
}

has_child() {
	child=$(cut -d ' ' -f 1 "/proc/$pid/task/$pid/children") && [ -n "$child" ]
}

cp "$workloads/recurse" deleted
start deleted ./deleted 120 20
rm deleted
profiled "a deleted program" "$pid" recurse_leaf

cp "$workloads/recurse" replaced
start replaced ./replaced 120 20
cp "$workloads/shares" other && mv other replaced
profiled "a program replaced by another" "$pid" recurse_leaf

cp "$workloads/plugin" "$workloads/libplugin.so" .
start plugin ./plugin 120 0.5
wait_for maps libplugin.so
rm libplugin.so
profiled "a library unlinked after it was loaded" "$pid" plugin_work

start in-memory python3 -c "
import os, sys
fd = os.memfd_create('in-memory')
os.write(fd, open('$workloads/recurse-static', 'rb').read())
os.execve(fd, ['recurse', '120', '20'], {})"
profiled "a program in memory only" "$pid" recurse_leaf

mkdir jail && cp "$workloads/recurse-static" jail/program
start program chroot jail /program 120 20
profiled "a program in another root" "$pid" recurse_leaf

cat >narrow.c <<-'END'
	static volatile unsigned int sink;
	void _start(void) { for (;;) sink++; }
END
if cc -m32 -O1 -nostdlib -static -fno-pie -no-pie -o narrow narrow.c 2>/dev/null; then
	start narrow ./narrow
	"$WICK" record -q -F 499 -d 1 -p "$pid" -o out.folded 2>said
	kill -9 "$pid"
	if grep -q '^narrow;\[incomplete:32-bit\] ' out.folded; then
		echo "ok - a 32-bit program is said to be one"
	else
		echo "not ok - a 32-bit program is said to be one"
		sed 's/^/# /' out.folded said
	fi
else
	echo "ok - a 32-bit program is said to be one # SKIP the compiler makes none"
fi

if unshare -m true 2>/dev/null; then
	mkdir place
	start hidden unshare -m sh -c "mount -t tmpfs none place &&
		cp '$workloads/recurse' place/hidden && exec place/hidden 120 20"
	profiled "a program on a mount that we do not see" "$pid" recurse_leaf
	start unshare unshare -p -f "$workloads/recurse" 120 20
	wait_for has_child
	pid=$child
	pids="$pids $pid"
	wait_for runs recurse
	profiled "a program in another PID namespace" "$pid" recurse_leaf
else
	echo "ok - a program on a mount that we do not see # SKIP no mount namespaces"
	echo "ok - a program in another PID namespace # SKIP no mount namespaces"
fi
