/* SPDX-License-Identifier: MIT */
/* alloc_test.c - objects are aligned, apart, as large as asked, and can
 * change. */
#include "lib/region.h"

#include <stdio.h>
#include <time.h>

#include "tests/fixture.h"

/* ---- acre_alloc ---- */

START_TEST(every_size_up_to_a_page_is_aligned_and_apart)
{
	setup();
	for (size_t size = 0; size <= PAGE - REGION_HEADER; size++) {
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
		objects[i] = filled(region, sizes[i], i & 0xff);
	}
	for (int i = 0; i < OBJECTS; i++)
		assert_filled(objects[i], sizes[i], i & 0xff);
	teardown();
}
END_TEST

START_TEST(size_0_gives_objects_that_are_apart)
{
	char *p, *q;

	setup();
	p = acre_alloc(region, 0);
	q = acre_alloc(region, 0);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_eq(q, p + ACRE_ALIGN);
	ck_assert_uint_eq(acre_region_used(region), 2 * ACRE_ALIGN);
	ck_assert(!acre_region_failed(region));
	teardown();
}
END_TEST

/* Also where the block has no byte left. */
START_TEST(size_0_at_the_blocks_end_takes_another_block)
{
	char *p;

	setup();
	fill_block(region);
	p = acre_alloc(region, 0);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(acre_region_held(region), 2 * PAGE);
	ck_assert_uint_eq(region->top, (uintptr_t)p + ACRE_ALIGN);
	teardown();
}
END_TEST

START_TEST(what_just_fits_takes_no_block)
{
	size_t room;
	char *p;

	setup();
	room = region->limit - region->top;
	filled(region, room - 100 - ACRE_ALIGN, 1);
	p = acre_alloc(region, region->limit - region->top);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(region->top, region->limit);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	ck_assert_uint_eq(acre_region_used(region), room);
	acre_alloc(region, 1);
	ck_assert_uint_eq(acre_region_held(region), 2 * PAGE);
	teardown();
}
END_TEST

/* The cursor stands where more room is left. */
START_TEST(a_block_with_more_room_is_not_left_behind)
{
	unsigned char *small, *between, *next;

	setup();
	small = filled(region, 96, 1);
	between = filled(region, 4000, 2);
	ck_assert_uint_eq(acre_region_held(region), 2 * PAGE);
	ck_assert_uint_eq(acre_region_used(region), 96 + 4000);
	next = filled(region, 96, 3);
	ck_assert_ptr_eq(next, small + 96);
	ck_assert_uint_eq(acre_region_used(region), 96 + 4000 + 96);
	assert_filled(between, 4000, 2);
	/* And moves on when the new block has more. */
	filled(region, (region->limit - region->top) - 64, 4);
	next = filled(region, 96, 5);
	ck_assert_uint_eq(region->top, (uintptr_t)next + 96);
	ck_assert_uint_gt(region->limit - region->top, PAGE / 2);
	teardown();
}
END_TEST

static const size_t impossible[] = {
	SIZE_MAX / 2 - 14, SIZE_MAX / 2, SIZE_MAX - 4096, SIZE_MAX - 32,
	SIZE_MAX - 16, SIZE_MAX - 15, SIZE_MAX - 14, SIZE_MAX - 1, SIZE_MAX,
};

static void
assert_refused(const void *p, int error)
{
	ck_assert_ptr_null(p);
	ck_assert_int_eq(errno, error);
	errno = 0;
}

START_TEST(impossible_sizes_are_refused_and_change_nothing)
{
	acre_stats before, after;
	uintptr_t top;
	char *kept;

	setup();
	kept = acre_strdup(region, "kept");
	top = region->top;
	before = stats_of(pool);
	for (size_t i = 0; i < COUNT(impossible); i++) {
		/* Not a constant, so that the compiler does not see it. */
		volatile size_t size = impossible[i];

		errno = 0;
		assert_refused(acre_alloc(region, size), ENOMEM);
		assert_refused(acre_zalloc(region, size), ENOMEM);
		assert_refused(acre_alloc_aligned(region, size, 16), ENOMEM);
		assert_refused(acre_alloc_aligned(region, size, 4096), ENOMEM);
		assert_refused(acre_realloc(region, NULL, 0, size), ENOMEM);
		assert_refused(acre_memdup(region, kept, size), ENOMEM);
	}
	ck_assert_uint_eq(region->top, top);
	ck_assert_str_eq(kept, "kept");
	after = stats_of(pool);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	teardown();
}
END_TEST

/* Each way to fail, in a region that has not failed before. */
START_TEST(a_region_knows_that_it_failed)
{
	volatile size_t size = SIZE_MAX - 100;
	char *p;

	for (int way = 0; way < 6; way++) {
		setup();
		p = acre_alloc(region, 8);
		ck_assert(!acre_region_failed(region));
		switch (way) {
		case 0:
			p = acre_alloc(region, size);
			break;
		case 1:
			p = acre_alloc_aligned(region, size, 4096);
			break;
		case 2:
			p = acre_zalloc_array(region, size, 2);
			break;
		case 3:
			p = acre_realloc(region, p, 8, size);
			break;
		case 4:
			p = acre_memdup(region, p, size);
			break;
		case 5:
			p = acre_strndup(region, "x", 1); /* fine */
			p = acre_zalloc(region, size);
			break;
		}
		ck_assert_ptr_null(p);
		ck_assert(acre_region_failed(region));
		/* It is usable, and still says so. */
		ck_assert_ptr_nonnull(acre_alloc(region, 8));
		ck_assert_int_eq(acre_region_failed(region), 1);
		teardown();
	}
}
END_TEST

/* ---- zeros, arrays, copies ---- */

START_TEST(zalloc_gives_zeros_also_in_used_pages)
{
	setup();
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 100; i++) {
			unsigned char *p = acre_zalloc(region, 333);

			assert_filled(p, 333, 0);
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
	filled(region, 100 * sizeof(*many), 0xff);
	acre_region_reset(region);
	one = acre_new(region, struct thing);
	ck_assert_int_eq(one->number, 0);
	ck_assert_ptr_null(one->pointer);
	many = acre_new_array(region, struct thing, 100);
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_null(many[i].pointer);
	ck_assert_uint_eq(acre_region_used(region),
		ALIGN_UP(sizeof(*one)) + ALIGN_UP(100 * sizeof(*many)));
	ck_assert_ptr_nonnull(acre_new_array(region, struct thing, 0));
	teardown();
}
END_TEST

START_TEST(new_array_sees_overflow)
{
	volatile size_t n = SIZE_MAX / sizeof(struct thing) + 2;

	setup();
	errno = 0;
	assert_refused(acre_new_array(region, struct thing, n), ENOMEM);
	n = SIZE_MAX;
	assert_refused(acre_new_array(region, struct thing, n), ENOMEM);
	teardown();
}
END_TEST

START_TEST(memdup_copies)
{
	char original[300], *copy;

	setup();
	memset(original, 'a', sizeof(original));
	copy = acre_memdup(region, original, sizeof(original));
	memset(original, 'b', sizeof(original));
	assert_filled((unsigned char *)copy, sizeof(original), 'a');
	ck_assert_uint_eq((uintptr_t)copy % ACRE_ALIGN, 0);
	ck_assert_uint_eq(acre_region_used(region), 304);
	ck_assert_ptr_nonnull(acre_memdup(region, NULL, 0));
	teardown();
}
END_TEST

/* ---- alignment ---- */

static const size_t aligned_sizes[] = {
	0, 1, 16, 100, 1000, 4064, 4096, 9000, 70000,
};

START_TEST(every_power_of_two_is_an_alignment)
{
	enum { OBJECTS = 21 * COUNT(aligned_sizes) };
	unsigned char *objects[OBJECTS];
	int n = 0;

	setup();
	for (size_t align = 1; align <= MIB; align *= 2) {
		for (size_t i = 0; i < COUNT(aligned_sizes); i++, n++) {
			size_t size = aligned_sizes[i];

			objects[n] = acre_alloc_aligned(region, size, align);
			ck_assert_ptr_nonnull(objects[n]);
			ck_assert_uint_eq((uintptr_t)objects[n] % align, 0);
			memset(objects[n], n, size);
			/* What comes next is not on top of it. */
			filled(region, 24, 0xee);
		}
	}
	ck_assert_int_eq(n, OBJECTS);
	n = 0;
	for (size_t align = 1; align <= MIB; align *= 2)
		for (size_t i = 0; i < COUNT(aligned_sizes); i++, n++)
			assert_filled(objects[n], aligned_sizes[i], n);
	assert_held(acre_region_held(region));
	teardown();
}
END_TEST

START_TEST(an_aligned_object_takes_no_more_than_it_must)
{
	char *p;

	setup();
	p = acre_alloc_aligned(region, 1, 8);
	ck_assert_uint_eq(region->top, (uintptr_t)p + ACRE_ALIGN);
	p = acre_alloc_aligned(region, 100, 64);
	ck_assert_uint_eq(region->top, (uintptr_t)p + 112);
	p = acre_alloc_aligned(region, 0, 64);
	ck_assert_uint_eq(region->top, (uintptr_t)p + ACRE_ALIGN);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	/* Up to the block's last byte. */
	p = acre_alloc_aligned(region, region->limit -
		((region->top + 63) & ~(uintptr_t)63), 64);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(region->top, region->limit);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	p = acre_alloc_aligned(region, 0, 64);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(acre_region_held(region), 2 * PAGE);
	teardown();
}
END_TEST

static const size_t no_alignments[] = {
	0, 3, 5, 12, 24, 4095, 4097, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX - 15,
};

START_TEST(what_is_no_power_of_two_is_refused)
{
	setup();
	for (size_t i = 0; i < COUNT(no_alignments); i++) {
		errno = 0;
		assert_refused(acre_alloc_aligned(region, 8,
			no_alignments[i]), EINVAL);
	}
	ck_assert_uint_eq(acre_region_used(region), 0);
	teardown();
}
END_TEST

START_TEST(alignments_that_cannot_be_are_refused)
{
	static const size_t sizes[] = {8, SIZE_MAX / 2, SIZE_MAX};
	volatile size_t align = ~(SIZE_MAX >> 1);

	setup();
	for (size_t i = 0; i < COUNT(sizes); i++) {
		volatile size_t size = sizes[i];

		errno = 0;
		assert_refused(acre_alloc_aligned(region, size, align),
			ENOMEM);
	}
	ck_assert_uint_eq(acre_region_used(region), 0);
	teardown();
}
END_TEST

/* ---- acre_realloc ---- */

START_TEST(realloc_of_null_allocates)
{
	char *p;

	setup();
	p = acre_realloc(region, NULL, 0, 100);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(acre_region_used(region), 112);
	p = acre_realloc(region, NULL, ACRE_SIZE_UNKNOWN, 100);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(acre_region_used(region), 224);
	teardown();
}
END_TEST

START_TEST(the_tip_grows_and_shrinks_where_it_is)
{
	/* Sizes, and what they take. */
	static const size_t steps[][2] = {
		{100, 112}, {200, 208}, {10, 16}, {0, 16}, {16, 16}, {17, 32},
		{3000, 3008}, {1, 16},
	};
	size_t size = 50;
	unsigned char *p, *q;

	setup();
	filled(region, 16, 1);
	p = filled(region, size, 2);
	for (size_t i = 0; i < COUNT(steps); i++) {
		q = acre_realloc(region, p, size, steps[i][0]);
		ck_assert_ptr_eq(q, p);
		size = steps[i][0];
		ck_assert_uint_eq(acre_region_used(region),
			16 + steps[i][1]);
		ck_assert_uint_eq(region->top, (uintptr_t)p + steps[i][1]);
	}
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	teardown();
}
END_TEST

START_TEST(the_tip_grows_to_its_blocks_last_byte)
{
	unsigned char *p;
	size_t room;

	setup();
	for (int block = 0; block < 2; block++) {
		p = filled(region, 10, 3);
		room = region->limit - (uintptr_t)p;
		ck_assert_ptr_eq(acre_realloc(region, p, 10, room), p);
		ck_assert_uint_eq(region->top, region->limit);
		assert_filled(p, 10, 3);
	}
	teardown();
}
END_TEST

START_TEST(a_tip_that_outgrows_its_block_is_copied)
{
	unsigned char *p, *q;
	size_t room;

	setup();
	p = filled(region, 100, 4);
	room = region->limit - (uintptr_t)p;
	q = acre_realloc(region, p, 100, room + 1);
	ck_assert_ptr_nonnull(q);
	ck_assert_ptr_ne(q, p);
	assert_filled(q, 100, 4);
	memset(q, 5, room + 1);
	assert_filled(p, 100, 4);
	teardown();
}
END_TEST

START_TEST(elsewhere_what_grows_is_copied_and_what_shrinks_stays)
{
	unsigned char *p, *q, *after;
	size_t used;

	setup();
	p = filled(region, 100, 5);
	after = filled(region, 100, 6);
	used = acre_region_used(region);
	ck_assert_ptr_eq(acre_realloc(region, p, 100, 50), p);
	ck_assert_ptr_eq(acre_realloc(region, p, 50, 50), p);
	ck_assert_uint_eq(acre_region_used(region), used);
	q = acre_realloc(region, p, 50, 51);
	ck_assert_ptr_ne(q, p);
	assert_filled(q, 50, 5);
	ck_assert_uint_eq(acre_region_used(region), used + 64);
	memset(q, 7, 51);
	assert_filled(after, 100, 6);
	teardown();
}
END_TEST

/* An object of a block that the cursor has left is not the tip. */
START_TEST(realloc_in_a_block_that_was_left_copies)
{
	unsigned char *p, *q, *tip;

	setup();
	filled(region, region->limit - region->top - 112, 8);
	p = filled(region, 100, 9);
	tip = filled(region, 1000, 10);
	q = acre_realloc(region, p, 100, 200);
	ck_assert_ptr_eq(q, tip + 1008);
	assert_filled(q, 100, 9);
	assert_filled(tip, 1000, 10);
	teardown();
}
END_TEST

START_TEST(realloc_without_the_old_size_is_refused)
{
	unsigned char *p;

	setup();
	p = filled(region, 100, 11);
	errno = 0;
	assert_refused(acre_realloc(region, p, ACRE_SIZE_UNKNOWN, 50),
		EINVAL);
	filled(region, 100, 12);
	assert_refused(acre_realloc(region, p, ACRE_SIZE_UNKNOWN, 200),
		EINVAL);
	assert_filled(p, 100, 11);
	ck_assert_uint_eq(acre_region_used(region), 224);
	teardown();
}
END_TEST

START_TEST(realloc_that_fails_leaves_the_object)
{
	volatile size_t size = SIZE_MAX - 20;
	unsigned char *tip, *other;

	setup();
	other = filled(region, 100, 13);
	tip = filled(region, 100, 14);
	for (int i = 0; i < 2; i++, size = PTRDIFF_MAX) {
		errno = 0;
		assert_refused(acre_realloc(region, other, 100, size),
			ENOMEM);
		assert_refused(acre_realloc(region, tip, 100, size), ENOMEM);
	}
	assert_filled(other, 100, 13);
	assert_filled(tip, 100, 14);
	ck_assert_uint_eq(acre_region_used(region), 224);
	/* The tip is still the tip. */
	ck_assert_ptr_eq(acre_realloc(region, tip, 100, 120), tip);
	teardown();
}
END_TEST

/* ---- acre_free ---- */

START_TEST(free_of_null_does_nothing)
{
	setup();
	filled(region, 100, 1);
	acre_free(region, NULL, 0);
	acre_free(region, NULL, 100);
	acre_free(region, NULL, ACRE_SIZE_UNKNOWN);
	ck_assert_uint_eq(acre_region_used(region), 112);
	teardown();
}
END_TEST

/* Last in first out gives everything back, in each block. */
START_TEST(free_of_the_tip_moves_the_cursor)
{
	static const size_t sizes[] = {0, 1, 16, 17, 500, 1000};
	unsigned char *objects[COUNT(sizes)];

	setup();
	for (int block = 0; block < 3; block++) {
		size_t used = acre_region_used(region);
		uintptr_t top = region->top;

		for (size_t i = 0; i < COUNT(sizes); i++)
			objects[i] = filled(region, sizes[i], 2);
		for (size_t i = COUNT(sizes); i-- > 0;)
			acre_free(region, objects[i], sizes[i]);
		ck_assert_uint_eq(region->top, top);
		ck_assert_uint_eq(acre_region_used(region), used);
		fill_block(region);
		filled(region, 16, 3);
	}
	teardown();
}
END_TEST

START_TEST(free_elsewhere_does_nothing)
{
	unsigned char *p, *q, *left;
	uintptr_t top;

	setup();
	left = filled(region, region->limit - region->top - 64, 4);
	p = filled(region, 100, 5);
	q = filled(region, 100, 6);
	top = region->top;
	acre_free(region, p, 100);
	acre_free(region, left, 100);
	acre_free(region, q, ACRE_SIZE_UNKNOWN);
	acre_free(region, q, 50); /* wrong, and seen */
	ck_assert_uint_eq(region->top, top);
	assert_filled(p, 100, 5);
	assert_filled(q, 100, 6);
	teardown();
}
END_TEST

START_TEST(a_detached_region_gives_nothing)
{
	unsigned char *p;

	setup();
	p = filled(region, 100, 7);
	ck_assert_int_eq(acre_region_detach(region), 0);
	errno = 0;
	assert_refused(acre_alloc(region, 0), EPERM);
	assert_refused(acre_alloc(region, 1), EPERM);
	assert_refused(acre_alloc(region, 100000), EPERM);
	assert_refused(acre_zalloc(region, 1), EPERM);
	assert_refused(acre_alloc_aligned(region, 1, 64), EPERM);
	assert_refused(acre_alloc_aligned(region, 0, 64), EPERM);
	assert_refused(acre_realloc(region, NULL, 0, 1), EPERM);
	assert_refused(acre_realloc(region, p, 100, 50), EPERM);
	assert_refused(acre_realloc(region, p, 100, 500), EPERM);
	assert_refused(acre_memdup(region, p, 100), EPERM);
	assert_refused(acre_strdup(region, "no"), EPERM);
	assert_refused(acre_strndup(region, "no", 1), EPERM);
	assert_refused(acre_asprintf(region, "no"), EPERM);
	acre_free(region, p, 100);
	ck_assert_uint_eq(acre_region_used(region), 112);
	ck_assert_int_eq(acre_region_adopt(region), 0);
	ck_assert_uint_eq((uintptr_t)acre_alloc(region, 1),
		(uintptr_t)p + 112);
	teardown();
}
END_TEST

SUITE("alloc", every_size_up_to_a_page_is_aligned_and_apart,
	objects_keep_what_was_written, size_0_gives_objects_that_are_apart,
	size_0_at_the_blocks_end_takes_another_block,
	what_just_fits_takes_no_block,
	a_block_with_more_room_is_not_left_behind,
	impossible_sizes_are_refused_and_change_nothing,
	a_region_knows_that_it_failed, zalloc_gives_zeros_also_in_used_pages,
	new_and_new_array_are_typed_and_zero, new_array_sees_overflow,
	memdup_copies, every_power_of_two_is_an_alignment,
	an_aligned_object_takes_no_more_than_it_must,
	what_is_no_power_of_two_is_refused,
	alignments_that_cannot_be_are_refused, realloc_of_null_allocates,
	the_tip_grows_and_shrinks_where_it_is,
	the_tip_grows_to_its_blocks_last_byte,
	a_tip_that_outgrows_its_block_is_copied,
	elsewhere_what_grows_is_copied_and_what_shrinks_stays,
	realloc_in_a_block_that_was_left_copies,
	realloc_without_the_old_size_is_refused,
	realloc_that_fails_leaves_the_object, free_of_null_does_nothing,
	free_of_the_tip_moves_the_cursor, free_elsewhere_does_nothing,
	a_detached_region_gives_nothing)
