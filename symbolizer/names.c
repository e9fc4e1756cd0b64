/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/names.h"

#include <errno.h>
#include <inttypes.h>

#include "profiler/base/hashmap.h"
#include "profiler/base/intern.h"
#include "profiler/base/strbuf.h"
#include "symbolizer/demangle.h"
#include "symbolizer/symbolizer.h"

struct names {
	struct intern *texts;
	struct hashmap *shown;	/* text number of a symbol → of its shown name */
	struct strbuf buffer;	/* kept, so that naming a frame rarely allocates */
};

struct names *names_free(struct names *names)
{
	if (!names)
		return NULL;
	intern_free(names->texts);
	hashmap_free(names->shown);
	strbuf_done(&names->buffer);
	free(names);
	return NULL;
}

struct names *names_new(void)
{
	_cleanup_(names_freep) struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->buffer = (struct strbuf)STRBUF_INIT;
	names->texts = intern_new();
	names->shown = hashmap_new(sizeof(uint32_t), sizeof(uint32_t));
	if (!names->texts || !names->shown)
		return NULL;
	return take_ptr(names);
}

const char *names_text(struct names *names, const char *text)
{
	uint32_t number;

	if (intern_add_text(names->texts, text, &number) < 0)
		return NULL;
	return intern_text(names->texts, number);
}

static int names_show(struct names *names, const char *symbol, uint32_t *ret)
{
	int r;

	strbuf_reset(&names->buffer);
	r = demangle_symbol(symbol, &names->buffer);
	if (r < 0)
		return r;
	return intern_add(names->texts, names->buffer.data, names->buffer.size, ret);
}

int names_symbol(struct names *names, const char *symbol, struct frame *frame)
{
	uint32_t raw, shown, *known;
	void *value;
	int r;

	r = intern_add_text(names->texts, symbol, &raw);
	if (r < 0)
		return r;
	known = hashmap_find(names->shown, &raw);
	if (!known) {
		r = names_show(names, symbol, &shown);
		if (r < 0)
			return r;
		r = hashmap_add(names->shown, &raw, &value);
		if (r < 0)
			return r;
		known = value;
		*known = shown;
	}
	frame->system_name = intern_text(names->texts, raw);
	frame->function = intern_text(names->texts, *known);
	return 0;
}

int names_plain(struct names *names, const char *name, struct frame *frame)
{
	const char *text = names_text(names, name);

	if (!text)
		return -ENOMEM;
	frame->function = text;
	frame->system_name = text;
	return 0;
}

int names_address(struct names *names, const char *base, uint64_t address, struct frame *frame)
{
	strbuf_reset(&names->buffer);
	if (*base)
		strbuf_printf(&names->buffer, "%s+", base);
	strbuf_printf(&names->buffer, "0x%" PRIx64, address);
	if (names->buffer.error)
		return names->buffer.error;
	return names_plain(names, names->buffer.data, frame);
}

size_t names_bytes(const struct names *names)
{
	return intern_bytes(names->texts) + hashmap_bytes(names->shown);
}
