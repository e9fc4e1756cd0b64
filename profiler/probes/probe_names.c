/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_names.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "bpf/sample_abi.h"

static const struct named_number {
	enum probe_show show;
	uint64_t number;
	const char *name;
} named_numbers[] = {
	{ PROBE_SHOW_PROTOCOL, 1, "ICMP" },	   { PROBE_SHOW_PROTOCOL, 2, "IGMP" },
	{ PROBE_SHOW_PROTOCOL, 4, "IPIP" },	   { PROBE_SHOW_PROTOCOL, 6, "TCP" },
	{ PROBE_SHOW_PROTOCOL, 17, "UDP" },	   { PROBE_SHOW_PROTOCOL, 41, "IPV6" },
	{ PROBE_SHOW_PROTOCOL, 47, "GRE" },	   { PROBE_SHOW_PROTOCOL, 50, "ESP" },
	{ PROBE_SHOW_PROTOCOL, 58, "ICMPV6" },	   { PROBE_SHOW_PROTOCOL, 132, "SCTP" },
	{ PROBE_SHOW_TCP_FLAGS, 1, "FIN" },	   { PROBE_SHOW_TCP_FLAGS, 2, "SYN" },
	{ PROBE_SHOW_TCP_FLAGS, 4, "RST" },	   { PROBE_SHOW_TCP_FLAGS, 8, "PSH" },
	{ PROBE_SHOW_TCP_FLAGS, 16, "ACK" },	   { PROBE_SHOW_TCP_FLAGS, 32, "URG" },
	{ PROBE_SHOW_TCP_FLAGS, 64, "ECE" },	   { PROBE_SHOW_TCP_FLAGS, 128, "CWR" },
	{ PROBE_SHOW_TCP_STATE, 1, "ESTABLISHED" }, { PROBE_SHOW_TCP_STATE, 2, "SYN_SENT" },
	{ PROBE_SHOW_TCP_STATE, 3, "SYN_RECV" },   { PROBE_SHOW_TCP_STATE, 4, "FIN_WAIT1" },
	{ PROBE_SHOW_TCP_STATE, 5, "FIN_WAIT2" },  { PROBE_SHOW_TCP_STATE, 6, "TIME_WAIT" },
	{ PROBE_SHOW_TCP_STATE, 7, "CLOSE" },	   { PROBE_SHOW_TCP_STATE, 8, "CLOSE_WAIT" },
	{ PROBE_SHOW_TCP_STATE, 9, "LAST_ACK" },   { PROBE_SHOW_TCP_STATE, 10, "LISTEN" },
	{ PROBE_SHOW_TCP_STATE, 11, "CLOSING" },   { PROBE_SHOW_TCP_STATE, 12, "NEW_SYN_RECV" },
};

/* What the C library has two names for. */
static const struct named_number errno_aliases[] = {
	{ PROBE_SHOW_ERRNO, EWOULDBLOCK, "EWOULDBLOCK" },
	{ PROBE_SHOW_ERRNO, EDEADLOCK, "EDEADLOCK" },
	{ PROBE_SHOW_ERRNO, ENOTSUP, "ENOTSUP" },
};

static const char *without_prefix(enum probe_show show, const char *name)
{
	const char *prefix = show == PROBE_SHOW_PROTOCOL ? "IPPROTO_" : "TCP_";

	return strncasecmp(name, prefix, strlen(prefix)) ? name : name + strlen(prefix);
}

static int find_errno(const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(errno_aliases); i++) {
		if (!strcmp(errno_aliases[i].name, name)) {
			*ret = errno_aliases[i].number;
			return 0;
		}
	}
	for (uint64_t number = 1; number <= WICK_ERRNO_MAX; number++) {
		const char *known = probe_name(PROBE_SHOW_ERRNO, number);

		if (known && !strcmp(known, name)) {
			*ret = number;
			return 0;
		}
	}
	return -ENOENT;
}

int probe_name_find(enum probe_show show, const char *name, uint64_t *ret)
{
	const char *bare;

	/* The kernel's own names need no value that is shown by them. */
	if (!strncmp(name, "IPPROTO_", 8))
		show = PROBE_SHOW_PROTOCOL;
	else if (!strncmp(name, "TCP_", 4) && show != PROBE_SHOW_TCP_FLAGS)
		show = PROBE_SHOW_TCP_STATE;
	bare = without_prefix(show, name);
	for (size_t i = 0; i < ARRAY_SIZE(named_numbers); i++) {
		if (named_numbers[i].show == show && !strcasecmp(named_numbers[i].name, bare)) {
			*ret = named_numbers[i].number;
			return 0;
		}
	}
	return name[0] == 'E' ? find_errno(name, ret) : -ENOENT;
}

const char *probe_name(enum probe_show show, uint64_t number)
{
	if (show == PROBE_SHOW_ERRNO)
		return number <= WICK_ERRNO_MAX ? strerrorname_np(number) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(named_numbers); i++)
		if (named_numbers[i].show == show && named_numbers[i].number == number)
			return named_numbers[i].name;
	return NULL;
}
