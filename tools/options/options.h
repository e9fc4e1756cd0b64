/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - one table per command: parsing, --help, man page and completion.
 *
 * A table is rows of struct option_row, ended by a row without names; each row
 * says what the option is called, what it means and which field of the
 * command's own struct it fills. Parsing is as by getopt_long(): clustered
 * short options, -F99, -F 99, --frequency=99, --frequency 99, and -- ends the
 * options. Nothing is printed here.
 */
#ifndef WICK_OPTIONS_H
#define WICK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "profiler/base/strbuf.h"

/* The values an option knows, one by one, as session_source_name() does. NULL after the last. */
typedef const char *option_choice_fn(size_t index, const char **ret_help);

/* The same where the help is put together. False after the last. */
typedef bool option_more_fn(size_t index, struct strbuf *ret_name, struct strbuf *ret_help);

/* What a shell offers for the argument. Anything with .choice is completed by that. */
enum option_completion {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_FOLDER,
	COMPLETE_PID,
	COMPLETE_USER,
};

struct option_row;

/*
 * Reads @value (NULL for a flag) into @field. Returns 0, or a negative errno
 * with @err as option_refuse() fills it.
 */
typedef int option_parse_fn(const struct option_row *row, const char *value, void *field,
			    struct error *err);

struct option_row {
	char letter;		/* 0: none */
	const char *name;	/* without the dashes */
	const char *argument;	/* "HZ"; NULL: a flag */
	const char *help;	/* NULL: works, but is for ourselves and shown nowhere */
	const char *section;	/* the heading it stands under; rows of one section are together */
	option_parse_fn *parse;
	size_t offset;		/* of the field in the command's struct */
	uint64_t min, max;	/* for numbers; max 0: as large as the field */
	option_choice_fn *choice;
	/* What may follow one of the choices at a comma: a section of its own. NULL: nothing. */
	option_more_fn *more;
	const char *more_title;
	enum option_completion completion;
	bool is_list;		/* takes VALUE,VALUE */
};

/* Texts in the order they came. Each is the list's own. */
struct text_list {
	char **texts;
	size_t count;
	size_t capacity;
};

int text_list_add(struct text_list *list, const char *text, size_t size);
void text_list_done(struct text_list *list);

struct process_list {
	pid_t *ids;
	size_t count;
	size_t capacity;
};

void process_list_done(struct process_list *list);

/* What is not an option. Both arrays are parts of argv. */
struct option_words {
	char **words;
	int count;
	char **command;		/* what followed --, ended by NULL; NULL when there was no -- */
};

/*
 * Parse argv[1…] (argv[0] is the command's name) into the struct at @values.
 * Fields of options that are not there stay as they are. Stops at --help, as
 * nothing behind it can matter. Returns 0, or a negative errno with a usage
 * error in @err, which names the nearest option for one that does not exist;
 * -ENOMEM is not a usage error.
 */
int options_parse(const struct option_row *table, int argc, char **argv, void *values,
		  struct option_words *ret, struct error *err);

/* Whether there is a row at all. */
static inline bool option_row_is_end(const struct option_row *row)
{
	return !row->letter && !row->name;
}

/* Fill @err with "bad value: --name=value: reason". Returns -EINVAL. */
int option_refuse(const struct option_row *row, const char *value, struct error *err,
		  const char *reason, ...) _printf_(4, 5);
/* The same for a @value that is none of the row's choices; names the nearest. */
int option_refuse_choice(const struct option_row *row, const char *value, struct error *err);

/* Call @parse for each VALUE of VALUE,VALUE; an empty one is refused. */
int option_split(const struct option_row *row, const char *value, void *field, struct error *err,
		 option_parse_fn *parse);

/* Kinds of fields. */
option_parse_fn option_parse_flag;		/* bool */
option_parse_fn option_parse_u32;		/* uint32_t, min to max */
option_parse_fn option_parse_duration;		/* uint64_t, nanoseconds, at least min */
option_parse_fn option_parse_size;		/* uint64_t, bytes, at least min */
option_parse_fn option_parse_text;		/* const char *, a part of argv, not empty */
option_parse_fn option_parse_texts;		/* struct text_list; also at commas with .is_list */
option_parse_fn option_parse_choice;		/* int: the index of the choice */
option_parse_fn option_parse_processes;		/* struct process_list, at commas */

#endif
