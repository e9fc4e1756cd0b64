/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo.c - a program whose profile is easy to read: a small server that talks to itself.
 *
 * Usage: demo [SECONDS]. One thread; about half of its time goes to
 * render_page(), a quarter to search_index(), the rest to system calls.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
/* What follows the call keeps it a call: a tail call would leave no frame. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

static volatile uint64_t result;

static NOINLINE void burn(unsigned int rounds)
{
	uint64_t x = result | 1;

	while (rounds--)
		x = x * 6364136223846793005u + 1442695040888963407u;
	result = x;
}

static NOINLINE void escape_text(void)
{
	burn(6000);
	KEEP_FRAME();
}

static NOINLINE void format_number(void)
{
	burn(3000);
	KEEP_FRAME();
}

static NOINLINE void render_cell(int column)
{
	if (column % 2)
		format_number();
	else
		escape_text();
	KEEP_FRAME();
}

static NOINLINE void render_row(void)
{
	int column;

	for (column = 0; column < 8; column++)
		render_cell(column);
	KEEP_FRAME();
}

static NOINLINE void render_table(int rows)
{
	while (rows--)
		render_row();
	KEEP_FRAME();
}

static NOINLINE void render_page(void)
{
	render_table(10);
	KEEP_FRAME();
}

static NOINLINE void search_node(int depth)
{
	if (!depth) {
		burn(1500);
	} else {
		search_node(depth - 1);
		search_node(depth - 1);
	}
	KEEP_FRAME();
}

static NOINLINE void search_index(void)
{
	search_node(7);
	KEEP_FRAME();
}

static NOINLINE void read_input(int fd)
{
	static char buffer[1 << 20];

	if (read(fd, buffer, sizeof(buffer)) < 0)
		perror("demo: read");
	KEEP_FRAME();
}

static NOINLINE void write_log(int fd)
{
	int i;

	for (i = 0; i < 200; i++)
		if (write(fd, "a line of the log\n", 18) < 0)
			perror("demo: write");
	KEEP_FRAME();
}

static NOINLINE void handle_request(int in, int out)
{
	read_input(in);
	search_index();
	render_page();
	write_log(out);
	KEEP_FRAME();
}

static NOINLINE void serve_requests(int in, int out, time_t seconds)
{
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end)
		handle_request(in, out);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	int in = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (in < 0 || out < 0) {
		perror("demo: open");
		return 1;
	}
	serve_requests(in, out, argc > 1 ? atoi(argv[1]) : 10);
	return 0;
}
