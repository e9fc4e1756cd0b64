/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_list.h - the grammar of -e: which events, each with its KEY=VALUE items.
 *
 *     cpu,offcpu,min=1ms,uprobe:libc:malloc(a,b)  →  "cpu"  "offcpu,min=1ms"  "uprobe:libc:malloc(a,b)"
 *
 * An item KEY=VALUE belongs to the event before it, any other item begins an
 * event. Commas inside (), <> or quotes do not split. Knows nothing of which
 * events there are; texts are kept as they were written, quotes and all.
 */
#ifndef WICK_EVENT_LIST_H
#define WICK_EVENT_LIST_H

#include <stddef.h>
#include "tools/options/options.h"

/*
 * Add the events of one -e to @list, a text each. Its first item may belong to
 * the last event of the -e before it. Returns 0; -EINVAL with *@ret_reason, a
 * constant text; or -ENOMEM. What was added before a failure stays.
 */
int event_list_add(struct text_list *list, const char *text, const char **ret_reason);

/* How many bytes of @text are its event's name: "syscall" of "syscall:read,min=1ms". */
size_t event_name_size(const char *text);

#endif
