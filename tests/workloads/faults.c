/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -pthread */
/*
 * faults.c - touches pages, a known number of them. Usage:
 *
 *	faults minor FILE PAGES		fresh memory
 *	faults major FILE PAGES		a mapped file that is not in memory
 *	faults brought FILE PAGES	memory that a thread of its own brings page by page, touched
 *					within system calls: major ones that need no disk
 *	faults places FILE PAGES	of the heap, of the stack, fresh memory, and of the files FILE.1
 *					and FILE.2, mapped at the same address in turns
 *	faults storm FILE SECONDS	fresh memory, again and again, and getppid() in between
 *
 * Before that a few pages in warm_up(), until its unwind tables should be there.
 *
 * FILE then holds two numbers: by the kernel's count of this process, how many faults of that kind
 * there were; for a storm those, and how many milliseconds of CPU it had. Where FILE.data
 * cannot be dropped from memory (a tmpfs), there are no major faults.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "work.h"

#define PAGE_BYTES 4096ul
#define CHUNK_PAGES 4096ul
#define CALLS 1000

static inline __attribute__((always_inline)) void touch(volatile char *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		memory[i * PAGE_BYTES] = 1;
	KEEP_FRAME();
}

NOINLINE static void touch_pages(volatile char *memory, size_t pages)
{
	touch(memory, pages);
}

NOINLINE static unsigned int read_pages(const volatile char *memory, size_t pages)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < pages; i++)
		sum += memory[i * PAGE_BYTES];
	KEEP_FRAME();
	return sum;
}

static char *fresh(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(memory, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
	return memory;
}

NOINLINE static void warm_up(void)
{
	char *memory = fresh(100);

	for (int i = 0; i < 25; i++) {
		touch(memory + i * 4 * PAGE_BYTES, 4);
		usleep(20000);
	}
}

static void touch_fresh(size_t pages)
{
	char *memory = fresh(pages);

	touch_pages(memory, pages);
	munmap(memory, pages * PAGE_BYTES);
}

/* A file of that size, whose pages are on the disk only. */
static const char *dropped(const char *file, size_t pages)
{
	static const char page[PAGE_BYTES] = "page";
	char path[4096];
	const char *memory;
	int fd;

	snprintf(path, sizeof(path), "%s.data", file);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (size_t i = 0; i < pages; i++)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			exit(1);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
	/* Each page by a fault of its own. */
	madvise((void *)memory, pages * PAGE_BYTES, MADV_RANDOM);
	unlink(path);
	return memory;
}

/* ---- pages that a thread brings ---- */

static int pager = -1;

static void *bring_pages(void *unused)
{
	static char page[PAGE_BYTES] = "page";
	struct uffd_msg message;

	while (read(pager, &message, sizeof(message)) > 0) {
		struct uffdio_copy copy = { .dst = message.arg.pagefault.address &
						   ~(PAGE_BYTES - 1),
					    .src = (unsigned long)page,
					    .len = PAGE_BYTES };

		ioctl(pager, UFFDIO_COPY, &copy);
	}
	return unused;
}

/* Nothing where that cannot be had. */
static const char *awaited(size_t pages)
{
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	char *memory = fresh(pages);
	pthread_t thread;

	pager = syscall(SYS_userfaultfd, O_CLOEXEC);
	range.range.start = (unsigned long)memory;
	range.range.len = pages * PAGE_BYTES;
	if (pager < 0 || ioctl(pager, UFFDIO_API, &api) || ioctl(pager, UFFDIO_REGISTER, &range) ||
	    pthread_create(&thread, NULL, bring_pages, NULL))
		return NULL;
	return memory;
}

/* One by one, into a pipe that has room for a byte of each. */
NOINLINE static void send_pages(const char *memory, size_t pages)
{
	int fds[2];

	if (pipe(fds))
		return;
	for (size_t i = 0; i < pages; i++)
		if (write(fds[1], memory + i * PAGE_BYTES, 1) != 1)
			break;
	KEEP_FRAME();
}

/* ---- in different places ---- */

/* A page of the heap was never there before. */
NOINLINE static void touch_heap(size_t pages)
{
	volatile char *memory = sbrk((pages + 1) * PAGE_BYTES);

	memory = (char *)(((unsigned long)memory + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1));
	touch(memory, pages);
}

NOINLINE static void touch_stack(size_t pages)
{
	volatile char memory[pages * PAGE_BYTES];

	touch(memory, pages);
}

#define FILES 2
#define ROUNDS 8

static int make_file(const char *name, int number, size_t pages)
{
	static const char page[PAGE_BYTES] = "page";
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s.%d", name, number);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (size_t i = 0; i < pages; i++)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			exit(1);
	return fd;
}

/* Written to, each page of a private mapping is a fault of its own. */
NOINLINE static void touch_files(const char *name, size_t pages)
{
	char *place = fresh(pages);
	int fds[FILES];

	for (int i = 0; i < FILES; i++)
		fds[i] = make_file(name, i + 1, pages);
	for (int i = 0; i < ROUNDS * FILES; i++) {
		mmap(place, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		     fds[i % FILES], 0);
		touch(place, pages);
	}
	munmap(place, pages * PAGE_BYTES);
}

static void touch_places(const char *name, size_t pages)
{
	touch_heap(pages);
	touch_stack(pages);
	touch_fresh(pages);
	touch_files(name, pages);
}

static void storm(double seconds)
{
	double end = work_now() + seconds;

	while (work_now() < end) {
		touch_fresh(CHUNK_PAGES);
		for (int i = 0; i < CALLS; i++)
			getppid();
	}
}

static long cpu_ms(const struct rusage *r)
{
	return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000 +
	       (r->ru_utime.tv_usec + r->ru_stime.tv_usec) / 1000;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 3 ? argv[1] : "", *file = argc > 3 ? argv[2] : "/dev/null";
	double amount = argc > 3 ? atof(argv[3]) : 1000;
	int is_read = !strcmp(kind, "major"), is_brought = !strcmp(kind, "brought");
	int is_storm = !strcmp(kind, "storm"), is_major = is_read || is_brought;
	int is_places = !strcmp(kind, "places");
	struct rusage before, after;
	const char *content = is_read ? dropped(file, amount) : is_brought ? awaited(amount) : NULL;
	size_t left = amount;
	FILE *out;

	warm_up();
	getrusage(RUSAGE_SELF, &before);
	if (is_brought && content)
		send_pages(content, amount);
	else if (is_read)
		work_result = read_pages(content, amount);
	else if (is_storm)
		storm(amount);
	else if (is_places)
		touch_places(file, amount);
	else
		for (; left; left -= left < CHUNK_PAGES ? left : CHUNK_PAGES)
			touch_fresh(left < CHUNK_PAGES ? left : CHUNK_PAGES);
	getrusage(RUSAGE_SELF, &after);
	out = fopen(file, "w");
	fprintf(out, "%ld %ld\n", is_major ? after.ru_majflt - before.ru_majflt :
					     after.ru_minflt - before.ru_minflt,
		cpu_ms(&after) - cpu_ms(&before));
	fclose(out);
	return 0;
}
