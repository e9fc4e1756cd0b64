/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_eval.h - what a probe makes of what it has read: numbers cut to their bits, and the filter.
 *
 * Pure logic, in BPF and on the host. Tables come from user space, but verifiers do not know what is in
 * them: every index is masked, and no loop is longer than a constant of probe_abi.h.
 */
#ifndef WICK_PROBE_EVAL_H
#define WICK_PROBE_EVAL_H

#include "bpf/probe_abi.h"

#define PROBE_VALUE_INDEX(index) ((index) & (PROBE_VALUES_MAX - 1))
#define PROBE_TERM_INDEX(index) ((index) & (PROBE_TERMS_MAX - 1))
#define PROBE_CONSTANT_INDEX(index) ((index) & (PROBE_CONSTANTS_MAX - 1))
#define PROBE_TEXT_INDEX(index) ((index) & (PROBE_TEXTS_BYTES - 1))

_Static_assert(!(PROBE_VALUES_MAX & (PROBE_VALUES_MAX - 1)), "indexes are masked");
_Static_assert(!(PROBE_TERMS_MAX & (PROBE_TERMS_MAX - 1)), "indexes are masked");
_Static_assert(!(PROBE_CONSTANTS_MAX & (PROBE_CONSTANTS_MAX - 1)), "indexes are masked");
_Static_assert(!(PROBE_TEXTS_BYTES & (PROBE_TEXTS_BYTES - 1)), "indexes are masked");
_Static_assert(PROBE_CONSTANT_BYTES % 8 == 0, "texts are compared by words");

/* The value of a text. Texts begin at whole words. */
static __always_inline wick_u64 probe_text(wick_u32 offset, wick_u32 bytes)
{
	return offset | (wick_u64)bytes << 32;
}

static __always_inline wick_u32 probe_text_offset(wick_u64 value)
{
	return (wick_u32)value;
}

static __always_inline wick_u32 probe_text_bytes(wick_u64 value)
{
	return value >> 32;
}

/* The lowest @bits of @value, 1 to 64, as a number of that size. */
static __always_inline wick_u64 probe_bits_cut(wick_u64 value, wick_u32 bits, int is_signed)
{
	wick_u32 shift = (64 - bits) & 63;

	value <<= shift;
	return is_signed ? (wick_u64)((wick_s64)value >> shift) : value >> shift;
}

/* The number that @fetch means, of what was read or computed. */
static __always_inline wick_u64 probe_number_cut(const struct probe_fetch *fetch, wick_u64 value)
{
	int is_signed = fetch->flags & PROBE_FETCH_SIGNED;

	if (fetch->bit_count)
		return probe_bits_cut(value >> (fetch->bit_shift & 63), fetch->bit_count,
				      is_signed);
	return probe_bits_cut(value, fetch->bytes * 8u, is_signed);
}

static __always_inline int probe_numbers_compare(wick_u32 op, int is_signed, wick_u64 left,
						 wick_u64 right)
{
	/* Signed numbers are in the order of unsigned ones when the sign is turned over. */
	wick_u64 sign = is_signed ? 1ull << 63 : 0;
	int less = (left ^ sign) < (right ^ sign);

	switch (op) {
	case PROBE_EQUAL:
		return left == right;
	case PROBE_NOT_EQUAL:
		return left != right;
	case PROBE_LESS:
		return less;
	case PROBE_LESS_EQUAL:
		return less || left == right;
	case PROBE_GREATER:
		return !less && left != right;
	case PROBE_GREATER_EQUAL:
		return !less;
	case PROBE_ANY_BIT:
		return (left & right) != 0;
	}
	return 0;
}

/* Whether the first @bytes of a text, which has as many, are those of a constant. */
static __always_inline int probe_bytes_equal(const wick_u8 *text, const char *constant,
					     wick_u32 bytes)
{
	for (wick_u32 i = 0; i < PROBE_CONSTANT_BYTES / 8; i++) {
		wick_u64 differ;

		if (i * 8 >= bytes)
			break;
		differ = ((const wick_u64 *)text)[i] ^ ((const wick_u64 *)constant)[i];
		if (bytes - i * 8 < 8)
			differ <<= (8 - (bytes - i * 8)) * 8 & 63;
		if (differ)
			return 0;
	}
	return 1;
}

/* Of a text that was cut only its begin is known. */
static __always_inline int probe_text_compare(const struct probe_site *site,
					      const struct probe_term *term,
					      const struct probe_values *values)
{
	wick_u64 value = values->value[PROBE_VALUE_INDEX(term->left)];
	wick_u32 index = PROBE_CONSTANT_INDEX(term->constant);
	wick_u32 wanted = site->constant_bytes[index], bytes = probe_text_bytes(value);
	int is_cut = values->cut >> PROBE_VALUE_INDEX(term->left) & 1;
	int is_equal = term->flags & PROBE_TERM_PREFIX ? bytes >= wanted :
							 bytes == wanted && !is_cut;

	if (is_equal)
		is_equal = probe_bytes_equal(values->text +
						     PROBE_TEXT_INDEX(probe_text_offset(value)),
					     site->constants[index], wanted);
	return term->op == PROBE_NOT_EQUAL ? !is_equal : is_equal;
}

/*
 * Whether a term of @site holds. Of one that wants what could not be read *@ret_unreadable becomes 1,
 * and it does not.
 */
static __always_inline int probe_term_holds(const struct probe_site *site,
					    const struct probe_term *term,
					    const struct probe_values *values,
					    wick_u32 *ret_unreadable)
{
	wick_u32 left = PROBE_VALUE_INDEX(term->left), right = PROBE_VALUE_INDEX(term->right);
	int is_constant = term->right == PROBE_RIGHT_CONSTANT;

	if (values->unreadable >> left & 1 || (!is_constant && values->unreadable >> right & 1)) {
		*ret_unreadable = 1;
		return 0;
	}
	if (term->flags & PROBE_TERM_TEXT)
		return probe_text_compare(site, term, values);
	return probe_numbers_compare(term->op, term->flags & PROBE_TERM_SIGNED,
				     values->value[left],
				     is_constant ? term->constant : values->value[right]);
}

/* Whether the values are wanted; a site without terms wants all. */
static __always_inline int probe_filter(const struct probe_site *site,
					const struct probe_values *values, wick_u32 *ret_unreadable)
{
	wick_u32 at = 0;

	if (!site->term_count)
		return 1;
	/* Each goes on at a later one, so that going through them once suffices. */
	for (wick_u32 i = 0; i < PROBE_TERMS_MAX; i++) {
		const struct probe_term *term = &site->terms[i];

		if (i != at)
			continue;
		at = probe_term_holds(site, term, values, ret_unreadable) ? term->if_true :
									    term->if_false;
		if (at >= PROBE_ACCEPT)
			return at == PROBE_ACCEPT;
	}
	return 0;
}

#endif
