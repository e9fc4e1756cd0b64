/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/demangle.h"

#include <ctype.h>
#include <errno.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

/*
 * libiberty itself refuses C++ names above half of its recursion limit (that
 * is 1024 bytes) but not Rust ones.
 */
#define MANGLED_BYTES_MAX ((size_t)4096)
/* Nobody reads more, and repeated substitutions make 100 bytes into gigabytes. */
#define DEMANGLED_BYTES_MAX ((size_t)16384)
/*
 * When it expands a pack, libiberty walks the type without noticing that parts
 * of it are the same: 339 hostile bytes took 9 s. The steps are at most the
 * product of how often each substitution is used. Of the 8,500 names with a
 * pack in LLVM, clang, libstdc++ and node none reaches 2^12.
 */
#define PACK_STEPS_MAX ((uint64_t)1 << 16)
/* More than a name of 1024 bytes can make: S_, S0_ … SZ_, S10_ … SZZ_. */
#define SUBSTITUTIONS (1 + 36 + 36 * 36)

struct demangle_output {
	jmp_buf full;
	int options;		/* of libiberty */
	size_t size;
	char text[DEMANGLED_BYTES_MAX];
};

/*
 * The only way to stop libiberty before the whole name is printed. Nothing is
 * lost by it: the printers hold no memory, but for a short buffer while the
 * Rust one prints an identifier in punycode.
 */
static void demangle_collect(const char *text, size_t size, void *opaque)
{
	struct demangle_output *out = opaque;

	if (!size)
		return;		/* @text may then be NULL */
	if (size > sizeof(out->text) - out->size)
		longjmp(out->full, 1);
	memcpy(out->text + out->size, text, size);
	out->size += size;
}

static bool demangle_rust(const char *name, struct demangle_output *out)
{
	out->size = 0;
	if (setjmp(out->full))
		return false;
	return rust_demangle_callback(name, out->options, demangle_collect, out) &&
	       out->size;
}

static bool demangle_cplus(const char *name, struct demangle_output *out)
{
	out->size = 0;
	if (setjmp(out->full))
		return false;
	return cplus_demangle_v3_callback(name, out->options, demangle_collect, out) &&
	       out->size;
}

/* Which substitution "S" and @text ("_", "0_", "Z_", "10_") refer to, -1 when to none. */
static int substitution_index(const char *text)
{
	int index = 0, digit;

	if (*text == '_')
		return 0;
	for (; isdigit((unsigned char)*text) || isupper((unsigned char)*text); text++) {
		digit = isdigit((unsigned char)*text) ? *text - '0' : *text - 'A' + 10;
		index = index * 36 + digit;
		if (index + 1 >= SUBSTITUTIONS)
			return -1;
	}
	return *text == '_' ? index + 1 : -1;
}

static bool pack_is_hostile(const char *name)
{
	uint16_t uses[SUBSTITUTIONS] = { 0 };
	uint64_t steps = 1;
	int index;
	size_t i;

	if (!strstr(name, "Dp") && !strstr(name, "sp"))
		return false;
	for (; *name; name++) {
		index = *name == 'S' ? substitution_index(name + 1) : -1;
		if (index >= 0)
			uses[index]++;
	}
	for (i = 0; i < SUBSTITUTIONS && steps <= PACK_STEPS_MAX; i++)
		steps *= uses[i] ? uses[i] : 1;
	return steps > PACK_STEPS_MAX;
}

/* "17h" + 16 hexadecimal digits + "E" at the end: a legacy Rust name, which is also valid C++. */
static bool is_legacy_rust(const char *name)
{
	size_t size = strlen(name);
	const char *hash;
	size_t i;

	if (size < 20 || name[size - 1] != 'E')
		return false;
	hash = name + size - 20;
	if (strncmp(hash, "17h", 3))
		return false;
	for (i = 3; i < 19; i++) {
		if (!isxdigit((unsigned char)hash[i]) || isupper((unsigned char)hash[i]))
			return false;
	}
	return true;
}

bool demangle_is_mangled(const char *name)
{
	/* Two underscores: the same with the prefix that some assemblers give to every symbol. */
	return name[0] == '_' &&
	       (name[1] == 'Z' || name[1] == 'R' || (name[1] == '_' && name[2] == 'Z'));
}

static bool demangle_mangled(const char *name, struct demangle_output *out)
{
	if (!demangle_is_mangled(name))
		return false;
	if (!strncmp(name, "__Z", 3))
		name++;
	if (strnlen(name, MANGLED_BYTES_MAX + 1) > MANGLED_BYTES_MAX)
		return false;
	if (name[1] == 'R' || is_legacy_rust(name)) {
		if (demangle_rust(name, out))
			return true;
	}
	return name[1] == 'Z' && !pack_is_hostile(name) && demangle_cplus(name, out);
}

/* Whether the @size bytes of @name end with @suffix and begin with something else. */
static bool ends_with(const char *name, size_t size, const char *suffix)
{
	size_t length = strlen(suffix);

	return size > length && !memcmp(name + size - length, suffix, length);
}

/* How much of the @size bytes of @name is left when one suffix is dropped; @size when none is. */
static size_t drop_suffix(const char *name, size_t size)
{
	static const char *const numbered[] = {
		".isra.", ".constprop.", ".part.", ".cold.", ".lto_priv.", ".llvm.",
	};
	size_t end = size, i;

	while (end && isdigit((unsigned char)name[end - 1]))
		end--;
	if (end == size)
		return ends_with(name, size, ".cold") ? size - strlen(".cold") : size;
	for (i = 0; i < ARRAY_SIZE(numbered); i++) {
		if (ends_with(name, end, numbered[i]))
			return end - strlen(numbered[i]);
	}
	return size;
}

size_t demangle_stem_size(const char *name)
{
	size_t size = strlen(name), left = size;

	do {
		size = left;
		left = drop_suffix(name, size);
	} while (left < size);
	return size;
}

static int demangle_with(const char *name, int options, struct strbuf *buf)
{
	struct demangle_output out;
	size_t size = demangle_stem_size(name);
	char plain[MANGLED_BYTES_MAX + 2];
	bool demangled = false;

	if (name[0] == '_' && size < sizeof(plain)) {
		memcpy(plain, name, size);
		plain[size] = '\0';
		out.options = options;
		demangled = demangle_mangled(plain, &out);
	}
	if (demangled)
		strbuf_add(buf, out.text, out.size);
	else
		strbuf_add(buf, name, size);
	return buf->error ? buf->error : demangled;
}

int demangle_symbol(const char *name, struct strbuf *buf)
{
	return demangle_with(name, DMGL_PARAMS | DMGL_ANSI, buf);
}

int demangle_symbol_plain(const char *name, struct strbuf *buf)
{
	return demangle_with(name, DMGL_ANSI, buf);
}
