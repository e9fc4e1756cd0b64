/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/traced_process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/alloc.h"

enum instruction { OTHER, CALL, RETURN, SYSCALL };

int traced_read(const struct traced_process *t, void *to, size_t size, uint64_t address)
{
	struct iovec local = { .iov_base = to, .iov_len = size };
	struct iovec remote = { .iov_base = (void *)address, .iov_len = size };

	return process_vm_readv(t->pid, &local, 1, &remote, 1, 0) == (ssize_t)size ? 0 : -1;
}

static int open_module(const struct traced_process *t, const char *name, uint64_t start,
		       uint64_t end, uint8_t **ret_image, struct elf_file **ret)
{
	_cleanup_close_ int fd = -1;

	if (strcmp(name, "[vdso]")) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
		return fd < 0 ? -errno : elf_file_open_fd(fd, ret);
	}
	*ret_image = malloc(end - start);
	if (!*ret_image || traced_read(t, *ret_image, end - start, start))
		return -EIO;
	return elf_file_open_memory(*ret_image, end - start, ret);
}

static int add_module(struct traced_process *t, const char *name, struct elf_file *elf)
{
	struct traced_module *m;

	if (alloc_grow(&t->modules, &t->module_capacity, t->module_count + 1) < 0)
		return -1;
	m = &t->modules[t->module_count];
	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%s", name);
	if (unwind_table_build(elf, t->pool, &m->table) < 0)
		return -1;
	return (int)t->module_count++;
}

/* What is mapped there: a file whose table is built when it is seen for the first time. */
static void fill_mapping(struct traced_process *t, struct traced_mapping *mapping, const char *name,
			 uint64_t offset)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_free_ uint8_t *image = NULL;
	uint64_t address;
	size_t i;

	mapping->module = -1;
	if (open_module(t, name, mapping->start, mapping->end, &image, &elf) < 0 ||
	    elf_file_offset_to_address(elf, offset, &address) < 0)
		return;
	mapping->bias = mapping->start - address;
	for (i = 0; i < t->module_count; i++) {
		if (!strcmp(t->modules[i].name, name)) {
			mapping->module = (int)i;
			return;
		}
	}
	mapping->module = add_module(t, name, elf);
}

static int read_mappings(struct traced_process *t)
{
	char path[64], line[512], name[256], rights[8];
	_cleanup_fclose_ FILE *f = NULL;
	struct traced_mapping mapping;
	unsigned long start, end, offset;

	snprintf(path, sizeof(path), "/proc/%d/maps", t->pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	t->mapping_count = 0;
	while (fgets(line, sizeof(line), f)) {
		name[0] = 0;
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %255s", &start, &end, rights, &offset,
			   name) < 4 ||
		    rights[2] != 'x' || !strcmp(name, "[vsyscall]"))
			continue;
		mapping = (struct traced_mapping){ .start = start, .end = end };
		fill_mapping(t, &mapping, name, offset);
		if (alloc_grow(&t->mappings, &t->mapping_capacity, t->mapping_count + 1) < 0)
			return -1;
		t->mappings[t->mapping_count++] = mapping;
	}
	return 0;
}

const struct traced_mapping *traced_mapping(const struct traced_process *t, uint64_t address)
{
	size_t i;

	for (i = 0; i < t->mapping_count; i++) {
		if (address >= t->mappings[i].start && address < t->mappings[i].end)
			return &t->mappings[i];
	}
	return NULL;
}

struct unwind_rule traced_rule(const struct traced_process *t, uint64_t address)
{
	const struct traced_mapping *m = traced_mapping(t, address);

	if (!m || m->module < 0)
		return (struct unwind_rule){ 0 };
	return rule_pool_rule(t->pool,
			      unwind_table_find(&t->modules[m->module].table, address - m->bias));
}

/* Waits for the child to stop. A signal it got is kept for the next step. */
static int wait_stop(struct traced_process *t)
{
	int status;

	if (waitpid(t->pid, &status, 0) != t->pid)
		return -1;
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		t->ended = true;
		t->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return -1;
	}
	t->signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	return ptrace(PTRACE_GETREGS, t->pid, 0, &t->regs) ? -1 : 0;
}

static uint64_t read_entry(pid_t pid)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[64];
	uint64_t pair[2];

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	file = fopen(path, "re");
	while (file && fread(pair, sizeof(pair), 1, file) == 1)
		if (pair[0] == AT_ENTRY)
			return pair[1];
	return 0;
}

struct traced_process *traced_start(const char *const argv[])
{
	_cleanup_(traced_freep) struct traced_process *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->code_page = 1;
	t->pool = rule_pool_new(65536);
	t->pid = fork();
	if (t->pid == 0) {
		personality(ADDR_NO_RANDOMIZE);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (t->pid < 0 || !t->pool || wait_stop(t) || read_mappings(t))
		return NULL;
	t->entry = read_entry(t->pid);
	return take_ptr(t);
}

struct traced_process *traced_free(struct traced_process *t)
{
	size_t i;

	if (!t)
		return NULL;
	if (t->pid > 0 && !t->ended) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
	}
	for (i = 0; i < t->module_count; i++)
		unwind_table_done(&t->modules[i].table);
	rule_pool_free(t->pool);
	free(t->modules);
	free(t->mappings);
	free(t);
	return NULL;
}

static void read_code(struct traced_process *t, uint64_t address, uint8_t *to, size_t size)
{
	uint64_t page = address & ~4095ull;

	memset(to, 0, size);
	if (page != t->code_page) {
		t->code_page = traced_read(t, t->code, sizeof(t->code), page) ? 1 : page;
		if (t->code_page != page)
			return;
	}
	if (size > page + 4096 - address)
		traced_read(t, to, size, address);
	else
		memcpy(to, t->code + (address - page), size);
}

/* As much of decoding as tells what touches the stack of callers. */
static enum instruction decode(struct traced_process *t, uint64_t address)
{
	uint8_t bytes[16], *b = bytes;

	read_code(t, address, bytes, sizeof(bytes));
	/* Prefixes: segments, sizes (linkers write "addr32 call"), bnd and rep, REX. */
	while (b < bytes + 8 && (*b == 0x2e || *b == 0x3e || (*b >= 0x64 && *b <= 0x67) ||
				 *b == 0xf2 || *b == 0xf3 || (*b & 0xf0) == 0x40))
		b++;
	if (b[0] == 0xe8 || (b[0] == 0xff && (b[1] >> 3 & 7) == 2))
		return CALL;
	if (b[0] == 0xc3 || b[0] == 0xc2)
		return RETURN;
	return b[0] == 0x0f && b[1] == 0x05 ? SYSCALL : OTHER;
}

static void shadow_push(struct traced_process *t, uint64_t ip, bool exact)
{
	if (t->shadow_count == SHADOW_MAX)
		t->shadow_lost = true;
	else
		t->shadow[t->shadow_count++] = (struct shadow_frame){ .ip = ip, .exact = exact };
}

static void shadow_pop(struct traced_process *t)
{
	if (!t->shadow_count || t->shadow[--t->shadow_count].ip != t->regs.rip)
		t->shadow_lost = true;
}

/* The handler's frame is below an rt_sigframe: first the trampoline, then what was interrupted. */
static void shadow_push_signal(struct traced_process *t, uint64_t interrupted)
{
	uint64_t trampoline = 0;

	traced_read(t, &trampoline, sizeof(trampoline), t->regs.rsp);
	shadow_push(t, interrupted, true);
	shadow_push(t, trampoline, true);
}

static void follow(struct traced_process *t, enum instruction what, uint64_t call_number)
{
	uint64_t top;

	switch (what) {
	case CALL:
		if (traced_read(t, &top, sizeof(top), t->regs.rsp))
			t->shadow_lost = true;
		shadow_push(t, top, false);
		break;
	case RETURN:
		shadow_pop(t);
		break;
	case SYSCALL:
		if (call_number == SYS_rt_sigreturn)
			shadow_pop(t);
		if (call_number == SYS_mmap || call_number == SYS_mprotect ||
		    call_number == SYS_munmap)
			read_mappings(t);
		break;
	case OTHER:
		break;
	}
}

int traced_step(struct traced_process *t)
{
	uint64_t from = t->regs.rip, call_number = t->regs.rax;
	enum instruction what = decode(t, from);
	int signal = t->signal;

	do {
		if (ptrace(PTRACE_SINGLESTEP, t->pid, 0, signal) || wait_stop(t))
			return -1;
		/* Its end of a vfork() has no handler: it is not told, and steps again. */
	} while (t->signal == SIGCHLD);
	/* With a signal, the step went to its handler instead. */
	if (signal)
		shadow_push_signal(t, from);
	else if (t->regs.rip != from || !t->signal)
		follow(t, what, call_number);
	/* The dynamic linker has jumped there, musl's from within a call. */
	if (t->regs.rip == t->entry)
		t->shadow_count = 0;
	return 0;
}
