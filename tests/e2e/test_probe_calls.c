/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_probe_calls.c - calls of a function from entry to return: recursion, threads, frames that a
 * longjmp() takes away, stacks that move, and texts that are not there yet at the entry.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/probe_rig.h"
#include "tests/unit/unit.h"

#define DEPTH 40
#define THREADS 4
#define ROUNDS 25
#define PAGE 4096

static volatile int64_t kept;
static volatile bool always = true;
static jmp_buf back;

__attribute__((noipa)) static int64_t recurse(int64_t depth)
{
	int64_t below = depth ? recurse(depth - 1) : 0;

	kept = depth;
	return below + depth;
}

__attribute__((noipa)) static int64_t jump(int64_t depth)
{
	if (!depth && always)
		longjmp(back, 1);
	if (depth)
		jump(depth - 1);
	/* Or the compiler makes a loop of it. */
	kept = depth;
	return depth;
}

__attribute__((noipa)) static int64_t leave_thread(int64_t depth)
{
	if (!depth && always)
		pthread_exit(NULL);
	if (depth)
		leave_thread(depth - 1);
	kept = depth;
	return depth;
}

__attribute__((noipa)) static int64_t read_text(const char *text)
{
	return text[0];
}

/* Functions with a known place of return. The second has, as Go's, r14 for its goroutine and moves its stack. */
int64_t add_one(int64_t number);
int64_t move_stack(void *goroutine, void *end);
extern const char add_one_return[], move_stack_begin[], move_stack_return[];
asm(".text\n"
    ".type add_one, @function\n"
    "add_one:\n"
    "	lea 1(%rdi), %rax\n"
    "add_one_return:\n"
    "	ret\n"
    ".type move_stack, @function\n"
    "move_stack:\n"
    "	push %r12\n"
    "	push %r14\n"
    "	mov %rsp, %r12\n"
    "	mov %rdi, %r14\n"
    "	call move_stack_begin\n"
    "	mov %r12, %rsp\n"
    "	pop %r14\n"
    "	pop %r12\n"
    "	ret\n"
    "move_stack_begin:\n"
    "	mov (%rsp), %rdx\n"
    "	mov %rsi, %rcx\n"
    "	sub 8(%r14), %rcx\n"
    "	add %rsp, %rcx\n"
    "	mov %rdx, (%rcx)\n"
    "	mov %rcx, %rsp\n"
    "	mov %rsi, 8(%r14)\n"
    "	mov $77, %eax\n"
    "move_stack_return:\n"
    "	ret\n");

/* The argument, what is returned, and how long that took. */
enum { ARGUMENT, RESULT, LATENCY, VALUES };

static struct probe_site call_site(void)
{
	return (struct probe_site){
		.value_count = VALUES,
		.sum = RESULT,
		.values = { { .base = PROBE_BASE_REGISTER, .index = PROBE_RDI, .bytes = 8,
			      .flags = PROBE_FETCH_AT_ENTRY },
			    { .base = PROBE_BASE_REGISTER, .index = PROBE_RAX, .bytes = 8 },
			    { .base = PROBE_BASE_LATENCY, .bytes = 8 } },
	};
}

static const char *const programs[] = { "probe_enter", "probe_leave", "probe_leave_at_ret",
					"probe_thread_exit", "probe_exec", NULL };

static struct probe_rig rig_of(const struct probe_site *site)
{
	return (struct probe_rig){ .object = "probe", .programs = programs, .sites = site,
				   .site_count = 1, .settings.deliver_events = 1 };
}

static void rig_begin(struct probe_rig *rig, const void *function)
{
	probe_rig_open(rig);
	probe_rig_attach(rig, "probe_leave", true, function, 0);
	probe_rig_attach(rig, "probe_enter", false, function, 0);
	probe_rig_attach_program(rig, "probe_thread_exit");
	probe_rig_start(rig);
}

/* Nothing is left behind. */
static void check_calls_gone(struct probe_rig *rig)
{
	assert_int_equal(probe_rig_entries(rig, "calls"), 0);
	assert_int_equal(probe_rig_entries(rig, "call_texts"), 0);
}

static int64_t sum_to(int64_t depth)
{
	return depth * (depth + 1) / 2;
}

static void test_recursion(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);
	unsigned int seen[DEPTH + 1] = { 0 };

	rig_begin(&rig, recurse);
	for (int i = 0; i < ROUNDS; i++)
		recurse(DEPTH);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), ROUNDS * (DEPTH + 1));
	for (size_t i = 0; i < ROUNDS * (DEPTH + 1); i++) {
		const uint64_t *values = probe_rig_event(&rig, i)->values->value;

		assert_true(values[ARGUMENT] <= DEPTH);
		seen[values[ARGUMENT]]++;
		assert_int_equal(values[RESULT], sum_to(values[ARGUMENT]));
		assert_int_equal(probe_rig_event(&rig, i)->sample.value.sum, values[RESULT]);
		/* They return from the inside out, and each took longer than what is in it. */
		if (values[ARGUMENT])
			assert_true(values[LATENCY] >
				    probe_rig_event(&rig, i - 1)->values->value[LATENCY]);
	}
	for (size_t i = 0; i <= DEPTH; i++)
		assert_int_equal(seen[i], ROUNDS);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_CALLS_DROPPED), 0);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_RETURNS_UNKNOWN), 0);
	check_calls_gone(&rig);
	probe_rig_close(&rig);
}

static void *thread_recurses(void *unused)
{
	for (int i = 0; i < ROUNDS; i++)
		recurse(DEPTH);
	return NULL;
}

static void test_threads(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);
	pthread_t threads[THREADS];
	uint64_t sum = 0;

	rig_begin(&rig, recurse);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_recurses, NULL), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN),
			 THREADS * ROUNDS * (DEPTH + 1));
	for (size_t i = 0; i < probe_rig_event_count(&rig); i++)
		sum += probe_rig_event(&rig, i)->sample.value.sum;
	if (probe_rig_event_count(&rig) == THREADS * ROUNDS * (DEPTH + 1))
		assert_int_equal(sum, THREADS * ROUNDS * DEPTH * (DEPTH + 1) * (DEPTH + 2) / 6);
	check_calls_gone(&rig);
	probe_rig_close(&rig);
}

/* Frames that are gone are found when the thread comes by again, further up. */
static void test_longjmp(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);
	volatile int rounds = 0;

	rig_begin(&rig, jump);
	if (setjmp(back) < 2 && rounds++ < ROUNDS)
		jump(DEPTH / 4);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 0);
	/* The last ones are still there: the thread lives. */
	assert_int_equal(probe_rig_entries(&rig, "calls"), DEPTH / 4 + 1);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_CALLS_DROPPED),
			 (ROUNDS - 1) * (DEPTH / 4 + 1));
	probe_rig_close(&rig);
}

static void *thread_leaves(void *unused)
{
	leave_thread(DEPTH / 2);
	return NULL;
}

static void test_thread_exit(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);
	pthread_t thread;

	rig_begin(&rig, leave_thread);
	assert_int_equal(pthread_create(&thread, NULL, thread_leaves, NULL), 0);
	pthread_join(thread, NULL);
	/* Joined is who has told so, and not yet who has ended. */
	for (int i = 0; i < 100 && probe_rig_entries(&rig, "calls"); i++)
		usleep(10000);
	check_calls_gone(&rig);
	assert_int_equal(probe_rig_entries(&rig, "call_threads"), 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_CALLS_DROPPED), DEPTH / 2 + 1);
	probe_rig_close(&rig);
}

static void test_at_return(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);

	probe_rig_open(&rig);
	probe_rig_attach(&rig, "probe_enter", false, add_one, 0);
	probe_rig_attach(&rig, "probe_leave_at_ret", false, add_one_return, 0);
	probe_rig_start(&rig);
	for (int64_t i = 0; i < ROUNDS; i++)
		assert_int_equal(add_one(i * 10), i * 10 + 1);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), ROUNDS);
	for (size_t i = 0; i < ROUNDS; i++) {
		assert_int_equal(probe_rig_event(&rig, i)->values->value[ARGUMENT], i * 10);
		assert_int_equal(probe_rig_event(&rig, i)->values->value[RESULT], i * 10 + 1);
	}
	check_calls_gone(&rig);
	probe_rig_close(&rig);
}

static void test_moving_stack(void **state)
{
	static uint64_t stacks[2][512];
	struct {
		void *low, *end;
	} goroutine = { NULL, NULL };
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);

	site.flags = PROBE_SITE_GO;
	probe_rig_open(&rig);
	probe_rig_attach(&rig, "probe_enter", false, move_stack_begin, 0);
	probe_rig_attach(&rig, "probe_leave_at_ret", false, move_stack_return, 0);
	probe_rig_start(&rig);
	for (int i = 0; i < ROUNDS; i++) {
		/* As far from the end as on the stack it comes from. */
		goroutine.end = (char *)__builtin_frame_address(0) + PAGE / 8;
		assert_int_equal(move_stack(&goroutine, stacks[i % 2] + 512), 77);
	}
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), ROUNDS);
	assert_int_equal(probe_rig_event(&rig, 0)->values->value[RESULT], 77);
	check_calls_gone(&rig);
	probe_rig_close(&rig);
}

/* Without a return probe each call but the last makes place for the next one. */
static void test_no_return(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);

	probe_rig_open(&rig);
	probe_rig_attach(&rig, "probe_enter", false, add_one, 0);
	probe_rig_start(&rig);
	for (int i = 0; i < ROUNDS; i++)
		add_one(i);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_entries(&rig, "calls"), 1);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_CALLS_DROPPED), ROUNDS - 1);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 0);
	probe_rig_close(&rig);
}

static void test_unknown_return(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);

	probe_rig_open(&rig);
	probe_rig_attach(&rig, "probe_leave", true, recurse, 0);
	probe_rig_start(&rig);
	recurse(DEPTH);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_RETURNS_UNKNOWN), DEPTH + 1);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 0);
	probe_rig_close(&rig);
}

static void test_map_full(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);

	rig.limits.waits = 16;
	rig_begin(&rig, recurse);
	for (int i = 0; i < ROUNDS; i++)
		recurse(DEPTH);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), ROUNDS * (DEPTH + 1));
	assert_true(probe_rig_counter(&rig, WICK_COUNTER_LOST_WAITS) > ROUNDS);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_LOST_WAITS),
			 probe_rig_counter(&rig, WICK_COUNTER_RETURNS_UNKNOWN));
	check_calls_gone(&rig);
	probe_rig_close(&rig);
}

static void test_latency_least(void **state)
{
	struct probe_site site = call_site();
	struct probe_rig rig = rig_of(&site);

	rig.settings.value_min = 1000000000;
	rig_begin(&rig, recurse);
	recurse(DEPTH);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_FILTERED), DEPTH + 1);
	assert_int_equal(probe_rig_event_count(&rig), 0);
	check_calls_gone(&rig);
	probe_rig_close(&rig);
}

/* A page with @text at its end, which goes on in the next one; neither is there yet. */
static char *absent_text(const char *text, char **ret_memory)
{
	char *path = harness_file("absent"), *memory;
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	unlink(path);
	free(path);
	assert_int_equal(ftruncate(fd, 2 * PAGE), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), PAGE - 2), strlen(text));
	memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(madvise(memory, 2 * PAGE, MADV_RANDOM), 0);
	*ret_memory = memory;
	return memory + PAGE - 2;
}

static void test_again(void **state)
{
	struct probe_site site = { .value_count = 2, .sum = PROBE_NO_VALUE };
	struct probe_rig rig = rig_of(&site);
	const struct window_event *event;
	char *memory, *text = absent_text("absent at first", &memory);

	for (int i = 0; i < 2; i++)
		site.values[i] = (struct probe_fetch){
			.base = PROBE_BASE_REGISTER, .index = PROBE_RDI, .form = PROBE_TEXT,
			.size = 64,
			.flags = PROBE_FETCH_USER | (i ? PROBE_FETCH_AGAIN : PROBE_FETCH_AT_ENTRY),
		};
	rig_begin(&rig, read_text);
	read_text("there");
	read_text(text);
	probe_rig_stop(&rig);
	event = probe_rig_event(&rig, 0);
	probe_rig_check_text(event, 0, "there", 5);
	probe_rig_check_text(event, 1, "there", 5);
	event = probe_rig_event(&rig, 1);
	assert_int_equal(event->values->unreadable, 1);
	assert_int_equal(event->values->value[0], (uintptr_t)text);
	/* The function has read the first byte: what is in the page, and maybe what is around it. */
	assert_true((event->values->value[1] >> 32) >= 1);
	assert_memory_equal(event->values->text + (uint32_t)event->values->value[1], "a", 1);
	munmap(memory, 2 * PAGE);
	check_calls_gone(&rig);
	probe_rig_close(&rig);
}

/* What absent_text() gives to a probe at the entry of its reader: its bytes, or -1: unreadable. */
static int64_t absent_bytes(bool touched)
{
	static const char *const touching[] = { "probe_hit", "probe_touch", NULL };
	struct probe_site site = { .value_count = 1, .sum = PROBE_NO_VALUE };
	struct probe_rig rig = rig_of(&site);
	const struct probe_values *values;
	char *memory, *text = absent_text("absent at first", &memory);
	int64_t bytes;

	site.values[0] = (struct probe_fetch){ .base = PROBE_BASE_REGISTER, .index = PROBE_RDI,
					       .form = PROBE_TEXT, .size = 64,
					       .flags = PROBE_FETCH_USER };
	rig.programs = touching;
	probe_rig_open(&rig);
	probe_rig_attach(&rig, "probe_hit", false, read_text, 0);
	/* The last one is run first. */
	if (touched)
		probe_rig_attach(&rig, "probe_touch", false, read_text, 0);
	probe_rig_start(&rig);
	read_text(text);
	probe_rig_stop(&rig);
	values = probe_rig_event(&rig, 0)->values;
	bytes = values->unreadable ? -1 : (int64_t)(values->value[0] >> 32);
	if (bytes > 0)
		assert_memory_equal(values->text, text, bytes);
	munmap(memory, 2 * PAGE);
	probe_rig_close(&rig);
	return bytes;
}

static void test_touch(void **state)
{
	assert_int_equal(absent_bytes(false), -1);
	assert_int_equal(absent_bytes(true), strlen("absent at first"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each call of a recursion has its own values", test_recursion),
		UNIT_TEST("threads do not get into each other's calls", test_threads),
		UNIT_TEST("frames that longjmp() takes away are dropped", test_longjmp),
		UNIT_TEST("so are those of a thread that ends", test_thread_exit),
		UNIT_TEST("a function can be left at its return instructions", test_at_return),
		UNIT_TEST("a goroutine's call is found on a stack that has moved",
			  test_moving_stack),
		UNIT_TEST("calls that are not seen to return do not pile up", test_no_return),
		UNIT_TEST("returns of calls that were not seen are not counted as any",
			  test_unknown_return),
		UNIT_TEST("calls there is no place for are lost, and counted", test_map_full),
		UNIT_TEST("calls that are too short are filtered", test_latency_least),
		UNIT_TEST("a text that is not there at the entry is read at the return",
			  test_again),
		UNIT_TEST("or at the entry, when a program has waited for it", test_touch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
