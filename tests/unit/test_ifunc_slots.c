/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots of functions that are chosen at start, against what readelf lists. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/code/ifunc_slots.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"

static struct compiled_program program;

static const char source[] =
	"long pick_fast(long i) { return i + 1; }\n"
	"static void *choose(void) { return pick_fast; }\n"
	"VISIBILITY long pick(long i) __attribute__((ifunc(\"choose\")));\n"
	"long (*held)(long) = pick;\n"
	"long use(long i) { return pick(i); }\n"
	"int main(int argc, char **argv) { return (int)use(argc) + (int)held(argc); }\n";

static const char user[] = "long pick(long i);\n"
			   "long use_it(long i) { return pick(i); }\n"
			   "long not_this(long i) { return i; }\n";

static const struct slot_case {
	const char *name, *flags;
	const char *relocations;	/* as readelf names those that count, by grep -E */
} slot_cases[] = {
	{ "a program's own are filled by its resolver", "-DVISIBILITY=static", "IRELATIV" },
	{ "also at fixed addresses", "-DVISIBILITY=static -no-pie -fno-pie", "IRELATIV" },
	{ "a static program's, too", "-DVISIBILITY= -static", "NONE" },
	{ "a library's are filled by its symbol", "-DVISIBILITY= -shared -fPIC", " pick[ (]" },
	{ "or by its resolver where nothing else can have it",
	  "-DVISIBILITY= -shared -fPIC -Wl,-Bsymbolic", "IRELATIV| pick[ (]" },
};

static uint64_t address_of(const char *file, const char *symbol)
{
	char command[160], path[96], line[64];
	unsigned long long address;
	FILE *f;

	snprintf(command, sizeof(command),
		 "nm %s | sed -n 's/^\\([0-9a-f]*\\) . %s$/\\1/p' >address", file, symbol);
	assert_int_equal(compiled_program_run(&program, command), 0);
	snprintf(path, sizeof(path), "%s/address", program.folder);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	assert_int_equal(sscanf(line, "%llx", &address), 1);
	return address;
}

/* Each slot is one of the lines of readelf that @relocations matches, and there are as many. */
static void expect_listed(const char *file, const char *relocations,
			  const struct ifunc_slots *slots)
{
	char command[160], path[96], line[256];
	size_t found = 0;
	FILE *f;

	snprintf(command, sizeof(command), "readelf -rW %s | grep -E '%s' >listed", file,
		 relocations);
	compiled_program_run(&program, command);
	snprintf(path, sizeof(path), "%s/listed", program.folder);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		uint64_t address = strtoull(line, NULL, 16);
		size_t i = 0;

		while (i < slots->count && slots->addresses[i] != address)
			i++;
		assert_true(i < slots->count);
		found++;
	}
	fclose(f);
	assert_int_equal(found, slots->count);
}

static void test_slots(void **state)
{
	const struct slot_case *c = *state;
	_cleanup_(module_putp) struct module *mod = NULL;
	struct ifunc_slots slots = { 0 };
	char command[200];

	snprintf(command, sizeof(command), "cc -O1 -o linked source.c %s", c->flags);
	assert_int_equal(compiled_program_run(&program, command), 0);
	mod = compiled_program_module(&program, "linked");
	assert_int_equal(ifunc_slots_read(mod, address_of("linked", "choose"), NULL, &slots), 0);
	assert_true(slots.count > 0);
	/* A static program has those of its C library, too. */
	if (strcmp(c->relocations, "NONE"))
		expect_listed("linked", c->relocations, &slots);
	assert_int_equal(ifunc_slots_read(mod, 1, NULL, &slots), -ENOENT);
	assert_int_equal(ifunc_slots_read(mod, 0, NULL, &slots), -ENOENT);
}

static void test_importer(void **state)
{
	_cleanup_(module_putp) struct module *mod = NULL;
	struct ifunc_slots slots = { 0 };

	assert_int_equal(compiled_program_run(&program, "cc -shared -fPIC -o user.so user.c"), 0);
	mod = compiled_program_module(&program, "user.so");
	assert_int_equal(ifunc_slots_read(mod, 0, "pick", &slots), 0);
	assert_true(slots.count > 0);
	expect_listed("user.so", " pick[ (]", &slots);
	/* What it defines itself, and what only begins so. */
	assert_int_equal(ifunc_slots_read(mod, 0, "not_this", &slots), -ENOENT);
	assert_int_equal(ifunc_slots_read(mod, 0, "pic", &slots), -ENOENT);
	assert_int_equal(ifunc_slots_read(mod, 0, "", &slots), -ENOENT);
}

static void test_no_elf(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "source.c");
	struct ifunc_slots slots;

	assert_int_equal(ifunc_slots_read(mod, 1, "pick", &slots), -ENOEXEC);
}

static int read_slots(void *arg)
{
	struct ifunc_slots slots;

	return ifunc_slots_read(arg, 0, "pick", &slots);
}

static void test_no_memory(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "user.so");

	assert_true(fail_alloc_each(read_slots, mod) > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("who imports it has slots by its name", test_importer),
		UNIT_TEST("what is no ELF file has none", test_no_elf),
		UNIT_TEST("every failed allocation is an error", test_no_memory),
	};
	char path[96];
	FILE *f;
	int r;

	compiled_program_init(&program, "cc -DVISIBILITY=", source);
	snprintf(path, sizeof(path), "%s/user.c", program.folder);
	f = fopen(path, "we");
	if (!f || fputs(user, f) < 0 || fclose(f))
		return 1;
	r = unit_run_rows("slots", test_slots, UNIT_ROWS(slot_cases)) +
	    cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&program);
	return r;
}
