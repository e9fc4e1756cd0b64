/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_expression.h - what is asked of a probe, as it is written, compiled to a site's tables.
 *
 *     value      arg1   ret   latency   pid tid uid comm cmdline cgroup cpu   NAME (argument or field by name)
 *                arg1->f_path.dentry->d_name.name   buf[3]   *arg2   &arg1->x   arg1.y
 *                ((struct file *)arg1)->f_flags     arg1 as a type that the provider knows
 *                arg2:str   arg2:str[64]   arg1:s32   arg1:x   arg2:bytes[16]   arg2:bytes[arg3]
 *                s8…s64 u8…u64 x8…x64, x, char, bool, ns, errno: how a number is read and shown
 *                NAME=EXPRESSION                    shown under that name
 *     filter     EXPR == != < <= > >= & EXPR, with && || ( ) !; EXPR alone: it is not zero
 *                numbers 10 0x1f 0644 'c', texts "…" ("foo*": a prefix), NULL, true, false,
 *                names of enumerators, of flags and of errno ("ENOENT" is 2), sizes 4k,
 *                times 3ms, addresses "10.0.0.1", names of protocols, states and flags of TCP
 *
 * Types say how values are read and shown: a pointer to char is a text, an enum shows its name, a
 * struct that is a text (of C++, Go, Rust) is one. What the probe has goes before what is always
 * there: of kill() "pid" is the argument. A filter is false where it wants what cannot be read, also
 * behind "!". Comparisons that never hold ("u8 == 300") are refused. Knows tables and types; knows no
 * processes and loads nothing.
 */
#ifndef WICK_PROBE_EXPRESSION_H
#define WICK_PROBE_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include "bpf/probe_abi.h"
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "symbolizer/types/type_info.h"

/* How a value is shown. */
enum probe_show {
	PROBE_SHOW_SIGNED,
	PROBE_SHOW_UNSIGNED,
	PROBE_SHOW_HEXADECIMAL,	/* pointers */
	PROBE_SHOW_TEXT,
	PROBE_SHOW_WORDS,	/* texts with a NUL behind each */
	PROBE_SHOW_BYTES,
	PROBE_SHOW_BOOL,
	PROBE_SHOW_CHAR,
	PROBE_SHOW_ENUM,	/* type has the names */
	PROBE_SHOW_NANOSECONDS,
	PROBE_SHOW_ERRNO,	/* of a system call: negative numbers from -4095 on */
	PROBE_SHOW_ADDRESS4,	/* network addresses and ports */
	PROBE_SHOW_ADDRESS,	/* 4 or 16 bytes */
	PROBE_SHOW_PROTOCOL,
	PROBE_SHOW_TCP_FLAGS,
	PROBE_SHOW_TCP_STATE,
	PROBE_SHOW_FLAGS,	/* bits; type has the names */
};

struct probe_value {
	char name[64];		/* "fd", "arg1->f_flags" */
	char type[48];		/* "int", "const char *"; for JSON and lists */
	enum probe_show show;
	struct type_info type_info;	/* ENUM */
};

/* Of every site: values[i] is what site.values[i] fetches. */
struct probe_layout {
	struct probe_site site;
	struct probe_value values[PROBE_VALUES_MAX];
};

/* What can be named where the probe fires. */
struct probe_scope {
	const struct type_function *function;	/* arguments and result; NULL: none are known */
	/*
	 * Fields, in place of arguments, of a tracepoint or of a USDT probe: fetches ready made, of
	 * what lies there; its type says what a pointer leads to. Of a PACKET the offset is where in
	 * the record the address of its sk_buff lies, and step[0], if any, its socket's. TEXT and BYTES of size 0 are read as far as
	 * there is room.
	 */
	size_t field_count;
	const struct probe_field {
		const char *name;		/* "filename"; USDT: "arg1" */
		struct probe_fetch fetch;
		struct type_info type;		/* kind OTHER: not known, but for names of its numbers */
		enum probe_show show;
	} * fields;
	const struct type_provider *types;	/* NULL: none */
	enum { SCOPE_REGISTERS, SCOPE_WORDS, SCOPE_RECORD } arguments;	/* where arg1 … lie */
	bool is_user;				/* pointers are the task's */
	bool has_return;			/* fired where a function returns */
	bool has_entry;				/* and its arguments were kept when it was entered */
	bool is_system_call;			/* ret is an errno, texts may become resident later */
	const char *what;			/* "uprobe of malloc", for messages */
};

struct probe_request {
	/* As written behind -e, with '+' between values. */
	/*
	 * "fd+buf:str+count"; "": nothing. NULL: every argument or field that can be read, and what is
	 * returned, as many as there is room for beside the values of the others.
	 */
	const char *show;
	const char *sum;	/* value= */
	const char *labels;	/* label= */
	const char *filter;	/* filter= */
};

/*
 * Only what is written, without a scope: what is no expression at all is refused at once. Returns 0 or
 * -EINVAL with the place in @err ("bad filter: … at '…': expected …").
 */
int probe_request_check(const struct probe_request *request, struct error *err);
/*
 * Returns 0, -EINVAL for what is not understood here (no such argument, floating point, too many
 * values or comparisons), -ENOMEM.
 */
int probe_compile(const struct probe_request *request, const struct probe_scope *scope,
		  struct probe_layout *ret, struct error *err);

#endif
