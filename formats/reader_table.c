/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "formats/decompress.h"
#include "formats/readers.h"
#include "profiler/base/alloc.h"

#define READ_STEP_BYTES ((size_t)64 << 10)

/* In the order they are tried. */
const struct reader reader_table[] = {
	{ .name = "pprof",
	  .detect = pprof_detect,
	  .read = pprof_read,
	  .help = "pprof profile, of wick, Go or any other tool; compressed or not" },
	{ .name = "folded",
	  .detect = folded_detect,
	  .read = folded_read,
	  .help = "a line of text per stack: wick's, or perf script through a stackcollapse" },
	{ .name = NULL },
};

static const struct reader *reader_detect(const void *bytes, size_t size)
{
	const struct reader *reader;

	for (reader = reader_table; reader->name; reader++)
		if (reader->detect(bytes, size))
			return reader;
	return NULL;
}

static int read_content(const void *bytes, size_t size, struct profile **ret,
			const struct reader **ret_reader, struct error *err)
{
	const struct reader *reader;
	int r;

	if (!size)
		return error_set(err, ERROR_FAILED, -EBADMSG, "it is empty");
	reader = reader_detect(bytes, size);
	if (!reader)
		return error_set(err, ERROR_FAILED, -EBADMSG,
				 "neither pprof nor folded stacks, by its content");
	r = reader->read(bytes, size, ret, err);
	if (r >= 0 && ret_reader)
		*ret_reader = reader;
	return r;
}

int reader_read(const void *bytes, size_t size, struct profile **ret,
		const struct reader **ret_reader, struct error *err)
{
	_cleanup_free_ uint8_t *content = NULL;
	size_t content_size;
	int r;

	if (!decompress_detect(bytes, size))
		return read_content(bytes, size, ret, ret_reader, err);
	r = decompress(bytes, size, READER_CONTENT_BYTES_MAX, &content, &content_size);
	if (r == -EFBIG)
		return error_set(err, ERROR_FAILED, r, "more than %zu MiB when uncompressed",
				 READER_CONTENT_BYTES_MAX >> 20);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "%s", r == -EBADMSG ?
				 "its compressed data is damaged or ends too early" : strerror(-r));
	return read_content(content, content_size, ret, ret_reader, err);
}

/* All of @fd, which may be a pipe. */
static int read_all(int fd, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size = 0, capacity = 0;
	ssize_t count;
	int r;

	do {
		if (size > READER_CONTENT_BYTES_MAX)
			return -EFBIG;
		r = alloc_grow(&bytes, &capacity, size + READ_STEP_BYTES);
		if (r < 0)
			return r;
		do
			count = read(fd, bytes + size, capacity - size);
		while (count < 0 && errno == EINTR);
		if (count < 0)
			return -errno;
		size += (size_t)count;
	} while (count > 0);
	*ret = take_ptr(bytes);
	*ret_size = size;
	return 0;
}

int reader_read_file(const char *path, struct profile **ret, const struct reader **ret_reader,
		     struct error *err)
{
	bool standard = !strcmp(path, "-");
	const char *shown = standard ? "standard input" : path;
	_cleanup_close_ int opened = -1;
	_cleanup_free_ uint8_t *bytes = NULL;
	struct error why = { 0 };
	size_t size = 0;
	int r;

	if (!standard) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return error_set(err, ERROR_FAILED, -errno, "cannot read: %s: %s", shown,
					 strerror(errno));
	}
	r = read_all(standard ? STDIN_FILENO : opened, &bytes, &size);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot read: %s: %s", shown, strerror(-r));
	r = reader_read(bytes, size, ret, ret_reader, &why);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot read: %s: %.900s", shown,
				 why.text[0] ? why.text : strerror(-r));
	return 0;
}
