/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_multi_attach.c - many functions of this program by one attachment: each call is told by its cookie.
 *
 * Where the kernel does not have it (uprobe_multi: Linux 6.6), that it is said to be not possible is held
 * against a real attempt.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "profiler/sources/multi_attach.h"
#include "symbolizer/code/function_list.h"
#include "symbolizer/elf/module.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define CALLS 100
#define COOKIE_MAX 16
#define FUNC_get_attach_cookie 174

static __attribute__((noinline, noclone, used)) int probed_first(int i)
{
	__asm__ volatile("");
	return i + 1;
}

static __attribute__((noinline, noclone, used)) int probed_second(int i)
{
	__asm__ volatile("");
	return i + 2;
}

static __attribute__((noinline, noclone, used)) int probed_third(int i)
{
	__asm__ volatile("");
	return i + 3;
}

static const char *const names[] = { "probed_first", "probed_second", "probed_third" };

/* counts[cookie]++ */
static int load_counter(int map)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = FUNC_get_attach_cookie },
		{ .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0,
		  .off = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = BPF_REG_0,
		  .src_reg = BPF_REG_1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = MULTI_ATTACH_UPROBE);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", code, ARRAY_SIZE(code), &opts);
}

static uint64_t offset_of(struct module *module, const char *name)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;

	assert_int_equal(function_list_read(module, name, 0, &list), 0);
	return function_list_at(list, 0)->offset;
}

static void call_all(void)
{
	for (int i = 0; i < CALLS; i++) {
		assert_int_equal(probed_first(i), i + 1);
		assert_int_equal(probed_second(i), i + 2);
		if (i % 2)
			assert_int_equal(probed_third(i), i + 3);
	}
}

static uint64_t count_of(int map, uint32_t cookie)
{
	uint64_t count = 0;

	assert_int_equal(bpf_map_lookup_elem(map, &cookie, &count), 0);
	return count;
}

static struct module *open_self(void)
{
	const struct module_info info = { .id = 1, .path = "/proc/self/exe" };
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return module_new(&info, take_fd(fd));
}

static void test_counts(bool by_return_address)
{
	_cleanup_(module_putp) struct module *module = open_self();
	_cleanup_close_ int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "counts", 4, 8, COOKIE_MAX,
						 NULL),
			    program = load_counter(map), link = -1;
	const uint64_t offsets[] = { offset_of(module, names[0]), offset_of(module, names[1]),
				     offset_of(module, names[2]) };
	const uint64_t cookies[] = { 7, 3, 11 };
	const struct multi_attach what = { .program_fd = program, .path = "/proc/self/exe",
					   .by_return_address = by_return_address, .count = 3,
					   .offsets = offsets, .cookies = cookies };

	harness_need_bpf();
	assert_true(map >= 0);
	link = program < 0 ? -EOPNOTSUPP : multi_attach(&what);
	assert_int_equal(multi_attach_is_possible(MULTI_ATTACH_UPROBE), link >= 0);
	if (link < 0)
		return;
	call_all();
	assert_int_equal(count_of(map, 7), CALLS);
	assert_int_equal(count_of(map, 3), CALLS);
	assert_int_equal(count_of(map, 11), CALLS / 2);
	assert_int_equal(count_of(map, 0), 0);
	/* Closed, it is gone. */
	close(take_fd(link));
	call_all();
	assert_int_equal(count_of(map, 7), CALLS);
}

static void test_entries(void **state)
{
	test_counts(false);
}

static void test_returns(void **state)
{
	test_counts(true);
}

static void test_refused(void **state)
{
	_cleanup_close_ int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "counts", 4, 8, COOKIE_MAX,
						 NULL),
			    program = load_counter(map);
	const uint64_t zero = 0;
	const struct multi_attach none = { .program_fd = program, .path = "/no/such/file",
					   .count = 1, .offsets = &zero, .cookies = &zero },
				  folder = { .program_fd = program, .path = "/", .count = 1,
					     .offsets = &zero, .cookies = &zero },
				  bad = { .program_fd = -1, .path = "/proc/self/exe", .count = 1,
					  .offsets = &zero, .cookies = &zero };

	harness_need_bpf();
	assert_true(multi_attach(&bad) < 0);
	assert_true(multi_attach(&none) < 0);
	assert_true(multi_attach(&folder) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each function's entries are counted under its cookie", test_entries),
		UNIT_TEST("and its returns", test_returns),
		UNIT_TEST("what is not there is refused", test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
