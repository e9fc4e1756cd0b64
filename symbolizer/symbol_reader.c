/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/symbol_reader.h"

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
#include "symbolizer/debug_files.h"
#include "symbolizer/names.h"
#include "symbolizer/providers.h"
#include "symbolizer/sandbox.h"
#include "symbolizer/symbol_wire.h"

/* Twice what of debug information is read at most: it, and what is made of it. */
#define MORE_BYTES ((uint64_t)2 << 30)
#define SOCKET 0
/* Where the kernel has no better way: more files than that are open in no profiler. */
#define FILES_MAX 65536

struct reader {
	struct module *mod;
	struct names *names;
	struct providers providers;
	bool without_libdw;
};

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

static void answer(const void *bytes, size_t size)
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

static void reply(int error)
{
	struct symbol_reply head = { .error = error };

	answer(&head, sizeof(head));
}

/* A request and the files that come with it. */
static void receive_request(struct symbol_request *ret, int files[SYMBOL_FILES])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SYMBOL_FILES * sizeof(int))];
	} control;
	struct iovec part = { ret, sizeof(*ret) };
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
	receive((char *)ret + got, sizeof(*ret) - (size_t)got);
	head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_type == SCM_RIGHTS)
		come = (const int *)CMSG_DATA(head);
	for (int i = 0; i < SYMBOL_FILES; i++)
		files[i] = come && ret->files >> i & 1 ? *come++ : -1;
}

/* ---- requests ---- */

static struct module *companion(const struct module_info *info, int fd)
{
	return fd < 0 ? NULL : module_new(info, fd);
}

static int open_module(struct reader *reader, const struct symbol_request *request,
		       const int files[SYMBOL_FILES])
{
	char path[SYMBOL_PATH_MAX + 1] = "";
	struct module_info info = { .path = path, .build_id = request->build_id };
	struct symbol_reply opened = { .error = 0 };

	receive(path, request->count);
	providers_close(&reader->providers);
	module_put(reader->mod);
	names_free(reader->names);
	reader->without_libdw = request->without_libdw;
	reader->names = names_new();
	reader->mod = module_new(&info, files[SYMBOL_FILE_OWN]);
	if (!reader->mod || !reader->names)
		return -ENOMEM;
	opened.wants_companions = !reader->without_libdw && debug_files_are_wanted(reader->mod);
	module_set_companions(reader->mod, NULL, NULL);
	answer(&opened, sizeof(opened));
	return 0;
}

static int set_companions(struct reader *reader, const struct symbol_request *request,
			  const int files[SYMBOL_FILES])
{
	const struct module_info *info = module_info(reader->mod);
	struct module *debug = companion(info, files[SYMBOL_FILE_DEBUG]);
	struct module *alternate = companion(info, files[SYMBOL_FILE_ALTERNATE]);

	if (debug)
		module_set_companions(debug, NULL, take_ptr(alternate));
	module_set_companions(reader->mod, debug, alternate);
	return 0;
}

static int name_address(struct reader *reader, uint64_t address, struct strbuf *ret)
{
	struct frame frames[PROVIDER_FRAMES_MAX] = { 0 };
	const struct providers_question question = { .mod = reader->mod, .names = reader->names,
						     .without_libdw = reader->without_libdw };
	int count = providers_lookup(&reader->providers, &question, address, frames);

	if (count < 0)
		return count;
	symbol_wire_add(ret, frames, (size_t)count);
	return ret->size > SYMBOL_REPLY_BYTES_MAX ? -EFBIG : ret->error;
}

static int name_addresses(struct reader *reader, const struct symbol_request *request,
			  const int files[SYMBOL_FILES])
{
	_cleanup_strbuf_ struct strbuf frames = STRBUF_INIT;
	uint64_t addresses[SYMBOL_ADDRESSES_MAX];
	struct symbol_reply named;
	int r = 0;

	receive(addresses, request->count * sizeof(addresses[0]));
	for (uint32_t i = 0; i < request->count && !r; i++)
		r = name_address(reader, addresses[i], &frames);
	if (r < 0)
		return r;
	named = (struct symbol_reply){ .bytes = (uint32_t)frames.size };
	answer(&named, sizeof(named));
	answer(frames.data, frames.size);
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

_Noreturn void symbol_reader_run(int fd)
{
	static int (*const requests[])(struct reader *, const struct symbol_request *,
				       const int files[SYMBOL_FILES]) = {
		[SYMBOL_OPEN] = open_module,
		[SYMBOL_COMPANIONS] = set_companions,
		[SYMBOL_ASK] = name_addresses,
	};
	struct reader reader = { 0 };
	struct symbol_request request;
	int files[SYMBOL_FILES], r;

	close_files(fd);
	ignore_signals();
	prctl(PR_SET_NAME, "wick-symbols");
	r = sandbox_enter(MORE_BYTES);
	reply(r);
	while (!r) {
		receive_request(&request, files);
		r = requests[request.type](&reader, &request, files);
	}
	/* A request that fails is the last one: its answer says why. */
	reply(r);
	_exit(1);
}
