/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/e2e/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "formats/writer.h"
#include "profiler/base/clock.h"
#include "tests/unit/unit.h"

#define ARGUMENTS_MAX 64

void harness_need_bpf(void)
{
	if (geteuid()) {
		print_message("skipped: needs root\n");
		skip();
	}
}

/* Where workloads are; tests/run says it, and commands of the tests ask for it. */
static const char *workloads_folder(void)
{
	char path[4096];

	if (!getenv("WICK_WORKLOADS") && realpath("build/tests/workloads", path))
		setenv("WICK_WORKLOADS", path, 1);
	return getenv("WICK_WORKLOADS") ?: ".";
}

char *harness_file(const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s-%d", workloads_folder(), name, getpid()) > 0);
	return path;
}

static void command_exec(const char *const *command)
{
	char path[4608], *arguments[ARGUMENTS_MAX + 1] = { 0 };
	const char *folder = workloads_folder();

	for (size_t i = 0; command[i] && i < ARGUMENTS_MAX; i++)
		arguments[i] = (char *)command[i];
	if (command[0][0] == '@') {
		snprintf(path, sizeof(path), "%s/%s", folder, command[0] + 1);
		arguments[0] = path;
	}
	execvp(arguments[0], arguments);
	_exit(127);
}

pid_t harness_start(const char *const *command, int ready_fd)
{
	pid_t pid = fork();
	char byte;
	int null;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	setpgid(0, 0);
	/* Who started us may be killed, when it takes too long. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	null = open("/dev/null", O_RDWR);
	dup2(null, 1);
	dup2(null, 2);
	/* Until the session runs. */
	if (ready_fd >= 0 && read(ready_fd, &byte, 1) < 0)
		_exit(126);
	command_exec(command);
	return -1;
}

void harness_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

bool harness_wait_for_samples(void *patience, struct session *session)
{
	struct harness_patience *p = patience;
	uint64_t now_ns = clock_monotonic_ns();
	struct session_stats stats;

	if (!p->begin_ns)
		p->begin_ns = now_ns;
	session_stats(session, &stats);
	return stats.taken < p->samples || now_ns - p->begin_ns < (uint64_t)(p->seconds * 1e9);
}

bool harness_wait_for_end(void *unused, struct session *session)
{
	return session_has_targets(session);
}

static void watch(const struct harness_run *run, struct session *session)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)(run->seconds * 1e9);
	const struct timespec pause = { .tv_nsec = 10000000 };

	while (clock_monotonic_ns() < end_ns) {
		if (run->during && !run->during(run->context, session))
			break;
		nanosleep(&pause, NULL);
	}
}

static char *write_folded(const struct profile *profile)
{
	const struct writer *writer = writer_find_name("folded");
	struct writer_options options = { .value_type = writer_main_value(profile, NULL) };
	struct strbuf text = STRBUF_INIT;
	struct sink *sink;

	assert_non_null(writer);
	assert_int_equal(sink_open_memory(&text, &sink), 0);
	assert_int_equal(writer->write(profile, &options, sink), 0);
	assert_int_equal(sink_close(sink), 0);
	return strbuf_take(&text);
}

void harness_profile(const struct harness_run *run, struct harness_result *ret)
{
	_cleanup_(session_freep) struct session *session = NULL;
	struct session_options options = run->session;
	struct error err = { 0 };
	int ready[2];
	pid_t pid = -1;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	if (run->command)
		pid = harness_start(run->command, ready[0]);
	if (!options.stacks && !run->no_stacks)
		options.stacks = SESSION_STACKS_USER | SESSION_STACKS_KERNEL;
	if (run->command && !run->whole_machine) {
		options.pids = &pid;
		options.pid_count = 1;
		options.wait_exec = true;
	}
	if (session_open(&options, &session, &err) < 0 || session_start(session, &err) < 0) {
		harness_end(pid);
		fail_msg("%s", err.text);
	}
	if (write(ready[1], "", 1) != 1)
		fail_msg("cannot start the command");
	watch(run, session);
	memset(ret, 0, sizeof(*ret));
	if (session_finish(session, &ret->profile, &err) < 0) {
		harness_end(pid);
		fail_msg("%s", err.text);
	}
	session_stats(session, &ret->stats);
	if (run->finished)
		run->finished(run->context, session);
	ret->folded = write_folded(ret->profile);
	harness_end(pid);
	close(ready[0]);
	close(ready[1]);
}

void harness_done(struct harness_result *result)
{
	profile_free(result->profile);
	free(result->folded);
}

void harness_check_invariant(const struct session_stats *stats)
{
	if (stats->taken != stats->reported + stats->lost)
		for (size_t i = 0; stats->counters[i].name[0]; i++)
			print_message("# %s %" PRIu64 "\n", stats->counters[i].name,
				      stats->counters[i].count);
	assert_int_equal(stats->taken, stats->reported + stats->lost);
}

double harness_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

uint64_t harness_count(const struct session_named_count *list, const char *name)
{
	for (size_t i = 0; i < SESSION_NAMED_MAX && list[i].name[0]; i++)
		if (!strcmp(list[i].name, name))
			return list[i].count;
	return 0;
}

uint64_t harness_folded_sum(const char *folded, const char *text)
{
	uint64_t sum = 0;

	while (*folded) {
		const char *end = strchrnul(folded, '\n');
		const char *value = memrchr(folded, ' ', end - folded);
		const char *found = memmem(folded, end - folded, text, strlen(text));

		if (found && value)
			sum += strtoull(value + 1, NULL, 10);
		folded = *end ? end + 1 : end;
	}
	return sum;
}

void harness_print(const char *title, const struct harness_result *result)
{
	const struct session_stats *s = &result->stats;

	print_message("# %s: taken %" PRIu64 " reported %" PRIu64 " lost %" PRIu64
		      ", user %" PRIu64 " complete %.2f %%, named %.2f %%\n",
		      title, s->taken, s->reported, s->lost, s->reported_user,
		      harness_percent(s->complete_user, s->reported_user),
		      harness_percent(s->frames_named, s->frames));
	for (size_t i = 0; s->incomplete[i].name[0]; i++)
		print_message("#   incomplete: %s %" PRIu64 "\n", s->incomplete[i].name,
			      s->incomplete[i].count);
	for (size_t i = 0; s->no_stack[i].name[0]; i++)
		print_message("#   no user stack: %s %" PRIu64 "\n", s->no_stack[i].name,
			      s->no_stack[i].count);
	for (size_t i = 0; s->losses[i].name[0]; i++)
		print_message("#   lost: %s %" PRIu64 "\n", s->losses[i].name, s->losses[i].count);
}
