/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile.h - the one profile model: what every writer reads and every reader makes.
 *
 * Shaped like pprof (github.com/google/pprof/proto/profile.proto): strings,
 * mappings, functions, locations and samples that refer to each other by
 * index. Read-only once built; everything lives until profile_free(). Knows
 * nothing of processes, ELF files or the kernel. Strings are valid UTF-8
 * (the builder replaces what is not). Stacks are leaf first.
 */
#ifndef WICK_PROFILE_H
#define WICK_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

/* An index into the string table; 0 is "". */
typedef uint32_t profile_string;

enum frame_kind {
	FRAME_KIND_NATIVE,
	FRAME_KIND_KERNEL,
	FRAME_KIND_JIT,
	FRAME_KIND_MARK, /* not code: "[incomplete:CAUSE]", "[exiting]" */
};

struct profile_mapping {
	uint64_t start, limit, offset; /* 0 when they differ between processes */
	profile_string file, build_id; /* path; lower-case hex */
	bool has_functions, has_files, has_lines, has_inlines;
};

struct profile_function {
	profile_string name, system_name, file;
	int64_t start_line;
};

struct profile_line {
	uint32_t function; /* index into functions */
	int64_t line; /* 0: unknown */
};

struct profile_location {
	uint32_t mapping; /* index into mappings, or PROFILE_NONE */
	uint64_t address;
	enum frame_kind kind;
	uint32_t line_count; /* more than one: inlined calls, innermost first */
	const struct profile_line *lines;
};

#define PROFILE_NONE UINT32_MAX

struct profile_label {
	profile_string key;
	profile_string text; /* 0 for a number */
	int64_t number;
	profile_string unit; /* of the number; 0: none */
};

struct profile_sample {
	uint32_t location_count, label_count;
	const uint32_t *locations; /* leaf first */
	const struct profile_label *labels;
	const int64_t *values; /* one per value type */
};

struct profile_value_type {
	profile_string type, unit; /* "cpu", "nanoseconds" */
	/* The source it belongs to ("cpu", "offcpu"): one file per source in one-value formats. */
	profile_string source;
	bool is_main; /* the one value that folded and svg show for its source */
};

struct profile {
	const char *const *strings;
	uint32_t string_count;
	const struct profile_mapping *mappings;
	uint32_t mapping_count;
	const struct profile_function *functions;
	uint32_t function_count;
	const struct profile_location *locations;
	uint32_t location_count;
	const struct profile_sample *samples;
	uint32_t sample_count;
	const struct profile_value_type *value_types;
	uint32_t value_type_count;
	uint32_t default_value_type;
	struct profile_value_type period_type;
	int64_t period;
	int64_t time_ns; /* start, since the epoch */
	int64_t duration_ns;
	const profile_string *comments; /* losses, fallbacks, what it cost */
	uint32_t comment_count;
};

struct profile *profile_free(struct profile *profile);
DEFINE_CLEANUP(struct profile *, profile_free)

/* The index of @text, or PROFILE_NONE. Searches: look a key up once, not per sample. */
profile_string profile_find_string(const struct profile *profile, const char *text);
/* The sample's first label with that key, or NULL. */
const struct profile_label *profile_find_label(const struct profile_sample *sample,
					       profile_string key);

/*
 * Building. Each returns 0 and the index of a new or equal old element in
 * *@ret, or -ENOMEM. Element structs are copied. Indices in them must be ones
 * that this builder has returned. Samples with the same locations and labels
 * (in the same order) are summed, without overflow: a sum stays at the limit.
 */
struct profile_builder;

struct profile_builder *profile_builder_new(void);
struct profile_builder *profile_builder_free(struct profile_builder *builder);
DEFINE_CLEANUP(struct profile_builder *, profile_builder_free)

/* NULL is "". Bytes that are not UTF-8 become U+FFFD. */
int profile_builder_string(struct profile_builder *builder, const char *text, profile_string *ret);
/* The text of a string that this builder has returned. */
const char *profile_builder_text(const struct profile_builder *builder, profile_string string);
/* Value types come before the first sample. */
int profile_builder_value_type(struct profile_builder *builder,
			       const struct profile_value_type *type, uint32_t *ret);
/*
 * Equal by addresses, file and build id. The has_ flags need not be set: those
 * that its locations prove are set by profile_builder_finish().
 */
int profile_builder_mapping(struct profile_builder *builder, const struct profile_mapping *mapping,
			    uint32_t *ret);
int profile_builder_function(struct profile_builder *builder,
			     const struct profile_function *function, uint32_t *ret);
/*
 * A kernel location without a mapping gets the mapping "[kernel.kallsyms]"; a
 * mark never has a mapping or an address.
 */
int profile_builder_location(struct profile_builder *builder,
			     const struct profile_location *location, uint32_t *ret);
/* Adds @sample->values, as many as there are value types, to that of an equal sample. */
int profile_builder_sample(struct profile_builder *builder, const struct profile_sample *sample);
/* Comments keep their order, and may repeat. */
int profile_builder_comment(struct profile_builder *builder, const char *text);
void profile_builder_time(struct profile_builder *builder, int64_t time_ns, int64_t duration_ns);
void profile_builder_period(struct profile_builder *builder, const struct profile_value_type *type,
			    int64_t period);
void profile_builder_default(struct profile_builder *builder, uint32_t value_type);
/* The finished profile; @builder is empty and only good for free. */
int profile_builder_finish(struct profile_builder *builder, struct profile **ret);
size_t profile_builder_bytes(const struct profile_builder *builder);

#endif
