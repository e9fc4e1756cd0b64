/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - the program after --: forked and held, then run, then waited for.
 *
 * It is held before its exec, so that the session can be opened on its PID
 * and misses nothing of it. One that is never released ends without having
 * run. It stays a zombie until command_wait(), so that its PID is not reused
 * while the session still looks at it.
 */
#ifndef WICK_COMMAND_H
#define WICK_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"

struct command;

/* @argv ends with NULL and must live as long as the command; @mask: the signals it blocks. */
int command_fork(char **argv, const sigset_t *mask, struct command **ret, struct error *err);
pid_t command_pid(const struct command *command);
/* Readable once it has ended; for poll() and pidfd_send_signal(). */
int command_fd(const struct command *command);
/*
 * Let it exec. Returns 0 when the new program runs, or a negative errno and
 * "cannot run: NAME: reason".
 */
int command_release(struct command *command, struct error *err);
bool command_has_ended(const struct command *command);
/* Send SIGTERM, unless it has ended. */
void command_terminate(struct command *command);
/*
 * Wait for its end. Returns its exit status as a shell gives it: 128+N when
 * signal N killed it, 127 when it was not found, 126 when it could not be run;
 * and 0 when it died of our own command_terminate().
 */
int command_wait(struct command *command);
/* Ends it when it was not released; waits for it in any case. */
struct command *command_free(struct command *command);
DEFINE_CLEANUP(struct command *, command_free)

#endif
