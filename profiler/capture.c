/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/base/thread.h"
#include "profiler/window.h"

/*
 * How often it is seen whether counts fill up; rings wake us by themselves before they do. What is in
 * them waits for the window: nobody asked for it, and other threads are not woken for nothing.
 */
#define TICK_MS 200
/* Of 10 ms: how long the last windows wait for a place in the queue. */
#define STOP_WAITS_MAX 1000
#define LAST_TRIES 3

struct capture {
	struct capture_options options;
	struct drain *drain;
	struct sideband *sideband;
	int epoll_fd, stop_fd, online_fd;
	struct cpu_set online;
	uint64_t next_window_ns, sideband_lost_before;
	bool notices_lost;		/* a batch of notices was dropped */
	pthread_t thread;
	bool running, stopping, asked_to_stop;
	struct capture_stats stats;
};

static int poll_add(struct capture *c, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int capture_new(const struct capture_options *options, struct capture **ret, struct error *err)
{
	_cleanup_(capture_freep) struct capture *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->options = *options;
	c->online_fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->epoll_fd < 0 || c->stop_fd < 0)
		return error_set(err, ERROR_FAILED, -errno, "cannot make event descriptors: %s",
				 strerror(errno));
	if (c->online_fd >= 0)
		cpu_set_read(c->online_fd, &c->online);
	r = sideband_open(options->sideband_bytes, options->with_data_mappings,
			  &c->sideband, err);
	if (r < 0)
		return r;
	r = drain_new(&options->drain, &c->drain);
	/* Edge-triggered: the ring is "readable" whenever it is not empty, which is nearly always. */
	if (r >= 0)
		r = poll_add(c, bpf_maps_fd(options->drain.maps, "ring"), EPOLLIN | EPOLLET);
	if (r >= 0)
		r = poll_add(c, c->stop_fd, EPOLLIN);
	if (r >= 0)
		r = sideband_poll(c->sideband, c->epoll_fd, 0);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot prepare capture: %s", strerror(-r));
	*ret = take_ptr(c);
	return 0;
}

struct capture *capture_free(struct capture *c)
{
	if (!c)
		return NULL;
	capture_stop(c, clock_monotonic_ns());
	drain_free(c->drain);
	sideband_close(c->sideband);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	if (c->online_fd >= 0)
		close(c->online_fd);
	free(c);
	return NULL;
}

static void batch_drop(struct capture *c, struct notice_batch *batch)
{
	c->stats.late_batches++;
	/* A wait that only begins counts 0: its sample is still to come. */
	for (size_t i = 0; i < batch->copy_count; i++)
		c->stats.late_copies += batch->copies[i].parts[0]->value.count;
	if (batch->window)
		c->stats.late_samples += window_sample_count(batch->window);
	/* What its notices said must be learned from /proc. */
	c->notices_lost = true;
	notice_batch_free(batch);
}

static void batch_send(struct capture *c, struct notice_batch *batch)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	if (!batch)
		return;
	batch->notices_lost = batch->notices_lost || c->notices_lost;
	if (notice_batch_is_empty(batch)) {
		notice_batch_free(batch);
		return;
	}
	c->notices_lost = false;
	/* Once programs are detached there is nothing left to capture: then it may wait. */
	for (int i = 0; i < STOP_WAITS_MAX && c->stopping; i++) {
		if (queue_count(c->options.out) < c->options.out_items)
			break;
		nanosleep(&pause, NULL);
	}
	if (queue_add(c->options.out, batch) < 0)
		batch_drop(c, batch);
}

static void sideband_collect(struct capture *c, struct notice_batch *batch)
{
	uint64_t lost;

	if (sideband_read(c->sideband, batch) < 0)
		c->notices_lost = true;
	lost = sideband_lost(c->sideband);
	if (lost != c->sideband_lost_before)
		batch->notices_lost = true;
	c->sideband_lost_before = lost;
}

static void cpus_follow(struct capture *c)
{
	struct cpu_set online;

	if (c->online_fd < 0 || cpu_set_read(c->online_fd, &online) < 0 ||
	    !memcmp(&online, &c->online, sizeof(online)))
		return;
	c->online = online;
	c->stats.cpus_error = sideband_update_cpus(c->sideband);
	sideband_poll(c->sideband, c->epoll_fd, 0);
	for (size_t i = 0; i < c->options.drain.source_count; i++) {
		int r = source_update_cpus(c->options.drain.sources[i]);

		if (r < 0)
			c->stats.cpus_error = r;
	}
}

/*
 * One round. The ring is read before the sideband: a request or copy of a process comes
 * after the notices of its mappings, so those are in the batch with it.
 */
static int capture_round(struct capture *c, bool window)
{
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();
	_cleanup_(notice_batch_freep) struct notice_batch *next = window ? notice_batch_new() :
									   NULL;
	int r = 0;

	if (!batch || (window && !next))
		return -ENOMEM;
	if (window)
		r = drain_window(c->drain, batch, next);
	if (r < 0)
		log_debug(LOG_DRAIN, "no memory for a window; it grows instead");
	if (!window)
		drain_read_ring(c->drain, batch);
	sideband_collect(c, batch);
	notice_batch_sort(batch);
	batch_send(c, take_ptr(batch));
	batch_send(c, take_ptr(next));
	return r;
}

/* What this one does not take nobody will. */
static void capture_last_round(struct capture *c)
{
	int r = -ENOMEM;

	for (int i = 0; i < LAST_TRIES && r < 0; i++)
		r = capture_round(c, true);
	c->stats.undrained += r < 0;
}

static void *capture_run(void *argument)
{
	struct capture *c = argument;
	uint64_t window_ns = c->options.window_ms * 1000000ull;
	struct epoll_event events[16];

	thread_begin("wick-capture", THREAD_NICE_PROMPT);
	c->next_window_ns = clock_monotonic_ns() + window_ns;
	for (;;) {
		int timeout_ms = c->options.window_ms < TICK_MS ? c->options.window_ms : TICK_MS;
		uint64_t now_ns;
		int count = epoll_wait(c->epoll_fd, events, ARRAY_SIZE(events), timeout_ms);
		bool window;

		now_ns = clock_monotonic_ns();
		window = now_ns >= c->next_window_ns || drain_is_pressed(c->drain);
		c->stats.wakeups++;
		if (__atomic_load_n(&c->asked_to_stop, __ATOMIC_ACQUIRE))
			return NULL;
		if (count > 0 || window)
			capture_round(c, window);
		if (window) {
			cpus_follow(c);
			c->next_window_ns = now_ns + window_ns;
		}
		c->stats.cpu_ns = clock_thread_cpu_ns();
	}
}

int capture_start(struct capture *c)
{
	int r = pthread_create(&c->thread, NULL, capture_run, c);

	c->running = !r;
	return -r;
}

void capture_stop(struct capture *c, uint64_t end_ns)
{
	uint64_t one = 1;

	if (!c->running)
		return;
	c->running = false;
	__atomic_store_n(&c->asked_to_stop, true, __ATOMIC_RELEASE);
	/* Without the wake-up it ends at the next tick. */
	(void)!write(c->stop_fd, &one, sizeof(one));
	pthread_join(c->thread, NULL);
	c->stopping = true;
	/* Twice: programs that ran in the first have sent what belongs to the next generation. */
	capture_last_round(c);
	drain_close_waits(c->drain, end_ns);
	capture_last_round(c);
	queue_close(c->options.out);
}

void capture_stats(const struct capture *c, struct capture_stats *ret)
{
	*ret = c->stats;
	drain_stats(c->drain, &ret->drain);
	ret->sideband_records = sideband_count(c->sideband);
	ret->sideband_lost = sideband_lost(c->sideband);
	ret->sideband_bytes = sideband_bytes(c->sideband);
}
