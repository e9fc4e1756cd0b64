/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/name_pattern.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "symbolizer/demangle.h"

/*
 * What demanglers write that a mangled name has only as a letter or two: a part of these proves nothing
 * by its absence. C++ first, then Rust's. More words than needed cost time, a missing one a match.
 */
static const char generated[] =
	"std allocator basic_string string basic_istream basic_ostream basic_iostream istream ostream "
	"iostream char_traits traits anonymous namespace operator new delete co_await sizeof alignof "
	"typeid noexcept throw throws nullptr nullptr_t decltype auto typename template this true false "
	"void wchar_t bool signed char unsigned short int long __int128 float double __float128 "
	"char8_t char16_t char32_t decimal32 decimal64 decimal128 half _Float16 _Float32 _Float64 "
	"_Float128 _Float32x _Float64x std bfloat16_t __fp16 __bf16 _Complex _Imaginary complex "
	"imaginary const volatile restrict __restrict __vector transaction_safe requires "
	"dynamic_cast static_cast const_cast reinterpret_cast lambda unnamed type default arg parm "
	"literal vtable VTT typeinfo name fn for construction vtable in virtual non thunk to covariant "
	"return guard variable initialization function init wrapper TLS reference temporary hidden alias "
	"global constructors destructors keyed transaction clone non abi cxx11 java block invocation "
	"concept module initializer attached partition auto friend enum ud "
	"closure shim impl dyn as mut str usize isize u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f16 f32 f64 "
	"f128 unsafe extern async C unwind ";

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool is_generated(const char *word, size_t size)
{
	return memmem(generated, sizeof(generated) - 1, word, size) != NULL;
}

void name_pattern_init(struct name_pattern *pattern, const char *text)
{
	size_t size;

	*pattern = (struct name_pattern){ .text = text };
	while (*text && pattern->word_count < NAME_PATTERN_WORDS_MAX) {
		/* What is between brackets may be a choice of letters; a number is written by demanglers. */
		if (*text == '[' && strchr(text, ']'))
			text = strchr(text, ']');
		for (size = 0; is_word(text[size]);)
			size++;
		if (size && !isdigit((unsigned char)*text) && !is_generated(text, size))
			pattern->words[pattern->word_count++] = (struct name_word){ text, size };
		text += size ? size : 1;
	}
}

bool name_pattern_matches(const struct name_pattern *pattern, const char *name)
{
	return !strcmp(pattern->text, name) || !fnmatch(pattern->text, name, 0);
}

static bool has_words(const struct name_pattern *pattern, const char *name)
{
	size_t size = strlen(name), i;

	for (i = 0; i < pattern->word_count; i++) {
		if (!memmem(name, size, pattern->words[i].start, pattern->words[i].size))
			return false;
	}
	return true;
}

static int matches_demangled(const struct name_pattern *pattern, const char *stem)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT, plain = STRBUF_INIT;
	const char *without_type;

	if (!has_words(pattern, stem))
		return 0;
	if (demangle_symbol(stem, &whole) < 0 || demangle_symbol_plain(stem, &plain) < 0)
		return -ENOMEM;
	if (name_pattern_matches(pattern, whole.data) || name_pattern_matches(pattern, plain.data))
		return 1;
	/* A template's name begins with what it returns, which is no part of how one asks for it. */
	without_type = strstr(whole.data, plain.data);
	return without_type && name_pattern_matches(pattern, without_type);
}

/* "name.part.0" and "name.cold" are not entered by who calls the function. */
static bool is_part(const char *suffix)
{
	return strstr(suffix, ".part.") || strstr(suffix, ".cold");
}

/* @stem: a symbol without its version. */
static int matches_stem(const struct name_pattern *pattern, char *stem)
{
	size_t size;

	if (name_pattern_matches(pattern, stem))
		return 1;
	size = strchr(stem, '.') ? demangle_stem_size(stem) : strlen(stem);
	if (is_part(stem + size))
		return 0;
	if (demangle_is_mangled(stem))
		return matches_demangled(pattern, stem);
	if (!stem[size])
		return 0;
	stem[size] = '\0';
	return name_pattern_matches(pattern, stem);
}

/* Where the version begins, "@GLIBC_2.2.5"; a name may begin with anything. */
static size_t version_offset(const char *symbol)
{
	return *symbol ? 1 + strcspn(symbol + 1, "@") : 0;
}

int name_pattern_matches_symbol(const struct name_pattern *pattern, const char *symbol)
{
	_cleanup_free_ char *copy = NULL;
	size_t size = version_offset(symbol);

	if (name_pattern_matches(pattern, symbol))
		return 1;
	if (!symbol[size] && !demangle_is_mangled(symbol) && !strchr(symbol, '.'))
		return 0;
	copy = strndup(symbol, size);
	return copy ? matches_stem(pattern, copy) : -ENOMEM;
}

int name_pattern_show(const char *symbol, struct strbuf *buf)
{
	_cleanup_free_ char *stem = strndup(symbol, version_offset(symbol));
	size_t size;

	if (!stem)
		return -ENOMEM;
	if (!demangle_is_mangled(stem)) {
		strbuf_add_text(buf, stem);
		return buf->error;
	}
	if (demangle_symbol(stem, buf) < 0)
		return -ENOMEM;
	size = demangle_stem_size(stem);
	if (stem[size])
		strbuf_printf(buf, " [clone %s]", stem + size);
	return buf->error;
}
