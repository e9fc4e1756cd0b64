/* SPDX-License-Identifier: BSD-2-Clause */
/* What a symbolizer keeps in memory, and what it lets go of. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "symbolizer/symbolizer.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

static struct symbolizer *symbolizer_for(size_t cache_bytes)
{
	struct symbolizer_options options = { .cache_bytes = cache_bytes };
	struct symbolizer *sym = symbolizer_new(&options);

	assert_non_null(sym);
	return sym;
}

static void test_stats(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(0);
	struct symbolizer_stats stats;
	struct elf_image img;
	uint64_t text = elf_image_sample(&img);
	struct module *mod = elf_image_module(img.bytes, img.size);
	struct frame one, two;

	symbolizer_lookup(sym, mod, text + 0x200, &one, 1);
	symbolizer_lookup(sym, mod, text + 0x201, &two, 1);
	assert_ptr_equal(one.function, two.function);
	symbolizer_lookup(sym, mod, text + 0x200, &two, 1);
	assert_ptr_equal(one.function, two.function);
	symbolizer_stats(sym, &stats);
	assert_int_equal(stats.lookups, 3);
	assert_int_equal(stats.cache_hits, 1);
	assert_int_equal(stats.modules_loaded, 1);
	assert_int_equal(stats.modules_evicted, 0);
	assert_true(stats.load_ns > 0);
	assert_true(stats.cache_bytes > 0 && stats.text_bytes > 0);
	assert_int_equal(stats.kernel_bytes, 0);
	module_put(mod);
}

#define MODULES 40

static void test_limit(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(64 << 10);
	struct symbolizer_stats stats;
	struct module *modules[MODULES];
	struct elf_image img;
	uint64_t text = elf_image_sample(&img);
	struct frame frame;
	size_t i, k;

	for (i = 0; i < MODULES; i++)
		modules[i] = elf_image_module(img.bytes, img.size);
	for (i = 0; i < MODULES; i++) {
		for (k = 0; k < 100; k++) {
			assert_int_equal(symbolizer_lookup(sym, modules[i], text + k, &frame, 1),
					 1);
			symbolizer_stats(sym, &stats);
			assert_true(stats.cache_bytes <= 64 << 10);
		}
		/* The first is asked for again and again, so it stays. */
		symbolizer_lookup(sym, modules[0], text, &frame, 1);
	}
	symbolizer_stats(sym, &stats);
	assert_true(stats.modules_evicted > 0);
	assert_int_equal(stats.modules_loaded, MODULES);
	/* One that has gone is simply loaded again, and its texts are the same. */
	assert_int_equal(symbolizer_lookup(sym, modules[1], text + 0x208, &frame, 1), 1);
	assert_string_equal(frame.function, "foo::bar()");
	symbolizer_stats(sym, &stats);
	assert_int_equal(stats.modules_loaded, MODULES + 1);
	for (i = 0; i < MODULES; i++)
		module_put(modules[i]);
}

static void test_many_answers(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(64 << 10);
	struct symbolizer_stats stats;
	struct elf_image img;
	uint64_t text = elf_image_sample(&img), place;
	struct module *mod = elf_image_module(img.bytes, img.size);
	struct frame frame;

	for (place = 0; place < 0x1000; place++) {
		assert_int_equal(symbolizer_lookup(sym, mod, text + place, &frame, 1), 1);
		symbolizer_stats(sym, &stats);
		assert_true(stats.cache_bytes <= 128 << 10);
	}
	assert_int_equal(stats.modules_evicted, 0);
	module_put(mod);
}

static void test_many_modules(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(0);
	struct symbolizer_stats stats;
	struct module_info info = { .path = "/x" };
	struct module *mod;
	struct frame frame;
	int i;

	/* Each would keep a descriptor open if it stayed. */
	for (i = 0; i < 3000; i++) {
		mod = module_new(&info, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
		assert_int_equal(symbolizer_lookup(sym, mod, 1, &frame, 1), 1);
		module_put(mod);
	}
	i = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(i >= 0 && i < 1000);
	close(i);
	symbolizer_stats(sym, &stats);
	assert_int_equal(stats.modules_loaded, 3000);
	assert_true(stats.modules_evicted > 2000);
}

/* After a failure for lack of memory the same question is answered as if nothing had been. */
static void test_memory_again(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(0);
	struct frame frame = { .function = "untouched" };
	struct elf_image img;
	uint64_t text = elf_image_sample(&img);
	struct module *mod = elf_image_module(img.bytes, img.size);
	size_t skipped = 0;
	int r;

	do {
		fail_alloc_after(skipped++);
		r = symbolizer_lookup(sym, mod, text + 0x208, &frame, 1);
		if (fail_alloc_stop())
			assert_true(r == -ENOMEM && !strcmp(frame.function, "untouched"));
	} while (r < 0);
	assert_string_equal(frame.function, "foo::bar()");
	module_put(mod);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("what was asked and read is counted", test_stats),
		UNIT_TEST("the module not asked for longest goes first", test_limit),
		UNIT_TEST("the answers of one module have a limit too", test_many_answers),
		UNIT_TEST("so have open files", test_many_modules),
		UNIT_TEST("lack of memory is forgotten", test_memory_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
