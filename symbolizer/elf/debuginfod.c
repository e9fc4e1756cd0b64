/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/clock.h"

#define LIBRARY "libdebuginfod.so.1"

typedef int (*progress_function)(void *client, long done, long all);

struct debuginfod {
	void *library;
	void *client;
	void (*end)(void *client);
	int (*find)(void *client, const unsigned char *build_id, int size, char **path);
	uint64_t left_ns;
};

/* When this thread's request is given up: the callback is told of nothing that is ours. */
static _Thread_local uint64_t deadline_ns;

static int is_too_late(void *client, long done, long all)
{
	return clock_monotonic_ns() >= deadline_ns;
}

struct debuginfod *debuginfod_free(struct debuginfod *server)
{
	if (!server)
		return NULL;
	if (server->client)
		server->end(server->client);
	if (server->library)
		dlclose(server->library);
	free(server);
	return NULL;
}

/* Its functions, as elfutils 0.179 and later have them. */
static int debuginfod_load(struct debuginfod *server)
{
	void (*set_progress)(void *client, progress_function function);
	void *(*begin)(void);

	/* It and what it loads leave memory behind when they are unloaded: once is enough. */
	server->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!server->library)
		return -ELIBACC;
	begin = dlsym(server->library, "debuginfod_begin");
	set_progress = dlsym(server->library, "debuginfod_set_progressfn");
	server->end = dlsym(server->library, "debuginfod_end");
	server->find = dlsym(server->library, "debuginfod_find_debuginfo");
	if (!begin || !set_progress || !server->end || !server->find)
		return -ELIBACC;
	server->client = begin();
	if (!server->client)
		return -ENOMEM;
	set_progress(server->client, is_too_late);
	return 0;
}

int debuginfod_new(uint64_t limit_ns, struct debuginfod **ret)
{
	_cleanup_(debuginfod_freep) struct debuginfod *server = NULL;
	const char *servers = getenv("DEBUGINFOD_URLS");
	int r;

	if (!servers || !*servers)
		return -ENOENT;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->left_ns = limit_ns;
	r = debuginfod_load(server);
	if (r < 0)
		return r;
	*ret = take_ptr(server);
	return 0;
}

static int ask(struct debuginfod *server, const struct elf_build_id *id, char **ret_path)
{
	uint64_t start_ns = clock_monotonic_ns(), waited_ns;
	int fd;

	deadline_ns = start_ns + server->left_ns;
	fd = server->find(server->client, id->bytes, id->size, ret_path);
	waited_ns = clock_monotonic_ns() - start_ns;
	server->left_ns -= waited_ns < server->left_ns ? waited_ns : server->left_ns;
	return fd;
}

int debuginfod_find(struct debuginfod *server, struct module *mod, struct module **ret)
{
	const struct elf_build_id *id = &module_info(mod)->build_id;
	struct module_info info = { .build_id = *id };
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(module_putp) struct module *found = NULL;
	_cleanup_free_ char *path = NULL;
	int fd, r;

	if (!id->size || !server->left_ns)
		return -ENOENT;
	fd = ask(server, id, &path);
	if (fd < 0)
		return fd == -ENOMEM ? fd : -ENOENT;
	info.path = path;
	found = module_new(&info, fd);
	if (!found)
		return -ENOMEM;
	r = module_open(found, &elf);
	if (r < 0)
		return r;
	/* The server's word, or that of who wrote into the cache. */
	if (elf_file_build_id(elf)->size != id->size ||
	    memcmp(elf_file_build_id(elf)->bytes, id->bytes, id->size))
		return -EBADMSG;
	*ret = take_ptr(found);
	return 0;
}
