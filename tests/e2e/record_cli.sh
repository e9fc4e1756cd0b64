#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# wick record as its users meet it: exit status, messages, signals, commands and files.
set -u

# What is ignored when a shell starts stays so, and wick heeds that: under nohup the cases of
# SIGHUP would test something else.
if [ -z "${WICK_SIGNALS_RESET-}" ]; then
	WICK_SIGNALS_RESET=1 exec env --default-signal "$0" "$@"
fi

if [ "$(id -u)" != 0 ]; then
	echo "sampling needs root"
	exit 77
fi
. "$(dirname "$0")/lib.sh"

# start COMMAND...: in the background as $wick, sampling when this returns.
start() {
	: >said	# now, or the wait below might find what the run before has said
	"$@" >out 2>said &
	wick=$!
	for _ in $(seq 100); do
		grep -q '^wick: sampling' said && return
		sleep 0.1
	done
}

# ends NAME STATUS: what start() began ends by itself, soon, with STATUS.
ends() {
	( sleep 30; kill -KILL $wick ) 2>/dev/null &
	guard=$!
	wait $wick
	status=$?
	kill $guard 2>/dev/null
	echo "status $status, wanted $2" >>said
	[ $status = "$2" ]
	verdict "$1" $?
}

# What runs while wick looks at the whole machine: no profile below is empty by accident.
sh -c 'while :; do :; done' &
busy=$!
trap 'kill $busy 2>/dev/null' EXIT

# --- the command line

expect "no command is a usage error with the list of commands" 2 "usage: wick COMMAND"
expect "the version is printed" 0 "wick " --version
expect "help lists the commands" 0 "record" help
expect "a command has its own help" 0 "usage: wick record" record --help
expect "help of a command is the same" 0 "usage: wick record" help record
expect "an unknown command names the nearest" 2 "did you mean record?" recrod
expect "an unknown option names the nearest" 2 "did you mean --frequency?" record --frequenzy 9
expect "a bad number is a usage error" 2 "bad value: --frequency 0" record -F 0
expect "a bad time is a usage error" 2 "bad value: --duration never" record -d never
expect "a missing value is a usage error" 2 "missing value: -F" record -F
expect "a stray word is a usage error" 2 "behind --" record sleep 1
expect "nothing behind -- is a usage error" 2 "missing command" record --
expect "the whole machine excludes a process" 2 "--all with --pid" record -a -p 1
expect "an unknown user is a usage error" 2 "no such user" record -u no-such-user
expect "an unknown event is a usage error" 2 "unknown event: nonesuch" record -e nonesuch
expect "an unknown event names the nearest" 2 "did you mean cpu?" record -e cup
expect "a value that there will not be is a usage error" 2 "there will be samples, cpu" \
	record --value bogus -o x.folded
expect "a setting before its event is a usage error" 2 "before the first event" record -e min=1ms
expect "a process that is not there is an error" 1 4194304 record -p 4194304 -d 1 -o x.folded
expect "the man page has every option" 0 "no\\-inherit" help --man

# --- outputs, which are tried before anything is profiled

expect "an unknown suffix is a usage error" 2 "unknown format: x.foldd" record -o x.foldd
expect "an unknown format names the nearest" 2 "did you mean folded?" record --format foldd
expect "a folder is no output" 1 "cannot write: .: Is a directory" record -o .
expect "a missing folder is an error" 1 "No such file or directory" record -o no/x.folded
expect "a file is no folder" 1 "Not a directory" record -o said/x.folded
expect "one file twice is a usage error" 2 "given twice" record -o x.folded -o x.folded
if can_be_nobody; then
	mkdir -m 755 locked
	nobody "" ./wick record -o locked/x.folded >out 2>said
	ended "a folder without the right to write is an error" $? 1 \
		"cannot write: locked/x.folded: Permission denied"
	nobody "" ./wick record --dry-run -o - >out 2>said
	ended "without privileges the status is 3" $? 3 "setcap cap_bpf,cap_perfmon"
	check "and one line says what is missing" [ "$(grep -c '^wick: ' said)" = 1 ]
	nobody bpf ./wick record --dry-run -o - >out 2>said
	ended "half of them are not enough" $? 3 "setcap cap_bpf,cap_perfmon"
	nobody bpf,perfmon,sys_ptrace,dac_read_search,checkpoint_restore,syslog \
		./wick record -d 0.2 -o - >out 2>said
	ended "those that are named are" $? 0 ""
else
	skip "what a user without privileges sees" "this machine cannot drop them"
fi
check "none of these left a file behind" [ -z "$(find . -name '*.folded' -o -name '.wick-*')" ]

expect "a dry run loads everything" 0 "" record --dry-run -o dry.folded
check "and writes nothing" [ ! -e dry.folded ]
expect "a dry run does not run the command" 0 "" record --dry-run -o dry.folded -- touch ran
check "indeed not" [ ! -e ran ]

expect "suffixes choose formats" 0 "wrote" record -d 0.5 -o a.pb.gz -o a.folded
check "the one is gzip" gzip -t a.pb.gz
check "the other is lines of stacks and counts" grep -qE '^[^;]+(;.*)? [0-9]+$' a.folded
expect "the default is wick.pb.gz" 0 "wick report wick.pb.gz" record -d 0.2
check "which is there" gzip -t wick.pb.gz
expect "a format gives the default its suffix" 0 "wick.folded" record -d 0.2 --format folded
expect "a file without a suffix needs a format" 0 "" record -d 0.2 -o plain --format folded
expect "standard output gets pprof" 0 "" record -q -d 0.2 -o -
check "and nothing but pprof" gzip -t <out
check "quiet says nothing" [ ! -s said ]
expect "standard output gets a format" 0 "" record -d 0.5 -o - --format folded
check "and nothing else" [ -z "$(grep -vE ' [0-9]+$' out)" ]
expect "a full device is an error" 1 "No space left" record -d 0.2 -o /dev/full --format pprof
expect "one full device does not stop the other file" 1 "" \
	record -d 0.2 -o /dev/full --format pprof -o beside.pb.gz
check "which is whole" gzip -t beside.pb.gz
"$WICK" record -d 0.2 -o - >/dev/full 2>said
check "a full standard output is an error" [ $? = 1 ]
{ "$WICK" record -d 0.5 -o - 2>said; echo $? >status; } | true
check "a closed pipe is an error" [ "$(cat status)" = 1 ]
check "which is said" grep -q "standard output: Broken pipe" said
"$WICK" record -d 0.2 -o - >&- 2>said
check "a closed standard output is an error" [ $? = 1 ]
"$WICK" record -d 0.2 -o closed.folded >/dev/null 2>&-
check "closed standard error is none" [ $? = 0 ]
expect "a profile without samples is a warning" 0 "warning: no samples" \
	record -d 0.2 -n 'no-such-name' -o empty.folded
check "and an empty file" [ -e empty.folded -a ! -s empty.folded ]
expect "pprof without samples is a whole file" 0 "" record -d 0.2 -n 'no-such-name' -o empty.pb.gz
check "that can be read" gzip -t empty.pb.gz

# --- what a machine may lack

if unshare -m true 2>/dev/null; then
	unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && "$0" record -d 0.2 -o x.folded' \
		"$WICK" >out 2>said
	ended "a kernel without types is not supported" $? 3 "CONFIG_DEBUG_INFO_BTF"
	unshare -p -f --mount-proc "$WICK" record -d 0.2 -o x.folded >out 2>said
	ended "nor is a PID namespace" $? 3 "a container with --pid=host"
	unshare -m sh -c 'mkdir -p small && mount -t tmpfs -o size=64k none small &&
		head -c 60000 /dev/zero >small/full && echo old >small/old.folded || exit 9
		"$0" record -a -d 0.5 -F 999 -o small/old.folded -o beside.pb.gz
		status=$?
		cat small/old.folded
		ls -A small
		exit $status' "$WICK" >out 2>said
	ended "a disk that gets full is an error" $? 1 "cannot write: small/old.folded: No space left"
	check "that leaves what was there" [ "$(cat out)" = "old
full
old.folded" ]
	check "and the other file is whole" gzip -t beside.pb.gz
else
	skip "what a machine may lack" "no mount namespaces here"
fi
prlimit --nofile=30:30 "$WICK" record -d 0.2 -o x.folded >out 2>said
ended "too few open files are an error" $? 1 "cannot work with 30 open files"
prlimit --nofile=200:200 "$WICK" record -d 0.2 -o few.folded >out 2>said
ended "few are said" $? 0 "at most 200 open files"
check "and no file was left by what could not be" [ ! -e x.folded ]
if command -v setpriv >/dev/null; then
	setpriv --bounding-set -sys_resource prlimit --memlock=65536 "$WICK" record -d 0.2 \
		-o limit.folded >out 2>said
	ended "a limit of locked memory that cannot be raised is no error" $? 0 ""
fi

# --- commands

expect "the status is the command's" 7 "" record -q -o c.folded -- sh -c 'exit 7'
expect "a command's success is ours" 0 "" record -q -o c.folded -- true
expect "a killed command gives 128 and the signal" 137 "" record -q -o c.folded -- sh -c 'kill -9 $$'
rm -f c.folded
expect "a command that is not there gives 127" 127 "cannot run: ./nonesuch" \
	record -o c.folded -- ./nonesuch
expect "one that is no program gives 126" 126 "cannot run: ./said" record -o c.folded -- ./said
check "and no file is written" [ ! -e c.folded ]
expect "our failure wins over its status" 1 "No space left" \
	record -o /dev/full --format pprof -- sh -c 'exit 7'
expect "after its time a command is ended" 0 "" record -q -d 0.3 -o c.folded -- sleep 20
expect "a command may choose its status then" 5 "" \
	record -q -d 0.3 -o c.folded -- sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
expect "a command may only be how long to sample" 0 "" record -a -o clock.folded -- sleep 0.5
check "then others are in the profile" grep -q '^sh;' clock.folded
expect "a command runs through the delay" 3 "" record -q -D 0.3 -o c.folded -- sh -c 'sleep 1; exit 3'
# The first 31 signals: libc keeps 32 and 33 to itself, and no program can hand them on.
show='sed -n "s/^\(Sig[BIC][lg][knt]:\).*\(.......\)/\1 \2/p" /proc/self/status; ls /proc/self/fd'
sh -c "$show" >direct
"$WICK" record -q -o c.folded -- sh -c "$show" >out 2>said
check "a command gets our signals and files as they were" diff direct out

# --- ends

sleep 3 &
expect "the end of all targets is the end" 0 "all targets have ended" record -p $! -o p.folded
begin=$(date +%s%N)
expect "a delay comes before the time to sample" 0 "" record -q -D 0.6 -d 0.4 -o d.folded
check "both are waited for" [ $(($(date +%s%N) - begin)) -ge 1000000000 ]

for signal in INT TERM HUP; do
	rm -f s.folded
	start "$WICK" record -v -o s.folded
	kill -$signal $wick
	ends "SIG$signal finishes" 0
	check "and writes after SIG$signal" [ -e s.folded ]
done
start "$WICK" record -v -o s.folded -- sleep 20
kill -TERM $wick
ends "a signal for us ends the command" 0
"$WICK" record -D 20 -o delayed.folded >out 2>said &
wick=$!
sleep 1
kill -INT $wick
ends "a signal ends the delay" 0
check "and writes what is not there" [ -e delayed.folded ]

# A pipe that nobody reads keeps it from ending.
mkfifo pipe
echo old >kept.folded
start "$WICK" record -v -o pipe --format folded -o kept.folded
kill -INT $wick
sleep 0.5
kill -INT $wick
ends "a second SIGINT ends it at once" 130
check "and leaves the old file as it was" [ "$(cat kept.folded)" = old ]
start "$WICK" record -v -o kept.folded -- sh -c 'trap "" TERM; sleep 5; touch survived'
kill -TERM $wick
sleep 0.5
kill -TERM $wick
ends "a second SIGTERM does not wait for the command" 143
check "but writing was over, and the file is whole" [ "$(cat kept.folded)" != old ]
start nohup "$WICK" record -v -d 2 -o n.folded
kill -HUP $wick
ends "nohup is respected" 0
check "to the end" grep -qE "taken in (2|1\.9)" said
check "no temporary file is left" [ -z "$(find . -name '.wick-*')" ]

exit $failed
