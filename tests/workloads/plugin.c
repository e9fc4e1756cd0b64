/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin.c - loads a library while it runs, and spins in it. Usage: plugin SECONDS [BEFORE]
 *
 * The library comes after BEFORE seconds, or after a quarter of them all.
 */
/* BUILD: -ldl -DHOST */
/* BUILD libplugin.so: -shared -fPIC */
#include <stdlib.h>
#include "work.h"

#ifdef HOST
#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

NOINLINE static void before_plugin(double until)
{
	while (work_now() < until)
		work_spin(1000);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	double begin = work_now(), seconds = argc > 1 ? atof(argv[1]) : 1;
	void (*plugin_work)(double);
	char path[4096], self[2048];
	void *library;
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (size < 0)
		return 1;
	self[size] = 0;
	before_plugin(begin + (argc > 2 ? atof(argv[2]) : seconds / 4));
	snprintf(path, sizeof(path), "%s/libplugin.so", dirname(self));
	library = dlopen(path, RTLD_NOW);
	if (!library)
		return 1;
	plugin_work = (void (*)(double))dlsym(library, "plugin_work");
	plugin_work(begin + seconds);
	KEEP_FRAME();
	return 0;
}
#else
NOINLINE static void plugin_leaf(void)
{
	work_spin(10000);
	KEEP_FRAME();
}

void plugin_work(double until)
{
	while (work_now() < until)
		plugin_leaf();
	KEEP_FRAME();
}
#endif
