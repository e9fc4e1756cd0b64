/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/processes/cgroup_names.h"
#include "profiler/window.h"
#include "tests/unit/unit.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice"

static const struct path_case {
	const char *name, *path, *container, *unit;
} path_cases[] = {
	{ "the root is of nothing", "/", NULL, NULL },
	{ "a folder of no one's is of nothing", "/my-tests/inner", NULL, NULL },
	{ "a service is a unit", "/system.slice/cron.service", NULL, "cron.service" },
	{ "a slice alone is a unit", "/system.slice", NULL, "system.slice" },
	{ "the innermost unit counts",
	  "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", NULL,
	  "app-x.scope" },
	{ "folders below a unit belong to it", "/system.slice/docker.service/init", NULL,
	  "docker.service" },
	{ "a suffix alone is no unit", "/.service", NULL, NULL },
	{ "docker by systemd", "/system.slice/docker-" ID ".scope", "0123456789ab",
	  "docker-" ID ".scope" },
	{ "docker by itself", "/docker/" ID, "0123456789ab", NULL },
	{ "podman", "/machine.slice/libpod-" ID ".scope/container", "0123456789ab",
	  "libpod-" ID ".scope" },
	{ "what watches a container of podman is none", "/machine.slice/libpod-conmon-" ID ".scope",
	  NULL, "libpod-conmon-" ID ".scope" },
	{ "containerd in Kubernetes", POD "/cri-containerd-" ID ".scope", "0123456789ab",
	  "cri-containerd-" ID ".scope" },
	{ "CRI-O in Kubernetes", POD "/crio-" ID ".scope", "0123456789ab", "crio-" ID ".scope" },
	{ "Kubernetes without systemd", "/kubepods/besteffort/pod12-34/" ID, "0123456789ab", NULL },
	{ "a container in a container is the inner one", "/docker/" ID "/docker/" OTHER,
	  "fedcba987654", NULL },
	{ "63 digits are no id",
	  "/docker/123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", NULL, NULL },
	{ "65 digits are no id", "/docker/0" ID, NULL, NULL },
	{ "capitals are no digits of an id",
	  "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", NULL, NULL },
};

static void assert_text(bool is_there, const char *text, const char *expected)
{
	assert_int_equal(is_there, expected != NULL);
	if (expected)
		assert_string_equal(text, expected);
}

static void path_row(void **state)
{
	const struct path_case *c = *state;
	char container[CGROUP_CONTAINER_BYTES], unit[128];

	assert_text(cgroup_path_container(c->path, container), container, c->container);
	assert_text(cgroup_path_unit(c->path, unit, sizeof(unit)), unit, c->unit);
}

static void test_long_unit(void **state)
{
	char unit[12] = "";

	assert_false(cgroup_path_unit("/cron.service", unit, sizeof(unit)));
	assert_true(cgroup_path_unit("/cro.service", unit, sizeof(unit)));
	assert_string_equal(unit, "cro.service");
}

static const struct line_case {
	const char *name, *line, *controller, *path;
} line_cases[] = {
	{ "a controller has its line", "4:memory:/a/b", "memory", "/a/b" },
	{ "one of several, too", "2:cpu,cpuacct:/x", "cpuacct", "/x" },
	{ "the first of several", "2:cpu,cpuacct:/x", "cpu", "/x" },
	{ "a part of a name is none", "2:cpuacct:/x", "cpu", NULL },
	{ "version 2 has no name", "0::/user.slice", "", "/user.slice" },
	{ "a controller is not version 2", "4:memory:/", "", NULL },
	{ "and version 2 is no controller", "0::/", "memory", NULL },
	{ "systemd's own is no controller", "1:name=systemd:/init.scope", "systemd", NULL },
	{ "a colon may be part of the path", "0::/a:b", "", "/a:b" },
	{ "no line at all", "", "", NULL },
};

static void line_row(void **state)
{
	const struct line_case *c = *state;
	const char *path = cgroup_line_path(c->line, c->controller);

	assert_text(path != NULL, path, c->path);
}

static uint64_t make_folder(const char *path)
{
	struct stat st;

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void note(struct cgroup_names *names, uint64_t id)
{
	struct window *window = window_new(0);
	struct wick_detail detail = { .present = WICK_DETAIL_BIT(CGROUP) };

	detail.value[WICK_DETAIL_CGROUP] = id;
	assert_int_equal(window_add_detail(window, 1, &detail), 0);
	cgroup_names_note(names, window);
	window_free(window);
}

/* Any folders will do: a number is that of the inode in the kernel's cgroups, too. */
static void test_walk(void **state)
{
	char folder[] = "/tmp/wick-cgroups-XXXXXX", outer[64], inner[128], late[64];
	struct cgroup_names *names;
	uint64_t inner_id, late_id;
	struct stat root;

	assert_non_null(mkdtemp(folder));
	assert_int_equal(stat(folder, &root), 0);
	snprintf(outer, sizeof(outer), "%s/a", folder);
	snprintf(inner, sizeof(inner), "%s/b.service", outer);
	snprintf(late, sizeof(late), "%s/c", folder);
	make_folder(outer);
	inner_id = make_folder(inner);
	names = cgroup_names_new(folder, NULL);
	note(names, inner_id);
	late_id = make_folder(late);
	note(names, late_id);
	note(names, root.st_ino);
	/* What was noted keeps its name. */
	rmdir(inner);
	assert_string_equal(cgroup_names_find(names, inner_id), "/a/b.service");
	assert_string_equal(cgroup_names_find(names, late_id), "/c");
	assert_string_equal(cgroup_names_find(names, root.st_ino), "/");
	note(names, 1);
	assert_string_equal(cgroup_names_find(names, 1), "[deleted cgroup]");
	cgroup_names_free(names);
	rmdir(late);
	rmdir(outer);
	rmdir(folder);
}

static void test_nowhere(void **state)
{
	struct cgroup_names *names = cgroup_names_new(NULL, NULL);

	note(names, 5);
	assert_string_equal(cgroup_names_find(names, 5), "[deleted cgroup]");
	cgroup_names_free(names);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a unit that does not fit is left out", test_long_unit),
		UNIT_TEST("folders are walked when a number is new", test_walk),
		UNIT_TEST("without a hierarchy all are deleted", test_nowhere),
	};

	return unit_run_rows("cgroup paths", path_row, UNIT_ROWS(path_cases)) +
	       unit_run_rows("cgroup lines", line_row, UNIT_ROWS(line_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
