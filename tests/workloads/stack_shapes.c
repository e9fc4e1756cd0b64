/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -Wl,-z,lazy */
/* BUILD stack_shapes-realigned: -Og -fno-omit-frame-pointer -mforce-drap -Wl,-z,now */
/* BUILD stack_shapes-clang: CC=clang */
/* BUILD stack_shapes-debug_frame: -g -gz -fno-asynchronous-unwind-tables */
/* BUILD stack_shapes-static: -static -Os -fcf-protection=full */
/* BUILD stack_shapes-bare: -fno-asynchronous-unwind-tables -Wl,-z,now */
/* BUILD stack_shapes-bare-clang: CC=clang -fno-asynchronous-unwind-tables -Wl,-z,now */
/* BUILD stack_shapes-bare-stripped: -O2 -fno-asynchronous-unwind-tables -Wl,-z,now -s */
/* BUILD stack_shapes-musl: CC=musl-gcc -static -fno-asynchronous-unwind-tables */
/* BUILD stack_shapes-musl-dynamic: CC=musl-gcc -fno-asynchronous-unwind-tables */
/*
 * stack_shapes.c - a frame of every kind that compilers make, each once, quickly.
 *
 * For tests that follow a program instruction by instruction: it calls its way through the shapes
 * and exits with 0.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __clang__
#define SHAPE __attribute__((noinline))
#else
#define SHAPE __attribute__((noinline, noclone))
#endif

volatile long sink;
/* Hides values from the optimizer. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

SHAPE static long leaf(long n)
{
	OPAQUE(n);
	return n * 3;
}

SHAPE static long recursion(long n)
{
	if (n == 0)
		return leaf(n);
	return recursion(n - 1) + n;
}

/* The size of the frame is not known: CFA by rbp. */
SHAPE static long variable_frame(long n)
{
	char bytes[n];
	char *more = __builtin_alloca(n * 2);

	memset(bytes, 1, n);
	memset(more, 2, n * 2);
	sink += bytes[n / 2] + more[n];
	return leaf(n);
}

/* The stack is realigned. */
SHAPE static long aligned_frame(long n)
{
	_Alignas(64) long block[8];

	memset(block, (int)n, sizeof(block));
	__asm__ volatile("" : : "r"(block) : "memory");
	return leaf(block[3]);
}

__attribute__((force_align_arg_pointer)) SHAPE static long realigned_entry(long n)
{
	return aligned_frame(n) + leaf(n);
}

/* Both at once: the size is not known, and the stack is realigned. */
SHAPE static long aligned_variable_frame(long n)
{
	_Alignas(128) char bytes[128];
	char *more = __builtin_alloca(n);

	memset(bytes, 3, sizeof(bytes));
	memset(more, 4, n);
	sink += bytes[5] + more[n - 1];
	return leaf(n);
}

/* Realigned, with arguments on the stack: CFA through memory, by way of r10 in gcc's code. */
SHAPE static long aligned_arguments(long a, long b, long c, long d, long e, long f, long g, long h)
{
	_Alignas(64) char bytes[64];
	char *more = __builtin_alloca(a);

	memset(bytes, (int)b, sizeof(bytes));
	memset(more, (int)c, a);
	sink += bytes[6] + more[a - 1];
	return leaf(d + e + f) + leaf(g + h);
}

/* All registers that a callee must save are pushed. */
SHAPE static long many_registers(long a, long b, long c, long d, long e, long f)
{
	long x = leaf(a), y = leaf(b), z = leaf(c), u = leaf(d), v = leaf(e), w = leaf(f);

	return leaf(x + y) + leaf(z + u) + leaf(v + w) + x * y * z * u * v * w;
}

/* Arguments on the stack move rsp before the call. */
SHAPE static long many_arguments(long a, long b, long c, long d, long e, long f, long g, long h,
				 long i)
{
	return leaf(a + b + c + d + e + f + g + h + i);
}

SHAPE static long large_frame(long n)
{
	char bytes[20000];

	memset(bytes, (int)n, sizeof(bytes));
	__asm__ volatile("" : : "r"(bytes) : "memory");
	return leaf(bytes[n]);
}

SHAPE static long tail_call(long n)
{
	OPAQUE(n);
	return recursion(n);
}

/* Two ways out, so two epilogues: DW_CFA_remember_state. */
SHAPE static long early_return(long n)
{
	long x;

	if (n < 3)
		return 7;
	x = leaf(n);
	if (x == 12)
		return leaf(x) + n;
	return many_registers(x, n, x, n, x, n) + n;
}

static int compare(const void *a, const void *b)
{
	return (int)leaf(*(const int *)a) - (int)leaf(*(const int *)b);
}

/* Through the PLT, and back through the library into a function here. */
SHAPE static long library_calls(void)
{
	int numbers[] = { 5, 3, 9, 1, 4 };

	qsort(numbers, 5, sizeof(numbers[0]), compare);
	return strtol("123", NULL, 10) + numbers[0];
}

/* In the vDSO. */
SHAPE static long vdso_call(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) + leaf(now.tv_sec);
}

/* The return address is in a register while the child has the stack. */
SHAPE static long vfork_call(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static void handler(int number)
{
	sink += recursion(number % 4);
}

SHAPE static int signals(void)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = handler };

	if (sigaction(SIGUSR1, &action, NULL))
		return 1;
	raise(SIGUSR1);
	action.sa_flags = SA_ONSTACK;
	if (sigaltstack(&alternate, NULL) || sigaction(SIGUSR2, &action, NULL))
		return 1;
	raise(SIGUSR2);
	return 0;
}

int main(void)
{
	sink += recursion(12);
	sink += variable_frame(40);
	sink += realigned_entry(4);
	sink += aligned_variable_frame(33);
	sink += aligned_arguments(1, 2, 3, 4, 5, 6, 7, 8);
	sink += many_registers(1, 2, 3, 4, 5, 6);
	sink += many_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9);
	sink += large_frame(9);
	sink += tail_call(3);
	sink += early_return(2) + early_return(4) + early_return(5);
	sink += library_calls();
	sink += vdso_call() + vfork_call();
	return signals();
}
