/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_filters.c - each target filter lets its task through and keeps another one out, before any
 * stack is walked: the walk counters say so.
 */
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define SAMPLES_LEAST 50
#define NOBODY 65534

struct filter_case {
	const char *name;
	bool others;		/* tasks besides the two may be let through */
	/* Set the filter for @wanted, which spins beside an unwanted task. 77: cannot be tested here. */
	int (*apply)(struct session_options *options, const pid_t *wanted);
};

static char cgroup_outer[512];

/* Runs until it is killed; @cpu -1: anywhere. */
static pid_t spin(const char *comm, int cpu, uid_t uid)
{
	pid_t pid = fork();
	cpu_set_t set;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, comm);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if ((cpu >= 0 && sched_setaffinity(0, sizeof(set), &set)) || (uid && setuid(uid)))
		_exit(1);
	for (volatile unsigned long i = 0;; i++)
		;
}

static int by_pid(struct session_options *options, const pid_t *wanted)
{
	options->pids = wanted;
	options->pid_count = 1;
	return 0;
}

static int by_tid(struct session_options *options, const pid_t *wanted)
{
	options->tids = wanted;
	options->tid_count = 1;
	return 0;
}

static int by_comm(struct session_options *options, const pid_t *wanted)
{
	options->comm_glob = "wi*-w[a-z]nt?d";
	return 0;
}

static int by_uid(struct session_options *options, const pid_t *wanted)
{
	options->filter_uid = true;
	options->uid = NOBODY;
	return 0;
}

static int by_cpu(struct session_options *options, const pid_t *wanted)
{
	options->cpus = "0";
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 0 : 77;
}

static bool cgroup_root(const char *type, char *ret, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (mounts && !found && (m = getmntent(mounts))) {
		/* "name=systemd" has no controller; cpuset wants to be configured first. */
		found = !strcmp(m->mnt_type, type) && !strstr(m->mnt_opts, "name=") &&
			!strstr(m->mnt_opts, "cpuset");
		if (found)
			snprintf(ret, size, "%s", m->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

/* The task goes into a folder below the one that is asked for: descendants belong to it. */
static int by_cgroup(const char *type, struct session_options *options, const pid_t *wanted)
{
	char root[256], path[600];
	FILE *f;

	if (!cgroup_root(type, root, sizeof(root)))
		return 77;
	snprintf(cgroup_outer, sizeof(cgroup_outer), "%s/wick-test-%d", root, getpid());
	snprintf(path, sizeof(path), "%s/inner", cgroup_outer);
	if (mkdir(cgroup_outer, 0755) || mkdir(path, 0755))
		return -1;
	snprintf(path, sizeof(path), "%s/inner/cgroup.procs", cgroup_outer);
	f = fopen(path, "we");
	if (!f || fprintf(f, "%d\n", *wanted) < 0 || fclose(f))
		return -1;
	options->cgroup = cgroup_outer;
	return 0;
}

static int by_cgroup_v1(struct session_options *options, const pid_t *wanted)
{
	return by_cgroup("cgroup", options, wanted);
}

static int by_cgroup_v2(struct session_options *options, const pid_t *wanted)
{
	return by_cgroup("cgroup2", options, wanted);
}

static void cgroup_remove(void)
{
	char path[600];

	if (!cgroup_outer[0])
		return;
	snprintf(path, sizeof(path), "%s/inner", cgroup_outer);
	for (int i = 0; i < 100 && rmdir(path); i++)
		usleep(10000);
	rmdir(cgroup_outer);
	cgroup_outer[0] = 0;
}

static const struct filter_case cases[] = {
	{ "-p lets a process through", false, by_pid },
	{ "-t lets a thread through", false, by_tid },
	{ "-n lets a comm through", false, by_comm },
	{ "-u lets a user through", true, by_uid },
	{ "-C lets a CPU through", true, by_cpu },
	{ "-G lets a v1 cgroup through, with what is below it", false, by_cgroup_v1 },
	{ "-G lets a v2 cgroup through, with what is below it", false, by_cgroup_v2 },
};

static const char *string_at(const struct profile *p, profile_string s)
{
	return p->strings[s];
}

static uint64_t samples_of(const struct profile *p, pid_t pid)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < p->sample_count; i++)
		for (uint32_t j = 0; j < p->samples[i].label_count; j++) {
			const struct profile_label *label = &p->samples[i].labels[j];

			if (!strcmp(string_at(p, label->key), "pid") && label->number == pid)
				sum += p->samples[i].values[0];
		}
	return sum;
}

static void test_filter(void **state)
{
	const struct filter_case *c = *state;
	struct harness_run run = { .seconds = 1.5, .session = { .frequency_hz = 499 } };
	struct harness_result result;
	const struct session_stats *s = &result.stats;
	pid_t wanted, unwanted;
	int r;

	harness_need_bpf();
	wanted = spin("wick-wanted", 0, NOBODY);
	unwanted = spin("wick-other", sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0, 0);
	usleep(50000);
	r = c->apply(&run.session, &wanted);
	if (r >= 0 && r != 77)
		harness_profile(&run, &result);
	harness_end(wanted);
	harness_end(unwanted);
	cgroup_remove();
	if (r == 77)
		skip();
	assert_int_equal(r, 0);
	harness_print(c->name, &result);
	assert_true(samples_of(result.profile, wanted) >= SAMPLES_LEAST);
	assert_int_equal(samples_of(result.profile, unwanted), 0);
	if (!c->others)
		assert_int_equal(samples_of(result.profile, wanted), s->reported);
	if (strncmp(c->name, "-C", 2))
		assert_true(s->filtered >= SAMPLES_LEAST);
	/* Not their sum: a walk that leaves the known mappings is followed by a copy. */
	assert_true(harness_count(s->counters, "user-walks") <= s->taken);
	assert_true(harness_count(s->counters, "copies") <= s->taken);
	harness_check_invariant(s);
	harness_done(&result);
}

int main(void)
{
	return unit_run_rows("filters", test_filter, UNIT_ROWS(cases));
}
