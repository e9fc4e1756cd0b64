/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * odd_code FILE OFFSET COUNT SECONDS
 *
 * Maps the page at OFFSET of FILE COUNT times for execution, each mapping one of its own, says
 * "mapped", and runs what is there, a function that counts down to zero (ODD_CODE), in one after
 * the other.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* dec %rdi; jnz . - 3; ret */
static const unsigned char code[] = { 0x48, 0xff, 0xcf, 0x75, 0xfb, 0xc3 };

/* Neighbours begin at the same place of the file, so the kernel cannot make them one. */
static char *map_pages(int fd, off_t offset, size_t count)
{
	char *start = mmap(NULL, count * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < count && start != MAP_FAILED; i++)
		if (mmap(start + i * 4096, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
			 offset) == MAP_FAILED)
			return MAP_FAILED;
	return start;
}

int main(int argc, char **argv)
{
	size_t count = argc > 3 ? strtoul(argv[3], NULL, 0) : 1;
	time_t end = time(NULL) + (argc > 4 ? atoi(argv[4]) : 1);
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;
	char *pages;

	if (fd < 0)
		return 2;
	pages = map_pages(fd, strtoll(argv[2], NULL, 0), count);
	if (pages == MAP_FAILED || memcmp(pages, code, sizeof(code)) != 0) {
		perror("odd_code");
		return 1;
	}
	puts("mapped");
	fflush(stdout);
	for (size_t i = 0; time(NULL) < end; i = (i + 1) % count)
		((void (*)(unsigned long))(void *)(pages + i * 4096))(1000000);
	return 0;
}
