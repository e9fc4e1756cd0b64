/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.h - profiles a command through the session, for end-to-end tests.
 *
 * Needs root and BPF: harness_need_bpf() skips the case elsewhere.
 */
#ifndef WICK_HARNESS_H
#define WICK_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "formats/profile.h"
#include "profiler/base/strbuf.h"
#include "profiler/session.h"

struct harness_run {
	/* NULL-terminated; "@name" is a workload. NULL: nothing is started. */
	const char *const *command;
	double seconds;			/* how long to profile; the command is then ended */
	bool whole_machine;		/* do not restrict to the command */
	bool no_stacks;			/* else those of session.stacks, both when it is 0 */
	struct session_options session;	/* pids and wait_exec are filled in unless whole_machine */
	/* Called when the session runs, about every 10 ms, until it returns false or time is up. */
	bool (*during)(void *context, struct session *session);
	/* Called when the session has finished, and is still there to be asked. */
	void (*finished)(void *context, struct session *session);
	void *context;			/* of both */
};

struct harness_result {
	struct session_stats stats;
	struct profile *profile;
	char *folded;			/* as the folded writer wrote it, main value of the profile */
};

/*
 * For "during": go on for @seconds, and then until there are @samples, for a program gets less
 * of a busy machine. harness_run.seconds is the most it may take.
 */
struct harness_patience {
	double seconds;
	uint64_t samples;
	uint64_t begin_ns;		/* 0: filled in by the first call */
};

bool harness_wait_for_samples(void *patience, struct session *session);
/* The same until the command has ended. */
bool harness_wait_for_end(void *unused, struct session *session);

void harness_need_bpf(void);
/* The case fails when the session does. The result is for harness_done(). */
void harness_profile(const struct harness_run *run, struct harness_result *ret);
void harness_done(struct harness_result *result);

/* taken = reported + lost, exactly. */
void harness_check_invariant(const struct session_stats *stats);
double harness_percent(uint64_t part, uint64_t whole);
uint64_t harness_count(const struct session_named_count *list, const char *name);
/* Of the folded lines that contain @text, the sum of values. */
uint64_t harness_folded_sum(const char *folded, const char *text);
/* A process started by the test's own means: run, and ended by SIGKILL and waited for. */
pid_t harness_start(const char *const *command, int ready_fd);
void harness_end(pid_t pid);
/* A path for a file of this test alone, on the disk that the build is on. The caller frees it. */
char *harness_file(const char *name);
void harness_print(const char *title, const struct harness_result *result);

#endif
