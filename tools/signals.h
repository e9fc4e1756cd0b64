/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals.h - the first SIGINT, SIGTERM or SIGHUP ends the run, the second the program.
 *
 * From signals_watch() to signals_free() these signals are blocked in the
 * calling thread and in every thread it starts, and a thread of their own
 * takes them: no system call of the run is interrupted, and the second one
 * works whatever the others are doing. It ends the program with _exit(128 + N),
 * but waits for a file that is being written, so that none is left half done.
 *
 * SIGHUP that was ignored (nohup) stays ignored.
 */
#ifndef WICK_SIGNALS_H
#define WICK_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"

struct signals;

int signals_watch(struct signals **ret, struct error *err);
struct signals *signals_free(struct signals *signals);
DEFINE_CLEANUP(struct signals *, signals_free)

/* Readable from the first signal on; for poll(). */
int signals_fd(const struct signals *signals);
/* The number of the first signal, or 0. */
int signals_first(const struct signals *signals);
/* Whether the first came from the terminal, as Ctrl-C: then the command has got it too. */
bool signals_from_terminal(const struct signals *signals);
/* What was blocked before; for a program that is to be run. */
const sigset_t *signals_old_mask(const struct signals *signals);
/* The program, by its pidfd, that shall not outlive us when a second signal ends us; -1: none. */
void signals_set_command(struct signals *signals, int pidfd);
/* Between these, the second signal waits: a file is being written. */
void signals_hold(struct signals *signals);
void signals_release(struct signals *signals);

#endif
