/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bpf/unwind_abi.h"
#include "profiler/processes/modules.h"
#include "tests/unit/fail_alloc.h"

#define NO_PID 0x7ffffffeu

/* A folder of its own for each case. */
struct fixture {
	char folder[64];
	struct modules *modules;
	struct process_table *table;
	struct process *self;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->folder, "/tmp/wick-modules-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->modules = modules_new(1000);
	f->table = process_table_new();
	assert_non_null(f->modules);
	assert_int_equal(process_table_add(f->table, (uint32_t)getpid(), &f->self), 1);
	assert_int_equal(process_read_maps(f->table, f->self), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	process_table_free(f->table);
	modules_free(f->modules);
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static struct modules_stats stats(const struct fixture *f)
{
	struct modules_stats s;

	modules_stats(f->modules, &s);
	return s;
}

static const char *file_path(const struct fixture *f, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	return path;
}

static void file_write(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* A mapping of the start of the file at @path, by device and inode. */
static struct mapping mapping_of(const char *path)
{
	struct mapping mapping = { .start = 0x10000, .end = 0x11000, .path = path };
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	mapping.device = st.st_dev;
	mapping.inode = st.st_ino;
	return mapping;
}

static void mapping_done(struct mapping *mapping)
{
	module_put(mapping->module);
}
#define _cleanup_mapping_ _cleanup_(mapping_done)

/* The smallest file there can be: one executable segment of its first page, no build ID. */
struct tiny64 {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	char text[64];
};

static struct tiny64 tiny64(uint64_t address)
{
	struct tiny64 t = { .text = "code" };

	memcpy(t.header.e_ident, ELFMAG, SELFMAG);
	t.header.e_ident[EI_CLASS] = ELFCLASS64;
	t.header.e_ident[EI_DATA] = ELFDATA2LSB;
	t.header.e_ident[EI_VERSION] = EV_CURRENT;
	t.header.e_type = ET_EXEC;
	t.header.e_machine = EM_X86_64;
	t.header.e_version = EV_CURRENT;
	t.header.e_phoff = sizeof(t.header);
	t.header.e_ehsize = sizeof(t.header);
	t.header.e_phentsize = sizeof(t.segment);
	t.header.e_phnum = 1;
	t.segment.p_type = PT_LOAD;
	t.segment.p_flags = PF_R | PF_X;
	t.segment.p_vaddr = address;
	t.segment.p_filesz = sizeof(t);
	t.segment.p_memsz = sizeof(t);
	t.segment.p_align = 4096;
	return t;
}

static struct mapping *own_mapping(struct fixture *f, const void *address)
{
	for (size_t i = 0; i < f->self->mapping_count; i++)
		if (f->self->mappings[i].start <= (uintptr_t)address &&
		    (uintptr_t)address < f->self->mappings[i].end)
			return &f->self->mappings[i];
	fail();
	return NULL;
}

static int first_object(struct dl_phdr_info *info, size_t size, void *ret)
{
	*(uint64_t *)ret = info->dlpi_addr;
	return 1;
}

static void test_own(void **state)
{
	struct fixture *f = *state;
	struct mapping *m = own_mapping(f, (const void *)test_own);
	_cleanup_(module_putp) struct module *by_id = NULL;
	const struct module_info *info;
	struct stat st;
	uint64_t base;

	dl_iterate_phdr(first_object, &base);
	assert_int_equal(modules_find(f->modules, f->self, m), 1);
	assert_true(m->resolved && !m->compat);
	assert_int_equal(m->bias, base);
	info = module_info(m->module);
	assert_int_equal(info->id, UNWIND_MODULE_FIRST);
	assert_string_equal(module_basename(m->module), "test_modules");
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(info->device, st.st_dev);
	assert_int_equal(info->inode, st.st_ino);
	assert_true(info->mtime_ns / 1000000000 == (uint64_t)st.st_mtim.tv_sec);
	by_id = modules_by_id(f->modules, info->id);
	assert_ptr_equal(by_id, m->module);
	assert_null(modules_by_id(f->modules, info->id + 1));
	assert_null(modules_by_id(f->modules, 0));
	assert_null(modules_by_id(f->modules, UINT32_MAX));
	assert_int_equal(modules_count(f->modules), 1);
	/* A mapping that was settled is not looked at again. */
	assert_int_equal(modules_find(f->modules, f->self, m), 0);
	assert_int_equal(stats(f).found, 0);
}

static void test_known(void **state)
{
	struct fixture *f = *state;
	struct mapping *m = own_mapping(f, (const void *)getppid);
	_cleanup_mapping_ struct mapping again = *m, notice = *m;

	assert_int_equal(modules_find(f->modules, f->self, m), 1);
	assert_int_equal(modules_find(f->modules, f->self, &again), 0);
	assert_ptr_equal(again.module, m->module);
	/* As it comes from a notice, of a process that is long gone. */
	notice.build_id = module_info(m->module)->build_id;
	notice.device = notice.inode = 0;
	notice.start += 0x100000;
	assert_true(notice.build_id.size > 0);
	assert_int_equal(modules_find(f->modules, &(struct process){ .pid = NO_PID }, &notice), 0);
	assert_ptr_equal(notice.module, m->module);
	assert_int_equal(notice.bias, m->bias + 0x100000);
	assert_int_equal(stats(f).found, 2);
	assert_int_equal(stats(f).opened, 1);
}

static void test_vdso(void **state)
{
	struct fixture *f = *state;
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_mapping_ struct mapping other;
	struct mapping *m;

	if (!image)
		skip();
	m = own_mapping(f, image);
	other = *m;
	other.start = 0x7000000;
	assert_int_equal(modules_find(f->modules, f->self, m), 1);
	assert_string_equal(module_info(m->module)->path, "[vdso]");
	assert_int_equal(m->bias, (uintptr_t)image);
	assert_int_equal(module_open(m->module, &elf), 0);
	assert_int_equal(modules_find(f->modules, f->self, &other), 0);
	assert_ptr_equal(other.module, m->module);
}

static void test_anonymous(void **state)
{
	struct fixture *f = *state;
	struct mapping mapping = { .start = 1, .end = 2, .path = "" };

	assert_int_equal(modules_find(f->modules, f->self, &mapping), -ENOENT);
	assert_true(mapping.resolved);
	assert_null(mapping.module);
}

static void test_wrong_file(void **state)
{
	struct fixture *f = *state;
	struct tiny64 t = tiny64(0x400000);
	const char *path = file_path(f, "wrong");
	struct mapping inode, build_id, gone;

	file_write(path, &t, sizeof(t));
	inode = build_id = gone = mapping_of(path);
	inode.inode++;
	build_id.build_id = (struct elf_build_id){ .size = 2, .bytes = { 1, 2 } };
	gone.path = "/nowhere/at/all";
	assert_int_equal(modules_find(f->modules, f->self, &inode), -ENOENT);
	assert_int_equal(modules_find(f->modules, f->self, &build_id), -ENOENT);
	assert_int_equal(stats(f).mismatched, 2);
	assert_int_equal(modules_find(f->modules, f->self, &gone), -ENOENT);
	assert_int_equal(stats(f).open_failed, 1);
	assert_int_equal(modules_count(f->modules), 0);
}

static void test_not_elf(void **state)
{
	struct fixture *f = *state;
	const char *path = file_path(f, "text");
	struct mapping first, second, device = mapping_of("/dev/zero");

	file_write(path, "text", 4);
	first = second = mapping_of(path);
	assert_int_equal(modules_find(f->modules, f->self, &first), -ENOENT);
	assert_int_equal(stats(f).not_elf, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(modules_find(f->modules, f->self, &second), -ENOENT);
	assert_int_equal(stats(f).found, 1);
	assert_int_equal(modules_find(f->modules, f->self, &device), -ENOENT);
	assert_int_equal(stats(f).not_elf, 2);
}

static void test_compat(void **state)
{
	struct fixture *f = *state;
	const char *path = file_path(f, "compat");
	Elf32_Ehdr header = { .e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
			      .e_ehsize = sizeof(header) };
	struct mapping first, second;

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS32;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_ident[EI_VERSION] = EV_CURRENT;
	file_write(path, &header, sizeof(header));
	first = second = mapping_of(path);
	assert_int_equal(modules_find(f->modules, f->self, &first), -ENOENT);
	assert_true(first.compat);
	assert_int_equal(modules_find(f->modules, f->self, &second), -ENOENT);
	assert_true(second.compat);
	assert_int_equal(stats(f).found, 1);
}

static void test_no_build_id(void **state)
{
	struct fixture *f = *state;
	struct tiny64 t = tiny64(0x400000);
	const char *path = file_path(f, "tiny");
	const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	_cleanup_mapping_ struct mapping first = { 0 }, again = { 0 }, changed = { 0 };
	struct mapping data;

	file_write(path, &t, sizeof(t));
	first = again = changed = data = mapping_of(path);
	data.offset = 0x1000;
	assert_int_equal(modules_find(f->modules, f->self, &first), 1);
	assert_int_equal(first.bias, 0x10000 - 0x400000ull);
	assert_int_equal(modules_find(f->modules, f->self, &again), 0);
	assert_ptr_equal(again.module, first.module);
	/* Behind the segment: not part of the program. */
	assert_int_equal(modules_find(f->modules, f->self, &data), -ENOENT);
	/* Written anew in place: another program. */
	t = tiny64(0x800000);
	file_write(path, &t, sizeof(t));
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(modules_find(f->modules, f->self, &changed), 1);
	assert_ptr_not_equal(changed.module, first.module);
	assert_int_equal(changed.bias, 0x10000 - 0x800000ull);
}

/* @path becomes a copy of our own program. */
static void copy_own(const char *path)
{
	char command[PATH_MAX + 64];

	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), path);
	assert_int_equal(system(command), 0);
}

static void test_copy(void **state)
{
	struct fixture *f = *state;
	struct mapping *own = own_mapping(f, (const void *)test_own);
	_cleanup_mapping_ struct mapping copy = { 0 }, again = { 0 };
	const char *path = file_path(f, "copy");

	copy_own(path);
	copy = mapping_of(path);
	copy.offset = own->offset;
	again = copy;
	assert_int_equal(modules_find(f->modules, f->self, own), 1);
	assert_int_equal(modules_find(f->modules, f->self, &copy), 0);
	assert_ptr_equal(copy.module, own->module);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(modules_find(f->modules, f->self, &again), 0);
	assert_ptr_equal(again.module, own->module);
	assert_int_equal(modules_count(f->modules), 1);
}

static void test_ancestor(void **state)
{
	struct fixture *f = *state;
	struct mapping *own = own_mapping(f, (const void *)test_own);
	_cleanup_mapping_ struct mapping mapping = *own;
	struct process child = { .pid = NO_PID, .ancestors = { NO_PID - 1, (uint32_t)getpid() } };

	assert_int_equal(modules_find(f->modules, &child, &mapping), 1);
	assert_string_equal(module_basename(mapping.module), "test_modules");
}

/* The mapping of @fd as /proc/self/maps has it. */
static void find_mapped(struct fixture *f, int fd, const char *basename)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	struct mapping *m;

	assert_ptr_not_equal(memory, MAP_FAILED);
	close(fd);
	assert_int_equal(process_read_maps(f->table, f->self), 0);
	m = own_mapping(f, memory);
	assert_int_equal(modules_find(f->modules, f->self, m), 1);
	assert_string_equal(module_basename(m->module), basename);
	assert_int_equal(m->bias, (uintptr_t)memory - 0x400000);
	munmap(memory, 4096);
}

static void test_deleted(void **state)
{
	struct fixture *f = *state;
	struct tiny64 t = tiny64(0x400000);
	const char *path = file_path(f, "deleted");
	int fd;

	if (geteuid())
		skip();		/* map_files needs CAP_CHECKPOINT_RESTORE */
	file_write(path, &t, sizeof(t));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(unlink(path), 0);
	find_mapped(f, fd, "deleted");
	/* Another file in its place changes nothing. */
	file_write(path, &t, sizeof(t));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	find_mapped(f, fd, "deleted");
	assert_int_equal(modules_count(f->modules), 2);
}

static void test_memfd(void **state)
{
	struct fixture *f = *state;
	struct tiny64 t = tiny64(0x400000);
	int fd = memfd_create("code", MFD_CLOEXEC);

	if (geteuid())
		skip();
	assert_int_equal(write(fd, &t, sizeof(t)), sizeof(t));
	find_mapped(f, fd, "memfd:code");
}

static void test_limit(void **state)
{
	struct fixture *f = *state;
	_cleanup_(modules_freep) struct modules *few = modules_new(UNWIND_MODULE_FIRST + 1);
	_cleanup_mapping_ struct mapping own = *own_mapping(f, (const void *)test_own);
	_cleanup_mapping_ struct mapping libc = *own_mapping(f, (const void *)getppid);
	struct modules_stats s;

	assert_int_equal(modules_find(few, f->self, &own), 1);
	assert_int_equal(modules_find(few, f->self, &libc), -ENOENT);
	modules_stats(few, &s);
	assert_int_equal(s.full, 1);
	assert_int_equal(modules_count(few), 1);
	assert_true(modules_bytes(few) > 0);
}

static int find_some(void *arg)
{
	struct fixture *f = arg;
	_cleanup_(modules_freep) struct modules *modules = modules_new(100);
	_cleanup_mapping_ struct mapping own = *own_mapping(f, (const void *)test_own);
	_cleanup_mapping_ struct mapping copy = mapping_of(file_path(f, "copy"));
	struct mapping text = mapping_of(file_path(f, "text"));
	int r;

	if (!modules)
		return -ENOMEM;
	copy.offset = own.offset;
	r = modules_find(modules, f->self, &own);
	if (r >= 0)
		r = modules_find(modules, f->self, &copy);
	if (r >= 0)
		r = modules_find(modules, f->self, &text);
	return r == -ENOENT ? 0 : r;
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;

	copy_own(file_path(f, "copy"));
	file_write(file_path(f, "text"), "text", 4);
	assert_true(fail_alloc_each(find_some, f) > 10);
}

#define FIXTURE_TEST(sentence, function) { (sentence), (function), setup, teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FIXTURE_TEST("our own program is found with its bias", test_own),
		FIXTURE_TEST("a known file costs no opening, whoever maps it", test_known),
		FIXTURE_TEST("the vDSO is found in memory", test_vdso),
		FIXTURE_TEST("anonymous memory has no module", test_anonymous),
		FIXTURE_TEST("another file than the mapped one is refused", test_wrong_file),
		FIXTURE_TEST("what is no ELF object is remembered for a while", test_not_elf),
		FIXTURE_TEST("a 32-bit file is marked", test_compat),
		FIXTURE_TEST("a file without build ID is known by inode and time",
			     test_no_build_id),
		FIXTURE_TEST("a copy of a known file is the same module", test_copy),
		FIXTURE_TEST("a dead process's file is found through an ancestor", test_ancestor),
		FIXTURE_TEST("a deleted file is opened where it is mapped", test_deleted),
		FIXTURE_TEST("a memory file is opened where it is mapped", test_memfd),
		FIXTURE_TEST("too many modules are refused", test_limit),
		FIXTURE_TEST("any allocation may fail", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
