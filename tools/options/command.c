/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/options/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

struct command {
	char **argv;
	pid_t pid;		/* 0 once it has been waited for */
	int pidfd;
	int hold;		/* closing it ends a held child, a byte lets it go */
	int failure;		/* the child writes the errno of a failed exec here */
	bool terminated;	/* by us */
	int status;		/* as from a shell, once it has been waited for */
};

/* In the child: only what is safe after a fork of a program with threads. */
static _Noreturn void command_exec(char **argv, const sigset_t *mask, int hold, int failure)
{
	char go;
	int code;

	if (read(hold, &go, 1) != 1)
		_exit(STATUS_CANNOT_RUN);
	/* We ignore it for ourselves; what we run must not inherit that. */
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	code = errno;
	(void)!write(failure, &code, sizeof(code));
	_exit(code == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN);
}

static int refuse_fork(const struct command *command, struct error *err, int code)
{
	return error_set(err, ERROR_FAILED, -code, "cannot run: %s: %s", command->argv[0],
			 strerror(code));
}

int command_fork(char **argv, const sigset_t *mask, struct command **ret, struct error *err)
{
	_cleanup_(command_freep) struct command *command = calloc(1, sizeof(*command));
	int hold[2], failure[2];

	if (!command)
		return error_set(err, ERROR_FAILED, -ENOMEM, "out of memory");
	command->argv = argv;
	command->pidfd = command->hold = command->failure = -1;
	if (pipe2(hold, O_CLOEXEC) < 0)
		return refuse_fork(command, err, errno);
	command->hold = hold[1];
	if (pipe2(failure, O_CLOEXEC) < 0) {
		close(hold[0]);
		return refuse_fork(command, err, errno);
	}
	command->failure = failure[0];
	command->pid = fork();
	if (!command->pid) {
		close(hold[1]);	/* or its own copy would keep it waiting for us for ever */
		command_exec(argv, mask, hold[0], failure[1]);
	}
	close(hold[0]);
	close(failure[1]);
	if (command->pid < 0)
		return refuse_fork(command, err, errno);
	command->pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0);
	if (command->pidfd < 0)
		return refuse_fork(command, err, errno);
	*ret = take_ptr(command);
	return 0;
}

pid_t command_pid(const struct command *command)
{
	return command->pid;
}

int command_fd(const struct command *command)
{
	return command->pidfd;
}

int command_release(struct command *command, struct error *err)
{
	ssize_t size;
	int code;

	(void)!write(command->hold, "", 1);
	close(take_fd(command->hold));
	/* Nothing comes, and the pipe is closed, when exec succeeds. */
	do
		size = read(command->failure, &code, sizeof(code));
	while (size < 0 && errno == EINTR);
	if (size != sizeof(code))
		return 0;
	return refuse_fork(command, err, code);
}

bool command_has_ended(const struct command *command)
{
	struct pollfd end = { .fd = command->pidfd, .events = POLLIN };

	return !command->pid || poll(&end, 1, 0) > 0;
}

void command_terminate(struct command *command)
{
	if (command_has_ended(command))
		return;
	command->terminated = true;
	kill(command->pid, SIGTERM);
}

int command_wait(struct command *command)
{
	int status;

	if (!command->pid)
		return command->status;
	while (waitpid(command->pid, &status, 0) < 0)
		if (errno != EINTR)
			return ERROR_FAILED;
	command->pid = 0;
	if (WIFEXITED(status))
		command->status = WEXITSTATUS(status);
	else if (!command->terminated || WTERMSIG(status) != SIGTERM)
		command->status = STATUS_SIGNAL + WTERMSIG(status);
	return command->status;
}

struct command *command_free(struct command *command)
{
	if (!command)
		return NULL;
	if (command->hold >= 0)
		close(command->hold);
	if (command->pid > 0)
		command_wait(command);
	if (command->failure >= 0)
		close(command->failure);
	if (command->pidfd >= 0)
		close(command->pidfd);
	free(command);
	return NULL;
}
