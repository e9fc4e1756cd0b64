/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/signals.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

struct signals {
	pthread_t thread;
	bool has_thread;
	int event_fd;
	sigset_t caught, old_mask;
	atomic_bool ending;
	atomic_int first;
	atomic_bool from_terminal;
	atomic_int command;		/* pidfd, or -1 */
	pthread_mutex_t writing;	/* held while a file is half-written */
};

static void signals_say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/* Not exit(): other threads are in the middle of their work, and theirs is all to be dropped. */
static _Noreturn void signals_abort(struct signals *signals, int signal_number)
{
	int command = atomic_load(&signals->command);

	/*
	 * The main thread may wait for the command that we end now, and would
	 * exit with its status: signals_free() waits for us.
	 */
	if (command >= 0)
		syscall(SYS_pidfd_send_signal, command, SIGTERM, NULL, 0);
	pthread_mutex_lock(&signals->writing);
	/* A progress line, and the terminal's ^C, stand there without an end. */
	if (isatty(STDERR_FILENO))
		signals_say("\n");
	signals_say("wick: stopped by a second signal\n");
	_exit(128 + signal_number);
}

static void *signals_run(void *arg)
{
	struct signals *signals = arg;
	const uint64_t one = 1;
	siginfo_t info;
	int number;

	for (;;) {
		number = sigwaitinfo(&signals->caught, &info);
		if (number < 0)
			continue;
		if (info.si_pid == getpid() && atomic_load(&signals->ending))
			break;
		if (atomic_load(&signals->first))
			signals_abort(signals, number);
		atomic_store(&signals->from_terminal, info.si_code == SI_KERNEL);
		atomic_store(&signals->first, number);
		(void)!write(signals->event_fd, &one, sizeof(one));
	}
	return NULL;
}

static void signals_choose(sigset_t *ret)
{
	struct sigaction old;

	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	if (sigaction(SIGHUP, NULL, &old) < 0 || old.sa_handler != SIG_IGN)
		sigaddset(ret, SIGHUP);
}

int signals_watch(struct signals **ret, struct error *err)
{
	_cleanup_(signals_freep) struct signals *signals = calloc(1, sizeof(*signals));
	int r;

	if (!signals)
		return error_set(err, ERROR_FAILED, -ENOMEM, "out of memory");
	atomic_init(&signals->command, -1);
	pthread_mutex_init(&signals->writing, NULL);
	signals_choose(&signals->caught);
	/* Before the thread, which inherits it. Nobody waits for a child without this being default. */
	signal(SIGCHLD, SIG_DFL);
	pthread_sigmask(SIG_BLOCK, &signals->caught, &signals->old_mask);
	signals->event_fd = eventfd(0, EFD_CLOEXEC);
	if (signals->event_fd < 0)
		return error_set(err, ERROR_FAILED, -errno, "cannot watch signals: eventfd: %s",
				 strerror(errno));
	r = pthread_create(&signals->thread, NULL, signals_run, signals);
	if (r)
		return error_set(err, ERROR_FAILED, -r, "cannot watch signals: thread: %s",
				 strerror(r));
	signals->has_thread = true;
	*ret = take_ptr(signals);
	return 0;
}

struct signals *signals_free(struct signals *signals)
{
	if (!signals)
		return NULL;
	if (signals->has_thread) {
		/* Not pthread_cancel(): it aborts where libgcc_s.so.1 is not installed. */
		atomic_store(&signals->ending, true);
		pthread_kill(signals->thread, SIGTERM);
		pthread_join(signals->thread, NULL);
	}
	if (signals->event_fd >= 0)
		close(signals->event_fd);
	pthread_sigmask(SIG_SETMASK, &signals->old_mask, NULL);
	pthread_mutex_destroy(&signals->writing);
	free(signals);
	return NULL;
}

int signals_fd(const struct signals *signals)
{
	return signals->event_fd;
}

int signals_first(const struct signals *signals)
{
	return atomic_load(&signals->first);
}

bool signals_from_terminal(const struct signals *signals)
{
	return atomic_load(&signals->from_terminal);
}

const sigset_t *signals_old_mask(const struct signals *signals)
{
	return &signals->old_mask;
}

void signals_set_command(struct signals *signals, int pidfd)
{
	atomic_store(&signals->command, pidfd);
}

void signals_hold(struct signals *signals)
{
	pthread_mutex_lock(&signals->writing);
}

void signals_release(struct signals *signals)
{
	pthread_mutex_unlock(&signals->writing);
}
