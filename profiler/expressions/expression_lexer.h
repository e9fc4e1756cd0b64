/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expression_lexer.h - the words of an expression.
 *
 * Keeps pointers into the text, which its caller owns; allocates nothing.
 */
#ifndef WICK_EXPRESSION_LEXER_H
#define WICK_EXPRESSION_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,		/* also a C++ one: "foo::bar" */
	TOKEN_NUMBER,		/* also 'c', 4k, 3ms */
	TOKEN_TEXT,		/* with its quotes */
	TOKEN_OPERATOR,
};

struct expression_token {
	enum token_kind kind;
	const char *at;
	size_t size;
	uint64_t number;
};

struct expression_lexer {
	const char *what;	/* "filter", for messages */
	const char *text;
	const char *next;
	struct error *err;	/* may be NULL */
};

/* Returns 0, or -EINVAL with the place in the lexer's error. */
int expression_lexer_read(struct expression_lexer *lexer, struct expression_token *ret);
bool expression_token_is(const struct expression_token *token, const char *operator);
/*
 * What a TOKEN_TEXT stands for, into @buffer, without a NUL. A '*' at its end that is not escaped
 * makes it a prefix. Returns its bytes, or -EINVAL with the place in the error.
 */
int expression_text_read(struct expression_lexer *lexer, const char *at, size_t size, char *buffer,
			 size_t buffer_size, bool *ret_is_prefix);
/* "bad filter: TEXT: at 'PLACE': …". Returns -EINVAL. */
int expression_refuse(const struct expression_lexer *lexer, const char *at, const char *format, ...)
	_printf_(3, 4);

#endif
