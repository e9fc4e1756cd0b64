/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_show.h - a run without stacks on the terminal: a table or histograms instead of a file.
 */
#ifndef WICK_RECORD_SHOW_H
#define WICK_RECORD_SHOW_H

#include "formats/profile.h"
#include "tools/record/record_options.h"

/*
 * Print what record_options_is_shown() stands for. Returns 0, or a negative errno, which has been
 * said.
 */
int record_show(const struct record_options *options, const struct profile *profile);

#endif
