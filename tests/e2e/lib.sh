# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# For scripts that run wick as its users do, to be read in with ".": WICK and WORKLOADS are set,
# and the current folder is one to be messy in. What wick last wrote is in the files out and said.

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$top" && realpath "${WICK_BUILD:-build}")
WICK=$(realpath "${WICK:-$build/wick}")
WORKLOADS=${WICK_WORKLOADS:-$build/tests/workloads}
tmp=${WICK_TMP:-$(mktemp -d)}
cd "$tmp" || exit 1
failed=0

# verdict NAME STATUS: 0 is "ok". What was said is shown when it is not.
verdict() {
	if [ "$2" = 0 ]; then
		echo "ok - $1"
		return
	fi
	echo "not ok - $1"
	cat said out 2>/dev/null | tr -cd '[:print:]\n' | head -n 30 | cut -c 1-300 | sed 's/^/  /'
	failed=1
}

# expect NAME STATUS TEXT ARGUMENT...: wick ends with STATUS, and says TEXT where that is not empty.
expect() {
	name=$1 wanted=$2 text=$3
	shift 3
	"$WICK" "$@" >out 2>said
	ended "$name" $? "$wanted" "$text"
}

# ended NAME STATUS WANTED TEXT: the same for what has been run.
ended() {
	if [ "$2" != "$3" ]; then
		echo "status $2 instead of $3" >>said
		verdict "$1" 1
	elif [ -n "$4" ]; then
		cat out said | grep -qaF -e "$4"
		verdict "$1" $?
	else
		verdict "$1" 0
	fi
}

# check NAME COMMAND...: the command succeeds.
check() {
	name=$1
	shift
	"$@" >>said 2>&1
	verdict "$name" $?
}

# nobody CAPABILITIES COMMAND...: as a user who has those ("bpf,perfmon") and no other. Needs root
# and a program that users can reach, as ./wick below.
nobody() {
	set -- "-all$(printf '%s' "$1" | sed 's/[^,][^,]*/+&/g; s/^./,&/')" "$@"
	capabilities=$1
	shift 2
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "$capabilities" \
		--ambient-caps "$capabilities" "$@"
}

# can_be_nobody: whether this machine can; makes ./wick.
can_be_nobody() {
	[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && cp "$WICK" wick &&
		chmod 755 . wick && nobody "" ./wick --version >/dev/null 2>&1
}

# skip NAME REASON
skip() {
	echo "ok - $1 # SKIP $2"
}

# json FILE EXPRESSION: of Python, in which d is what the file holds.
json() {
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(not eval("(" + sys.argv[2] + ")"))' "$1" "$2"
}
