/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_members.h - what is known of an event as members of a JSON object. */
#ifndef WICK_TRACE_MEMBERS_H
#define WICK_TRACE_MEMBERS_H

#include "tools/trace/trace_format.h"

/*
 * Values, labels and how a call failed, with commas between them. A number that means something to
 * people is there as a number, and again with the name NAME_text.
 */
void trace_members_add(const struct traced_event *event, struct strbuf *ret);

#endif
