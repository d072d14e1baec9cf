/* SPDX-License-Identifier: MIT */
/*
 * lines_test.c - what one thread writes often is on no cache line that another
 * thread needs. That own regions share nothing at all is counted, over all
 * atomics, in sharing_test.sh.
 */
#include <pthread.h>
#include <stddef.h>

#include "lib/cache.h"
#include "lib/pool.h"
#include "tests/suite.h"

#define IN(type, field) {#type " " #field, offsetof(type, field)}

struct field {
	const char *name;
	size_t offset;
};

static void
assert_apart(const struct field *a, const struct field *b)
{
	ck_assert_msg(a->offset / CACHE_LINE != b->offset / CACHE_LINE,
		"%s and %s are on one line", a->name, b->name);
}

static void
assert_all_apart(const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			assert_apart(&fields[i], &fields[j]);
}

/* One of each group that is written for a reason of its own. */
START_TEST(a_pools_writers_are_on_lines_of_their_own)
{
	const struct field fields[] = {
		IN(acre_pool, page_size), /* every thread reads it */
		IN(acre_pool, members),
		IN(acre_pool, limbo_reserved),
		IN(acre_pool, chunks.source.reserved),
		IN(acre_pool, chunks.page_size), /* read */
		IN(acre_pool, chunks.fresh),
		IN(acre_pool, chunks.lock),
		IN(acre_pool, depot.lock),
		IN(acre_pool, heaps[0]),
		IN(acre_pool, heaps[1]),
		IN(acre_pool, heaps[SHARDS - 1]),
		IN(acre_pool, orders),
	};

	assert_all_apart(fields, sizeof(fields) / sizeof(fields[0]));
}
END_TEST

START_TEST(what_every_open_reads_of_a_pool_is_one_line)
{
	ck_assert_uint_lt(offsetof(acre_pool, object_most), CACHE_LINE);
}
END_TEST

START_TEST(shards_of_an_order_are_on_lines_of_their_own)
{
	const struct field fields[] = {
		IN(struct order, size), /* every thread reads it */
		IN(struct order, overflow),
		IN(struct order, shards[0]),
		IN(struct order, shards[1]),
		IN(struct order, shards[SHARDS - 1]),
		{"the next order", sizeof(struct order)},
	};

	assert_all_apart(fields, sizeof(fields) / sizeof(fields[0]));
}
END_TEST

/* Anybody takes the bag; the bins are the thread's. */
START_TEST(a_caches_bins_are_on_no_line_that_others_write)
{
	const struct field fields[] = {
		IN(struct cache, member.next),
		IN(struct cache, member.bag),
		IN(struct cache, open_bin),
		IN(struct cache, bins),
	};

	assert_all_apart(fields, sizeof(fields) / sizeof(fields[0]));
}
END_TEST

START_TEST(descriptors_and_what_is_carved_have_whole_lines)
{
	const struct field fields[] = {
		IN(struct chunk, next),
		IN(struct chunk, carved),
	};

	ck_assert_uint_eq(sizeof(struct descriptor) % CACHE_LINE, 0);
	assert_all_apart(fields, sizeof(fields) / sizeof(fields[0]));
}
END_TEST

static void *
find_cache(void *pool)
{
	return cache_of(pool);
}

START_TEST(caches_of_two_threads_begin_on_lines_of_their_own)
{
	acre_pool *pool = pool_with((acre_pool_options){0});
	struct cache *mine = cache_of(pool);
	pthread_t thread;
	void *other;

	ck_assert_int_eq(pthread_create(&thread, NULL, find_cache, pool), 0);
	ck_assert_int_eq(pthread_join(thread, &other), 0);
	ck_assert_ptr_ne(mine, other);
	ck_assert_uint_eq((uintptr_t)mine % CACHE_LINE, 0);
	ck_assert_uint_eq((uintptr_t)other % CACHE_LINE, 0);
	ck_assert_uint_eq((uintptr_t)pool % CACHE_LINE, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

SUITE("lines", a_pools_writers_are_on_lines_of_their_own,
	what_every_open_reads_of_a_pool_is_one_line,
	shards_of_an_order_are_on_lines_of_their_own,
	a_caches_bins_are_on_no_line_that_others_write,
	descriptors_and_what_is_carved_have_whole_lines,
	caches_of_two_threads_begin_on_lines_of_their_own)
