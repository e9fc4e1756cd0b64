/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not getopt_long(): it prints by itself, keeps its state in globals, and its
 * tables have no room for what --help, the man page and completion need.
 */
#include "tools/options/options.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/suggest.h"

/* Where parsing is: the words of argv from @next on are still to be read. */
struct option_reader {
	const struct option_row *table;
	char **argv;
	int argc;
	int next;
	void *values;
	bool done;		/* --help was there: nothing else matters */
	struct error *err;
};

static const struct option_row *find_letter(const struct option_row *table, char letter)
{
	for (; !option_row_is_end(table); table++)
		if (letter && table->letter == letter)
			return table;
	return NULL;
}

static const struct option_row *find_name(const struct option_row *table, const char *name,
					  size_t size)
{
	for (; !option_row_is_end(table); table++)
		if (table->name && strlen(table->name) == size && !memcmp(table->name, name, size))
			return table;
	return NULL;
}

static const char *nearest_name(const struct option_row *table, const char *wanted)
{
	struct suggestion suggestion = { .wanted = wanted };

	for (; !option_row_is_end(table); table++)
		if (table->help && table->name)
			suggestion_offer(&suggestion, table->name);
	return suggestion_get(&suggestion);
}

static int refuse_unknown_name(const struct option_reader *reader, const char *name, size_t size)
{
	_cleanup_free_ char *wanted = strndup(name, size);
	const char *nearest;

	if (!wanted)
		return error_set(reader->err, ERROR_FAILED, -ENOMEM, "out of memory");
	nearest = nearest_name(reader->table, wanted);
	return error_set(reader->err, ERROR_USAGE, -EINVAL, "unknown option: --%s%s%s%s", wanted,
			 nearest ? ": did you mean --" : "", nearest ? nearest : "",
			 nearest ? "?" : "");
}

/* @word is the whole -abc, @letter the one of it that is not known. */
static int refuse_unknown_letter(const struct option_reader *reader, const char *word, char letter)
{
	/* One dash instead of two, or the letter in the other case. */
	const char *nearest = word[2] ? nearest_name(reader->table, word + 1) : NULL;

	if (nearest)
		return error_set(reader->err, ERROR_USAGE, -EINVAL,
				 "unknown option: -%c: did you mean --%s?", letter, nearest);
	if (find_letter(reader->table, letter ^ 0x20))
		return error_set(reader->err, ERROR_USAGE, -EINVAL,
				 "unknown option: -%c: did you mean -%c?", letter, letter ^ 0x20);
	return error_set(reader->err, ERROR_USAGE, -EINVAL, "unknown option: -%c", letter);
}

static int read_value(struct option_reader *reader, const struct option_row *row,
		      const char *value)
{
	int r = row->parse(row, value, (char *)reader->values + row->offset, reader->err);

	if (r >= 0 && row->name && !strcmp(row->name, "help"))
		reader->done = true;
	return r;
}

/* The value of @row, called @dashes@name here, is the next word. */
static int read_next_value(struct option_reader *reader, const struct option_row *row,
			   const char *dashes, const char *name, int size)
{
	if (reader->next >= reader->argc)
		return error_set(reader->err, ERROR_USAGE, -EINVAL,
				 "missing value: %s%.*s: needs %s", dashes, size, name,
				 row->argument);
	return read_value(reader, row, reader->argv[reader->next++]);
}

/* @name is what follows "--". */
static int read_name(struct option_reader *reader, const char *name)
{
	size_t size = strcspn(name, "=");
	const struct option_row *row = find_name(reader->table, name, size);

	if (!row)
		return refuse_unknown_name(reader, name, size);
	if (!row->argument && name[size])
		return error_set(reader->err, ERROR_USAGE, -EINVAL,
				 "bad option: --%s: takes no value", name);
	if (!row->argument)
		return read_value(reader, row, NULL);
	if (name[size])
		return read_value(reader, row, name + size + 1);
	return read_next_value(reader, row, "--", name, (int)size);
}

/* @word is "-abc". */
static int read_letters(struct option_reader *reader, const char *word)
{
	const char *letter;
	int r = 0;

	for (letter = word + 1; *letter && r >= 0 && !reader->done; letter++) {
		const struct option_row *row = find_letter(reader->table, *letter);

		if (!row)
			return refuse_unknown_letter(reader, word, *letter);
		if (row->argument && letter[1])
			return read_value(reader, row, letter + 1);
		if (row->argument)
			return read_next_value(reader, row, "-", letter, 1);
		r = read_value(reader, row, NULL);
	}
	return r;
}

int options_parse(const struct option_row *table, int argc, char **argv, void *values,
		  struct option_words *ret, struct error *err)
{
	struct option_reader reader = { .table = table, .argv = argv, .argc = argc, .next = 1,
					.values = values, .err = err };
	/* Words are moved to the front of argv, over what has been read. */
	struct option_words words = { .words = argv + 1 };
	int r = 0;

	while (reader.next < argc && !reader.done) {
		char *word = argv[reader.next++];

		if (!strcmp(word, "--")) {
			words.command = argv + reader.next;
			break;
		}
		if (word[0] != '-' || !word[1])
			words.words[words.count++] = word;
		else if (word[1] == '-')
			r = read_name(&reader, word + 2);
		else
			r = read_letters(&reader, word);
		if (r < 0)
			return r;
	}
	*ret = words;
	return 0;
}
