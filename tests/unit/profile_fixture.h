/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile_fixture.h - profiles for tests of formats, from stacks written as text.
 *
 * A stack is "root;…;leaf". A name may end in _[k] for a kernel frame, _[j]
 * for JIT code, _[i] for a call inlined into the frame before it, and
 * _[?] for an address without a name; one that begins with "[" is a mark.
 */
#ifndef WICK_PROFILE_FIXTURE_H
#define WICK_PROFILE_FIXTURE_H

#include "formats/profile.h"
#include "profiler/base/strbuf.h"

/* A builder with "samples/count" and "cpu/nanoseconds" (the main value) of the source "cpu". */
struct profile_builder *fixture_builder(void);
/* A sample of @comm (NULL: without the label) with @count samples of 10 ms each. */
int fixture_add(struct profile_builder *builder, const char *comm, const char *stack,
		int64_t count);
/* The same with labels; comm among them, if wanted. */
int fixture_add_labels(struct profile_builder *builder, const char *stack, int64_t count,
		       const struct profile_label *labels, uint32_t label_count);
struct profile_label fixture_label_text(struct profile_builder *builder, const char *key,
					const char *text);
struct profile_label fixture_label_number(struct profile_builder *builder, const char *key,
					  int64_t number, const char *unit);
/* A small profile with everything in it. */
struct profile *fixture_profile(void);
/* Appends what is in a file. Returns 0 or a negative errno. */
int fixture_read_file(const char *path, struct strbuf *ret);
/*
 * Fails the test unless @text is what the golden file holds. With WICK_GOLDEN
 * set in the environment, writes the file instead: then read the difference.
 */
void fixture_assert_golden(const char *path, const struct strbuf *text);

#endif
