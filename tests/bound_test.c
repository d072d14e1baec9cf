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
check_bound(void)
{
	const struct member *member = &cache->member;

	ck_assert_uint_le(member->idle(member), member->pool->cache_bytes);
}

static void
take_blocks(unsigned order)
{
	for (size_t i = 0; i < count_blocks(order); i++) {
		blocks[order][i] = cache_try(cache, order);
		ck_assert_ptr_nonnull(blocks[order][i]);
		check_bound();
	}
}

/* One by one. */
static void
give_blocks(unsigned order)
{
	for (size_t i = 0; i < count_blocks(order); i++) {
		struct block *block = blocks[order][i];
		struct batch batch = {
			.first = block, .count = 1, .linked = true};

		cache_give(cache, order, &batch, block);
		check_bound();
	}
}

/* From each order on, and round. */
static void
go_round(acre_pool_options options, unsigned first)
{
	acre_pool *pool = pool_with(options);
	unsigned count = pool->order_count < CACHED_ORDERS ?
		pool->order_count : CACHED_ORDERS;

	cache = cache_of(pool);
	for (unsigned order = 0; order < count; order++)
		take_blocks(order);
	for (unsigned i = 0; i < count; i++)
		give_blocks((first + i) % count);
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
			go_round(pools[i], first);
}
END_TEST

/* Of two batches, some, and most of what there may be. */
START_TEST(so_do_caches_and_pages_of_other_sizes)
{
	for (size_t page = 4096; page <= 65536; page *= 2)
		for (size_t pages = 1; pages <= 128; pages = 2 * pages + 1)
			go_round((acre_pool_options){.page_size = page,
				.cache_bytes = pages * page}, 0);
}
END_TEST

SUITE("bound", a_cache_keeps_no_more_than_its_bound,
	so_do_caches_and_pages_of_other_sizes)
