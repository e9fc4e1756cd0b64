/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_probe_kernel.c - tracepoints by record and by argument, packets, and counters, of what the test
 * itself does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/probe_rig.h"
#include "tests/unit/unit.h"

#define CALLS 200
#define PAGES 1000
#define PAGE 4096
#define PERIOD 10
#define HELLO "hello"

#define EQUALS(value, number, yes, no)                                             \
	{ .left = (value), .right = PROBE_RIGHT_CONSTANT, .constant = (number),    \
	  .if_true = (yes), .if_false = (no) }

static struct probe_rig rig_of(const char *object, const char *const *programs,
			       const struct probe_site *site)
{
	return (struct probe_rig){ .object = object, .programs = programs, .sites = site,
				   .site_count = site ? 1 : 0, .settings.deliver_events = 1 };
}

/* ---- tracepoints ---- */

static const char *const tracepoint[] = { "tracepoint_hit", NULL };
static const char *const rawtp[] = { "rawtp_hit", NULL };

static void test_record(void **state)
{
	/* sched:sched_process_exec, as its format says: filename, pid, old_pid. */
	struct probe_site site = {
		.value_count = 4,
		.sum = PROBE_NO_VALUE,
		.values = { { .base = PROBE_BASE_RECORD, .offset = 8, .form = PROBE_TEXT,
			      .flags = PROBE_FETCH_DATA_LOC, .size = 64 },
			    { .base = PROBE_BASE_RECORD, .offset = 12, .bytes = 4,
			      .flags = PROBE_FETCH_MEMORY | PROBE_FETCH_SIGNED },
			    { .base = PROBE_BASE_COMM, .form = PROBE_TEXT, .size = 16 },
			    { .base = PROBE_BASE_COMMAND, .form = PROBE_BYTES, .size = 64,
			      .flags = PROBE_FETCH_USER } },
		.term_count = 1,
	};
	struct probe_rig rig = rig_of("tracepoint", tracepoint, &site);
	const struct window_event *event;
	int pipes[2], status;
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child) {
		if (read(pipes[0], &byte, 1) == 1)
			execl("/bin/true", "true", "first", "2nd", NULL);
		_exit(127);
	}
	site.terms[0] = (struct probe_term)EQUALS(1, (uint64_t)child, PROBE_ACCEPT, PROBE_REJECT);
	probe_rig_open(&rig);
	probe_rig_keep(&rig,
		       bpf_program__attach_tracepoint(probe_rig_program(&rig, "tracepoint_hit"),
						      "sched", "sched_process_exec"));
	probe_rig_start(&rig);
	assert_int_equal(write(pipes[1], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 1);
	event = probe_rig_event(&rig, 0);
	probe_rig_check_text(event, 0, "/bin/true", 9);
	assert_int_equal(event->values->value[1], child);
	probe_rig_check_text(event, 2, "true", 4);
	probe_rig_check_text(event, 3, "true\0first\0002nd", 15);
	close(pipes[0]);
	close(pipes[1]);
	probe_rig_close(&rig);
}

static void rig_begin_rawtp(struct probe_rig *rig, const char *name, unsigned int words)
{
	rig->settings.option[PROBE_OPTION_WORDS] = words;
	probe_rig_open(rig);
	probe_rig_keep(rig, bpf_program__attach_raw_tracepoint(probe_rig_program(rig, "rawtp_hit"),
							       name));
	probe_rig_start(rig);
}

static void test_words(void **state)
{
	/* sys_enter(regs, id): a system call that nobody else makes, with an argument of it. */
	struct probe_site site = {
		.value_count = 3,
		.sum = 2,
		.values = { { .base = PROBE_BASE_WORD, .index = 1, .bytes = 8 },
			    { .base = PROBE_BASE_TID, .bytes = 4 },
			    /* regs->di */
			    { .base = PROBE_BASE_WORD, .index = 0, .bytes = 8, .offset = 14 * 8,
			      .flags = PROBE_FETCH_MEMORY } },
		.term_count = 2,
		.terms = { EQUALS(0, SYS_getpgid, 1, PROBE_REJECT),
			   EQUALS(1, (uint64_t)gettid(), PROBE_ACCEPT, PROBE_REJECT) },
	};
	struct probe_rig rig = rig_of("rawtp", rawtp, &site);

	rig_begin_rawtp(&rig, "sys_enter", 2);
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getpgid, 0x40000000 + i);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), CALLS);
	for (int i = 0; i < CALLS; i++)
		assert_int_equal(probe_rig_event(&rig, i)->sample.value.sum, 0x40000000 + i);
	probe_rig_close(&rig);
}

/* ---- packets ---- */

enum { SKB, SOCKET, FIRST, FIELDS = FIRST + PROBE_PACKET_FIELD_COUNT };
#define FIELD(name) (FIRST + PROBE_PACKET_##name)

/* Every field of the packet that word @word points to, of those from or to @port; word 0 may be its socket. */
static struct probe_site packet_site(unsigned int word, uint16_t port)
{
	struct probe_site site = {
		.value_count = FIELDS,
		.sum = PROBE_NO_VALUE,
		.term_count = 2,
		.terms = { EQUALS(FIELD(SOURCE_PORT), port, PROBE_ACCEPT, 1),
			   EQUALS(FIELD(DESTINATION_PORT), port, PROBE_ACCEPT, PROBE_REJECT) },
	};

	site.values[SKB] = (struct probe_fetch){ .base = PROBE_BASE_WORD, .index = word,
						 .bytes = 8 };
	site.values[SOCKET] = (struct probe_fetch){ .base = PROBE_BASE_WORD, .bytes = 8 };
	for (unsigned int i = 0; i < PROBE_PACKET_FIELD_COUNT; i++)
		site.values[FIRST + i] =
			(struct probe_fetch){ .base = PROBE_BASE_PACKET, .index = i, .from = SKB,
					      .size_value = word ? 1 + SOCKET : 0, .bytes = 8 };
	site.values[FIELD(SOURCE)].form = site.values[FIELD(DESTINATION)].form = PROBE_BYTES;
	return site;
}

/* An address of the machine itself, with a port of its own. */
static int local_socket(int family, int type, struct sockaddr_storage *ret, uint16_t *ret_port)
{
	int fd = socket(family, type, 0);
	struct sockaddr_in *ip4 = (void *)ret;
	struct sockaddr_in6 *ip6 = (void *)ret;
	socklen_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = family;
	if (family == AF_INET)
		ip4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		ip6->sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (void *)ret, family == AF_INET ? sizeof(*ip4) : sizeof(*ip6))) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (void *)ret, &size), 0);
	*ret_port = ntohs(ip4->sin_port);
	return fd;
}

static void check_udp(int family, const void *address, size_t address_bytes)
{
	struct sockaddr_storage to, from;
	uint16_t port, from_port;
	int receiver = local_socket(family, SOCK_DGRAM, &to, &port);
	int sender = local_socket(family, SOCK_DGRAM, &from, &from_port);
	struct probe_site site = packet_site(0, port);
	struct probe_rig rig = rig_of("rawtp", rawtp, &site);
	const struct window_event *event;
	const uint64_t *values;

	if (receiver < 0) {
		print_message("skipped: no such addresses here\n");
		skip();
	}
	rig_begin_rawtp(&rig, "net_dev_start_xmit", 1);
	for (int i = 0; i < CALLS; i++)
		assert_int_equal(sendto(sender, HELLO, strlen(HELLO), 0, (void *)&to, sizeof(to)),
				 strlen(HELLO));
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), CALLS);
	event = probe_rig_event(&rig, CALLS - 1);
	values = event->values->value;
	/* There are no flags in it. */
	assert_int_equal(event->values->unreadable & ~(1 << FIELD(STATE)), 1 << FIELD(TCP_FLAGS));
	assert_int_equal(values[FIELD(FAMILY)], family == AF_INET ? 4 : 6);
	assert_int_equal(values[FIELD(PROTOCOL)], IPPROTO_UDP);
	probe_rig_check_text(event, FIELD(SOURCE), address, address_bytes);
	probe_rig_check_text(event, FIELD(DESTINATION), address, address_bytes);
	assert_int_equal(values[FIELD(SOURCE_PORT)], from_port);
	assert_int_equal(values[FIELD(DESTINATION_PORT)], port);
	/* Headers of Ethernet, IP and UDP. */
	assert_int_equal(values[FIELD(BYTES)],
			 14 + (family == AF_INET ? 20 : 40) + 8 + strlen(HELLO));
	close(receiver);
	close(sender);
	probe_rig_close(&rig);
}

static void test_udp4(void **state)
{
	static const uint8_t address[] = { 127, 0, 0, 1 };

	check_udp(AF_INET, address, sizeof(address));
}

static void test_udp6(void **state)
{
	static const uint8_t address[16] = { [15] = 1 };

	check_udp(AF_INET6, address, sizeof(address));
}

#define SYN 2
#define ACK 16
#define SYN_SENT 2

static void test_tcp(void **state)
{
	struct sockaddr_storage to;
	uint16_t port;
	int listener = local_socket(AF_INET, SOCK_STREAM, &to, &port);
	int sender = socket(AF_INET, SOCK_STREAM, 0);
	struct probe_site site = packet_site(0, port);
	struct probe_rig rig = rig_of("rawtp", rawtp, &site);
	const uint64_t *values;

	assert_int_equal(listen(listener, 5), 0);
	rig_begin_rawtp(&rig, "net_dev_start_xmit", 1);
	assert_int_equal(connect(sender, (void *)&to, sizeof(struct sockaddr_in)), 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 3);
	values = probe_rig_event(&rig, 0)->values->value;
	assert_int_equal(values[FIELD(TCP_FLAGS)], SYN);
	assert_int_equal(values[FIELD(STATE)], SYN_SENT);
	assert_int_equal(values[FIELD(DESTINATION_PORT)], port);
	values = probe_rig_event(&rig, 1)->values->value;
	assert_int_equal(values[FIELD(TCP_FLAGS)], SYN | ACK);
	assert_int_equal(values[FIELD(SOURCE_PORT)], port);
	values = probe_rig_event(&rig, 2)->values->value;
	assert_int_equal(values[FIELD(TCP_FLAGS)], ACK);
	assert_int_equal(values[FIELD(PROTOCOL)], IPPROTO_TCP);
	close(listener);
	close(sender);
	probe_rig_close(&rig);
}

/* A listener that has no more places answers nothing: what is sent to it is sent again. */
static void test_retransmission(void **state)
{
	static const uint8_t address[] = { 127, 0, 0, 1 };
	struct sockaddr_storage to;
	uint16_t port;
	int listener = local_socket(AF_INET, SOCK_STREAM, &to, &port), senders[4];
	struct probe_site site = packet_site(1, port);
	struct probe_rig rig = rig_of("rawtp", rawtp, &site);
	const struct window_event *event;

	assert_int_equal(listen(listener, 0), 0);
	rig_begin_rawtp(&rig, "tcp_retransmit_skb", 2);
	for (size_t i = 0; i < 4; i++) {
		senders[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(!connect(senders[i], (void *)&to, sizeof(struct sockaddr_in)) ||
			    errno == EINPROGRESS);
	}
	for (int i = 0; i < 40 && !probe_rig_counter(&rig, WICK_COUNTER_TAKEN); i++)
		usleep(100000);
	probe_rig_stop(&rig);
	assert_true(probe_rig_event_count(&rig) > 0);
	/* It has no headers of its own yet. */
	event = probe_rig_event(&rig, 0);
	assert_int_equal(event->values->unreadable, 0);
	assert_int_equal(event->values->value[FIELD(FAMILY)], 4);
	assert_int_equal(event->values->value[FIELD(PROTOCOL)], IPPROTO_TCP);
	assert_int_equal(event->values->value[FIELD(DESTINATION_PORT)], port);
	assert_int_equal(event->values->value[FIELD(TCP_FLAGS)], SYN);
	assert_int_equal(event->values->value[FIELD(STATE)], SYN_SENT);
	probe_rig_check_text(event, FIELD(SOURCE), address, 4);
	probe_rig_check_text(event, FIELD(DESTINATION), address, 4);
	for (size_t i = 0; i < 4; i++)
		close(senders[i]);
	close(listener);
	probe_rig_close(&rig);
}

static void test_no_packet(void **state)
{
	/* The words of sys_enter are no packet; that of a number even less. */
	struct probe_site site = packet_site(1, 0);
	struct probe_rig rig = rig_of("rawtp", rawtp, &site);

	site.terms[0] = (struct probe_term)EQUALS(SKB, SYS_getpgid, PROBE_ACCEPT, PROBE_REJECT);
	site.term_count = 1;
	rig_begin_rawtp(&rig, "sys_enter", 2);
	syscall(SYS_getpgid, 0);
	probe_rig_stop(&rig);
	assert_true(probe_rig_event_count(&rig) > 0);
	assert_int_equal(probe_rig_event(&rig, 0)->values->unreadable,
			 (1 << FIELDS) - (1 << FIRST));
	probe_rig_close(&rig);
}

/* ---- counters ---- */

static void test_counter(void **state)
{
	static const char *const programs[] = { "perf_counter", NULL };
	struct probe_rig rig = rig_of("perf_counter", programs, NULL);
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
					.config = PERF_COUNT_SW_PAGE_FAULTS,
					.sample_period = PERIOD, .disabled = 1 };
	struct window_sample sample;
	size_t position = 0;
	uint64_t sum = 0;
	char *memory;
	int fd;

	rig.settings.deliver_events = 0;
	probe_rig_open(&rig);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	assert_true(fd >= 0);
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE), 0);
	probe_rig_keep(&rig,
		       bpf_program__attach_perf_event(probe_rig_program(&rig, "perf_counter"), fd));
	probe_rig_start(&rig);
	for (size_t i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1;
	probe_rig_stop(&rig);
	munmap(memory, PAGES * PAGE);
	while (window_next_sample(rig.window, &position, &sample))
		sum += sample.value.sum;
	assert_int_equal(sum, probe_rig_counter(&rig, WICK_COUNTER_TAKEN) * PERIOD);
	assert_in_range(sum, PAGES - PERIOD, PAGES + PAGES / 10);
	probe_rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("fields of a tracepoint's record", test_record),
		UNIT_TEST("arguments of a raw tracepoint", test_words),
		UNIT_TEST("a packet says who sent what to whom", test_udp4),
		UNIT_TEST("also by IPv6", test_udp6),
		UNIT_TEST("the packets that open a connection, by their flags", test_tcp),
		UNIT_TEST("a packet without headers has its socket's addresses",
			  test_retransmission),
		UNIT_TEST("what is no packet has nothing to read", test_no_packet),
		UNIT_TEST("samples of a counter stand for their period", test_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
