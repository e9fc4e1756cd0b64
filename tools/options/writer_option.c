/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/options/writer_option.h"

#include "formats/writer.h"

const char *option_writer_choice(size_t index, const char **ret_help)
{
	*ret_help = writer_table[index].help;
	return writer_table[index].name;
}

int option_parse_writer(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	const struct writer *writer = writer_find_name(value);

	if (!writer)
		return option_refuse_choice(row, value, err);
	*(const struct writer **)field = writer;
	return 0;
}
