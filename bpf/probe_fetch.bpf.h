/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_fetch.bpf.h - the values of a probe's site: read where the probe fires, into a state per run.
 *
 * What does the work is global and named by its slot, as the step of a walk is: verified once, and not
 * for each value and program.
 */
#ifndef WICK_PROBE_FETCH_BPF_H
#define WICK_PROBE_FETCH_BPF_H

#include <bpf/bpf_endian.h>

#include "bpf/probe_eval.h"
#include "bpf/sampler.bpf.h"

/* Which values are due. */
enum probe_phase {
	PROBE_PHASE_HIT,	/* all of them */
	PROBE_PHASE_ENTER,	/* a call begins: what is kept of it */
	PROBE_PHASE_LEAVE,	/* and ends: the others */
};

#define PROBE_REGISTER_SLOTS 32	/* a power of two, the last of which nothing is written to */
_Static_assert(PROBE_REGISTER_COUNT <= PROBE_NO_REGISTER &&
		       PROBE_NO_REGISTER == PROBE_REGISTER_SLOTS - 1,
	       "the last is no register, and 0");
#define PROBE_WORD_SLOTS 16

/* Of a packet, once it was looked at. */
struct probe_packet {
	__u64 skb;		/* its sk_buff; 0: none was looked at */
	__u64 sk;		/* its socket, if the probe knows it; or 0 */
	__u64 address[4];	/* source, destination */
	__u64 number[16];	/* by enum probe_packet_field */
	__u32 known;		/* bits of those that are there */
	__u32 address_bytes;
};

/* Of one run: what it reads from, and what it has read. */
struct probing {
	__u64 registers[PROBE_REGISTER_SLOTS];
	__u64 words[PROBE_WORD_SLOTS];
	__u64 record;		/* its address */
	__u64 latency_ns;
	__u32 site, phase;
	struct probe_packet packet;
	struct wick_text_record text;
	struct probe_event event;
};

/* A field at a time, as REGISTERS_COPY(). */
#define PROBE_REGISTERS(p, r)                             \
	do {                                              \
		(p)->registers[PROBE_RAX] = (r)->ax;      \
		(p)->registers[PROBE_RDX] = (r)->dx;      \
		(p)->registers[PROBE_RCX] = (r)->cx;      \
		(p)->registers[PROBE_RBX] = (r)->bx;      \
		(p)->registers[PROBE_RSI] = (r)->si;      \
		(p)->registers[PROBE_RDI] = (r)->di;      \
		(p)->registers[PROBE_RBP] = (r)->bp;      \
		(p)->registers[PROBE_RSP] = (r)->sp;      \
		(p)->registers[PROBE_R8] = (r)->r8;       \
		(p)->registers[PROBE_R9] = (r)->r9;       \
		(p)->registers[PROBE_R10] = (r)->r10;     \
		(p)->registers[PROBE_R11] = (r)->r11;     \
		(p)->registers[PROBE_R12] = (r)->r12;     \
		(p)->registers[PROBE_R13] = (r)->r13;     \
		(p)->registers[PROBE_R14] = (r)->r14;     \
		(p)->registers[PROBE_R15] = (r)->r15;     \
		(p)->registers[PROBE_RIP] = (r)->ip;      \
	} while (0)

/* The places of this object's probe, by number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_site);
} sites SEC(".maps");

/* By the slot of the claimed scratch state. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WICK_SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct probing);
} probings SEC(".maps");

#include "bpf/probe_packet.bpf.h"

/* Keeps the compiler from leaving out a mask for what it knows of a number, and verifiers do not. */
#define PROBE_OPAQUE(number) asm volatile("" : "+r"(number))

/*
 * Whose memory it is. Types of the kernel seldom tell its pointers to the task's memory from its own
 * (Debian's say __user of none); the addresses do. What is the task's for certain stays so.
 */
static __always_inline int is_of_user(const struct probe_fetch *fetch, __u64 address)
{
	return fetch->flags & PROBE_FETCH_USER || !(address >> 63);
}

static __always_inline long memory_read(const struct probe_fetch *fetch, void *to, __u32 size,
					__u64 address)
{
	if (is_of_user(fetch, address))
		return bpf_probe_read_user(to, size, (void *)address);
	return bpf_probe_read_kernel(to, size, (void *)address);
}

static __always_inline void value_unreadable(struct probing *p, __u32 index, __u64 address)
{
	p->event.values.value[PROBE_VALUE_INDEX(index)] = address;
	p->event.values.unreadable |= 1u << PROBE_VALUE_INDEX(index);
}

/* ---- numbers ---- */

static __always_inline __u64 current_cgroup(void)
{
	struct cgroup *cgroup = task_cgroup(task_current());

	return cgroup ? cgroup_folder_id(cgroup) : 0;
}

/* Without a scaled one it is the last that is added, which is 0. */
static __always_inline __u64 registers_add(const __u64 *registers, const struct probe_fetch *fetch)
{
	return registers[fetch->index & (PROBE_REGISTER_SLOTS - 1)] +
	       (registers[(fetch->scaled - 1u) & (PROBE_REGISTER_SLOTS - 1)]
		<< (fetch->scale_shift & 3));
}

static __always_inline int base_read(const struct probing *p, const struct probe_fetch *fetch,
				     __u64 *ret)
{
	switch (fetch->base) {
	case PROBE_BASE_CONSTANT:
		*ret = 0;
		return 0;
	case PROBE_BASE_REGISTER:
		*ret = registers_add(p->registers, fetch);
		return 0;
	case PROBE_BASE_WORD:
		*ret = p->words[fetch->index & (PROBE_WORD_SLOTS - 1)];
		return 0;
	case PROBE_BASE_RECORD:
		*ret = p->record;
		return 0;
	case PROBE_BASE_LATENCY:
		*ret = p->latency_ns;
		return 0;
	case PROBE_BASE_PID:
		*ret = bpf_get_current_pid_tgid() >> 32;
		return 0;
	case PROBE_BASE_TID:
		*ret = (__u32)bpf_get_current_pid_tgid();
		return 0;
	case PROBE_BASE_UID:
		*ret = (__u32)bpf_get_current_uid_gid();
		return 0;
	case PROBE_BASE_CGROUP:
		*ret = current_cgroup();
		return !*ret;
	case PROBE_BASE_CPU:
		*ret = bpf_get_smp_processor_id();
		return 0;
	case PROBE_BASE_VALUE:
		*ret = p->event.values.value[PROBE_VALUE_INDEX(fetch->from)];
		return p->event.values.unreadable >> PROBE_VALUE_INDEX(fetch->from) & 1;
	}
	return -1;
}

static __always_inline int steps_follow(const struct probe_fetch *fetch, __u64 *value)
{
	for (__u32 i = 0; i < PROBE_STEPS_MAX; i++) {
		__u64 next = 0;

		if (i >= fetch->step_count)
			break;
		if (memory_read(fetch, &next, sizeof(next), *value + fetch->step[i]))
			return -1;
		*value = next;
	}
	return 0;
}

static __always_inline void number_read(struct probing *p, const struct probe_fetch *fetch,
					__u32 index, __u64 address)
{
	__u32 bytes = fetch->bytes;
	__u64 value = address;

	if (fetch->flags & PROBE_FETCH_MEMORY) {
		bytes = bytes > sizeof(value) ? sizeof(value) : bytes;
		value = 0;
		if (memory_read(fetch, &value, bytes, address)) {
			value_unreadable(p, index, 0);
			return;
		}
	}
	p->event.values.value[PROBE_VALUE_INDEX(index)] = probe_number_cut(fetch, value);
}

/* ---- texts ---- */

#define TEXT_PAGE_BYTES 4096u

/* Where the next text goes, at a whole word; there is room for one behind it. */
static __always_inline __u32 text_offset(const struct probing *p)
{
	__u32 offset = (p->event.values.text_bytes + 7) & ~7u;

	PROBE_OPAQUE(offset);
	return offset & (2 * PROBE_TEXTS_BYTES - 1);
}

/* @bytes of text are at @offset, and were more when @is_cut. */
static __always_inline void text_keep(struct probing *p, __u32 index, __u32 offset, __u32 bytes,
				      int is_cut)
{
	struct probe_values *values = &p->event.values;

	if (bytes > PROBE_TEXTS_BYTES - offset) {
		bytes = PROBE_TEXTS_BYTES - offset;
		is_cut = 1;
	}
	values->value[PROBE_VALUE_INDEX(index)] = probe_text(offset, bytes);
	values->text_bytes = offset + bytes;
	values->unreadable &= ~(1u << PROBE_VALUE_INDEX(index));
	if (is_cut)
		values->cut |= 1u << PROBE_VALUE_INDEX(index);
}

/* Returns the bytes of the text without NUL, more than @size when there are more, or negative. */
static __always_inline long string_read(const struct probe_fetch *fetch, void *to, __u32 size,
					__u64 address)
{
	long got;

	/* One for a NUL, and one that tells whether it goes on. */
	size += 2;
	PROBE_OPAQUE(size);
	size &= PROBE_TEXT_ROOM - 1;
	if (is_of_user(fetch, address))
		got = bpf_probe_read_user_str(to, size, (void *)address);
	else
		got = bpf_probe_read_kernel_str(to, size, (void *)address);
	return got - 1;
}

static __always_inline long bytes_read(const struct probe_fetch *fetch, void *to, __u32 size,
				       __u64 address)
{
	PROBE_OPAQUE(size);
	size &= PROBE_TEXT_ROOM - 1;
	return memory_read(fetch, to, size, address) ? -1 : (long)size;
}

static __always_inline long text_memory_read(const struct probe_fetch *fetch, void *to, __u32 size,
					     __u64 address)
{
	if (fetch->form == PROBE_TEXT)
		return string_read(fetch, to, size, address);
	return bytes_read(fetch, to, size, address);
}

/*
 * At most @size bytes at @address. Of what goes on in a page that is not there, the begin; but at the
 * entry of a call that is left for its return, when it will be there.
 */
static __always_inline void text_read(struct probing *p, const struct probe_fetch *fetch,
				      __u32 index, __u64 address, __u32 size, int is_cut)
{
	__u32 offset = text_offset(p),
	      in_page = TEXT_PAGE_BYTES - (address & (TEXT_PAGE_BYTES - 1));
	void *to = p->event.values.text + offset;
	long got = text_memory_read(fetch, to, size, address);
	int may_again = p->phase == PROBE_PHASE_ENTER && fetch->flags & PROBE_FETCH_AGAIN;

	if (got < 0 && in_page < size + 2 && !may_again) {
		size = fetch->form == PROBE_TEXT ? in_page - 2 : in_page;
		got = text_memory_read(fetch, to, size, address);
		is_cut = 1;
	}
	if (got < 0) {
		value_unreadable(p, index, address);
		return;
	}
	if (got > size) {
		got = size;
		is_cut = 1;
	}
	text_keep(p, index, offset, got, is_cut);
}

/* How many bytes are wanted at *@address: of a TEXT the most. Negative: that cannot be read. */
static __always_inline long text_size(const struct probing *p, const struct probe_fetch *fetch,
				      __u64 *address)
{
	const struct probe_values *values = &p->event.values;
	__u32 loc = 0, from;

	if (fetch->flags & PROBE_FETCH_DATA_LOC) {
		if (memory_read(fetch, &loc, sizeof(loc), *address))
			return -1;
		*address = p->record + (loc & 0xffff);
		return fetch->form == PROBE_TEXT ? fetch->size : loc >> 16;
	}
	if (fetch->form == PROBE_TEXT || !fetch->size_value)
		return fetch->size;
	from = PROBE_VALUE_INDEX(fetch->size_value - 1);
	if (values->unreadable >> from & 1)
		return -1;
	/* As a result of read(): a negative one is none. */
	return (__s64)values->value[from] < 0 ? 0 : values->value[from];
}

static __always_inline void text_fetch(struct probing *p, const struct probe_fetch *fetch,
				       __u32 index, __u64 address)
{
	__u64 size = text_size(p, fetch, &address);
	int is_cut = 0;

	if ((__s64)size < 0) {
		value_unreadable(p, index, address);
		return;
	}
	if (size > fetch->size) {
		size = fetch->size;
		is_cut = 1;
	}
	text_read(p, fetch, index, address, size, is_cut);
}

static __always_inline void comm_fetch(struct probing *p, __u32 index)
{
	__u32 offset = text_offset(p), bytes = 0;
	__u64 words[2] = {}, *to = (void *)p->event.values.text + offset;

	task_comm_read(task_current(), words);
	to[0] = words[0];
	to[1] = words[1];
	for (int i = 0; i < WICK_COMM_BYTES; i++)
		if (words[i / 8] >> i % 8 * 8 & 0xff)
			bytes = i + 1;
	text_keep(p, index, offset, bytes, 0);
}

static __always_inline void command_fetch(struct probing *p, const struct probe_fetch *fetch,
					  __u32 index)
{
	struct task_struct *task = task_current();
	__u64 start = BPF_CORE_READ(task, mm, arg_start), end = BPF_CORE_READ(task, mm, arg_end);

	if (!start || end < start)
		value_unreadable(p, index, start);
	else if (end - start > fetch->size)
		text_read(p, fetch, index, start, fetch->size, 1);
	else
		text_read(p, fetch, index, start, end - start, 0);
}

/* ---- all of them ---- */

/* The value number @number - 1, an address; 0: there is none. */
static __always_inline __u64 address_value(const struct probe_values *values, __u32 number)
{
	__u32 index = PROBE_VALUE_INDEX(number - 1);

	return number && !(values->unreadable >> index & 1) ? values->value[index] : 0;
}

static __always_inline void packet_fetch(struct probing *p, const struct probe_fetch *fetch,
					 __u32 slot, __u32 index)
{
	__u64 skb = address_value(&p->event.values, fetch->from + 1), *to;
	struct probe_packet *packet = &p->packet;
	__u32 field = fetch->index & 15, offset;

	if (skb && packet->skb != skb) {
		packet->skb = skb;
		packet->sk = address_value(&p->event.values, fetch->size_value);
		packet_parse_slot(slot);
	}
	if (!skb || !(packet->known >> field & 1)) {
		value_unreadable(p, index, 0);
		return;
	}
	if (field != PROBE_PACKET_SOURCE && field != PROBE_PACKET_DESTINATION) {
		p->event.values.value[PROBE_VALUE_INDEX(index)] = packet->number[field];
		return;
	}
	offset = text_offset(p);
	to = (void *)p->event.values.text + offset;
	to[0] = packet->address[field == PROBE_PACKET_SOURCE ? 0 : 2];
	to[1] = packet->address[field == PROBE_PACKET_SOURCE ? 1 : 3];
	text_keep(p, index, offset, packet->address_bytes, 0);
}

/* Value number @index of the site, in state @slot. */
__noinline int probe_value_slot(__u32 slot, __u32 index)
{
	struct probing *p = bpf_map_lookup_elem(&probings, &slot);
	const struct probe_fetch *fetch;
	const struct probe_site *site;
	__u64 value = 0;

	site = p ? bpf_map_lookup_elem(&sites, &p->site) : NULL;
	if (!site)
		return 0;
	fetch = &site->values[PROBE_VALUE_INDEX(index)];
	if (fetch->base == PROBE_BASE_COMM) {
		comm_fetch(p, index);
	} else if (fetch->base == PROBE_BASE_PACKET) {
		packet_fetch(p, fetch, slot, index);
	} else if (fetch->base == PROBE_BASE_COMMAND) {
		command_fetch(p, fetch, index);
	} else if (base_read(p, fetch, &value) || steps_follow(fetch, &value)) {
		value_unreadable(p, index, 0);
	} else if (fetch->form == PROBE_NUMBER) {
		number_read(p, fetch, index, value + fetch->offset);
	} else {
		text_fetch(p, fetch, index, value + fetch->offset);
	}
	return 0;
}

/* A text that could not be read at the entry of a call, once more where it was. */
__noinline int probe_again_slot(__u32 slot, __u32 index)
{
	struct probing *p = bpf_map_lookup_elem(&probings, &slot);
	const struct probe_fetch *fetch;
	const struct probe_site *site;

	site = p ? bpf_map_lookup_elem(&sites, &p->site) : NULL;
	if (!site)
		return 0;
	fetch = &site->values[PROBE_VALUE_INDEX(index)];
	text_fetch(p, fetch, index, p->event.values.value[PROBE_VALUE_INDEX(index)]);
	return 0;
}

#define PROBE_FETCH_KEPT (PROBE_FETCH_AT_ENTRY | PROBE_FETCH_AGAIN)

static __always_inline int is_kept(const struct probe_site *site, __u32 index)
{
	return site->values[PROBE_VALUE_INDEX(index)].flags & PROBE_FETCH_KEPT;
}

/* Whether a kept value has to be read again, now that the call returns. */
static __always_inline int is_due_again(const struct probing *p, const struct probe_site *site,
					__u32 index)
{
	const struct probe_fetch *fetch = &site->values[PROBE_VALUE_INDEX(index)];

	return fetch->flags & PROBE_FETCH_AGAIN && fetch->form != PROBE_NUMBER &&
	       p->event.values.unreadable >> PROBE_VALUE_INDEX(index) & 1 &&
	       p->event.values.value[PROBE_VALUE_INDEX(index)];
}

/* All values that are due, in the order of their numbers. */
static __always_inline void values_fetch(struct run *run, struct probing *p,
					 const struct probe_site *site)
{
	for (__u32 i = 0; i < PROBE_VALUES_MAX; i++) {
		if (i >= site->value_count)
			break;
		if (p->phase == PROBE_PHASE_HIT ||
		    (p->phase == PROBE_PHASE_ENTER) == !!is_kept(site, i))
			probe_value_slot(run->slot, i);
		else if (p->phase == PROBE_PHASE_LEAVE && is_due_again(p, site, i))
			probe_again_slot(run->slot, i);
	}
}

#endif
