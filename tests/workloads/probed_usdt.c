/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probed_usdt.c - declared probes whose arguments lie where compilers put them seldom.
 *
 *	probed_usdt N		the probe probed:indexed N times, i from 0 on: operands with an index register:
 *				-7 i of a page that is not there, 1000000007 i, -(i mod 100), i mod 200,
 *				i itself, and "text-" and i mod 10
 *
 * Prints what came out of it, to be compared with what it is without a probe.
 */
/* BUILD: -g */
/* BUILD probed_usdt-fixed: -g -no-pie -fno-pie */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N_MAX 500
#define PAGE 4096

/* As <sys/sdt.h> has it, with these operands whatever the compiler does. */
#define NOTE(provider, name, operands)                                                             \
	"990: nop\n"                                                                               \
	".pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                                    \
	".4byte 992f-991f, 994f-993f, 3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"                \
	"993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte 0\n.asciz \"" provider "\"\n"             \
	".asciz \"" name "\"\n.asciz \"" operands "\"\n994: .balign 4\n.popsection\n"              \
	".ifndef _.stapsdt.base\n"                                                                 \
	".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"                    \
	".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n"                 \
	".size _.stapsdt.base, 1\n.popsection\n.endif\n"

static struct {
	int32_t numbers[N_MAX];
} * mapped;
static int64_t wide[N_MAX];
static int16_t narrow[N_MAX];
static uint8_t bytes[8 * N_MAX];
static char texts[10][8];
static const char *names[N_MAX];

static void fill(void)
{
	for (int i = 0; i < N_MAX; i++) {
		mapped->numbers[i] = -7 * i;
		wide[i] = 1000000007ll * i;
		narrow[i] = (int16_t) - (i % 100);
		bytes[8 * i] = (uint8_t)(i % 200);
		snprintf(texts[i % 10], sizeof(texts[0]), "text-%d", i % 10);
		names[i] = texts[i % 10];
	}
}

__attribute__((noinline, noclone)) static void fire(int64_t i)
{
	register uintptr_t byte_base __asm__("r8") = (uintptr_t)bytes + 1;
	register int64_t index __asm__("r9") = i;

	__asm__ volatile(NOTE("probed", "indexed",
			      "-4@8(%%rax,%%r9,4) 8@(%%rcx,%%rdx) -2@(,%%rsi,2) "
			      "1@-1(%%r8,%%r9,8) -8@%%r9 8@(%%rdi,%%r9,8)")
			 :
			 : "a"((uintptr_t)mapped - 8), "c"(wide), "d"(8 * i),
			   "S"((uintptr_t)&narrow[i] / 2), "r"(byte_base), "r"(index), "D"(names)
			 : "memory");
}

/* Private to us and of a file, so that its pages can be taken away and come again. */
static int map_numbers(void)
{
	FILE *file = tmpfile();

	if (!file || ftruncate(fileno(file), PAGE))
		return -1;
	mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	return mapped == MAP_FAILED ? -1 : 0;
}

int main(int argc, char **argv)
{
	int n = argc == 2 ? atoi(argv[1]) : 0;
	int64_t sum = 0;

	if (n < 1 || n > N_MAX || map_numbers())
		return 1;
	fill();
	for (int i = 0; i < n; i++) {
		if (i % 3 == 0)
			madvise(mapped, PAGE, MADV_DONTNEED);
		fire(i);
		if (i % 3 == 1)
			sum += mapped->numbers[i];
		sum += wide[i] + narrow[i] + bytes[8 * i] + names[i][5];
	}
	printf("%lld\n", (long long)sum);
	return 0;
}
