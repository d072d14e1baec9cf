/* SPDX-License-Identifier: MIT */
/* region_allocator_test.c - a region serves libraries that take an allocator:
 * those that say the old size, and those that do not. */
#include "lib/region.h"

#include "tests/fixture.h"

static acre_allocator plain, sized;

static void
begin(void)
{
	setup();
	plain = acre_region_allocator(region);
	sized = acre_region_sized_allocator(region);
}

static void *
allocate(const acre_allocator *a, size_t size, int with)
{
	void *p = a->allocate(a->userdata, size);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq((uintptr_t)p % ACRE_ALIGN, 0);
	return memset(p, with, size);
}

static void *
reallocate(const acre_allocator *a, void *p, size_t old_size, size_t new_size)
{
	return a->reallocate(a->userdata, p, old_size, new_size);
}

static void
release(const acre_allocator *a, void *p)
{
	a->free(a->userdata, p);
}

/* ---- both ---- */

START_TEST(both_allocate_grow_shrink_and_free)
{
	static const size_t sizes[] = {
		0, 1, 100, 3000, 3500, 9000, 64 * KIB, 3 * MIB, 50 * KIB, 10,
	};

	begin();
	for (int i = 0; i < 2; i++) {
		const acre_allocator *a = i ? &sized : &plain;
		unsigned char *other = allocate(a, 30, 0xee);
		unsigned char *p = reallocate(a, NULL, 0, 50);
		size_t size = 50;

		ck_assert_ptr_nonnull(p);
		memset(p, 1, size);
		for (size_t j = 0; j < COUNT(sizes); j++) {
			size_t least = sizes[j] < size ? sizes[j] : size;

			p = reallocate(a, p, size, sizes[j]);
			ck_assert_ptr_nonnull(p);
			ck_assert_uint_eq((uintptr_t)p % ACRE_ALIGN, 0);
			assert_filled(p, least, (int)j + 1);
			size = sizes[j];
			memset(p, (int)j + 2, size);
		}
		release(a, p);
		release(a, NULL);
		assert_filled(other, 30, 0xee);
		assert_held(acre_region_held(region));
	}
	teardown();
}
END_TEST

START_TEST(both_free_the_last_object_and_large_ones)
{
	begin();
	for (int i = 0; i < 2; i++) {
		const acre_allocator *a = i ? &sized : &plain;
		void *p;

		for (size_t size = 0; size < 3000; size += 333) {
			size_t used = acre_region_used(region);

			p = allocate(a, size, 1);
			release(a, p);
			ck_assert_uint_eq(acre_region_used(region), used);
		}
		for (size_t size = 10000; size < 3 * MIB; size *= 3) {
			p = allocate(a, size, 2);
			ck_assert_uint_gt(acre_region_held(region), size);
			release(a, p);
			ck_assert_uint_eq(acre_region_held(region), PAGE);
		}
	}
	teardown();
}
END_TEST

START_TEST(neither_frees_an_object_with_others_behind_it)
{
	begin();
	for (int i = 0; i < 2; i++) {
		const acre_allocator *a = i ? &sized : &plain;
		unsigned char *first = allocate(a, 100, 1);
		unsigned char *second = allocate(a, 100, 2);
		size_t used = acre_region_used(region);

		release(a, first);
		ck_assert_uint_eq(acre_region_used(region), used);
		assert_filled(second, 100, 2);
	}
	teardown();
}
END_TEST

START_TEST(both_refuse_what_cannot_be)
{
	static const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16,
		SIZE_MAX - 31, SIZE_MAX / 2,
	};

	for (int i = 0; i < 2; i++) {
		for (size_t j = 0; j < COUNT(sizes); j++) {
			volatile size_t size = sizes[j];
			const acre_allocator *a;
			unsigned char *p;

			begin();
			a = i ? &sized : &plain;
			errno = 0;
			ck_assert_ptr_null(a->allocate(a->userdata, size));
			ck_assert_int_eq(errno, ENOMEM);
			ck_assert(acre_region_failed(region));
			acre_region_reset(region);
			p = allocate(a, 100, 1);
			errno = 0;
			ck_assert_ptr_null(reallocate(a, p, 100, size));
			ck_assert_int_eq(errno, ENOMEM);
			ck_assert(acre_region_failed(region));
			assert_filled(p, 100, 1);
			/* It has its old size still. */
			p = reallocate(a, p, 100, 5000);
			assert_filled(p, 100, 1);
			teardown();
		}
	}
}
END_TEST

/* ---- the plain form ---- */

START_TEST(the_plain_one_takes_no_more_than_the_region)
{
	begin();
	allocate(&plain, 100, 1);
	ck_assert_uint_eq(acre_region_used(region), 112);
	teardown();
}
END_TEST

START_TEST(the_plain_one_needs_the_old_size)
{
	unsigned char *p;

	begin();
	p = allocate(&plain, 100, 1);
	errno = 0;
	ck_assert_ptr_null(reallocate(&plain, p, ACRE_SIZE_UNKNOWN, 200));
	ck_assert_int_eq(errno, EINVAL);
	assert_filled(p, 100, 1);
	p = allocate(&plain, 100000, 2);
	p = reallocate(&plain, p, ACRE_SIZE_UNKNOWN, 200000);
	ck_assert_ptr_nonnull(p);
	assert_filled(p, 100000, 2);
	teardown();
}
END_TEST

/* One that was reallocated at the tip is the last one, wherever it ends. */
START_TEST(the_last_one_may_have_been_reallocated)
{
	static const size_t sizes[] = {10, 200, 90, 3000, 3016};

	begin();
	for (size_t i = 0; i < COUNT(sizes); i++) {
		unsigned char *p;

		filled(region, 3000, 2); /* 3000 more are in another block */
		p = allocate(&plain, 100, 1);
		p = reallocate(&plain, p, 100, sizes[i]);
		ck_assert_uint_eq((uintptr_t)p + ALIGN_UP(sizes[i]),
			region->top);
		release(&plain, p);
		ck_assert_uint_eq((uintptr_t)p, region->top);
		acre_region_reset(region);
	}
	teardown();
}
END_TEST

/* One that shrank in place, with others behind it, is not. */
START_TEST(one_that_stayed_in_place_is_not_the_last)
{
	static const size_t sizes[] = {100, 99, 97, 50, 0};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		unsigned char *p, *behind;
		size_t used;

		begin();
		p = allocate(&plain, 100, 1);
		behind = allocate(&plain, 100, 2);
		used = acre_region_used(region);
		ck_assert_ptr_eq(reallocate(&plain, p, 100, sizes[i]), p);
		release(&plain, p);
		ck_assert_uint_eq(acre_region_used(region), used);
		allocate(&plain, 1000, 3);
		assert_filled(behind, 100, 2);
		teardown();
	}
}
END_TEST

START_TEST(a_reallocation_that_failed_forgets_nothing)
{
	volatile size_t size = SIZE_MAX - 100;
	void *p;

	begin();
	p = allocate(&plain, 100, 1);
	ck_assert_ptr_null(reallocate(&plain, p, 100, size));
	release(&plain, p);
	ck_assert_uint_eq(acre_region_used(region), 0);
	teardown();
}
END_TEST

/* Its free must not take what the region's owner has allocated since. */
START_TEST(others_behind_the_last_one_stay)
{
	unsigned char *p, *behind;

	begin();
	p = allocate(&plain, 100, 1);
	behind = filled(region, 100, 2);
	release(&plain, p);
	allocate(&plain, 1000, 3);
	assert_filled(behind, 100, 2);
	/* Nor in another block. */
	p = allocate(&plain, 100, 4);
	fill_block(region);
	behind = filled(region, 3000, 5);
	release(&plain, p);
	allocate(&plain, 1000, 6);
	assert_filled(behind, 3000, 5);
	teardown();
}
END_TEST

START_TEST(a_reset_forgets_the_last_one)
{
	void *p;

	begin();
	p = allocate(&plain, 64, 1);
	acre_region_reset(region);
	ck_assert_ptr_eq(filled(region, 32, 2), p);
	filled(region, 32, 3);
	release(&plain, p);
	ck_assert_uint_eq(acre_region_used(region), 64);
	teardown();
}
END_TEST

/* ---- the sized form ---- */

START_TEST(the_sized_one_knows_each_objects_size)
{
	unsigned char *objects[100];

	begin();
	for (int i = 0; i < 100; i++)
		objects[i] = allocate(&sized, (size_t)i * 17, i);
	ck_assert_uint_ge(acre_region_used(region), 100 * ACRE_ALIGN);
	for (int i = 0; i < 100; i++) {
		/* The size it is told is not what it goes by. */
		objects[i] = reallocate(&sized, objects[i],
			i % 2 ? ACRE_SIZE_UNKNOWN : 1, (size_t)i * 34);
		ck_assert_ptr_nonnull(objects[i]);
		assert_filled(objects[i], (size_t)i * 17, i);
		memset(objects[i], i, (size_t)i * 34);
	}
	for (int i = 0; i < 100; i++)
		assert_filled(objects[i], (size_t)i * 34, i);
	teardown();
}
END_TEST

START_TEST(the_sized_one_frees_last_in_first_out)
{
	void *objects[10];
	size_t used;

	begin();
	used = acre_region_used(region);
	for (int i = 0; i < 10; i++)
		objects[i] = allocate(&sized, (size_t)i * 30, i);
	for (int i = 10; i-- > 0;)
		release(&sized, objects[i]);
	ck_assert_uint_eq(acre_region_used(region), used);
	teardown();
}
END_TEST

START_TEST(the_sized_one_takes_16_bytes_more)
{
	begin();
	allocate(&sized, 100, 1);
	ck_assert_uint_eq(acre_region_used(region), 128);
	teardown();
}
END_TEST

/* ---- a pool over it ---- */

/* A region is a source as any other: a pool may live in one. */
START_TEST(a_pool_may_live_in_a_region)
{
	acre_pool *inner;
	acre_region *r;

	begin();
	inner = pool_with((acre_pool_options){
		.source = &sized, .chunk_size = 64 * KIB});
	r = acre_region_open(inner);
	for (int i = 0; i < 100; i++)
		filled(r, 1000, i);
	filled(r, MIB, 1);
	acre_region_close(r);
	ck_assert_uint_gt(acre_region_held(region), 100000);
	ck_assert_int_eq(acre_pool_destroy(inner), 0);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	teardown();
}
END_TEST

SUITE("region_allocator", both_allocate_grow_shrink_and_free,
	both_free_the_last_object_and_large_ones,
	neither_frees_an_object_with_others_behind_it,
	both_refuse_what_cannot_be, the_plain_one_takes_no_more_than_the_region,
	the_plain_one_needs_the_old_size,
	the_last_one_may_have_been_reallocated,
	one_that_stayed_in_place_is_not_the_last,
	a_reallocation_that_failed_forgets_nothing,
	others_behind_the_last_one_stay, a_reset_forgets_the_last_one,
	the_sized_one_knows_each_objects_size,
	the_sized_one_frees_last_in_first_out,
	the_sized_one_takes_16_bytes_more, a_pool_may_live_in_a_region)
