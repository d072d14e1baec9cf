/* SPDX-License-Identifier: MIT */
/* region_test.c - what a region hands out is aligned, apart, and its own. */
#include "lib/region.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/source.h"
#include "tests/suite.h"

static acre_pool *pool;
static acre_region *region;

static void
setup(void)
{
	pool = pool_with((acre_pool_options){0});
	region = acre_region_open(pool);
	ck_assert_ptr_nonnull(region);
}

static void
teardown(void)
{
	acre_region_close(region);
	assert_balanced(pool);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

START_TEST(every_size_up_to_a_page_is_aligned_and_apart)
{
	setup();
	for (size_t size = 0; size <= 4096 - REGION_HEADER; size++) {
		char *p = acre_alloc(region, size);
		char *q = acre_alloc(region, size);

		ck_assert_ptr_nonnull(p);
		ck_assert_ptr_nonnull(q);
		ck_assert_uint_eq((uintptr_t)p % ACRE_ALIGN, 0);
		ck_assert(p + size <= q || q + size <= p);
		ck_assert_ptr_ne(p, q);
		memset(p, 0xaa, size);
		memset(q, 0x55, size);
		for (size_t i = 0; i < size; i += 64)
			ck_assert_int_eq(p[i], (char)0xaa);
	}
	teardown();
}
END_TEST

/* Random sizes; each object is filled with its number, all are checked at
 * the end. */
START_TEST(objects_keep_what_was_written)
{
	enum { OBJECTS = 5000 };
	static unsigned char *objects[OBJECTS];
	static size_t sizes[OBJECTS];
	unsigned seed = (unsigned)time(NULL);

	printf("seed %u\n", seed);
	srand(seed);
	setup();
	for (int i = 0; i < OBJECTS; i++) {
		sizes[i] = (size_t)rand() % 700;
		objects[i] = acre_alloc(region, sizes[i]);
		ck_assert_ptr_nonnull(objects[i]);
		memset(objects[i], i & 0xff, sizes[i]);
	}
	for (int i = 0; i < OBJECTS; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			ck_assert_msg(objects[i][j] == (i & 0xff),
				"object %d, byte %zu, seed %u", i, j, seed);
	teardown();
}
END_TEST

static const size_t impossible[] = {
	SIZE_MAX / 2 - 14, SIZE_MAX / 2, SIZE_MAX - 4096, SIZE_MAX - 32,
	SIZE_MAX - 16, SIZE_MAX - 15, SIZE_MAX - 14, SIZE_MAX - 1, SIZE_MAX,
};

START_TEST(impossible_sizes_are_refused_and_change_nothing)
{
	acre_stats before, after;
	uintptr_t top;
	char *kept;

	setup();
	kept = acre_strdup(region, "kept");
	top = region->top;
	before = stats_of(pool);
	for (size_t i = 0; i < sizeof(impossible) / sizeof(size_t); i++) {
		/* Not a constant, so that the compiler does not see it. */
		volatile size_t size = impossible[i];

		errno = 0;
		ck_assert_ptr_null(acre_alloc(region, size));
		ck_assert_int_eq(errno, ENOMEM);
		errno = 0;
		ck_assert_ptr_null(acre_zalloc(region, size));
		ck_assert_int_eq(errno, ENOMEM);
		errno = 0;
		ck_assert_ptr_null(acre_alloc_aligned(region, size, 4096));
		ck_assert_int_eq(errno, ENOMEM);
		errno = 0;
		ck_assert_ptr_null(acre_realloc(region, NULL, 0, size));
		ck_assert_int_eq(errno, ENOMEM);
	}
	ck_assert_uint_eq(region->top, top);
	ck_assert_str_eq(kept, "kept");
	after = stats_of(pool);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	teardown();
}
END_TEST

START_TEST(zalloc_gives_zeros_also_in_used_pages)
{
	setup();
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 100; i++) {
			unsigned char *p = acre_zalloc(region, 333);

			for (int j = 0; j < 333; j++)
				ck_assert_int_eq(p[j], 0);
			memset(p, 0xff, 333);
		}
		acre_region_close(region);
		region = acre_region_open(pool);
	}
	teardown();
}
END_TEST

struct thing {
	long number;
	void *pointer;
};

START_TEST(new_and_new_array_are_typed_and_zero)
{
	struct thing *one, *many;

	setup();
	one = acre_new(region, struct thing);
	ck_assert_int_eq(one->number, 0);
	ck_assert_ptr_null(one->pointer);
	many = acre_new_array(region, struct thing, 100);
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_null(many[i].pointer);
	ck_assert_ptr_nonnull(acre_new_array(region, struct thing, 0));
	teardown();
}
END_TEST

START_TEST(new_array_sees_overflow)
{
	volatile size_t n = SIZE_MAX / sizeof(struct thing) + 2;

	setup();
	errno = 0;
	ck_assert_ptr_null(acre_new_array(region, struct thing, n));
	ck_assert_int_eq(errno, ENOMEM);
	n = SIZE_MAX;
	errno = 0;
	ck_assert_ptr_null(acre_new_array(region, struct thing, n));
	ck_assert_int_eq(errno, ENOMEM);
	teardown();
}
END_TEST

START_TEST(close_of_null_is_fine)
{
	acre_region_close(NULL);
}
END_TEST

START_TEST(open_without_a_pool_is_refused)
{
	errno = 0;
	ck_assert_ptr_null(acre_region_open(NULL));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(a_closed_regions_page_is_reused_first)
{
	acre_region *first;

	setup();
	first = region;
	acre_region_close(region);
	region = acre_region_open(pool);
	ck_assert_ptr_eq(region, first);
	teardown();
}
END_TEST

/* Pages of regions of every size around the batch's size come back. */
START_TEST(regions_of_any_length_come_back_whole)
{
	static const size_t cache_bytes[] = {1, 4 * 4096, 16 * 4096, 0};

	for (size_t i = 0; i < 4; i++) {
		pool = pool_with((acre_pool_options){
			.cache_bytes = cache_bytes[i]});
		for (int pages = 1; pages < 150; pages++) {
			acre_stats s;

			region = acre_region_open(pool);
			for (int n = 0; n < pages; n++)
				memset(acre_alloc(region, 4000), n, 4000);
			s = stats_of(pool);
			ck_assert_uint_eq(s.region_bytes,
				acre_region_held(region));
			ck_assert_uint_ge(s.region_bytes,
				(size_t)pages * 4096);
			acre_region_close(region);
			assert_balanced(pool);
			ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
		}
		/* No more than the largest region and a cache need. */
		ck_assert_uint_le(stats_of(pool).chunks, 3);
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
	}
}
END_TEST

START_TEST(out_of_memory_leaves_earlier_objects_and_the_region_usable)
{
	struct test_source source = {.fail_at = 2};
	char *objects[300];
	size_t count = 0;

	pool = pool_with((acre_pool_options){
		.source = test_source_init(&source), .chunk_size = 8 * 4096});
	region = acre_region_open(pool);
	errno = 0;
	while ((objects[count] = acre_alloc(region, 1000)))
		memset(objects[count], (int)count, 1000), count++;
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_ge(count, 6 * 4);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(objects[i][999], (char)i);
	errno = 0;
	ck_assert_ptr_null(acre_region_open(pool));
	ck_assert_int_eq(errno, ENOMEM);
	/* The source has memory again. */
	source.fail_at = 0;
	ck_assert_ptr_nonnull(acre_alloc(region, 1000));
	teardown();
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

SUITE("region", every_size_up_to_a_page_is_aligned_and_apart,
	objects_keep_what_was_written,
	impossible_sizes_are_refused_and_change_nothing,
	zalloc_gives_zeros_also_in_used_pages,
	new_and_new_array_are_typed_and_zero, new_array_sees_overflow,
	close_of_null_is_fine, open_without_a_pool_is_refused,
	a_closed_regions_page_is_reused_first,
	regions_of_any_length_come_back_whole,
	out_of_memory_leaves_earlier_objects_and_the_region_usable)
