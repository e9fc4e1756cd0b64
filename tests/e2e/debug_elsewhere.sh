#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Stripped programs in another root, whose debug files are there and not here. The programs have
# ended, and the root of the last one is gone, before names are looked up.
set -u

[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
build=${WICK_BUILD:-build}
WICK=$(realpath "${WICK:-$build/wick}")
source=$(realpath tests/workloads/recurse.c)
tmp=$(mktemp -d "${WICK_TMP:-/tmp}/debug.XXXXXX")
cd "$tmp" || exit 1
trap 'rm -rf "$tmp"' EXIT

cc -O2 -g -static -DFRAME_BYTES=16 -Wl,--build-id -o program "$source" || exit 1
objcopy --only-keep-debug program program.debug
strip program

# profiled NAME FUNCTION COMMAND...: nearly every stack of the program goes through FUNCTION.
profiled() {
	name=$1
	function=$2
	shift 2
	"$WICK" record -q -F 499 -o out.folded -- "$@" >said 2>&1
	all=$(grep '^program;' out.folded | awk '{ sum += $NF } END { print sum + 0 }')
	good=$(grep '^program;' out.folded | grep "$function" |
		awk '{ sum += $NF } END { print sum + 0 }')
	if [ "$all" -gt 20 ] && [ $((good * 100)) -ge $((all * 95)) ]; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		echo "# $good of $all samples; $(cat said)"
		sort -t' ' -k2 -n out.folded | tail -n 3 | cut -c 1-300 | sed 's/^/# /'
	fi
}

# root FOLDER: put the program into it.
root() {
	mkdir -p "$1/bin" && cp program "$1/bin/"
}

by_id() {
	id=$(readelf -n program | sed -n 's/.*Build ID: //p')
	folder=$1/usr/lib/debug/.build-id/$(echo "$id" | cut -c 1-2)
	mkdir -p "$folder" && cp program.debug "$folder/$(echo "$id" | cut -c 3-).debug"
}

root jail && by_id jail
profiled "by build ID in another root" recurse_leaf chroot jail /bin/program 1 20

root linked && objcopy --add-gnu-debuglink=program.debug linked/bin/program
mkdir -p linked/usr/lib/debug/bin && cp program.debug linked/usr/lib/debug/bin/
profiled "by its link in another root" recurse_leaf chroot linked /bin/program 1 20

# What leads out of the root is not followed: the file with the names is here, at that path.
root outside && by_id "$tmp/outer"
mkdir -p outside/usr/lib && ln -s "$tmp/outer/usr/lib/debug" outside/usr/lib/debug
profiled "not by a link out of it" "program+0x" chroot outside /bin/program 1 20

if unshare -m true 2>/dev/null; then
	mkdir place
	profiled "in a root that only its mount namespace has" recurse_leaf unshare -m sh -c \
		"mount -t tmpfs none place && cp -r jail/. place && exec chroot place /bin/program 1 20"
else
	echo "ok - in a root that only its mount namespace has # SKIP no mount namespaces"
fi
