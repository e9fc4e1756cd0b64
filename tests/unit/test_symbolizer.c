/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

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

/* A loaded object of this process, opened as a module. */
struct object {
	const void *code;	/* an address inside of it */
	uint64_t bias;
	struct module *mod;
};

static int object_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object *object = arg;
	uint64_t offset = (uintptr_t)object->code - info->dlpi_addr;
	struct module_info about = { .id = 1, .path = info->dlpi_name };
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_LOAD ||
		    offset - info->dlpi_phdr[i].p_vaddr >= info->dlpi_phdr[i].p_memsz)
			continue;
		if (!*info->dlpi_name)
			about.path = "/proc/self/exe";
		object->bias = info->dlpi_addr;
		object->mod = module_new(&about, open(about.path, O_RDONLY | O_CLOEXEC));
		return 1;
	}
	return 0;
}

static struct object object_of(const void *code)
{
	struct object object = { .code = code };

	assert_int_equal(dl_iterate_phdr(object_visit, &object), 1);
	return object;
}

static __attribute__((noinline, used)) int symbolizer_test_marker(int x)
{
	return x + 1;
}

static void test_self(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(0);
	struct object self = object_of((void *)symbolizer_test_marker);
	uint64_t address = (uintptr_t)symbolizer_test_marker - self.bias;
	struct frame frames[2];

	assert_int_equal(symbolizer_lookup(sym, self.mod, address + 1, frames, 2), 1);
	assert_string_equal(frames[0].function, "symbolizer_test_marker");
	assert_string_equal(frames[0].system_name, "symbolizer_test_marker");
	assert_int_equal(frames[0].start, address);
	/* Tests are built with debug information unless someone says otherwise. */
	assert_true(frames[0].origin == FRAME_DWARF || frames[0].origin == FRAME_SYMTAB);
	assert_false(frames[0].inlined);
	assert_int_equal(symbolizer_lookup(sym, self.mod, address, frames, 0), -EINVAL);
	module_put(self.mod);
}

static void test_libc(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(0);
	struct object libc = object_of((void *)getenv);
	uint64_t address = (uintptr_t)getenv - libc.bias;
	struct frame frame;

	assert_int_equal(symbolizer_lookup(sym, libc.mod, address + 4, &frame, 1), 1);
	assert_non_null(strstr(frame.function, "getenv"));
	assert_int_equal(frame.start, address);
	assert_true(frame.origin <= FRAME_DYNSYM);
	module_put(libc.mod);
}

/* Of an image in memory, whose segments say how long it is. */
static size_t image_bytes(const uint8_t *image)
{
	const ElfW(Ehdr) *header = (const void *)image;

	return header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
}

static void test_vdso(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(0);
	const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	struct module_info info = { .id = 2, .path = "[vdso]" };
	struct elf_file *elf = NULL;
	struct module *mod;
	struct frame frame;
	long count, i;

	if (!image)
		skip();
	mod = module_new_memory(&info, image, image_bytes(image));
	assert_int_equal(module_open(mod, &elf), 0);
	count = elf_file_symbols(elf, ".dynsym", &symbols);
	assert_true(count > 0);
	for (i = 0; i < count && !strstr(symbols[i].name, "clock_gettime"); i++)
		;
	assert_true(i < count);
	assert_int_equal(symbolizer_lookup(sym, mod, symbols[i].address, &frame, 1), 1);
	assert_non_null(strstr(frame.function, "clock_gettime"));
	/* Between its functions, FDEs name what symbols do not. */
	assert_int_equal(symbolizer_lookup(sym, mod, 0, &frame, 1), 1);
	assert_string_equal(frame.function, "[vdso]+0x0");
	elf_file_close(elf);
	module_put(mod);
}

static const struct order_case {
	const char *name;
	uint64_t place;		/* from .text */
	const char *function, *system_name;
	uint64_t start;		/* from .text; UINT64_MAX: unknown */
	enum frame_origin origin;
} order_cases[] = {
	{ ".symtab comes first", 0x208, "foo::bar()", "_ZN3foo3barEv", 0x200, FRAME_SYMTAB },
	{ "clone suffixes are not shown", 0x20, "local", "local.part.0", 0x20, FRAME_SYMTAB },
	{ "what it lacks .dynsym may have", 0x10, "exported", "exported", 0x10, FRAME_DYNSYM },
	{ "what both lack has an FDE", 0x30, "x.so+0x401010", "x.so+0x401010", 0x10, FRAME_FDE },
	{ "the rest is named by its address", 0x60, "x.so+0x401060", "x.so+0x401060", UINT64_MAX,
	  FRAME_UNKNOWN },
};

static void order_row(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(0);
	const struct order_case *c = *state;
	struct elf_image img;
	uint64_t text = elf_image_sample(&img);
	struct module *mod = elf_image_module(img.bytes, img.size);
	struct frame frame = { .line = 9 };
	int again;

	/* The second answer is from memory, and the same. */
	for (again = 0; again < 2; again++) {
		assert_int_equal(symbolizer_lookup(sym, mod, text + c->place, &frame, 1), 1);
		assert_string_equal(frame.function, c->function);
		assert_string_equal(frame.system_name, c->system_name);
		assert_int_equal(frame.start, c->start == UINT64_MAX ? 0 : text + c->start);
		assert_int_equal(frame.origin, c->origin);
		assert_null(frame.file);
		assert_int_equal(frame.line, 0);
	}
	module_put(mod);
}

static const struct nameless_case {
	const char *name;
	const char *path;
	const char *expected;
} nameless_cases[] = {
	{ "a file that could not be opened is named", "/usr/bin/gone", "gone+0x1234" },
	{ "a module without a name is its addresses", "", "0x1234" },
};

static void nameless_row(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	const struct nameless_case *c = *state;
	struct module_info info = { .path = c->path };
	struct module *mod = module_new(&info, -1);
	struct frame frame;

	assert_int_equal(symbolizer_lookup(sym, mod, 0x1234, &frame, 1), 1);
	assert_string_equal(frame.function, c->expected);
	assert_int_equal(frame.origin, FRAME_UNKNOWN);
	module_put(mod);
}

/* Through every provider, at every function. */
static void ask(struct symbolizer *sym, const void *bytes, size_t size)
{
	struct module *mod = elf_image_module(bytes, size);
	struct frame frames[4];
	uint64_t place;

	for (place = 0; place < 0x220; place += 8)
		assert_true(symbolizer_lookup(sym, mod, ELF_IMAGE_BASE + 0x1000 + place, frames,
					      4) > 0);
	assert_true(symbolizer_lookup(sym, mod, UINT64_MAX, frames, 4) > 0);
	assert_true(symbolizer_lookup(sym, mod, 0, frames, 4) > 0);
	module_put(mod);
}

static void test_every_prefix(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(1);
	struct elf_image img;
	size_t size;
	void *copy;

	elf_image_sample(&img);
	for (size = 0; size <= img.size; size += size < 0x1000 || size > 0x2000 ? 1 : 64) {
		copy = malloc(size ? size : 1);
		memcpy(copy, img.bytes, size);
		ask(sym, copy, size);
		/* The cache may keep the module, but never the only one longer than asked. */
		ask(sym, img.bytes, img.size);
		free(copy);
	}
}

static void test_flipped_bytes(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_for(1);
	struct elf_image img, flipped;
	uint32_t random = 7, place;
	int round, flip;

	elf_image_sample(&img);
	for (round = 0; round < 3000; round++) {
		memcpy(&flipped, &img, sizeof(img));
		for (flip = 0; flip <= round % 4; flip++) {
			random = random * 1103515245 + 12345;
			place = 0x2000 + (random >> 8) % (uint32_t)(img.size - 0x2000);
			if (random >> 30 == 0)
				place = (random >> 8) % 0x200;
			flipped.bytes[place] ^= (uint8_t)(1 << (random >> 5) % 8);
		}
		ask(sym, flipped.bytes, flipped.size);
		ask(sym, img.bytes, img.size);
	}
}

static const char kernel[] = "ffffffff81000000 T _stext\n"
			     "ffffffff81000100 t do_work.constprop.0\n"
			     "ffffffff81000200 T last\n"
			     "ffffffffc0000000 t ext4_init\t[ext4]\n";

static const struct kernel_case {
	const char *name;
	const char *text;	/* NULL: no such file */
	uint64_t address;
	const char *function, *system_name, *module;
	uint64_t start;
	enum frame_origin origin;
} kernel_cases[] = {
	{ "a function of the core kernel", kernel, 0xffffffff81000110, "do_work",
	  "do_work.constprop.0", "[kernel.kallsyms]", 0xffffffff81000100, FRAME_KALLSYMS },
	{ "a function of a module", kernel, 0xffffffffc0000001, "ext4_init", "ext4_init", "[ext4]",
	  0xffffffffc0000000, FRAME_KALLSYMS },
	{ "an address that nobody covers", kernel, 0xffffffff80000000, "0xffffffff80000000",
	  "0xffffffff80000000", "[kernel.kallsyms]", 0, FRAME_UNKNOWN },
	{ "hidden addresses", "0000000000000000 T _stext\n", 0xffffffff81000110,
	  "0xffffffff81000110", "0xffffffff81000110", "[kernel.kallsyms]", 0, FRAME_UNKNOWN },
	{ "no file at all", NULL, 0xffffffff81000110, "0xffffffff81000110", "0xffffffff81000110",
	  "[kernel.kallsyms]", 0, FRAME_UNKNOWN },
};

static void kernel_row(void **state)
{
	const struct kernel_case *c = *state;
	_cleanup_(symbolizer_freep) struct symbolizer *sym = NULL;
	_cleanup_close_ int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	struct symbolizer_options options = { 0 };
	struct frame frame = { .line = 5 };
	const char *module = "untouched";
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->text ? fd : 99999);
	if (c->text)
		assert_int_equal(write(fd, c->text, strlen(c->text)), strlen(c->text));
	options.kallsyms_path = path;
	sym = symbolizer_new(&options);
	assert_int_equal(symbolizer_lookup_kernel(sym, c->address, &frame, 0, &module), -EINVAL);
	assert_string_equal(module, "untouched");
	assert_int_equal(symbolizer_lookup_kernel(sym, c->address, &frame, 1, &module), 1);
	assert_string_equal(frame.function, c->function);
	assert_string_equal(frame.system_name, c->system_name);
	assert_string_equal(module, c->module);
	assert_int_equal(frame.start, c->start);
	assert_int_equal(frame.origin, c->origin);
	assert_int_equal(frame.line, 0);
}

/* A BPF program that is loaded behind another, after the symbols were read. */
static void test_kernel_changes(void **state)
{
	static const char later[] = "ffffffffc0000200 t bpf_prog_6deef7357e7b4530_late\t[bpf]\n";
	_cleanup_(symbolizer_freep) struct symbolizer *sym = NULL;
	_cleanup_close_ int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	struct symbolizer_options options = { 0 };
	const char *module, *before;
	struct frame frame;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	options.kallsyms_path = path;
	assert_int_equal(write(fd, kernel, strlen(kernel)), strlen(kernel));
	sym = symbolizer_new(&options);
	symbolizer_refresh_kernel(sym);
	assert_int_equal(symbolizer_lookup_kernel(sym, 0xffffffffc0000210, &frame, 1, &before), 1);
	assert_string_equal(frame.function, "ext4_init");
	assert_int_equal(write(fd, later, strlen(later)), strlen(later));
	assert_int_equal(symbolizer_lookup_kernel(sym, 0xffffffffc0000210, &frame, 1, &module), 1);
	assert_string_equal(frame.function, "ext4_init");
	symbolizer_refresh_kernel(sym);
	assert_int_equal(symbolizer_lookup_kernel(sym, 0xffffffffc0000210, &frame, 1, &module), 1);
	assert_string_equal(frame.function, "bpf_prog_6deef7357e7b4530_late");
	assert_string_equal(module, "[bpf]");
	assert_string_equal(before, "[ext4]");
	/* It can no longer be read: what is known stays. */
	assert_int_equal(ftruncate(fd, 0), 0);
	symbolizer_refresh_kernel(sym);
	assert_int_equal(symbolizer_lookup_kernel(sym, 0xffffffffc0000210, &frame, 1, &module), 1);
	assert_string_equal(frame.function, "bpf_prog_6deef7357e7b4530_late");
}

struct request {
	struct module *mod;
	char kallsyms_path[64];
};

static int look_everywhere(void *arg)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = NULL;
	struct request *request = arg;
	struct symbolizer_options options = { .kallsyms_path = request->kallsyms_path };
	const char *module;
	struct frame frame;
	size_t i;
	int r;

	sym = symbolizer_new(&options);
	if (!sym)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(order_cases); i++) {
		r = symbolizer_lookup(sym, request->mod, ELF_IMAGE_BASE + 0x1000 +
				      order_cases[i].place, &frame, 1);
		if (r < 0)
			return r;
		assert_string_equal(frame.function, order_cases[i].function);
	}
	r = symbolizer_lookup_kernel(sym, 0xffffffff81000110, &frame, 1, &module);
	if (r >= 0)
		assert_string_equal(frame.function, "do_work");
	return r;
}

static void test_no_memory(void **state)
{
	_cleanup_close_ int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	struct request request;
	struct elf_image img;

	elf_image_sample(&img);
	assert_int_equal(write(fd, kernel, strlen(kernel)), strlen(kernel));
	snprintf(request.kallsyms_path, sizeof(request.kallsyms_path), "/proc/self/fd/%d", fd);
	request.mod = elf_image_module(img.bytes, img.size);
	assert_true(fail_alloc_each(look_everywhere, &request) > 20);
	module_put(request.mod);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a function of this program is named", test_self),
		UNIT_TEST("a function of the C library is named", test_libc),
		UNIT_TEST("a function of the vDSO is named", test_vdso),
		UNIT_TEST("every prefix of a file has names of some kind", test_every_prefix),
		UNIT_TEST("flipped bytes do no harm", test_flipped_bytes),
		UNIT_TEST("kernel code that came later is named", test_kernel_changes),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("order", order_row, UNIT_ROWS(order_cases)) +
	       unit_run_rows("nameless", nameless_row, UNIT_ROWS(nameless_cases)) +
	       unit_run_rows("kernel", kernel_row, UNIT_ROWS(kernel_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
