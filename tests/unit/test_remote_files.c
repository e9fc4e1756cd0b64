/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/processes/remote_files.h"

struct fixture {
	char folder[64], path[128];
	struct remote_files *files;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->folder, "/tmp/wick-remote-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/file", f->folder);
	f->files = remote_files_new();
	assert_non_null(f->files);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	remote_files_free(f->files);
	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void file_write(const struct fixture *f, const char *text, off_t size)
{
	_cleanup_fclose_ FILE *file = fopen(f->path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(ftruncate(fileno(file), size), 0);
}

static void check_copy(struct fixture *f, const struct remote_file *copy, const char *text)
{
	char bytes[64] = { 0 };
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(copy->device, st.st_dev);
	assert_int_equal(copy->inode, st.st_ino);
	assert_int_equal(pread(copy->fd, bytes, sizeof(bytes), 0), strlen(text));
	assert_string_equal(bytes, text);
}

static void test_path(void **state)
{
	struct fixture *f = *state;
	struct remote_file copy;

	file_write(f, "some bytes", 10);
	assert_int_equal(remote_files_read(f->files, f->path, -1, &copy), 0);
	check_copy(f, &copy, "some bytes");
	assert_int_equal(remote_files_bytes(f->files), 10);
	close(copy.fd);
}

static void test_handle(void **state)
{
	struct fixture *f = *state;
	struct remote_file copy;
	int handle;

	file_write(f, "other bytes", 11);
	handle = open(f->path, O_PATH | O_CLOEXEC);
	assert_true(handle >= 0);
	assert_int_equal(remote_files_read(f->files, NULL, handle, &copy), 0);
	close(handle);
	check_copy(f, &copy, "other bytes");
	close(copy.fd);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct remote_file copy = { .fd = -7 };

	assert_int_equal(remote_files_read(f->files, f->path, -1, &copy), -ENOENT);
	assert_int_equal(remote_files_read(f->files, f->folder, -1, &copy), -ENOEXEC);
	file_write(f, "", 1ll << 40);
	assert_int_equal(remote_files_read(f->files, f->path, -1, &copy), -EFBIG);
	assert_int_equal(copy.fd, -7);
	assert_int_equal(remote_files_bytes(f->files), 0);
}

/* To open a pipe that nobody writes to takes for ever, as to open a file that nobody hands out. */
static void test_silence(void **state)
{
	struct fixture *f = *state;
	struct remote_file copy;
	uint64_t begin_ns;

	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(remote_files_read(f->files, f->path, -1, &copy), -ETIMEDOUT);
	begin_ns = clock_monotonic_ns();
	for (int i = 0; i < 1000; i++)
		assert_int_equal(remote_files_read(f->files, f->path, -1, &copy), -ETIMEDOUT);
	/* A thousand deadlines would be half an hour. */
	assert_true(clock_monotonic_ns() - begin_ns < 60 * 1000000000ull);
}

static void test_mounts(void **state)
{
	struct fixture *f = *state;
	int handle;

	file_write(f, "", 0);
	handle = open(f->path, O_PATH | O_CLOEXEC);
	assert_true(handle >= 0);
	assert_false(remote_files_has_path(0, "/proc/self/maps"));
	assert_false(remote_files_has_path((uint32_t)getpid(), "/proc"));
	assert_false(remote_files_has_path(0x7ffffffe, "/proc"));
	/* Where the folder of the test is, is not ours to choose: both ways say the same. */
	assert_int_equal(remote_files_has_handle((uint32_t)getpid(), handle),
			 remote_files_has_path((uint32_t)getpid(), f->path));
	close(handle);
}

#define REMOTE_TEST(sentence, function) { (sentence), (function), setup, teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		REMOTE_TEST("a file is read by its path", test_path),
		REMOTE_TEST("a file is read by a handle", test_handle),
		REMOTE_TEST("what cannot be read says why", test_refused),
		REMOTE_TEST("who does not answer is not asked again", test_silence),
		REMOTE_TEST("the mounts tell what is remote", test_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
