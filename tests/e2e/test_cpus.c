/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_cpus.c - -C for every event: of two programs that do the same on a CPU each, the one on the wanted
 * CPU is seen, and of the other nothing.
 */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define WANTED "on-cpu-0"
#define UNWANTED "on-cpu-1"
#define SAMPLES_LEAST 20
#define SECONDS_MAX 20
#define INTERRUPT_SECONDS 2

static const struct cpus_case {
	const char *name, *event;
	const char *value;
	const char *label;	/* who it is about; NULL: the task itself */
} cases[] = {
	{ "waits", "offcpu", "waits" },
	{ "waits that are walked when they were long", "offcpu,min=100us", "waits" },
	{ "waits for a CPU", "runq", "delays" },
	{ "wake-ups, from where they come", "wakeup", "wakeups", "woken" },
	{ "switches", "switch", "switches" },
	{ "system calls", "syscall:getppid", "calls" },
	{ "futexes", "lock,user", "contentions" },
	{ "page faults", "fault", "faults" },
	{ "signals", "signal", "signals" },
	{ "ends of processes", "exit", "exits" },
	{ "elapsed time", "wall", "wall" },
};

static void act_once(void)
{
	const struct timespec moment = { .tv_nsec = 500000 };
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int word = 1;
	pid_t child;

	*page = 1;
	munmap(page, 4096);
	getppid();
	/* Ignored by default. */
	kill(getpid(), SIGURG);
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, &moment, NULL, 0);
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
}

/* Until it is killed. */
static pid_t act(const char *comm, int cpu)
{
	pid_t pid = fork();
	cpu_set_t set;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, comm);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(1);
	for (;;)
		act_once();
}

static int64_t sum_of(const struct harness_result *result, const struct cpus_case *c,
		      const char *comm)
{
	const struct sample_choice choice = { .comm = c->label ? NULL : comm, .label = c->label,
					      .text = c->label ? comm : NULL };

	return sample_sum(result->profile, c->value, &choice);
}

/* Of the @count processes @pids, or of the whole machine. */
static void profile_cpu_0(const char *event, const pid_t *pids, size_t count, uint64_t labels,
			  double seconds, struct harness_result *ret)
{
	const struct session_event events[] = { { event } };
	struct harness_patience patience = { .seconds = 1, .samples = 4 * SAMPLES_LEAST };
	struct harness_run run = { .seconds = seconds, .whole_machine = !count,
				   .session = { .events = events, .event_count = 1, .cpus = "0",
						.pids = pids, .pid_count = count,
						.labels = labels },
				   .during = harness_wait_for_samples, .context = &patience };

	harness_profile(&run, ret);
	harness_print(event, ret);
	harness_check_invariant(&ret->stats);
}

static void test_cpu(void **state)
{
	const struct cpus_case *c = *state;
	struct harness_result result;
	pid_t pids[2];

	harness_need_bpf();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip();
	pids[0] = act(WANTED, 0);
	pids[1] = act(UNWANTED, 1);
	usleep(100000);
	profile_cpu_0(c->event, pids, 2, 0, SECONDS_MAX, &result);
	harness_end(pids[0]);
	harness_end(pids[1]);
	assert_true(sum_of(&result, c, WANTED) >= SAMPLES_LEAST);
	assert_int_equal(sum_of(&result, c, UNWANTED), 0);
	harness_done(&result);
}

/* What interrupts whoever is there is told by the label. */
static void test_interrupts(void **state)
{
	static const char *const events[] = { "irq", "softirq" };

	harness_need_bpf();
	for (size_t i = 0; i < 2; i++) {
		struct harness_result result;
		profile_string key;

		/* An idle machine may have none of the first kind. */
		profile_cpu_0(events[i], NULL, 0, session_label_bit("cpu"), INTERRUPT_SECONDS,
			      &result);
		key = profile_find_string(result.profile, "cpu");
		for (uint32_t s = 0; s < result.profile->sample_count; s++)
			assert_int_equal(
				profile_find_label(&result.profile->samples[s], key)->number, 0);
		if (!strcmp(events[i], "softirq"))
			assert_true(result.profile->sample_count > 0);
		harness_done(&result);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("interrupts and softirqs", test_interrupts),
	};

	return unit_run_rows("-C", test_cpu, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
