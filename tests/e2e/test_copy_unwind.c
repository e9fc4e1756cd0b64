/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "bpf/stack_id.h"
#include "profiler/base/clock.h"
#include "profiler/processes/modules.h"
#include "profiler/tables/copy_unwind.h"
#include "tests/e2e/store_maps.h"

#define FRAMES 200

/* What the child says of itself before it stops, by another unwinder. */
struct truth {
	int count;
	void *addresses[FRAMES];
};

struct fixture {
	struct table_store_options options;
	struct table_store *store;
	struct modules *modules;
	struct process_table *table;
	struct process *process;
	struct truth *truth;		/* shared with the child */
	struct wick_copy_record parts[WICK_COPY_PARTS];
	struct stack_copy copy;
	uint32_t parts_max;
	struct unwind_cursor cursor;
	pid_t pid;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = { .text = "" };

	assert_non_null(f);
	f->options.segment_limit = 8;
	f->options.rule_limit = 16384;
	f->options.module_limit = 1024;
	f->options.mapping_limit = 1024;
	store_maps_open(&f->options);
	assert_int_equal(table_store_new(&f->options, &f->store, &err), 0);
	f->parts_max = WICK_COPY_PARTS;
	f->modules = modules_new(f->options.module_limit);
	f->table = process_table_new();
	f->truth = mmap(NULL, sizeof(*f->truth), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(f->truth, MAP_FAILED);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->pid) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	munmap(f->truth, sizeof(*f->truth));
	table_store_free(f->store);
	process_table_free(f->table);
	modules_free(f->modules);
	store_maps_close(&f->options);
	free(f);
	return 0;
}

/* ---- the stopped process, as the kernel side would copy it ---- */

static void copy_registers(struct fixture *f)
{
	struct wick_copy_record *copy = &f->parts[0];
	struct user_regs_struct r;

	assert_int_equal(ptrace(PTRACE_GETREGS, f->pid, NULL, &r), 0);
	copy->ip = r.rip;
	copy->sp = r.rsp;
	copy->fp = r.rbp;
	copy->regs[UNWIND_RAX] = r.rax;
	copy->regs[UNWIND_RDX] = r.rdx;
	copy->regs[UNWIND_RCX] = r.rcx;
	copy->regs[UNWIND_RBX] = r.rbx;
	copy->regs[UNWIND_RSI] = r.rsi;
	copy->regs[UNWIND_RDI] = r.rdi;
	copy->regs[UNWIND_R8] = r.r8;
	copy->regs[UNWIND_R9] = r.r9;
	copy->regs[UNWIND_R10] = r.r10;
	copy->regs[UNWIND_R11] = r.r11;
	copy->regs[UNWIND_R12] = r.r12;
	copy->regs[UNWIND_R13] = r.r13;
	copy->regs[UNWIND_R14] = r.r14;
	copy->regs[UNWIND_R15] = r.r15;
}

static void copy_part(const struct fixture *f, uint64_t base, struct wick_copy_record *part)
{
	part->base = base;
	part->bytes = 0;
	while (part->bytes < WICK_COPY_BYTES) {
		struct iovec to = { part->data + part->bytes, 128 };
		struct iovec from = { (void *)(base + part->bytes), 128 };

		if (process_vm_readv(f->pid, &to, 1, &from, 1, 0) != 128)
			break;
		part->bytes += 128;
	}
}

static void copy_stack(struct fixture *f)
{
	uint32_t i = 0;

	do {
		copy_part(f, f->parts[0].sp + i * WICK_COPY_BYTES, &f->parts[i]);
		f->copy.parts[i] = &f->parts[i];
	} while (f->parts[i].bytes == WICK_COPY_BYTES && ++i < f->parts_max);
	f->copy.part_count = i < f->parts_max ? i + 1 : i;
}

/* Wait for the child to stop itself, and take hold of it. */
static void seize_child(struct fixture *f)
{
	int status;

	assert_int_equal(waitpid(f->pid, &status, WUNTRACED), f->pid);
	if (WIFEXITED(status))
		skip();		/* not installed */
	assert_int_equal(ptrace(PTRACE_SEIZE, f->pid, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, f->pid, NULL, NULL), 0);
	assert_int_equal(waitpid(f->pid, &status, __WALL), f->pid);
}

static void load_tables(struct fixture *f)
{
	assert_in_range(process_table_add(f->table, (uint32_t)f->pid, &f->process), 0, 1);
	assert_int_equal(process_read_maps(f->table, f->process), 0);
	for (size_t i = 0; i < f->process->mapping_count; i++) {
		struct mapping *m = &f->process->mappings[i];

		if (modules_find(f->modules, f->process, m) >= 0)
			assert_int_equal(table_store_load_module(f->store, m->module, 1), 0);
	}
}

/* Stop the child for good, copy what the kernel side would, unwind it. */
static void unwind_child(struct fixture *f, uint32_t depth_max)
{
	uint64_t begin_ns;

	seize_child(f);
	copy_registers(f);
	copy_stack(f);
	f->parts[0].pid = (uint32_t)f->pid;
	load_tables(f);
	begin_ns = clock_thread_cpu_ns();
	copy_unwind(&f->copy, f->process, f->store, depth_max, &f->cursor);
	print_message("# %u frames, stop %u, %u parts, %lu ns\n", f->cursor.depth, f->cursor.stop,
		      f->copy.part_count, (unsigned long)(clock_thread_cpu_ns() - begin_ns));
}

/* ---- our own functions, deep in the stack of a child ---- */

typedef void stop_function(struct truth *truth);

static __attribute__((noinline)) void stop_here(struct truth *truth)
{
	truth->count = backtrace(truth->addresses, FRAMES);
	raise(SIGSTOP);
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) int recurse(struct truth *truth, int depth)
{
	volatile char local[1024] = { 0 };

	if (depth > 0)
		local[0] = (char)recurse(truth, depth - 1);
	else
		stop_here(truth);
	return local[0] + 1;
}

static __attribute__((noinline)) int small_recurse(struct truth *truth, int depth)
{
	int value = depth;

	if (depth > 0)
		value += small_recurse(truth, depth - 1);
	else
		stop_here(truth);
	__asm__ volatile("" : "+r"(value));
	return value + 1;
}

static struct truth *signal_truth;

static void on_signal(int number)
{
	stop_here(signal_truth);
}

static void fork_child(struct fixture *f, int large_depth, int small_depth, bool in_signal)
{
	f->pid = fork();
	if (f->pid)
		return;
	if (in_signal) {
		signal_truth = f->truth;
		signal(SIGUSR1, on_signal);
		raise(SIGUSR1);
	}
	if (large_depth)
		recurse(f->truth, large_depth);
	small_recurse(f->truth, small_depth);
	_exit(0);
}

/* The address in the child's memory that @frame means. */
static uint64_t frame_address(const struct fixture *f, uint64_t frame)
{
	uint32_t id = unwind_frame_module(frame);

	for (size_t i = 0; i < f->process->mapping_count; i++) {
		const struct mapping *m = &f->process->mappings[i];

		if (m->module && module_info(m->module)->id == id)
			return unwind_frame_address(frame) + m->bias;
	}
	return unwind_frame_address(frame);
}

/* Frames are the address of the call, backtrace()'s the one behind it. */
static bool same_frame(const struct fixture *f, uint32_t frame, int truth)
{
	uint64_t address = frame_address(f, f->cursor.frames[frame]);

	return (uintptr_t)f->truth->addresses[truth] - address <= 1;
}

/*
 * From some caller of stop_here() on, frames must be those that the child's
 * own unwinder saw; raise() and what is below it, it did not see yet.
 */
static void compare_with_truth(const struct fixture *f)
{
	uint32_t at = 0;
	int i;

	for (i = 1; i < f->truth->count; i++) {
		for (at = 0; at < f->cursor.depth && !same_frame(f, at, i); at++)
			;
		if (at < f->cursor.depth)
			break;
	}
	assert_in_range(i, 1, 3);
	assert_true(at > 0);
	for (; i < f->truth->count && at < f->cursor.depth; i++, at++) {
		if (same_frame(f, at, i))
			continue;
		for (uint32_t k = 0; k < f->cursor.depth; k++)
			print_message("# frame %u: %lx\n", k,
				      (unsigned long)frame_address(f, f->cursor.frames[k]));
		for (int k = 0; k < f->truth->count; k++)
			print_message("# truth %d: %p\n", k, f->truth->addresses[k]);
		fail();
	}
}

static void test_complete(void **state)
{
	struct fixture *f = *state;

	fork_child(f, 0, 20, false);
	unwind_child(f, UNWIND_FRAMES_MAX);
	assert_int_equal(f->cursor.stop, UNWIND_STOP_END);
	assert_true((int)f->cursor.depth >= f->truth->count);
	compare_with_truth(f);
	assert_false(f->cursor.flags & UNWIND_RAW_FRAMES);
}

static void test_hash(void **state)
{
	struct fixture *f = *state;
	uint64_t hash = WICK_USER_STACK_SEED;

	fork_child(f, 0, 3, false);
	unwind_child(f, UNWIND_FRAMES_MAX);
	for (uint32_t i = 0; i < f->cursor.depth; i++)
		hash = unwind_hash(hash, f->cursor.frames[i]);
	assert_int_equal(f->cursor.hash, hash);
	copy_unwind_none(UNWIND_STOP_LATE, &f->cursor);
	assert_int_equal(f->cursor.hash, WICK_USER_STACK_SEED);
	assert_int_equal(f->cursor.depth, 0);
	assert_int_equal(f->cursor.stop, UNWIND_STOP_LATE);
}

static void test_signal(void **state)
{
	struct fixture *f = *state;

	fork_child(f, 0, 3, true);
	unwind_child(f, UNWIND_FRAMES_MAX);
	assert_int_equal(f->cursor.stop, UNWIND_STOP_END);
	assert_true(f->cursor.flags & UNWIND_CROSSED_SIGNAL);
	compare_with_truth(f);
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;

	f->parts_max = 1;
	fork_child(f, 30, 0, false);
	unwind_child(f, UNWIND_FRAMES_MAX);
	assert_int_equal(f->parts[0].bytes, WICK_COPY_BYTES);
	assert_int_equal(f->cursor.stop, UNWIND_STOP_COPY_END);
	assert_true(f->cursor.depth >= 7);
	compare_with_truth(f);
}

static void test_parts(void **state)
{
	struct fixture *f = *state;

	fork_child(f, 30, 0, false);
	unwind_child(f, UNWIND_FRAMES_MAX);
	assert_true(f->copy.part_count >= 4);
	assert_int_equal(f->cursor.stop, UNWIND_STOP_END);
	compare_with_truth(f);
}

static void test_depth(void **state)
{
	struct fixture *f = *state;

	fork_child(f, 0, 30, false);
	unwind_child(f, 10);
	assert_int_equal(f->cursor.stop, UNWIND_STOP_DEPTH);
	assert_int_equal(f->cursor.depth, 10);
	compare_with_truth(f);
}

/* ---- every instruction ---- */

#define STEPS 20000

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Code of all kinds: calls through the PLT for the first time, callbacks, large frames. */
static void work(void)
{
	int numbers[40];
	char text[200];

	for (int i = 0; i < 40; i++)
		numbers[i] = i * 7 % 41;
	qsort(numbers, 40, sizeof(numbers[0]), compare_ints);
	snprintf(text, sizeof(text), "%d %s %g", numbers[3], "text", 1.5);
	free(strdup(text));
}

static void test_every_instruction(void **state)
{
	struct fixture *f = *state;
	unsigned int complete = 0, too_long = 0, steps;
	int status;

	f->pid = fork();
	if (!f->pid) {
		raise(SIGSTOP);
		for (;;)
			work();
	}
	seize_child(f);
	kill(f->pid, SIGCONT);
	load_tables(f);
	for (steps = 0; steps < STEPS; steps++) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, f->pid, NULL, NULL), 0);
		assert_int_equal(waitpid(f->pid, &status, __WALL), f->pid);
		assert_true(WIFSTOPPED(status));
		copy_registers(f);
		copy_stack(f);
		copy_unwind(&f->copy, f->process, f->store, UNWIND_FRAMES_MAX, &f->cursor);
		if (f->cursor.stop == UNWIND_STOP_END)
			complete++;
		else if (f->cursor.stop == UNWIND_STOP_COPY_END)
			too_long++;
		else
			print_message("# stop %u after %u frames, leaf %lx\n", f->cursor.stop,
				      f->cursor.depth, (unsigned long)f->cursor.frames[0]);
	}
	print_message("# %u of %u stacks complete, %u too long\n", complete, steps, too_long);
	assert_true(complete + too_long >= steps - steps / 1000);
	assert_true(too_long < steps / 10);
}

/* ---- programs ---- */

static const struct program_case {
	const char *name;
	const char *argv[4];
} program_cases[] = {
	{ "python", { "python3", "-c", "import os; os.kill(os.getpid(), 19)" } },
	{ "perl", { "perl", "-e", "kill 19, $$" } },
	{ "a shell", { "sh", "-c", "kill -STOP $$" } },
};

static void program_row(void **state)
{
	const struct program_case *c = *state;
	void *fixture;
	struct fixture *f;

	setup(&fixture);
	f = fixture;
	f->pid = fork();
	if (!f->pid) {
		execvp(c->argv[0], (char **)c->argv);
		_exit(127);
	}
	unwind_child(f, UNWIND_FRAMES_MAX);
	assert_int_equal(f->cursor.stop, UNWIND_STOP_END);
	assert_true(f->cursor.depth >= 4);
	teardown(&fixture);
}

#define COPY_TEST(sentence, function) { (sentence), (function), setup, teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		COPY_TEST("a copied stack is what backtrace() saw", test_complete),
		COPY_TEST("the hash is that of the frames", test_hash),
		COPY_TEST("a signal frame is crossed", test_signal),
		COPY_TEST("a stack longer than its copy ends with it", test_too_long),
		COPY_TEST("a stack longer than a part goes on in the next one", test_parts),
		COPY_TEST("the depth limit holds", test_depth),
		COPY_TEST("every instruction is unwound, one by one", test_every_instruction),
	};

	return unit_run_rows("program", program_row, UNIT_ROWS(program_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
