/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_task_labels.c - cgroups and programs of samples, by labels: also of tasks that are gone when names
 * are wanted.
 */
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define SAMPLES_LEAST 20
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define INNER "docker-" ID ".scope"

struct cgroup_case {
	const char *name, *type;	/* of the mount */
	bool filtered;			/* with -G: then its hierarchy is that of the labels */
	bool removed;			/* process and folders go before the end */
	bool sleeps;			/* its last wait has not ended by then */
};

struct subject {
	pid_t pid;
	char outer[300], inner[400];	/* folders of cgroups, or empty */
	const struct cgroup_case *row;
	uint64_t begin_ns, samples_at_removal;
};

static pid_t nap(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		usleep(20000);
}

static pid_t spin(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (volatile unsigned long i = 0;; i++)
		;
}

/* ---- cgroups ---- */

static bool hierarchy_find(const char *type, char *ret, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (mounts && !found && (m = getmntent(mounts))) {
		found = !strcmp(m->mnt_type, type) && !strstr(m->mnt_opts, "name=") &&
			!strstr(m->mnt_opts, "cpuset");
		if (found)
			snprintf(ret, size, "%s", m->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static void folders_remove(struct subject *s)
{
	for (int i = 0; s->inner[0] && i < 100 && rmdir(s->inner); i++)
		usleep(10000);
	if (s->outer[0])
		rmdir(s->outer);
	s->inner[0] = s->outer[0] = '\0';
}

static void folders_make(struct subject *s, const char *root)
{
	char path[500];
	FILE *f;

	snprintf(s->outer, sizeof(s->outer), "%.200s/wick-labels-%d.slice", root, getpid());
	snprintf(s->inner, sizeof(s->inner), "%s/" INNER, s->outer);
	assert_int_equal(mkdir(s->outer, 0755), 0);
	assert_int_equal(mkdir(s->inner, 0755), 0);
	snprintf(path, sizeof(path), "%s/cgroup.procs", s->inner);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fprintf(f, "%d\n", s->pid) > 0);
	assert_int_equal(fclose(f), 0);
}

/* Until there are enough samples, in windows that have passed on; then without the subject. */
static bool cgroup_during(void *context, struct session *session)
{
	struct subject *s = context;
	struct session_stats stats;

	session_stats(session, &stats);
	if (stats.reported < SAMPLES_LEAST)
		return true;
	if (!s->row->removed)
		return false;
	if (!s->begin_ns) {
		s->begin_ns = clock_monotonic_ns();
		s->samples_at_removal = stats.reported;
	}
	/* Several windows of 100 ms, and then their turn in the other threads. */
	if (clock_monotonic_ns() - s->begin_ns < 1500000000)
		return true;
	harness_end(s->pid);
	s->pid = 0;
	folders_remove(s);
	return false;
}

/* How many samples of @pid have the text label @key, and with @text (NULL: any) as its value. */
static uint64_t labelled(const struct profile *p, pid_t pid, const char *key, const char *text)
{
	profile_string pid_key = profile_find_string(p, "pid"),
		       wanted = profile_find_string(p, key);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < p->sample_count; i++) {
		const struct profile_label *who = profile_find_label(&p->samples[i], pid_key);
		const struct profile_label *label = profile_find_label(&p->samples[i], wanted);

		if (who && who->number == pid && label &&
		    (!text || !strcmp(p->strings[label->text], text)))
			sum += p->samples[i].values[0];
	}
	return sum;
}

static uint64_t label_bits(const char *const *names)
{
	uint64_t bits = 0;

	for (; *names; names++) {
		assert_true(session_label_bit(*names));
		bits |= session_label_bit(*names);
	}
	return bits;
}

static void test_cgroup(void **state)
{
	static const char *const names[] = { "cgroup", "container", "unit", NULL };
	const struct cgroup_case *c = *state;
	struct subject subject = { .row = c };
	struct harness_run run = {
		.seconds = 20, .whole_machine = true, .during = cgroup_during,
		.context = &subject,
		.session = { .frequency_hz = 499, .labels = label_bits(names), .pid_count = 1,
			     .limits = { .window_ms = 100 } },
	};
	const struct session_event offcpu = { .text = "offcpu" };
	struct harness_result result;
	char root[256], path[400];
	pid_t pid;

	harness_need_bpf();
	if (!hierarchy_find(c->type, root, sizeof(root)))
		skip();
	pid = subject.pid = c->sleeps ? nap() : spin();
	run.session.events = &offcpu;
	run.session.event_count = c->sleeps ? 1 : 0;
	folders_make(&subject, root);
	snprintf(path, sizeof(path), "%s", subject.inner + strlen(root));
	run.session.pids = &pid;
	run.session.cgroup = c->filtered ? subject.outer : NULL;
	harness_profile(&run, &result);
	if (subject.pid)
		harness_end(subject.pid);
	folders_remove(&subject);
	harness_print(c->name, &result);
	assert_true(labelled(result.profile, pid, "cgroup", path) >= SAMPLES_LEAST);
	assert_int_equal(labelled(result.profile, pid, "cgroup", NULL),
			 labelled(result.profile, pid, "cgroup", path));
	assert_int_equal(labelled(result.profile, pid, "cgroup", path), result.stats.reported);
	assert_int_equal(labelled(result.profile, pid, "container", "0123456789ab"),
			 result.stats.reported);
	assert_int_equal(labelled(result.profile, pid, "unit", INNER), result.stats.reported);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

static const struct cgroup_case cgroup_cases[] = {
	{ "a cgroup of version 1 is labelled by its path", "cgroup", true, false, false },
	{ "a cgroup of version 2 is labelled by its path", "cgroup2", true, false, false },
	{ "version 2 is what labels speak of when tasks are in it", "cgroup2", false, false,
	  false },
	{ "a cgroup that is gone at the end is labelled as well", "cgroup2", false, true, false },
	{ "a wait that has not ended has its cgroup of version 1", "cgroup", true, false, true },
	{ "and of version 2", "cgroup2", true, false, true },
};

/* ---- programs ---- */

static void execute_shell(int number)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl("/bin/sh", "sh", "-c", "while :; do :; done", NULL);
	_exit(127);
}

/* Executes another program at SIGUSR1. */
static pid_t spin_then_execute(void)
{
	pid_t pid;

	signal(SIGUSR1, execute_shell);
	pid = spin();
	signal(SIGUSR1, SIG_DFL);
	return pid;
}

/* Until both programs had their samples; then the process ends before names are wanted. */
static bool program_during(void *context, struct session *session)
{
	struct subject *s = context;
	struct session_stats stats;

	session_stats(session, &stats);
	if (stats.reported < SAMPLES_LEAST)
		return true;
	if (!s->begin_ns) {
		s->begin_ns = clock_monotonic_ns();
		s->samples_at_removal = stats.reported;
		kill(s->pid, SIGUSR1);
	}
	/* By then the window in which the other program was first seen has been looked at. */
	if (stats.reported < s->samples_at_removal + 10 * SAMPLES_LEAST ||
	    clock_monotonic_ns() - s->begin_ns < 2500000000)
		return true;
	harness_end(s->pid);
	s->pid = 0;
	return false;
}

static void test_program(void **state)
{
	static const char *const names[] = { "exe", NULL };
	struct subject subject = { .pid = 0 };
	struct harness_run run = {
		.seconds = 20, .whole_machine = true, .during = program_during,
		.context = &subject,
		.session = { .frequency_hz = 499, .labels = label_bits(names), .pid_count = 1,
			     .stacks = SESSION_STACKS_USER },
	};
	struct harness_result result;
	char own[PATH_MAX] = "", shell[PATH_MAX] = "";
	uint64_t by_own, by_shell;
	pid_t pid;

	harness_need_bpf();
	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	assert_non_null(realpath("/bin/sh", shell));
	pid = subject.pid = spin_then_execute();
	run.session.pids = &pid;
	harness_profile(&run, &result);
	if (subject.pid)
		harness_end(subject.pid);
	harness_print("programs", &result);
	by_own = labelled(result.profile, pid, "exe", own);
	by_shell = labelled(result.profile, pid, "exe", shell);
	assert_true(by_own > 0);
	assert_true(by_shell >= SAMPLES_LEAST);
	assert_int_equal(by_own + by_shell, labelled(result.profile, pid, "exe", NULL));
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each sample has the program it was taken in", test_program),
	};

	return unit_run_rows("cgroup labels", test_cgroup, UNIT_ROWS(cgroup_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
