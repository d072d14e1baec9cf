/* SPDX-License-Identifier: MIT */
/* pool_test.c - pools are made, limited and ended without a loss. */
#include "lib/pool.h"

#include <pthread.h>
#include <string.h>

#include "lib/cache.h"
#include "lib/rcu.h"
#include "tests/source.h"
#include "tests/suite.h"

START_TEST(creation_asks_nothing_of_the_source)
{
	struct test_source source = {0};
	acre_pool *pool = pool_with((acre_pool_options){
		.source = test_source_init(&source)});

	ck_assert_uint_eq(source.calls, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	ck_assert_uint_eq(source.calls, 0);
}
END_TEST

START_TEST(the_source_is_asked_for_whole_chunks_and_gets_them_back)
{
	struct test_source source = {0};
	acre_pool *pool = pool_with((acre_pool_options){
		.source = test_source_init(&source), .chunk_size = 7 * 4096});
	acre_region *region = acre_region_open(pool);

	for (int i = 0; i < 40; i++)
		ck_assert_ptr_nonnull(acre_alloc(region, 4000));
	ck_assert_uint_eq(source.last_size, 7 * 4096);
	ck_assert_uint_ge(source.live, 6);
	ck_assert_uint_eq(stats_of(pool).chunks, source.live);
	ck_assert_uint_eq(stats_of(pool).source_calls, source.calls);
	acre_region_close(region);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(destroy_refuses_while_a_region_is_open)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	acre_region *region = acre_region_open(pool);
	char *text = acre_strdup(region, "still here");

	ck_assert_int_eq(acre_pool_destroy(pool), EBUSY);
	ck_assert_str_eq(text, "still here");
	ck_assert_ptr_nonnull(acre_alloc(region, 100));
	acre_region_close(region);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* They are functions, to which a comma inside of braces is nothing special. */
START_TEST(options_may_be_written_where_the_pool_is_made)
{
	acre_pool *pool = acre_pool_create(&(acre_pool_options){
		.max_bytes = 1 << 20, .name = "written"});

	ck_assert_ptr_nonnull(pool);
	ck_assert_str_eq(pool->name, "written");
	ck_assert_ptr_null(acre_pool_explain(&(acre_pool_options){
		.max_bytes = 1 << 20, .name = "written"}));
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(destroy_of_null_is_fine)
{
	ck_assert_int_eq(acre_pool_destroy(NULL), 0);
}
END_TEST

START_TEST(destroy_refuses_inside_a_read_side_section)
{
	acre_pool *pool = pool_with((acre_pool_options){0});

	rcu_enter();
	ck_assert_int_eq(acre_pool_destroy(pool), EDEADLK);
	rcu_leave();
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(the_default_pool_is_one_and_stays)
{
	acre_pool *pool = acre_pool_default();

	ck_assert_ptr_nonnull(pool);
	ck_assert_ptr_eq(acre_pool_default(), pool);
	acre_region_close(acre_region_open(pool));
	ck_assert_int_eq(acre_pool_destroy(pool), EBUSY);
	acre_region_close(acre_region_open(pool));
}
END_TEST

START_TEST(max_bytes_is_kept_and_memory_comes_back)
{
	struct test_source source = {.alignment = 4096};
	acre_pool *pool = pool_with((acre_pool_options){
		.source = test_source_init(&source),
		.chunk_size = 8 * 4096, .max_bytes = 24 * 4096});

	for (int round = 0; round < 10; round++) {
		acre_region *region = acre_region_open(pool);
		size_t pages = 0;

		ck_assert_ptr_nonnull(region);
		while (acre_alloc(region, 4000))
			pages++;
		ck_assert_int_eq(errno, ENOMEM);
		/* The first page is less, by its header. */
		ck_assert_uint_eq(pages, 23);
		ck_assert_uint_le(stats_of(pool).chunk_bytes, 24 * 4096);
		acre_region_close(region);
		assert_balanced(pool);
	}
	ck_assert_uint_eq(source.calls, 3);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* A handler that gives memory back by closing a region. */
static acre_region *spare;
static int limit_calls;

static int
close_spare(acre_pool *pool, size_t size, void *userdata)
{
	ck_assert_ptr_eq(userdata, &spare);
	ck_assert_ptr_nonnull(pool);
	ck_assert_uint_eq(size, 4096);
	limit_calls++;
	if (!spare)
		return 0;
	acre_region_close(spare);
	spare = NULL;
	return 1;
}

START_TEST(on_limit_may_free_something_and_have_it_tried_again)
{
	struct test_source source = {.alignment = 4096};
	acre_pool *pool = pool_with((acre_pool_options){
		.source = test_source_init(&source),
		.chunk_size = 8 * 4096, .max_bytes = 8 * 4096,
		.on_limit = close_spare, .userdata = &spare});
	acre_region *region = acre_region_open(pool);
	size_t pages = 0;

	spare = acre_region_open(pool);
	ck_assert_ptr_nonnull(spare);
	limit_calls = 0;
	while (acre_alloc(region, 4000))
		pages++;
	ck_assert_ptr_null(spare);
	ck_assert_int_eq(limit_calls, 2);
	ck_assert_uint_eq(pages, 7);
	acre_region_close(region);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* Two threads, one chunk allowed: who comes second while the first asks the
 * source must get its pages, not ENOMEM. */
static pthread_barrier_t start;

static void *
open_at_once(void *pool)
{
	acre_region *region;

	pthread_barrier_wait(&start);
	region = acre_region_open(pool);
	if (!region)
		return pool;
	acre_region_close(region);
	return NULL;
}

START_TEST(a_chunk_under_way_is_waited_for_at_the_limit)
{
	for (int i = 0; i < 300; i++) {
		acre_pool *pool = pool_with((acre_pool_options){
			.max_bytes = 256 * 4096, .cache_bytes = 8 * 4096});
		pthread_t threads[4];
		void *failed;

		pthread_barrier_init(&start, NULL, 4);
		for (int n = 0; n < 4; n++)
			pthread_create(&threads[n], NULL, open_at_once, pool);
		for (int n = 0; n < 4; n++) {
			pthread_join(threads[n], &failed);
			ck_assert_ptr_null(failed);
		}
		pthread_barrier_destroy(&start);
		ck_assert_uint_eq(stats_of(pool).chunks, 1);
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
	}
}
END_TEST

/* Straight at the pool: blocks of every order. */
static struct member *
member_of(acre_pool *pool)
{
	return &cache_of(pool)->member;
}

START_TEST(larger_blocks_are_split_before_the_source_is_asked)
{
	struct test_source source = {.alignment = 4096};
	acre_pool *pool = pool_with((acre_pool_options){
		.source = test_source_init(&source),
		.chunk_size = 64 * 4096});
	struct member *member = member_of(pool);
	struct batch batch;
	size_t pages = 0;

	/* All memory as two blocks of half a chunk, given back. */
	ck_assert_int_eq(pool_refill(pool, member, 5, 0, true, &batch), 0);
	ck_assert_uint_eq(batch.count, 2);
	pool_give(pool, member, 5, &batch);
	while (source.calls == 1 &&
		!pool_refill(pool, member, 0, 0, true, &batch) &&
		source.calls == 1) {
		ck_assert_uint_le(batch.count, 64);
		pages += batch.count;
	}
	ck_assert_uint_eq(pages, 64);
	pool_give(pool, member, 0, &batch);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(what_a_chunk_has_left_is_not_lost)
{
	struct test_source source = {.alignment = 4096};
	acre_pool *pool = pool_with((acre_pool_options){
		.source = test_source_init(&source),
		.chunk_size = 64 * 4096, .cache_bytes = 2 * 4096});
	struct member *member = member_of(pool);
	struct batch batch;
	size_t pages = 0;

	/* One page off the first chunk, then a half that still fits, then
	 * one that does not: 31 pages are left over. */
	ck_assert_int_eq(pool_refill(pool, member, 0, 0, true, &batch), 0);
	ck_assert_int_eq(pool_refill(pool, member, 5, 0, true, &batch), 0);
	ck_assert_int_eq(pool_refill(pool, member, 5, 0, true, &batch), 0);
	ck_assert_uint_eq(source.calls, 2);
	ck_assert_uint_eq(stats_of(pool).free_bytes, 31 * 4096);
	while (!pool_refill(pool, member, 0, 0, true, &batch) &&
		source.calls == 2)
		pages += batch.count;
	ck_assert_uint_eq(pages, 31 + 32);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(without_descriptors_the_overflow_serves)
{
	acre_pool *pool = pool_with((acre_pool_options){.cache_bytes = 1});
	acre_region *regions[100];
	acre_stats s;

	acre_region_close(acre_region_open(pool));
	store_relaxed(&pool->depot.most, 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			regions[i] = acre_region_open(pool);
			ck_assert_ptr_nonnull(regions[i]);
		}
		for (int i = 0; i < 100; i++)
			acre_region_close(regions[i]);
		assert_balanced(pool);
		ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	}
	s = stats_of(pool);
	ck_assert_uint_eq(s.descriptors, 0);
	ck_assert_uint_ge(s.overflow_pushes, 3 * 98);
	ck_assert_uint_eq(s.overflow_batches, s.free_bytes / 4096);
	ck_assert_uint_eq(s.chunks, 1);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(other_shards_are_looked_at_before_the_source)
{
	acre_pool *pool = pool_with((acre_pool_options){.cache_bytes = 1});
	struct member *member = member_of(pool);
	acre_region *regions[100];
	uint64_t calls;

	for (int i = 0; i < 100; i++)
		regions[i] = acre_region_open(pool);
	member->shard = 3;
	store_relaxed(&pool->shards_used, 4);
	for (int i = 0; i < 100; i++)
		acre_region_close(regions[i]);
	member->shard = 1;
	calls = stats_of(pool).pages_taken;
	for (int i = 0; i < 100; i++)
		regions[i] = acre_region_open(pool);
	ck_assert_uint_eq(stats_of(pool).pages_taken, calls + 100);
	ck_assert_uint_eq(stats_of(pool).free_bytes, 0);
	for (int i = 0; i < 100; i++)
		acre_region_close(regions[i]);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(shards_are_each_on_their_own_cache_line)
{
	acre_pool *pool = pool_with((acre_pool_options){0});

	for (unsigned i = 0; i < pool->order_count; i++)
		for (unsigned s = 0; s < SHARDS; s++)
			ck_assert_uint_eq((uintptr_t)
				&pool->orders[i].shards[s] % CACHE_LINE, 0);
	ck_assert_uint_eq(sizeof(struct freelist), CACHE_LINE);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* Blocks of 256 KiB at most, and of 32 KiB to open with; a page at least. */
START_TEST(regions_grow_by_blocks_of_so_many_bytes)
{
	static const struct {
		size_t page_size;
		unsigned open_orders, grow_orders;
	} pools[] = {
		{4096, 4, 7}, {8192, 3, 6}, {32768, 1, 4}, {65536, 1, 3},
		{131072, 1, 2}, {262144, 1, 1},
	};

	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		acre_pool *pool = pool_with((acre_pool_options){
			.page_size = pools[i].page_size,
			.chunk_size = 256 * pools[i].page_size});

		ck_assert_uint_eq(pool->open_orders, pools[i].open_orders);
		ck_assert_uint_eq(pool->grow_orders, pools[i].grow_orders);
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
	}
}
END_TEST

SUITE("pool", creation_asks_nothing_of_the_source,
	the_source_is_asked_for_whole_chunks_and_gets_them_back,
	destroy_refuses_while_a_region_is_open,
	options_may_be_written_where_the_pool_is_made, destroy_of_null_is_fine,
	destroy_refuses_inside_a_read_side_section,
	the_default_pool_is_one_and_stays,
	max_bytes_is_kept_and_memory_comes_back,
	on_limit_may_free_something_and_have_it_tried_again,
	a_chunk_under_way_is_waited_for_at_the_limit,
	larger_blocks_are_split_before_the_source_is_asked,
	what_a_chunk_has_left_is_not_lost,
	without_descriptors_the_overflow_serves,
	other_shards_are_looked_at_before_the_source,
	shards_are_each_on_their_own_cache_line,
	regions_grow_by_blocks_of_so_many_bytes)
