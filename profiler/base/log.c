/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

unsigned int log_domains;

static const struct {
	const char *name;
	unsigned int domains;
} log_names[] = {
	{ "drain", LOG_DRAIN },
	{ "sideband", LOG_SIDEBAND },
	{ "tables", LOG_TABLES },
	{ "symbolizer", LOG_SYMBOLIZER },
	{ "session", LOG_SESSION },
	{ "libbpf", LOG_LIBBPF },
	{ "all", ~0U },
};

static unsigned int log_find_domains(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(log_names); i++)
		if (strlen(log_names[i].name) == size && !memcmp(log_names[i].name, name, size))
			return log_names[i].domains;
	return 0;
}

int log_parse_domains(const char *text)
{
	unsigned int all = 0, found;
	size_t size;

	for (;;) {
		size = strcspn(text, ",");
		found = log_find_domains(text, size);
		if (!found)
			return -EINVAL;
		all |= found;
		if (!text[size])
			break;
		text += size + 1;
	}
	log_domains = all;
	return 0;
}

static const char *log_name(enum log_domain domain)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(log_names); i++)
		if (log_names[i].domains & domain)
			return log_names[i].name;
	return "?";
}

void log_write_(enum log_domain domain, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	flockfile(stderr);	/* threads must not mix their lines */
	fprintf(stderr, "%s: ", log_name(domain));
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	funlockfile(stderr);
	va_end(args);
}
