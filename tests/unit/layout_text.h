/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout_text.h - the tables of a site in words, for tests to compare.
 *
 *	"fd=rdi.s4 path=*rsi.text256.U ~=pid.u4 | v0==3s?A:R"
 *
 * A value is "name=" ("~=": hidden), '*' for a read at the end, where it begins, "[+N]" for each step,
 * "+N" for the offset, how it is read and how it is shown unless that is what is usual. A term is its
 * sides and where it leads: A is accepted, R rejected.
 */
#ifndef WICK_LAYOUT_TEXT_H
#define WICK_LAYOUT_TEXT_H

#include "profiler/base/strbuf.h"
#include "profiler/expressions/probe_expression.h"

void layout_text_write(const struct probe_layout *layout, struct strbuf *buf);

#endif
