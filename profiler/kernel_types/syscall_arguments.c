/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_types/syscall_arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/kernel_types/syscall_flags.h"
#include "profiler/kernel_types/tracepoint_symbols.h"
#include "profiler/sources/source_rows.h"
#include "profiler/sources/syscalls.h"

/* The signal that a clone() sends at its end, among flags. */
#define CLONE_SIGNAL_MASK 0xffull

enum argument_form {
	FORM_NAMES,		/* as its set has them */
	FORM_CLONE,		/* a signal with the set's flags */
	FORM_FOLDER,		/* a descriptor, or AT_FDCWD */
	FORM_SIGNAL,
	FORM_INT,		/* 32 bits, signed */
	FORM_ID,		/* of a user or group; -1: as it is */
	FORM_OCTAL,
	FORM_HEXADECIMAL,
};

struct syscall_argument {
	const char *syscall;		/* "": any */
	const char *name;
	enum argument_form form;
	const struct flag_set *set;
	/* There only with one of these bits in the argument "flags"; 0: always. */
	uint64_t with_flags;
};

/* What makes a file takes its mode. */
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

/* By system call and name, as they are looked up. */
static const struct syscall_argument table[] = {
	{ "", "dfd", FORM_FOLDER },
	{ "", "egid", FORM_ID },
	{ "", "epfd", FORM_INT },
	{ "", "euid", FORM_ID },
	{ "", "fd", FORM_INT },
	{ "", "group", FORM_ID },
	{ "", "newdfd", FORM_FOLDER },
	{ "", "olddfd", FORM_FOLDER },
	{ "", "pid", FORM_INT },
	{ "", "rgid", FORM_ID },
	{ "", "ruid", FORM_ID },
	{ "", "sgid", FORM_ID },
	{ "", "sig", FORM_SIGNAL },
	{ "", "suid", FORM_ID },
	{ "", "timeout", FORM_INT },
	{ "", "timeout_msecs", FORM_INT },
	{ "", "upid", FORM_INT },
	{ "", "user", FORM_ID },
	{ "accept4", "flags", FORM_NAMES, &flags_accept },
	{ "access", "mode", FORM_NAMES, &flags_access },
	{ "arch_prctl", "option", FORM_NAMES, &flags_arch },
	{ "bpf", "cmd", FORM_NAMES, &flags_bpf },
	{ "brk", "brk", FORM_HEXADECIMAL },
	{ "brk", "ret", FORM_HEXADECIMAL },
	{ "chmod", "mode", FORM_OCTAL },
	{ "clock_adjtime", "which_clock", FORM_NAMES, &flags_clock },
	{ "clock_getres", "which_clock", FORM_NAMES, &flags_clock },
	{ "clock_gettime", "which_clock", FORM_NAMES, &flags_clock },
	{ "clock_nanosleep", "flags", FORM_NAMES, &flags_timer },
	{ "clock_nanosleep", "which_clock", FORM_NAMES, &flags_clock },
	{ "clock_settime", "which_clock", FORM_NAMES, &flags_clock },
	{ "clone", "clone_flags", FORM_CLONE, &flags_clone },
	{ "creat", "mode", FORM_OCTAL },
	{ "delete_module", "flags", FORM_NAMES, &flags_module_end },
	{ "dup3", "flags", FORM_NAMES, &flags_pipe },
	{ "epoll_create1", "flags", FORM_NAMES, &flags_epoll_create },
	{ "epoll_ctl", "op", FORM_NAMES, &flags_epoll_op },
	{ "eventfd2", "flags", FORM_NAMES, &flags_eventfd },
	{ "execveat", "fd", FORM_FOLDER },
	{ "execveat", "flags", FORM_NAMES, &flags_at },
	{ "faccessat", "mode", FORM_NAMES, &flags_access },
	{ "faccessat2", "flags", FORM_NAMES, &flags_at },
	{ "faccessat2", "mode", FORM_NAMES, &flags_access },
	{ "fadvise64", "advice", FORM_NAMES, &flags_fadvise },
	{ "fallocate", "mode", FORM_NAMES, &flags_allocate },
	{ "fchmod", "mode", FORM_OCTAL },
	{ "fchmodat", "mode", FORM_OCTAL },
	{ "fchmodat2", "flags", FORM_NAMES, &flags_at },
	{ "fchmodat2", "mode", FORM_OCTAL },
	{ "fchownat", "flag", FORM_NAMES, &flags_at },
	{ "fcntl", "arg", FORM_HEXADECIMAL },
	{ "fcntl", "cmd", FORM_NAMES, &flags_fcntl },
	{ "finit_module", "flags", FORM_NAMES, &flags_module },
	{ "flock", "cmd", FORM_NAMES, &flags_flock },
	{ "futex", "op", FORM_NAMES, &flags_futex },
	{ "getpriority", "which", FORM_NAMES, &flags_priority },
	{ "getrandom", "flags", FORM_NAMES, &flags_random },
	{ "getrlimit", "resource", FORM_NAMES, &flags_resource },
	{ "getrusage", "who", FORM_NAMES, &flags_usage },
	{ "getsockopt", "level", FORM_NAMES, &flags_socket_level },
	{ "inotify_init1", "flags", FORM_NAMES, &flags_inotify },
	{ "ioctl", "arg", FORM_HEXADECIMAL },
	{ "ioctl", "cmd", FORM_NAMES, &flags_ioctl },
	{ "kexec_file_load", "flags", FORM_NAMES, &flags_kexec_file },
	{ "kexec_load", "entry", FORM_HEXADECIMAL },
	{ "kexec_load", "flags", FORM_NAMES, &flags_kexec },
	{ "linkat", "flags", FORM_NAMES, &flags_at },
	{ "lseek", "whence", FORM_NAMES, &flags_whence },
	{ "madvise", "behavior", FORM_NAMES, &flags_advice },
	{ "membarrier", "cmd", FORM_NAMES, &flags_membarrier },
	{ "memfd_create", "flags", FORM_NAMES, &flags_memfd },
	{ "mkdir", "mode", FORM_OCTAL },
	{ "mkdirat", "mode", FORM_OCTAL },
	{ "mknod", "mode", FORM_OCTAL },
	{ "mknodat", "mode", FORM_OCTAL },
	{ "mmap", "addr", FORM_HEXADECIMAL },
	{ "mmap", "flags", FORM_NAMES, &flags_mapping },
	{ "mmap", "off", FORM_HEXADECIMAL },
	{ "mmap", "prot", FORM_NAMES, &flags_protection },
	{ "mmap", "ret", FORM_HEXADECIMAL },
	{ "mount", "flags", FORM_NAMES, &flags_mount },
	{ "mprotect", "prot", FORM_NAMES, &flags_protection },
	{ "mprotect", "start", FORM_HEXADECIMAL },
	{ "mremap", "addr", FORM_HEXADECIMAL },
	{ "mremap", "flags", FORM_NAMES, &flags_remap },
	{ "mremap", "new_addr", FORM_HEXADECIMAL },
	{ "mremap", "ret", FORM_HEXADECIMAL },
	{ "msync", "flags", FORM_NAMES, &flags_sync_mapping },
	{ "munmap", "addr", FORM_HEXADECIMAL },
	{ "newfstatat", "flag", FORM_NAMES, &flags_at },
	{ "open", "flags", FORM_NAMES, &flags_open },
	{ "open", "mode", FORM_OCTAL, NULL, MAKES_FILE },
	{ "openat", "flags", FORM_NAMES, &flags_open },
	{ "openat", "mode", FORM_OCTAL, NULL, MAKES_FILE },
	{ "pipe2", "flags", FORM_NAMES, &flags_pipe },
	{ "pkey_mprotect", "prot", FORM_NAMES, &flags_protection },
	{ "prctl", "option", FORM_NAMES, &flags_prctl },
	{ "prlimit64", "resource", FORM_NAMES, &flags_resource },
	{ "ptrace", "addr", FORM_HEXADECIMAL },
	{ "ptrace", "data", FORM_HEXADECIMAL },
	{ "ptrace", "request", FORM_NAMES, &flags_ptrace },
	{ "recvfrom", "flags", FORM_NAMES, &flags_message },
	{ "recvmmsg", "flags", FORM_NAMES, &flags_message },
	{ "recvmsg", "flags", FORM_NAMES, &flags_message },
	{ "renameat2", "flags", FORM_NAMES, &flags_rename },
	{ "rt_sigprocmask", "how", FORM_NAMES, &flags_mask_how },
	{ "sched_setscheduler", "policy", FORM_NAMES, &flags_policy },
	{ "seccomp", "flags", FORM_NAMES, &flags_seccomp_filter },
	{ "seccomp", "op", FORM_NAMES, &flags_seccomp },
	{ "sendmmsg", "flags", FORM_NAMES, &flags_message },
	{ "sendmsg", "flags", FORM_NAMES, &flags_message },
	{ "sendto", "flags", FORM_NAMES, &flags_message },
	{ "setns", "flags", FORM_NAMES, &flags_clone },
	{ "setpriority", "which", FORM_NAMES, &flags_priority },
	{ "setrlimit", "resource", FORM_NAMES, &flags_resource },
	{ "setsockopt", "level", FORM_NAMES, &flags_socket_level },
	{ "shmat", "ret", FORM_HEXADECIMAL },
	{ "shutdown", "how", FORM_NAMES, &flags_shutdown },
	{ "signalfd4", "flags", FORM_NAMES, &flags_pipe },
	{ "socket", "family", FORM_NAMES, &flags_family },
	{ "socket", "type", FORM_NAMES, &flags_socket },
	{ "socketpair", "family", FORM_NAMES, &flags_family },
	{ "socketpair", "type", FORM_NAMES, &flags_socket },
	{ "splice", "flags", FORM_NAMES, &flags_splice },
	{ "statx", "flags", FORM_NAMES, &flags_at },
	{ "statx", "mask", FORM_NAMES, &flags_stat_mask },
	{ "tee", "flags", FORM_NAMES, &flags_splice },
	{ "timer_create", "which_clock", FORM_NAMES, &flags_clock },
	{ "timer_settime", "flags", FORM_NAMES, &flags_timer },
	{ "timerfd_create", "clockid", FORM_NAMES, &flags_clock },
	{ "timerfd_create", "flags", FORM_NAMES, &flags_timerfd },
	{ "timerfd_settime", "flags", FORM_NAMES, &flags_timer },
	{ "umask", "mask", FORM_OCTAL },
	{ "umount", "flags", FORM_NAMES, &flags_unmount },
	{ "unlinkat", "flag", FORM_NAMES, &flags_unlink },
	{ "unshare", "unshare_flags", FORM_NAMES, &flags_clone },
	{ "utimensat", "flags", FORM_NAMES, &flags_at },
	{ "vmsplice", "flags", FORM_NAMES, &flags_splice },
	{ "wait4", "options", FORM_NAMES, &flags_wait },
	{ "waitid", "options", FORM_NAMES, &flags_wait },
	{ "waitid", "which", FORM_NAMES, &flags_wait_kind },
};

static int compare(const void *a, const void *b)
{
	const struct syscall_argument *x = a, *y = b;

	return strcmp(x->syscall, y->syscall) ?: strcmp(x->name, y->name);
}

static const struct syscall_argument *find(const char *syscall, const char *name)
{
	const struct syscall_argument key = { .syscall = syscall, .name = name };

	return bsearch(&key, table, ARRAY_SIZE(table), sizeof(table[0]), compare);
}

const struct syscall_argument *syscall_argument_find(const char *syscall, const char *name)
{
	return find(syscall_kernel_name(syscall), name) ?: find("", name);
}

bool syscall_argument_at(size_t index, const char **ret_syscall, const char **ret_name)
{
	if (index >= ARRAY_SIZE(table))
		return false;
	*ret_syscall = table[index].syscall[0] ? table[index].syscall : NULL;
	*ret_name = table[index].name;
	return true;
}

bool syscall_argument_has_words(const struct syscall_argument *argument)
{
	return argument->form == FORM_NAMES || argument->form == FORM_CLONE ||
	       argument->form == FORM_FOLDER || argument->form == FORM_SIGNAL;
}

bool syscall_argument_is_used(const struct syscall_argument *argument, uint64_t flags)
{
	return !argument->with_flags || argument->with_flags & flags;
}

/* ---- by name ---- */

/* Those of the set come first, then those that the form has itself. */
static int enumerator_at(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	static const struct type_enumerator folder = { "AT_FDCWD", AT_FDCWD };
	const struct syscall_argument *argument =
		(const struct syscall_argument *)(uintptr_t)type->id;
	const struct flag_name *names = argument->set ? argument->set->names : NULL;
	const struct type_enumerator *others = NULL;
	size_t count = 0;

	for (; names && names->name; names++, index--) {
		if (index)
			continue;
		*ret = (struct type_enumerator){ names->name, (int64_t)names->value };
		return 0;
	}
	if (argument->form == FORM_SIGNAL || argument->form == FORM_CLONE) {
		others = tracepoint_symbols_signals(&count);
	} else if (argument->form == FORM_FOLDER) {
		others = &folder;
		count = 1;
	}
	if (index >= count)
		return -ENOENT;
	*ret = others[index];
	return 0;
}

void syscall_argument_name_type(const struct syscall_argument *argument, struct type_info *type)
{
	static const struct type_provider names = { .enumerator = enumerator_at };

	type->provider = &names;
	type->id = (uintptr_t)argument;
}

/* ---- as text ---- */

static const char *name_of(const struct flag_name *names, uint64_t value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

static void add_part(struct strbuf *ret, const char **bar, const char *text)
{
	strbuf_printf(ret, "%s%s", *bar, text);
	*bar = "|";
}

/* Names of the bits of @value; the rest as a number. */
static void add_flags(const struct flag_set *set, uint64_t value, struct strbuf *ret,
		      const char **bar)
{
	char rest[32];

	for (const struct flag_name *n = set->names; n->name; n++) {
		if (!(n->value & ~set->mask) || (n->value & value) != n->value)
			continue;
		add_part(ret, bar, n->name);
		value &= ~n->value;
	}
	if (!value)
		return;
	snprintf(rest, sizeof(rest), "0x%" PRIx64, value);
	add_part(ret, bar, rest);
}

static void add_names(const struct flag_set *set, uint64_t value, struct strbuf *ret)
{
	const char *name = name_of(set->names, value & set->mask), *bar = "";
	uint64_t flags = value & ~set->mask;
	char number[32];

	if (set->mask && !name)
		snprintf(number, sizeof(number), value >> 16 ? "0x%" PRIx64 : "%" PRIu64,
			 value & set->mask);
	/* Nothing at all has a name, too, when there is no number beside the flags. */
	if (set->mask)
		add_part(ret, &bar, name ?: number);
	else if (!flags)
		add_part(ret, &bar, name ?: "0");
	add_flags(set, flags, ret, &bar);
}

static void add_signal(uint64_t value, struct strbuf *ret)
{
	char name[32];

	if (!value) {
		strbuf_add_char(ret, '0');
		return;
	}
	source_signal_name(value, name, sizeof(name));
	strbuf_add_text(ret, name);
}

static void add_clone(const struct flag_set *set, uint64_t value, struct strbuf *ret)
{
	uint64_t number = value & CLONE_SIGNAL_MASK;
	const char *bar = "";

	add_flags(set, value & ~CLONE_SIGNAL_MASK, ret, &bar);
	if (number)
		strbuf_add_text(ret, bar);
	if (number || !*bar)
		add_signal(number, ret);
}

void syscall_argument_show(const struct syscall_argument *argument, uint64_t value,
			   struct strbuf *ret)
{
	/* Arguments of 32 bits have no more that counts; those of 64 are small, where they have names. */
	uint64_t low = (uint32_t)value;

	switch (argument->form) {
	case FORM_NAMES:
		add_names(argument->set, low, ret);
		break;
	case FORM_CLONE:
		add_clone(argument->set, low, ret);
		break;
	case FORM_FOLDER:
		if ((int32_t)value == AT_FDCWD)
			strbuf_add_text(ret, "AT_FDCWD");
		else
			strbuf_printf(ret, "%" PRId32, (int32_t)value);
		break;
	case FORM_SIGNAL:
		add_signal(low, ret);
		break;
	case FORM_INT:
		strbuf_printf(ret, "%" PRId32, (int32_t)value);
		break;
	case FORM_ID:
		strbuf_printf(ret, "%" PRId64, low == UINT32_MAX ? -1 : (int64_t)low);
		break;
	case FORM_OCTAL:
		strbuf_printf(ret, "0%03" PRIo64, low);
		break;
	case FORM_HEXADECIMAL:
		strbuf_printf(ret, value ? "0x%" PRIx64 : "NULL", value);
		break;
	}
}
