/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/trampoline.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "profiler/base/cleanup.h"

bool trampoline_is_possible(const char *function)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int id = libbpf_find_vmlinux_btf_id(function, BPF_TRACE_FENTRY);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = id);
	_cleanup_close_ int program = -1, link = -1;

	if (id < 0)
		return false;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", nothing, ARRAY_SIZE(nothing),
				&opts);
	if (program >= 0)
		link = bpf_raw_tracepoint_open(NULL, program);
	return link >= 0;
}
