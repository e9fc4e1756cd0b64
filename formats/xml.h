/* SPDX-License-Identifier: BSD-2-Clause */
/* xml.h - text inside of XML elements and attributes. */
#ifndef WICK_XML_H
#define WICK_XML_H

#include <stddef.h>
#include "formats/sink.h"

/* Writes @text, which is UTF-8, escaped; what XML cannot hold at all becomes U+FFFD. */
int xml_write_text(struct sink *sink, const char *text);
int xml_write_bytes(struct sink *sink, const char *text, size_t size);

#endif
