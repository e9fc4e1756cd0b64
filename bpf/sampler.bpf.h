/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sampler.bpf.h - what every source calls: one sample, filtered, walked, counted.
 *
 * sample_take() is the whole of it: claim a scratch state, ask sample_wanted(), name the
 * task, walk the stacks, send what is new, count. Every way out bumps
 * exactly one of the counters that make up "taken = reported + lost".
 */
#ifndef WICK_SAMPLER_BPF_H
#define WICK_SAMPLER_BPF_H

#include "bpf/comm_glob.h"
#include "bpf/unwind.bpf.h"

/* What is passed along within one run. */
struct run {
	void *ctx;			/* for bpf_get_stack() */
	struct scratch *scratch;
	struct wick_claim *claim;
	struct wick_counters *counters;
	struct task_struct *task;
	__u64 pid_tgid;
	__u32 slot, generation;
};

#define COUNT(run, name) __sync_fetch_and_add(&(run)->counters->value[WICK_COUNTER_##name], 1)

/* ---- filters: before any stack is walked ---- */

static __always_inline int target_wanted(void *map, __u32 id)
{
	__u32 *state = bpf_map_lookup_elem(map, &id);

	return state && *state == WICK_TARGET_ACTIVE;
}

static __always_inline struct cgroup *task_cgroup(struct task_struct *task)
{
	struct cgroup_subsys_state *css;
	__u32 index = settings.cgroup_subsystem;

	if (settings.cgroup_subsystem < 0)
		return BPF_CORE_READ(task, cgroups, dfl_cgrp);
	if (index >= CGROUP_SUBSYS_COUNT)
		return NULL;
	css = NULL;
	bpf_probe_read_kernel(&css, sizeof(css),
			      &BPF_CORE_READ(task, cgroups)->subsys[index]);
	return css ? BPF_CORE_READ(css, cgroup) : NULL;
}

/* The cgroup or one of its descendants. Nested deeper than this counts as outside. */
#define CGROUP_DEPTH_MAX 24

static __always_inline int cgroup_wanted(struct task_struct *task)
{
	struct cgroup *cgroup = task_cgroup(task);

	for (int i = 0; i < CGROUP_DEPTH_MAX; i++) {
		struct cgroup_subsys_state *parent;

		if (!cgroup)
			return 0;
		if (cgroup_folder_id(cgroup) == settings.cgroup_id)
			return 1;
		parent = BPF_CORE_READ(cgroup, self.parent);
		cgroup = parent ? BPF_CORE_READ(parent, cgroup) : NULL;
	}
	return 0;
}

static __always_inline int comm_wanted(void)
{
	char comm[WICK_COMM_BYTES] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	return comm_glob_matches(settings.glob_match, settings.glob_loops, settings.glob_accept,
				 comm);
}

static __always_inline int sample_wanted(struct run *run)
{
	__u32 pid = run->pid_tgid >> 32, tid = run->pid_tgid, zero = 0;
	struct wick_control *now = bpf_map_lookup_elem(&control, &zero);

	if (!now || !now->enabled || !tid)
		return 0;
	if (settings.skip_pid && pid == settings.skip_pid)
		return 0;
	if (settings.filter_pids || settings.filter_tids) {
		if (!(settings.filter_pids && target_wanted(&target_pids, pid)) &&
		    !(settings.filter_tids && target_wanted(&target_tids, tid)))
			return 0;
	}
	if (settings.filter_uid && (__u32)bpf_get_current_uid_gid() != settings.uid)
		return 0;
	if (settings.filter_comm && !comm_wanted())
		return 0;
	if (settings.filter_cgroup && !cgroup_wanted(run->task))
		return 0;
	return 1;
}

/* ---- claims ---- */

/*
 * Plain loads and stores suffice: what interrupts this CPU in between gives the
 * slot back before we go on, and programs do not migrate. Atomic exchange
 * would need 5.12.
 */
static __always_inline int run_claim(struct run *run)
{
	__u32 cpu = bpf_get_smp_processor_id(), zero = 0;
	struct wick_control *now = bpf_map_lookup_elem(&control, &zero);

	for (__u32 slot = 0; now && slot < WICK_SCRATCH_SLOTS; slot++) {
		__u32 index = cpu * WICK_SCRATCH_SLOTS + slot, key = slot;
		struct wick_claim *claim = bpf_map_lookup_elem(&claims, &index);

		run->scratch = bpf_map_lookup_elem(&scratch, &key);
		if (!claim || !run->scratch)
			break;
		if (*(volatile __u64 *)&claim->state != WICK_CLAIM_FREE)
			continue;
		/* First the claim, then the generation: the drain flips and then looks at claims. */
		*(volatile __u64 *)&claim->state = WICK_CLAIM_UNKNOWN;
		barrier();
		run->generation = *(volatile __u32 *)&now->generation;
		*(volatile __u64 *)&claim->state = WICK_CLAIM_GENERATION((__u64)run->generation);
		run->claim = claim;
		run->slot = slot;
		if (slot)
			COUNT(run, NESTED);
		return 0;
	}
	COUNT(run, LOST_SCRATCH);
	return -1;
}

static __always_inline void run_release(struct run *run)
{
	barrier();
	*(volatile __u64 *)&run->claim->state = WICK_CLAIM_FREE;
}

/* ---- sending what is new ---- */

static __always_inline __u64 *sent_slot(__u64 id)
{
	__u32 index = id & settings.sent_mask;

	return bpf_map_lookup_elem(&sent, &index);
}

static __always_inline __u64 sent_value(struct run *run, __u64 id)
{
	return id ^ ((__u64)run->generation << 32 | run->generation);
}

static __always_inline void record_head(struct run *run, struct wick_record *head, __u16 type)
{
	head->type = type;
	head->source = settings.source;
	head->generation = run->generation;
}

/* The id of the current task, its record sent if this generation has not had it; 0: lost. */
static __always_inline __u64 task_send(struct run *run)
{
	struct wick_task_record *record = &run->scratch->task;
	struct task_struct *task = run->task, *leader = BPF_CORE_READ(task, group_leader);
	__u32 flags = BPF_CORE_READ(task, flags);
	__u64 *slot;

	record->task.pid = run->pid_tgid >> 32;
	record->task.tid = run->pid_tgid;
	record->task.start_ns = BPF_CORE_READ(leader, start_time);
	record->task.exec_id = task_exec_id(task);
	record->task.flags = (flags & PF_KTHREAD_FLAG ? WICK_TASK_KERNEL : 0) |
			     (flags & PF_EXITING_FLAG ? WICK_TASK_EXITING : 0);
	/* As words of zeros first: the bytes behind the name are part of the id. */
	__builtin_memset(record->task.comm, 0, 2 * WICK_COMM_BYTES);
	bpf_get_current_comm(record->task.comm, WICK_COMM_BYTES);
	bpf_probe_read_kernel_str(record->task.process_comm, WICK_COMM_BYTES, &leader->comm);
	record->id = wick_task_id(&record->task);
	slot = sent_slot(record->id);
	if (!slot)
		return 0;
	if (*slot == sent_value(run, record->id))
		return record->id;
	record_head(run, &record->head, WICK_RECORD_TASK);
	if (bpf_ringbuf_output(&ring, record, sizeof(*record), BPF_RB_NO_WAKEUP))
		return 0;
	*slot = sent_value(run, record->id);
	return record->id;
}

/* Most records wait for the next drain; a ring that fills up wakes its reader before that. */
static __always_inline __u64 ring_flags(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > settings.wakeup_bytes ?
		       BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Send scratch->stack unless it was; its frames and everything but the head are filled in. */
static __always_inline __u64 stack_send(struct run *run, __u64 id)
{
	struct wick_stack_record *record = &run->scratch->stack;
	__u32 bytes = WICK_STACK_RECORD_HEAD_BYTES + (record->count & UNWIND_FRAMES_MAX) * 8;
	__u64 *slot = sent_slot(id);

	if (slot && *slot == sent_value(run, id)) {
		COUNT(run, STACKS_KNOWN);
		return id;
	}
	record->id = id;
	record_head(run, &record->head, WICK_RECORD_STACK);
	if (!slot || bpf_ringbuf_output(&ring, record, bytes, ring_flags())) {
		COUNT(run, STACKS_LOST);
		return WICK_STACK_LOST;
	}
	*slot = sent_value(run, id);
	COUNT(run, STACKS_SENT);
	return id;
}

/* ---- kernel stacks ---- */

static __always_inline __u64 kernel_stack(struct run *run)
{
	struct wick_stack_record *record = &run->scratch->stack;
	__u64 hash = WICK_KERNEL_STACK_SEED;
	__u32 count;
	long bytes;

	COUNT(run, WALKS_KERNEL);
	bytes = bpf_get_stack(run->ctx, record->frames, UNWIND_FRAMES_MAX * 8, 0);
	if (bytes <= 0)
		return WICK_STACK_NONE;
	count = bytes / 8;
	for (int i = 0; i < UNWIND_FRAMES_MAX; i++) {
		if (i >= count)
			break;
		/* A return address: name the call, as for user frames (unwind_step.h). */
		if (i)
			record->frames[i]--;
		hash = unwind_hash(hash, record->frames[i]);
	}
	record->count = count;
	record->stop = UNWIND_STOP_END;
	record->is_kernel = 1;
	record->flags = 0;
	record->pid = 0;
	record->start_ns = 0;
	return stack_send(run, wick_id(hash));
}

/* ---- user stacks ---- */

/* Send the walked stack. Frames are copied so that record and frames are one piece of memory. */
static __always_inline __u64 user_stack_send(struct run *run)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	struct wick_stack_record *record = &run->scratch->stack;
	const struct wick_task *task = &run->scratch->task.task;
	__u32 count = s->depth & UNWIND_FRAMES_MAX;
	__u64 id, *slot;

	record->pid = s->flags & UNWIND_RAW_FRAMES ? task->pid : 0;
	record->start_ns = record->pid ? task->start_ns : 0;
	id = wick_user_stack_id(s->hash, s->stop, record->pid, record->start_ns);
	slot = sent_slot(id);
	if (slot && *slot == sent_value(run, id)) {
		COUNT(run, STACKS_KNOWN);
		return id;
	}
	record->count = count;
	record->stop = s->stop;
	record->is_kernel = 0;
	record->flags = s->flags;
	bpf_probe_read_kernel(record->frames, count * 8, s->frames);
	return stack_send(run, id);
}

/* A stack without frames that says why. */
static __always_inline __u64 user_stack_absent(struct run *run, __u32 stop)
{
	unwind_reset(&run->scratch->unwind);
	run->scratch->unwind.stop = stop;
	return user_stack_send(run);
}

static __always_inline int process_matches(const struct wick_process *process,
					   const struct wick_task *task)
{
	return process->start_ns == task->start_ns && process->exec_id == task->exec_id;
}

/* How long an unanswered request for tables is left alone. */
#define REQUEST_INTERVAL_NS 100000000ull

static __always_inline void tables_request(struct run *run, struct wick_process *process,
					   __u64 now_ns)
{
	const struct wick_task *task = &run->scratch->task.task;
	struct wick_request_record request = {};
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
	record_head(run, &request.head, WICK_RECORD_REQUEST);
	request.pid = pid;
	request.exec_id = task->exec_id;
	request.start_ns = task->start_ns;
	COUNT(run, REQUESTS);
	bpf_ringbuf_output(&ring, &request, sizeof(request), BPF_RB_FORCE_WAKEUP);
}

/* Whether this CPU may make a copy now: on average one each copy_interval_ns, some in a row. */
static __always_inline int copy_allowed(__u64 now_ns)
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
	*next += settings.copy_interval_ns;
	return 1;
}

/* The stack from rsp upwards, as much as there is. */
static __always_inline void copy_fill(struct wick_copy_record *copy)
{
	__u32 bytes = 0;

	for (int i = 0; i < WICK_COPY_BYTES / WICK_COPY_CHUNK_BYTES; i++) {
		if (bpf_probe_read_user(copy->data + i * WICK_COPY_CHUNK_BYTES,
					WICK_COPY_CHUNK_BYTES, (void *)(copy->sp + bytes)))
			break;
		bytes += WICK_COPY_CHUNK_BYTES;
	}
	/* The top of the stack lies within the last chunk. */
	for (int i = 0; i < WICK_COPY_CHUNK_BYTES / 128; i++) {
		if (bytes > WICK_COPY_BYTES - 128)
			break;
		if (bpf_probe_read_user(copy->data + bytes, 128, (void *)(copy->sp + bytes)))
			break;
		bytes += 128;
	}
	copy->bytes = bytes;
}

/*
 * Send registers and stack as they are; the sample goes with it. Returns 0 when it went.
 */
static __always_inline int copy_send(struct run *run, const struct wick_key *key, __u64 value)
{
	const struct unwind_cursor *s = &run->scratch->unwind;
	const struct wick_task *task = &run->scratch->task.task;
	struct wick_copy_record *copy;
	__u64 now_ns = bpf_ktime_get_ns();

	if (!copy_allowed(now_ns)) {
		COUNT(run, COPIES_LIMITED);
		return -1;
	}
	copy = bpf_ringbuf_reserve(&ring, sizeof(*copy), 0);
	if (!copy) {
		COUNT(run, COPIES_LOST);
		return -1;
	}
	record_head(run, &copy->head, WICK_RECORD_COPY);
	copy->key = *key;
	copy->value.count = 1;
	copy->value.sum = value;
	copy->time_ns = now_ns;
	copy->pid = task->pid;
	copy->exec_id = task->exec_id;
	copy->start_ns = task->start_ns;
	copy->ip = s->ip;
	copy->sp = s->sp;
	copy->fp = s->fp;
	for (int i = 0; i < UNWIND_REGISTERS; i++)
		copy->regs[i] = s->regs[i];
	copy->in_kernel = key->kernel_stack != WICK_STACK_NONE;
	copy_fill(copy);
	bpf_ringbuf_submit(copy, ring_flags());
	COUNT(run, COPIES);
	return 0;
}

/*
 * Walk the user stack of the current task, whose registers are in the scratch state.
 * WICK_STACK_COPIED means: not possible yet, copy it.
 */
static __always_inline __u64 user_stack_walk(struct run *run)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	const struct wick_task *task = &run->scratch->task.task;
	__u32 pid = task->pid;
	struct wick_process *process = bpf_map_lookup_elem(&processes, &pid);

	if (process && process_matches(process, task)) {
		if (process->state == WICK_PROCESS_COMPAT)
			return user_stack_absent(run, UNWIND_STOP_COMPAT);
		if (process->state == WICK_PROCESS_LOADED) {
			s->map_first = process->map_first;
			s->map_count = process->map_count;
			COUNT(run, WALKS_USER);
			unwind_walk(s, run->slot);
			return user_stack_send(run);
		}
	}
	tables_request(run, process, bpf_ktime_get_ns());
	return WICK_STACK_COPIED;
}

/* ---- counting ---- */

/*
 * The two halves of a source's counts: its own, never shared, so that a storm in
 * one source cannot push out another's.
 */
struct counts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wick_key);
	__type(value, struct wick_value);
};
struct counts_map counts_0 SEC(".maps");
struct counts_map counts_1 SEC(".maps");

static __always_inline int count_add(void *map, const struct wick_key *key, __u64 value)
{
	struct wick_value *old = bpf_map_lookup_elem(map, key), fresh = { 1, value };

	if (!old) {
		if (!bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST))
			return 0;
		/* Another CPU, or what interrupted us, was first; or the map is full. */
		old = bpf_map_lookup_elem(map, key);
		if (!old)
			return -1;
	}
	__sync_fetch_and_add(&old->count, 1);
	__sync_fetch_and_add(&old->sum, value);
	return 0;
}

static __always_inline int event_send(struct run *run, const struct wick_key *key, __u64 value)
{
	struct wick_event_record *event = &run->scratch->event;

	record_head(run, &event->head, WICK_RECORD_EVENT);
	event->key = *key;
	event->value.count = 1;
	event->value.sum = value;
	event->time_ns = bpf_ktime_get_ns();
	event->cpu = bpf_get_smp_processor_id();
	event->reserved = 0;
	return bpf_ringbuf_output(&ring, event, sizeof(*event), ring_flags());
}

static __always_inline void sample_deliver(struct run *run, const struct wick_key *key,
					   __u64 value)
{
	int error;

	if (settings.deliver_events) {
		if (event_send(run, key, value))
			COUNT(run, LOST_EVENT);
		else
			COUNT(run, REPORTED);
		return;
	}
	/* The half goes by the generation that was read once, at the claim. */
	if (run->generation & 1)
		error = count_add(&counts_1, key, value);
	else
		error = count_add(&counts_0, key, value);
	if (error)
		COUNT(run, LOST_COUNTS);
	else
		COUNT(run, REPORTED);
}

/* User registers into the scratch state: from @regs when it is user code that was interrupted. */
static __always_inline int user_registers(struct run *run, struct pt_regs *regs, int in_kernel)
{
	struct unwind_cursor *s = &run->scratch->unwind;
	struct task_struct *task = run->task;
	__u32 flags = BPF_CORE_READ(task, flags);

	unwind_reset(s);
	if (!in_kernel) {
		REGISTERS_COPY(s, regs);
		return UNWIND_STOP_NONE;
	}
	if (!BPF_CORE_READ(task, mm))
		return flags & PF_EXITING_FLAG ? UNWIND_STOP_EXITING : UNWIND_STOP_NO_REGISTERS;
	return unwind_begin_saved(s, task);
}

/* @regs: of the interrupted code when the context has them, else NULL (then it is the kernel). */
static __always_inline void sample_walk(struct run *run, struct pt_regs *regs, __u64 source_key,
					__u64 value)
{
	int in_kernel = !regs || !registers_are_user(regs), stop;
	struct wick_key key = { .source_key = source_key };

	key.task = task_send(run);
	if (!key.task) {
		COUNT(run, LOST_TASK);
		return;
	}
	if (in_kernel && settings.walk_kernel)
		key.kernel_stack = kernel_stack(run);
	if (settings.walk_user && !(run->scratch->task.task.flags & WICK_TASK_KERNEL)) {
		stop = user_registers(run, regs, in_kernel);
		if (stop != UNWIND_STOP_NONE) {
			key.user_stack = user_stack_absent(run, stop);
		} else {
			key.user_stack = user_stack_walk(run);
			if (key.user_stack == WICK_STACK_COPIED) {
				if (!copy_send(run, &key, value)) {
					COUNT(run, REPORTED);
					return;
				}
				key.user_stack = user_stack_absent(run, UNWIND_STOP_NOT_LOADED);
			}
		}
	}
	sample_deliver(run, &key, value);
}

/* For "start to first sample"; two CPUs at once may both write, nanoseconds apart. */
static __always_inline void first_sample_note(void)
{
	__u32 zero = 0;
	struct wick_control *now = bpf_map_lookup_elem(&control, &zero);

	if (now && !now->first_sample_ns)
		now->first_sample_ns = bpf_ktime_get_ns();
}

static __always_inline int sample_take(void *ctx, struct pt_regs *regs, __u64 source_key,
				       __u64 value)
{
	__u32 index = settings.source * settings.cpu_count + bpf_get_smp_processor_id();
	struct run run = { .ctx = ctx };

	run.counters = bpf_map_lookup_elem(&counters, &index);
	if (!run.counters)
		return 0;
	COUNT(&run, ENTERED);
	run.pid_tgid = bpf_get_current_pid_tgid();
	run.task = (struct task_struct *)bpf_get_current_task();
	if (!sample_wanted(&run)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	COUNT(&run, TAKEN);
	first_sample_note();
	if (run_claim(&run))
		return 0;
	sample_walk(&run, regs, source_key, value);
	run_release(&run);
	return 0;
}

#endif
