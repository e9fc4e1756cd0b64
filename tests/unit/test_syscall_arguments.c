/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "profiler/kernel_types/syscall_arguments.h"
#include "tests/unit/unit.h"

struct argument_case {
	const char *name;
	const char *syscall, *argument;
	uint64_t value;
	const char *expected;		/* NULL: it is not in the table */
};

static const struct argument_case cases[] = {
	{ "the folder one is in", "openat", "dfd", (uint32_t)AT_FDCWD, "AT_FDCWD" },
	{ "the same in 64 bits", "openat", "dfd", (uint64_t)AT_FDCWD, "AT_FDCWD" },
	{ "another folder", "openat", "dfd", 5, "5" },
	{ "reading is what is left", "openat", "flags", 0, "O_RDONLY" },
	{ "flags beside it", "openat", "flags", O_CLOEXEC, "O_RDONLY|O_CLOEXEC" },
	{ "several", "openat", "flags", O_RDWR | O_CREAT | O_TRUNC, "O_RDWR|O_CREAT|O_TRUNC" },
	{ "a flag that holds another", "openat", "flags", O_WRONLY | O_SYNC, "O_WRONLY|O_SYNC" },
	{ "a file without a name, and no folder", "openat", "flags", O_RDWR | O_TMPFILE,
	  "O_RDWR|O_TMPFILE" },
	{ "bits without a name", "openat", "flags", 0x40000000, "O_RDONLY|0x40000000" },
	{ "a mode", "openat", "mode", 0644, "0644" },
	{ "no rights at all", "openat", "mode", 0, "0000" },
	{ "a mode with more than that", "chmod", "mode", 04755, "04755" },
	{ "access to what is there", "access", "mode", F_OK, "F_OK" },
	{ "access of two kinds", "faccessat", "mode", R_OK | X_OK, "R_OK|X_OK" },
	{ "protection", "mmap", "prot", PROT_READ | PROT_EXEC, "PROT_READ|PROT_EXEC" },
	{ "none", "mprotect", "prot", PROT_NONE, "PROT_NONE" },
	{ "a mapping", "mmap", "flags", MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	  "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS" },
	{ "no address", "mmap", "addr", 0, "NULL" },
	{ "an address", "mmap", "ret", 0x7f0000001000, "0x7f0000001000" },
	{ "no descriptor", "mmap", "fd", UINT32_MAX, "-1" },
	{ "a family", "socket", "family", AF_INET6, "AF_INET6" },
	{ "a kind of socket with flags", "socket", "type", SOCK_STREAM | SOCK_NONBLOCK,
	  "SOCK_STREAM|SOCK_NONBLOCK" },
	{ "an unknown family", "socket", "family", 99, "99" },
	{ "a signal", "kill", "sig", SIGTERM, "SIGTERM" },
	{ "only whether it could be sent", "kill", "sig", 0, "0" },
	{ "a group of processes", "kill", "pid", (uint32_t)-20, "-20" },
	{ "from the end", "lseek", "whence", SEEK_END, "SEEK_END" },
	{ "a clock", "clock_gettime", "which_clock", 1, "CLOCK_MONOTONIC" },
	{ "a command", "fcntl", "cmd", F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC" },
	{ "a command of a terminal", "ioctl", "cmd", 0x5401, "TCGETS" },
	{ "any other", "ioctl", "cmd", 0xc0045877, "0xc0045877" },
	{ "a futex operation", "futex", "op", FUTEX_WAKE | FUTEX_PRIVATE_FLAG,
	  "FUTEX_WAKE|FUTEX_PRIVATE_FLAG" },
	{ "a fork", "clone", "clone_flags", CLONE_CHILD_SETTID | SIGCHLD,
	  "CLONE_CHILD_SETTID|SIGCHLD" },
	{ "a clone without a signal", "clone", "clone_flags", CLONE_VM, "CLONE_VM" },
	{ "a clone that says nothing", "clone", "clone_flags", 0, "0" },
	{ "an operation on a set of files", "epoll_ctl", "op", 3, "EPOLL_CTL_MOD" },
	{ "advice", "madvise", "behavior", MADV_DONTNEED, "MADV_DONTNEED" },
	{ "for ever", "poll", "timeout_msecs", UINT32_MAX, "-1" },
	{ "a lock that does not wait", "flock", "cmd", 2 | 4, "LOCK_EX|LOCK_NB" },
	{ "options of a wait", "wait4", "options", 1, "WNOHANG" },
	{ "no options", "wait4", "options", 0, "0" },
	{ "flags of a call that the kernel calls otherwise", "umount2", "flags", 2, "MNT_DETACH" },
	{ "a number below zero", "getrusage", "who", (uint64_t)-1, "RUSAGE_CHILDREN" },
	{ "a user", "setresuid", "euid", 65534, "65534" },
	{ "a user that stays the same", "setresuid", "ruid", UINT32_MAX, "-1" },
	{ "a group that stays the same", "fchownat", "group", UINT32_MAX, "-1" },
	{ "what is asked of a traced task", "ptrace", "request", 0x4206, "PTRACE_SEIZE" },
	{ "and of what address", "ptrace", "addr", 0x7f00, "0x7f00" },
	{ "a command of BPF", "bpf", "cmd", 5, "BPF_PROG_LOAD" },
	{ "an option of a process", "prctl", "option", 22, "PR_SET_SECCOMP" },
	{ "a filter of system calls", "seccomp", "op", 1, "SECCOMP_SET_MODE_FILTER" },
	{ "how a module is loaded", "finit_module", "flags", 1 | 4,
	  "MODULE_INIT_IGNORE_MODVERSIONS|MODULE_INIT_COMPRESSED_FILE" },
	{ "how one is removed", "delete_module", "flags", O_NONBLOCK | O_TRUNC,
	  "O_NONBLOCK|O_TRUNC" },
	{ "a kernel for a crash", "kexec_load", "flags", 62 << 16 | 1,
	  "KEXEC_ARCH_X86_64|KEXEC_ON_CRASH" },
	{ "namespaces that one leaves", "unshare", "unshare_flags", CLONE_NEWNS | CLONE_NEWUSER,
	  "CLONE_NEWNS|CLONE_NEWUSER" },
	{ "what only its type says", "read", "count", 17, NULL },
	{ "an argument of no call", "openat", "nonsense", 1, NULL },
	{ "flags of one call are not those of another", "read", "flags", 1, NULL },
};

static void test_show(void **state)
{
	const struct argument_case *c = *state;
	const struct syscall_argument *argument = syscall_argument_find(c->syscall, c->argument);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!c->expected) {
		assert_null(argument);
		return;
	}
	assert_non_null(argument);
	syscall_argument_show(argument, c->value, &text);
	assert_string_equal(text.data, c->expected);
}

static const struct name_case {
	const char *name;
	const char *syscall, *argument;
	int64_t value;
	bool is_there;
} name_cases[] = {
	{ "O_CREAT", "openat", "flags", O_CREAT, true },
	{ "AT_FDCWD", "openat", "dfd", AT_FDCWD, true },
	{ "SIGKILL", "openat", "flags", SIGKILL, false },
	{ "PROT_EXEC", "mprotect", "prot", PROT_EXEC, true },
	{ "MSG_DONTWAIT", "recvfrom", "flags", MSG_DONTWAIT, true },
	{ "SIGKILL", "kill", "sig", SIGKILL, true },
	{ "CLONE_NEWUSER", "clone", "clone_flags", CLONE_NEWUSER, true },
	{ "SIGCHLD", "clone", "clone_flags", SIGCHLD, true },
	{ "MNT_DETACH", "umount2", "flags", 2, true },
	{ "__WCLONE", "wait4", "options", 0x80000000, true },
};

static void test_name(void **state)
{
	const struct name_case *c = *state;
	struct type_info type = { .kind = TYPE_OTHER };
	struct type_enumerator found;
	bool is_there = false;

	syscall_argument_name_type(syscall_argument_find(c->syscall, c->argument), &type);
	for (size_t i = 0; !type.provider->enumerator(&type, i, &found); i++) {
		if (strcmp(found.name, c->name) != 0)
			continue;
		is_there = true;
		assert_int_equal(found.value, c->value);
	}
	assert_int_equal(is_there, c->is_there);
}

/* Whoever reads a name in a trace may filter by it. */
static void test_shown(void **state)
{
	const char *syscall, *name;

	for (size_t i = 0; syscall_argument_at(i, &syscall, &name); i++) {
		const struct syscall_argument *argument =
			syscall_argument_find(syscall ?: "", name);
		struct type_info type = { .kind = TYPE_OTHER };
		struct type_enumerator found;

		if (!syscall_argument_has_words(argument))
			continue;
		syscall_argument_name_type(argument, &type);
		if (type.provider->enumerator(&type, 0, &found) < 0)
			fail_msg("%s %s has no names", syscall ?: "any", name);
		for (size_t k = 0; !type.provider->enumerator(&type, k, &found); k++) {
			_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

			syscall_argument_show(argument, (uint64_t)found.value, &text);
			if (!strstr(text.data, found.name))
				fail_msg("%s %s: %s is shown as %s", syscall ?: "any", name,
					 found.name, text.data);
		}
	}
}

static void test_used(void **state)
{
	const struct syscall_argument *mode = syscall_argument_find("openat", "mode");

	assert_false(syscall_argument_is_used(mode, O_RDONLY | O_CLOEXEC));
	assert_false(syscall_argument_is_used(mode, O_DIRECTORY));
	assert_true(syscall_argument_is_used(mode, O_RDWR | O_CREAT));
	assert_true(syscall_argument_is_used(mode, O_RDWR | O_TMPFILE));
	assert_true(syscall_argument_is_used(syscall_argument_find("chmod", "mode"), 0));
}

/* Else some would not be found. */
static void test_sorted(void **state)
{
	const char *syscall, *name;

	for (size_t i = 0; syscall_argument_at(i, &syscall, &name); i++) {
		const struct syscall_argument *found = syscall_argument_find(syscall ?: "", name);

		if (!found)
			fail_msg("%s %s is not in its place", syscall ?: "any", name);
	}
}

static bool format_has(const char *syscall, const char *name)
{
	char path[128], line[256], wanted[64];
	bool found = !strcmp(name, "ret");
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/syscalls/sys_enter_%s/format",
		 syscall);
	snprintf(wanted, sizeof(wanted), " %s;", name);
	f = fopen(path, "re");
	/* This kernel does without that call. */
	if (!f)
		return true;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, "field:") && strstr(line, wanted);
	fclose(f);
	return found;
}

/* Names that no kernel has would be of no use. */
static void test_names(void **state)
{
	const char *syscall, *name;

	if (access("/sys/kernel/tracing/events/syscalls/sys_enter_openat/format", R_OK)) {
		print_message("without tracefs nothing tells names of arguments\n");
		skip();
	}
	for (size_t i = 0; syscall_argument_at(i, &syscall, &name); i++)
		if (syscall && !format_has(syscall, name))
			fail_msg("%s has no argument %s", syscall, name);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("the mode of a file that is not made is no argument", test_used),
		UNIT_TEST("every name that stands for a number is shown as one", test_shown),
		UNIT_TEST("every argument of the table is found", test_sorted),
		UNIT_TEST("and has the name that the kernel gives it", test_names),
	};

	return unit_run_rows("arguments", test_show, UNIT_ROWS(cases)) +
	       unit_run_rows("names", test_name, UNIT_ROWS(name_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
