/* SPDX-License-Identifier: MIT */
/* stats_test.c - the statistics are what really is. */
#include <pthread.h>
#include <string.h>

#include "lib/cache.h"
#include "lib/pool.h"
#include "tests/suite.h"

START_TEST(a_new_pool_has_nothing)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	acre_stats s = stats_of(pool), nothing = {0};

	s.grace_periods = 0;
	ck_assert_mem_eq(&s, &nothing, sizeof(s));
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(each_count_counts_its_own)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	acre_region *a = acre_region_open(pool);
	acre_region *b = acre_region_open(pool);
	acre_stats s;

	for (int i = 0; i < 5; i++)
		acre_alloc(b, 4000);
	acre_region_close(a);
	s = stats_of(pool);
	ck_assert_uint_eq(s.regions_opened, 2);
	ck_assert_uint_eq(s.regions_closed, 1);
	ck_assert_uint_eq(s.regions_retired, 0);
	ck_assert_uint_eq(s.regions_open, 1);
	ck_assert_uint_eq(s.pages_taken, 7);
	ck_assert_uint_eq(s.cache_misses, 1);
	ck_assert_uint_eq(s.cache_flushes, 0);
	ck_assert_uint_eq(s.region_bytes, 6 * 4096);
	ck_assert_uint_eq(s.region_bytes, acre_region_held(b));
	ck_assert_uint_eq(s.cache_bytes, (64 - 6) * 4096);
	ck_assert_uint_eq(s.chunks, 1);
	ck_assert_uint_eq(s.chunk_bytes, 256 * 4096);
	ck_assert_uint_eq(s.source_calls, 1);
	ck_assert_uint_eq(s.caches, 1);
	assert_balanced(pool);
	acre_region_close(b);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* Walk the lists at rest, empty the overflow, and count what is in them. */
static size_t
walk(acre_pool *pool)
{
	size_t pages = 0;
	struct batch batch;

	for (unsigned s = 0; s < SHARDS; s++)
		for (struct bundle *b = load_acquire(&pool->heaps[s].top); b;
			b = b->next) {
			pages += (size_t)1 << b->home_order;
			for (unsigned i = 0; i < BUNDLE_ORDERS; i++)
				pages += b->chains[i].count << i;
		}
	for (unsigned i = 0; i < pool->order_count; i++) {
		for (unsigned s = 0; s < SHARDS; s++)
			for (struct descriptor *d = load_acquire(
				     &pool->orders[i].shards[s].head);
				d; d = load_relaxed(&d->next))
				pages += d->batch.count << i;
		while (overflow_pop(&pool->orders[i].overflow, &batch))
			pages += batch.count << i;
	}
	return pages;
}

static void *
churn(void *pool)
{
	acre_region *regions[300];

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 300; i++) {
			regions[i] = acre_region_open(pool);
			for (int n = 0; n < i % 7; n++)
				acre_alloc(regions[i], 3000);
		}
		for (int i = 0; i < 300; i++)
			acre_region_close(regions[i]);
	}
	return NULL;
}

START_TEST(free_bytes_are_what_the_lists_hold)
{
	acre_pool *pool = pool_with((acre_pool_options){
		.cache_bytes = 16 * 4096});
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, pool);
	/* A region of many pages, whole in a list. */
	acre_region *large = acre_region_open(pool);
	for (int i = 0; i < 1000; i++)
		acre_alloc(large, 4000);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(stats_of(pool).region_bytes,
		acre_region_held(large));
	acre_region_close(large);
	ck_assert_uint_eq(stats_of(pool).free_bytes, walk(pool) * 4096);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	assert_balanced(pool);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

static _Atomic(int) stop;

static void *
open_and_close(void *pool)
{
	while (!load_relaxed(&stop))
		acre_region_close(acre_region_open(pool));
	return NULL;
}

START_TEST(reading_while_threads_go_on_is_never_negative)
{
	acre_pool *pool = pool_with((acre_pool_options){.cache_bytes = 1});
	pthread_t thread;
	uint64_t seen = 0;

	pthread_create(&thread, NULL, open_and_close, pool);
	for (int i = 0; i < 2000; i++) {
		acre_stats s = stats_of(pool);

		/* Closed is read first: never more than opened. */
		ck_assert_uint_le(s.regions_closed, s.regions_opened);
		ck_assert_uint_eq(s.regions_open,
			s.regions_opened - s.regions_closed);
		ck_assert_uint_ge(s.regions_opened, seen);
		ck_assert_uint_le(s.region_bytes, s.chunk_bytes);
		ck_assert_uint_le(s.free_bytes, s.chunk_bytes);
		seen = s.regions_opened;
	}
	store_relaxed(&stop, 1);
	pthread_join(thread, NULL);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* ---- the registry's lock ---- */

/* The linker puts these in the place of all calls. */
static _Thread_local int locks_held;
void __real_registry_lock(void);
void __real_registry_unlock(void);
void __wrap_registry_lock(void);
void __wrap_registry_unlock(void);

void
__wrap_registry_lock(void)
{
	__real_registry_lock();
	locks_held++;
}

void
__wrap_registry_unlock(void)
{
	locks_held--;
	__real_registry_unlock();
}

static size_t (*idle_bytes)(const struct member *);
static int asked;

static size_t
idle_if_locked(const struct member *member)
{
	asked++;
	ck_assert_int_eq(locks_held, 1);
	return idle_bytes(member);
}

START_TEST(threads_are_added_up_with_the_registry_locked)
{
	acre_pool *pool = pool_with((acre_pool_options){0});

	acre_region_close(acre_region_open(pool));
	idle_bytes = pool->members->idle;
	pool->members->idle = idle_if_locked;
	assert_balanced(pool);
	ck_assert_int_eq(asked, 1);
	ck_assert_int_eq(locks_held, 0);
	pool->members->idle = idle_bytes;
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

SUITE("stats", a_new_pool_has_nothing, each_count_counts_its_own,
	free_bytes_are_what_the_lists_hold,
	reading_while_threads_go_on_is_never_negative,
	threads_are_added_up_with_the_registry_locked)
