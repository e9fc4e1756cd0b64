/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/record_show.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/message.h"
#include "tools/record/histogram.h"

#define COLUMNS_USUAL 80

static uint32_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return COLUMNS_USUAL;
	return size.ws_col;
}

static void warn_unmeasured(const struct histograms *histograms)
{
	for (uint32_t i = 0; i < histograms->source_count; i++)
		if (!histogram_is_measured(&histograms->sources[i]))
			message_warn("continuing without a histogram of %s: it only counts",
				     histograms->sources[i].name);
}

static int print(const struct record_options *options, const struct histograms *histograms)
{
	struct histogram_view view = { .top = options->top, .columns = terminal_columns(),
				       .buckets = options->histogram };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int r;

	if (options->histogram)
		warn_unmeasured(histograms);
	r = (options->json ? histograms_add_json : histograms_add_text)(histograms, &view, &text);
	if (r < 0)
		return r;
	/* It has said why. */
	return message_print(&text) ? -EIO : 0;
}

int record_show(const struct record_options *options, const struct profile *profile)
{
	const char *by[HISTOGRAM_KEYS_MAX] = { NULL };
	struct histograms histograms;
	struct error err;
	int r;

	for (size_t i = 0; i < options->by.count && i < HISTOGRAM_KEYS_MAX - 1; i++)
		by[i] = options->by.texts[i];
	r = histograms_init(&histograms, profile, by);
	r = r ?: print(options, &histograms);
	histograms_done(&histograms);
	if (r == -ENOMEM) {
		message_no_memory(&err);
		message_error(&err);
	}
	return r;
}
