/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/expressions/expression_lexer.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/number.h"

/* Of the text in a message, from the place on. */
#define PLACE_CHARS 24
#define TEXT_CHARS 400

/* Longer ones before those that they begin with. */
static const char *const operators[] = {
	"->", "&&", "||", "==", "!=", "<=", ">=", "<", ">", "=", "&", "*", "!",
	"(",  ")",  "[",  "]",	".",  ",",  ":",  "+", "-",
};

int expression_refuse(const struct expression_lexer *lexer, const char *at, const char *format, ...)
{
	char reason[600];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (!*at)
		return error_set(lexer->err, ERROR_USAGE, -EINVAL, "bad %s: %.*s: at its end: %s",
				 lexer->what, TEXT_CHARS, lexer->text, reason);
	return error_set(lexer->err, ERROR_USAGE, -EINVAL, "bad %s: %.*s: at '%.*s': %s",
			 lexer->what, TEXT_CHARS, lexer->text, PLACE_CHARS, at, reason);
}

bool expression_token_is(const struct expression_token *token, const char *operator)
{
	return token->kind == TOKEN_OPERATOR && strlen(operator) == token->size &&
	       !memcmp(token->at, operator, token->size);
}

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Behind the name at @p; "a::b" is one, "a:b" is a name and its form. */
static const char *skip_name(const char *p)
{
	for (;;) {
		while (is_name(*p))
			p++;
		if (p[0] != ':' || p[1] != ':' || !is_name_start(p[2]))
			return p;
		p += 2;
	}
}

/* The one character that is meant by what is at *@p, which is moved behind it; -1: none. */
static int read_character(const char **p)
{
	static const char letters[] = "ntr0", meant[] = "\n\t\r";
	const char *letter;
	char c = *(*p)++;

	if (c != '\\')
		return (unsigned char)c;
	c = **p;
	if (!c)
		return -1;
	(*p)++;
	letter = strchr(letters, c);
	return letter ? meant[letter - letters] : (unsigned char)c;
}

static int read_quoted(struct expression_lexer *lexer, struct expression_token *token)
{
	const char quote = *token->at;
	const char *p = token->at + 1;
	int c = -1;

	while (*p && *p != quote) {
		c = read_character(&p);
		if (c < 0)
			break;
	}
	if (*p != quote)
		return expression_refuse(lexer, token->at, "no %c ends it", quote);
	token->size = p + 1 - token->at;
	token->kind = quote == '"' ? TOKEN_TEXT : TOKEN_NUMBER;
	token->number = c;
	if (quote == '"')
		return 0;
	p = token->at + 1;
	if (*p == quote || read_character(&p) < 0 || *p != quote)
		return expression_refuse(lexer, token->at,
					 "expected one character; a text stands in \"…\"");
	return 0;
}

/* As in C: 0644 is octal, which matters for modes of files. */
static int read_octal(const char *digits, uint64_t *ret)
{
	uint64_t number = 0;

	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '7' || number >> 61)
			return -EINVAL;
		number = number * 8 + (*digits - '0');
	}
	*ret = number;
	return 0;
}

static int read_number(struct expression_lexer *lexer, struct expression_token *token)
{
	const char *p = token->at;
	char digits[32];
	int r;

	while (isalnum((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1])))
		p++;
	token->size = p - token->at;
	token->kind = TOKEN_NUMBER;
	if (token->size >= sizeof(digits))
		return expression_refuse(lexer, token->at, "this number is too large");
	snprintf(digits, sizeof(digits), "%.*s", (int)token->size, token->at);
	if (digits[0] == '0' && isdigit((unsigned char)digits[1])) {
		r = read_octal(digits, &token->number);
		return r < 0 ? expression_refuse(lexer, token->at,
						 "this begins as an octal number and is none") :
			       0;
	}
	r = number_parse_u64(digits, UINT64_MAX, &token->number);
	if (r == -ERANGE)
		return expression_refuse(lexer, token->at, "this number is too large");
	/* Durations before sizes would take "4m" away, and sizes know no 'm'. */
	if (r < 0 && digits[token->size - 1] == 'k')
		digits[token->size - 1] = 'K';
	if (r < 0)
		r = number_parse_size_bytes(digits, &token->number);
	if (r < 0)
		r = number_parse_duration_ns(digits, &token->number);
	if (r < 0)
		return expression_refuse(lexer, token->at,
					 "this is no number, size (4k) or time (3ms)");
	return 0;
}

static int read_operator(struct expression_lexer *lexer, struct expression_token *token)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		token->size = strlen(operators[i]);
		if (!strncmp(token->at, operators[i], token->size)) {
			token->kind = TOKEN_OPERATOR;
			return 0;
		}
	}
	return expression_refuse(lexer, token->at, "this means nothing here");
}

int expression_lexer_read(struct expression_lexer *lexer, struct expression_token *ret)
{
	struct expression_token token = { .kind = TOKEN_END };
	int r = 0;

	while (isspace((unsigned char)*lexer->next))
		lexer->next++;
	token.at = lexer->next;
	if (is_name_start(*token.at)) {
		token.kind = TOKEN_NAME;
		token.size = skip_name(token.at) - token.at;
	} else if (isdigit((unsigned char)*token.at)) {
		r = read_number(lexer, &token);
	} else if (*token.at == '"' || *token.at == '\'') {
		r = read_quoted(lexer, &token);
	} else if (*token.at) {
		r = read_operator(lexer, &token);
	}
	if (r < 0)
		return r;
	lexer->next = token.at + token.size;
	*ret = token;
	return 0;
}

int expression_text_read(struct expression_lexer *lexer, const char *at, size_t size, char *buffer,
			 size_t buffer_size, bool *ret_is_prefix)
{
	const char *p = at + 1, *end = at + size - 1;
	bool is_prefix = false;
	size_t count = 0;

	while (p < end) {
		bool is_star = *p == '*';
		int c = read_character(&p);

		if (is_star && p == end) {
			is_prefix = true;
			break;
		}
		if (is_star)
			return expression_refuse(lexer, p - 1,
						 "'*' stands for the rest, at the end of a text; "
						 "'\\*' is the character");
		if (!c)
			return expression_refuse(lexer, at, "no text holds this character");
		if (count == buffer_size)
			return expression_refuse(lexer, at, "a text has at most %zu bytes",
						 buffer_size);
		buffer[count++] = c;
	}
	*ret_is_prefix = is_prefix;
	return count;
}
