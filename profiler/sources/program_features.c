/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/program_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stddef.h>

#include "profiler/base/cleanup.h"

int program_load_nothing(unsigned int type, const struct bpf_prog_load_opts *opts)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, NULL, "GPL", nothing, ARRAY_SIZE(nothing), opts);
}

bool program_may_load(void)
{
	_cleanup_close_ int fd = program_load_nothing(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);

	return fd >= 0;
}

bool program_has_cookies(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_attach_cookie, NULL) ==
	       1;
}

bool program_may_wait(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	_cleanup_close_ int fd = program_load_nothing(BPF_PROG_TYPE_KPROBE, &opts);

	return fd >= 0;
}

/* What counts the runs that were prevented came with it. */
bool program_trampolines_guard(void)
{
	_cleanup_close_ int fd = program_load_nothing(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) &&
	       size >= offsetof(struct bpf_prog_info, recursion_misses) +
			       sizeof(info.recursion_misses);
}

bool program_has_trampoline(uint32_t btf_id, bool at_return)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = at_return ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY,
		    .attach_btf_id = btf_id);
	_cleanup_close_ int program = program_load_nothing(BPF_PROG_TYPE_TRACING, &opts);
	_cleanup_close_ int link = program < 0 ? -1 : bpf_raw_tracepoint_open(NULL, program);

	return link >= 0;
}
