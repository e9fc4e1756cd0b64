/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mini_debug.c - names by .gnu_debugdata, the "mini debug information" of Fedora and others.
 *
 * An ELF file of its own, compressed by xz, inside of a stripped program. It
 * has the symbols that .dynsym has not.
 */
#include <errno.h>
#include <lzma.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "symbolizer/elf/mini_debug.h"
#include "symbolizer/providers/provider.h"

#define STEP_BYTES ((size_t)256 << 10)
/* Unpacked; it holds the symbols of one file and their names. */
#define IMAGE_BYTES_MAX ((size_t)128 << 20)
/* The dictionary of xz -9 with room to spare. */
#define DICTIONARY_BYTES_MAX ((uint64_t)128 << 20)

struct image {
	uint8_t *bytes;
	size_t size, capacity;
};

struct mini_debug {
	struct module *mod;	/* over the image */
	size_t bytes;
	void *symbols;		/* elf_symtab_provider's state of it */
};

static void image_done(struct image *image)
{
	free(image->bytes);
}

static int image_expand(lzma_stream *stream, struct image *image)
{
	lzma_ret code = LZMA_OK;
	int r;

	while (code == LZMA_OK) {
		if (image->size >= IMAGE_BYTES_MAX)
			return -EFBIG;
		r = alloc_grow(&image->bytes, &image->capacity, image->size + STEP_BYTES);
		if (r < 0)
			return r;
		stream->next_out = image->bytes + image->size;
		stream->avail_out = image->capacity - image->size;
		/* All input is there: it is for the decoder to say that it ends too early. */
		code = lzma_code(stream, LZMA_FINISH);
		image->size = image->capacity - stream->avail_out;
	}
	if (code == LZMA_STREAM_END)
		return 0;
	return code == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int image_unpack(const struct elf_section *packed, struct image *image)
{
	_cleanup_(lzma_end) lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret code = lzma_stream_decoder(&stream, DICTIONARY_BYTES_MAX, 0);

	if (code != LZMA_OK)
		return code == LZMA_MEM_ERROR ? -ENOMEM : -EINVAL;
	stream.next_in = packed->bytes;
	stream.avail_in = packed->size;
	return image_expand(&stream, image);
}

static void mini_debug_free(void *state)
{
	struct mini_debug *mini = state;

	if (mini->symbols)
		elf_symtab_provider.free(mini->symbols);
	module_put(mini->mod);
	free(mini);
}
DEFINE_CLEANUP(struct mini_debug *, mini_debug_free)

int mini_debug_read(struct module *mod, struct module **ret, size_t *ret_bytes)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(image_done) struct image image = { 0 };
	struct elf_section packed;
	struct module *mini;
	int r;

	r = module_open(mod, &elf);
	r = r ?: elf_file_section(elf, ".gnu_debugdata", &packed);
	r = r ?: image_unpack(&packed, &image);
	if (r < 0)
		return r;
	mini = module_new_image(module_info(mod), take_ptr(image.bytes), image.size);
	if (!mini)
		return -ENOMEM;
	*ret = mini;
	*ret_bytes = image.size;
	return 0;
}

static int mini_debug_open(struct module *mod, void **ret)
{
	_cleanup_(mini_debug_freep) struct mini_debug *mini = calloc(1, sizeof(*mini));
	int r;

	if (!mini)
		return -ENOMEM;
	r = mini_debug_read(mod, &mini->mod, &mini->bytes);
	r = r ?: elf_symtab_provider.open(mini->mod, &mini->symbols);
	if (r < 0)
		return r;
	*ret = take_ptr(mini);
	return 0;
}

static int mini_debug_lookup(void *state, struct names *names, uint64_t address,
			     struct frame *ret, size_t max)
{
	const struct mini_debug *mini = state;

	return elf_symtab_provider.lookup(mini->symbols, names, address, ret, max);
}

static size_t mini_debug_bytes(const void *state)
{
	const struct mini_debug *mini = state;

	return sizeof(*mini) + mini->bytes + elf_symtab_provider.bytes(mini->symbols);
}

const struct provider mini_debug_provider = {
	.name = ".gnu_debugdata",
	.open = mini_debug_open,
	.lookup = mini_debug_lookup,
	.bytes = mini_debug_bytes,
	.free = mini_debug_free,
};
