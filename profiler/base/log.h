/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - debug messages by domain, on standard error.
 *
 * Library folders log nothing above debug. log_domains is one of the two
 * globals of the program; it is set once by option parsing.
 */
#ifndef WICK_LOG_H
#define WICK_LOG_H

#include "profiler/base/cleanup.h"

enum log_domain {
	LOG_DRAIN = 1 << 0,
	LOG_SIDEBAND = 1 << 1,
	LOG_TABLES = 1 << 2,
	LOG_SYMBOLIZER = 1 << 3,
	LOG_SESSION = 1 << 4,
	LOG_LIBBPF = 1 << 5,
};

extern unsigned int log_domains;

/* Parse "drain,symbolizer" or "all" into log_domains. Returns 0, or -EINVAL. */
int log_parse_domains(const char *text);
void log_write_(enum log_domain domain, const char *format, ...) _printf_(2, 3);
#define log_debug(domain, ...)                              \
	do {                                                \
		if (log_domains & (domain))                 \
			log_write_((domain), __VA_ARGS__);  \
	} while (0)

#endif
