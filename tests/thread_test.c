/* SPDX-License-Identifier: MIT */
/* thread_test.c - a thread's caches are found while their pools live. */
#include "lib/cache.h"
#include "tests/suite.h"

/* The linker puts this in the place of all calls. */
static bool no_memory;
void *__real_aligned_alloc(size_t, size_t);
void *__wrap_aligned_alloc(size_t, size_t);

void *
__wrap_aligned_alloc(size_t align, size_t size)
{
	return no_memory ? NULL : __real_aligned_alloc(align, size);
}

/* The table is rebuilt for a third pool's cache, which there is no memory for:
 * the second's, at hand when its pool ended, is freed. */
START_TEST(a_cache_that_was_freed_is_not_at_hand)
{
	acre_pool *first = pool_with((acre_pool_options){0});
	acre_pool *second = pool_with((acre_pool_options){0});
	acre_pool *third = pool_with((acre_pool_options){0});
	struct cache *freed;

	ck_assert_ptr_nonnull(cache_of(first));
	freed = cache_of(second);
	ck_assert(cache_is_at_hand(freed));
	ck_assert_int_eq(acre_pool_destroy(second), 0);
	no_memory = true;
	ck_assert_ptr_null(cache_of(third));
	ck_assert_int_eq(errno, ENOMEM);
	no_memory = false;
	ck_assert(cache_is_at_hand(&no_cache));
	ck_assert_ptr_nonnull(cache_of(third));
	ck_assert_int_eq(acre_pool_destroy(first), 0);
	ck_assert_int_eq(acre_pool_destroy(third), 0);
}
END_TEST

SUITE("thread", a_cache_that_was_freed_is_not_at_hand)
