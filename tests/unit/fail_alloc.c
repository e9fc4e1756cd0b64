/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fail_alloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* The linker's --wrap=malloc makes malloc() __wrap_malloc(), and __real_malloc() the true one. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
int __real_vasprintf(char **ret, const char *format, va_list args);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_vasprintf(char **ret, const char *format, va_list args);
int __wrap_asprintf(char **ret, const char *format, ...);

static __thread bool armed;
static __thread bool failed;
static __thread size_t left;
static volatile size_t least;

void fail_alloc_from(size_t bytes)
{
	least = bytes;
}

static bool is_too_large(size_t size)
{
	return least && size >= least;
}

static bool fails_now(void)
{
	if (!armed || left--)
		return false;
	armed = false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return is_too_large(size) || fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_too_large(count * size) || fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return is_too_large(size) || fails_now() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails_now() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
	return fails_now() ? NULL : __real_strndup(text, size);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
	return fails_now() ? -1 : __real_vasprintf(ret, format, args);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return r;
}

void fail_alloc_after(size_t skipped)
{
	armed = true;
	failed = false;
	left = skipped;
}

bool fail_alloc_stop(void)
{
	armed = false;
	return failed;
}

static size_t fail_each(int (*run)(void *arg), void *arg, bool may_do_without)
{
	size_t count;
	int r;

	for (count = 0;; count++) {
		fail_alloc_after(count);
		r = run(arg);
		if (!fail_alloc_stop())
			break;
		if (r != -ENOMEM && (r || !may_do_without))
			fail_msg("allocation %zu failed, and the result was %d", count, r);
	}
	if (r < 0)
		fail_msg("all allocations succeeded, and the result was %d", r);
	return count;
}

size_t fail_alloc_each(int (*run)(void *arg), void *arg)
{
	return fail_each(run, arg, false);
}

size_t fail_alloc_each_or_not_missed(int (*run)(void *arg), void *arg)
{
	return fail_each(run, arg, true);
}
