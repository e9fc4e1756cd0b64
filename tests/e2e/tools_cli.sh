#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# wick convert, report, symbolize, list and doctor as their users meet them, without privileges.
set -u

. "$(dirname "$0")/lib.sh"

cat >in.folded <<'END'
ls;main;list;read 30
ls;main;list;sort 5
sh;[incomplete:depth];run;run;read 10
sh;main;fork 15
END

# --- convert

check "folded stacks come back byte for byte" sh -c '"$0" convert in.folded -o again.folded &&
	cmp in.folded again.folded' "$WICK"
check "folded stacks come back through pprof" sh -c '"$0" convert in.folded -o p.pb.gz &&
	"$0" convert p.pb.gz -o again.folded && cmp in.folded again.folded' "$WICK"
check "a pprof comes back byte for byte" sh -c '"$0" convert p.pb.gz -o again.pb.gz &&
	cmp p.pb.gz again.pb.gz' "$WICK"
check "a flame graph is drawn of either" sh -c '"$0" convert in.folded -o a.svg &&
	"$0" convert p.pb.gz -o b.svg && cmp a.svg b.svg && grep -q "<svg" a.svg' "$WICK"
check "several files are written at once" sh -c '"$0" convert p.pb.gz -o c.svg -o c.folded &&
	test -s c.svg && cmp c.folded in.folded' "$WICK"
check "input may come through a pipe" sh -c 'cat p.pb.gz | "$0" convert - -o - --format folded |
	cmp - in.folded' "$WICK"
check "compressed text is read" sh -c 'gzip <in.folded >in.gz && "$0" convert in.gz -o g.folded &&
	cmp g.folded in.folded' "$WICK"
check "stacks of perf are read, without their suffixes" sh -c 'echo "sh;main;read_[k] 2" >k &&
	"$0" convert k -o - --format folded | grep -qx "sh;main;read 2"' "$WICK"
expect "a label that no sample has is said" 0 "--by nosuch: no sample has it" \
	convert p.pb.gz --by nosuch -o l.folded
expect "nothing to convert is a usage error" 2 "missing file" convert -o x.svg
expect "nowhere to write is a usage error" 2 "missing option: -o" convert in.folded
expect "an unknown suffix is a usage error" 2 "unknown format: x.png" convert in.folded -o x.png
expect "a file that is not there" 1 "cannot read: nowhere: No such file" convert nowhere -o x.svg
expect "a folder is no profile" 1 "cannot read: .: Is a directory" convert . -o x.svg
expect "a value that is not there names those there are" 1 "this profile has samples" \
	convert p.pb.gz --value cpu -o x.svg
expect "a target in no folder" 1 "cannot write: no/x.svg" convert in.folded -o no/x.svg
check "nothing was written by any of them" test ! -e x.svg
expect "a full disk is an error" 1 "cannot write: /dev/full: No space left" \
	convert in.folded -o /dev/full --format folded
awk 'BEGIN {
	srand(1)
	for (i = 0; i < 100000; i++) {
		line = "process" int(4 * rand()) ";main"
		for (depth = 8 + int(24 * rand()); depth > 0; depth--)
			line = line ";function" int(40 * rand() * rand() * rand())
		print line, 1 + int(9 * rand())
	}
}' >large.folded
check "100,000 stacks are drawn in time" timeout 60 "$WICK" convert large.folded -o large.svg
check "as many frames as a browser can take" sh -c 'test "$(grep -c "<g data-s" large.svg)" -le 20000'
check "in a file of a few megabytes" sh -c 'test "$(stat -c %s large.svg)" -lt 6000000'
check "and that says what is left out" grep -q "[1-9][0-9,]* narrow frames left out" large.svg
# levels FILE: names from the top of the picture down, of the path to the deepest.
levels() {
	grep -oE '<title>(all|ls|main|list|read)$|<rect .* y="[0-9]+"' "$1" |
		sed -n '/title/ { s/.*>//; h; n; s/.* y="\([0-9]*\)"/\1/; G; s/\n/ /p }' |
		sort -nu | awk '!seen[$2]++ { printf "%s ", $2 }'
}
"$WICK" convert in.folded -o flame.svg >out 2>said
check "a flame graph has its root below" test "$(levels flame.svg)" = "read list main ls all "
"$WICK" convert in.folded --icicle -o icicle.svg >out 2>said
check "an icicle graph has it on top" test "$(levels icicle.svg)" = "all ls main list read "
: >empty
expect "an empty file is no profile" 1 "cannot read: empty: it is empty" convert empty -o x.svg
head -c 100 p.pb.gz >cut
expect "a cut file is refused" 1 "ends too early" convert cut -o x.svg
head -c 5000 /dev/urandom | sed 's/^/\x01/' >random
expect "random bytes are refused" 1 "neither pprof nor folded" report random
expect "text that is no profile is refused, by line" 1 "line 1:" report "$top/LICENSE"
expect "nothing is no profile" 1 "cannot read: /dev/null: it is empty" report /dev/null
expect "nor is what never ends" 1 "cannot read: /dev/zero: File too large" report /dev/zero
check "a cut profile is refused wherever it is cut" sh -c 'size=$(stat -c %s p.pb.gz)
	for at in $(seq 1 $((size - 1))); do
		head -c $at p.pb.gz >cut
		"$0" report cut >out 2>said
		[ $? = 1 ] && grep -q "^wick: cannot read: cut: " said || exit 1
	done' "$WICK"
check "one that is changed anywhere is read or refused" sh -c '"$0" convert in.folded -o p.pb &&
	size=$(stat -c %s p.pb)
	for at in $(seq 0 7 $((size - 1))); do
		cp p.pb changed
		printf "\\377" | dd of=changed bs=1 seek=$at conv=notrunc status=none
		timeout 20 "$0" report changed >out 2>said
		case $? in 0 | 1) ;; *) exit 1 ;; esac
	done' "$WICK"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	awk 'BEGIN { for (i = 0; i < 4000; i++) printf "sh;main;f%d 1\n", i }' >many.folded
	unshare -m sh -c 'mkdir -p small && mount -t tmpfs -o size=64k none small &&
		echo old >small/old.svg || exit 9
		"$0" convert many.folded -o small/new.svg && exit 9
		"$0" convert many.folded -o small/old.svg && exit 9
		"$0" report -n 0 many.folded -o small/new.txt && exit 9
		ls -A small && cat small/old.svg' "$WICK" >out 2>said
	ended "a full disk is an error" $? 0 "cannot write: small/new.svg: No space left on device"
	check "that leaves nothing new, and what was there" test "$(cat out)" = "old.svg
old"
	unshare -m sh -c 'mkdir -p fixed && mount -t tmpfs -o ro none fixed || exit 9
		"$0" convert in.folded -o fixed/new.svg' "$WICK" >out 2>said
	ended "so is one that is read-only" $? 1 "cannot write: fixed/new.svg: Read-only file system"
else
	skip "a full disk is an error" "needs root, to mount one"
	skip "that leaves nothing new, and what was there" "needs root, to mount one"
	skip "so is one that is read-only" "needs root, to mount one"
fi

# --- report

expect "report shows the top" 0 "66.67%" report in.folded
check "the largest self comes first" sh -c '"$0" report in.folded | sed -n 3p |
	grep -q "^ *40  66.67%  66.67%  *40  66.67%  read$"' "$WICK"
check "by total, main is first" sh -c '"$0" report --sort total in.folded | sed -n 3p |
	grep -q "main$"' "$WICK"
check "a recursive function counts once" sh -c '"$0" report --json p.pb.gz >r.json'  "$WICK"
check "shares are of the whole" json r.json 'd["total"] == 60 and d["type"] == "samples"'
check "and its total is not doubled" json r.json \
	'[r["total"] for r in d["rows"] if r["name"] == "run"] == [10]'
check "by process" sh -c '"$0" report --by comm --json in.folded >c.json' "$WICK"
check "each has its share" json c.json \
	'[(r["name"], r["total"]) for r in d["rows"]] == [("ls", 35), ("sh", 25)]'
check "the tree" sh -c '"$0" report --tree --json in.folded >t.json' "$WICK"
check "goes from the largest process down" json t.json \
	'[(n["depth"], n["name"], n["total"]) for n in d["tree"]][:5] ==
	[(0, "all", 60), (1, "ls", 35), (2, "main", 35), (3, "list", 35), (4, "read", 30)]'
check "--min-share cuts the tree" sh -c '"$0" report --tree --min-share 20 in.folded |
	grep -q fork && ! "$0" report --tree --min-share 30 in.folded | grep -q fork' "$WICK"
awk 'BEGIN { printf "sh"; for (i = 0; i < 300000; i++) printf ";f%d", i % 7; print " 1" }' >deep
check "a stack of 300,000 frames is no trouble" sh -c 'timeout 20 "$0" report --tree deep |
	tail -n 1 | grep -q "1 *f0$"' "$WICK"
check "--limit cuts the table and says so" sh -c '"$0" report -n 1 in.folded |
	grep -q "^(1 of 7 rows"' "$WICK"
check "a report goes to a file" sh -c '"$0" report in.folded -o r.txt && grep -q main r.txt' "$WICK"
expect "a label that is not there" 1 "--by pid" report --by pid in.folded
expect "a tree by processes is a usage error" 2 "--tree with --by" report --tree --by pid in.folded
expect "a bad share is a usage error" 2 "from 0 to 100" report --min-share x in.folded
expect "without a file it is wick.pb.gz" 1 "cannot read: wick.pb.gz" report
expect "a closed pipe is an error" 1 "cannot write" report in.folded -o /dev/full
printf 'sh;\033[2Jx 1\n' >control
expect "control characters are no folded stacks" 1 "neither" report control

# go_top FILE: "SELF TOTAL NAME" by go tool pprof; ours by report.
go_top() {
	go tool pprof -top -nodecount=0 -nodefraction=0 "$1" 2>/dev/null |
		awk 'on { $2 = $3 = $5 = ""; print } /flat%/ { on = 1 }' | tr -s ' '
}
our_top() {
	"$WICK" report -n 0 "$1" | awk 'NR > 2 { $2 = $3 = $5 = ""; print }' | tr -s ' '
}
if command -v go >/dev/null; then
	go_top p.pb.gz >go.top
	our_top p.pb.gz >our.top
	check "go tool pprof -top says the same" sh -c 'test -s go.top && diff go.top our.top'
	check "and as raw text both are one" sh -c 'go tool pprof -raw p.pb.gz 2>/dev/null >1.raw
		go tool pprof -raw again.pb.gz 2>/dev/null >2.raw; test -s 1.raw && cmp 1.raw 2.raw'
else
	skip "go tool pprof -top says the same" "there is no go"
	skip "and as raw text both are one" "there is no go"
fi

# --- symbolize

elf=$WORKLOADS/recurse
address=$(nm "$elf" | awk '$3 == "main" { print $1 }')
expect "an address has its function" 0 "0x$address main" symbolize -e "$elf" "$address"
expect "with 0x too" 0 " main" symbolize -e "$elf" "0x$address"
check "addresses come from standard input" sh -c 'echo "$2" | "$0" symbolize -e "$1" |
	grep -q " main"' "$WICK" "$elf" "$address"
check "as JSON" sh -c '"$0" symbolize --json -e "$1" "$2" >s.json' "$WICK" "$elf" "$address"
check "with the function's start" json s.json 'd["frames"][-1]["function"] == "main" and
	d["frames"][-1]["start"] == d["address"]'
expect "nothing there is ??" 0 "0xfffffffffffffff0 ??" symbolize -e "$elf" fffffffffffffff0
expect "a word that is no address" 2 "bad address: main" symbolize -e "$elf" main
expect "an address that is too large" 2 "bad address" symbolize -e "$elf" 12345678123456781
expect "a file that is not ELF" 1 "not an ELF file" symbolize -e in.folded 1
expect "no file" 2 "missing option: -e" symbolize 1
expect "a file that is not there" 1 "cannot read: nowhere: No such file" symbolize -e nowhere 1
expect "a folder" 1 "cannot read: .: Is a directory" symbolize -e . 1
expect "an empty file" 1 "not an ELF file" symbolize -e empty 1
head -c 3000 "$elf" >cut
expect "a cut ELF file" 1 "cannot read: cut: a damaged ELF file" symbolize -e cut 1
expect "random bytes" 1 "cannot read: random: not an ELF file" symbolize -e random 1
"$WICK" symbolize -e "$elf" "$address" >/dev/full 2>said
ended "a full standard output" $? 1 "cannot write: standard output: No space left"

# --- list and doctor

expect "list has the events" 0 "cpu " list
expect "with what they take" 0 "options: min=TIME, max=TIME, preempted, waker" list
expect "and have" 0 "labels: kind, owner, errno, lock" list
expect "which the help explains" 0 "range=A-B" record --help
expect "and the labels" 0 "cgroup " list
expect "and the formats" 0 ".pb.gz" list
check "as JSON" sh -c '"$0" list --json >l.json' "$WICK"
check "with names" json l.json 'd["events"][0]["name"] == "cpu" and len(d["writes"]) > 3'
check "each event is usable, or says why not and what is instead" json l.json \
	'all(e["usable"] or (e["lacks"] and all(l["reason"] and l["instead"] for l in e["lacks"]))
	     for e in d["events"])'
if [ "$(id -u)" = 0 ]; then
	cat >dry.py <<'END'
import json, subprocess, sys
# Of what takes something behind its name, one that every kernel with its kind of probe has.
examples = {"uprobe": "libc:malloc", "uretprobe": "libc:malloc", "fn": "libc:malloc",
            "usdt": "libstdc++:throw", "kprobe": "vfs_read", "kretprobe": "vfs_read",
            "rawtp": "sched_switch", "tracepoint": "sched:sched_switch", "sw": "cpu-migrations",
            "hw": "cycles"}
def event(name):
    return name + ":" + examples[name] if name in examples else name
wrong = [e["name"] for e in json.load(open("l.json"))["events"]
         if e["usable"] != (subprocess.run([sys.argv[1], "record", "--dry-run", "-q", "-e",
                                            event(e["name"]), "-o", "x.folded"]).returncode == 0)]
sys.exit(", ".join(wrong) or 0)
END
	check "what is usable loads, and nothing else does" python3 dry.py "$WICK"
else
	skip "what is usable loads, and nothing else does" "needs root"
fi
"$WICK" doctor >out 2>said
status=$?
check "it has a row for each event" sh -c 'grep -q "^[a-z]* *-e offcpu " out && grep -q -e "-e wall " out'
check "doctor ends with 0 or 3" test $status = 0 -o $status = 3
"$WICK" doctor --json >d.json 2>said
check "its rows have a state" json d.json \
	'all(r["state"] in ("ok", "degraded", "missing") and r["why"] for r in d)'
check "what is not ok has a fix" json d.json \
	'all(bool(r["fix"]) == (r["state"] != "ok") for r in d)'
if can_be_nobody; then
	nobody "" ./wick doctor >out 2>said
	ended "without privileges it is 3, and says which are missing" $? 3 "we lack CAP_BPF CAP_PERFMON"
	fix=$(grep -om 1 'setcap .*' out)
	nobody "" ./wick record --dry-run -o - >out 2>said
	ended "record says the same fix" $? 3 "$fix"
else
	skip "without privileges it is 3, and says which are missing" "needs root to drop them"
	skip "record says the same fix" "needs root to drop them"
fi

for tool in convert report symbolize list doctor; do
	expect "$tool has its help" 0 "usage: wick $tool" "$tool" --help
	check "$tool is in the man page" sh -c '"$0" help --man | grep -q "wick.* $1"' "$WICK" $tool
done

exit $failed
