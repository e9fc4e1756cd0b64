/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unwind_step.h - one step of unwinding an x86-64 user stack, as pure logic.
 *
 * Compiles for BPF and for the host, so that what runs in the kernel can be
 * tested outside of it and stacks copied out of it are unwound by the very same
 * rules. Knows nothing of maps: the includer defines, before it calls
 * unwind_step(), the four functions declared below as "environment".
 *
 * Algorithm: DWARF 5 §6.4 (call frame information),
 * System V ABI x86-64 §3.7 and §6.2, and what gcc, clang, the linkers and hand-written
 * assembly make of it.
 */
#ifndef WICK_UNWIND_STEP_H
#define WICK_UNWIND_STEP_H

#include "bpf/unwind_abi.h"

/*
 * Environment, defined by the includer.
 * unwind_map_find: set @s's map_* to the mapping of @address; 0, or -1 when none.
 * unwind_map_has: whether @address lies in an executable mapping, without setting it.
 * unwind_rule_find: the rule for ELF @address of @s's map_module, as a number; 0: none.
 * unwind_return_find: where the return address at stack @slot led before a return probe
 * replaced it; 0, or negative when no probe did. Only in the kernel.
 * unwind_memory_read: @size bytes of the task at @address; 0, or negative.
 */
static __always_inline int unwind_map_find(struct unwind_cursor *s, wick_u64 address);
static __always_inline int unwind_map_has(struct unwind_cursor *s, wick_u64 address);
static __always_inline wick_u64 unwind_rule_find(struct unwind_cursor *s, wick_u64 address);
static __always_inline int unwind_memory_read(struct unwind_cursor *s, void *to, wick_u32 size,
					      wick_u64 address);

/* In the kernel frames are stored where they are sent from. */
#ifdef __bpf__
static __always_inline void unwind_frame_store(struct unwind_cursor *s, wick_u32 index,
					       wick_u64 frame);
#else
static inline void unwind_frame_store(struct unwind_cursor *s, wick_u32 index, wick_u64 frame)
{
	s->frames[index] = frame;
}
#endif

/* One word of stack, through the window. Frames are visited upwards, so it is refilled rarely. */
static __always_inline int unwind_read_word(struct unwind_cursor *s, wick_u64 address,
					    wick_u64 *ret)
{
	wick_u64 offset = address - s->window_base;
	wick_u32 index;

	if (offset > UNWIND_WINDOW_BYTES - 8 || (offset & 7)) {
		/* Near the end of the stack's mapping a whole window does not fit. */
		if (unwind_memory_read(s, s->window, UNWIND_WINDOW_BYTES, address)) {
			s->window_base = ~0ull;
			return unwind_memory_read(s, ret, 8, address);
		}
		s->window_base = address;
		offset = 0;
	}
	index = (offset >> 3) & (UNWIND_WINDOW_BYTES / 8 - 1);
	*ret = s->window[index];
	return 0;
}

static __always_inline int unwind_stop(struct unwind_cursor *s, wick_u32 cause)
{
	s->stop = cause;
	return 1;
}

static __always_inline void unwind_push(struct unwind_cursor *s, wick_u64 pc)
{
	wick_u64 frame = unwind_frame(s->map_module, pc - s->map_bias);

	if (s->map_module < UNWIND_MODULE_FIRST)
		s->flags |= UNWIND_RAW_FRAMES;
	unwind_frame_store(s, s->depth & (UNWIND_FRAMES_SLOTS - 1), frame);
	s->depth++;
	s->hash = unwind_hash(s->hash, frame);
}

/* Whether a frame's register @number is to be had, by the flags of that frame. */
static __always_inline int unwind_register_known(wick_u32 number, wick_u32 flags)
{
	if (number == UNWIND_RBP || number == UNWIND_RSP)
		return 1;
	if (number == UNWIND_RBX)
		return !(flags & UNWIND_RBX_UNKNOWN);
	return flags & UNWIND_REGISTERS_KNOWN;
}

#ifdef __bpf__
static __always_inline int unwind_return_find(struct unwind_cursor *s, wick_u64 slot,
					      wick_u64 *ret);
#else
static inline int unwind_return_find(struct unwind_cursor *s, wick_u64 slot, wick_u64 *ret)
{
	return -1;
}
#endif

static __always_inline wick_u64 unwind_register_value(struct unwind_cursor *s, wick_u32 number)
{
	if (number == UNWIND_RBP)
		return s->fp;
	if (number == UNWIND_RSP)
		return s->sp;
	return s->regs[number & (UNWIND_REGISTERS - 1)];
}

/*
 * The kernel's rt_sigframe: when the trampoline runs, rsp points to the
 * ucontext, whose gregs start at 40: r8-r15 rdi rsi rbp rbx rdx rax rcx rsp rip
 * (arch/x86/include/uapi/asm/sigcontext.h).
 */
static __always_inline int unwind_step_signal(struct unwind_cursor *s)
{
	wick_u64 *gregs = s->window;

	s->window_base = ~0ull;
	if (unwind_memory_read(s, gregs, 17 * 8, s->sp + 40))
		return unwind_stop(s, UNWIND_STOP_READ);
	s->regs[UNWIND_R8] = gregs[0];
	s->regs[UNWIND_R9] = gregs[1];
	s->regs[UNWIND_R10] = gregs[2];
	s->regs[UNWIND_R11] = gregs[3];
	s->regs[UNWIND_R12] = gregs[4];
	s->regs[UNWIND_R13] = gregs[5];
	s->regs[UNWIND_R14] = gregs[6];
	s->regs[UNWIND_R15] = gregs[7];
	s->regs[UNWIND_RDI] = gregs[8];
	s->regs[UNWIND_RSI] = gregs[9];
	s->fp = gregs[10];
	s->regs[UNWIND_RBX] = gregs[11];
	s->regs[UNWIND_RDX] = gregs[12];
	s->regs[UNWIND_RAX] = gregs[13];
	s->regs[UNWIND_RCX] = gregs[14];
	s->sp = gregs[15];
	s->ip = gregs[16];
	s->flags &= ~UNWIND_RBX_UNKNOWN;
	s->flags |= UNWIND_EXACT | UNWIND_REGISTERS_KNOWN | UNWIND_CROSSED_SIGNAL;
	return 0;
}

/*
 * vfork() takes its return address off the stack, which the child is about to
 * use, so the caller's frame need not be above.
 */
static __always_inline int unwind_step_register(struct unwind_cursor *s, wick_u64 rule,
						wick_u32 flags)
{
	wick_u32 reg = (rule >> 12) & 15;

	if (!unwind_register_known(reg, flags))
		return unwind_stop(s, UNWIND_STOP_REGISTER);
	s->ip = unwind_register_value(s, reg);
	s->sp += (wick_s32)(rule >> 32);
	return 0;
}

/* Whether what comes before @ra is a call: near relative, or through a register or memory. */
static __always_inline int unwind_follows_call(struct unwind_cursor *s, wick_u64 ra)
{
	wick_u8 code[8];

	if (unwind_memory_read(s, code, 8, ra - 8))
		return 0;
	if (code[3] == 0xe8)
		return 1;
	/* ff /2: the ModRM byte's middle bits are 2; with a displacement of 0, 1 or 4 bytes. */
	return (code[6] == 0xff && (code[7] & 0x38) == 0x10) ||
	       (code[5] == 0xff && (code[6] & 0x38) == 0x10) ||
	       (code[4] == 0xff && (code[5] & 0x38) == 0x10) ||
	       (code[2] == 0xff && (code[3] & 0x38) == 0x10) ||
	       (code[1] == 0xff && (code[2] & 0x38) == 0x10);
}

/*
 * No row: code of a JIT compiler, hand-written assembly, Go assembly. A frame
 * pointer is believed only when its frame is not below this one and the return
 * address lies in code, and when the caller's frame pointer is above or the
 * return address follows a call (the caller may use rbp for something else); a
 * leaf without a frame has its return address at rsp.
 */
static __always_inline int unwind_step_guess(struct unwind_cursor *s, wick_u32 kind,
					     wick_u32 flags)
{
	wick_u64 caller_fp, ra, fp = s->fp;

	if (fp >= s->sp && !(fp & 7) && !unwind_read_word(s, fp, &caller_fp) &&
	    !unwind_read_word(s, fp + 8, &ra) && unwind_map_has(s, ra - 1) &&
	    (caller_fp > fp || unwind_follows_call(s, ra))) {
		s->flags |= UNWIND_USED_FP | UNWIND_RBX_UNKNOWN;
		s->fp = caller_fp;
		s->ip = ra;
		s->sp = fp + 16;
		return 0;
	}
	if ((flags & UNWIND_REGISTERS_KNOWN) && !unwind_read_word(s, s->sp, &ra) &&
	    unwind_map_has(s, ra - 1)) {
		s->flags |= UNWIND_USED_LEAF;
		s->ip = ra;
		s->sp += 8;
		return 0;
	}
	return unwind_stop(s, kind == UNWIND_FRAME_POINTER ? UNWIND_STOP_FRAME_POINTER :
							     UNWIND_STOP_NO_RULE);
}

/*
 * Back from a stack that this frame's code has moved to: the only step that
 * may go to lower addresses, so it is believed only when it leads behind a call.
 */
static __always_inline int unwind_step_other_stack(struct unwind_cursor *s)
{
	wick_u64 caller_fp, ra, fp = s->fp;

	if ((fp & 7) || unwind_read_word(s, fp, &caller_fp) || unwind_read_word(s, fp + 8, &ra))
		return unwind_stop(s, UNWIND_STOP_READ);
	if (!unwind_map_has(s, ra - 1) || !unwind_follows_call(s, ra))
		return unwind_stop(s, UNWIND_STOP_FRAME_POINTER);
	s->flags |= UNWIND_RBX_UNKNOWN;
	s->fp = caller_fp;
	s->ip = ra;
	s->sp = fp + 16;
	return 0;
}

/* Compute the CFA of @rule into *@ret. Returns 0, or 1 having stopped. */
static __always_inline int unwind_cfa(struct unwind_cursor *s, wick_u64 rule, wick_u32 flags,
				      wick_u64 *ret)
{
	wick_u32 kind = rule & UNWIND_KIND_MASK, reg = (rule >> 12) & 15;
	wick_s64 offset = (wick_s32)(rule >> 32);
	wick_s64 low = (wick_s16)(rule >> 32), high = (wick_s16)(rule >> 48);
	wick_u64 at;

	switch (kind) {
	case UNWIND_CFA_RSP:
		*ret = s->sp + offset;
		return 0;
	case UNWIND_CFA_RBP:
		*ret = s->fp + offset;
		return 0;
	case UNWIND_PLT:
		*ret = s->sp + 8 + ((s->ip & 15) >= (wick_u64)offset ? 8 : 0);
		return 0;
	case UNWIND_CFA_REGISTER:
		if (!unwind_register_known(reg, flags))
			return unwind_stop(s, UNWIND_STOP_REGISTER);
		*ret = unwind_register_value(s, reg) + offset;
		return 0;
	case UNWIND_CFA_DEREF:
		if (!unwind_register_known(reg, flags))
			return unwind_stop(s, UNWIND_STOP_REGISTER);
		at = unwind_register_value(s, reg) + low;
		break;
	case UNWIND_CFA_INDEXED:
		if (!(flags & UNWIND_REGISTERS_KNOWN))
			return unwind_stop(s, UNWIND_STOP_REGISTER);
		at = unwind_register_value(s, reg) + low +
		     8 * unwind_register_value(s, (rule >> 16) & 15);
		break;
	case UNWIND_NOT_LOADED:
		return unwind_stop(s, UNWIND_STOP_NOT_LOADED);
	default:
		return unwind_stop(s, UNWIND_STOP_UNSUPPORTED);
	}
	if (unwind_memory_read(s, ret, 8, at))
		return unwind_stop(s, UNWIND_STOP_READ);
	*ret += high;
	return 0;
}

/* Restore the caller's rbx, without which nearly every frame can do. */
static __always_inline void unwind_restore_rbx(struct unwind_cursor *s, wick_u64 rule,
					       wick_u64 cfa)
{
	wick_u32 number = (rule >> UNWIND_RBX_SHIFT) & 15;

	if (number == UNWIND_RBX_SAME)
		return;
	if (number == UNWIND_RBX_LOST ||
	    unwind_read_word(s, cfa - 8 - 8 * number, &s->regs[UNWIND_RBX]))
		s->flags |= UNWIND_RBX_UNKNOWN;
	else
		s->flags &= ~UNWIND_RBX_UNKNOWN;
}

/* Restore the caller's rbp. @offset is the rule's fp_offset. */
static __always_inline int unwind_restore_fp(struct unwind_cursor *s, wick_u64 rule, wick_u64 cfa)
{
	wick_s64 offset = (wick_s16)(rule >> 16);
	wick_u64 at;

	switch ((rule >> 8) & UNWIND_FP_MASK) {
	case UNWIND_FP_CFA:
		if ((rule & UNWIND_KIND_MASK) == UNWIND_CFA_INDEXED)
			offset = (offset & ~15ll) >> 1;
		at = cfa + offset;
		break;
	case UNWIND_FP_RBP:
		at = s->fp + offset;
		break;
	case UNWIND_FP_RSP:
		at = s->sp + offset;
		break;
	case UNWIND_FP_UNDEFINED:
	case UNWIND_FP_UNSUPPORTED:
		/* A frame that needs it must find out, and not go on with another one's. */
		s->fp = 0;
		return 0;
	default:
		return 0;
	}
	if (unwind_read_word(s, at, &s->fp))
		return unwind_stop(s, UNWIND_STOP_READ);
	return 0;
}

/*
 * Find the mapping of *@pc. A return address that is the start of [uprobes] belongs to a
 * pending return probe, ours or anyone's, and is replaced by the one it stands for.
 */
static __always_inline int unwind_locate(struct unwind_cursor *s, wick_u64 *pc)
{
	if (*pc >= s->map_start && *pc < s->map_end)
		return 0;
	if (!unwind_map_find(s, *pc))
		return 0;
	if (unwind_map_find(s, s->ip) || s->map_module != UNWIND_MODULE_UPROBES ||
	    unwind_return_find(s, s->sp - 8, &s->ip))
		return -1;
	*pc = s->ip - 1;
	return unwind_map_find(s, *pc);
}

/*
 * Record the current frame and go to its caller. Returns 0 to go on, 1 when
 * the walk has ended and @s->stop says why.
 */
static __always_inline int unwind_step(struct unwind_cursor *s)
{
	wick_u64 pc = s->flags & UNWIND_EXACT ? s->ip : s->ip - 1;
	wick_u64 rule, cfa, ra;
	wick_u32 kind, flags = s->flags;

	if (s->depth >= s->depth_max)
		return unwind_stop(s, UNWIND_STOP_DEPTH);
	if (unwind_locate(s, &pc))
		return unwind_stop(s, s->ip ? UNWIND_STOP_UNMAPPED : UNWIND_STOP_ZERO_RETURN);
	rule = s->map_module < UNWIND_MODULE_FIRST ?
		       UNWIND_NONE : unwind_rule_find(s, pc - s->map_bias);
	kind = rule & UNWIND_KIND_MASK;
	/* No call is in front of a signal trampoline: its address is exact, and has its name. */
	unwind_push(s, kind == UNWIND_SIGNAL ? s->ip : pc);
	s->flags &= ~(UNWIND_EXACT | UNWIND_REGISTERS_KNOWN);
	if (kind == UNWIND_END)
		return unwind_stop(s, UNWIND_STOP_END);
	if (kind == UNWIND_SIGNAL)
		return unwind_step_signal(s);
	if (kind == UNWIND_RETURN_REGISTER)
		return unwind_step_register(s, rule, flags);
	if (kind == UNWIND_NONE || kind == UNWIND_FRAME_POINTER)
		return unwind_step_guess(s, kind, flags);
	if (kind == UNWIND_OTHER_STACK)
		return unwind_step_other_stack(s);
	if (unwind_cfa(s, rule, flags, &cfa))
		return 1;
	if (cfa <= s->sp)
		return unwind_stop(s, UNWIND_STOP_BACKWARDS);
	/* rbx is saved below rbp below the return address: in this order, one window serves all. */
	unwind_restore_rbx(s, rule, cfa);
	if (unwind_restore_fp(s, rule, cfa))
		return 1;
	if (unwind_read_word(s, cfa - 8, &ra))
		return unwind_stop(s, UNWIND_STOP_READ);
	s->sp = cfa;
	s->ip = ra;
	if ((rule >> 8) & UNWIND_INTERRUPTED)
		s->flags |= UNWIND_EXACT;
	return 0;
}

#endif
