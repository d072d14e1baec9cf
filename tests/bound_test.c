/* SPDX-License-Identifier: MIT */
/* bound_test.c - what a cache keeps, of all orders together, has a bound. */
#include "lib/cache.h"
#include "tests/suite.h"

#define BLOCKS_MOST ((size_t)3 * BATCH_PAGES)

static struct cache *cache;
static struct block *blocks[CACHED_ORDERS][BLOCKS_MOST];

/* Three batches of each order: more than a bin keeps. */
static size_t
count_blocks(unsigned order)
{
	return 3 * cache->bins[order].full;
}

static void
take_blocks(unsigned order)
{
	for (size_t i = 0; i < count_blocks(order); i++) {
		blocks[order][i] = cache_try(cache, order);
		ck_assert_ptr_nonnull(blocks[order][i]);
	}
}

/* One by one. */
static void
give_blocks(unsigned order)
{
	const struct member *member = &cache->member;

	for (size_t i = 0; i < count_blocks(order); i++) {
		struct block *block = blocks[order][i];
		struct batch batch = {
			.first = block, .count = 1, .linked = true};

		cache_give(cache, order, &batch, block);
		ck_assert_uint_le(member->idle(member),
			member->pool->cache_bytes);
	}
}

/* Blocks of all orders come back: those of one order first, then of the next
 * ones, and round. */
static void
give_all_from(unsigned first, const acre_pool_options *options)
{
	acre_pool *pool = pool_with(*options);

	cache = cache_of(pool);
	for (unsigned order = 0; order < CACHED_ORDERS; order++)
		take_blocks(order);
	for (unsigned i = 0; i < CACHED_ORDERS; i++)
		give_blocks((first + i) % CACHED_ORDERS);
	assert_balanced(pool);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

START_TEST(a_cache_keeps_no_more_than_its_bound)
{
	const acre_pool_options pools[] = {
		{0},
		{.cache_bytes = 60 << 12},
		{.cache_bytes = 200 << 12},
		{.cache_bytes = 64 << 20},
		{.page_size = 16 << 10, .cache_bytes = 1 << 20},
		{.page_size = 64 << 10, .cache_bytes = 1 << 20},
		{.page_size = 64 << 10, .cache_bytes = 3 << 20},
		{.page_size = 128 << 10, .cache_bytes = 2 << 20},
		{.page_size = 256 << 10, .cache_bytes = 2 << 20},
	};

	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++)
		for (unsigned first = 0; first < CACHED_ORDERS; first++)
			give_all_from(first, &pools[i]);
}
END_TEST

SUITE("bound", a_cache_keeps_no_more_than_its_bound)
