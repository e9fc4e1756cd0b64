/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/reader_process.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "tests/unit/unit.h"

pid_t reader_process_find(void)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		char path[300], name[32];
		_cleanup_fclose_ FILE *f = NULL;
		int pid, parent;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		f = fopen(path, "re");
		if (!f || fscanf(f, "%d (%31[^)]) %*c %d", &pid, name, &parent) != 3)
			continue;
		if (parent == getpid() && !strcmp(name, "wick-reader"))
			found = pid;
	}
	closedir(folder);
	return found;
}

pid_t reader_process_signal(int signal)
{
	pid_t pid = reader_process_find();

	/* 0 would be this process and its family. */
	assert_true(pid > 0);
	assert_int_equal(kill(pid, signal), 0);
	return pid;
}
