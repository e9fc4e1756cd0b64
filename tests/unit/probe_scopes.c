/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/probe_scopes.h"

#include <errno.h>

#include "profiler/base/cleanup.h"
#include "tests/unit/fake_types.h"

static const struct probe_field fields[] = {
	{ "comm",
	  { .base = PROBE_BASE_RECORD, .form = PROBE_TEXT, .size = 16, .offset = 8 },
	  { .kind = TYPE_ARRAY, .name = "char[16]", .bytes = 16 },
	  PROBE_SHOW_TEXT },
	{ "prio",
	  { .base = PROBE_BASE_RECORD, .flags = PROBE_FETCH_MEMORY | PROBE_FETCH_SIGNED, .bytes = 4,
	    .offset = 24 },
	  { .kind = TYPE_INTEGER, .name = "int", .bytes = 4, .is_signed = true },
	  PROBE_SHOW_SIGNED },
	{ "filename",
	  { .base = PROBE_BASE_RECORD, .flags = PROBE_FETCH_MEMORY, .bytes = 8, .offset = 32 },
	  { .kind = TYPE_POINTER, .name = "const char *", .bytes = 8, .is_user = true },
	  PROBE_SHOW_TEXT },
	{ "device",
	  { .base = PROBE_BASE_RECORD, .form = PROBE_TEXT, .flags = PROBE_FETCH_DATA_LOC,
	    .offset = 40 },
	  { .kind = TYPE_ARRAY, .name = "__data_loc char[]" },
	  PROBE_SHOW_TEXT },
	{ "args",
	  { .base = PROBE_BASE_RECORD, .form = PROBE_BYTES, .size = 48, .offset = 48 },
	  { .kind = TYPE_ARRAY, .name = "unsigned long[6]", .bytes = 48 },
	  PROBE_SHOW_BYTES },
	{ "saddr",
	  { .base = PROBE_BASE_PACKET,
	    .index = PROBE_PACKET_SOURCE,
	    .form = PROBE_BYTES,
	    .size = 16,
	    .offset = 96 },
	  { .kind = TYPE_ARRAY, .name = "address", .bytes = 16 },
	  PROBE_SHOW_ADDRESS },
	{ "flags",
	  { .base = PROBE_BASE_PACKET, .index = PROBE_PACKET_TCP_FLAGS, .bytes = 1, .offset = 96 },
	  { .kind = TYPE_INTEGER, .name = "unsigned int", .bytes = 1 },
	  PROBE_SHOW_TCP_FLAGS },
	{ "file",
	  { .base = PROBE_BASE_RECORD, .flags = PROBE_FETCH_MEMORY, .bytes = 8, .offset = 104 },
	  { .kind = TYPE_POINTER, .name = "struct file *", .bytes = 8 },
	  PROBE_SHOW_HEXADECIMAL },
};

static int flag_at(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	static const struct type_enumerator flags[] = { { "F_NONE", 0 }, { "F_MAKE", 0x40 },
							{ "F_HERE", -100 } };

	if (type->id != 7 || index >= ARRAY_SIZE(flags))
		return -ENOENT;
	*ret = flags[index];
	return 0;
}

static const struct type_provider flag_names = { .enumerator = flag_at };

static const struct probe_field call_fields[] = {
	{ "flags",
	  { .base = PROBE_BASE_REGISTER, .index = PROBE_RDX, .bytes = 4,
	    .flags = PROBE_FETCH_AT_ENTRY | PROBE_FETCH_SIGNED },
	  { .kind = TYPE_OTHER, .name = "int", .provider = &flag_names, .id = 7 },
	  PROBE_SHOW_SIGNED },
};

const struct probe_scope probe_scopes[] = {
	[UPROBE] = { .function = &fake_function, .types = &fake_types, .is_user = true,
		     .what = "uprobe of f" },
	[URETPROBE] = { .function = &fake_function, .types = &fake_types, .is_user = true,
			.has_return = true, .what = "uretprobe of f" },
	[FN] = { .function = &fake_function, .types = &fake_types, .is_user = true,
		 .has_return = true, .has_entry = true, .what = "fn of f" },
	[SYSCALL] = { .function = &fake_function, .types = &fake_types, .is_user = true,
		      .has_return = true, .has_entry = true, .is_system_call = true,
		      .what = "syscall f" },
	[WORDS] = { .function = &fake_function, .types = &fake_types, .arguments = SCOPE_WORDS,
		    .what = "kprobe of f" },
	[FEXIT] = { .function = &fake_function, .types = &fake_types, .arguments = SCOPE_WORDS,
		    .has_return = true, .what = "kretprobe of f" },
	[BARE] = { .is_user = true, .has_return = true, .has_entry = true, .what = "fn of g" },
	[RECORD] = { .fields = fields, .field_count = ARRAY_SIZE(fields), .types = &fake_types,
		     .arguments = SCOPE_RECORD, .what = "tracepoint a:b" },
	[CALL] = { .fields = call_fields, .field_count = ARRAY_SIZE(call_fields), .is_user = true,
		   .has_return = true, .has_entry = true, .is_system_call = true,
		   .what = "openit" },
};
