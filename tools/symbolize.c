/* SPDX-License-Identifier: BSD-2-Clause */
/* wick symbolize: addresses of an ELF file → functions, inlined calls and lines. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/json.h"
#include "profiler/base/alloc.h"
#include "profiler/base/number.h"
#include "profiler/base/plain_text.h"
#include "symbolizer/symbolizer.h"
#include "tools/message.h"
#include "tools/tool.h"

#define FRAMES_MAX 256 /* inlined into each other */
#define WORDS_MAX (1 << 20)
#define FLUSH_BYTES ((size_t)1 << 16)
#define INPUT_BYTES ((size_t)1 << 16)
/* Another process names so many at once: each question costs two switches between the two. */
#define ASKED_MAX 256
#define ADDRESS_COLUMNS 18 /* 0x and 16 digits */

struct symbolize_options {
	struct tool_common common;
	const char *elf;
	bool json, returns;
};

static const struct option_row symbolize_table[] = {
	{ .letter = 'e', .name = "elf", .argument = "FILE", .section = "What to look up",
	  .help = "the program, library or separate debug file the addresses are of",
	  .parse = option_parse_text, .offset = offsetof(struct symbolize_options, elf),
	  .completion = COMPLETE_FILE },
	{ .letter = 'r', .name = "return", .section = "What to look up",
	  .help = "the addresses are return addresses: name the calls before them",
	  .parse = option_parse_flag, .offset = offsetof(struct symbolize_options, returns) },
	{ .name = "json", .section = "Output", .help = "an object of JSON per address and line",
	  .parse = option_parse_flag, .offset = offsetof(struct symbolize_options, json) },
	TOOL_HELP_OPTION,
	{ 0 },
};

struct symbolize {
	const struct symbolize_options *options;
	struct symbolizer *symbolizer;
	struct module *module;
	struct strbuf text;
	uint64_t asked[ASKED_MAX];	/* and not answered yet */
	size_t asked_count;
	size_t failures_said;
};

/* What has come, and is no whole line yet. */
struct input {
	char *text;
	size_t size, capacity;
};

static void symbolize_done(struct symbolize *symbolize)
{
	module_put(symbolize->module);
	symbolizer_free(symbolize->symbolizer);
	strbuf_done(&symbolize->text);
}

/* Whether the section headers, which come last, are behind the end of the file. */
static bool is_cut(int fd)
{
	Elf64_Ehdr header;
	struct stat st;

	return !fstat(fd, &st) && pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_shoff > (uint64_t)st.st_size;
}

static int refuse_elf(const char *path, int code, struct error *err)
{
	return error_set(err, ERROR_FAILED, code, "cannot read: %s: %s", path,
			 code == -ENOEXEC ? "not an ELF file" :
			 code == -EBADMSG ? "a damaged ELF file" : strerror(-code));
}

/* The symbolizer names what it cannot open, too: a file that is none is for us to find out. */
static int open_elf(struct symbolize *symbolize, struct error *err)
{
	const struct symbolizer_options options = { .isolated = true, .endless = true };
	const char *path = symbolize->options->elf;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct module_info info = { .path = path };
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0)
		return refuse_elf(path, -errno, err);
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		return refuse_elf(path, -EISDIR, err);
	r = elf_file_open_fd(fd, &elf);
	if (r >= 0 && is_cut(fd))
		r = -EBADMSG;
	if (r < 0)
		return refuse_elf(path, r, err);
	info.build_id = *elf_file_build_id(elf);
	symbolize->module = module_new(&info, take_fd(fd));
	symbolize->symbolizer = symbolizer_new(&options);
	return symbolize->module && symbolize->symbolizer ? 0 : message_no_memory(err);
}

/* Hexadecimal, with 0x or without, as nm and addr2line have it. */
static int parse_address(const char *word, uint64_t *ret, struct error *err)
{
	bool prefixed = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	char text[2 + 16 + 1];
	int size = snprintf(text, sizeof(text), "0x%s", word + (prefixed ? 2 : 0));

	if (size >= (int)sizeof(text) || size == 2 || number_parse_u64(text, UINT64_MAX, ret) < 0)
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "bad address: %.40s: must be hexadecimal, of at most 64 bits",
				 word);
	return 0;
}

static bool has_name(const struct frame *frame)
{
	return frame->origin != FRAME_UNKNOWN;
}

static void add_text(struct strbuf *ret, uint64_t address, const struct frame *frames, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (i)
			strbuf_printf(ret, "%*s", ADDRESS_COLUMNS, "");
		else
			strbuf_printf(ret, "0x%016" PRIx64, address);
		strbuf_printf(ret, " %s", has_name(&frames[i]) ? frames[i].function : "??");
		if (frames[i].file)
			strbuf_printf(ret, " %s:%" PRIu32, frames[i].file, frames[i].line);
		strbuf_add_text(ret, frames[i].inlined ? " (inlined)\n" : "\n");
	}
}

static void add_json(struct strbuf *ret, uint64_t address, const struct frame *frames, int count)
{
	int i;

	strbuf_printf(ret, "{\"address\": \"0x%" PRIx64 "\", \"frames\": [", address);
	for (i = 0; i < count && has_name(&frames[i]); i++) {
		strbuf_add_text(ret, i ? ", {\"function\": " : "{\"function\": ");
		json_add_text(ret, frames[i].function);
		strbuf_add_text(ret, ", \"system_name\": ");
		json_add_text(ret, frames[i].system_name);
		strbuf_add_text(ret, ", \"file\": ");
		json_add_text(ret, frames[i].file);
		strbuf_printf(ret, ", \"line\": %" PRIu32 ", \"start\": \"0x%" PRIx64 "\"",
			      frames[i].line, frames[i].start);
		strbuf_printf(ret, ", \"inlined\": %s}", frames[i].inlined ? "true" : "false");
	}
	strbuf_add_text(ret, "]}\n");
}

/* Where a return address is in the middle of the call. */
static uint64_t place_of(const struct symbolize *symbolize, uint64_t address)
{
	return symbolize->options->returns && address ? address - 1 : address;
}

static void say_failures(struct symbolize *symbolize)
{
	const struct symbolizer_failure *failures;
	size_t count, i;

	failures = symbolizer_failures(symbolize->symbolizer, &count);
	for (i = symbolize->failures_said; i < count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		/* Of a file that killed a second reader, too, only that is said. */
		if (i + 1 < count && failures[i + 1].path == failures[i].path)
			continue;
		symbolizer_failure_write(&failures[i], &text);
		/* The path may be any bytes. */
		if (!text.error)
			plain_text(text.data);
		message_warn("%s", text.data);
	}
	symbolize->failures_said = count;
}

static int look_up(struct symbolize *symbolize, uint64_t address, struct error *err)
{
	struct frame frames[FRAMES_MAX];
	int r = symbolizer_lookup(symbolize->symbolizer, symbolize->module,
				  place_of(symbolize, address), frames, FRAMES_MAX);

	if (r == -ENOMEM)
		return message_no_memory(err);
	if (r < 0)
		return refuse_elf(symbolize->options->elf, r, err);
	if (symbolize->options->json)
		add_json(&symbolize->text, address, frames, r);
	else
		add_text(&symbolize->text, address, frames, r);
	return 0;
}

/* All that was asked, in that order. */
static int answer(struct symbolize *symbolize, struct error *err)
{
	uint64_t places[ASKED_MAX];
	size_t count = symbolize->asked_count, i;
	int r;

	if (!count)
		return 0;
	symbolize->asked_count = 0;
	for (i = 0; i < count; i++)
		places[i] = place_of(symbolize, symbolize->asked[i]);
	if (symbolizer_prepare(symbolize->symbolizer, symbolize->module, places, count) < 0)
		return message_no_memory(err);
	for (i = 0, r = 0; i < count && !r; i++)
		r = look_up(symbolize, symbolize->asked[i], err);
	say_failures(symbolize);
	return r;
}

static int ask(struct symbolize *symbolize, const char *word, struct error *err)
{
	uint64_t address;
	int r = parse_address(word, &address, err);

	if (r < 0) {
		/* Those before it are answered all the same. */
		answer(symbolize, &(struct error){ 0 });
		return r;
	}
	symbolize->asked[symbolize->asked_count++] = address;
	return symbolize->asked_count == ASKED_MAX ? answer(symbolize, err) : 0;
}

/* What was found so far. Returns the exit status. */
static int flush(struct symbolize *symbolize)
{
	int status = message_print(&symbolize->text);

	strbuf_reset(&symbolize->text);
	return status;
}

/* What was asked is answered and written; @r: what became of asking. Returns the exit status. */
static int finish(struct symbolize *symbolize, int r, struct error *err)
{
	int status;

	r = r ?: answer(symbolize, err);
	status = flush(symbolize);
	return r < 0 ? message_error(err) : status;
}

/* Of each whole line the first word, where it has one; the lines are taken out of @input. */
static int ask_lines(struct symbolize *symbolize, struct input *input, struct error *err)
{
	char *line = input->text, *end = line + input->size, *newline;
	int r = 0;

	while (!r && (newline = memchr(line, '\n', end - line))) {
		*newline = '\0';
		line += strspn(line, " \t\r");
		line[strcspn(line, " \t\r")] = '\0';
		r = *line ? ask(symbolize, line, err) : 0;
		line = newline + 1;
	}
	input->size = end - line;
	memmove(input->text, line, input->size);
	return r;
}

/* Returns how many bytes came, or below 0 with @err. The end of the input is the end of a line, too. */
static ssize_t read_input(struct input *input, struct error *err)
{
	ssize_t got;

	if (alloc_grow(&input->text, &input->capacity, input->size + INPUT_BYTES) < 0)
		return message_no_memory(err);
	do {
		got = read(STDIN_FILENO, input->text + input->size, INPUT_BYTES);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_set(err, ERROR_FAILED, -errno, "cannot read: standard input: %s",
				 strerror(errno));
	input->size += got;
	if (!got)
		input->text[input->size++] = '\n';
	return got;
}

/* An address per line. As many as have come are answered at once: whoever writes may wait for them. */
static int look_up_input(struct symbolize *symbolize, struct error *err)
{
	struct input input = { 0 };
	int status = 0;
	ssize_t got = 1;

	while (!status && got > 0) {
		got = read_input(&input, err);
		if (got < 0)
			status = message_error(err);
		else
			status = finish(symbolize, ask_lines(symbolize, &input, err), err);
	}
	free(input.text);
	return status;
}

static int look_up_words(struct symbolize *symbolize, const struct option_words *words,
			 struct error *err)
{
	int status = 0, r = 0, i;

	for (i = 0; i < words->count && !status && !r; i++) {
		r = ask(symbolize, words->words[i], err);
		if (symbolize->text.size > FLUSH_BYTES)
			status = flush(symbolize);
	}
	return status ?: finish(symbolize, r, err);
}

static int symbolize_run(int argc, char **argv)
{
	struct symbolize_options options = { 0 };
	_cleanup_(symbolize_done) struct symbolize symbolize = { .options = &options,
								 .text = STRBUF_INIT };
	struct option_words words;
	struct error err;
	int status;

	if (tool_parse(&symbolize_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	if (!options.elf)
		error_set(&err, ERROR_USAGE, -EINVAL, "missing option: -e FILE");
	if (!options.elf || open_elf(&symbolize, &err) < 0)
		return message_error(&err);
	return words.count ? look_up_words(&symbolize, &words, &err) :
			     look_up_input(&symbolize, &err);
}

static const struct tool_example symbolize_examples[] = {
	{ "wick symbolize -e /usr/bin/sort 0x7b30", "which function that is" },
	{ "wick symbolize -e a.out -r <addresses", "the callers in a list of return addresses" },
	{ NULL, NULL },
};

const struct tool symbolize_tool = {
	.name = "symbolize",
	.summary = "name addresses of a program or library",
	.usage = "-e FILE [ADDRESS]...",
	.description =
		"Print each address with the function it is in and its source line, as far as the "
		"file tells. A call that was inlined there has a line of its own, marked, before "
		"the function it is inlined into; what has no name is ??.\n\n"
		"Addresses are ELF virtual addresses, hexadecimal with 0x or without, as nm prints "
		"them. Without any, a line of standard input each.",
	.examples = symbolize_examples,
	.options = symbolize_table,
	.words_max = WORDS_MAX,
	.run = symbolize_run,
};
