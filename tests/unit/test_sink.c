/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/sink.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

#define LARGE_BYTES 300000 /* more than any buffer on the way */

/* Every case runs in an empty folder of its own. */
static char folder[] = "/tmp/wick-sink-XXXXXX";

static int enter_folder(void **state)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return mkdtemp(folder) ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
	char command[sizeof(folder) + 16];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") < 0 || system(command);
}

static int count_files(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2; /* "." and ".." */

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void make_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void assert_file(const char *path, const char *text)
{
	_cleanup_strbuf_ struct strbuf held = STRBUF_INIT;

	assert_int_equal(fixture_read_file(path, &held), 0);
	assert_string_equal(held.data, text);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

static struct sink *open_file(const char *path)
{
	struct sink *sink = NULL;

	assert_int_equal(sink_open_file(path, &sink), 0);
	assert_non_null(sink);
	return sink;
}

static int write_file(const char *path, const char *text)
{
	struct sink *sink = NULL;
	int r;

	r = sink_open_file(path, &sink);
	if (r < 0)
		return r;
	sink_text(sink, text);
	return sink_close(sink);
}

static void test_new_file(void **state)
{
	struct sink *sink = open_file("new");

	assert_int_equal(sink_text(sink, "one "), 0);
	assert_int_equal(sink_printf(sink, "%s %d", "two", 3), 0);
	assert_int_equal(access("new", F_OK), -1);
	assert_int_equal(sink_written_bytes(sink), 9);
	assert_int_equal(sink_close(sink), 0);
	assert_file("new", "one two 3");
	assert_int_equal(count_files("."), 1);
}

static void test_new_mode(void **state)
{
	mode_t old = umask(027);

	assert_int_equal(write_file("new", "x"), 0);
	umask(old);
	assert_int_equal(mode_of("new") & 07777, 0640);
}

static void test_replace(void **state)
{
	struct sink *sink;

	make_file("old", "old");
	assert_int_equal(chmod("old", 0604), 0);
	sink = open_file("old");
	sink_text(sink, "new");
	assert_file("old", "old");
	assert_int_equal(sink_close(sink), 0);
	assert_file("old", "new");
	assert_int_equal(mode_of("old") & 07777, 0604);
	assert_int_equal(count_files("."), 1);
}

static void test_abort(void **state)
{
	struct sink *sink;

	make_file("old", "old");
	sink = open_file("old");
	sink_text(sink, "new");
	assert_null(sink_abort(sink));
	assert_file("old", "old");
	sink = open_file("new");
	assert_null(sink_abort(sink));
	assert_null(sink_abort(NULL));
	assert_int_equal(count_files("."), 1);
}

static void test_symlink(void **state)
{
	assert_int_equal(mkdir("there", 0755), 0);
	make_file("there/target", "old");
	assert_int_equal(symlink("there/middle", "link"), 0);
	assert_int_equal(symlink("target", "there/middle"), 0);
	assert_int_equal(write_file("link", "new"), 0);
	assert_true(S_ISLNK(mode_of("link")) && S_ISLNK(mode_of("there/middle")));
	assert_true(S_ISREG(mode_of("there/target")));
	assert_file("there/target", "new");
	assert_int_equal(count_files("."), 2);
	assert_int_equal(count_files("there"), 2);
}

static void test_dangling(void **state)
{
	assert_int_equal(mkdir("there", 0755), 0);
	assert_int_equal(symlink("there/target", "link"), 0);
	assert_int_equal(write_file("link", "new"), 0);
	assert_true(S_ISLNK(mode_of("link")));
	assert_file("there/target", "new");
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(write_file("loop", "new"), -ELOOP);
}

static const struct refuse_case {
	const char *name;
	const char *path;
	int error;
} refuse_cases[] = {
	{ "a folder is not a file", "/", -EISDIR },
	{ "a folder that does not exist is not made", "missing/file", -ENOENT },
	{ "a file is not a folder", "/dev/null/file", -ENOTDIR },
	{ "an empty path names nothing", "", -ENOENT },
	{ "a descriptor that is not open cannot be written", "/dev/fd/9999", -EBADF },
};

static void refuse_row(void **state)
{
	const struct refuse_case *c = *state;
	struct sink *sink = (struct sink *)state;

	assert_int_equal(sink_open_file(c->path, &sink), c->error);
	assert_ptr_equal(sink, state);
}

/* Root may write anywhere, so these are seen as somebody else. */
static void test_no_right(void **state)
{
	bool is_root = !geteuid();

	assert_int_equal(mkdir("locked", 0555), 0);
	assert_int_equal(chmod(".", 0777), 0);
	make_file("protected", "old");
	assert_int_equal(chmod("protected", 0444), 0);
	assert_int_equal(is_root ? seteuid(65534) : 0, 0);
	assert_int_equal(write_file("locked/file", "new"), -EACCES);
	assert_int_equal(write_file("protected", "new"), -EACCES);
	assert_int_equal(write_file("open", "new"), 0);
	assert_int_equal(is_root ? seteuid(0) : 0, 0);
	assert_file("protected", "old");
	assert_int_equal(count_files("."), 3);
}

static void test_full(void **state)
{
	struct sink *sink = open_file("/dev/full");
	char *large = calloc(1, LARGE_BYTES);

	assert_int_equal(sink_text(sink, "x"), 0);
	assert_int_equal(sink_close(sink), -ENOSPC);
	sink = open_file("/dev/full");
	assert_int_equal(sink_write(sink, large, LARGE_BYTES), -ENOSPC);
	assert_int_equal(sink_text(sink, "x"), -ENOSPC);
	assert_int_equal(sink_error(sink), -ENOSPC);
	assert_int_equal(sink_close(sink), -ENOSPC);
	assert_true(S_ISCHR(mode_of("/dev/full")));
	free(large);
}

static void test_null(void **state)
{
	assert_int_equal(write_file("/dev/null", "x"), 0);
	assert_true(S_ISCHR(mode_of("/dev/null")));
}

static void test_fifo(void **state)
{
	char text[8] = "";
	int fd;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write_file("fifo", "piped"), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "piped");
	assert_true(S_ISFIFO(mode_of("fifo")));
	close(fd);
}

static void test_broken_pipe(void **state)
{
	struct sink *sink;
	char path[32];
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[1]);
	sink = open_file(path);
	close(fds[0]);
	assert_int_equal(sink_text(sink, "x"), 0);
	assert_int_equal(sink_close(sink), -EPIPE);
	close(fds[1]);
}

/* Standard output is written where it stands, and stays open. */
static void test_stdout(void **state)
{
	static const char *const paths[] = { "-", "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1" };
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	int failed = 0;
	size_t i;

	fflush(stdout);
	make_file("out", "");
	close(STDOUT_FILENO);
	failed |= open("out", O_WRONLY) != STDOUT_FILENO;
	failed |= write(STDOUT_FILENO, "0", 1) != 1;
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		failed |= write_file(paths[i], paths[i]) != 0;
	failed |= write(STDOUT_FILENO, "1", 1) != 1;
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_false(failed);
	assert_file("out", "0-/dev/stdout/proc/self/fd/1/dev/fd/11");
	assert_int_equal(count_files("."), 1);
}

static void test_memory(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	struct sink *sink;

	strbuf_add_text(&buf, "before ");
	assert_int_equal(sink_open_memory(&buf, &sink), 0);
	sink_text(sink, "kept");
	assert_int_equal(sink_close(sink), 0);
	assert_string_equal(buf.data, "before kept");
	assert_int_equal(sink_open_memory(&buf, &sink), 0);
	sink_text(sink, "dropped");
	sink_abort(sink);
	assert_string_equal(buf.data, "before kept");
	assert_int_equal(buf.size, 11);
}

static void test_long_printf(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	struct sink *sink;

	assert_int_equal(sink_open_memory(&buf, &sink), 0);
	assert_int_equal(sink_printf(sink, "<%1000d>", 1), 0);
	assert_int_equal(sink_close(sink), 0);
	assert_int_equal(buf.size, 1002);
	assert_string_equal(buf.data + 1000, "1>");
}

static void test_borrowed(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	struct sink *below, *sink;

	assert_int_equal(sink_open_memory(&buf, &below), 0);
	assert_int_equal(sink_open_borrowed(below, &sink), 0);
	sink_text(sink, "part ");
	assert_int_equal(sink_close(sink), 0);
	sink_text(below, "rest");
	assert_int_equal(sink_written_bytes(below), 9);
	assert_int_equal(sink_close(below), 0);
	assert_string_equal(buf.data, "part rest");
	assert_int_equal(sink_open_file("/dev/full", &below), 0);
	assert_int_equal(sink_open_borrowed(below, &sink), 0);
	sink_printf(sink, "%100000d", 1);
	assert_int_equal(sink_close(sink), -ENOSPC);
	assert_int_equal(sink_close(below), -ENOSPC);
}

static int write_through_all(void *arg)
{
	_cleanup_(sink_abortp) struct sink *below = NULL;
	struct sink *sink;
	int r;

	r = sink_open_file("link", &below);
	if (r < 0)
		return r;
	r = sink_open_gzip(below, 0, &sink);
	if (r < 0)
		return r;
	below = NULL;
	sink_printf(sink, "%1000d", 1);
	return sink_close(sink);
}

static void test_no_memory(void **state)
{
	assert_int_equal(mkdir("there", 0755), 0);
	assert_int_equal(symlink("there/target", "link"), 0);
	assert_true(fail_alloc_each(write_through_all, NULL) > 5);
	assert_int_equal(count_files("there"), 1);
}

#define IN_FOLDER(sentence, function)                                    \
	{                                                                \
		(sentence), (function), enter_folder, leave_folder, NULL \
	}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_FOLDER("a file appears when it is closed", test_new_file),
		IN_FOLDER("a new file has the mode that the umask leaves", test_new_mode),
		IN_FOLDER("a replaced file keeps its mode", test_replace),
		IN_FOLDER("what is aborted leaves no trace", test_abort),
		IN_FOLDER("of a symbolic link the target is replaced", test_symlink),
		IN_FOLDER("a link to nothing makes its target", test_dangling),
		IN_FOLDER("who may not write, does not", test_no_right),
		IN_FOLDER("a full disk is an error, and sticks", test_full),
		IN_FOLDER("a device is written, not replaced", test_null),
		IN_FOLDER("a FIFO is written, not replaced", test_fifo),
		IN_FOLDER("a broken pipe is an error", test_broken_pipe),
		IN_FOLDER("standard output is written in place", test_stdout),
		IN_FOLDER("memory keeps what was there before", test_memory),
		IN_FOLDER("a long text is printed whole", test_long_printf),
		IN_FOLDER("a borrowed sink outlives its borrower", test_borrowed),
		IN_FOLDER("each allocation may fail", test_no_memory),
	};

	return unit_run_rows("refused", refuse_row, UNIT_ROWS(refuse_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
