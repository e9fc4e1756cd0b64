/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/frame_kind.h"

#include <fnmatch.h>
#include <string.h>

#include "profiler/base/cleanup.h"

#define MARK_BEGIN "[incomplete:"

/* Tasks that have no user stack at all. */
static const char *const marks[] = { "[exiting]", "[exec]" };

/* The first that fits. Kernel modules are "[name]", as perf calls them. */
static const struct {
	const char *pattern;
	enum frame_kind kind;
} mapping_kinds[] = {
	{ "//anon*", FRAME_KIND_JIT },
	{ "*/perf-*.map", FRAME_KIND_JIT },
	{ "*/jitted-*.so", FRAME_KIND_JIT },
	{ "\\[anon*", FRAME_KIND_JIT },
	{ "\\[heap\\]", FRAME_KIND_JIT },
	{ "\\[stack*", FRAME_KIND_JIT },
	{ "\\[vdso\\]", FRAME_KIND_NATIVE },
	{ "\\[vsyscall\\]", FRAME_KIND_NATIVE },
	{ "\\[uprobes\\]", FRAME_KIND_NATIVE },
	{ "\\[*\\]", FRAME_KIND_KERNEL },
};

enum frame_kind frame_kind_of_mapping(const char *file)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mapping_kinds); i++)
		if (!fnmatch(mapping_kinds[i].pattern, file, 0))
			return mapping_kinds[i].kind;
	return FRAME_KIND_NATIVE;
}

bool frame_is_mark(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strcmp(name, marks[i]))
			return true;
	return !strncmp(name, MARK_BEGIN, strlen(MARK_BEGIN));
}
