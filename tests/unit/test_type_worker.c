/* SPDX-License-Identifier: BSD-2-Clause */
/* Types by another process: those that this one reads, and what is left of them when the other dies. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "symbolizer/worker/type_worker.h"
#include "symbolizer/worker/worker_wire.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/reader_process.h"

static struct compiled_program program;

static const char source[] =
	"enum color { RED, GREEN = 7, BLUE = -1 };\n"
	"struct inner { int deep; unsigned flag : 3; };\n"
	"struct outer { struct inner *in; enum color paint; char name[8]; };\n"
	"volatile int sink;\n"
	"__attribute__((noinline)) int take(struct outer *o, enum color c, double d)\n"
	"{ __asm__ volatile(\"\"); return o->paint + (int)d; }\n"
	"__attribute__((noinline)) int other(struct inner *in) { return in->deep + sink; }\n"
	"int main(void) { struct inner in = { 1 }; struct outer o = { &in };\n"
	"	return take(&o, RED, 1) + other(&in); }\n";

/* A file whose types are asked for. */
struct asked {
	struct type_worker *worker;
	struct module *mod;
	struct typed_file *file;
	const struct type_provider *provider;
};

static void asked_init(struct asked *a, const char *name, uint64_t module_ns)
{
	a->worker = type_worker_new(module_ns);
	assert_non_null(a->worker);
	a->mod = compiled_program_module(&program, name);
	assert_int_equal(type_worker_open(a->worker, a->mod, &a->file), 0);
	a->provider = typed_file_provider(a->file);
}

static void asked_done(struct asked *a)
{
	type_worker_free(a->worker);
	module_put(a->mod);
}

static uint64_t address_of(const char *symbol)
{
	uint64_t size;

	return compiled_program_symbol(&program, symbol, &size);
}

/* struct outer, by the argument of take(). */
static void find_outer(struct asked *a, struct type_info *ret)
{
	struct type_function function;

	assert_int_equal(typed_file_function(a->file, address_of("take"), &function), 0);
	assert_int_equal(function.argument_count, 3);
	assert_string_equal(function.arguments[0].type.name, "struct outer *");
	assert_int_equal(a->provider->target(&function.arguments[0].type, ret), 0);
}

/* ---- deaths ---- */

static void test_dies(void **state)
{
	struct type_member in, member;
	struct type_info outer, type;
	struct typed_file *copy;
	struct module *copy_mod;
	struct type_function function;
	struct asked a;

	asked_init(&a, "program", 0);
	find_outer(&a, &outer);
	assert_int_equal(a.provider->member(&outer, "in", &in), 0);
	reader_process_signal(SIGSEGV);
	assert_int_equal(a.provider->target(&in.type, &type), -EPIPE);
	assert_int_equal(typed_file_failure(a.file), -EPIPE);
	assert_int_equal(typed_file_function(a.file, address_of("other"), &function), -EPIPE);
	/* What is known stays known. */
	assert_int_equal(a.provider->member(&outer, "in", &member), 0);
	assert_string_equal(member.type.name, "struct inner *");
	assert_int_equal(reader_process_find(), 0);
	/* Another file is read by another process, which the first file does not get. */
	copy_mod = compiled_program_module(&program, "copy");
	assert_int_equal(type_worker_open(a.worker, copy_mod, &copy), 0);
	assert_int_equal(typed_file_failure(copy), 0);
	assert_int_equal(typed_file_function(copy, address_of("other"), &function), 0);
	assert_true(reader_process_find() > 0);
	assert_int_equal(a.provider->target(&in.type, &type), -EPIPE);
	assert_int_equal(typed_file_function(copy, address_of("take"), &function), 0);
	asked_done(&a);
	module_put(copy_mod);
	assert_int_equal(reader_process_find(), 0);
}

struct killing {
	size_t found;
	size_t when;
};

static int kill_when(void *context, size_t index, const struct type_function *function)
{
	struct killing *killing = context;

	assert_int_equal(index, killing->found++);
	if (killing->found == killing->when)
		reader_process_signal(SIGKILL);
	return 0;
}

/* Between two of the messages that a long list takes. */
static void test_dies_in_list(void **state)
{
	struct killing killing = { .when = 100 };
	uint64_t addresses[1000];
	struct asked a;
	char text[200];

	asked_init(&a, "program", 0);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		addresses[i] = address_of("take") + i;
	assert_int_equal(typed_file_functions(a.file, addresses, ARRAY_SIZE(addresses), kill_when,
					      &killing),
			 -EPIPE);
	assert_int_equal(killing.found, WORKER_ADDRESSES_MAX);
	typed_file_say_failure(a.file, text, sizeof(text));
	assert_non_null(strstr(text, "/program made its reader die"));
	asked_done(&a);
}

static void test_hangs(void **state)
{
	struct type_function function;
	struct asked a;

	asked_init(&a, "program", 3000000000);
	reader_process_signal(SIGSTOP);
	assert_int_equal(typed_file_function(a.file, address_of("take"), &function), -ETIME);
	assert_int_equal(typed_file_failure(a.file), -ETIME);
	assert_int_equal(reader_process_find(), 0);
	asked_done(&a);
}

/* In its place we answer, by its end of the socket: @bytes times @byte, where @said are said to follow. */
static bool answer_for_it(size_t said, size_t bytes, uint8_t byte)
{
	int pidfd = (int)syscall(SYS_pidfd_open, reader_process_find(), 0), fd;
	struct worker_reply head = { .bytes = (uint32_t)said };
	_cleanup_free_ char *content = malloc(bytes + 1);

	assert_non_null(content);
	memset(content, byte, bytes);
	fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	if (fd < 0)
		return false;
	reader_process_signal(SIGSTOP);
	assert_int_equal(send(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(send(fd, content, bytes, 0), bytes);
	close(fd);
	close(pidfd);
	return true;
}

static const struct nonsense_case {
	const char *name;
	size_t said, bytes;
	uint8_t byte;
} nonsense_cases[] = {
	{ "an empty answer", 0, 0, 0 },
	{ "more bytes than an answer has", (size_t)WORKER_REPLY_BYTES_MAX + 1, 10, 0 },
	{ "bytes that are no function", 300, 300, 0x5a },
	{ "a function that is cut off", 20, 20, 0 },
};

static void nonsense_row(void **state)
{
	const struct nonsense_case *c = *state;
	struct type_function function;
	struct asked a;

	asked_init(&a, "program", 0);
	if (!answer_for_it(c->said, c->bytes, c->byte))
		print_message("not allowed to take the file descriptors of a process\n");
	else
		assert_int_equal(typed_file_function(a.file, address_of("take"), &function),
				 -EBADMSG);
	asked_done(&a);
	assert_int_equal(reader_process_find(), 0);
}

static void test_no_process(void **state)
{
	struct type_function function;
	struct type_worker *worker = type_worker_new(0);
	struct module *mod = compiled_program_module(&program, "program");
	struct rlimit limit, before;
	struct typed_file *file;
	int fd = dup(0);

	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){ (rlim_t)fd, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(type_worker_open(worker, mod, &file), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(typed_file_failure(file), -ECHILD);
	assert_int_equal(typed_file_function(file, address_of("take"), &function), -ECHILD);
	type_worker_free(worker);
	module_put(mod);
}

/* ---- its life ---- */

static void test_ended(void **state)
{
	struct type_member paint, member;
	struct type_enumerator value;
	struct type_info outer;
	struct asked a;

	asked_init(&a, "program", 0);
	find_outer(&a, &outer);
	assert_int_equal(a.provider->member(&outer, "paint", &paint), 0);
	assert_int_equal(a.provider->enumerator(&paint.type, 0, &value), 0);
	type_worker_end(a.worker);
	assert_int_equal(reader_process_find(), 0);
	/* Of a list that was begun all is known. */
	assert_int_equal(a.provider->enumerator(&paint.type, 2, &value), 0);
	assert_string_equal(value.name, "BLUE");
	assert_int_equal(value.value, -1);
	assert_int_equal(a.provider->enumerator(&paint.type, 3, &value), -ENOENT);
	assert_int_equal(a.provider->member_at(&outer, 0, &member), -ENOENT);
	assert_int_equal(a.provider->member(&outer, "name", &member), -ENOENT);
	assert_int_equal(reader_process_find(), 0);
	assert_int_equal(typed_file_failure(a.file), 0);
	asked_done(&a);
}

static void test_none(void **state)
{
	struct type_worker *worker = type_worker_new(0);
	struct typed_file *file;
	struct module *mod;

	compiled_program_run(&program, "strip -o stripped program");
	mod = compiled_program_module(&program, "stripped");
	assert_int_equal(type_worker_open(worker, mod, &file), -ENOENT);
	/* That is an answer, and the process lives. */
	assert_true(reader_process_find() > 0);
	type_worker_free(worker);
	module_put(mod);
}

/* Ours; the reader, who inherits that it fails, loses the file's types at most. */
static void test_no_memory(void **state)
{
	struct type_function function;
	struct type_member member;
	struct type_info target;
	uint64_t take = address_of("take");
	size_t failures = 0;

	for (size_t skipped = 0; skipped < 60; skipped++) {
		struct module *mod = compiled_program_module(&program, "program");
		struct typed_file *file = NULL;
		struct type_worker *worker;
		bool failed;
		int r;

		fail_alloc_after(skipped);
		worker = type_worker_new(0);
		r = worker ? type_worker_open(worker, mod, &file) : -ENOMEM;
		r = r ?: typed_file_function(file, take, &function);
		if (!r)
			r = typed_file_provider(file)->target(&function.arguments[0].type,
							      &target);
		r = r ?: typed_file_provider(file)->member(&target, "in", &member);
		failed = fail_alloc_stop();
		failures += failed;
		if (failed)
			assert_int_equal(r, -ENOMEM);
		else
			assert_true(!r || typed_file_failure(file) == -ENOBUFS);
		type_worker_free(worker);
		module_put(mod);
	}
	assert_true(failures > 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("who dies of a file costs what was not known of it", test_dies),
		UNIT_TEST("so does who dies between two messages", test_dies_in_list),
		UNIT_TEST("and who hangs", test_hangs),
		UNIT_TEST("where no process can be started nothing is known", test_no_process),
		UNIT_TEST("what was said is known when the process was ended", test_ended),
		UNIT_TEST("a file without types is said", test_none),
		UNIT_TEST("any allocation may fail", test_no_memory),
	};
	int r;

	compiled_program_init(&program, "cc -g -O1", source);
	compiled_program_run(&program, "cp program copy");
	r = unit_run_rows("nonsense ends the process", nonsense_row, UNIT_ROWS(nonsense_cases)) +
	    cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&program);
	return r;
}
