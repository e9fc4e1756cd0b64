/* SPDX-License-Identifier: BSD-2-Clause */
/* elf_file.h on damaged, cut and shrinking files, and without memory. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "symbolizer/elf/elf_file.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

/* Reads every byte; the sum goes where the compiler cannot leave it out. */
static void section_read(const struct elf_section *section)
{
	static volatile unsigned int sum;
	size_t i;

	for (i = 0; i < section->size; i++)
		sum = sum + section->bytes[i];
}

static int symbols_ask(struct elf_file *elf, const char *table)
{
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	long count, i;

	count = elf_file_symbols(elf, table, &symbols);
	for (i = 0; i < count; i++)
		assert_true(strlen(symbols[i].name) > 0);
	return count < 0 ? (int)count : 0;
}

/* Ask everything of a file. Returns 0 or -ENOMEM: other answers may be missing. */
static int elf_file_ask(struct elf_file *elf)
{
	static const char *const names[] = { ".text", ".eh_frame", ".eh_frame_hdr", ".dynsym",
					     ".note.gnu.build-id", ".none", "" };
	struct elf_section section;
	struct elf_place place;
	uint64_t address;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		r = elf_file_section(elf, names[i], &section);
		if (r == 0)
			section_read(&section);
		if (r == -ENOMEM || elf_file_place(elf, names[i], &place) == -ENOMEM)
			return -ENOMEM;
	}
	for (i = 0; elf_file_text(elf, i, &section) == 0; i++)
		section_read(&section);
	elf_file_offset_to_address(elf, 0x1010, &address);
	if (symbols_ask(elf, ".symtab") == -ENOMEM || symbols_ask(elf, ".dynsym") == -ENOMEM)
		return -ENOMEM;
	return 0;
}

static int ask_memory(const void *bytes, size_t size)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	int r = elf_file_open_memory(bytes, size, &elf);

	return r < 0 ? r : elf_file_ask(elf);
}

/* In memory of exactly that size, so that a sanitizer sees each byte too far. */
static void test_every_prefix(void **state)
{
	struct elf_image img;
	size_t size;
	void *copy;
	int r;

	elf_image_sample(&img);
	assert_int_equal(ask_memory(img.bytes, img.size), 0);
	for (size = 0; size < img.size; size++) {
		copy = malloc(size ? size : 1);
		memcpy(copy, img.bytes, size);
		r = ask_memory(copy, size);
		assert_true(r == 0 || r == -EBADMSG || r == -ENOEXEC);
		free(copy);
	}
}

static void test_every_other_prefix_of_a_file(void **state)
{
	_cleanup_close_ int fd = memfd_create("elf", MFD_CLOEXEC);
	struct elf_file *elf;
	struct elf_image img;
	size_t size;
	int r;

	elf_image_sample(&img);
	assert_int_equal(write(fd, img.bytes, img.size), img.size);
	for (size = img.size; size > 0; size = size > 61 ? size - 61 : 0) {
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		r = elf_file_open_fd(fd, &elf);
		assert_true(r == 0 || r == -EBADMSG || r == -ENOEXEC);
		if (r == 0) {
			assert_int_equal(elf_file_ask(elf), 0);
			elf_file_close(elf);
		}
	}
}

static void test_flipped_bytes(void **state)
{
	struct elf_image img, flipped;
	uint32_t random = 1, place;
	int round, flip, r;

	elf_image_sample(&img);
	for (round = 0; round < 20000; round++) {
		memcpy(&flipped, &img, sizeof(img));
		for (flip = 0; flip <= round % 3; flip++) {
			random = random * 1103515245 + 12345;
			place = random >> 8;
			/* .text is a third of it, and nobody looks inside. */
			place = place % 4 ? place % 0x200 : place % (uint32_t)img.size;
			if (round % 2)
				place = (uint32_t)img.size - 1 - place % 0x400;
			flipped.bytes[place] ^= (uint8_t)(1 << (random >> 5) % 8);
		}
		r = ask_memory(flipped.bytes, flipped.size);
		assert_true(r == 0 || r == -EBADMSG || r == -ENOEXEC);
	}
}

static void test_shrinking(void **state)
{
	_cleanup_close_ int fd = memfd_create("elf", MFD_CLOEXEC);
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct elf_section section;
	struct elf_image img;

	elf_image_sample(&img);
	assert_int_equal(write(fd, img.bytes, img.size), img.size);
	assert_int_equal(elf_file_open_fd(fd, &elf), 0);
	assert_int_equal(elf_file_section(elf, ".text", &section), 0);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(elf_file_section(elf, ".eh_frame", &section), -EBADMSG);
	assert_int_equal(section.size, 0x1000);
	assert_int_equal(elf_file_text(elf, 0, &section), -EBADMSG);
	elf_file_ask(elf);
}

static int ask_image(void *arg)
{
	const struct elf_image *img = arg;

	return ask_memory(img->bytes, img->size);
}

static void test_no_memory(void **state)
{
	struct elf_image img;

	elf_image_sample(&img);
	assert_true(fail_alloc_each(ask_image, &img) > 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("no prefix of a file is read beyond its end", test_every_prefix),
		UNIT_TEST("nor is a file that was cut", test_every_other_prefix_of_a_file),
		UNIT_TEST("flipped bytes do no harm", test_flipped_bytes),
		UNIT_TEST("a file may shrink while it is open", test_shrinking),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
