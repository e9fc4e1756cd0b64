/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor.h - one row per thing that recording depends on, and how it is here.
 */
#ifndef WICK_DOCTOR_H
#define WICK_DOCTOR_H

#include "profiler/base/strbuf.h"

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_DEGRADED, /* recording works, with less */
	DOCTOR_MISSING, /* recording does not work */
};

/* What a check found. Both start empty; a fix is only for what is not ok. */
struct doctor_result {
	enum doctor_state state;
	struct strbuf why, fix;
};

struct doctor_check {
	const char *name;
	void (*run)(struct doctor_result *ret);
};

extern const struct doctor_check doctor_checks[]; /* ends with .name NULL */

/* Fills @ret, for the functions behind the rows. */
void doctor_set(struct doctor_result *ret, enum doctor_state state, const char *why, ...)
	_printf_(3, 4);
void doctor_fix(struct doctor_result *ret, const char *fix);

/* Whether the whole engine loads here: the answer that counts. */
void doctor_check_recording(struct doctor_result *ret);
/* What the kernel offers. */
void doctor_check_btf(struct doctor_result *ret);
void doctor_check_cycles(struct doctor_result *ret);
void doctor_check_build_ids(struct doctor_result *ret);
void doctor_check_rate(struct doctor_result *ret);
void doctor_check_cgroups(struct doctor_result *ret);
/* What we are permitted. */
void doctor_check_capabilities(struct doctor_result *ret);
void doctor_check_other_processes(struct doctor_result *ret);
void doctor_check_paranoid(struct doctor_result *ret);
void doctor_check_lockdown(struct doctor_result *ret);
void doctor_check_kernel_names(struct doctor_result *ret);
void doctor_check_files(struct doctor_result *ret);
void doctor_check_debug_files(struct doctor_result *ret);

#endif
