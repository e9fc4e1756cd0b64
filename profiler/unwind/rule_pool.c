/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "profiler/unwind/unwind_table.h"

/*
 * Rules come in runs of the same few (a prologue's, an epilogue's): nearly every question is
 * answered from here, without the map.
 */
#define RECENT_COUNT 256u

struct recent {
	uint64_t rule;
	uint32_t number;
};

struct rule_pool {
	struct hashmap *numbers;	/* rule -> uint32_t */
	uint64_t *rules;
	size_t capacity;
	uint32_t count, limit;
	struct recent recent[RECENT_COUNT];
};

static uint64_t rule_bits(struct unwind_rule rule)
{
	uint64_t bits;

	_Static_assert(sizeof(rule) == sizeof(bits), "a rule is one number");
	memcpy(&bits, &rule, sizeof(bits));
	return bits;
}

/* A slot that was never used says that rule 0 has number 0, which is true. */
static struct recent *recent_slot(struct rule_pool *pool, uint64_t rule)
{
	uint64_t mixed = rule * 0x9E3779B97F4A7C15ull;

	return &pool->recent[(mixed >> 32) % RECENT_COUNT];
}

struct rule_pool *rule_pool_free(struct rule_pool *pool)
{
	if (!pool)
		return NULL;
	hashmap_free(pool->numbers);
	free(pool->rules);
	free(pool);
	return NULL;
}

struct rule_pool *rule_pool_new(uint32_t limit)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = calloc(1, sizeof(*pool));
	uint32_t none;

	if (!pool)
		return NULL;
	pool->limit = limit < UNWIND_RULE_NUMBER_MAX ? limit : UNWIND_RULE_NUMBER_MAX + 1;
	if (pool->limit == 0)
		pool->limit = 1;
	pool->numbers = hashmap_new(sizeof(uint64_t), sizeof(uint32_t));
	if (!pool->numbers || rule_pool_add(pool, (struct unwind_rule){ 0 }, &none) < 0)
		return NULL;
	return take_ptr(pool);
}

static int pool_find_or_add(struct rule_pool *pool, uint64_t rule, uint32_t *ret)
{
	uint32_t *number = hashmap_find(pool->numbers, &rule);
	int r;

	if (number) {
		*ret = *number;
		return 0;
	}
	if (pool->count == pool->limit)
		return -ENOSPC;
	r = alloc_grow(&pool->rules, &pool->capacity, pool->count + 1);
	if (r < 0)
		return r;
	r = hashmap_add(pool->numbers, &rule, (void **)&number);
	if (r < 0)
		return r;
	pool->rules[pool->count] = rule;
	*number = *ret = pool->count++;
	return 0;
}

int rule_pool_add(struct rule_pool *pool, struct unwind_rule rule, uint32_t *ret)
{
	uint64_t bits = rule_bits(rule);
	struct recent *slot = recent_slot(pool, bits);
	uint32_t number;
	int r;

	if (pool->count && slot->rule == bits) {
		*ret = slot->number;
		return 0;
	}
	r = pool_find_or_add(pool, bits, &number);
	if (r < 0)
		return r;
	*slot = (struct recent){ .rule = bits, .number = number };
	*ret = number;
	return 0;
}

struct unwind_rule rule_pool_rule(const struct rule_pool *pool, uint32_t number)
{
	struct unwind_rule rule = { 0 };

	if (number < pool->count)
		memcpy(&rule, &pool->rules[number], sizeof(rule));
	return rule;
}

uint32_t rule_pool_count(const struct rule_pool *pool)
{
	return pool->count;
}

const uint64_t *rule_pool_numbers(const struct rule_pool *pool)
{
	return pool->rules;
}
