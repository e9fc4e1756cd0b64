/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/usdt_operands.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What is left of an operand. No function reads at or behind end. */
struct cursor {
	const char *at, *end;
};

struct reg {
	uint8_t number, bytes, shift;
};

static bool take(struct cursor *c, char wanted)
{
	if (c->at >= c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && isblank((unsigned char)*c->at))
		c->at++;
}

static bool starts_number(const struct cursor *c)
{
	return c->at < c->end && isdigit((unsigned char)*c->at);
}

/* Decimal, hexadecimal or octal, of at most 64 bits. */
static bool take_number(struct cursor *c, uint64_t *ret)
{
	char digits[32], *end;
	size_t size = 0;

	while (c->at + size < c->end && isalnum((unsigned char)c->at[size]))
		size++;
	if (!starts_number(c) || size >= sizeof(digits))
		return false;
	memcpy(digits, c->at, size);
	digits[size] = '\0';
	*ret = strtoull(digits, &end, 0);
	c->at += size;
	return !*end;
}

static bool is_symbol_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static bool take_symbol(struct cursor *c, struct usdt_operand *op)
{
	const char *start = c->at;

	while (c->at < c->end && is_symbol_char(*c->at))
		c->at++;
	if (c->at == start || op->symbol_size)
		return false;
	op->symbol = start;
	op->symbol_size = (size_t)(c->at - start);
	return true;
}

/* Numbers and at most one symbol, added and subtracted: "8", "-16", "table+8", "4+table". */
static bool take_sum(struct cursor *c, struct usdt_operand *op)
{
	uint64_t sum = 0, number;
	bool minus;

	do {
		minus = take(c, '-');
		if (!minus)
			take(c, '+');
		if (starts_number(c)) {
			if (!take_number(c, &number))
				return false;
			sum += minus ? 0 - number : number;
		} else if (minus || !take_symbol(c, op)) {
			return false;
		}
	} while (c->at < c->end && (*c->at == '+' || *c->at == '-'));
	op->argument.value = (int64_t)sum;
	return true;
}

/* ---- registers ---- */

static const struct reg_row {
	const char *name;
	struct reg reg;
} reg_rows[] = {
	{ "rax", { 0, 8, 0 } },	 { "eax", { 0, 4, 0 } },  { "ax", { 0, 2, 0 } },
	{ "al", { 0, 1, 0 } },	 { "ah", { 0, 1, 8 } },	  { "rdx", { 1, 8, 0 } },
	{ "edx", { 1, 4, 0 } },	 { "dx", { 1, 2, 0 } },	  { "dl", { 1, 1, 0 } },
	{ "dh", { 1, 1, 8 } },	 { "rcx", { 2, 8, 0 } },  { "ecx", { 2, 4, 0 } },
	{ "cx", { 2, 2, 0 } },	 { "cl", { 2, 1, 0 } },	  { "ch", { 2, 1, 8 } },
	{ "rbx", { 3, 8, 0 } },	 { "ebx", { 3, 4, 0 } },  { "bx", { 3, 2, 0 } },
	{ "bl", { 3, 1, 0 } },	 { "bh", { 3, 1, 8 } },	  { "rsi", { 4, 8, 0 } },
	{ "esi", { 4, 4, 0 } },	 { "si", { 4, 2, 0 } },	  { "sil", { 4, 1, 0 } },
	{ "rdi", { 5, 8, 0 } },	 { "edi", { 5, 4, 0 } },  { "di", { 5, 2, 0 } },
	{ "dil", { 5, 1, 0 } },	 { "rbp", { 6, 8, 0 } },  { "ebp", { 6, 4, 0 } },
	{ "bp", { 6, 2, 0 } },	 { "bpl", { 6, 1, 0 } },  { "rsp", { 7, 8, 0 } },
	{ "esp", { 7, 4, 0 } },	 { "sp", { 7, 2, 0 } },	  { "spl", { 7, 1, 0 } },
	{ "rip", { USDT_RIP, 8, 0 } },
};

/* How many bytes of r8 to r15 a suffix means, 0 when there is no such suffix. */
static uint8_t suffix_bytes(const char *suffix, size_t size)
{
	if (!size)
		return 8;
	if (size > 1)
		return 0;
	switch (*suffix) {
	case 'd':
		return 4;
	case 'w':
		return 2;
	case 'b':
	case 'l':
		return 1;
	default:
		return 0;
	}
}

/* "r8" to "r15", "r10d", …; number 16 and more: none of these. */
static bool numbered_reg(const char *name, size_t size, struct reg *ret)
{
	unsigned int number;
	size_t digits = 1;

	if (size < 2 || name[0] != 'r' || !isdigit((unsigned char)name[1]))
		return false;
	number = (unsigned int)(name[1] - '0');
	if (size > 2 && isdigit((unsigned char)name[2])) {
		number = number * 10 + (unsigned int)(name[2] - '0');
		digits = 2;
	}
	if (number < 8 || number > 15)
		return false;
	ret->number = (uint8_t)number;
	ret->bytes = suffix_bytes(name + 1 + digits, size - 1 - digits);
	ret->shift = 0;
	return ret->bytes;
}

/* Behind the %. */
static bool take_reg(struct cursor *c, struct reg *ret)
{
	const char *name = c->at;
	size_t size, i;

	while (c->at < c->end && isalnum((unsigned char)*c->at))
		c->at++;
	size = (size_t)(c->at - name);
	for (i = 0; i < ARRAY_SIZE(reg_rows); i++) {
		if (strlen(reg_rows[i].name) == size && !memcmp(reg_rows[i].name, name, size)) {
			*ret = reg_rows[i].reg;
			return true;
		}
	}
	return numbered_reg(name, size, ret);
}

/* ---- operands ---- */

/* One of 64 bits, as addresses are made of, with its %. */
static bool take_address_reg(struct cursor *c, uint8_t *ret)
{
	struct reg reg;

	skip_blanks(c);
	if (!take(c, '%') || !take_reg(c, &reg) || reg.bytes != 8)
		return false;
	skip_blanks(c);
	*ret = reg.number;
	return true;
}

/* Behind the first comma: "%rcx,8)" or "%rcx)". */
static bool take_index(struct cursor *c, struct usdt_argument *argument)
{
	uint64_t scale = 1;

	if (!take_address_reg(c, &argument->index_reg) || argument->index_reg == USDT_RIP)
		return false;
	if (take(c, ',')) {
		skip_blanks(c);
		if (!take_number(c, &scale))
			return false;
		skip_blanks(c);
	}
	if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
		return false;
	argument->index_scale = (uint8_t)scale;
	return true;
}

/* Behind "(": a base, an index, or both. */
static bool take_base(struct cursor *c, struct usdt_argument *argument)
{
	skip_blanks(c);
	if (c->at < c->end && *c->at != ',' && !take_address_reg(c, &argument->reg))
		return false;
	if (take(c, ',') && !take_index(c, argument))
		return false;
	return take(c, ')') && (argument->reg != USDT_NO_REGISTER || argument->index_scale);
}

static bool take_memory(struct cursor *c, struct usdt_operand *op)
{
	struct usdt_argument *argument = &op->argument;

	argument->kind = USDT_MEMORY;
	argument->reg = USDT_NO_REGISTER;
	if (c->at >= c->end || (*c->at != '(' && !take_sum(c, op)))
		return false;
	if (take(c, '(') && !take_base(c, argument))
		return false;
	/* What gas makes of "8(%rip)", or of a symbol and a base, needs more than is known here. */
	if (argument->reg == USDT_RIP)
		return op->symbol_size && !argument->index_scale;
	if (op->symbol_size) {
		if (argument->reg != USDT_NO_REGISTER)
			return false;
		argument->reg = USDT_RIP;
	}
	return true;
}

static bool take_register(struct cursor *c, struct usdt_argument *argument)
{
	struct reg reg;

	if (!take_reg(c, &reg) || reg.number == USDT_RIP)
		return false;
	argument->kind = USDT_REGISTER;
	argument->reg = reg.number;
	argument->reg_bytes = reg.bytes;
	argument->reg_shift = reg.shift;
	if (!argument->bytes)
		argument->bytes = reg.bytes;
	return true;
}

static bool take_operand(struct cursor *c, struct usdt_operand *op)
{
	if (take(c, '$')) {
		op->argument.kind = USDT_CONSTANT;
		return take_sum(c, op) && !op->symbol_size;
	}
	if (take(c, '%'))
		return take_register(c, &op->argument);
	return take_memory(c, op);
}

/* "-4@", "8f@"; what has none, of notes before sdt.h gave one, is taken to be as wide as it looks. */
static void take_size(struct cursor *c, struct usdt_argument *argument)
{
	struct cursor at = *c;
	unsigned int bytes = 0;
	bool is_signed = take(&at, '-'), is_float;

	for (; starts_number(&at) && bytes < 100; at.at++)
		bytes = bytes * 10 + (unsigned int)(*at.at - '0');
	is_float = take(&at, 'f');
	if (!bytes || !take(&at, '@'))
		return;
	argument->bytes = bytes < UINT8_MAX ? (uint8_t)bytes : UINT8_MAX;
	argument->is_signed = is_signed;
	argument->is_float = is_float;
	*c = at;
}

static bool is_size(uint8_t bytes)
{
	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

/* Where the operand at @text ends: at a blank outside of parentheses. */
static const char *operand_end(const char *text)
{
	int depth = 0;

	for (; *text && (depth || !isblank((unsigned char)*text)); text++) {
		depth += *text == '(';
		depth -= *text == ')' && depth;
	}
	return text;
}

bool usdt_operand_next(const char **text, struct usdt_operand *ret)
{
	struct usdt_operand op = { 0 }, unknown = { 0 };
	struct cursor c;
	bool known;

	while (isblank((unsigned char)**text))
		++*text;
	if (!**text)
		return false;
	c.at = *text;
	c.end = *text = operand_end(c.at);
	take_size(&c, &op.argument);
	unknown.argument = op.argument;
	known = take_operand(&c, &op) && c.at == c.end && !op.argument.is_float;
	if (!op.argument.bytes)
		op.argument.bytes = 8;
	*ret = known && is_size(op.argument.bytes) ? op : unknown;
	return true;
}
