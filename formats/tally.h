/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - how much of a profile each function, module or process has.
 *
 * Counts as go tool pprof -top does: a function's self is that of the samples
 * it is the leaf of, its total that of all samples it is in, once however
 * often; the total of a profile is the sum of the sizes of its values, negative ones too.
 */
#ifndef WICK_TALLY_H
#define WICK_TALLY_H

#include "formats/profile.h"
#include "profiler/base/intern.h"

enum tally_order { TALLY_BY_SELF, TALLY_BY_TOTAL };

struct tally_options {
	uint32_t value_type;
	const char *by; /* NULL or "function", "module", or the key of a label */
	enum tally_order order; /* the largest first, then by name */
};

struct tally_row {
	const char *name; /* lives as long as the tally */
	int64_t self, total;
};

struct tally {
	struct tally_row *rows;
	uint32_t row_count;
	int64_t total;
	uint64_t sample_count; /* whose value is not 0 */
	bool has_stacks; /* by function or module: self and total differ */
	struct intern *names;
};

/*
 * Returns 0; -ENOENT when there is no such value type, or no sample with that
 * label; or -ENOMEM. tally_done() is due in any case.
 */
int tally_init(struct tally *tally, const struct profile *profile,
	       const struct tally_options *options);
void tally_done(struct tally *tally);

#endif
