/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "symbolizer/elf/module.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

static const struct basename_case {
	const char *name;
	const char *path;
	const char *expected;
} basename_cases[] = {
	{ "the part after the last slash", "/usr/lib/libc.so.6", "libc.so.6" },
	{ "a path without a slash is its own", "[vdso]", "[vdso]" },
	{ "a path that ends with a slash has none", "/usr/", "" },
	{ "an empty path has none", "", "" },
	{ "no path at all has none", NULL, "" },
};

static void basename_row(void **state)
{
	const struct basename_case *c = *state;
	struct module_info info = { .id = 7, .path = c->path };
	struct module *mod = module_new(&info, -1);

	assert_non_null(mod);
	assert_string_equal(module_basename(mod), c->expected);
	assert_string_equal(module_info(mod)->path, c->path ? c->path : "");
	assert_int_equal(module_info(mod)->id, 7);
	assert_null(module_put(mod));
}

static void test_copied(void **state)
{
	char path[] = "/bin/x";
	struct module_info info = {
		.id = 3, .path = path, .build_id = { 2, { 0xab, 0xcd } }, .inode = 99,
	};
	struct module *mod = module_new(&info, -1);

	strcpy(path, "/gone!");
	info.build_id.bytes[0] = 0;
	assert_string_equal(module_info(mod)->path, "/bin/x");
	assert_int_equal(module_info(mod)->build_id.bytes[0], 0xab);
	assert_int_equal(module_info(mod)->inode, 99);
	module_put(mod);
}

static void test_file(void **state)
{
	struct module_info info = { .path = "/x" };
	int fd = memfd_create("x", MFD_CLOEXEC);
	struct elf_file *elf = NULL;
	struct elf_image img;
	struct module *mod;
	char bytes[8] = "untouch";

	elf_image_init(&img);
	elf_image_code(&img, true);
	elf_image_finish(&img, true);
	assert_int_equal(write(fd, img.bytes, img.size), img.size);
	mod = module_new(&info, fd);
	assert_int_equal(module_open(mod, &elf), 0);
	assert_int_equal(elf_file_machine(elf), EM_X86_64);
	elf_file_close(elf);
	assert_int_equal(module_read(mod, img.size - 4, bytes, 5), -EBADMSG);
	assert_int_equal(module_read(mod, UINT64_MAX, bytes, 2), -EBADMSG);
	assert_int_equal(module_read(mod, INT64_MAX, bytes, 2), -EBADMSG);
	assert_int_equal(module_read(mod, 0, bytes, 4), 0);
	assert_memory_equal(bytes, ELFMAG, 4);
	module_put(mod);
	assert_int_equal(fcntl(fd, F_GETFD), -1);	/* it was the module's */
}

static void test_memory(void **state)
{
	struct elf_file *elf = NULL;
	struct elf_image img;
	struct module *mod;
	char bytes[8];

	elf_image_init(&img);
	elf_image_finish(&img, true);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(module_open(mod, &elf), 0);
	elf_file_close(elf);
	assert_int_equal(module_read(mod, 0, bytes, 4), 0);
	assert_memory_equal(bytes, ELFMAG, 4);
	assert_int_equal(module_read(mod, img.size - 3, bytes, 4), -EBADMSG);
	assert_int_equal(module_read(mod, UINT64_MAX - 1, bytes, 4), -EBADMSG);
	module_put(mod);
}

static void test_no_file(void **state)
{
	struct module_info info = { .path = "/gone" };
	struct module *mod = module_new(&info, -1);
	struct elf_file *elf = (void *)1;
	char text[8];

	assert_int_equal(module_open(mod, &elf), -ENOENT);
	assert_ptr_equal(elf, (void *)1);
	assert_int_equal(module_read(mod, 0, text, 1), -ENOENT);
	assert_int_equal(module_read_text(mod, 0, 8, text, sizeof(text)), -ENOENT);
	assert_null(module_put(mod));
	assert_null(module_put(NULL));
}

static const struct text_case {
	const char *name;
	size_t length;		/* of the text, whose NUL is at this offset */
	uint64_t limit;
	size_t room;
	long expected;
} text_cases[] = {
	{ "a text that fits", 10, 100, 64, 10 },
	{ "an empty text", 0, 100, 64, 0 },
	{ "a text that just fits", 10, 11, 11, 10 },
	{ "a text without its end", 10, 10, 64, -EBADMSG },
	{ "a text without any room", 10, 0, 64, -EBADMSG },
	{ "a text that is cut", 10, 100, 8, 7 },
	{ "a text of more than one part", 1000, 4000, 2000, 1000 },
	{ "a text of more than one part that is cut", 1000, 4000, 500, 499 },
	{ "a text of more than one part without its end", 1000, 999, 2000, -EBADMSG },
	{ "a text up to the end of the file", 4095, 4096, 4200, 4095 },
	{ "a text said to be longer than the file", 4096, 8192, 4200, -EBADMSG },
};

static void text_row(void **state)
{
	const struct text_case *c = *state;
	char bytes[4096], buffer[4200];
	struct module *mod;
	long r;

	memset(bytes, 'a', sizeof(bytes));
	if (c->length < sizeof(bytes))
		bytes[c->length] = '\0';
	mod = elf_image_module(bytes, sizeof(bytes));
	r = module_read_text(mod, 0, c->limit, buffer, c->room);
	assert_int_equal(r, c->expected);
	if (r >= 0) {
		assert_int_equal(strlen(buffer), r);
		assert_memory_equal(buffer, bytes, (size_t)r);
	}
	module_put(mod);
}

static void *get_and_put(void *arg)
{
	int i;

	for (i = 0; i < 10000; i++)
		module_put(module_get(arg));
	return NULL;
}

static void test_threads(void **state)
{
	struct module_info info = { .path = "/x" };
	struct module *mod = module_new(&info, -1);
	pthread_t threads[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_and_put, mod), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_string_equal(module_info(mod)->path, "/x");
	module_put(mod);
}

static void test_no_memory(void **state)
{
	struct module_info info = { .path = "/x" };
	int fd = memfd_create("x", MFD_CLOEXEC);

	fail_alloc_after(0);
	assert_null(module_new(&info, fd));
	assert_true(fail_alloc_stop());
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	fail_alloc_after(0);
	assert_null(module_new_memory(&info, "", 1));
	assert_true(fail_alloc_stop());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("what it is told is copied", test_copied),
		UNIT_TEST("its file is opened, read, and closed with it", test_file),
		UNIT_TEST("an image in memory is the same", test_memory),
		UNIT_TEST("without a file it has only a name", test_no_file),
		UNIT_TEST("threads share it", test_threads),
		UNIT_TEST("without memory the file is closed all the same", test_no_memory),
	};

	return unit_run_rows("basename", basename_row, UNIT_ROWS(basename_cases)) +
	       unit_run_rows("text", text_row, UNIT_ROWS(text_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
