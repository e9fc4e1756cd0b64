/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - the main() of a fuzz target without libFuzzer: runs the inputs in the tree.
 *
 * Run as fuzz_NAME it takes all files of tests/fuzz/corpus/NAME and
 * tests/fuzz/found/NAME below the current folder, or those named as arguments.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "tests/fuzz/fuzz.h"

#define NAME_PREFIX "fuzz_"
#define INPUT_BYTES_MAX ((size_t)1 << 20)

/* In memory of exactly its size, so that a sanitizer sees each byte too far. */
static int replay_file(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ uint8_t *buffer = malloc(INPUT_BYTES_MAX);
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size;

	if (!file || !buffer)
		return -1;
	size = fread(buffer, 1, INPUT_BYTES_MAX, file);
	bytes = malloc(size + !size);
	if (ferror(file) || !bytes)
		return -1;
	memcpy(bytes, buffer, size);
	/* Said before it runs: it might not return. */
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, size);
	return 0;
}

/* Returns how many files there were, or -1. A folder need not be there. */
static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int count, done = 0, i;

	count = scandir(folder, &entries, NULL, alphasort);
	if (count < 0)
		return errno == ENOENT ? 0 : -1;
	for (i = 0; i < count; i++) {
		_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
		_cleanup_free_ struct dirent *entry = entries[i];

		if (entry->d_name[0] == '.' || done < 0)
			continue;
		strbuf_printf(&path, "%s/%s", folder, entry->d_name);
		done = replay_file(path.data) < 0 ? -1 : done + 1;
	}
	free(entries);
	return done;
}

static int replay_case(const char *kind, const char *name)
{
	_cleanup_strbuf_ struct strbuf folder = STRBUF_INIT;
	int count;

	strbuf_printf(&folder, "tests/fuzz/%s/%s", kind, name);
	count = replay_folder(folder.data);
	printf("%s - %s: inputs of %s\n", count < 0 ? "not ok" : "ok", name, kind);
	return count;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	int i, count;

	for (i = 1; i < argc; i++)
		if (replay_file(argv[i]) < 0)
			return 1;
	if (argc > 1)
		return 0;
	if (!strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)))
		name += strlen(NAME_PREFIX);
	count = replay_case("corpus", name);
	/* Without a beginning a search gets nowhere: somebody forgot it. */
	if (!count)
		printf("not ok - %s: has a corpus\n", name);
	return count <= 0 || replay_case("found", name) < 0;
}
