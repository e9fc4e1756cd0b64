/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_abi.h - what a probe reads where it fires, as tables: values to fetch, and a filter of them.
 *
 * User space compiles expressions ("arg1->f_flags", "ret < 0 && comm == \"sh\"") into these tables;
 * BPF programs evaluate them: no code is generated at run time, and every loop is bounded by a
 * constant of this file. A site is a place with its own tables: of several functions that one event
 * asks for each has one, because their arguments lie elsewhere. Compiles for BPF (after vmlinux.h)
 * and for the host.
 */
#ifndef WICK_PROBE_ABI_H
#define WICK_PROBE_ABI_H

#include "bpf/unwind_abi.h"

#define PROBE_VALUES_MAX 16	/* fetched at a site: shown, tested, summed up or made labels */
#define PROBE_STEPS_MAX 6	/* pointers followed for one of them */
#define PROBE_TERMS_MAX 16	/* comparisons of a filter */
#define PROBE_LABELS_MAX 4
#define PROBE_CONSTANTS_MAX 4	/* texts a filter compares with */
#define PROBE_CONSTANT_BYTES 64
#define PROBE_TEXT_MAX 512	/* most bytes of one text; longer ones are cut, which is said */
#define PROBE_TEXT_ROOM 1024	/* what is kept free to read it: a power of two above it */
#define PROBE_TEXTS_BYTES 2048	/* and of all texts of an event */

/* Where a value begins. */
enum probe_base {
	PROBE_BASE_CONSTANT = 0,	/* fetch.offset itself */
	PROBE_BASE_REGISTER,	/* index: enum probe_register, at the probed instruction */
	PROBE_BASE_WORD,	/* index: which 64-bit word of the context: arguments of fentry, raw tracepoints */
	PROBE_BASE_RECORD,	/* the address of a tracepoint's record, whose fields lie at offsets */
	PROBE_BASE_LATENCY,	/* ns from entry to return */
	PROBE_BASE_PID,
	PROBE_BASE_TID,
	PROBE_BASE_UID,
	PROBE_BASE_CGROUP,	/* kernfs id */
	PROBE_BASE_CPU,
	PROBE_BASE_COMM,	/* a text, the thread's */
	/* index: enum probe_packet_field, of the sk_buff whose address is the value number from */
	PROBE_BASE_PACKET,
	PROBE_BASE_VALUE,	/* the value number from, an earlier one; kept from the entry, or not */
	PROBE_BASE_COMMAND,	/* BYTES, of the USER: the arguments of the process, a NUL behind each */
};

/* Registers by their DWARF numbers (System V ABI for x86-64, figure 3.36). */
enum probe_register {
	PROBE_RAX, PROBE_RDX, PROBE_RCX, PROBE_RBX, PROBE_RSI, PROBE_RDI, PROBE_RBP, PROBE_RSP,
	PROBE_R8, PROBE_R9, PROBE_R10, PROBE_R11, PROBE_R12, PROBE_R13, PROBE_R14, PROBE_R15,
	PROBE_RIP, PROBE_REGISTER_COUNT,
};
/* Of addresses without a register: it is always 0, and the last that an index can mean. */
#define PROBE_NO_REGISTER 31

/* Of the packet's headers; absent ones (no TCP, no IP) are unreadable. */
enum probe_packet_field {
	PROBE_PACKET_FAMILY,		/* 4, 6 */
	PROBE_PACKET_PROTOCOL,		/* IPPROTO_* */
	PROBE_PACKET_SOURCE,		/* address: a text of 4 or 16 bytes */
	PROBE_PACKET_DESTINATION,
	PROBE_PACKET_SOURCE_PORT,
	PROBE_PACKET_DESTINATION_PORT,
	PROBE_PACKET_BYTES,		/* skb->len */
	PROBE_PACKET_TCP_FLAGS,		/* the byte: FIN 1, SYN 2, RST 4, PSH 8, ACK 16 */
	PROBE_PACKET_STATE,		/* of its socket: TCP_ESTABLISHED 1 … */
	PROBE_PACKET_FIELD_COUNT,
};

enum probe_form {
	PROBE_NUMBER = 0,
	PROBE_TEXT,		/* up to a NUL */
	PROBE_BYTES,		/* size of them, or as many as value number size_value says */
};

enum probe_fetch_flag {
	PROBE_FETCH_SIGNED = 1 << 0,
	PROBE_FETCH_USER = 1 << 1,	/* memory is the task's, else the kernel's */
	PROBE_FETCH_MEMORY =
		1 << 2, /* a number that is read at the end, not the last address itself */
	/* Of a call that is measured from entry to return: read at its entry, and kept. */
	PROBE_FETCH_AT_ENTRY = 1 << 3,
	/* A tracepoint's __data_loc: what lies there says offset (low 16 bits) and size in the record. */
	PROBE_FETCH_DATA_LOC = 1 << 4,
	/* As AT_ENTRY, and what could not be read is read again at the return, when it is resident. */
	PROBE_FETCH_AGAIN = 1 << 5,
	PROBE_FETCH_HIDDEN = 1 << 6,	/* only for the filter, a label or the sum: not shown */
};

/*
 * value = base; for each step: value = *(u64 *)(value + step). Then of a NUMBER: *(value + offset),
 * bytes wide, with MEMORY, else value + offset, cut to bytes; then bit_count bits (0: all) from
 * bit_shift on. Of TEXT and BYTES: what lies at value + offset, but of COMM and addresses of a PACKET
 * these themselves. A read that fails makes it unreadable, never zero. Values are fetched in the
 * order of their numbers; what one begins at or has for its size has to be kept from the entry when it
 * is kept itself.
 */
struct probe_fetch {
	wick_u8 base;		/* enum probe_base */
	wick_u8 index;
	wick_u8 form;		/* enum probe_form */
	wick_u8 flags;		/* enum probe_fetch_flag */
	wick_u8 bytes;		/* of a number: 1, 2, 4 or 8 */
	wick_u8 bit_shift, bit_count;
	wick_u8 step_count;
	wick_u16 size;		/* most bytes of TEXT and BYTES, at most PROBE_TEXT_MAX */
	/*
	 * BYTES: 1 + the number of the value that says how many; 0: size. PACKET: 1 + the number of
	 * the value that is the address of its socket; 0: only the packet itself says that.
	 */
	wick_u8 size_value;
	wick_u8 from;		/* of VALUE and PACKET: the number of an earlier value */
	/* REGISTER: 1 + the one that is added, << scale_shift (up to 3): 8(%rax,%rcx,4); 0: none. */
	wick_u8 scaled, scale_shift;
	wick_u8 reserved[2];
	wick_s64 offset;
	wick_s32 step[PROBE_STEPS_MAX];
};

enum probe_operator {
	PROBE_EQUAL = 0, PROBE_NOT_EQUAL, PROBE_LESS, PROBE_LESS_EQUAL, PROBE_GREATER,
	PROBE_GREATER_EQUAL,
	PROBE_ANY_BIT,		/* left & right */
};

/* Where a filter goes on after a term: another term, or one of these. */
#define PROBE_ACCEPT 0xfe
#define PROBE_REJECT 0xff
/* term.right: not a value but the constant. */
#define PROBE_RIGHT_CONSTANT 0xff

enum probe_term_flag {
	PROBE_TERM_SIGNED = 1 << 0,	/* both sides are; else both are compared as unsigned */
	PROBE_TERM_TEXT = 1 << 1,	/* constant is an index of the site's texts */
	PROBE_TERM_PREFIX = 1 << 2,	/* of a text, only as long as the constant: name == "foo*" */
};

/* A comparison; && and || are in where it goes. With an unreadable side it is false, and counted. */
struct probe_term {
	wick_u8 left;		/* number of a value */
	wick_u8 right;
	wick_u8 op;		/* enum probe_operator */
	wick_u8 flags;		/* enum probe_term_flag */
	wick_u8 if_true, if_false;	/* always a later term, PROBE_ACCEPT or PROBE_REJECT */
	wick_u8 reserved[2];
	wick_u64 constant;
};

#define PROBE_NO_VALUE 0xff

/* What wick_settings.option[] means to the programs of probes. */
enum probe_option {
	PROBE_OPTION_SITE = 0,		/* the site, without cookies: an object has one then */
	PROBE_OPTION_COOKIES,		/* programs are attached with the site for their cookie */
	PROBE_OPTION_WORDS,		/* 64-bit words of the context, where it has such */
	PROBE_OPTION_ALONE,		/* no hit comes in the middle of another one on its CPU */
};

enum probe_site_flag {
	/*
	 * Code of Go, whose stacks move and whose threads take turns: a call is known by its goroutine
	 * (r14) and by how far its frame is from the end of the stack.
	 */
	PROBE_SITE_GO = 1 << 0,
};

struct probe_site {
	wick_u8 value_count, term_count;
	wick_u8 sum;		/* number of the value that is summed up; PROBE_NO_VALUE: none */
	wick_u8 label_count;
	wick_u8 labels[PROBE_LABELS_MAX];	/* numbers of values */
	wick_u8 flags;		/* enum probe_site_flag */
	wick_u8 reserved;
	wick_u16 syscall;	/* number + 1 of the system call whose calls these are; 0: of none */
	wick_u32 reserved_2;
	struct probe_fetch values[PROBE_VALUES_MAX];
	struct probe_term terms[PROBE_TERMS_MAX];	/* none: all are wanted */
	wick_u16 constant_bytes[PROBE_CONSTANTS_MAX];
	char constants[PROBE_CONSTANTS_MAX][PROBE_CONSTANT_BYTES];
};

/* The values of an event, behind it in the ring; only as much of text as is used is sent. */
struct probe_values {
	wick_u32 site;			/* its index in the source: says what the values are */
	wick_u32 text_bytes;
	wick_u32 unreadable;		/* bits of values that could not be read */
	wick_u32 cut;			/* bits of texts that were longer */
	/*
	 * Of a text: offset in text[] in the low half, bytes without NUL in the high one; of an
	 * unreadable one its address, or 0 when not even that could be read.
	 */
	wick_u64 value[PROBE_VALUES_MAX];
	wick_u8 text[PROBE_TEXTS_BYTES];
};
#define PROBE_VALUES_HEAD_BYTES __builtin_offsetof(struct probe_values, text)

#endif
