#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The tests' own tools: tests/run counts right, tests/check-layers finds what it is there for, and
# tests/workloads/build builds what a workload asks for.
set -u

unset WICK_REQUIRE_BPF
tmp=${WICK_TMP:-$(mktemp -d)}

expect() {	# SENTENCE EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		printf 'not ok - %s\n  expected: %s\n  got: %s\n' "$1" "$2" "$3"
	fi
}

# Runs a script with the lines of $2, in the folder $4, under tests/run and expects the last line
# to be $3.
total() {	# SENTENCE SCRIPT EXPECTED [FOLDER]
	program=$tmp/${4-unit}/program
	mkdir -p "${program%/*}"
	printf '#!/bin/sh\n%s\n' "$2" >"$program"
	chmod +x "$program"
	WICK_BUILD="$tmp" WICK_TEST_SECONDS=1 tests/run "$program" >"$tmp/output"
	expect "$1" "$3" "$(tail -n 1 "$tmp/output")"
}

total "cases are counted by their lines" 'echo "ok - a"; echo "not ok - b"; echo "ok - c # SKIP d"' \
	"1 passed, 1 failed, 1 skipped"
total "other lines are no cases" 'echo okay; echo "# ok"; echo "ok - a"' \
	"1 passed, 0 failed, 0 skipped"
total "cmocka's cases are counted, its groups are not" \
	'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"; echo "# not ok - tests"' \
	"1 passed, 1 failed, 0 skipped"
total "cmocka's skipped case is skipped" 'echo 1..1; echo "not ok 1 # SKIP a"' \
	"0 passed, 0 failed, 1 skipped"
total "status 77 skips the program" 'echo "no BPF here"; exit 77' "0 passed, 0 failed, 1 skipped"
total "a program that fails without a case is a failure" 'echo "ok - a"; exit 3' \
	"1 passed, 1 failed, 0 skipped"
total "a program that is killed is a failure" 'echo "ok - a"; kill -SEGV $$' \
	"1 passed, 1 failed, 0 skipped"
total "a program that takes too long is a failure" 'echo "ok - a"; sleep 5' \
	"1 passed, 1 failed, 0 skipped"
total "a program without cases is a failure" ':' "0 passed, 1 failed, 0 skipped"
total "a case that was announced and did not run is a failure" 'echo 1..2; echo "ok 1 - a"' \
	"1 passed, 1 failed, 0 skipped"
once="[ ! -e $tmp/ran ] || { echo 'ok - a'; exit; }; >$tmp/ran; echo 'not ok - a'; echo '# missed: b'"
total "an end-to-end program that fails once is repeated" "$once" \
	"1 passed, 0 failed, 0 skipped" e2e
expect "and it is said who needed that" \
	"programs that needed a second attempt: 1 of 1: program" "$(tail -n 2 "$tmp/output" | head -n 1)"
expect "and what it had missed" "# missed: b" \
	"$(sed -n '/^first attempt of program: a$/ { n; s/^ *//p }' "$tmp/output")"
total "an end-to-end program that fails twice is a failure" 'echo "not ok - a"' \
	"0 passed, 1 failed, 0 skipped" e2e
rm "$tmp/ran"
total "a unit test is never repeated" "$once" "0 passed, 1 failed, 0 skipped"
export WICK_REQUIRE_BPF=1
total "with WICK_REQUIRE_BPF a skipped case is a failure" 'echo "ok - a # SKIP b"' \
	"0 passed, 1 failed, 0 skipped"
total "with WICK_REQUIRE_BPF a skipped program is a failure" 'exit 77' \
	"0 passed, 1 failed, 0 skipped"
unset WICK_REQUIRE_BPF

# A tree of its own with one file, in which check-layers is to find the problem $4, or none.
tree=$tmp/tree
mkdir -p "$tree/tests"
cp tests/check-layers "$tree/tests/"
finds() {	# SENTENCE FILE TEXT PROBLEM
	mkdir -p "$(dirname "$tree/$2")"
	printf '%s\n' "$3" >"$tree/$2"
	actual=$(WICK_BUILD="$tree/build" "$tree/tests/check-layers" | sed -n 's/^  //p')
	expect "$1" "$4" "$actual"
	rm "$tree/$2"
}
license='/* SPDX-License-Identifier: BSD-2-Clause */'
newline='
'
finds "a library may use the C library" formats/a.c "$license$newline#include <stdio.h>" ""
finds "a layer may not use one above it" formats/a.c "$license$newline#include \"tools/a.h\"" \
	'formats/a.c:2: formats/ may not use "tools/a.h"'
finds "a layer may not use another's library" tools/a.c "$license$newline#include <bpf/libbpf.h>" \
	'tools/a.c:2: tools/ may not use libbpf, <bpf/libbpf.h>'
finds "the more exact folder counts" profiler/unwind/a.c \
	"$license$newline#include <bpf/libbpf.h>" \
	'profiler/unwind/a.c:2: profiler/unwind/ may not use libbpf, <bpf/libbpf.h>'
finds "an include that does not name its folder is found" tools/a.c \
	"$license$newline#include \"a.h\"" 'tools/a.c:2: tools/ may not use "a.h"'
finds "the kernel side may not use the C library" bpf/a.bpf.c \
	"/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */$newline#include <stdio.h>" \
	'bpf/a.bpf.c:2: bpf/ may not use <stdio.h>'
finds "a file without a license is found" tools/a.c "int a;" \
	'tools/a.c does not begin with SPDX-License-Identifier: BSD-2-Clause'
finds "a file that is too long is found" tools/a.c "$license$(printf '%499sx' | tr ' ' '\n')" \
	'tools/a.c has 500 lines'
finds "a function that is too long is found" tools/a.c \
	"$license${newline}int f(void)$newline{$(printf '%60s}' | tr ' ' '\n')" \
	'tools/a.c:3: a function of 61 lines'
echo "$license" >"$tree/tools/a.h"
finds "two files of one name are found" symbolizer/a.h "$license" \
	'tools/a.h has the name of symbolizer/a.h'
rm "$tree/tools/a.h"
finds "what does not belong into the top folder is found" notes.py "# $license" \
	'notes.py does not belong here'

cat >"$tmp/w.c" <<'END'
/* BUILD: -DTEXT='"plain text"' */
/* BUILD w-other: -DTEXT='"other"' */
/* BUILD w-after: AFTER='echo $NAME >after' -DTEXT='"after"' */
#include <stdio.h>
int main(void) { return puts(TEXT) < 0; }
END
tests/workloads/build "$tmp/w.c" "$tmp"
expect "a workload is built with its flags" "plain text" "$("$tmp/w")"
expect "a workload has variants" "other" "$("$tmp/w-other")"
expect "a variant's command runs when it is built" "w-after" "$(cat "$tmp/after")"
echo "int main(void) { return nothing; }" >"$tmp/w.c"
tests/workloads/build "$tmp/w.c" "$tmp" 2>/dev/null
expect "a workload that does not compile is an error" 1 $?
