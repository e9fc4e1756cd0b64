/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/multi_attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "profiler/sources/program_features.h"

#define RETURN_FLAG 1	/* BPF_F_UPROBE_MULTI_RETURN, BPF_F_KPROBE_MULTI_RETURN */

/* BPF_LINK_CREATE as newer kernels have it. */
union link_create {
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		union {
			struct {
				uint64_t path, offsets, ref_ctr_offsets, cookies;
				uint32_t cnt, flags, pid, reserved;
			} uprobe;
			struct {
				uint32_t flags, cnt;
				uint64_t syms, addrs, cookies;
			} kprobe;
		};
	};
	char bytes[128];
};

static int link_create(union link_create *attr)
{
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(*attr));

	return fd < 0 ? -errno : fd;
}

bool multi_attach_is_possible(unsigned int type)
{
	static const char *const known[] = { "vfs_read" };
	const uint64_t zero = 0;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	_cleanup_close_ int program = program_load_nothing(BPF_PROG_TYPE_KPROBE, &opts), link = -1;
	const struct multi_attach folder = { .program_fd = program, .path = "/", .count = 1,
					     .offsets = &zero, .cookies = &zero },
				  function = { .program_fd = program, .count = 1,
					       .symbols = known, .cookies = &zero };

	if (program < 0)
		return false;
	link = multi_attach(type == MULTI_ATTACH_UPROBE ? &folder : &function);
	/* That it is no regular file is said only by kernels that look at it. */
	return link >= 0 || (type == MULTI_ATTACH_UPROBE && link == -EBADF);
}

int multi_attach(const struct multi_attach *what)
{
	union link_create attr;
	uint32_t flags = what->by_return_address ? RETURN_FLAG : 0;

	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = what->program_fd;
	if (what->path) {
		attr.attach_type = MULTI_ATTACH_UPROBE;
		attr.uprobe.path = (uintptr_t)what->path;
		attr.uprobe.offsets = (uintptr_t)what->offsets;
		attr.uprobe.ref_ctr_offsets = (uintptr_t)what->semaphores;
		attr.uprobe.cookies = (uintptr_t)what->cookies;
		attr.uprobe.cnt = what->count;
		attr.uprobe.flags = flags;
	} else {
		attr.attach_type = MULTI_ATTACH_KPROBE;
		attr.kprobe.syms = (uintptr_t)what->symbols;
		attr.kprobe.cookies = (uintptr_t)what->cookies;
		attr.kprobe.cnt = what->count;
		attr.kprobe.flags = flags;
	}
	return link_create(&attr);
}
