/* SPDX-License-Identifier: BSD-2-Clause */
/* writer_option.h - the option --format: a row of the table of writers. */
#ifndef WICK_WRITER_OPTION_H
#define WICK_WRITER_OPTION_H

#include "tools/options/options.h"

option_parse_fn option_parse_writer;		/* const struct writer * */
const char *option_writer_choice(size_t index, const char **ret_help);

#endif
