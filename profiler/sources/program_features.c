/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/program_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "profiler/base/cleanup.h"

int program_load_nothing(unsigned int type, const struct bpf_prog_load_opts *opts)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, NULL, "GPL", nothing, ARRAY_SIZE(nothing), opts);
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

bool program_has_trampoline(uint32_t btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = btf_id);
	_cleanup_close_ int program = program_load_nothing(BPF_PROG_TYPE_TRACING, &opts);
	_cleanup_close_ int link = program < 0 ? -1 : bpf_raw_tracepoint_open(NULL, program);

	return link >= 0;
}
