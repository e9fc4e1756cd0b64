#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# wick record under valgrind's memcheck and under ThreadSanitizer, with BPF, threads and processes
# that are born and die meanwhile.
set -u

if [ "$(id -u)" != 0 ]; then
	echo "sampling needs root"
	exit 77
fi
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${WICK_BUILD:-$top/build}
case $build in /*) ;; *) build=$top/$build ;; esac
tmp=${WICK_TMP:-$(mktemp -d)}
cd "$tmp" || exit 1

# Ended by itself, should this script not come to it: processes that each run for a moment.
timeout 120 sh -c 'while :; do sh -c "ls / >ls"; sleep 0.02; done' &
load=$!
trap 'kill $load 2>/dev/null' EXIT

# judge NAME STATUS WANTED FILE: also that the profile FILE has a stack.
judge() {
	if [ "$2" = "$3" ] && grep -q ';' "$4" 2>/dev/null; then
		echo "ok - $1"
		return
	fi
	echo "not ok - $1"
	echo "  status $2, wanted $3"
	grep -v '^wick: sampling' said | head -n 60 | sed 's/^/  /'
}

# Valgrind checks more of a union than the kernel reads for the command in it, and does not know
# pidfd_open(): so without a command. It makes executable memory itself, so that the process which reads
# files for names does not live below it; that one's code has its checks in the unit tests.
cat >libbpf.supp <<'end'
{
   fields of the next command
   Memcheck:Param
   bpf(attr->expected_attach_type)
   ...
   obj:*/libbpf.so*
}
{
   fields of the next command
   Memcheck:Param
   bpf(attr->prog_ifindex)
   ...
   obj:*/libbpf.so*
}
{
   fields of the next command
   Memcheck:Param
   bpf(attr->flags)
   ...
   fun:bpf_map_get_next_key
}
{
   without a key it is the first one
   Memcheck:Param
   bpf(attr->key)
   ...
   fun:bpf_map_get_next_key
}
end
timeout 200 valgrind -q --vgdb=no --suppressions=libbpf.supp --leak-check=full \
	--errors-for-leak-kinds=definite --error-exitcode=9 \
	"${WICK:-$build/wick}" record -d 2 -F 49 -o valgrind.folded >said 2>&1
judge "valgrind sees no error and nothing definitely lost" $? 0 valgrind.folded

# ThreadSanitizer of gcc 12 wants its memory where randomized addresses may get in the way.
fixed=
setarch -R true 2>/dev/null && fixed="setarch -R"
TSAN_OPTIONS="exitcode=66 halt_on_error=0" timeout 200 $fixed \
	"$build/tsan/wick" record -d 3 -o tsan.folded >said 2>&1
judge "ThreadSanitizer sees no race" $? 0 tsan.folded
