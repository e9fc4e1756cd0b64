/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/privileges.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/session.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"
/* PROC_PID_INIT_INO, the same on every kernel. */
#define PID_NAMESPACE_FIRST "pid:[4026531836]"

/*
 * The first two are what the kernel asks of whoever loads and attaches. Without
 * the next two other users' programs cannot be read, without
 * CAP_CHECKPOINT_RESTORE not those that were deleted since (/proc/PID/map_files),
 * and without CAP_SYSLOG the kernel's functions have no names.
 */
const char *session_privileges(void)
{
	return "run as root, or: setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,"
	       "cap_checkpoint_restore,cap_syslog+ep wick";
}

/* The text between the brackets is what counts: "none [integrity] confidentiality". */
static bool is_locked_down(void)
{
	_cleanup_fclose_ FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128];

	return file && fgets(line, sizeof(line), file) && strstr(line, "[confidentiality]");
}

const char *session_lockdown(void)
{
	if (!is_locked_down())
		return NULL;
	return "the kernel is locked down, and BPF may not read its memory: boot with "
	       "lockdown=integrity, or without secure boot";
}

/* The kernel counts in its own PIDs, and another /proc has nothing that goes with them. */
static int check_namespace(struct error *err)
{
	char name[64];
	ssize_t size = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

	if (size < 0)
		return error_set(err, ERROR_NOT_SUPPORTED, -errno,
				 "cannot read processes: /proc: %s; is it mounted?",
				 strerror(errno));
	name[size] = '\0';
	if (!strcmp(name, PID_NAMESPACE_FIRST))
		return 0;
	return error_set(err, ERROR_NOT_SUPPORTED, -EOPNOTSUPP,
			 "cannot tell processes apart: wick runs in a PID namespace: run it "
			 "outside, a container with --pid=host");
}

int privileges_check(struct error *err)
{
	if (access(BTF_PATH, R_OK))
		return error_set(err, ERROR_NOT_SUPPORTED, -EOPNOTSUPP,
				 "cannot read kernel types: " BTF_PATH ": %s; wick needs a kernel "
				 "with CONFIG_DEBUG_INFO_BTF", strerror(errno));
	return check_namespace(err);
}

bool privileges_lack(int code)
{
	return code == -EPERM || code == -EACCES || (code == -EINVAL && is_locked_down());
}

int privileges_refuse(struct error *err, int code, const char *what)
{
	return error_set(err, ERROR_NOT_SUPPORTED, code, "%s: %s; %s", what, strerror(-code),
			 session_lockdown() ?: session_privileges());
}
