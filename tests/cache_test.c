/* SPDX-License-Identifier: MIT */
/* cache_test.c - a thread visits the pool once per batch, and leaves nothing
 * behind when it ends. */
#include "lib/cache.h"

#include <pthread.h>
#include <string.h>

#include "tests/suite.h"

/* Open count regions of one page. */
static void
open_many(acre_pool *pool, acre_region **regions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		regions[i] = acre_region_open(pool);
		ck_assert_ptr_nonnull(regions[i]);
	}
}

static void
close_many(acre_region **regions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		acre_region_close(regions[i]);
}

/* Visits to the pool so far, both ways. */
static uint64_t
visits(acre_pool *pool)
{
	acre_stats s = stats_of(pool);

	return s.cache_misses + s.cache_flushes;
}

START_TEST(steady_state_does_not_visit_the_pool)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	acre_region *regions[64];
	uint64_t before;

	open_many(pool, regions, 64);
	close_many(regions, 64);
	before = visits(pool);
	for (int i = 0; i < 1000; i++) {
		open_many(pool, regions, 64);
		close_many(regions, 64);
	}
	ck_assert_uint_eq(visits(pool), before);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(swinging_around_a_boundary_does_not_visit_the_pool)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	acre_region *regions[130];

	/* Wherever between empty and full a thread stands, ten up and ten
	 * down again and again cost two visits at most. */
	open_many(pool, regions, 129);
	close_many(regions, 129);
	for (size_t level = 0; level < 110; level++) {
		uint64_t before;

		open_many(pool, regions, level);
		before = visits(pool);
		for (int i = 0; i < 50; i++) {
			open_many(pool, regions + level, 10);
			close_many(regions + level, 10);
		}
		ck_assert_uint_le(visits(pool), before + 2);
		close_many(regions, level);
	}
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(a_cache_keeps_two_batches_at_most)
{
	static acre_region *regions[1000];
	size_t cache_bytes[] = {4096, 8192, 40960, 0};

	for (size_t i = 0; i < 4; i++) {
		acre_pool *pool = pool_with((acre_pool_options){
			.cache_bytes = cache_bytes[i]});
		size_t most = cache_bytes[i] ? cache_bytes[i] : 128 * 4096;

		/* One page per chain is the least. */
		most = most < 8192 ? 8192 : most;
		open_many(pool, regions, 1000);
		for (size_t n = 0; n < 1000; n++) {
			acre_region_close(regions[n]);
			ck_assert_uint_le(stats_of(pool).cache_bytes, most);
		}
		assert_balanced(pool);
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
	}
}
END_TEST

START_TEST(a_visit_moves_a_whole_batch)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	static acre_region *regions[6400];
	acre_stats s;

	open_many(pool, regions, 6400);
	s = stats_of(pool);
	/* 64 pages each, and a short one where a chunk ends. */
	ck_assert_uint_ge(s.cache_misses, 100);
	ck_assert_uint_le(s.cache_misses, 100 + s.chunks);
	close_many(regions, 6400);
	s = stats_of(pool);
	ck_assert_uint_ge(s.cache_flushes, 98);
	ck_assert_uint_le(s.cache_flushes, 100 + s.chunks);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* Fills its cache to both chains, and ends. */
static void *
fill_cache(void *pool)
{
	acre_region *regions[100];

	open_many(pool, regions, 100);
	close_many(regions, 100);
	return NULL;
}

START_TEST(a_thread_that_ends_gives_every_page_back)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	pthread_t thread;

	for (int i = 0; i < 50; i++) {
		pthread_create(&thread, NULL, fill_cache, pool);
		pthread_join(thread, NULL);
		ck_assert_uint_eq(stats_of(pool).caches, 0);
		ck_assert_uint_eq(stats_of(pool).cache_bytes, 0);
		assert_balanced(pool);
		ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	}
	/* The pages were used again, not asked for again; and its counts
	 * have outlived the thread. */
	ck_assert_uint_eq(stats_of(pool).chunks, 1);
	ck_assert_uint_eq(stats_of(pool).regions_opened, 5000);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

static void
use_acre_late(void *pool)
{
	acre_region_close(acre_region_open(pool));
}

/* A key made after acre's and one made before: whichever destructor runs
 * first, one of the two uses acre after acre's own. */
static pthread_key_t early, late;

static void *
use_in_destructors(void *pool)
{
	pthread_setspecific(early, pool);
	pthread_setspecific(late, pool);
	acre_region_close(acre_region_open(pool));
	return NULL;
}

START_TEST(destructors_that_use_acre_lose_nothing)
{
	acre_pool *pool;
	pthread_t thread;

	pthread_key_create(&early, use_acre_late);
	pool = pool_with((acre_pool_options){0});
	acre_region_close(acre_region_open(pool));
	pthread_key_create(&late, use_acre_late);
	for (int i = 0; i < 10; i++) {
		pthread_create(&thread, NULL, use_in_destructors, pool);
		pthread_join(thread, NULL);
	}
	ck_assert_uint_eq(stats_of(pool).caches, 1);
	assert_balanced(pool);
	ck_assert_uint_eq(stats_of(pool).regions_opened, 31);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(many_pools_in_one_thread_are_kept_apart)
{
	enum { POOLS = 100 };
	static acre_pool *pools[POOLS];
	static acre_region *regions[POOLS];

	for (int i = 0; i < POOLS; i++)
		pools[i] = pool_with((acre_pool_options){
			.chunk_size = 4 * 4096});
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < POOLS; i++) {
			regions[i] = acre_region_open(pools[i]);
			*acre_new(regions[i], int) = i;
		}
		for (int i = 0; i < POOLS; i++)
			acre_region_close(regions[i]);
	}
	for (int i = 0; i < POOLS; i++) {
		acre_stats s = stats_of(pools[i]);

		ck_assert_uint_eq(s.regions_opened, 5);
		ck_assert_uint_eq(s.caches, 1);
		ck_assert_uint_eq(s.chunks, 1);
		assert_balanced(pools[i]);
		ck_assert_int_eq(acre_pool_destroy(pools[i]), 0);
	}
}
END_TEST

START_TEST(pools_that_come_and_go_do_not_grow_a_thread)
{
	acre_pool *kept = pool_with((acre_pool_options){0});
	acre_region *region = acre_region_open(kept);

	for (int i = 0; i < 1000; i++) {
		acre_pool *pool = pool_with((acre_pool_options){
			.chunk_size = 4 * 4096});

		acre_region_close(acre_region_open(pool));
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
	}
	ck_assert_uint_le(cache_table_size(), 16);
	acre_region_close(region);
	ck_assert_int_eq(acre_pool_destroy(kept), 0);
}
END_TEST

static void *
close_region(void *region)
{
	acre_region_close(region);
	return NULL;
}

START_TEST(a_region_may_be_closed_by_a_thread_without_a_cache)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	pthread_t thread;

	for (int i = 0; i < 100; i++) {
		acre_region *region = acre_region_open(pool);

		pthread_create(&thread, NULL, close_region, region);
		pthread_join(thread, NULL);
	}
	ck_assert_uint_eq(stats_of(pool).regions_open, 0);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	assert_balanced(pool);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

#define ORDER 5 /* a full batch of it is more than two of pages */

static struct block *taken[1000];
static size_t taken_count;

/* How many blocks a refill brings, all of which are taken. */
static size_t
refill_and_take_all(struct cache *cache)
{
	struct bin *bin = &cache->bins[ORDER];
	size_t count = taken_count;

	ck_assert_uint_eq(load_relaxed(&bin->current_count), 0);
	ck_assert_uint_eq(load_relaxed(&bin->spare_count), 0);
	do
		taken[taken_count++] = cache_try(cache, ORDER);
	while (load_relaxed(&bin->current_count) ||
		load_relaxed(&bin->spare_count));
	return taken_count - count;
}

/* Take until a refill brings a full batch. */
static void
grow_hungry(struct cache *cache, size_t full)
{
	while (refill_and_take_all(cache) < full)
		ck_assert_uint_lt(taken_count, sizeof(taken) / sizeof(taken[0]));
}

/* A bin that runs dry again and again asks for more each time, but not after a
 * region was closed, nor when another bin was dry meanwhile. */
START_TEST(who_has_closed_a_region_asks_for_little_again)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	struct cache *cache = cache_of(pool);
	acre_region *huge = acre_region_open(pool);
	size_t full = cache->bins[ORDER].full;
	struct block *other;

	/* The pool has one long chain. */
	while (acre_region_held(huge) < 40 * full * cache->bins[ORDER].size)
		ck_assert_ptr_nonnull(acre_alloc(huge, 8000));
	acre_region_close(huge);
	acre_thread_flush(pool);
	taken_count = 0;
	grow_hungry(cache, full);
	ck_assert_uint_eq(refill_and_take_all(cache), full);
	acre_region_close(acre_region_open(pool));
	ck_assert_uint_lt(refill_and_take_all(cache), full);
	grow_hungry(cache, full);
	other = cache_try(cache, 0);
	acre_thread_flush(pool);
	ck_assert_ptr_nonnull(cache_try(cache, 0));
	ck_assert_uint_lt(refill_and_take_all(cache), full);
	(void)other;
}
END_TEST

SUITE("cache", steady_state_does_not_visit_the_pool,
	swinging_around_a_boundary_does_not_visit_the_pool,
	a_cache_keeps_two_batches_at_most, a_visit_moves_a_whole_batch,
	a_thread_that_ends_gives_every_page_back,
	destructors_that_use_acre_lose_nothing,
	many_pools_in_one_thread_are_kept_apart,
	pools_that_come_and_go_do_not_grow_a_thread,
	a_region_may_be_closed_by_a_thread_without_a_cache,
	who_has_closed_a_region_asks_for_little_again)
