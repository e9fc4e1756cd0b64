/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_types/tracepoint_symbols.h"

#include <string.h>

/* "{ "CAP_CHOWN", 0 }," and so on, from <linux/capability.h> and <signal.h>: the Makefile makes them. */
static const struct type_enumerator capabilities[] = {
#include "profiler/kernel_types/capability_names.h"
};

static const struct type_enumerator signals[] = {
#include "profiler/kernel_types/signal_names.h"
};

static const struct {
	const char *tracepoint, *field;
	const struct type_enumerator *names;
	size_t count;
} rows[] = {
	{ "cap_capable", "cap", capabilities, ARRAY_SIZE(capabilities) },
	{ "signal_deliver", "sig", signals, ARRAY_SIZE(signals) },
	{ "signal_generate", "sig", signals, ARRAY_SIZE(signals) },
};

const struct type_enumerator *tracepoint_symbols_signals(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(signals);
	return signals;
}

void tracepoint_symbols_known(const char *tracepoint, struct tracepoint_field *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].tracepoint, tracepoint) || strcmp(rows[i].field, field->name))
			continue;
		field->enumerators = rows[i].names;
		field->enumerator_count = rows[i].count;
	}
}
