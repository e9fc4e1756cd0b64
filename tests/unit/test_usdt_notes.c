/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * USDT notes: of Debian's programs, against readelf; and of small programs, whose arguments are read where
 * the notes say while they run, and must be what the source passed.
 */
#include "tests/unit/unit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/code/usdt_notes.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/traced_process.h"

/* ---- against readelf ---- */

static const struct binary_case {
	const char *name;
	const char *path;
	size_t probes;		/* at least */
} binary_cases[] = {
	{ "Debian's Python has the probes that readelf shows", "/usr/bin/python3.11", 8 },
	{ "so has libstdc++", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", 3 },
	{ "so has the compiler", "/usr/bin/x86_64-linux-gnu-gcc-12", 3 },
};

static struct module *open_module(const char *path)
{
	struct module_info info = { .id = 1, .path = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? NULL : module_new(&info, fd);
}

/* What readelf says of one probe. */
struct said {
	char provider[64], name[64], arguments[512];
	unsigned long address, semaphore;
};

static bool read_said(FILE *f, struct said *ret)
{
	char line[1024];

	memset(ret, 0, sizeof(*ret));
	while (fgets(line, sizeof(line), f)) {
		/* On the line of the owner. */
		if (strstr(line, "Provider: "))
			sscanf(strstr(line, "Provider: "), "Provider: %63s", ret->provider);
		sscanf(line, " Name: %63s", ret->name);
		sscanf(line, " Location: %lx, Base: %*x, Semaphore: %lx", &ret->address,
		       &ret->semaphore);
		if (!strncmp(line, "    Arguments:", 14)) {
			sscanf(line, " Arguments: %511[^\n]", ret->arguments);
			return true;
		}
	}
	return false;
}

/* Returns how many probes there are. */
static size_t compare_with_readelf(struct module *mod, const char *path)
{
	struct usdt_notes *notes = NULL;
	struct elf_file *elf = NULL;
	const struct usdt_probe *probe;
	struct said said;
	uint64_t offset;
	char command[256];
	size_t i = 0;
	FILE *f;

	snprintf(command, sizeof(command), "LC_ALL=C readelf -nW %s 2>/dev/null", path);
	f = popen(command, "re");
	assert_non_null(f);
	assert_int_equal(module_open(mod, &elf), 0);
	assert_int_equal(usdt_notes_read(mod, NULL, NULL, &notes), 0);
	for (; read_said(f, &said); i++) {
		assert_true(i < usdt_notes_count(notes));
		probe = usdt_notes_at(notes, i);
		assert_string_equal(probe->provider, said.provider);
		assert_string_equal(probe->name, said.name);
		assert_string_equal(probe->arguments_text, said.arguments);
		assert_int_equal(probe->address, said.address);
		assert_int_equal(elf_file_address_to_offset(elf, said.address, &offset), 0);
		assert_int_equal(probe->offset, offset);
		assert_int_equal(!probe->semaphore_offset, !said.semaphore);
		if (said.semaphore)
			elf_file_address_to_offset(elf, said.semaphore, &offset);
		assert_true(!said.semaphore || probe->semaphore_offset == offset);
	}
	assert_int_equal(i, usdt_notes_count(notes));
	pclose(f);
	elf_file_close(elf);
	usdt_notes_free(notes);
	return i;
}

static void binary_row(void **state)
{
	const struct binary_case *c = *state;
	_cleanup_(module_putp) struct module *mod = open_module(c->path);
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;
	const struct usdt_probe *probe;
	uint8_t byte;
	size_t i, j;

	if (!mod)
		skip();
	assert_true(compare_with_readelf(mod, c->path) >= c->probes);
	assert_int_equal(usdt_notes_read(mod, NULL, NULL, &notes), 0);
	for (i = 0; i < usdt_notes_count(notes); i++) {
		probe = usdt_notes_at(notes, i);
		assert_int_equal(module_read(mod, probe->offset, &byte, 1), 0);
		assert_int_equal(byte, 0x90);
		for (j = 0; j < probe->argument_count; j++)
			assert_int_not_equal(probe->arguments[j].kind, USDT_UNKNOWN);
	}
}

static void test_globs(void **state)
{
	_cleanup_(module_putp) struct module *mod = open_module("/usr/bin/python3.11");
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;

	if (!mod)
		skip();
	assert_int_equal(usdt_notes_read(mod, "python", "gc__*", &notes), 0);
	assert_int_equal(usdt_notes_count(notes), 2);
	assert_string_equal(usdt_notes_at(notes, 0)->name, "gc__done");
	assert_int_equal(usdt_notes_at(notes, 0)->argument_count, 1);
	notes = usdt_notes_free(notes);
	assert_int_equal(usdt_notes_read(mod, "ruby", NULL, &notes), -ENOENT);
	assert_int_equal(usdt_notes_read(mod, NULL, "gc__", &notes), -ENOENT);
}

/* ---- in a running program ---- */

#define MADE_NOTE(arguments)                                                                   \
	"\"990: nop\\n.pushsection .note.stapsdt,\\\"\\\",\\\"note\\\"\\n.balign 4\\n\"\n"      \
	"\".4byte 992f-991f, 994f-993f, 3\\n991: .asciz \\\"stapsdt\\\"\\n992: .balign 4\\n\"\n" \
	"\"993: .8byte 990b\\n.8byte _.stapsdt.base\\n.8byte 0\\n.asciz \\\"made\\\"\\n\"\n"     \
	"\".asciz \\\"made\\\"\\n.asciz \\\"" arguments "\\\"\\n994: .balign 4\\n.popsection\\n\""

static const char source[] =
	"#define _SDT_HAS_SEMAPHORES 1\n"
	"#include <sys/sdt.h>\n"
	"__extension__ unsigned short shop_wide_semaphore __attribute__((section(\".probes\")));\n"
	"unsigned short shop_narrow_semaphore __attribute__((section(\".probes\")));\n"
	"unsigned short shop_far_semaphore __attribute__((section(\".probes\")));\n"
	"long counter = 123456789012345;\n"
	"static int hidden[4] = { 1, -22, 333, -4444 };\n"
	"struct item { char kind; short count; int price; long stock; };\n"
	"__attribute__((noinline)) void wide(long a, unsigned long b, int c, unsigned int d)\n"
	"{\n"
	"	STAP_PROBE6(shop, wide, a, b, c, d, 42, -43L);\n"
	"}\n"
	"__attribute__((noinline)) void narrow(signed char a, unsigned char b, short c, unsigned short d)\n"
	"{\n"
	"	STAP_PROBE4(shop, narrow, a, b, c, d);\n"
	"}\n"
	"__attribute__((noinline)) void far(const struct item *item, long i)\n"
	"{\n"
	"	STAP_PROBE7(shop, far, item->kind, item->count, item[i].price, item->stock, counter,\n"
	"		    hidden[1], hidden[i]);\n"
	"}\n"
	"__attribute__((noinline)) void made(void)\n"
	"{\n"
	"	static long table[] = { 10, 20, 30 };\n"
	"	asm volatile(\"mov $0x11223344, %%eax\\nmov $2, %%ecx\\nmov $-1, %%rdx\\n\"\n"
	"	" MADE_NOTE(
		"1@%%ah -1@%%al 2@%%ax 8@16(%%rsi) 8@(%%rsi,%%rcx,8) 8@-8(%%rsi,%%rcx,8) "
		"8@counter(%%rip) -4@%%edx 8@nothing(%%rip) 4f@%%xmm0 8@$77") "\n"
									      "	:: \"S\"(table) : \"eax\", \"ecx\", \"rdx\");\n"
									      "}\n"
									      "int one = 1;\n"
									      "static const struct item items[2] = { { -5, -600, 70000, -8000000000 }, { 0, 0, 99 } };\n"
									      "/* Without a C library: each instruction of its start would be followed, too. */\n"
									      "__attribute__((force_align_arg_pointer, noreturn)) void _start(void)\n"
									      "{\n"
									      "	wide(-1000000000000, 1ul << 63, -7, 4000000000);\n"
									      "	narrow(-100, 200, -30000, 60000);\n"
									      "	far(items, one);\n"
									      "	made();\n"
									      "	asm volatile(\"syscall\" :: \"a\"(60), \"D\"(0));\n"
									      "	__builtin_unreachable();\n"
									      "}\n";

/* Not to be read. */
#define SKIPPED 0x5eed

static const struct passed {
	const char *probe;
	int count;
	int64_t values[USDT_ARGUMENTS_MAX];
} passed[] = {
	{ "wide", 6, { -1000000000000, INT64_MIN, -7, 4000000000, 42, -43 } },
	{ "narrow", 4, { -100, 200, -30000, 60000 } },
	{ "far", 7, { -5, -600, 99, -8000000000, 123456789012345, -22, -22 } },
	{ "made",
	  11,
	  { 0x33, 0x44, 0x3344, 30, 30, 20, 123456789012345, -1, SKIPPED, SKIPPED, 77 } },
};

#define BARE " -nostdlib -fno-stack-protector"

static const struct run_case {
	const char *name;
	const char *compile;
} run_cases[] = {
	{ "arguments are where notes say, optimized", "cc -O2 -static-pie" BARE },
	{ "and not optimized", "cc -O0 -static-pie" BARE },
	{ "and at fixed addresses", "cc -O2 -static -fno-pie -no-pie" BARE },
	{ "and by clang", "clang -O2 -static-pie" BARE },
	{ "and by clang, not optimized", "clang -O0 -static-pie" BARE },
};

/* What DWARF's number means at the stop. */
static uint64_t reg_value(const struct user_regs_struct *regs, unsigned int number)
{
	const unsigned long long values[] = {
		regs->rax, regs->rdx, regs->rcx, regs->rbx, regs->rsi, regs->rdi,
		regs->rbp, regs->rsp, regs->r8,	 regs->r9,  regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15, regs->rip,
	};

	assert_true(number < ARRAY_SIZE(values));
	return values[number];
}

static int64_t widen(uint64_t value, const struct usdt_argument *a)
{
	unsigned int bits = 64 - 8u * a->bytes;

	return a->is_signed ? (int64_t)(value << bits) >> bits : (int64_t)(value << bits >> bits);
}

/* As who reads them is told to. */
static int64_t argument_value(const struct traced_process *t, const struct usdt_argument *a)
{
	uint64_t value = (uint64_t)a->value;

	if (a->kind == USDT_REGISTER)
		value = reg_value(&t->regs, a->reg) >> a->reg_shift;
	if (a->kind == USDT_MEMORY) {
		if (a->reg != USDT_NO_REGISTER)
			value += reg_value(&t->regs, a->reg);
		if (a->index_scale)
			value += reg_value(&t->regs, a->index_reg) * a->index_scale;
		assert_int_equal(traced_read(t, &value, a->bytes, value), 0);
	}
	return widen(value, a);
}

static void expect_passed(const struct traced_process *t, const struct usdt_probe *probe,
			  const struct passed *want)
{
	const struct usdt_argument *a;
	int i;

	assert_string_equal(probe->name, want->probe);
	assert_int_equal(probe->argument_count, want->count);
	for (i = 0; i < want->count; i++) {
		a = &probe->arguments[i];
		assert_int_equal(a->kind == USDT_UNKNOWN, want->values[i] == SKIPPED);
		if (a->kind != USDT_UNKNOWN && argument_value(t, a) != want->values[i])
			fail_msg("%s, argument %d is %ld and not %ld: %s", want->probe, i,
				 argument_value(t, a), want->values[i], probe->arguments_text);
	}
}

/* The probe that the process is about to go over, NULL: none. */
static const struct usdt_probe *probe_at(const struct traced_process *t, const char *path,
					 const struct usdt_notes *notes)
{
	const struct traced_mapping *mapping = traced_mapping(t, t->regs.rip);
	size_t i;

	if (!mapping || mapping->module < 0 || strcmp(t->modules[mapping->module].name, path))
		return NULL;
	for (i = 0; i < usdt_notes_count(notes); i++) {
		if (usdt_notes_at(notes, i)->address == t->regs.rip - mapping->bias)
			return usdt_notes_at(notes, i);
	}
	return NULL;
}

static void run_row(void **state)
{
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;
	_cleanup_(traced_freep) struct traced_process *t = NULL;
	const struct run_case *c = *state;
	struct compiled_program program;
	const struct usdt_probe *probe;
	struct module *mod;
	size_t seen = 0;

	compiled_program_init(&program, c->compile, source);
	mod = compiled_program_module(&program, "program");
	compare_with_readelf(mod, program.path);
	assert_int_equal(usdt_notes_read(mod, NULL, NULL, &notes), 0);
	t = traced_start((const char *const[]){ program.path, NULL });
	assert_non_null(t);
	do {
		probe = probe_at(t, program.path, notes);
		if (!probe)
			continue;
		assert_true(seen < ARRAY_SIZE(passed));
		expect_passed(t, probe, &passed[seen++]);
		assert_int_equal(!probe->semaphore_offset, !strcmp(probe->name, "made"));
	} while (!traced_step(t));
	assert_true(t->ended);
	assert_int_equal(seen, ARRAY_SIZE(passed));
	module_put(mod);
	compiled_program_done(&program);
}

/* ---- made by hand ---- */

struct note_bytes {
	uint8_t bytes[256];
	size_t size;
};

static void note_add(struct note_bytes *notes, uint64_t address, uint64_t base, uint64_t semaphore)
{
	static const char texts[] = "p\0n\0008@%rax";
	uint32_t header[3] = { 8, 24 + sizeof(texts), 3 };
	uint64_t words[3] = { address, base, semaphore };

	memcpy(notes->bytes + notes->size, header, 12);
	memcpy(notes->bytes + notes->size + 12, "stapsdt", 8);
	memcpy(notes->bytes + notes->size + 20, words, 24);
	memcpy(notes->bytes + notes->size + 44, texts, sizeof(texts));
	notes->size += (44 + sizeof(texts) + 3) & ~(size_t)3;
}

static struct module *note_module(struct elf_image *img, const struct note_bytes *notes, size_t cut,
				  bool base)
{
	elf_image_init(img);
	elf_image_code(img, false);
	if (base)
		elf_image_section(img, ".stapsdt.base", SHT_PROGBITS, SHF_ALLOC, "x", 1);
	elf_image_section(img, ".note.stapsdt", SHT_NOTE, 0, notes->bytes, notes->size - cut);
	elf_image_finish(img, true);
	return elf_image_module(img->bytes, img->size);
}

/* .stapsdt.base is behind .text and .eh_frame. */
#define TEXT (ELF_IMAGE_BASE + 0x1000)

static void test_prelink(void **state)
{
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;
	struct note_bytes bytes = { .size = 0 };
	const struct usdt_probe *probe;
	struct elf_image img;
	struct module *mod;
	uint64_t base;

	elf_image_init(&img);
	elf_image_code(&img, false);
	base = elf_image_next_address(&img);
	note_add(&bytes, TEXT + 0x10 - 0x5000, base - 0x5000, TEXT + 0x20 - 0x5000);
	note_add(&bytes, TEXT + 0x30, base, 0);
	note_add(&bytes, TEXT + 0x40, 0, 0);
	mod = note_module(&img, &bytes, 0, true);
	assert_int_equal(usdt_notes_read(mod, NULL, NULL, &notes), 0);
	assert_int_equal(usdt_notes_count(notes), 3);
	probe = usdt_notes_at(notes, 0);
	assert_int_equal(probe->address, TEXT + 0x10);
	assert_int_equal(probe->offset, 0x1010);
	assert_int_equal(probe->semaphore_offset, 0x1020);
	assert_int_equal(usdt_notes_at(notes, 1)->address, TEXT + 0x30);
	assert_int_equal(usdt_notes_at(notes, 2)->address, TEXT + 0x40);
	module_put(mod);
}

static void expect_count(const struct note_bytes *bytes, size_t cut, int result, size_t count)
{
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;
	struct elf_image img;
	struct module *mod = note_module(&img, bytes, cut, false);

	assert_int_equal(usdt_notes_read(mod, NULL, NULL, &notes), result);
	assert_int_equal(notes ? usdt_notes_count(notes) : 0, count);
	module_put(mod);
}

static void test_damage(void **state)
{
	struct note_bytes bytes = { .size = 0 };

	note_add(&bytes, TEXT, 0, 0);
	expect_count(&bytes, 0, 0, 1);
	expect_count(&bytes, 4, -EBADMSG, 0);
	expect_count(&bytes, bytes.size, -ENOENT, 0);
	/* Another's note is none of ours. */
	bytes.bytes[12] = 'S';
	expect_count(&bytes, 0, -ENOENT, 0);
	bytes.bytes[12] = 's';
	/* What is whole before the damage is found. */
	note_add(&bytes, TEXT + 1, 0, 0);
	expect_count(&bytes, 4, 0, 1);
	/* A probe or a semaphore that is nowhere in the file. */
	bytes.size = 0;
	note_add(&bytes, 0x10, 0, 0);
	expect_count(&bytes, 0, -EBADMSG, 0);
	bytes.size = 0;
	note_add(&bytes, TEXT, 0, 0x10);
	expect_count(&bytes, 0, -EBADMSG, 0);
}

static int read_notes(void *mod)
{
	struct usdt_notes *notes = NULL;
	int r = usdt_notes_read(mod, "made", NULL, &notes);

	usdt_notes_free(notes);
	return r;
}

static void test_no_memory(void **state)
{
	struct compiled_program program;
	struct module *mod;

	compiled_program_init(&program, "cc -O2 -static-pie" BARE, source);
	mod = compiled_program_module(&program, "program");
	assert_true(fail_alloc_each(read_notes, mod) > 8);
	module_put(mod);
	compiled_program_done(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("probes are found by globs", test_globs),
		UNIT_TEST("a file that was moved by prelink is understood", test_prelink),
		UNIT_TEST("damaged notes are left out", test_damage),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("binary", binary_row, UNIT_ROWS(binary_cases)) +
	       unit_run_rows("run", run_row, UNIT_ROWS(run_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
