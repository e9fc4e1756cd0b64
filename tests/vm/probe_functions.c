/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_functions.c - a function of the kernel that the test itself calls, by kprobes and by
 * trampolines: arguments, results and latency.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "profiler/sources/program_features.h"
#include "tests/e2e/probe_rig.h"
#include "tests/unit/unit.h"

#define FUNCTION "do_sys_openat2"	/* (int dfd, const char *filename, struct open_how *how) */
#define CALLS 200
#define PATH "/dev/null"
#define NO_SUCH_FILE "/no/such/file"

/* Its values, and who calls it. */
enum { FOLDER, NAME, FLAGS, RESULT, LATENCY, PID, VALUES };

/* Arguments are registers or words; of words the result is that behind the three. */
static struct probe_site open_site(bool has_words, bool is_call)
{
	static const uint8_t registers[] = { PROBE_RDI, PROBE_RSI, PROBE_RDX, PROBE_RAX };
	uint8_t kept = is_call ? PROBE_FETCH_AT_ENTRY : 0;
	struct probe_site site = { .value_count = VALUES, .sum = RESULT, .term_count = 1 };

	for (uint8_t i = 0; i < 4; i++)
		site.values[i] = (struct probe_fetch){
			.base = has_words ? PROBE_BASE_WORD : PROBE_BASE_REGISTER,
			.index = has_words ? i : registers[i], .bytes = 4,
			.flags = PROBE_FETCH_SIGNED | (i == RESULT ? 0 : kept) };
	site.values[NAME].form = PROBE_TEXT;
	site.values[NAME].size = 64;
	site.values[NAME].flags = PROBE_FETCH_USER | (is_call ? PROBE_FETCH_AGAIN : 0);
	/* how->flags is in the kernel's memory. */
	site.values[FLAGS].bytes = 8;
	site.values[FLAGS].flags = PROBE_FETCH_MEMORY | kept;
	site.values[LATENCY] = (struct probe_fetch){ .base = PROBE_BASE_LATENCY, .bytes = 8 };
	site.values[PID] = (struct probe_fetch){ .base = PROBE_BASE_PID, .bytes = 4 };
	site.terms[0] = (struct probe_term){ .left = PID, .right = PROBE_RIGHT_CONSTANT,
					     .constant = getpid(), .if_true = PROBE_ACCEPT,
					     .if_false = PROBE_REJECT };
	return site;
}

static int opened[CALLS];

static void open_files(void)
{
	for (int i = 0; i < CALLS; i++) {
		opened[i] = open(i % 2 ? PATH : NO_SUCH_FILE, i % 2 ? O_RDWR : O_WRONLY);
		if (opened[i] >= 0)
			close(opened[i]);
		else
			opened[i] = -errno;
	}
}

static void check_events(const struct probe_rig *rig, bool has_arguments, bool has_result)
{
	assert_int_equal(probe_rig_event_count(rig), CALLS);
	for (int i = 0; i < CALLS; i++) {
		const struct window_event *event = probe_rig_event(rig, i);
		const char *path = i % 2 ? PATH : NO_SUCH_FILE;

		if (has_arguments) {
			assert_int_equal(event->values->value[FOLDER], AT_FDCWD);
			probe_rig_check_text(event, NAME, path, strlen(path));
		}
		if (has_result) {
			assert_int_equal(event->values->value[RESULT], opened[i]);
			assert_int_equal(event->sample.value.sum, opened[i]);
		}
	}
}

static const char *const kprobes[] = { "probe_hit", "probe_enter", "probe_leave",
				       "probe_thread_exit", NULL };

static struct probe_rig kprobe_rig(const struct probe_site *site)
{
	return (struct probe_rig){ .object = "probe", .programs = kprobes, .sites = site,
				   .site_count = 1,
				   .settings = { .deliver_events = 1, .walk_kernel = 1 } };
}

static void kprobe_attach(struct probe_rig *rig, const char *program, bool at_return)
{
	probe_rig_keep(rig, bpf_program__attach_kprobe(probe_rig_program(rig, program), at_return,
						       FUNCTION));
}

static void test_kprobe(void **state)
{
	struct probe_site site = open_site(false, false);
	struct probe_rig rig = kprobe_rig(&site);

	site.sum = PROBE_NO_VALUE;
	probe_rig_open(&rig);
	kprobe_attach(&rig, "probe_hit", false);
	probe_rig_start(&rig);
	open_files();
	probe_rig_stop(&rig);
	check_events(&rig, true, false);
	for (int i = 0; i < CALLS; i++) {
		/* O_LARGEFILE is the system call's. */
		assert_int_equal(probe_rig_event(&rig, i)->values->value[FLAGS] & O_ACCMODE,
				 i % 2 ? O_RDWR : O_WRONLY);
		assert_true(probe_rig_event(&rig, i)->sample.key.kernel_stack >= WICK_STACK_FIRST);
	}
	probe_rig_close(&rig);
}

static void test_kretprobe(void **state)
{
	struct probe_site site = open_site(false, false);
	struct probe_rig rig = kprobe_rig(&site);

	probe_rig_open(&rig);
	kprobe_attach(&rig, "probe_hit", true);
	probe_rig_start(&rig);
	open_files();
	probe_rig_stop(&rig);
	check_events(&rig, false, true);
	probe_rig_close(&rig);
}

static void test_call(void **state)
{
	struct probe_site site = open_site(false, true);
	struct probe_rig rig = kprobe_rig(&site);

	probe_rig_open(&rig);
	kprobe_attach(&rig, "probe_leave", true);
	kprobe_attach(&rig, "probe_enter", false);
	probe_rig_attach_program(&rig, "probe_thread_exit");
	probe_rig_start(&rig);
	open_files();
	probe_rig_stop(&rig);
	check_events(&rig, true, true);
	for (int i = 0; i < CALLS; i++)
		assert_in_range(probe_rig_event(&rig, i)->values->value[LATENCY], 1, 10000000000);
	probe_rig_close(&rig);
}

static const char *const fentry[] = { "fentry_hit", NULL };
static const char *const trampoline_calls[] = { "fentry_enter", "fentry_leave", "probe_thread_exit",
						NULL };

static bool is_trampoline(const struct bpf_program *program)
{
	enum bpf_attach_type type = bpf_program__expected_attach_type(program);

	return type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT;
}

static void target_set(struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
		if (bpf_program__autoload(program) && is_trampoline(program))
			assert_int_equal(bpf_program__set_attach_target(program, 0, FUNCTION), 0);
}

static struct probe_rig trampoline_rig(const struct probe_site *site, const char *const *programs,
				       unsigned int words)
{
	return (struct probe_rig){
		.object = "fentry",
		.programs = programs,
		.sites = site,
		.site_count = 1,
		.settings = { .deliver_events = 1, .option[PROBE_OPTION_WORDS] = words },
		.load = target_set,
		.may_be_refused = true,
	};
}

static void test_fentry(void **state)
{
	struct probe_site site = open_site(true, false);
	struct probe_rig rig = trampoline_rig(&site, fentry, 3);

	site.sum = PROBE_NO_VALUE;
	probe_rig_open(&rig);
	probe_rig_attach_program(&rig, "fentry_hit");
	probe_rig_start(&rig);
	open_files();
	probe_rig_stop(&rig);
	check_events(&rig, true, false);
	probe_rig_close(&rig);
}

/* Somebody else's program of the same function, which does nothing. */
static int attach_stranger(enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type,
		    .attach_btf_id = libbpf_find_vmlinux_btf_id(FUNCTION, type));
	int program = program_load_nothing(BPF_PROG_TYPE_TRACING, &opts), link;

	assert_true(program >= 0);
	link = bpf_raw_tracepoint_open(NULL, program);
	assert_true(link >= 0);
	close(program);
	return link;
}

#define STRANGERS 4

/* Others of the function come before ours, between them and behind: all are in one trampoline. */
static void run_calls(bool among_strangers)
{
	struct probe_site site = open_site(true, true);
	struct probe_rig rig = trampoline_rig(&site, trampoline_calls, 4);
	int strangers[STRANGERS], count = 0;

	probe_rig_open(&rig);
	if (among_strangers) {
		strangers[count++] = attach_stranger(BPF_TRACE_FENTRY);
		strangers[count++] = attach_stranger(BPF_TRACE_FEXIT);
	}
	probe_rig_attach_program(&rig, "fentry_leave");
	if (among_strangers)
		strangers[count++] = attach_stranger(BPF_TRACE_FENTRY);
	probe_rig_attach_program(&rig, "fentry_enter");
	probe_rig_attach_program(&rig, "probe_thread_exit");
	if (among_strangers)
		strangers[count++] = attach_stranger(BPF_TRACE_FEXIT);
	probe_rig_start(&rig);
	open_files();
	probe_rig_stop(&rig);
	check_events(&rig, true, true);
	for (int i = 0; i < CALLS; i++)
		assert_in_range(probe_rig_event(&rig, i)->values->value[LATENCY], 1, 10000000000);
	while (count)
		close(strangers[--count]);
	probe_rig_close(&rig);
}

static void test_trampoline_call(void **state)
{
	run_calls(false);
}

static void test_trampoline_strangers(void **state)
{
	run_calls(true);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a kprobe has the arguments in registers", test_kprobe),
		UNIT_TEST("a kretprobe has the result", test_kretprobe),
		UNIT_TEST("a call from kprobe to kretprobe has both", test_call),
		UNIT_TEST("fentry has the arguments as words", test_fentry),
		UNIT_TEST("a call from fentry to fexit has them, and the result",
			  test_trampoline_call),
		UNIT_TEST("and among programs of others", test_trampoline_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
