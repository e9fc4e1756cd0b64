/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame_kind.h - what kind of frame it is, for formats that say so only by names.
 */
#ifndef WICK_FRAME_KIND_H
#define WICK_FRAME_KIND_H

#include <stdbool.h>
#include "formats/profile.h"

/* By a mapping's file: "[kernel.kallsyms]", "//anon", "/usr/bin/sh". */
enum frame_kind frame_kind_of_mapping(const char *file);
/* Whether that is no function's name but "[incomplete:CAUSE]", or says that there is no stack. */
bool frame_is_mark(const char *name);

#endif
