/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "profiler/base/cleanup.h"
#include "tools/record_write.h"

static const struct path_case {
	const char *name;
	const char *path, *suffix, *source;
	const char *expected;
} path_cases[] = {
	{ "the source comes before the suffix", "x.folded", ".folded", "cpu", "x.cpu.folded" },
	{ "a folder stays", "/tmp/a.b/x.folded", ".folded", "cpu", "/tmp/a.b/x.cpu.folded" },
	{ "a long suffix is one", "x.speedscope.json", ".speedscope.json", "cpu",
	  "x.cpu.speedscope.json" },
	{ "without the suffix it comes last", "out", ".folded", "cpu", "out.cpu" },
	{ "another suffix is part of the name", "out.txt", ".folded", "cpu", "out.txt.cpu" },
	{ "a slash in a source is none in a path", "x.folded", ".folded", "uprobe:/bin/sh:f",
	  "x.uprobe:_bin_sh:f.folded" },
};

static void path_row(void **state)
{
	const struct path_case *c = *state;
	_cleanup_free_ char *path = record_source_path(c->path, c->suffix, c->source);

	assert_string_equal(path, c->expected);
}

int main(void)
{
	return unit_run_rows("paths by source", path_row, UNIT_ROWS(path_cases));
}
