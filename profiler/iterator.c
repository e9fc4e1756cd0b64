/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/iterator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

bool iterator_is(const struct bpf_program *program)
{
	return bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

int iterator_run(const struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	int r = fd < 0 ? -errno : 0;
	char nothing[64];
	ssize_t got = 0;

	/* It writes nothing: the first read goes through all tasks. */
	while (!r && (got = read(fd, nothing, sizeof(nothing))) > 0)
		;
	if (!r && got < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return r;
}
