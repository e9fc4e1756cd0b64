/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unwind_abi.h - rules, frames and causes: what unwinding means to everyone who talks of it.
 *
 * Compiles for BPF and for the host. A rule says how to get from a frame to
 * its caller. Rules are few (some two thousand on a whole machine) and shared by all
 * modules: a table row holds only a rule's number.
 */
#ifndef WICK_UNWIND_ABI_H
#define WICK_UNWIND_ABI_H

#ifdef __bpf__
#include "vmlinux.h"
typedef __u8 wick_u8;
typedef __u16 wick_u16;
typedef __u32 wick_u32;
typedef __u64 wick_u64;
typedef __s16 wick_s16;
typedef __s32 wick_s32;
typedef __s64 wick_s64;
#else
#include <stdint.h>
typedef uint8_t wick_u8;
typedef uint16_t wick_u16;
typedef uint32_t wick_u32;
typedef uint64_t wick_u64;
typedef int16_t wick_s16;
typedef int32_t wick_s32;
typedef int64_t wick_s64;
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Compilers that walk a syntax tree are 150 and more deep. */
#define UNWIND_FRAMES_MAX 255
/* A power of two above it: frames are stored with a masked index. */
#define UNWIND_FRAMES_SLOTS 256
/* Stack memory read at once: one read costs the same for 8 bytes as for 512. */
#define UNWIND_WINDOW_BYTES 1024

/* What a leaf may use below its stack pointer (System V ABI x86-64 §3.2.2). */
#define UNWIND_RED_ZONE_BYTES 128

/* Registers by their DWARF numbers (System V ABI x86-64, figure 3.36). */
enum unwind_register {
	UNWIND_RAX, UNWIND_RDX, UNWIND_RCX, UNWIND_RBX, UNWIND_RSI, UNWIND_RDI, UNWIND_RBP,
	UNWIND_RSP, UNWIND_R8, UNWIND_R9, UNWIND_R10, UNWIND_R11, UNWIND_R12, UNWIND_R13,
	UNWIND_R14, UNWIND_R15, UNWIND_REGISTERS,
};

/* How the canonical frame address (CFA) is found, or what this code is. */
enum unwind_kind {
	UNWIND_NONE,		/* no row: frame pointer step, then leaf heuristic */
	UNWIND_CFA_RSP,		/* CFA = rsp + cfa_offset */
	UNWIND_CFA_RBP,		/* CFA = rbp + cfa_offset */
	UNWIND_CFA_REGISTER,	/* CFA = register + cfa_offset; rbx, others only while registers are
				 * known */
	UNWIND_CFA_DEREF,	/* CFA = *(register + cfa_offset.low) + cfa_offset.high; rbp, rsp, rbx,
				 * others only while registers are known */
	UNWIND_CFA_INDEXED,	/* CFA = *(register + index * 8 + cfa_offset.low) + cfa_offset.high;
				 * only while registers are known; fp_offset is twice the offset
				 * (a multiple of 8), plus the number of the index register */
	UNWIND_PLT,		/* CFA = rsp + 8 + ((rip & 15) >= cfa_offset ? 8 : 0) */
	UNWIND_SIGNAL,		/* an rt_sigframe lies at rsp: all registers from its ucontext */
	UNWIND_END,		/* outermost frame: CFI leaves the return address undefined, the entry
				 * point of a program or thread, Go's stack top */
	UNWIND_FRAME_POINTER,	/* known to keep frame pointers (Go assembly): only that step */
	UNWIND_UNSUPPORTED,	/* CFI says something this step cannot do */
	UNWIND_RETURN_REGISTER,	/* CFA = rsp + cfa_offset, return address in the register, rbp in place;
				 * only while registers are known (a parent asleep in vfork()) */
	UNWIND_OTHER_STACK,	/* code that has moved rsp to another stack, with its frame left on
				 * the old one: CFA = rbp + 16, wherever that is, and the caller's
				 * rbp at rbp */
	UNWIND_NOT_LOADED,	/* in no table: that of the module was not asked for yet */
	UNWIND_KINDS,
};

/* Where the caller's rbp is. */
enum unwind_fp {
	UNWIND_FP_SAME,		/* still in rbp */
	UNWIND_FP_CFA,		/* *(CFA + fp_offset) */
	UNWIND_FP_RBP,		/* *(rbp + fp_offset) */
	UNWIND_FP_RSP,		/* *(rsp + fp_offset) */
	UNWIND_FP_UNDEFINED,	/* lost; harmless until a frame needs it */
	UNWIND_FP_UNSUPPORTED,	/* CFI says something else; as undefined */
};

/*
 * Beside it, with those kinds that compute a CFA: the caller did not call, it was interrupted (the
 * augmentation "S" of DWARF; Go's asyncPreempt). Its address is exact.
 */
#define UNWIND_INTERRUPTED 8u
#define UNWIND_FP_MASK 7u

/*
 * Where the caller's rbx is. Of all registers that calls preserve, CFA needs
 * this one in frames that are not the leaf: the dynamic linker's, when it binds a
 * function at its first call (3 to 8 % of the instructions of a short program).
 * 1 to 14: *(CFA - 8 - 8 * number).
 */
#define UNWIND_RBX_SAME 0u	/* still in rbx */
#define UNWIND_RBX_LOST 15u
#define UNWIND_RBX_SHIFT 4
#define UNWIND_KIND_MASK 15u

/*
 * Eight bytes, compared and hashed as one number. The return address is at
 * CFA - 8, but for UNWIND_RETURN_REGISTER; CFI that says otherwise becomes
 * UNWIND_UNSUPPORTED.
 */
struct unwind_rule {
	wick_u8 kind;		/* low 4 bits: enum unwind_kind; high 4: rbx, see below */
	wick_u8 fp;		/* low 4 bits: enum unwind_fp, UNWIND_INTERRUPTED; high 4: a DWARF register */
	wick_s16 fp_offset;
	wick_s32 cfa_offset;	/* low and high 16 bits, both signed, where two are needed */
};

static __always_inline wick_u32 unwind_rule_kind(struct unwind_rule rule)
{
	return rule.kind & UNWIND_KIND_MASK;
}

/* Why a walk ended. Everything but UNWIND_STOP_END is an incomplete stack, by this cause. */
#define UNWIND_STOPS(X)                                                                          \
	X(NONE, "none")                   /* not ended */                                        \
	X(END, "complete")                /* an end rule was executed */                         \
	X(ZERO_RETURN, "zero-return-address")                                                    \
	X(UNMAPPED, "unmapped-address")   /* not in an executable mapping */                     \
	X(NO_RULE, "no-unwind-info")      /* no row, no frame pointer, no leaf */                \
	X(FRAME_POINTER, "frame-pointer") /* code that should keep one did not */                \
	X(READ, "stack-read")             /* stack memory could not be read */                   \
	X(UNSUPPORTED, "unsupported-cfi")                                                        \
	X(REGISTER, "register-lost")      /* CFA needs a register only the leaf has */           \
	X(BACKWARDS, "stack-backwards")   /* the caller's frame is not above: a loop */          \
	X(DEPTH, "depth-limit")                                                                  \
	X(NOT_LOADED, "not-loaded")       /* tables were not there yet and the copy limit hit */ \
	X(COPY_END, "copy-end")           /* the copied part of the stack was too short */       \
	X(NO_REGISTERS, "no-registers")   /* user registers not to be had */                     \
	X(COMPAT, "32-bit")               /* a 32-bit process */                                 \
	X(EXITING, "exiting")             /* no stack: the task has given up its memory */       \
	X(EXEC, "exec")                   /* no stack: the old program's memory is gone */       \
	X(STACK_LOST, "stack-lost")       /* the ring was full when its frames were sent */      \
	X(LATE, "process-gone")           /* it ended before its mappings were known */          \
	X(ASLEEP, "asleep")               /* no stack: it has not run since it was wanted */

enum unwind_stop {
#define UNWIND_STOP_ENUM(name, text) UNWIND_STOP_##name,
	UNWIND_STOPS(UNWIND_STOP_ENUM)
#undef UNWIND_STOP_ENUM
	UNWIND_STOP_COUNT,
};

/*
 * Whether there was no user stack to walk, as in a kernel thread: it is neither complete nor
 * incomplete, but counted by its cause.
 */
static __always_inline int unwind_stop_is_no_stack(wick_u32 stop)
{
	return stop == UNWIND_STOP_EXITING || stop == UNWIND_STOP_EXEC ||
	       stop == UNWIND_STOP_ASLEEP;
}

/*
 * A frame as it leaves the kernel: a module number in the upper 20 bits and an
 * ELF address of 44 bits below; user addresses are below 2^47, so numbers 1-7
 * mean a raw address that belongs to no module (JIT, anonymous memory).
 */
#define UNWIND_MODULE_SHIFT 44
#define UNWIND_MODULE_FIRST 8u
#define UNWIND_MODULE_LIMIT (1u << 20)
#define UNWIND_MODULE_NONE 0u	/* executable memory of no module: frame pointers only */
#define UNWIND_MODULE_UPROBES 1u	/* [uprobes]: where a pending return probe returns to */

static __always_inline wick_u64 unwind_frame(wick_u32 module, wick_u64 address)
{
	if (module < UNWIND_MODULE_FIRST)
		return address & ((1ull << (UNWIND_MODULE_SHIFT + 3)) - 1);
	return ((wick_u64)module << UNWIND_MODULE_SHIFT) |
	       (address & ((1ull << UNWIND_MODULE_SHIFT) - 1));
}

static __always_inline wick_u32 unwind_frame_module(wick_u64 frame)
{
	wick_u32 module = frame >> UNWIND_MODULE_SHIFT;

	return module < UNWIND_MODULE_FIRST ? UNWIND_MODULE_NONE : module;
}

static __always_inline wick_u64 unwind_frame_address(wick_u64 frame)
{
	if (unwind_frame_module(frame) == UNWIND_MODULE_NONE)
		return frame;
	return frame & ((1ull << UNWIND_MODULE_SHIFT) - 1);
}

enum unwind_flag {
	UNWIND_EXACT = 1 << 0,		/* ip is the next instruction, not a return address */
	UNWIND_REGISTERS_KNOWN =
		1 << 1, /* all regs[] belong to this frame: leaf, or below a signal */
	UNWIND_RAW_FRAMES = 1 << 2,	/* some frame belongs to no module */
	UNWIND_USED_FP = 1 << 3,	/* a frame pointer step was taken */
	UNWIND_USED_LEAF = 1 << 4,	/* the leaf heuristic was taken */
	UNWIND_CROSSED_SIGNAL = 1 << 5,
	UNWIND_RBX_UNKNOWN = 1 << 6,	/* regs[UNWIND_RBX] does not belong to this frame */
};

struct unwind_cursor {
	wick_u64 ip, sp, fp;
	wick_u64 regs[UNWIND_REGISTERS];
	/* The executable mapping found last; neighbours share it. Empty when start == end. */
	wick_u64 map_start, map_end, map_bias;
	wick_u32 map_module;
	wick_u32 map_first, map_count;	/* the process's range of sorted mappings */
	/* Of that mapping's module, for the kernel side's unwind_rule_find(). */
	wick_u64 table_start;
	wick_u32 table_pages, table_cell;
	wick_u32 page, page_directory;	/* the page looked up last, and its directory cell */
	wick_u32 flags;			/* enum unwind_flag */
	wick_u32 stop;			/* enum unwind_stop */
	wick_u32 depth, depth_max;
	wick_u64 hash;			/* of the frames so far */
	wick_u64 window_base;		/* user address of window[0]; ~0: nothing read */
	wick_u64 window[UNWIND_WINDOW_BYTES / 8];
#ifndef __bpf__
	wick_u64 frames[UNWIND_FRAMES_SLOTS];
#endif
};

/* 2^64 divided by the golden ratio: multiplied by it, near numbers end up far apart. */
#define UNWIND_HASH_FACTOR 0x9E3779B97F4A7C15ull

static __always_inline wick_u64 unwind_hash(wick_u64 hash, wick_u64 value)
{
	hash = (hash ^ value) * UNWIND_HASH_FACTOR;
	return hash ^ (hash >> 29);
}

#endif
