/* SPDX-License-Identifier: BSD-2-Clause */
/* json.h - texts inside JSON. Structure is written as it is; only texts need care. */
#ifndef WICK_JSON_H
#define WICK_JSON_H

#include "profiler/base/strbuf.h"

/* @text in quotes, escaped; NULL is null. What is not UTF-8 becomes U+FFFD. */
void json_add_text(struct strbuf *buf, const char *text);

#endif
