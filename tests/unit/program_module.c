/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/program_module.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct module *program_module(const char *name)
{
	struct module_info info = { .id = 1 };
	const char *folder = getenv("WICK_WORKLOADS");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s%s%s",
		 *name == '/' ? "" : folder ? folder : "build/tests/workloads",
		 *name == '/' ? "" : "/", name);
	info.path = path;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : module_new(&info, fd);
}
