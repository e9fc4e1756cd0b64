/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/open_waits.h"
#include "profiler/ring_reader.h"
#include "profiler/window.h"

#define KEYS_AT_ONCE 4096
#define READ_TRIES 3
#define CLAIM_PAUSE_NS 50000
#define CLAIM_WAIT_MAX_NS 2000000000ull

struct drain {
	struct drain_options options;
	struct ring_reader *ring;
	struct wick_control *control;
	struct window *window, *next;	/* of this generation and the one after it */
	struct open_waits *waits;	/* NULL: no source has any */
	uint64_t window_start_ns;
	uint64_t reported_before;	/* counters' sum at the last drain, for pressure */
	struct notice_batch *batch, *next_batch;	/* while records are read */
	struct wick_key *keys;
	struct wick_value *values;
	struct drain_stats stats;
};

/* Of the sources that have waits; without them there is nothing to keep. */
static int waits_new(struct drain *d)
{
	_cleanup_free_ struct open_waits_map *maps =
		calloc(d->options.source_count, sizeof(*maps));
	size_t count = 0;

	if (!maps)
		return -ENOMEM;
	for (size_t i = 0; i < d->options.source_count; i++) {
		struct source_run *run = d->options.sources[i];

		if (source_waits_fd(run) < 0)
			continue;
		maps[count++] = (struct open_waits_map){
			.fd = source_waits_fd(run),
			.source = i,
			.settings = &source_run_options(run)->settings,
		};
	}
	return count ? open_waits_new(maps, count, &d->waits) : 0;
}

int drain_new(const struct drain_options *options, struct drain **ret)
{
	_cleanup_(drain_freep) struct drain *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->options = *options;
	d->control = bpf_maps_control(options->maps);
	d->keys = calloc(KEYS_AT_ONCE, sizeof(*d->keys));
	d->values = calloc(KEYS_AT_ONCE, sizeof(*d->values));
	d->window = window_new(options->window_bytes);
	d->next = window_new(options->window_bytes);
	d->window_start_ns = clock_monotonic_ns();
	if (!d->keys || !d->values || !d->window || !d->next)
		return -ENOMEM;
	r = waits_new(d);
	r = r ?: ring_reader_open(bpf_maps_fd(options->maps, "ring"), options->limits->ring_bytes,
			     &d->ring);
	if (r < 0)
		return r;
	*ret = take_ptr(d);
	return 0;
}

struct drain *drain_free(struct drain *d)
{
	if (!d)
		return NULL;
	ring_reader_close(d->ring);
	window_free(d->window);
	window_free(d->next);
	open_waits_free(d->waits);
	free(d->keys);
	free(d->values);
	free(d);
	return NULL;
}

/* ---- records ---- */

static struct window *record_window(struct drain *d, const struct wick_record *head)
{
	uint32_t now = d->control->generation;

	/* During a drain, control already holds the new generation: d->next is its window. */
	if (d->next_batch)
		return head->generation == now ? d->next : d->window;
	if (head->generation != now)
		d->stats.late_records++;
	return d->window;
}

static int read_task(struct drain *d, const void *record, size_t size)
{
	const struct wick_task_record *r = record;

	if (size < sizeof(*r))
		return -EBADMSG;
	return window_add_task(record_window(d, &r->head), r->id, &r->task);
}

/* Into @window, which has the stacks it names or will have them when it is whole. */
static int sample_add(struct drain *d, struct window *window, const struct window_sample *sample)
{
	int r;

	if (d->waits)
		open_waits_complete(d->waits, window, &sample->key);
	r = window_add_sample(window, sample);
	if (r < 0)
		d->stats.lost_memory += sample->value.count;
	return r;
}

static int read_stack(struct drain *d, const void *record, size_t size)
{
	const struct wick_stack_record *r = record;
	struct window *window = record_window(d, &r->head);
	struct window_sample sample;
	struct window_stack stack;
	int error;

	if (size < WICK_STACK_RECORD_HEAD_BYTES ||
	    size < WICK_STACK_RECORD_HEAD_BYTES + (size_t)r->count * sizeof(r->frames[0]))
		return -EBADMSG;
	stack = (struct window_stack){ .id = r->id, .count = r->count, .stop = r->stop,
				       .is_kernel = r->is_kernel, .flags = r->flags,
				       .pid = r->pid, .start_ns = r->start_ns,
				       .frames = r->frames };
	sample = (struct window_sample){ .key = r->key, .source = r->head.source,
					 .value = r->value };
	error = window_add_stack(window, &stack);
	if (!r->value.count)
		return error;
	return sample_add(d, window, &sample) ?: error;
}

static int read_detail(struct drain *d, const void *record, size_t size)
{
	const struct wick_detail_record *r = record;

	if (size < sizeof(*r))
		return -EBADMSG;
	return window_add_detail(record_window(d, &r->head), r->id, &r->detail);
}

static int read_text(struct drain *d, const void *record, size_t size)
{
	const struct wick_text_record *r = record;
	struct window_text text;

	if (size < WICK_TEXT_RECORD_HEAD_BYTES || r->bytes > sizeof(r->text) ||
	    size < WICK_TEXT_RECORD_HEAD_BYTES + r->bytes)
		return -EBADMSG;
	text = (struct window_text){ .bytes = r->bytes, .text = r->text };
	return window_add_text(record_window(d, &r->head), r->id, &text);
}

/* What a probe read, behind its event. */
static bool values_are_whole(const struct wick_event_record *r, size_t size)
{
	const struct probe_values *values = (const void *)(r + 1);

	if (!r->values_bytes)
		return true;
	return size >= sizeof(*r) + PROBE_VALUES_HEAD_BYTES &&
	       values->text_bytes <= sizeof(values->text) &&
	       size >= sizeof(*r) + probe_values_size(values);
}

static int read_event(struct drain *d, const void *record, size_t size)
{
	const struct wick_event_record *r = record;
	struct window_event event;
	int error;

	if (size < sizeof(*r) || !values_are_whole(r, size))
		return -EBADMSG;
	event = (struct window_event){ .sample = { .key = r->key, .source = r->head.source,
						   .value = r->value },
				       .time_ns = r->time_ns, .cpu = r->cpu,
				       .values = r->values_bytes ? (const void *)(r + 1) : NULL };
	if (d->waits)
		open_waits_complete(d->waits, record_window(d, &r->head), &r->key);
	error = window_add_event(record_window(d, &r->head), &event);
	if (error < 0)
		d->stats.lost_memory++;
	return error;
}

static struct notice_batch *record_batch(struct drain *d, const struct wick_record *head)
{
	return d->next_batch && head->generation == d->control->generation ? d->next_batch :
									     d->batch;
}

static int read_copy(struct drain *d, const void *record, size_t size)
{
	const struct wick_copy_record *r = record;
	int error;

	if (size < WICK_COPY_RECORD_HEAD_BYTES || r->bytes > size - WICK_COPY_RECORD_HEAD_BYTES)
		return -EBADMSG;
	error = notice_batch_add_copy(record_batch(d, &r->head), r);
	if (error < 0)
		d->stats.lost_memory += r->part ? 0 : r->value.count;
	return error;
}

/* Without memory its stack is unresolved, and counted so. */
static int read_sleeper(struct drain *d, const void *record, size_t size)
{
	const struct wick_sleeper_record *r = record;

	if (size < sizeof(*r))
		return -EBADMSG;
	return notice_batch_add_sleeper(record_batch(d, &r->head), r);
}

static int read_request(struct drain *d, const void *record, size_t size)
{
	const struct wick_request_record *r = record;

	if (size < sizeof(*r))
		return -EBADMSG;
	return notice_batch_add_request(record_batch(d, &r->head), r);
}

static int read_file(struct drain *d, const void *record, size_t size)
{
	const struct wick_file_record *r = record;

	if (size < sizeof(*r))
		return -EBADMSG;
	return notice_batch_add_file(record_batch(d, &r->head), r);
}

static int read_record(void *context, const void *record, size_t size)
{
	static int (*const readers[])(struct drain *, const void *, size_t) = {
		[WICK_RECORD_TASK] = read_task,	      [WICK_RECORD_STACK] = read_stack,
		[WICK_RECORD_COPY] = read_copy,	      [WICK_RECORD_EVENT] = read_event,
		[WICK_RECORD_REQUEST] = read_request, [WICK_RECORD_DETAIL] = read_detail,
		[WICK_RECORD_SLEEPER] = read_sleeper, [WICK_RECORD_TEXT] = read_text,
		[WICK_RECORD_FILE] = read_file,
	};
	const struct wick_record *head = record;
	struct drain *d = context;

	d->stats.records++;
	if (size >= sizeof(*head) && head->type < ARRAY_SIZE(readers) && readers[head->type])
		readers[head->type](d, record, size);
	/* One bad or lost record does not stop the drain; losses were counted. */
	return 0;
}

void drain_read_ring(struct drain *d, struct notice_batch *batch)
{
	d->batch = batch;
	ring_reader_read(d->ring, ring_reader_position(d->ring), read_record, d);
	d->batch = NULL;
}

/* ---- the drain ---- */

static bool claims_hold(struct drain *d, uint32_t generation)
{
	size_t count;
	const struct wick_claim *claims = bpf_maps_claims(d->options.maps, &count);

	for (size_t i = 0; i < count; i++) {
		uint64_t state = __atomic_load_n(&claims[i].state, __ATOMIC_ACQUIRE);

		if (state == WICK_CLAIM_UNKNOWN ||
		    state == WICK_CLAIM_GENERATION((uint64_t)generation))
			return true;
	}
	return false;
}

/*
 * Until no program works with @generation. The millisecond before the first look covers a
 * program whose claim was not visible yet when it had read the generation: stores
 * wait in a CPU's buffer for much less.
 */
static void claims_wait(struct drain *d, uint32_t generation)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	uint64_t start_ns = clock_monotonic_ns();

	nanosleep(&pause, NULL);
	pause.tv_nsec = CLAIM_PAUSE_NS;
	while (claims_hold(d, generation)) {
		if (clock_monotonic_ns() - start_ns > CLAIM_WAIT_MAX_NS) {
			d->stats.claim_timeouts++;
			break;
		}
		nanosleep(&pause, NULL);
	}
	d->stats.flip_wait_ns += clock_monotonic_ns() - start_ns;
}

static void counts_add(struct drain *d, uint32_t source, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct window_sample sample = { .key = d->keys[i], .source = source,
						.value = d->values[i] };

		sample_add(d, d->window, &sample);
	}
	d->stats.keys += count;
}

static void counts_read(struct drain *d, uint32_t source, unsigned int half)
{
	int fd = source_counts_fd(d->options.sources[source], half), r;
	uint32_t token = 0, count, tries = 0;
	void *from = NULL;

	do {
		count = KEYS_AT_ONCE;
		r = bpf_map_lookup_and_delete_batch(fd, from, &token, d->keys, d->values, &count,
						    NULL);
		if (r < 0 && r != -ENOENT) {
			log_debug(LOG_DRAIN, "cannot read counts: %s", strerror(-r));
			/* What was taken until then is out of the map; untouched, it took nothing. */
			count = count == KEYS_AT_ONCE ? 0 : count;
			tries = count ? 0 : tries + 1;
			if (tries == READ_TRIES) {
				d->stats.lost_read++;
				return;
			}
			/* It may pass, as a lack of memory does. */
			r = 0;
		} else {
			tries = 0;
		}
		counts_add(d, source, count);
		from = tries ? from : &token;
	} while (!r);
}

/* What the map was not given. No program works with that generation any more. */
static void recent_read(struct drain *d, uint32_t source, uint32_t generation)
{
	size_t cpus;
	const struct wick_recent *recent = source_recent(d->options.sources[source], &cpus);

	for (size_t i = 0; i < cpus * WICK_RECENT_COUNTS; i++) {
		const struct wick_recent_count *last =
			&recent[i / WICK_RECENT_COUNTS]
				 .counts[generation & 1][i % WICK_RECENT_COUNTS];
		struct window_sample sample = { .key = { .task = last->task,
							 .detail = last->detail },
						.source = source, .value = last->value };

		if (last->generation == generation && last->task && last->value.count)
			sample_add(d, d->window, &sample);
	}
}

static uint64_t reported_sum(const struct drain *d)
{
	uint64_t sum = 0;

	for (size_t source = 0; source < d->options.source_count; source++)
		for (unsigned int cpu = 0; cpu < bpf_maps_cpus(d->options.maps); cpu++)
			sum += bpf_maps_counters(d->options.maps, source, cpu)
				       ->value[WICK_COUNTER_REPORTED];
	return sum;
}

int drain_window(struct drain *d, struct notice_batch *batch, struct notice_batch *next)
{
	struct window *fresh = window_new(d->options.window_bytes);
	uint32_t old = d->control->generation;
	uint64_t now_ns = clock_monotonic_ns();

	if (!fresh)
		return -ENOMEM;
	d->reported_before = reported_sum(d);
	__atomic_store_n(&d->control->generation, old + 1, __ATOMIC_SEQ_CST);
	claims_wait(d, old);
	d->batch = batch;
	d->next_batch = next;
	ring_reader_read(d->ring, ring_reader_position(d->ring), read_record, d);
	d->batch = d->next_batch = NULL;
	for (size_t source = 0; source < d->options.source_count; source++) {
		counts_read(d, source, old & 1);
		recent_read(d, source, old);
	}
	/* Without memory some stacks of long waits will be unknown, and counted as such. */
	if (d->waits && open_waits_keep(d->waits, d->window) < 0)
		log_debug(LOG_DRAIN, "no memory for the stacks of open waits");
	window_set_time(d->window, d->window_start_ns, now_ns);
	d->window_start_ns = now_ns;
	batch->window = d->window;
	d->window = d->next;
	d->next = fresh;
	d->stats.windows++;
	return 0;
}

void drain_close_waits(struct drain *d, uint64_t end_ns)
{
	struct open_waits_closed closed;

	if (!d->waits)
		return;
	if (open_waits_close(d->waits, d->window, end_ns, &closed) < 0)
		d->stats.lost_read++;
	d->stats.waits_closed += closed.added;
	d->stats.waits_unknown += closed.lost;
}

bool drain_is_pressed(const struct drain *d)
{
	return reported_sum(d) - d->reported_before > d->options.limits->counts / 2;
}

void drain_stats(const struct drain *d, struct drain_stats *ret)
{
	*ret = d->stats;
}
