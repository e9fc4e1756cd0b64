/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/special_code.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

/* mov $15,%rax; syscall: rt_sigreturn, as the kernel's ABI wants it called. */
static const uint8_t sigreturn[] = { 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 };

/*
 * How musl, which comes without CFI, begins threads: by an indirect call, whose result goes to the
 * system call exit: mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall.
 */
static const uint8_t exit_with_result[] = { 0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05 };
/* ff /2, with neither SIB byte nor more than a byte of displacement. */
#define INDIRECT_CALL_BYTES_MAX 3

/* How much of the code at the entry belongs to it: hand-written code that calls into C soon. */
#define ENTRY_BYTES_MAX 64

static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

/*
 * How entries begin: they clear rbp, for frame pointers end here, or take the arguments from
 * the stack. Some linkers set the entry of a shared library to just anywhere.
 */
static const struct {
	uint8_t bytes[3], size;
} entry_starts[] = {
	{ { 0x31, 0xed }, 2 },			/* xor %ebp,%ebp */
	{ { 0x48, 0x31, 0xed }, 3 },		/* xor %rbp,%rbp */
	{ { 0x48, 0x89, 0xe7 }, 3 },		/* mov %rsp,%rdi */
};

/*
 * What linkers put into PLTs: bytes that tell an entry by, and the rule of all of them. Where the
 * entry pushes its index is what UNWIND_PLT wants to know.
 */
static const struct plt_form {
	const char *section;
	uint8_t first;		/* offset of the first entry: behind the header */
	uint8_t bytes[7], size;
	struct unwind_rule rule;
} plt_forms[] = {
	/* jmp *GOT(%rip); push $index; jmp header */
	{ ".plt", 16, { 0xff, 0x25 }, 2, { .kind = UNWIND_PLT, .cfa_offset = 11 } },
	/* endbr64; push $index; jmp header */
	{ ".plt", 16, { 0xf3, 0x0f, 0x1e, 0xfa, 0x68 }, 5, { .kind = UNWIND_PLT, .cfa_offset = 9 } },
	/* endbr64; jmp *GOT(%rip), without and with bnd */
	{ ".plt.sec",
	  0,
	  { 0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25 },
	  6,
	  { .kind = UNWIND_CFA_RSP, .cfa_offset = 8 } },
	{ ".plt.sec",
	  0,
	  { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25 },
	  7,
	  { .kind = UNWIND_CFA_RSP, .cfa_offset = 8 } },
	/* jmp *GOT(%rip) */
	{ ".plt.got", 0, { 0xff, 0x25 }, 2, { .kind = UNWIND_CFA_RSP, .cfa_offset = 8 } },
	{ ".iplt", 0, { 0xff, 0x25 }, 2, { .kind = UNWIND_CFA_RSP, .cfa_offset = 8 } },
};

/* push GOT+8(%rip); jmp *GOT+16(%rip), with an index on the stack. */
static const uint8_t plt_header[] = { 0xff, 0x35 };
#define PLT_HEADER_PUSH_BYTES 6

/*
 * _init and _fini, which crti.o begins and crtn.o ends, without CFI: what is in between has
 * one word on the stack. That of glibc, then that of musl.
 */
static const char *const init_sections[] = { ".init", ".fini" };

static const struct {
	uint8_t begin[4], begin_size;
	uint8_t end[5], end_size;
} init_forms[] = {
	/* sub $8,%rsp; …; add $8,%rsp; ret */
	{ { 0x48, 0x83, 0xec, 0x08 }, 4, { 0x48, 0x83, 0xc4, 0x08, 0xc3 }, 5 },
	/* push %rax; …; pop %rax; ret */
	{ { 0x50 }, 1, { 0x58, 0xc3 }, 2 },
};

void special_code_init(struct special_code *code, const struct elf_file *elf)
{
	size_t count, i;
	const struct elf_segment *segments = elf_file_segments(elf, &count);

	*code = (struct special_code){ 0 };
	for (i = 0; i < count && code->segment_count < TEXT_SEGMENTS_MAX; i++) {
		if (!segments[i].executable)
			continue;
		code->segments[code->segment_count++] = (struct text_segment){
			.start = segments[i].address,
			.end = segments[i].address + segments[i].file_bytes,
		};
	}
}

const struct text_segment *special_code_segment(const struct special_code *code, uint64_t address)
{
	size_t i;

	for (i = 0; i < code->segment_count; i++) {
		if (address >= code->segments[i].start && address < code->segments[i].end)
			return &code->segments[i];
	}
	return NULL;
}

/* The bytes at @address, with how many follow it in *@ret_size, or NULL when they were not read. */
static const uint8_t *text_at(const struct special_code *code, uint64_t address, size_t *ret_size)
{
	const struct text_segment *segment = special_code_segment(code, address);

	if (!segment || !segment->bytes)
		return NULL;
	*ret_size = segment->end - address;
	return segment->bytes + (address - segment->start);
}

int special_code_read(struct special_code *code, struct elf_file *elf)
{
	struct elf_section text;
	size_t i;
	int r;

	for (i = 0; i < code->segment_count; i++) {
		struct text_segment *segment = &code->segments[i];

		if (segment->bytes)
			continue;
		r = elf_file_text(elf, i, &text);
		if (r == -ENOMEM)
			return r;
		/* What cannot be read has nothing special about it. */
		if (r < 0 || text.address != segment->start ||
		    text.size < segment->end - segment->start)
			continue;
		segment->bytes = text.bytes;
	}
	return 0;
}

static bool looks_like_entry(const struct special_code *code, uint64_t entry)
{
	size_t room, i;
	const uint8_t *bytes = text_at(code, entry, &room);

	if (!bytes)
		return false;
	if (room > sizeof(endbr64) && !memcmp(bytes, endbr64, sizeof(endbr64))) {
		bytes += sizeof(endbr64);
		room -= sizeof(endbr64);
	}
	for (i = 0; i < sizeof(entry_starts) / sizeof(entry_starts[0]); i++) {
		if (room >= entry_starts[i].size &&
		    !memcmp(bytes, entry_starts[i].bytes, entry_starts[i].size))
			return true;
	}
	return false;
}

/* How much code there is. Without .text, a segment may also hold read-only data. */
static uint64_t text_bytes(const struct special_code *code, struct elf_file *elf)
{
	struct elf_place text;
	uint64_t sum = 0;
	size_t i;

	if (elf_file_place(elf, ".text", &text) == 0)
		return text.size;
	for (i = 0; i < code->segment_count; i++)
		sum += code->segments[i].end - code->segments[i].start;
	return sum;
}

static void add_range(struct special_code *code, uint64_t start, uint64_t end,
		      struct unwind_rule rule)
{
	if (code->range_count < SPECIAL_RANGES_MAX && start < end)
		code->ranges[code->range_count++] = (struct special_range){ start, end, rule };
}

static void add_plt(struct special_code *code, const struct plt_form *form,
		    const struct elf_section *section)
{
	const struct unwind_rule called = { .kind = UNWIND_CFA_RSP, .cfa_offset = 16 };
	const struct unwind_rule pushed = { .kind = UNWIND_CFA_RSP, .cfa_offset = 24 };
	uint64_t start = section->address, entries = start + form->first;

	if (section->size < form->first + form->size ||
	    memcmp(section->bytes + form->first, form->bytes, form->size))
		return;
	if (form->first && !memcmp(section->bytes, plt_header, sizeof(plt_header))) {
		add_range(code, start, start + PLT_HEADER_PUSH_BYTES, called);
		add_range(code, start + PLT_HEADER_PUSH_BYTES, entries, pushed);
	}
	add_range(code, entries, start + section->size, form->rule);
}

static int find_plts(struct special_code *code, struct elf_file *elf)
{
	struct elf_section section = { 0 };
	const char *name = "";
	size_t i;
	int r = -ENOENT;

	for (i = 0; i < sizeof(plt_forms) / sizeof(plt_forms[0]); i++) {
		if (strcmp(plt_forms[i].section, name)) {
			name = plt_forms[i].section;
			r = elf_file_section(elf, name, &section);
		}
		if (r == -ENOMEM)
			return r;
		if (r == 0)
			add_plt(code, &plt_forms[i], &section);
	}
	return 0;
}

static void add_init(struct special_code *code, const struct elf_section *section)
{
	const struct unwind_rule called = { .kind = UNWIND_CFA_RSP, .cfa_offset = 8 };
	const struct unwind_rule pushed = { .kind = UNWIND_CFA_RSP, .cfa_offset = 16 };
	uint64_t start = section->address, end = start + section->size, begin, tail;
	size_t i, skip = 0;

	if (section->size > sizeof(endbr64) &&
	    !memcmp(section->bytes, endbr64, sizeof(endbr64)))
		skip = sizeof(endbr64);
	for (i = 0; i < sizeof(init_forms) / sizeof(init_forms[0]); i++) {
		begin = skip + init_forms[i].begin_size;
		if (section->size < begin + init_forms[i].end_size)
			continue;
		tail = section->size - init_forms[i].end_size;
		if (memcmp(section->bytes + skip, init_forms[i].begin, init_forms[i].begin_size) ||
		    memcmp(section->bytes + tail, init_forms[i].end, init_forms[i].end_size))
			continue;
		add_range(code, start, start + begin, called);
		/* What takes the word off again still sees it. */
		add_range(code, start + begin, end - 1, pushed);
		add_range(code, end - 1, end, called);
		return;
	}
}

static int find_inits(struct special_code *code, struct elf_file *elf)
{
	struct elf_section section;
	size_t i;
	int r;

	for (i = 0; i < sizeof(init_sections) / sizeof(init_sections[0]); i++) {
		r = elf_file_section(elf, init_sections[i], &section);
		if (r == -ENOMEM)
			return r;
		if (r == 0)
			add_init(code, &section);
	}
	return 0;
}

int special_code_load(struct special_code *code, struct elf_file *elf, uint64_t covered)
{
	const struct unwind_rule end = { .kind = UNWIND_END };
	uint64_t entry = elf_file_entry(elf), size = text_bytes(code, elf);
	struct elf_place interpreter, go;
	bool dynamic = elf_file_place(elf, ".interp", &interpreter) == 0;
	int r = 0;

	code->is_go = elf_file_place(elf, ".gopclntab", &go) == 0 ||
		      elf_file_place(elf, ".data.rel.ro.gopclntab", &go) == 0;
	code->is_bare = covered < size && size - covered >= size / 8;
	if ((entry && !dynamic) || code->is_bare)
		r = special_code_read(code, elf);
	if (r < 0)
		return r;
	if (entry && (dynamic || elf_file_type(elf) == ET_EXEC || looks_like_entry(code, entry)))
		add_range(code, entry, entry + ENTRY_BYTES_MAX, end);
	r = find_inits(code, elf);
	return r < 0 ? r : find_plts(code, elf);
}

static void find_trampoline(const struct special_code *code, const uint8_t *bytes,
			    struct special_search *search)
{
	const uint8_t *found = memmem(bytes, search->end - search->from, sigreturn,
				      sizeof(sigreturn));
	const struct text_segment *segment;

	if (!found)
		return;
	search->at = search->from + (uint64_t)(found - bytes);
	segment = special_code_segment(code, search->at);
	search->range = (struct special_range){
		.start = search->at > segment->start ? search->at - 1 : search->at,
		.end = search->at + sizeof(sigreturn),
		.rule = { .kind = UNWIND_SIGNAL },
	};
}

/* Whether an indirect call ends before the @at'th of @bytes. */
static bool follows_indirect_call(const uint8_t *bytes, size_t at)
{
	size_t size;

	for (size = 2; size <= INDIRECT_CALL_BYTES_MAX && size <= at; size++) {
		if (bytes[at - size] == 0xff && (bytes[at - size + 1] & 0x38) == 0x10)
			return true;
	}
	return false;
}

static void find_outermost_call(const struct special_code *code, const uint8_t *bytes,
				struct special_search *search)
{
	size_t size = search->end - search->from, at = 0;
	const uint8_t *found;

	if (code->is_go)
		return;
	while ((found = memmem(bytes + at, size - at, exit_with_result,
			       sizeof(exit_with_result)))) {
		at = (size_t)(found - bytes);
		if (follows_indirect_call(bytes, at)) {
			/* Whoever asks from within the call does not see one. */
			search->at = search->from + at -
				     (at < INDIRECT_CALL_BYTES_MAX ? at : INDIRECT_CALL_BYTES_MAX);
			search->range = (struct special_range){
				.start = search->from + at - 1,
				.end = search->from + at + sizeof(exit_with_result),
				.rule = { .kind = UNWIND_END },
			};
			return;
		}
		at++;
	}
}

/* The first that @find finds in [@from, @to); what @search knows is not looked for again. */
static bool search_next(const struct special_code *code, struct special_search *search,
			void (*find)(const struct special_code *code, const uint8_t *bytes,
				     struct special_search *search),
			uint64_t from, uint64_t to, struct special_range *ret)
{
	bool is_known = to == search->to && from >= search->from && from <= search->at &&
			from < search->end;

	if (!is_known) {
		size_t size = 0;
		const uint8_t *bytes = text_at(code, from, &size);

		*search = (struct special_search){ .from = from, .to = to };
		search->at = search->end = from + (size < to - from ? size : to - from);
		if (bytes)
			find(code, bytes, search);
	}
	if (search->at == search->end)
		return false;
	*ret = search->range;
	return true;
}

bool special_code_next(struct special_code *code, uint64_t from, uint64_t to,
		       struct special_range *ret)
{
	struct special_range first = { .start = to };
	size_t i;

	if (search_next(code, &code->trampoline, find_trampoline, from, to, ret))
		first = *ret;
	if (search_next(code, &code->outermost_call, find_outermost_call, from, to, ret) &&
	    ret->start < first.start)
		first = *ret;
	for (i = 0; i < code->range_count; i++) {
		const struct special_range *range = &code->ranges[i];

		if (range->start < from || range->start >= first.start)
			continue;
		/* Up to where a trampoline begins, or code that has CFI. */
		*ret = *range;
		if (ret->end > to)
			ret->end = to;
		if (first.end && ret->end > first.start)
			ret->end = first.start;
		first = *ret;
	}
	*ret = first;
	return first.end != 0;
}
