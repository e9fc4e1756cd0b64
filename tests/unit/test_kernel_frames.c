/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that are left out of kernel stacks, as they come from kernels with trampolines: tests/vm. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/profile.h"
#include "profiler/kernel_frames.h"
#include "profiler/probes/probe_set.h"
#include "profiler/resolve.h"

#define FUNCTION 0xffffffff81001000
#define STACK WICK_STACK_FIRST

static const char kallsyms[] = "ffffffff81001000 T function\n"
			       "ffffffff81002000 T inner\n"
			       "ffffffff81003000 T caller\n"
			       "ffffffff81004000 T asm_sysvec_timer\n"
			       "ffffffff81005000 T schedule\n"
			       "ffffffff81006000 T behind\n"
			       "ffffffffc0100000 t bpf_prog_1_hit\t[bpf]\n";

/* As they are stored: one before where they return to. */
#define BODY (FUNCTION + 0x100)
#define AT_BEGIN (FUNCTION + 4)
#define AT_BEGIN_IBT (FUNCTION + 8)
#define INNER 0xffffffff81002010
#define CALLER 0xffffffff81003010
#define INTERRUPT 0xffffffff81004010
#define SCHEDULE 0xffffffff81005010
#define PROGRAM 0xffffffffc0100010
/* Gone, and so taken for the program that is before it. */
#define TRAMPOLINE 0xffffffffc0200020

/* The probe of function(), one on a tracepoint in the scheduler, and one that is neither. */
enum { OWN, TRACING, PLAIN, SOURCES };

static struct probe_place place = { .name = "function", .address = FUNCTION };
static const struct probe_set set = { .places = &place, .count = 1 };
static const struct source own = { .name = "own", .in_tracepoint = true, .probes = &set },
			   tracing = { .name = "tracing", .in_tracepoint = true,
				       .in_scheduler = true },
			   plain = { .name = "plain" };
static const struct source *const sources[SOURCES] = { &own, &tracing, &plain };

static const struct frames_case {
	const char *name;
	unsigned int source;
	uint64_t frames[10];
	const char *expected;
} cases[] = {
	{ "the function of a trampoline is the leaf of its stacks", OWN,
	  { PROGRAM, TRAMPOLINE, AT_BEGIN, CALLER }, "function caller" },
	{ "also where it begins with a mark for indirect branches", OWN,
	  { PROGRAM, TRAMPOLINE, AT_BEGIN_IBT, CALLER }, "function caller" },
	{ "calls of a recursion are there once each", OWN,
	  { PROGRAM, TRAMPOLINE, AT_BEGIN, BODY, TRAMPOLINE, AT_BEGIN, CALLER },
	  "function function caller" },
	{ "in others' stacks the function is there once", PLAIN,
	  { INNER, BODY, TRAMPOLINE, AT_BEGIN, CALLER }, "inner function caller" },
	{ "and when a program of its begin is sampled", PLAIN,
	  { PROGRAM, TRAMPOLINE, AT_BEGIN, CALLER }, "bpf_prog_1_hit function caller" },
	{ "a trampoline further out does not cut what is inside", TRACING,
	  { PROGRAM, SCHEDULE, INNER, BODY, TRAMPOLINE, AT_BEGIN, CALLER },
	  "inner function caller" },
	{ "an interrupt at its begin is none", PLAIN, { INNER, INTERRUPT, AT_BEGIN, CALLER },
	  "inner asm_sysvec_timer function caller" },
	{ "a function that is interrupted at its begin is the leaf", PLAIN,
	  { AT_BEGIN, CALLER }, "function caller" },
	{ "what calls no trampoline is left alone", PLAIN,
	  { INNER, BODY, PROGRAM, CALLER }, "inner function bpf_prog_1_hit caller" },
};

static uint32_t count_of(const struct frames_case *c)
{
	uint32_t count = 0;

	while (count < ARRAY_SIZE(c->frames) && c->frames[count])
		count++;
	return count;
}

static struct symbolizer *symbolizer_of_text(void)
{
	struct symbolizer_options options = { 0 };
	_cleanup_close_ int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	const char *module;
	struct symbolizer *sym;
	struct frame frame;
	char path[64];

	assert_int_equal(write(fd, kallsyms, sizeof(kallsyms) - 1), sizeof(kallsyms) - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	options.kallsyms_path = path;
	sym = symbolizer_new(&options);
	assert_non_null(sym);
	/* It is read at the first look-up. */
	assert_int_equal(symbolizer_lookup_kernel(sym, FUNCTION, &frame, 1, &module), 1);
	return sym;
}

static void write_names(const struct kernel_frames *frames, const struct source *source,
			const struct window_stack *stack, char *ret, size_t size)
{
	uint32_t first = kernel_frames_first(frames, source, stack,
					     source == &own ? &place : NULL);
	size_t used = 0;

	*ret = 0;
	for (uint32_t i = first; i < stack->count; i++) {
		struct location_info info;

		if (kernel_frames_skip(frames, stack, first, i))
			continue;
		assert_int_equal(locations_find(frames->locations, stack, i, false, &info), 0);
		used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? " " : "",
					 profile_builder_text(frames->builder, info.name));
	}
}

static void test_frames(void **state)
{
	const struct frames_case *c = *state;
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_of_text();
	_cleanup_(locations_freep) struct locations *locations = NULL;
	_cleanup_(window_freep) struct window *window = window_new(0);
	const struct window_stack stack = { .id = STACK, .count = count_of(c), .is_kernel = 1,
					    .stop = UNWIND_STOP_END, .frames = c->frames };
	const struct window_sample sample = { .key.kernel_stack = STACK, .source = c->source,
					      .value = { 1, 1 } };
	struct resolve_options options = { .window = window, .sources = sources,
					   .shown = sources, .source_count = SOURCES,
					   .symbolizer = sym };
	struct kernel_frames frames;
	char names[256];

	assert_int_equal(window_add_stack(window, &stack), 0);
	assert_int_equal(window_add_sample(window, &sample), 0);
	assert_int_equal(locations_new(&options, builder, &locations), 0);
	assert_int_equal(locations_prepare(locations, window), 0);
	kernel_frames_init(&frames, &options, locations, builder);
	write_names(&frames, sources[c->source], window_stack(window, STACK), names,
		    sizeof(names));
	assert_string_equal(names, c->expected);
}

/* Of a function whose address is hidden nothing is known, and nothing is left out for it. */
static void test_hidden(void **state)
{
	struct probe_place hidden = { .name = "function" };
	struct probe_set hidden_set = { .places = &hidden, .count = 1 };
	struct source source = { .name = "own", .in_tracepoint = true, .probes = &hidden_set };
	const struct source *const only[] = { &source };
	struct resolve_options options = { .sources = only, .source_count = 1 };
	struct kernel_frames frames;

	kernel_frames_init(&frames, &options, NULL, NULL);
	assert_int_equal(frames.trampoline_count, 0);
}

static void test_return(void **state)
{
	assert_true(kernel_frames_is_return("kretprobe_trampoline"));
	assert_true(kernel_frames_is_return("__kretprobe_trampoline"));
	assert_false(kernel_frames_is_return("kretprobe_trampoline_handler"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a function whose address is hidden has no trampoline", test_hidden),
		UNIT_TEST("code that returns go through is known by its name", test_return),
	};

	return unit_run_rows("frames", test_frames, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
