#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What runs in the virtual machine, as its first process. It judges nothing: outputs and exit
# statuses go to /out, and that to the second serial port, where test_kernels.py takes them from.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tracefs trace /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup /sys/fs/cgroup
ulimit -c 0
mkdir -p /out
cd /out || exit
uname -r >release
cp release release.truth
echo guest begins

# run NAME COMMAND...: leaves NAME.out, NAME.err and NAME.status.
run() {
	name=$1
	shift
	"$@" >"$name.out" 2>"$name.err" </dev/null
	echo $? >"$name.status"
	echo "$name: $(cut -d ' ' -f 1 /proc/uptime) s"
}

cpu1=/sys/devices/system/cpu/cpu1/online

# What spins on CPU 1 before it goes and what after it is back have stacks of different depth.
hotplug() {
	wick record -C 1 -F 199 -d 60 -o hotplug.folded &
	wick=$!
	taskset 2 recurse 60 3 &
	before=$!
	# It says what it samples by when it has begun.
	for _ in $(seq 100); do
		grep -q sampling hotplug.err && break
		sleep 0.2
	done
	sleep 2
	echo 0 >$cpu1
	cat /sys/devices/system/cpu/online
	sleep 1
	kill $before
	echo 1 >$cpu1
	cat /sys/devices/system/cpu/online
	sleep 1
	taskset 2 recurse 60 7 &
	after=$!
	sleep 3
	kill -INT $wick
	wait $wick
	status=$?
	kill $after
	return $status
}

# What workloads say of themselves is in *.truth; what they have to make is in sources.py, too.
workloads='
	faults minor faults.truth 2000
	faults brought brought.truth 50
	waits waits.truth sleep fault
	wakes 20 wakes.truth
	crowded 1 crowded.truth
	/bin/calls calls.truth
	convoy 1 4 convoy.truth
	endings exits 4
	endings kills 50
	endings segv
	true'

# What the kernel has counted. The console is a serial line: it interrupts.
tallies='
	cat /proc/softirqs >softirq.$when.truth
	cat /proc/interrupts >irq.$when.truth'
tally() {
	when=$1 sh -c "$tallies"
}
interrupting="
	when=begun; $tallies
	for i in 1 2 3; do echo interrupting >/dev/console; sleep 0.3; done
	when=last; $tallies"

run verify verify /objects/*.bpf.o
# These are recorded below, probes in their own way.
truths=cpu,offcpu,runq,wakeup,switch,syscall,lock,fault,signal,exit
probes=uprobe,uretprobe,fn,usdt,kprobe,kretprobe,rawtp,tracepoint,sw,hw
for event in $(wick record --help | sed -n '/^Values of --event/,/^$/s/^  \([^ ]*\) .*/\1/p'); do
	case ,$truths,$probes,wall,irq,softirq, in
	*,$event,*) ;;
	*) run "event-$event" wick record --dry-run --debug libbpf -e "$event" ;;
	esac
done
run sources wick record --stats -e $truths -o sources.pb.gz -- sh -c "$workloads"
run kernel-locks wick record --stats -e cpu,lock,kernel -o kernel-locks.pb.gz -- contend 1 4 mmap
run contention ls -d /sys/kernel/tracing/events/lock/contention_begin
tally before
run interrupts wick record --stats -e irq,softirq -o interrupts.pb.gz -a -- sh -c "$interrupting"
tally after
# Functions and tracepoints that these come to, a known number of times.
probed='
	probed args 200
	probed recurse 20 10
	probed sleep 20 5000
	/bin/calls calls.truth
	for i in 1 2 3 4 5; do cat /tmp/marked; done'
echo marked >/tmp/marked
run probes-user wick record --stats -o probes-user.pb.gz \
	-e 'uprobe:/bin/probed:add_up,value=arg2,filter=arg1 >= 50' \
	-e 'uprobe:/bin/probed:tiny' -e 'fn:/bin/probed:go_down' -- sh -c "$probed"
run probes-kernel wick record --stats -o probes-kernel.pb.gz -e cpu \
	-e 'kprobe:vfs_open,filter=path->dentry->d_name.name == "marked"' \
	-e 'kprobe:vfs_ope[n],filter=comm == "cat",label=path->dentry->d_name.name' \
	-e 'kretprobe:do_sys_openat2,value=ret,filter=ret == -20 && comm == "calls"' \
	-e 'tracepoint:syscalls:sys_enter_preadv,filter=comm == "calls"' \
	-e 'tracepoint:sched:sched_process_exec,filter=filename == "/bin/probed"' \
	-e 'rawtp:sched_process_exit,filter=p->comm == "cat"' \
	-e 'kretprobe:do_filp_open,filter=pathname->name == "/tmp/marked",label=pathname->name' \
	-e 'kretprobe:do_filp_ope[n],filter=comm == "cat"' \
	-e 'kretprobe:hrtimer_nanosleep,min=4ms,filter=comm == "probed"' -- sh -c "$probed"
run probe-functions probe_functions
# What wick's own programs call: it must not run inside itself for ever.
run probes-self wick record --stats -d 2 -o probes-self.pb.gz -e kprobe:bpf_ktime_get_ns \
	-e kretprobe:bpf_ktime_get_ns -e cpu
run list-entry wick list kprobe:vfs_read
run list-call wick list --json kretprobe:vfs_read
run list-offered wick list
run trace-call wick trace --json -o trace-call.json \
	'kretprobe:do_sys_openat2,filter=comm == "cat" && filename == "/tmp/marked"' -- \
	sh -c "$probed"
run trace-open wick trace open --json -o trace-open.json -- sh -c "$probed"

# Programs of a file that is known by then, each of which ends before anybody learns of it.
# Of busybox, whose shell begins them, nothing says how to unwind it.
moments='for i in $(seq 200); do recurse 0 5; done'
run moments wick record --stats -n recurse -e syscall -o moments.pb.gz -- sh -c "$moments"
cp moments.err moments.truth
run wall wick record --stats -e wall -o wall.pb.gz -- waits wall.truth cycles
run depth wick record --stats -F 199 -d 3 -o depth.folded -- recurse 4 40
# Two processes of one shell: one is its child, the other is what it becomes.
run chain wick record --stats -F 199 -d 3 -o chain.folded -- \
	sh -c 'recurse-static 4 20 & exec recurse 4 10'
run hotplug hotplug
mount -t tmpfs nothing /sys/kernel/btf
run no-btf wick record -d 1 -o no-btf.folded
umount /sys/kernel/btf
run doctor wick doctor
# The same state as by lockdown=confidentiality on the kernel's command line, and no way back.
mount -t securityfs security /sys/kernel/security
echo confidentiality >/sys/kernel/security/lockdown
run lockdown wick record -d 1 -o lockdown.folded
run lockdown-doctor wick doctor

dmesg >dmesg
stty raw -echo </dev/ttyS1
tar -cz -f /dev/ttyS1 -C / out
sleep 1
poweroff -f
