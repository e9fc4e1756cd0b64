/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_demangle.c - any text as the name of a symbol. */
#include "profiler/base/strbuf.h"
#include "symbolizer/demangle.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	_cleanup_free_ char *name = fuzz_text(bytes, size);

	fuzz_check(demangle_symbol(name, &shown) >= 0, "a name cannot be shown");
	fuzz_touch_text(shown.data);
	return 0;
}
