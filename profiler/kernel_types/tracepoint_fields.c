/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_types/tracepoint_fields.h"

#include <errno.h>
#include <string.h>

#include "profiler/expressions/value_type.h"
#include "profiler/kernel_types/syscall_arguments.h"

#define SYSCALLS "syscalls"
#define SYSCALL_ENTERED "sys_enter_"
#define ADDRESS4_BYTES 4
#define ADDRESS6_BYTES 16

static const struct packet_field {
	const char *name, *other_name;
	enum probe_packet_field index;
	uint8_t bytes;			/* 0: an address */
	enum probe_show show;
} packet_fields[] = {
	{ "saddr", "packet_saddr", PROBE_PACKET_SOURCE, 0, PROBE_SHOW_ADDRESS },
	{ "sport", "packet_sport", PROBE_PACKET_SOURCE_PORT, 2, PROBE_SHOW_UNSIGNED },
	{ "daddr", "packet_daddr", PROBE_PACKET_DESTINATION, 0, PROBE_SHOW_ADDRESS },
	{ "dport", "packet_dport", PROBE_PACKET_DESTINATION_PORT, 2, PROBE_SHOW_UNSIGNED },
	{ "protocol", "packet_protocol", PROBE_PACKET_PROTOCOL, 1, PROBE_SHOW_PROTOCOL },
	{ "length", "packet_length", PROBE_PACKET_BYTES, 4, PROBE_SHOW_UNSIGNED },
	{ "tcp_flags", "packet_tcp_flags", PROBE_PACKET_TCP_FLAGS, 1, PROBE_SHOW_TCP_FLAGS },
	{ "state", "packet_state", PROBE_PACKET_STATE, 1, PROBE_SHOW_TCP_STATE },
	{ "family", "packet_family", PROBE_PACKET_FAMILY, 1, PROBE_SHOW_UNSIGNED },
};

/* Beginnings of the names that arrays of 4 or 16 bytes have when they are addresses of the network. */
static const char *const address_names[] = { "saddr", "daddr", "src", "dst", "gw", "grp" };

static bool is_address(const struct tracepoint_field *field)
{
	if (field->bytes != ADDRESS4_BYTES && field->bytes != ADDRESS6_BYTES)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(address_names); i++)
		if (!strncmp(field->name, address_names[i], strlen(address_names[i])))
			return true;
	return false;
}

static bool is_packet(const struct tracepoint_field *field)
{
	return field->is_pointer &&
	       (strstr(field->type, "struct sk_buff") || !strcmp(field->name, "skbaddr"));
}

static bool is_socket(const struct tracepoint_field *field)
{
	return field->is_pointer &&
	       (strstr(field->type, "struct sock ") || !strcmp(field->name, "skaddr"));
}

/* The first one of a kind, or NULL. */
static const struct tracepoint_field *find_kind(const struct tracepoint_format *format,
						bool (*is_kind)(const struct tracepoint_field *))
{
	for (size_t i = 0; i < tracepoint_format_count(format); i++)
		if (is_kind(tracepoint_format_at(format, i)))
			return tracepoint_format_at(format, i);
	return NULL;
}

static const struct tracepoint_field *find_field(const struct tracepoint_format *format,
						 const char *name)
{
	for (size_t i = 0; i < tracepoint_format_count(format); i++)
		if (!strcmp(tracepoint_format_at(format, i)->name, name))
			return tracepoint_format_at(format, i);
	return NULL;
}

/* Of the task, where a system call is entered; of the kernel everywhere else. */
static void make_pointer(const struct tracepoint_field *field, bool is_syscall,
			 struct probe_field *ret)
{
	ret->fetch.bytes = sizeof(uint64_t);
	ret->fetch.flags = PROBE_FETCH_MEMORY;
	ret->type = (struct type_info){ .kind = TYPE_POINTER, .name = field->type,
					.bytes = sizeof(uint64_t), .is_user = is_syscall };
	/* What a system call is given to write into holds no text yet. */
	ret->show = is_syscall && strncmp(field->type, "const ", 6) != 0 ? PROBE_SHOW_HEXADECIMAL :
									   PROBE_SHOW_TEXT;
}

static void make_array(const struct tracepoint_field *field, struct probe_field *ret)
{
	ret->fetch.form = field->is_text ? PROBE_TEXT : PROBE_BYTES;
	ret->fetch.flags = field->is_data_loc ? PROBE_FETCH_DATA_LOC : 0;
	/* Of a __data_loc it is not known. */
	if (!field->is_data_loc)
		ret->fetch.size = field->bytes < PROBE_TEXT_MAX ? field->bytes : PROBE_TEXT_MAX;
	ret->type = (struct type_info){ .kind = TYPE_ARRAY, .name = field->type,
					.bytes = field->is_data_loc ? 0 : field->bytes };
	ret->show = field->is_text ? PROBE_SHOW_TEXT : PROBE_SHOW_BYTES;
	if (!field->is_text && !field->is_data_loc && is_address(field))
		ret->show = PROBE_SHOW_ADDRESS;
}

/* In a record of a system call each argument takes 8 bytes, whatever it is. */
static void narrow(const struct type_provider *types, struct probe_field *field)
{
	struct type_info type;

	if (!value_type_parse_integer(types, field->type.name, &type) ||
	    type.bytes > field->fetch.bytes)
		return;
	field->fetch.bytes = type.bytes;
	field->fetch.flags &= ~PROBE_FETCH_SIGNED;
	field->fetch.flags |= type.is_signed ? PROBE_FETCH_SIGNED : 0;
}

/* What the kernel prints as numbers has names that filters may use. */
static void name_numbers(const struct tracepoint_format *format,
			 const struct tracepoint_field *field, struct probe_field *ret)
{
	const char *tracepoint = tracepoint_format_name(format);
	const struct syscall_argument *argument = NULL;

	if (!strncmp(tracepoint, SYSCALL_ENTERED, strlen(SYSCALL_ENTERED)))
		argument = syscall_argument_find(tracepoint + strlen(SYSCALL_ENTERED), field->name);
	if (argument && syscall_argument_has_words(argument))
		syscall_argument_name_type(argument, &ret->type);
}

static void make_number(const struct tracepoint_format *format, size_t index, bool is_syscall,
			const struct type_provider *types, struct probe_field *ret)
{
	const struct tracepoint_field *field = tracepoint_format_at(format, index);
	bool is_signed;

	ret->fetch.bytes = field->bytes;
	ret->fetch.flags = PROBE_FETCH_MEMORY | (field->is_signed ? PROBE_FETCH_SIGNED : 0);
	ret->type = (struct type_info){ .kind = TYPE_INTEGER, .name = field->type,
					.bytes = field->bytes, .is_signed = field->is_signed };
	if (is_syscall) {
		narrow(types, ret);
		name_numbers(format, field, ret);
	}
	is_signed = ret->fetch.flags & PROBE_FETCH_SIGNED;
	ret->show = is_signed ? PROBE_SHOW_SIGNED : PROBE_SHOW_UNSIGNED;
	if (!strcmp(field->type, "bool"))
		ret->show = PROBE_SHOW_BOOL;
	if (is_syscall && !strcmp(field->name, "ret"))
		ret->show = PROBE_SHOW_ERRNO;
	if (field->enumerator_count) {
		ret->type.provider = tracepoint_format_types(format);
		ret->type.id = index;
		ret->show = field->is_flags ? PROBE_SHOW_FLAGS : PROBE_SHOW_ENUM;
	}
}

/* A struct, whose members can be named when its type is known. */
static bool make_struct(const struct tracepoint_field *field, const struct type_provider *types,
			struct probe_field *ret)
{
	struct value_type type;

	if (value_type_parse(types, field->type, strlen(field->type), &type) == 0 &&
	    value_type_kind(&type) == TYPE_STRUCT) {
		ret->fetch.flags = PROBE_FETCH_MEMORY;
		ret->type = type.info;
		return true;
	}
	make_array(field, ret);
	return field->bytes;
}

static bool is_number_size(uint32_t bytes)
{
	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

/* Returns false when it is nothing that could be read. */
static bool make_field(const struct tracepoint_format *format, size_t index, bool is_syscall,
		       const struct type_provider *types, struct probe_field *ret)
{
	const struct tracepoint_field *field = tracepoint_format_at(format, index);

	*ret = (struct probe_field){ .name = field->name };
	ret->fetch.base = PROBE_BASE_RECORD;
	ret->fetch.offset = field->offset;
	/* The tracepoint's own name says it. */
	if (is_syscall && !strcmp(field->name, "__syscall_nr"))
		return false;
	if (field->is_array)
		make_array(field, ret);
	else if (field->is_pointer)
		make_pointer(field, is_syscall, ret);
	else if (is_number_size(field->bytes))
		make_number(format, index, is_syscall, types, ret);
	else
		return make_struct(field, types, ret);
	return field->bytes || field->is_text;
}

static void make_packet_field(const struct packet_field *packet, const char *name,
			      const struct tracepoint_field *skb,
			      const struct tracepoint_field *socket, struct probe_field *ret)
{
	bool is_addresses = !packet->bytes;

	*ret = (struct probe_field){ .name = name, .show = packet->show };
	/* Where the sk_buff's address lies, and as a step its socket's; they become values of their own. */
	ret->fetch = (struct probe_fetch){ .base = PROBE_BASE_PACKET, .index = packet->index,
					   .form = is_addresses ? PROBE_BYTES : PROBE_NUMBER,
					   .bytes = packet->bytes, .offset = skb->offset,
					   .size = is_addresses ? ADDRESS6_BYTES : 0 };
	if (socket) {
		ret->fetch.step_count = 1;
		ret->fetch.step[0] = socket->offset;
	}
	ret->type = (struct type_info){ .kind = is_addresses ? TYPE_ARRAY : TYPE_INTEGER,
					.name = is_addresses ? "address" : "unsigned int",
					.bytes = is_addresses ? ADDRESS6_BYTES : packet->bytes };
}

/* Those whose names the tracepoint has itself (@taken), or the others. Returns how many. */
static size_t make_packet(const struct tracepoint_format *format, bool taken,
			  struct probe_field *ret)
{
	const struct tracepoint_field *skb = find_kind(format, is_packet);
	const struct tracepoint_field *socket = find_kind(format, is_socket);
	size_t count = 0, i;

	for (i = 0; skb && i < ARRAY_SIZE(packet_fields); i++) {
		const struct packet_field *packet = &packet_fields[i];

		if (!find_field(format, packet->name) != taken)
			make_packet_field(packet, taken ? packet->other_name : packet->name, skb,
					  socket, &ret[count++]);
	}
	return count;
}

int tracepoint_fields(const struct tracepoint_format *format, const char *category,
		      const struct type_provider *types, struct probe_field **ret,
		      size_t *ret_count)
{
	size_t total = tracepoint_format_count(format), count, i;
	bool is_syscall = !strcmp(category, SYSCALLS);
	struct probe_field *fields;

	fields = calloc(total + ARRAY_SIZE(packet_fields) + 1, sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	/* First what is wanted of a packet: a site may not have room for everything. */
	count = make_packet(format, false, fields);
	for (i = 0; i < total; i++)
		count += make_field(format, i, is_syscall, types, &fields[count]);
	count += make_packet(format, true, fields + count);
	*ret = fields;
	*ret_count = count;
	return 0;
}
