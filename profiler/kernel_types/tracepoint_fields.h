/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracepoint_fields.h - what an expression can name of a tracepoint: its fields, and its packet's.
 *
 * Where a field is the address of an sk_buff, there are also saddr, daddr, sport, dport, protocol,
 * family, length, tcp_flags and state, from the packet's headers; "packet_saddr" and so on where the
 * tracepoint has a field of that name itself.
 */
#ifndef WICK_TRACEPOINT_FIELDS_H
#define WICK_TRACEPOINT_FIELDS_H

#include "profiler/expressions/probe_expression.h"
#include "profiler/kernel_types/tracepoint_format.h"

/*
 * In *@ret, which the caller frees, of *@ret_count; names are @format's, which must live as long.
 * @category: of "syscalls" pointers are the task's, and numbers are as wide as their type says.
 * @types: what else is known of types by name (the kernel's), or NULL. Returns 0 or -ENOMEM.
 */
int tracepoint_fields(const struct tracepoint_format *format, const char *category,
		      const struct type_provider *types, struct probe_field **ret,
		      size_t *ret_count);

#endif
