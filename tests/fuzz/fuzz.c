/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_fail(const char *what)
{
	fprintf(stderr, "FUZZ: %s\n", what);
	abort();
}

void fuzz_touch(const void *bytes, size_t size)
{
	/* Goes where the compiler cannot leave it out. */
	static volatile unsigned int sum;
	const uint8_t *byte = bytes;
	size_t i;

	for (i = 0; i < size; i++)
		sum = sum + byte[i];
}

void fuzz_touch_text(const char *text)
{
	fuzz_check(text != NULL, "a text is missing");
	fuzz_touch(text, strlen(text));
}

char *fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size);

	fuzz_check(text != NULL, "no memory");
	return text;
}

int fuzz_file(const void *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz_check(fd >= 0 && write(fd, bytes, size) == (ssize_t)size, "no memory file");
	return fd;
}
