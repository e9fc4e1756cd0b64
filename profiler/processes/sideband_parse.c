/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/sideband_parse.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Bodies as perf_event.h describes them, without the header before and the trailer behind. */
struct mmap2_body {
	uint32_t pid, tid;
	uint64_t address, length, offset;
	union {
		struct {
			uint32_t major, minor;
			uint64_t inode, inode_generation;
		};
		struct {
			uint8_t build_id_size, reserved[3];
			uint8_t build_id[20];
		};
	};
	uint32_t protection, flags;
	char path[];
};

struct comm_body {
	uint32_t pid, tid;
	char comm[];
};

struct task_body {
	uint32_t pid, parent_pid;
	uint32_t tid, parent_tid;
	uint64_t time_ns;
};

struct lost_body {
	uint64_t id, lost;
};

struct trailer {
	uint32_t pid, tid;
	uint64_t time_ns;
};

/* Whether the text at @offset of the body ends within its @size bytes. */
static int text_ends(const void *body, size_t size, size_t offset)
{
	return size > offset && memchr((const char *)body + offset, 0, size - offset);
}

static int parse_mmap2(uint16_t misc, const void *bytes, size_t size, struct notice *ret)
{
	const struct mmap2_body *body = bytes;

	if (!text_ends(bytes, size, sizeof(*body)))
		return -EBADMSG;
	ret->type = NOTICE_MMAP;
	ret->is_data = misc & PERF_RECORD_MISC_MMAP_DATA;
	ret->pid = body->pid;
	ret->tid = body->tid;
	ret->address = body->address;
	ret->length = body->length;
	ret->offset = body->offset;
	ret->path = body->path;
	if (!(misc & PERF_RECORD_MISC_MMAP_BUILD_ID)) {
		ret->device = makedev(body->major, body->minor);
		ret->inode = body->inode;
		return 0;
	}
	if (body->build_id_size > sizeof(body->build_id))
		return -EBADMSG;
	ret->build_id.size = body->build_id_size;
	memcpy(ret->build_id.bytes, body->build_id, body->build_id_size);
	return 0;
}

static int parse_exec(const void *bytes, size_t size, struct notice *ret)
{
	const struct comm_body *body = bytes;

	if (!text_ends(bytes, size, sizeof(*body)))
		return -EBADMSG;
	ret->type = NOTICE_EXEC;
	ret->pid = body->pid;
	ret->tid = body->tid;
	ret->path = body->comm;
	return 0;
}

static int parse_task(enum notice_type type, const void *bytes, size_t size, struct notice *ret)
{
	const struct task_body *body = bytes;

	if (size < sizeof(*body))
		return -EBADMSG;
	ret->type = type;
	ret->pid = body->pid;
	ret->tid = body->tid;
	ret->parent_pid = body->parent_pid;
	ret->path = "";
	return 0;
}

static int parse_lost(const void *bytes, size_t size, uint64_t *ret)
{
	const struct lost_body *body = bytes;

	if (size < sizeof(*body))
		return -EBADMSG;
	*ret = body->lost;
	return 0;
}

/* A process: threads of one share its mappings, and their comings and goings change nothing. */
static enum sideband_kind notice_kind(const struct notice *notice)
{
	if (notice->type == NOTICE_FORK && notice->pid == notice->parent_pid)
		return SIDEBAND_OTHER;
	if (notice->type == NOTICE_EXIT && notice->pid != notice->tid)
		return SIDEBAND_OTHER;
	return SIDEBAND_NOTICE;
}

static int parse_body(const struct perf_event_header *header, const void *body, size_t size,
		      struct sideband_record *ret)
{
	int r;

	switch (header->type) {
	case PERF_RECORD_MMAP2:
		r = parse_mmap2(header->misc, body, size, &ret->notice);
		break;
	case PERF_RECORD_COMM:
		if (!(header->misc & PERF_RECORD_MISC_COMM_EXEC))
			return 0;
		r = parse_exec(body, size, &ret->notice);
		break;
	case PERF_RECORD_FORK:
		r = parse_task(NOTICE_FORK, body, size, &ret->notice);
		break;
	case PERF_RECORD_EXIT:
		r = parse_task(NOTICE_EXIT, body, size, &ret->notice);
		break;
	case PERF_RECORD_LOST:
		ret->kind = SIDEBAND_LOST;
		return parse_lost(body, size, &ret->lost);
	default:
		return 0;
	}
	ret->kind = notice_kind(&ret->notice);
	return r;
}

int sideband_parse(const void *bytes, size_t size, struct sideband_record *ret)
{
	const struct perf_event_header *header = bytes;
	struct sideband_record record = { .kind = SIDEBAND_OTHER };
	struct trailer trailer;
	int r;

	if (size < sizeof(*header) + sizeof(trailer) || header->size != size)
		return -EBADMSG;
	size -= sizeof(*header) + sizeof(trailer);
	r = parse_body(header, header + 1, size, &record);
	if (r < 0)
		return r;
	memcpy(&trailer, (const char *)(header + 1) + size, sizeof(trailer));
	record.notice.time_ns = trailer.time_ns;
	*ret = record;
	return 0;
}
