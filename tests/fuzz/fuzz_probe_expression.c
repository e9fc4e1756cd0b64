/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_probe_expression.c - any text as what is asked of a probe, in every kind of place.
 *
 * The first byte says which of values, sum, labels and filter the text is.
 */
#include <string.h>

#include "profiler/expressions/probe_expression.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/probe_scopes.h"

static void check_fetch(const struct probe_site *site, size_t index)
{
	const struct probe_fetch *fetch = &site->values[index];

	fuzz_check(fetch->base <= PROBE_BASE_COMMAND, "a base that is none");
	fuzz_check(fetch->step_count <= PROBE_STEPS_MAX, "too many steps");
	fuzz_check(fetch->size <= PROBE_TEXT_MAX, "a text that is too long");
	fuzz_check(fetch->form != PROBE_NUMBER || (fetch->bytes && fetch->bytes <= 8),
		   "a number without a size");
	fuzz_check(fetch->form == PROBE_NUMBER || fetch->size, "a text without a size");
	fuzz_check(fetch->bit_shift + fetch->bit_count <= 64, "bits outside of a number");
	fuzz_check(fetch->size_value <= index, "a size that is not known yet");
	if (fetch->base == PROBE_BASE_VALUE || fetch->base == PROBE_BASE_PACKET)
		fuzz_check(fetch->from < index, "a value that begins with a later one");
	if (fetch->base == PROBE_BASE_REGISTER)
		fuzz_check(fetch->index < PROBE_REGISTER_COUNT ||
				   fetch->index == PROBE_NO_REGISTER,
			   "a register that is none");
	fuzz_check(fetch->scaled <= PROBE_REGISTER_COUNT && fetch->scale_shift <= 3,
		   "a register that is scaled and is none");
}

static void check_target(const struct probe_site *site, size_t index, uint8_t target)
{
	if (target != PROBE_ACCEPT && target != PROBE_REJECT)
		fuzz_check(target > index && target < site->term_count, "a term that leads back");
}

static void check_site(const struct probe_site *site)
{
	size_t i, texts = 0;

	fuzz_check(site->value_count <= PROBE_VALUES_MAX && site->term_count <= PROBE_TERMS_MAX &&
			   site->label_count <= PROBE_LABELS_MAX,
		   "more than there is room for");
	for (i = 0; i < site->value_count; i++) {
		check_fetch(site, i);
		texts += site->values[i].size;
	}
	fuzz_check(texts <= PROBE_TEXTS_BYTES, "more text than there is room for");
	fuzz_check(site->sum == PROBE_NO_VALUE || site->sum < site->value_count,
		   "a sum of nothing");
	for (i = 0; i < site->label_count; i++)
		fuzz_check(site->labels[i] < site->value_count, "a label of nothing");
	for (i = 0; i < site->term_count; i++) {
		const struct probe_term *term = &site->terms[i];

		fuzz_check(term->left < site->value_count, "a term of nothing");
		fuzz_check(term->right == PROBE_RIGHT_CONSTANT || term->right < site->value_count,
			   "a comparison with nothing");
		check_target(site, i, term->if_true);
		check_target(site, i, term->if_false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct probe_request request = { 0 };
	struct probe_layout layout;
	struct error err;

	if (!size)
		return 0;
	text = fuzz_text(bytes + 1, size - 1);
	switch (bytes[0] % 4) {
	case 0:
		request.show = text;
		break;
	case 1:
		request.sum = text;
		break;
	case 2:
		request.labels = text;
		break;
	case 3:
		request.filter = text;
		break;
	}
	for (size_t i = 0; i < PROBE_SCOPE_COUNT; i++) {
		if (probe_compile(&request, &probe_scopes[i], &layout, &err) < 0) {
			fuzz_touch_text(err.text);
			continue;
		}
		check_site(&layout.site);
		fuzz_check(probe_request_check(&request, NULL) == 0,
			   "what was compiled is no expression");
	}
	return 0;
}
