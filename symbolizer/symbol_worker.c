/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/symbol_worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "symbolizer/provider.h"
#include "symbolizer/symbol_reader.h"
#include "symbolizer/symbol_wire.h"

#define START_NS (20 * 1000000000ull)
/* For one module: the largest programs need a second or two. */
#define MODULE_NS (30 * 1000000000ull)
/* What modules that took too long may take together, before those after them get a second each. */
#define HUNG_NS (60 * 1000000000ull)
#define HUNG_LEAST_NS 1000000000ull

struct symbol_worker {
	pid_t pid;		/* 0: none is running */
	int fd;
	struct module *mod;	/* what it has open, or NULL */
	uint64_t module_ns;	/* that each has */
	uint64_t left_ns;	/* of it for that one */
	uint64_t hung_ns;	/* spent waiting for those that were ended */
	uint64_t cpu_ns;	/* of those that have ended */
	bool broken;		/* it cannot be started here */
};

struct symbol_worker *symbol_worker_new(uint64_t module_ns)
{
	struct symbol_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = -1;
	w->module_ns = module_ns ?: MODULE_NS;
	return w;
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_usec * 1000;
}

static void worker_end(struct symbol_worker *w)
{
	struct rusage usage = { 0 };
	int status;

	w->mod = module_put(w->mod);
	if (w->fd >= 0)
		close(take_fd(w->fd));
	if (!w->pid)
		return;
	/* It has no work that would be lost. */
	kill(w->pid, SIGKILL);
	while (wait4(w->pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	w->cpu_ns += timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
	w->pid = 0;
}

struct symbol_worker *symbol_worker_free(struct symbol_worker *w)
{
	if (!w)
		return NULL;
	worker_end(w);
	free(w);
	return NULL;
}

uint64_t symbol_worker_cpu_ns(const struct symbol_worker *w)
{
	struct timespec time;
	clockid_t clock;

	if (!w->pid || clock_getcpuclockid(w->pid, &clock) || clock_gettime(clock, &time))
		return w->cpu_ns;
	return w->cpu_ns + (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* It is of no use any more, because of @error. Returns that. */
static int worker_fail(struct symbol_worker *w, int error)
{
	log_debug(LOG_SYMBOLIZER, "the process that reads files is given up: %s: %s",
		  w->mod ? module_info(w->mod)->path : "starting", strerror(-error));
	worker_end(w);
	return error;
}

/* ---- by the socket ---- */

/* Until there is something to read. Returns 0, or why there is not by @end_ns. */
static int wait_readable(const struct symbol_worker *w, uint64_t end_ns)
{
	struct pollfd wait = { .fd = w->fd, .events = POLLIN };
	int r;

	do {
		uint64_t now_ns = clock_monotonic_ns();

		if (now_ns >= end_ns)
			return -ETIME;
		r = poll(&wait, 1, (int)((end_ns - now_ns) / 1000000 + 1));
	} while (!r || (r < 0 && errno == EINTR));
	return r < 0 ? -errno : 0;
}

static int receive(const struct symbol_worker *w, void *to, size_t size, uint64_t end_ns)
{
	char *position = to;

	while (size) {
		int r = wait_readable(w, end_ns);
		ssize_t got = r < 0 ? 0 : recv(w->fd, position, size, MSG_DONTWAIT);

		if (r < 0)
			return r;
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return -EPIPE;
		position += got;
		size -= (size_t)got;
	}
	return 0;
}

/* What is asked fits into the socket, which is empty: who does not take it hangs. */
static int request_send(const struct symbol_worker *w, struct iovec parts[2],
			const int files[SYMBOL_FILES], size_t file_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SYMBOL_FILES * sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	if (file_count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(file_count * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(file_count * sizeof(int));
		memcpy(CMSG_DATA(&control.align), files, file_count * sizeof(int));
	}
	do {
		sent = sendmsg(w->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno == EAGAIN)
		return -ETIME;
	return sent == (ssize_t)(parts[0].iov_len + parts[1].iov_len) ? 0 : -EPIPE;
}

/* ---- its life ---- */

static int worker_fork(struct symbol_worker *w, const int ends[2])
{
	sigset_t all, before;

	/* A signal of ours must not meet it before it has forgotten our handlers. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	w->pid = fork();
	if (!w->pid)
		symbol_reader_run(ends[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (w->pid > 0)
		return 0;
	w->pid = 0;
	return -errno;
}

static int worker_start(struct symbol_worker *w)
{
	struct symbol_reply hello;
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	r = worker_fork(w, ends);
	w->fd = ends[0];
	close(ends[1]);
	r = r ?: receive(w, &hello, sizeof(hello), clock_monotonic_ns() + START_NS);
	return r ?: hello.error;
}

/* What hangs once may do so again and again: there is a limit to that. */
static uint64_t module_limit_ns(const struct symbol_worker *w)
{
	uint64_t left_ns = w->hung_ns < HUNG_NS ? HUNG_NS - w->hung_ns : 0;

	left_ns = left_ns > HUNG_LEAST_NS ? left_ns : HUNG_LEAST_NS;
	return left_ns < w->module_ns ? left_ns : w->module_ns;
}

static int worker_need(struct symbol_worker *w)
{
	int r;

	if (w->broken)
		return -ECHILD;
	if (w->pid)
		return 0;
	r = worker_start(w);
	if (r >= 0)
		return 0;
	worker_fail(w, r);
	w->broken = true;
	return -ECHILD;
}

/* ---- asking ---- */

bool symbol_worker_has(const struct symbol_worker *w, const struct module *mod)
{
	return w->mod && w->mod == mod;
}

int symbol_worker_open(struct symbol_worker *w, struct module *mod,
		       const struct debug_files *files, bool without_libdw)
{
	const struct module_info *info = module_info(mod);
	const struct module *const modules[SYMBOL_FILES] = {
		[SYMBOL_FILE_OWN] = mod,
		[SYMBOL_FILE_DEBUG] = files->debug,
		[SYMBOL_FILE_ALTERNATE] = files->alternate,
	};
	struct symbol_request request = { .type = SYMBOL_OPEN, .without_libdw = without_libdw,
					  .build_id = info->build_id };
	struct iovec parts[2] = { { &request, sizeof(request) }, { (void *)info->path, 0 } };
	int fds[SYMBOL_FILES], r = worker_need(w);
	size_t count = 0;

	if (r < 0)
		return r;
	for (int i = 0; i < SYMBOL_FILES; i++) {
		if (!modules[i] || module_fd(modules[i]) < 0)
			continue;
		request.files |= 1u << i;
		fds[count++] = module_fd(modules[i]);
	}
	request.count = (uint32_t)strnlen(info->path, SYMBOL_PATH_MAX);
	parts[1].iov_len = request.count;
	w->mod = module_put(w->mod);
	r = request_send(w, parts, fds, count);
	if (r < 0)
		return worker_fail(w, r);
	w->mod = module_get(mod);
	w->left_ns = module_limit_ns(w);
	return 0;
}

static int answers_take(const uint8_t *bytes, size_t size, const uint64_t *addresses, size_t count,
			int (*answer)(void *context, uint64_t address, const struct frame *frames,
				      size_t count),
			void *context)
{
	struct symbol_wire_reader reader = { .bytes = bytes, .size = size };
	struct frame frames[PROVIDER_FRAMES_MAX];

	for (size_t i = 0; i < count; i++) {
		int frame_count = symbol_wire_next(&reader, frames, PROVIDER_FRAMES_MAX), r;

		if (frame_count < 0)
			return frame_count;
		r = answer(context, addresses[i], frames, (size_t)frame_count);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The bytes of a reply, which the caller frees. */
static int reply_receive(const struct symbol_worker *w, uint64_t end_ns, uint8_t **ret,
			 size_t *ret_size)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	struct symbol_reply head;
	int r = receive(w, &head, sizeof(head), end_ns);

	if (r < 0)
		return r;
	if (head.error || head.bytes > SYMBOL_REPLY_BYTES_MAX)
		return head.error == -ENOMEM ? -ENOBUFS : -EBADMSG;
	bytes = malloc(head.bytes + 1);
	if (!bytes)
		return -ENOMEM;
	r = receive(w, bytes, head.bytes, end_ns);
	if (r < 0)
		return r;
	*ret = take_ptr(bytes);
	*ret_size = head.bytes;
	return 0;
}

static int ask_some(struct symbol_worker *w, const uint64_t *addresses, size_t count,
		    uint8_t **ret, size_t *ret_size)
{
	struct symbol_request request = { .type = SYMBOL_ASK, .count = (uint32_t)count };
	struct iovec parts[2] = { { &request, sizeof(request) },
				  { (void *)addresses, count * sizeof(*addresses) } };
	uint64_t start_ns = clock_monotonic_ns(), spent_ns;
	int r = request_send(w, parts, NULL, 0);

	r = r ?: reply_receive(w, start_ns + w->left_ns, ret, ret_size);
	spent_ns = clock_monotonic_ns() - start_ns;
	w->left_ns -= spent_ns < w->left_ns ? spent_ns : w->left_ns;
	if (r == -ETIME)
		w->hung_ns += spent_ns;
	return r;
}

int symbol_worker_ask(struct symbol_worker *w, const uint64_t *addresses, size_t count,
		      int (*answer)(void *context, uint64_t address, const struct frame *frames,
				    size_t count),
		      void *context)
{
	for (size_t done = 0, part; done < count; done += part) {
		_cleanup_free_ uint8_t *bytes = NULL;
		size_t size = 0;
		int r;

		part = count - done < SYMBOL_ADDRESSES_MAX ? count - done : SYMBOL_ADDRESSES_MAX;
		r = ask_some(w, addresses + done, part, &bytes, &size);
		r = r ?: answers_take(bytes, size, addresses + done, part, answer, context);
		/* Not knowing what else it will say, it is of no use. */
		if (r < 0)
			return worker_fail(w, r);
	}
	return 0;
}
