/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug files from a server of our own, on loopback, that has what a debuginfod would have. */
#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/elf/debuginfod.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/compiled_program.h"

static const char source[] = "volatile int sink;\n"
			     "static __attribute__((noinline)) void hidden(int x)\n"
			     "{\n"
			     "	sink = x;\n"			/* 4 */
			     "}\n"
			     "int main(int argc, char **argv)\n"
			     "{\n"
			     "	hidden(argc);\n"
			     "	return 0;\n"
			     "}\n";

#define SECOND_NS 1000000000ull
/* "stripped", and in $folder what the server answers about it. */
#define PREPARE "objcopy --only-keep-debug program debug && cp program stripped && " \
		"strip stripped && id=$(readelf -n program | sed -n 's/.*Build ID: //p') && " \
		"folder=buildid/$id && mkdir -p $folder && "
/* It writes its port when it listens, and is ended by its number in "server". */
#define SERVE                                                \
	"python3 -c \"\n"                                    \
	"import http.server, os\n"                           \
	"server = http.server.HTTPServer(('127.0.0.1', 0), " \
	"http.server.SimpleHTTPRequestHandler)\n"            \
	"open('new', 'w').write(str(server.server_port))\n"  \
	"os.rename('new', 'port')\n"                         \
	"server.serve_forever()\" & echo $! >server; "       \
	"while [ ! -e port ]; do sleep 0.05; done"
/* Takes connections and never answers. */
#define SERVE_NOTHING                                            \
	"python3 -c \"\n"                                        \
	"import os, socket, time\n"                              \
	"server = socket.socket()\n"                             \
	"server.bind(('127.0.0.1', 0))\n"                        \
	"server.listen()\n"                                      \
	"open('new', 'w').write(str(server.getsockname()[1]))\n" \
	"os.rename('new', 'port')\n"                             \
	"time.sleep(600)\" & echo $! >server; "                  \
	"while [ ! -e port ]; do sleep 0.05; done"

static const struct server_case {
	const char *name;
	const char *prepare;
	const char *serve;
	uint64_t limit_ns;
	enum frame_origin origin;	/* of the name of hidden() */
} server_cases[] = {
	{ "a server has the debug file", PREPARE "mv debug $folder/debuginfo", SERVE, 0,
	  FRAME_DWARF },
	{ "it has none", PREPARE "true", SERVE, 0, FRAME_FDE },
	{ "it has another", PREPARE "cc -g source.c -o $folder/debuginfo", SERVE, 0, FRAME_FDE },
	{ "it has something else", PREPARE "echo no >$folder/debuginfo", SERVE, 0, FRAME_FDE },
	{ "it does not answer in time", PREPARE "true", SERVE_NOTHING, SECOND_NS, FRAME_FDE },
	{ "time is up", PREPARE "mv debug $folder/debuginfo", SERVE, 1, FRAME_FDE },
};

static void set_environment(const struct compiled_program *program)
{
	char path[64], text[64];
	unsigned int port;
	FILE *f;

	snprintf(path, sizeof(path), "%s/port", program->folder);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &port), 1);
	fclose(f);
	snprintf(text, sizeof(text), "http://127.0.0.1:%u", port);
	setenv("DEBUGINFOD_URLS", text, 1);
	snprintf(path, sizeof(path), "%s/cache", program->folder);
	setenv("DEBUGINFOD_CACHE_PATH", path, 1);
	unsetenv("http_proxy");
}

/* As a session knows it: with its build ID. */
static struct module *stripped_module(const struct compiled_program *program)
{
	struct module *mod = compiled_program_module(program, "stripped");
	struct module_info info = *module_info(mod);
	struct elf_file *elf = NULL;
	struct module *known;

	assert_int_equal(module_open(mod, &elf), 0);
	info.build_id = *elf_file_build_id(elf);
	known = module_new(&info, open(info.path, O_RDONLY | O_CLOEXEC));
	assert_non_null(known);
	elf_file_close(elf);
	module_put(mod);
	return known;
}

static void server_row(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = NULL;
	const struct server_case *c = *state;
	struct symbolizer_options options = { .debuginfod_ns = c->limit_ns };
	struct compiled_program program;
	uint64_t start, size;
	struct module *mod;
	struct frame frame;

	compiled_program_init(&program, "cc -O2 -g -Wl,--build-id", source);
	assert_int_equal(compiled_program_run(&program, c->prepare), 0);
	assert_int_equal(compiled_program_run(&program, c->serve), 0);
	set_environment(&program);
	sym = symbolizer_new(&options);
	mod = stripped_module(&program);
	start = compiled_program_symbol(&program, "hidden", &size);
	assert_int_equal(symbolizer_lookup(sym, mod, start, &frame, 1), 1);
	assert_int_equal(compiled_program_run(&program, "kill $(cat server)"), 0);
	assert_int_equal(frame.origin, c->origin);
	if (c->origin == FRAME_DWARF) {
		assert_string_equal(frame.function, "hidden");
		assert_int_equal(frame.line, 4);
	}
	module_put(mod);
	compiled_program_done(&program);
}

static void test_not_configured(void **state)
{
	struct debuginfod *server = NULL;

	unsetenv("DEBUGINFOD_URLS");
	assert_int_equal(debuginfod_new(SECOND_NS, &server), -ENOENT);
	setenv("DEBUGINFOD_URLS", "", 1);
	assert_int_equal(debuginfod_new(SECOND_NS, &server), -ENOENT);
	assert_null(server);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("without a server nothing is loaded", test_not_configured),
	};
	void *library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_NODELETE);

	if (!library) {
		puts("needs libdebuginfod.so.1");
		return 77;
	}
	dlclose(library);
	return unit_run_rows("server", server_row, UNIT_ROWS(server_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
