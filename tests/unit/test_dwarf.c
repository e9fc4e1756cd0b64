/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, inlined calls and lines of programs compiled here in every form of DWARF. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/symbolizer.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

/* Line numbers are counted from the line after the one with the parenthesis. */
static const char c_source[] =
	"volatile int sink;\n"
	"static inline __attribute__((always_inline)) void innermost(int x)\n"
	"{\n"
	"	sink = x * 3;\n"				/* 4 */
	"}\n"
	"static inline __attribute__((always_inline)) void middle(int x)\n"
	"{\n"
	"	innermost(x + sink);\n"				/* 8 */
	"}\n"
	"__attribute__((noinline)) void outer(int x)\n"
	"{\n"
	"	middle(x - 1);\n"				/* 12 */
	"}\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	outer(argc);\n"
	"	return sink;\n"
	"}\n";

static const char cplus_source[] =
	"volatile int sink;\n"
	"namespace {\n"
	"struct Hidden {\n"
	"	int value;\n"
	"	__attribute__((always_inline)) void set(int x) { sink = x * value; }\n"	/* 5 */
	"};\n"
	"__attribute__((noinline)) void hidden_outer(int x)\n"
	"{\n"
	"	Hidden{3 + sink}.set(x);\n"			/* 9 */
	"}\n"
	"}\n"
	"namespace shown {\n"
	"template <class T> struct Box {\n"
	"	static inline __attribute__((always_inline)) void put(T x) { sink = x + 1; }\n"
	"};\n"
	"__attribute__((noinline)) void visible(int x)\n"
	"{\n"
	"	Box<int>::put(x * sink);\n"			/* 18 */
	"}\n"
	"}\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	hidden_outer(argc);\n"
	"	shown::visible(argc);\n"
	"	return sink;\n"
	"}\n";

struct expected_frame {
	const char *function;
	uint32_t line;
};

static const struct chain_case {
	const char *name;
	const char *command;
	const char *source;
	const char *symbol;	/* of the function that has the chain */
	struct expected_frame frames[4];
} chain_cases[] = {
	{ "DWARF 5", "cc -O2 -gdwarf-5", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "DWARF 4", "cc -O2 -gdwarf-4", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "DWARF 3", "cc -O2 -gdwarf-3", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "DWARF 2", "cc -O2 -gdwarf-2", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "the 64-bit format", "cc -O2 -g -gdwarf64", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "compressed sections", "cc -O2 -g -gz=zlib", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "sections compressed in the old way", "cc -O2 -g -gz=zlib-gnu", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "ranges instead of one", "cc -O2 -g -ffunction-sections", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "clang, which writes no .debug_aranges", "clang -O2 -g", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "link-time optimization", "cc -O2 -g -flto", c_source, "outer",
	  { { "innermost", 4 }, { "middle", 8 }, { "outer", 12 } } },
	{ "an anonymous namespace", "c++ -O2 -g", cplus_source,
	  "_ZN12_GLOBAL__N_112hidden_outerEi",
	  { { "(anonymous namespace)::Hidden::set", 5 },
	    { "(anonymous namespace)::hidden_outer(int)", 9 } } },
	{ "a template", "c++ -O2 -g", cplus_source, "_ZN5shown7visibleEi",
	  { { "shown::Box<int>::put(int)", 14 }, { "shown::visible(int)", 18 } } },
};

static bool is_chain(const struct chain_case *c, const struct frame *frames, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!c->frames[i].function || strcmp(frames[i].function, c->frames[i].function) ||
		    frames[i].line != c->frames[i].line || !frames[i].file ||
		    !strstr(frames[i].file, "/source.c"))
			return false;
	}
	return !c->frames[count].function;
}

/* Some instruction of the function has just the chain expected. */
static void chain_row(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	const struct chain_case *c = *state;
	struct compiled_program program;
	uint64_t start, size, address;
	struct frame frames[3];
	struct module *mod;
	bool found = false;
	int count, i;

	compiled_program_init(&program, c->command, c->source);
	mod = compiled_program_module(&program, "program");
	start = compiled_program_symbol(&program, c->symbol, &size);
	for (address = start; address < start + size; address++) {
		count = symbolizer_lookup(sym, mod, address, frames, 3);
		assert_true(count > 0);
		for (i = 0; i < count; i++) {
			assert_int_equal(frames[i].origin, FRAME_DWARF);
			assert_int_equal(frames[i].inlined, i + 1 < count);
		}
		assert_int_equal(frames[count - 1].start, start);
		found |= is_chain(c, frames, count);
	}
	assert_true(found);
	module_put(mod);
	compiled_program_done(&program);
}

/* Its functions are in another file, which is not looked for; its lines are not. */
static void test_split(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct compiled_program program;
	struct frame frames[3];
	uint64_t start, size;
	struct module *mod;

	compiled_program_init(&program, "cc -O2 -g -gsplit-dwarf", c_source);
	mod = compiled_program_module(&program, "program");
	start = compiled_program_symbol(&program, "outer", &size);
	assert_int_equal(symbolizer_lookup(sym, mod, start, frames, 3), 1);
	assert_string_equal(frames[0].function, "outer");
	assert_int_equal(frames[0].origin, FRAME_SYMTAB);
	assert_non_null(frames[0].file);
	assert_true(frames[0].line >= 4 && frames[0].line <= 12);
	module_put(mod);
	compiled_program_done(&program);
}

/* ---- what dwz has moved to a supplementary file ---- */

/* Enough that two programs have in common for dwz to find it worth moving. */
static const char shared_source[] =
	"#include <map>\n"
	"#include <string>\n"
	"volatile int sink;\n"
	"__attribute__((noinline)) int count(std::map<std::string, int> &map, int x)\n"
	"{\n"
	"	map[std::to_string(x)]++;\n"
	"	return sink = (int)map.size();\n"
	"}\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	std::map<std::string, int> map;\n"
	"	return count(map, argc);\n"
	"}\n";

static void assert_same_frame(const struct frame *a, const struct frame *b)
{
	assert_string_equal(a->function, b->function);
	assert_string_equal(a->file ?: "", b->file ?: "");
	assert_int_equal(a->line, b->line);
	assert_int_equal(a->origin, b->origin);
}

/* As without dwz, frame by frame. */
static void test_dwz(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct frame plain[64], packed[64];
	struct compiled_program program;
	struct module *mods[2];
	uint64_t start, size, at;
	int count, i;

	if (system("command -v dwz >/dev/null"))
		skip();
	compiled_program_init(&program, "c++ -O2 -g -gdwarf-4", shared_source);
	assert_int_equal(compiled_program_run(&program,
					      "cp program packed && cp program other && "
					      "dwz -m common packed other && "
					      "readelf -S packed | grep gnu_debugaltlink"),
			 0);
	mods[0] = compiled_program_module(&program, "program");
	mods[1] = compiled_program_module(&program, "packed");
	start = compiled_program_symbol(&program, "main", &size);
	for (at = start; at < start + size; at++) {
		count = symbolizer_lookup(sym, mods[0], at, plain, 64);
		assert_int_equal(plain[0].origin, FRAME_DWARF);
		assert_int_equal(symbolizer_lookup(sym, mods[1], at, packed, 64), count);
		for (i = 0; i < count; i++)
			assert_same_frame(&plain[i], &packed[i]);
	}
	module_put(mods[0]);
	module_put(mods[1]);
	compiled_program_done(&program);
}

/* ---- damage ---- */

static void ask_everywhere(const void *bytes, size_t size, uint64_t start, uint64_t end)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct module *mod = elf_image_module(bytes, size);
	struct frame frames[64];

	for (; start < end; start += 7)
		assert_true(symbolizer_lookup(sym, mod, start, frames, 64) > 0);
	module_put(mod);
}

static const struct damage_case {
	const char *name;
	const char *command;
	const char *source;
	int rounds;
} damage_cases[] = {
	{ "DWARF 5 of C++", "c++ -O2 -g", cplus_source, 1500 },
	{ "DWARF 4 of C++", "c++ -O2 -gdwarf-4", cplus_source, 1500 },
	{ "clang's DWARF", "clang -O2 -g", c_source, 1500 },
	{ "compressed DWARF", "cc -O2 -g -gz=zlib", c_source, 500 },
};

/* Where the sections of debug information are in the file. */
static void find_debug(const uint8_t *bytes, size_t *ret_first, size_t *ret_end)
{
	const Elf64_Ehdr *header = (const void *)bytes;
	const Elf64_Shdr *sections = (const void *)(bytes + header->e_shoff);
	const char *names = (const char *)bytes + sections[header->e_shstrndx].sh_offset;
	int i;

	*ret_first = SIZE_MAX;
	*ret_end = 0;
	for (i = 1; i < header->e_shnum; i++) {
		if (strncmp(names + sections[i].sh_name, ".debug_", 7))
			continue;
		if (sections[i].sh_offset < *ret_first)
			*ret_first = sections[i].sh_offset;
		if (sections[i].sh_offset + sections[i].sh_size > *ret_end)
			*ret_end = sections[i].sh_offset + sections[i].sh_size;
	}
	assert_true(*ret_first < *ret_end);
}

static void damage_row(void **state)
{
	const struct damage_case *c = *state;
	struct compiled_program program;
	_cleanup_free_ uint8_t *bytes = NULL, *copy = NULL;
	size_t size, first, end, place;
	uint64_t start, length;
	uint32_t random = 11;
	int round, flip;

	compiled_program_init(&program, c->command, c->source);
	bytes = compiled_program_bytes(&program, "program", &size);
	start = compiled_program_symbol(&program, "main", &length);
	find_debug(bytes, &first, &end);
	copy = malloc(size);
	assert_non_null(copy);
	for (round = 0; round < c->rounds; round++) {
		memcpy(copy, bytes, size);
		for (flip = 0; flip <= round % 8; flip++) {
			random = random * 1103515245 + 12345;
			place = first + (random >> 4) % (end - first);
			copy[place] = random >> 30 ? (uint8_t)(random >> 13) : 0xff;
		}
		ask_everywhere(copy, size, start - 0x100, start + 0x200);
	}
	for (place = first; place < end; place += 97)
		ask_everywhere(bytes, place, start, start + 0x20);
	compiled_program_done(&program);
}

/* ---- memory ---- */

struct request {
	struct module *mod;
	uint64_t address;
};

static int look_up(void *arg)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct request *request = arg;
	struct frame frames[8];
	int r;

	if (!sym)
		return -ENOMEM;
	r = symbolizer_lookup(sym, request->mod, request->address, frames, 8);
	if (r >= 0)
		assert_int_equal(frames[0].origin, FRAME_DWARF);
	return r;
}

static void test_no_memory(void **state)
{
	struct compiled_program program;
	struct request request;
	uint64_t size;

	compiled_program_init(&program, "c++ -O2 -g", cplus_source);
	request.mod = compiled_program_module(&program, "program");
	request.address = compiled_program_symbol(&program, "_ZN12_GLOBAL__N_112hidden_outerEi",
						  &size);
	assert_true(fail_alloc_each(look_up, &request) > 20);
	module_put(request.mod);
	compiled_program_done(&program);
}

/* Two modules larger than the cache: what was asked before is still known. */
static void test_cache(void **state)
{
	struct symbolizer_options options = { .cache_bytes = 16 << 10 };
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(&options);
	struct symbolizer_stats stats;
	struct compiled_program program;
	struct module *one, *two;
	struct frame frames[3];
	uint64_t address, size;
	int round;

	compiled_program_init(&program, "cc -O2 -g", c_source);
	one = compiled_program_module(&program, "program");
	two = compiled_program_module(&program, "program");
	address = compiled_program_symbol(&program, "outer", &size);
	for (round = 0; round < 10; round++) {
		assert_true(symbolizer_lookup(sym, one, address, frames, 3) > 0);
		assert_true(symbolizer_lookup(sym, two, address, frames, 3) > 0);
		assert_string_equal(frames[0].file + strlen(frames[0].file) - 9, "/source.c");
	}
	symbolizer_stats(sym, &stats);
	assert_int_equal(stats.cache_hits, 18);
	assert_int_equal(stats.modules_evicted, 0);
	module_put(one);
	module_put(two);
	compiled_program_done(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("split DWARF has lines", test_split),
		UNIT_TEST("what dwz moved away is found", test_dwz),
		UNIT_TEST("lack of memory is reported", test_no_memory),
		UNIT_TEST("answers outlive the debug information they came from", test_cache),
	};

	return unit_run_rows("chain", chain_row, UNIT_ROWS(chain_cases)) +
	       unit_run_rows("damage", damage_row, UNIT_ROWS(damage_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
