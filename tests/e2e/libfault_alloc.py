# SPDX-License-Identifier: BSD-2-Clause
"""Allocations of a program that fail: a library to preload, which counts those made by one object.

By default that is the program itself, else a library of it: what the C library allocates for the
other does not count.
"""
import os
import subprocess

# Fails allocation FAIL_AT of those that object FAIL_IN makes, and with FAIL_ON all from there on. A
# process that is forked counts on by itself.
LIBRARY = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static long at = -1, on, count;
static char *begin, *end;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static void learn(void)
{
	const char *object = getenv("FAIL_IN");
	struct link_map *map = _r_debug.r_map;
	const ElfW(Ehdr) *header;
	const ElfW(Phdr) *segment;
	while (map && object && !strstr(map->l_name, object))
		map = map->l_next;
	at = getenv("FAIL_AT") ? atol(getenv("FAIL_AT")) : 0;
	on = !!getenv("FAIL_ON");
	if (!map)
		return;
	header = (void *)map->l_addr;
	segment = (void *)(map->l_addr + header->e_phoff);
	for (int i = 0; i < header->e_phnum; i++, segment++)
		if (segment->p_type == PT_LOAD && segment->p_flags & PF_X) {
			begin = (char *)map->l_addr + segment->p_vaddr;
			end = begin + segment->p_memsz;
		}
}
static int fails(void *caller)
{
	long now;
	if (at < 0)
		learn();
	if ((char *)caller < begin || (char *)caller >= end)
		return 0;
	now = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	if (!at || (on ? now < at : now != at))
		return 0;
	errno = ENOMEM;
	return 1;
}
#define FAILS fails(__builtin_return_address(0))
void *malloc(size_t size) { return FAILS ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return FAILS ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return FAILS ? NULL : __libc_realloc(old, size); }
void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) || FAILS)
		return NULL;
	return __libc_realloc(old, bytes);
}
char *strndup(const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	char *copy = FAILS ? NULL : __libc_malloc(length + 1);
	if (copy)
		*(char *)mempcpy(copy, text, length) = 0;
	return copy;
}
char *strdup(const char *text)
{
	return FAILS ? NULL : strcpy(__libc_malloc(strlen(text) + 1), text);
}
__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("FAIL_COUNT");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	if (fd >= 0)
		dprintf(fd, "%ld", count);
}
"""


def build():
    with open("fail.c", "w") as file:
        file.write(LIBRARY)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-w", "-o", "fail.so", "fail.c"], check=True)


def environment(at, on=False, where=None):
    """For a process whose allocation @at fails, of object @where; 0 for none."""
    env = dict(os.environ, LD_PRELOAD=os.path.abspath("fail.so"), FAIL_AT=str(at),
               FAIL_COUNT=os.path.abspath("count"))
    if on:
        env["FAIL_ON"] = "1"
    if where:
        env["FAIL_IN"] = where
    return env


def count():
    """How many the last process made that ended by itself."""
    with open("count") as file:
        return int(file.read())
