/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * detail.bpf.h - what else tells samples apart: facts of the source, and what --label asks for.
 */
#ifndef WICK_DETAIL_BPF_H
#define WICK_DETAIL_BPF_H

#include "bpf/filter.bpf.h"

#define detail_wanted(name) (settings.labels & WICK_DETAIL_BIT(name))

#define detail_set(run, name, number)                                           \
	do {                                                                    \
		struct wick_detail *detail_ = &(run)->scratch->detail.detail;   \
                                                                              \
		detail_->value[WICK_DETAIL_##name] = (number);                  \
		detail_->present |= WICK_DETAIL_BIT(name);                      \
	} while (0)

/* Only when it is asked for. */
#define detail_label(run, name, number)                                         \
	do {                                                                    \
		if (detail_wanted(name))                                        \
			detail_set(run, name, number);                          \
	} while (0)

static __always_inline void detail_clear(struct run *run)
{
	__builtin_memset(&run->scratch->detail.detail, 0, sizeof(struct wick_detail));
}

static __always_inline __u64 bucket_of(__u64 value)
{
	__u64 bucket = 0;

	for (int shift = 32; shift; shift >>= 1) {
		if (value >> shift) {
			value >>= shift;
			bucket += shift;
		}
	}
	return bucket;
}

/* The same where it is asked for, else 0. */
static __always_inline __u64 detail_bucket(__u64 value)
{
	return detail_wanted(BUCKET) ? bucket_of(value) : 0;
}

/* The system call the current task is in. */
static __always_inline void detail_add_syscall(struct run *run)
{
	__u32 number = task_syscall(run->task, settings.thread_bytes);

	if (number)
		detail_set(run, SYSCALL, number - 1);
}

/* What any source can tell. */
static __always_inline void detail_add_common(struct run *run, __u64 value)
{
	detail_label(run, CPU, bpf_get_smp_processor_id());
	detail_label(run, BUCKET, bucket_of(value));
	if (detail_wanted(CGROUP)) {
		struct cgroup *cgroup = task_cgroup(run->task);

		if (cgroup)
			detail_set(run, CGROUP, cgroup_folder_id(cgroup));
	}
}

/* The id of the detail that was put together, sent if this generation has not had it. */
static __always_inline __u64 detail_send(struct run *run)
{
	struct wick_detail_record *record = &run->scratch->detail;
	__u64 *slot;

	if (!record->detail.present)
		return WICK_DETAIL_NONE;
	record->id = wick_detail_id(&record->detail);
	slot = sent_slot(record->id);
	if (id_is_sent(run, slot, record->id))
		return record->id;
	record_head(run, &record->head, WICK_RECORD_DETAIL);
	if (!slot || bpf_ringbuf_output(&ring, record, sizeof(*record), ring_flags(ring_held()))) {
		COUNT(run, DETAILS_LOST);
		return WICK_DETAIL_LOST;
	}
	*slot = sent_value(run, record->id);
	return record->id;
}

#endif
