/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel permits us. */
#include <inttypes.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "profiler/session.h"
#include "tools/doctor.h"

#define FILES_WANTED 1024
#define PARANOID_PATH "/proc/sys/kernel/perf_event_paranoid"

void doctor_check_recording(struct doctor_result *ret)
{
	_cleanup_(session_freep) struct session *session = NULL;
	const struct session_options options = { .stacks = SESSION_STACKS_USER |
							   SESSION_STACKS_KERNEL };
	struct error err = { 0 };
	const struct session_note *note;
	size_t i;
	int r;

	r = session_open(&options, &session, &err);
	if (r < 0) {
		doctor_set(ret, DOCTOR_MISSING, "%s", err.text[0] ? err.text : strerror(-r));
		doctor_fix(ret, "see the rows below");
		return;
	}
	doctor_set(ret, DOCTOR_OK, "the programs load and verify");
	for (i = 0; (note = session_note(session, i)); i++)
		strbuf_printf(&ret->why, "; %s", note->text);
}

/* Of the effective set, which all that we do depends on. */
static uint64_t read_capabilities(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "CapEff:", 7))
			return strtoull(line + 7, NULL, 16);
	return 0;
}

static bool has_capability(unsigned int capability)
{
	return read_capabilities() >> capability & 1;
}

void doctor_check_capabilities(struct doctor_result *ret)
{
	/* CAP_SYS_ADMIN is what there was before 5.8, and still includes both. */
	if (has_capability(CAP_SYS_ADMIN)) {
		doctor_set(ret, DOCTOR_OK, "CAP_SYS_ADMIN");
	} else if (has_capability(CAP_BPF) && has_capability(CAP_PERFMON)) {
		doctor_set(ret, DOCTOR_OK, "CAP_BPF and CAP_PERFMON");
	} else {
		doctor_set(ret, DOCTOR_MISSING, "we lack%s%s",
			   has_capability(CAP_BPF) ? "" : " CAP_BPF",
			   has_capability(CAP_PERFMON) ? "" : " CAP_PERFMON");
		doctor_fix(ret, session_privileges());
	}
}

void doctor_check_other_processes(struct doctor_result *ret)
{
	if (has_capability(CAP_SYS_PTRACE) && has_capability(CAP_DAC_READ_SEARCH)) {
		doctor_set(ret, DOCTOR_OK, "the programs of all users can be read");
		return;
	}
	doctor_set(ret, DOCTOR_DEGRADED,
		   "we lack%s%s: other users' stacks may be cut, without names",
		   has_capability(CAP_SYS_PTRACE) ? "" : " CAP_SYS_PTRACE",
		   has_capability(CAP_DAC_READ_SEARCH) ? "" : " CAP_DAC_READ_SEARCH");
	doctor_fix(ret, session_privileges());
}

void doctor_check_paranoid(struct doctor_result *ret)
{
	_cleanup_fclose_ FILE *file = fopen(PARANOID_PATH, "re");
	bool privileged = has_capability(CAP_SYS_ADMIN) || has_capability(CAP_PERFMON);
	int level;

	if (!file || fscanf(file, "%d", &level) != 1) {
		doctor_set(ret, DOCTOR_MISSING, "this kernel has no perf events");
		doctor_fix(ret, "use a kernel with CONFIG_PERF_EVENTS");
		return;
	}
	if (privileged || level <= 0) {
		doctor_set(ret, DOCTOR_OK, "perf_event_paranoid is %d%s", level,
			   privileged ? ", and does not bind us" : "");
		return;
	}
	doctor_set(ret, DOCTOR_MISSING, "perf_event_paranoid is %d: no sampling of all CPUs",
		   level);
	doctor_fix(ret, session_privileges());
}

void doctor_check_lockdown(struct doctor_result *ret)
{
	const char *reason = session_lockdown();

	if (!reason) {
		doctor_set(ret, DOCTOR_OK, "BPF may read the kernel's memory");
		return;
	}
	doctor_set(ret, DOCTOR_MISSING, "lockdown is confidentiality");
	doctor_fix(ret, reason);
}

/* Hidden addresses are all zeros; symbols of per-CPU data are at 0 for everybody, too. */
static bool shows_addresses(FILE *file)
{
	char line[512];

	while (fgets(line, sizeof(line), file))
		if (strtoull(line, NULL, 16))
			return true;
	return false;
}

void doctor_check_kernel_names(struct doctor_result *ret)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/kallsyms", "re");

	if (file && shows_addresses(file)) {
		doctor_set(ret, DOCTOR_OK, "/proc/kallsyms shows addresses");
		return;
	}
	doctor_set(ret, DOCTOR_DEGRADED, "%s: kernel functions have no names",
		   file ? "/proc/kallsyms hides its addresses" : "there is no /proc/kallsyms");
	doctor_fix(ret, file ? session_privileges() :
			       "use a kernel with CONFIG_KALLSYMS");
}

void doctor_check_files(struct doctor_result *ret)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
	doctor_set(ret, DOCTOR_OK, "up to %" PRIu64 " open files", (uint64_t)limit.rlim_max);
	if (limit.rlim_max >= FILES_WANTED)
		return;
	ret->state = DOCTOR_DEGRADED;
	strbuf_add_text(&ret->why, ": a program beyond them is not unwound");
	doctor_fix(ret, "ulimit -Hn 4096, or LimitNOFILE= of the service");
}
