/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_packet.bpf.h - who a packet is from and to: of an sk_buff, by its headers.
 *
 * What a socket sends has no headers yet while TCP handles it: then the socket says it, which the sk_buff
 * does not know yet, either, but the probe may. A part of probe_fetch.bpf.h.
 */
#ifndef WICK_PROBE_PACKET_BPF_H
#define WICK_PROBE_PACKET_BPF_H

#define PACKET_IPPROTO_TCP 6
#define PACKET_IPPROTO_UDP 17
#define PACKET_IPPROTO_DCCP 33
#define PACKET_IPPROTO_SCTP 132
#define PACKET_IPPROTO_UDPLITE 136
/* Of IPv6: headers in between, of which a packet has at most a few. */
#define PACKET_HOP_BY_HOP 0
#define PACKET_ROUTING 43
#define PACKET_FRAGMENT 44
#define PACKET_DESTINATION_OPTIONS 60
#define PACKET_EXTENSIONS_MAX 4
#define PACKET_AF_INET 2
#define PACKET_AF_INET6 10
#define PACKET_HEADER_UNSET 0xffff
#define PACKET_FRAGMENT_OFFSET4 0x1fff
#define PACKET_FRAGMENT_OFFSET6 0xfff8

/* The part of an sk_buff's memory that is one piece. */
struct packet_view {
	__u64 head;
	__u32 tail;		/* offset of its end */
	__u32 at;		/* offset of the header that is looked at */
};

struct packet_ip4 {
	__u8 version_words, tos;
	__be16 bytes, id, fragment;
	__u8 ttl, protocol;
	__be16 checksum;
	__be32 source, destination;
};

struct packet_ip6 {
	__u8 version, flow[3];
	__be16 bytes;
	__u8 next, hops;
	__u64 source[2], destination[2];
};

#define packet_set(packet, name, value)                                     \
	do {                                                                \
		(packet)->number[PROBE_PACKET_##name] = (value);            \
		(packet)->known |= 1u << PROBE_PACKET_##name;               \
	} while (0)

static __always_inline int packet_read(const struct packet_view *view, void *to, __u32 bytes)
{
	if (view->at + bytes > view->tail)
		return -1;
	return bpf_probe_read_kernel(to, bytes, (void *)(view->head + view->at));
}

static __always_inline void packet_addresses(struct probe_packet *packet, __u32 bytes)
{
	packet->address_bytes = bytes;
	packet->known |= 1u << PROBE_PACKET_SOURCE | 1u << PROBE_PACKET_DESTINATION;
}

/* Ports and flags of the header behind that of IP. */
static __always_inline void packet_parse_transport(struct probe_packet *packet,
						   const struct packet_view *view, __u32 protocol)
{
	struct {
		__be16 source, destination;
		__be32 sequence, acknowledged;
		__u8 words, flags;
	} header = {};

	switch (protocol) {
	case PACKET_IPPROTO_TCP:
	case PACKET_IPPROTO_UDP:
	case PACKET_IPPROTO_DCCP:
	case PACKET_IPPROTO_SCTP:
	case PACKET_IPPROTO_UDPLITE:
		if (packet_read(view, &header, 4))
			return;
		packet_set(packet, SOURCE_PORT, bpf_ntohs(header.source));
		packet_set(packet, DESTINATION_PORT, bpf_ntohs(header.destination));
		if (protocol == PACKET_IPPROTO_TCP && !packet_read(view, &header, sizeof(header)))
			packet_set(packet, TCP_FLAGS, header.flags);
	}
}

static __always_inline void packet_parse_ip4(struct probe_packet *packet, struct packet_view *view)
{
	struct packet_ip4 header = {};

	if (packet_read(view, &header, sizeof(header)))
		return;
	packet->address[0] = header.source;
	packet->address[2] = header.destination;
	packet_addresses(packet, 4);
	packet_set(packet, FAMILY, 4);
	packet_set(packet, PROTOCOL, header.protocol);
	view->at += (header.version_words & 15) * 4;
	/* Only the first part of what was cut in pieces has ports. */
	if (!(bpf_ntohs(header.fragment) & PACKET_FRAGMENT_OFFSET4))
		packet_parse_transport(packet, view, header.protocol);
}

/* The protocol behind the headers in between, or -1: it is not in this packet. */
static __always_inline int packet_skip_extensions(struct packet_view *view, __u32 next)
{
	for (int i = 0; i < PACKET_EXTENSIONS_MAX; i++) {
		struct {
			__u8 next, words;
			__be16 fragment;
		} header = {};

		if (next != PACKET_HOP_BY_HOP && next != PACKET_ROUTING &&
		    next != PACKET_FRAGMENT && next != PACKET_DESTINATION_OPTIONS)
			break;
		if (packet_read(view, &header, sizeof(header)))
			return -1;
		if (next == PACKET_FRAGMENT) {
			if (bpf_ntohs(header.fragment) & PACKET_FRAGMENT_OFFSET6)
				return -1;
			header.words = 0;
		}
		view->at += (header.words + 1) * 8;
		next = header.next;
	}
	return next;
}

static __always_inline void packet_parse_ip6(struct probe_packet *packet, struct packet_view *view)
{
	struct packet_ip6 header = {};
	int protocol;

	if (packet_read(view, &header, sizeof(header)))
		return;
	packet->address[0] = header.source[0];
	packet->address[1] = header.source[1];
	packet->address[2] = header.destination[0];
	packet->address[3] = header.destination[1];
	packet_addresses(packet, 16);
	packet_set(packet, FAMILY, 6);
	view->at += sizeof(header);
	protocol = packet_skip_extensions(view, header.next);
	packet_set(packet, PROTOCOL, protocol < 0 ? PACKET_FRAGMENT : protocol);
	if (protocol >= 0)
		packet_parse_transport(packet, view, protocol);
}

/* Returns whether it has headers. */
static __always_inline int packet_parse_headers(struct probe_packet *packet,
						const struct sk_buff *skb)
{
	struct packet_view view = { .head = (__u64)BPF_CORE_READ(skb, head),
				    .tail = BPF_CORE_READ(skb, tail),
				    .at = BPF_CORE_READ(skb, network_header) };
	__u8 first = 0;

	if (!view.at || view.at == PACKET_HEADER_UNSET || packet_read(&view, &first, 1))
		return 0;
	if (first >> 4 == 4)
		packet_parse_ip4(packet, &view);
	else if (first >> 4 == 6)
		packet_parse_ip6(packet, &view);
	return packet->known >> PROBE_PACKET_FAMILY & 1;
}

/* A socket that is not whole yet, or only waits, has no more than these. */
static __always_inline void packet_from_socket(struct probe_packet *packet, const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family == PACKET_AF_INET) {
		packet->address[0] = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		packet->address[2] = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		packet_addresses(packet, 4);
	} else if (family == PACKET_AF_INET6) {
		BPF_CORE_READ_INTO(&packet->address[0], sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&packet->address[2], sk, __sk_common.skc_v6_daddr);
		packet_addresses(packet, 16);
	} else {
		return;
	}
	packet_set(packet, FAMILY, family == PACKET_AF_INET ? 4 : 6);
	packet_set(packet, SOURCE_PORT, BPF_CORE_READ(sk, __sk_common.skc_num));
	packet_set(packet, DESTINATION_PORT, bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport)));
}

/* Of a packet that TCP has queued; of other protocols the same bytes are something else. */
static __always_inline void packet_from_tcp(struct probe_packet *packet, struct sk_buff *skb,
					    struct sock *sk)
{
	__u32 protocol = BPF_CORE_READ_BITFIELD_PROBED(sk, sk_protocol);

	packet_set(packet, PROTOCOL, protocol);
	if (protocol == PACKET_IPPROTO_TCP) {
		struct tcp_skb_cb *cb = (void *)skb + bpf_core_field_offset(skb->cb);

		packet_set(packet, TCP_FLAGS, BPF_CORE_READ(cb, tcp_flags) & 0xff);
	}
}

/* sk_state of a request or of a socket that waits out its time is in another struct: these lack more. */
#define PACKET_TCP_TIME_WAIT 6
#define PACKET_TCP_NEW_SYN_RECV 12

/* Look at packet.skb of state @slot. */
__noinline int packet_parse_slot(__u32 slot)
{
	struct probing *p = bpf_map_lookup_elem(&probings, &slot);
	struct probe_packet *packet;
	struct sk_buff *skb;
	struct sock *sk;
	__u8 state = 0;
	__u32 bytes;

	if (!p)
		return 0;
	packet = &p->packet;
	skb = (struct sk_buff *)packet->skb;
	packet->known = 0;
	/* Whatever the address is: it need not be one of an sk_buff. */
	if (BPF_CORE_READ_INTO(&bytes, skb, len))
		return 0;
	packet_set(packet, BYTES, bytes);
	sk = BPF_CORE_READ(skb, sk) ?: (struct sock *)packet->sk;
	if (sk && !BPF_CORE_READ_INTO(&state, sk, __sk_common.skc_state))
		packet_set(packet, STATE, state);
	if (packet_parse_headers(packet, skb) || !sk)
		return 0;
	packet_from_socket(packet, sk);
	if (state != PACKET_TCP_TIME_WAIT && state != PACKET_TCP_NEW_SYN_RECV)
		packet_from_tcp(packet, skb, sk);
	return 0;
}

#endif
