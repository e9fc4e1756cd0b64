/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/e2e/programs.h"

#include <stdio.h>
#include <stdlib.h>

#include "profiler/base/cleanup.h"

const struct program programs[] = {
	{ "gzip", "gzip", { "sh", "-c", "exec gzip -9 < /dev/zero" } },
	{ "xz", "xz", { "sh", "-c", "exec xz -6 < /dev/urandom" } },
	{ "bash",
	  "bash",
	  { "bash", "-c",
	    "f() { local x=$1; ((x > 0)) && f $((x - 1)); }; "
	    "while :; do f 10; done" } },
	{ "perl",
	  "perl",
	  { "perl", "-e",
	    "sub f { my $n = shift; $n ? f($n - 1) + 1 : 0 } "
	    "while (1) { f(20); my %h = map { $_ => 1 } 1..100; }" } },
	{ "python3",
	  "python3",
	  { "python3", "-c",
	    "def f(n):\n return f(n-1)+1 if n else 0\n"
	    "while True: f(20); sorted(str(i) for i in range(200))" } },
	{ "openssl sha256", "openssl", { "openssl", "speed", "-seconds", "300", "sha256" } },
	{ "openssl rsa2048", "openssl", { "openssl", "speed", "-seconds", "300", "rsa2048" } },
	{ "openssl ecdsap256", "openssl", { "openssl", "speed", "-seconds", "300", "ecdsap256" } },
	{ "sort",
	  "sort",
	  { "sh", "-c", "seq 200000 >$WICK_TMP/n; while :; do sort -R $WICK_TMP/n; done" },
	  true },
	{ "awk",
	  "awk",
	  { "awk", "BEGIN { for (;;) for (i = 0; i < 2000; i++) "
		   "{ a[i % 100] = a[i % 100] i; if (length(a[i % 100]) > 999) delete a } }" } },
	{ "clang compiling",
	  "clang",
	  { "sh", "-c",
	    PROGRAM_SOURCES "while :; do clang -O2 -c -o /dev/null $WICK_TMP/f1.c; done" },
	  true },
	{ "node with JIT",
	  "node",
	  { "node", "-e",
	    "function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } "
	    "for (;;) { f(22); JSON.parse(JSON.stringify(Array.from({ length: 500 }, "
	    "(_, i) => ({ k: 'x' + i * 7919 % 500 })).sort((a, b) => a.k < b.k ? -1 : 1))) }" },
	  true },
	{ "java with frame pointers",
	  "javac",
	  { "java", "-XX:+PreserveFramePointer", "tests/workloads/JavaWork.java", "300" },
	  true },
	{ "a C++ -O2 program", NULL, { "@cxx_work", "300" } },
	{ "a Rust -O2 program", NULL, { "@rust_work", "300" } },
	{ "a recursion 100 deep with frames of 1 KB", NULL, { "@recurse-1k", "300", "100" } },
	{ "a loop in a signal handler on an alternate stack", NULL, { "@altstack", "300" } },
	{ "a static program", NULL, { "@recurse-static", "300", "40" } },
	{ "a static PIE", NULL, { "@recurse-static-pie", "300", "40" } },
	{ "a program at a fixed address", NULL, { "@recurse-exec", "300", "40" } },
	{ "a stripped program", NULL, { "@recurse-stripped", "300", "40" } },
	{ "a program without unwind tables", NULL, { "@recurse-bare", "300", "40" } },
	{ "one with musl, which has none", NULL, { "@recurse-musl", "300", "40" } },
	{ "a program with .debug_frame only", NULL, { "@recurse-debug-frame", "300", "40" } },
	{ "threads", NULL, { "@threads", "300", "4" } },
	{ "a Go program with goroutines", "go", { "@go_work", "300" }, true },
	{ "a stripped Go program", "go", { "@go_work-stripped", "300" } },
	{ "a stripped position-independent Go program", "go", { "@go_work-pie", "300" } },
	{ "a Go program without section headers", "go", { "@go_work-headless", "300" } },
};

const size_t program_count = ARRAY_SIZE(programs);

bool program_is_installed(const struct program *program)
{
	char which[128];

	if (!program->needs)
		return true;
	snprintf(which, sizeof(which), "command -v %s >/dev/null", program->needs);
	return !system(which);
}
