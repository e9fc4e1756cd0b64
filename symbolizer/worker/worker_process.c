/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/worker/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/base/log.h"
#include "symbolizer/elf/debug_files.h"
#include "symbolizer/worker/reading.h"
#include "symbolizer/worker/sandbox.h"

/* Twice what of debug information is read at most: it, and what is made of it. */
#define MORE_BYTES ((uint64_t)2 << 30)
#define SOCKET 0
/* Where the kernel has no better way: more files than that are open in no profiler. */
#define FILES_MAX 65536

/* ---- by the socket ---- */

static void receive(void *to, size_t size)
{
	char *position = to;

	while (size) {
		ssize_t got = recv(SOCKET, position, size, MSG_WAITALL);

		if (got < 0 && errno == EINTR)
			continue;
		/* Nobody asks any more. */
		if (got <= 0)
			_exit(0);
		position += got;
		size -= (size_t)got;
	}
}

static void send_all(const void *bytes, size_t size)
{
	const char *position = bytes;

	while (size) {
		ssize_t sent = send(SOCKET, position, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			_exit(0);
		position += sent;
		size -= (size_t)sent;
	}
}

static void reply(int error, const struct strbuf *answer)
{
	struct worker_reply head = { .error = error };

	if (!error)
		head.bytes = (uint32_t)answer->size;
	send_all(&head, sizeof(head));
	send_all(answer->data, head.bytes);
}

/* A request and the files that come with it, and then what follows it. */
static void receive_request(struct reading *ret)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(WORKER_FILES * sizeof(int))];
	} control;
	struct worker_request *request = &ret->request;
	struct iovec part = { request, sizeof(*request) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	const struct cmsghdr *head;
	const int *come = NULL;
	ssize_t got;

	do {
		got = recvmsg(SOCKET, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		_exit(0);
	receive((char *)request + got, sizeof(*request) - (size_t)got);
	head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_type == SCM_RIGHTS)
		come = (const int *)CMSG_DATA(head);
	for (int i = 0; i < WORKER_FILES; i++)
		ret->files[i] = come && request->files >> i & 1 ? *come++ : -1;
	receive(ret->question, request->size);
	ret->question[request->size] = 0;
}

/* ---- files ---- */

static struct module *companion(const struct module_info *info, int fd)
{
	return fd < 0 ? NULL : module_new(info, fd);
}

static int open_module(struct reading *reading, struct strbuf *ret)
{
	struct module_info info = { .path = reading->question,
				    .build_id = reading->request.build_id };
	bool is_wanted;

	symbol_reader_close(reading);
	type_reader_close(reading);
	reading->mod = module_put(reading->mod);
	reading->mod = module_new(&info, reading->files[WORKER_FILE_OWN]);
	if (!reading->mod)
		return -ENOMEM;
	reading->without_libdw = reading->request.without_libdw;
	is_wanted = !reading->without_libdw && debug_files_are_wanted(reading->mod);
	module_set_companions(reading->mod, NULL, NULL);
	strbuf_add_char(ret, is_wanted);
	return 0;
}

static int set_companions(struct reading *reading, struct strbuf *ret)
{
	const struct module_info *info = module_info(reading->mod);
	struct module *debug = companion(info, reading->files[WORKER_FILE_DEBUG]);
	struct module *alternate = companion(info, reading->files[WORKER_FILE_ALTERNATE]);

	if (debug)
		module_set_companions(debug, NULL, take_ptr(alternate));
	module_set_companions(reading->mod, debug, alternate);
	return 0;
}

/* ---- the process ---- */

/* Only the socket stays, and standard error for who asked what is going on. */
static void close_files(int fd)
{
	unsigned int first = log_domains & LOG_SYMBOLIZER ? STDERR_FILENO + 1 : STDERR_FILENO;

	if (dup2(fd, SOCKET) < 0)
		_exit(1);
	close(STDOUT_FILENO);
	if (!syscall(SYS_close_range, first, ~0u, 0))
		return;
	for (int i = (int)first; i < FILES_MAX; i++)
		close(i);
}

/* The terminal tells its whole group; we go on until our parent has what it asked for. */
static void ignore_signals(void)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int answer(struct reading *reading)
{
	static int (*const requests[])(struct reading *, struct strbuf * ret) = {
		[WORKER_OPEN] = open_module,
		[WORKER_COMPANIONS] = set_companions,
		[WORKER_SYMBOLS] = symbol_reader_answer,
		[WORKER_TYPES] = type_reader_open,
		[WORKER_FUNCTIONS] = type_reader_functions,
		[WORKER_TARGET] = type_reader_target,
		[WORKER_MEMBER] = type_reader_member,
		[WORKER_MEMBERS] = type_reader_members,
		[WORKER_ENUMERATORS] = type_reader_enumerators,
		[WORKER_NAMED] = type_reader_named,
	};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int r;

	receive_request(reading);
	r = requests[reading->request.type](reading, &text);
	r = r ?: text.error;
	if (!r && text.size > WORKER_REPLY_BYTES_MAX)
		r = -EFBIG;
	reply(r, &text);
	return r;
}

_Noreturn void worker_process_run(int fd)
{
	static const struct strbuf nothing = STRBUF_INIT;
	static struct reading reading;
	int r;

	close_files(fd);
	ignore_signals();
	prctl(PR_SET_NAME, "wick-reader");
	r = sandbox_enter(MORE_BYTES);
	reply(r, &nothing);
	/* A request that fails is the last one: its answer says why. */
	while (!r)
		r = answer(&reading);
	_exit(1);
}
