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
/* For one module: the largest programs need a second or two, and symbols alone much less. */
#define MODULE_NS (20 * 1000000000ull)
#define SYMBOLS_NS (5 * 1000000000ull)
/* What modules that took too long may take together, before those after them get a second each. */
#define HUNG_NS (60 * 1000000000ull)
#define HUNG_LEAST_NS 1000000000ull
/* Of a millisecond: it has memory to give back. */
#define REAP_TRIES 2000
/* Where so many do not live something else is wrong than a file: below valgrind none does. */
#define DEATHS_MAX 16

struct symbol_worker {
	pid_t pid;		/* 0: none is running */
	int fd;
	struct module *mod;	/* what it has open, or NULL */
	uint64_t module_ns;	/* that each has */
	uint64_t left_ns;	/* of it for that one */
	uint64_t hung_ns;	/* spent waiting for those that were ended */
	uint64_t cpu_ns;	/* of those that have ended */
	unsigned int deaths;
	bool broken;		/* it cannot be started here, or does not live */
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

/* Who waits for a file may be unable to die: it is left to the system then. */
static void worker_reap(struct symbol_worker *w)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct rusage usage;

	for (int i = 0; i < REAP_TRIES; i++) {
		if (wait4(w->pid, NULL, WNOHANG, &usage) == w->pid) {
			w->cpu_ns += timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
			return;
		}
		nanosleep(&pause, NULL);
	}
}

static void worker_end(struct symbol_worker *w)
{
	w->mod = module_put(w->mod);
	if (w->fd >= 0)
		close(take_fd(w->fd));
	if (!w->pid)
		return;
	/* It has no work that would be lost. */
	kill(w->pid, SIGKILL);
	worker_reap(w);
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
	w->broken = w->broken || ++w->deaths == DEATHS_MAX;
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
			const int *files, size_t file_count)
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
static uint64_t module_limit_ns(const struct symbol_worker *w, bool without_libdw)
{
	uint64_t left_ns = w->hung_ns < HUNG_NS ? HUNG_NS - w->hung_ns : 0;
	uint64_t limit_ns = w->module_ns;

	if (without_libdw && limit_ns > SYMBOLS_NS)
		limit_ns = SYMBOLS_NS;
	left_ns = left_ns > HUNG_LEAST_NS ? left_ns : HUNG_LEAST_NS;
	return left_ns < limit_ns ? left_ns : limit_ns;
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

static int head_receive(const struct symbol_worker *w, uint64_t end_ns, struct symbol_reply *ret)
{
	int r = receive(w, ret, sizeof(*ret), end_ns);

	if (r < 0)
		return r;
	if (ret->error || ret->bytes > SYMBOL_REPLY_BYTES_MAX)
		return ret->error == -ENOMEM ? -ENOBUFS : -EBADMSG;
	return 0;
}

/* What began at @start_ns is at the cost of the module that is open. Returns @error, how it ended. */
static int time_spend(struct symbol_worker *w, uint64_t start_ns, int error)
{
	uint64_t spent_ns = clock_monotonic_ns() - start_ns;

	w->left_ns -= spent_ns < w->left_ns ? spent_ns : w->left_ns;
	if (error == -ETIME)
		w->hung_ns += spent_ns;
	return error;
}

int symbol_worker_open(struct symbol_worker *w, struct module *mod, bool without_libdw)
{
	const struct module_info *info = module_info(mod);
	struct symbol_request request = { .type = SYMBOL_OPEN, .without_libdw = without_libdw,
					  .files = 1u << SYMBOL_FILE_OWN,
					  .count = (uint32_t)strnlen(info->path, SYMBOL_PATH_MAX),
					  .build_id = info->build_id };
	struct iovec parts[2] = { { &request, sizeof(request) },
				  { (void *)info->path, request.count } };
	uint64_t start_ns;
	struct symbol_reply opened;
	int fd = module_fd(mod), r = worker_need(w);

	if (r < 0)
		return r;
	module_put(w->mod);
	w->mod = module_get(mod);
	w->left_ns = module_limit_ns(w, without_libdw);
	start_ns = clock_monotonic_ns();
	r = request_send(w, parts, &fd, 1);
	r = r ?: head_receive(w, start_ns + w->left_ns, &opened);
	r = time_spend(w, start_ns, r);
	return r < 0 ? worker_fail(w, r) : opened.wants_companions != 0;
}

int symbol_worker_give(struct symbol_worker *w, const struct debug_files *files)
{
	const struct module *const modules[SYMBOL_FILES] = {
		[SYMBOL_FILE_DEBUG] = files->debug,
		[SYMBOL_FILE_ALTERNATE] = files->alternate,
	};
	struct symbol_request request = { .type = SYMBOL_COMPANIONS };
	struct iovec parts[2] = { { &request, sizeof(request) }, { NULL, 0 } };
	int fds[SYMBOL_FILES], r;
	size_t count = 0;

	for (int i = 0; i < SYMBOL_FILES; i++) {
		if (!modules[i] || module_fd(modules[i]) < 0)
			continue;
		request.files |= 1u << i;
		fds[count++] = module_fd(modules[i]);
	}
	r = request_send(w, parts, fds, count);
	return r < 0 ? worker_fail(w, r) : 0;
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
	int r = head_receive(w, end_ns, &head);

	if (r < 0)
		return r;
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
	uint64_t start_ns = clock_monotonic_ns();
	int r = request_send(w, parts, NULL, 0);

	r = r ?: reply_receive(w, start_ns + w->left_ns, ret, ret_size);
	return time_spend(w, start_ns, r);
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
