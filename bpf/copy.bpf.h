/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * copy.bpf.h - when tables or mappings are missing: ask user space for them, and send it the
 * registers and the top of the stack until they are there.
 */
#ifndef WICK_COPY_BPF_H
#define WICK_COPY_BPF_H

#include "bpf/run.bpf.h"
#include "bpf/unwind.bpf.h"

static __always_inline int process_matches(const struct wick_process *process,
					   const struct wick_task *task)
{
	return process->start_ns == task->start_ns && process->exec_id == task->exec_id;
}

/* How long a request is left alone before it is repeated. */
#define REQUEST_INTERVAL_NS 100000000ull
/* The first news of changed mappings are asked for this soon; each miss doubles it. */
#define NEWS_INTERVAL_NS 4000000ull
#define NEWS_DOUBLINGS_MAX 10
/* Tables of a large library take some hundred milliseconds to make. */
#define NEWS_PATIENCE 7

static __always_inline void request_send(struct run *run, int is_loaded, __u32 module)
{
	const struct wick_task *task = &run->scratch->task.task;
	struct wick_request_record request = {};

	record_head(run, &request.head, WICK_RECORD_REQUEST);
	request.pid = task->pid;
	request.exec_id = task->exec_id;
	request.start_ns = task->start_ns;
	request.is_loaded = is_loaded;
	request.module = module;
	COUNT(run, REQUESTS);
	bpf_ringbuf_output(&ring, &request, sizeof(request), BPF_RB_FORCE_WAKEUP);
}

/* Tables of a process that has none yet, or whose entry is of what it ran before. */
static __always_inline void tables_request(struct run *run, struct wick_process *process,
					   __u64 now_ns)
{
	const struct wick_task *task = &run->scratch->task.task;
	struct wick_process fresh = {};
	__u32 pid = task->pid;

	if (process && process_matches(process, task) &&
	    now_ns - process->requested_ns < REQUEST_INTERVAL_NS)
		return;
	fresh.start_ns = task->start_ns;
	fresh.exec_id = task->exec_id;
	fresh.state = WICK_PROCESS_REQUESTED;
	fresh.requested_ns = now_ns;
	bpf_map_update_elem(&processes, &pid, &fresh, BPF_ANY);
	request_send(run, 0, 0);
}

/*
 * The walk came to an address outside of the known mappings: perhaps of a library mapped
 * a moment ago. Then the stack is copied, and news asked for. A process whose walks
 * really go astray is asked about less and less often: its list does not change.
 */
static __always_inline int mappings_may_be_old(struct run *run, struct wick_process *process)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	__u32 misses = process->misses;
	__u64 now_ns;

	/* Registers were replaced by those of a signal frame: a copy could not begin with them. */
	if (s->stop != UNWIND_STOP_UNMAPPED || (s->flags & UNWIND_CROSSED_SIGNAL))
		return 0;
	now_ns = bpf_ktime_get_ns();
	misses = misses < NEWS_DOUBLINGS_MAX ? misses : NEWS_DOUBLINGS_MAX;
	/* Once there were several, what comes before the next question is what it seems. */
	if (now_ns - process->requested_ns < NEWS_INTERVAL_NS << misses)
		return misses < NEWS_PATIENCE;
	process->requested_ns = now_ns;
	process->misses++;
	request_send(run, 1, 0);
	return 1;
}

/*
 * The walk came to a module whose table nobody has asked for: most of what is mapped never runs.
 * Then the stack is copied; whoever unwinds the copy makes the tables it needs.
 */
static __always_inline int table_is_missing(struct run *run, struct wick_process *process)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	__u64 now_ns;

	if (s->stop != UNWIND_STOP_NOT_LOADED)
		return 0;
	now_ns = bpf_ktime_get_ns();
	if (now_ns - process->requested_ns >= NEWS_INTERVAL_NS) {
		process->requested_ns = now_ns;
		request_send(run, 1, s->map_module);
	}
	return !(s->flags & UNWIND_CROSSED_SIGNAL);
}

/*
 * When copies may next be made on a CPU, a token bucket in one number. Each source has its own: one
 * with many events of new processes must not use up what another needs for few.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} copy_credit SEC(".maps");

/* What a copy takes from the credit: the whole interval for a full part and more, less for less. */
#define COPY_BYTES_CHARGED_LEAST 1024
_Static_assert((WICK_COPY_BYTES & (WICK_COPY_BYTES - 1)) == 0, "it is divided by");

/*
 * Whether this CPU may make a copy of @bytes now: on average one full part each copy_interval_ns, some
 * in a row. Stacks of programs that have just begun are short, and may be as many more.
 */
static __always_inline int copy_allowed(__u64 now_ns, __u64 bytes)
{
	__u64 burst_ns = settings.copy_interval_ns * settings.copy_burst;
	__u32 zero = 0;
	__u64 *next = bpf_map_lookup_elem(&copy_credit, &zero);

	if (!next)
		return 0;
	if (*next + burst_ns < now_ns)
		*next = now_ns - burst_ns;
	if (*next > now_ns)
		return 0;
	if (bytes > WICK_COPY_BYTES)
		bytes = WICK_COPY_BYTES;
	if (bytes < COPY_BYTES_CHARGED_LEAST)
		bytes = COPY_BYTES_CHARGED_LEAST;
	*next += settings.copy_interval_ns * bytes / WICK_COPY_BYTES;
	return 1;
}

#define PAGE_BYTES 4096ull
/* In such pieces: none lies in two pages. */
#define PIECE_BYTES 128

/*
 * Where the copy begins: with the red zone; without it where that is in a page that is not
 * there; in the next page where rsp itself is in a page that was never touched.
 */
static __always_inline __u64 copy_base(__u64 sp)
{
	__u64 base = sp - UNWIND_RED_ZONE_BYTES, word;

	if (bpf_probe_read_user(&word, sizeof(word), (void *)base))
		base = sp;
	if (bpf_probe_read_user(&word, sizeof(word), (void *)base))
		base = (sp & ~(PAGE_BYTES - 1)) + PAGE_BYTES;
	return base & ~(PIECE_BYTES - 1ull);
}

/*
 * Where the stack ends of a first thread: above are its arguments and environment. Of other threads,
 * and of stacks for signals, it is not known; the kernel keeps 128 MiB below the first one's free of
 * them.
 */
#define FIRST_STACK_BYTES (128ull << 20)
#define TOP_UNKNOWN ~0ull

static __always_inline __u64 stack_top(struct task_struct *task, __u64 sp)
{
	__u64 top = BPF_CORE_READ(task, mm, start_stack);

	return top - sp < FIRST_STACK_BYTES ? top : TOP_UNKNOWN;
}

/* Pages of large local arrays may never have been touched. The next one that was, or 0. */
#define HOLE_PAGES_MAX 64

static __always_inline __u64 hole_end(__u64 address, __u64 top)
{
	__u64 word;

	if (top == TOP_UNKNOWN)
		return 0;
	for (int i = 0; i < HOLE_PAGES_MAX; i++) {
		address = (address & ~(PAGE_BYTES - 1)) + PAGE_BYTES;
		if (address >= top)
			break;
		if (!bpf_probe_read_user(&word, sizeof(word), (void *)address))
			return address;
	}
	return 0;
}

/* Copies are large: a few dozen would fill the ring, which then takes no stacks. */
static __always_inline int copies_have_room(void)
{
	return ring_held() <= 2 * settings.wakeup_bytes;
}

/* The stack from @from upwards, as much as there is and as a part holds. */
static __always_inline __u32 part_fill(struct wick_copy_record *part, __u64 from, __u64 top)
{
	__u32 bytes = 0;

	part->base = from;
	for (int i = 0; i < WICK_COPY_BYTES / WICK_COPY_CHUNK_BYTES; i++) {
		if (from + bytes >= top ||
		    bpf_probe_read_user(part->data + i * WICK_COPY_CHUNK_BYTES,
					WICK_COPY_CHUNK_BYTES, (void *)(from + bytes)))
			break;
		bytes += WICK_COPY_CHUNK_BYTES;
	}
	/* The end of what there is lies within the last chunk. */
	for (int i = 0; i < WICK_COPY_CHUNK_BYTES / PIECE_BYTES; i++) {
		if (bytes > WICK_COPY_BYTES - PIECE_BYTES || from + bytes >= top ||
		    bpf_probe_read_user(part->data + bytes, PIECE_BYTES, (void *)(from + bytes)))
			break;
		bytes += PIECE_BYTES;
	}
	/* What lies above it was read along. */
	if (bytes > top - from)
		bytes = top - from;
	part->bytes = bytes;
	return bytes;
}

/* Whether what lies from @from upwards fits into one part, which then is sent as long as it is. */
static __always_inline int part_is_last(__u64 from, __u64 top)
{
	return top != TOP_UNKNOWN && top - from <= WICK_COPY_BYTES;
}

/* Send scratch->part, with its @bytes of data. Nonzero: no room. */
static __always_inline long part_send(struct scratch *s, __u32 bytes, __u64 flags)
{
	/* At least 1, at most all: for verifiers. */
	__u32 size = WICK_COPY_RECORD_HEAD_BYTES + ((bytes - 1) & (WICK_COPY_BYTES - 1)) + 1;

	return bpf_ringbuf_output(&ring, &s->part, size, flags);
}

static __always_inline void part_head(struct wick_copy_record *part, struct scratch *s)
{
	part->head = s->copy.head;
	part->time_ns = s->copy.time_ns;
	part->key.task = s->task.id;
	part->part = ++s->copy.part;
}

/*
 * One more part of the copy in scratch state @slot. Nonzero: there is no more. Global, as the step of
 * a walk is: verified once, not once per part and caller.
 */
__noinline int copy_part_slot(__u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct wick_copy_record *part;
	struct copy_state *copy;

	if (!s)
		return 1;
	copy = &s->copy;
	copy->next += copy->bytes;
	if (copy->bytes < WICK_COPY_BYTES)
		copy->next = hole_end(copy->next, copy->top);
	if (!copy->next || copy->next >= copy->top || !copies_have_room())
		return 1;
	if (part_is_last(copy->next, copy->top)) {
		part_head(&s->part, s);
		copy->bytes = part_fill(&s->part, copy->next, copy->top);
		return part_send(s, copy->bytes, BPF_RB_NO_WAKEUP) != 0;
	}
	part = bpf_ringbuf_reserve(&ring, sizeof(*part), 0);
	if (!part)
		return 1;
	part_head(part, s);
	copy->bytes = part_fill(part, copy->next, copy->top);
	bpf_ringbuf_submit(part, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Everything but the stack. */
static __always_inline void copy_head(struct wick_copy_record *record, const struct scratch *s)
{
	const struct copy_state *copy = &s->copy;

	record->head = copy->head;
	record->key = copy->key;
	record->value = copy->value;
	record->time_ns = copy->time_ns;
	record->pid = s->task.task.pid;
	record->exec_id = s->task.task.exec_id;
	record->start_ns = s->task.task.start_ns;
	record->ip = s->start_ip;
	record->sp = s->start_sp;
	record->fp = s->start_fp;
	for (int i = 0; i < UNWIND_REGISTERS; i++)
		record->regs[i] = s->unwind.regs[i];
	record->regs[UNWIND_RBX] = s->start_rbx;
	record->part = 0;
}

/*
 * Send registers and stack of scratch state @slot, and what does not fit into more parts. Those are
 * sent before it is, but lie behind it: who reads it finds them there. Nonzero: no room.
 */
__noinline int copy_send_slot(__u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct wick_copy_record *record;
	struct copy_state *copy;
	__u32 bytes;

	if (!s || !copies_have_room())
		return 1;
	copy = &s->copy;
	if (part_is_last(copy->next, copy->top)) {
		copy_head(&s->part, s);
		bytes = part_fill(&s->part, copy->next, copy->top);
		return part_send(s, bytes, ring_flags(ring_held())) != 0;
	}
	record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record)
		return 1;
	copy_head(record, s);
	copy->part = 0;
	copy->bytes = part_fill(record, copy->next, copy->top);
	for (int i = 1; i < WICK_COPY_PARTS; i++)
		if (copy_part_slot(slot))
			break;
	bpf_ringbuf_submit(record, ring_flags(ring_held()));
	return 0;
}

/*
 * Send registers and stack as they are; the sample goes with it. Returns 0 when it went.
 */
static __always_inline int copy_send(struct run *run, const struct wick_key *key,
				     const struct wick_value *value)
{
	struct copy_state *copy = &run->scratch->copy;

	copy->time_ns = bpf_ktime_get_ns();
	copy->top = stack_top(run->task, run->scratch->start_sp);
	if (!copy_allowed(copy->time_ns, copy->top - run->scratch->start_sp)) {
		COUNT(run, COPIES_LIMITED);
		return -1;
	}
	copy->next = copy_base(run->scratch->start_sp);
	record_head(run, &copy->head, WICK_RECORD_COPY);
	copy->key = *key;
	copy->value = *value;
	if (copy_send_slot(run->slot)) {
		COUNT(run, COPIES_LOST);
		return -1;
	}
	COUNT(run, COPIES);
	return 0;
}

#endif
