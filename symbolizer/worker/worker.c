/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/worker/worker.h"

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
#include "symbolizer/elf/debug_files.h"
#include "symbolizer/worker/worker_process.h"

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

struct worker {
	pid_t pid;		/* 0: none is running */
	int fd;
	struct module *mod;	/* what it has open, or NULL */
	uint64_t module_ns;	/* that each has */
	uint64_t limit_ns;	/* that this one has */
	uint64_t left_ns;	/* of it */
	uint64_t hung_ns;	/* spent waiting for those that were ended */
	uint64_t cpu_ns;	/* of those that have ended */
	unsigned int deaths;
	bool broken;		/* it cannot be started here, or does not live */
};

struct worker *worker_new(uint64_t module_ns)
{
	struct worker *w = calloc(1, sizeof(*w));

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
static void worker_reap(struct worker *w)
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

static void worker_end(struct worker *w)
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

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	worker_end(w);
	free(w);
	return NULL;
}

uint64_t worker_cpu_ns(const struct worker *w)
{
	struct timespec time;
	clockid_t clock;

	if (!w->pid || clock_getcpuclockid(w->pid, &clock) || clock_gettime(clock, &time))
		return w->cpu_ns;
	return w->cpu_ns + (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int worker_fail(struct worker *w, int error)
{
	log_debug(LOG_SYMBOLIZER, "the process that reads files is given up: %s: %s",
		  w->mod ? module_info(w->mod)->path : "starting", strerror(-error));
	worker_end(w);
	w->broken = w->broken || ++w->deaths == DEATHS_MAX;
	return error;
}

/* ---- by the socket ---- */

/* Until there is something to read. Returns 0, or why there is not by @end_ns. */
static int wait_readable(const struct worker *w, uint64_t end_ns)
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

static int receive(const struct worker *w, void *to, size_t size, uint64_t end_ns)
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
static int request_send(const struct worker *w, struct worker_request *request,
			const struct worker_question *question, const int *files,
			size_t file_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(WORKER_FILES * sizeof(int))];
	} control = { 0 };
	struct iovec parts[] = { { request, sizeof(*request) },
				 { (void *)question->parts[0], question->sizes[0] },
				 { (void *)question->parts[1], question->sizes[1] } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
	ssize_t sent;

	request->type = question->type;
	request->size = (uint32_t)(question->sizes[0] + question->sizes[1]);
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
	return sent == (ssize_t)(sizeof(*request) + request->size) ? 0 : -EPIPE;
}

/* ---- its life ---- */

static int worker_fork(struct worker *w, const int ends[2])
{
	sigset_t all, before;

	/* A signal of ours must not meet it before it has forgotten our handlers. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	w->pid = fork();
	if (!w->pid)
		worker_process_run(ends[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (w->pid > 0)
		return 0;
	w->pid = 0;
	return -errno;
}

static int worker_start(struct worker *w)
{
	struct worker_reply hello;
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
static uint64_t module_limit_ns(const struct worker *w, bool without_libdw)
{
	uint64_t left_ns = w->hung_ns < HUNG_NS ? HUNG_NS - w->hung_ns : 0;
	uint64_t limit_ns = w->module_ns;

	if (without_libdw && limit_ns > SYMBOLS_NS)
		limit_ns = SYMBOLS_NS;
	left_ns = left_ns > HUNG_LEAST_NS ? left_ns : HUNG_LEAST_NS;
	return left_ns < limit_ns ? left_ns : limit_ns;
}

static int worker_need(struct worker *w)
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

/* The bytes of a reply, which the caller frees. */
static int reply_receive(const struct worker *w, uint64_t end_ns, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	struct worker_reply head;
	int r = receive(w, &head, sizeof(head), end_ns);

	if (r < 0)
		return r;
	if (head.error || head.bytes > WORKER_REPLY_BYTES_MAX)
		return head.error == -ENOMEM ? -ENOBUFS : -EBADMSG;
	bytes = malloc(head.bytes + 1);
	if (!bytes)
		return -ENOMEM;
	r = receive(w, bytes, head.bytes, end_ns);
	if (r < 0)
		return r;
	bytes[head.bytes] = 0;
	*ret = take_ptr(bytes);
	*ret_size = head.bytes;
	return 0;
}

/* At the cost of the module that is open. Who fails is ended: what else it will say is not known. */
static int exchange(struct worker *w, struct worker_request *request,
		    const struct worker_question *question, const int *files, size_t file_count,
		    uint8_t **ret, size_t *ret_size)
{
	uint64_t start_ns = clock_monotonic_ns(), spent_ns;
	int r = request_send(w, request, question, files, file_count);

	r = r ?: reply_receive(w, start_ns + w->left_ns, ret, ret_size);
	spent_ns = clock_monotonic_ns() - start_ns;
	w->left_ns -= spent_ns < w->left_ns ? spent_ns : w->left_ns;
	if (r == -ETIME)
		w->hung_ns += spent_ns;
	return r < 0 ? worker_fail(w, r) : 0;
}

int worker_ask(struct worker *w, const struct worker_question *question, uint8_t **ret,
	       size_t *ret_size)
{
	struct worker_request request = { 0 };

	return exchange(w, &request, question, NULL, 0, ret, ret_size);
}

/* Returns 1 when there may be more files, 0, or as worker_open(). */
static int give_own(struct worker *w, struct module *mod, bool without_libdw)
{
	const struct module_info *info = module_info(mod);
	struct worker_request request = { .without_libdw = without_libdw,
					  .files = 1u << WORKER_FILE_OWN,
					  .build_id = info->build_id };
	const struct worker_question question = {
		.type = WORKER_OPEN,
		.parts = { info->path },
		.sizes = { strnlen(info->path, WORKER_PATH_MAX) },
	};
	_cleanup_free_ uint8_t *bytes = NULL;
	int fd = module_fd(mod), r;
	size_t size;

	module_put(w->mod);
	w->mod = module_get(mod);
	w->limit_ns = w->left_ns = module_limit_ns(w, without_libdw);
	r = exchange(w, &request, &question, &fd, 1, &bytes, &size);
	if (!r && size != 1)
		r = worker_fail(w, -EBADMSG);
	return r < 0 ? r : bytes[0] != 0;
}

static int give_companions(struct worker *w, const struct debug_files *files)
{
	const struct module *const modules[WORKER_FILES] = {
		[WORKER_FILE_DEBUG] = files->debug,
		[WORKER_FILE_ALTERNATE] = files->alternate,
	};
	const struct worker_question question = { .type = WORKER_COMPANIONS };
	struct worker_request request = { 0 };
	_cleanup_free_ uint8_t *bytes = NULL;
	int fds[WORKER_FILES];
	size_t count = 0, size;

	for (int i = 0; i < WORKER_FILES; i++) {
		if (!modules[i] || module_fd(modules[i]) < 0)
			continue;
		request.files |= 1u << i;
		fds[count++] = module_fd(modules[i]);
	}
	return exchange(w, &request, &question, fds, count, &bytes, &size);
}

int worker_open(struct worker *w, struct module *mod, bool without_libdw,
		struct debuginfod *debuginfod)
{
	_cleanup_(debug_files_done) struct debug_files files = { 0 };
	int r;

	if (w->mod == mod)
		return 0;
	r = worker_need(w);
	r = r ?: give_own(w, mod, without_libdw);
	if (r <= 0)
		return r;
	/* What has been read there can be read here without waiting for ever. */
	r = debug_files_collect(mod, debuginfod, &files);
	if (r < 0)
		return worker_fail(w, r);
	return give_companions(w, &files);
}

void worker_renew(struct worker *w)
{
	w->left_ns = w->limit_ns;
}

const char *worker_error_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ -EPIPE, "made its reader die" },
		{ -ETIME, "keeps its reader busy for ever" },
		{ -ENOBUFS, "wants more memory than its reader may have" },
		{ -ECHILD, "has no reader, for no process can be started" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return "confused its reader";
}
