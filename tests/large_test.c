/* SPDX-License-Identifier: MIT */
/* large_test.c - objects with memory of their own, which goes back alone. */
#include "lib/region.h"

#include <sched.h>

#include "tests/fixture.h"
#include "tests/source.h"

#define RECORD ALIGN_UP(sizeof(struct large))

static struct test_source source;

/* A pool with chunks of 1 MiB over the test's source. */
static void
setup_over_source(size_t max_bytes)
{
	source = (struct test_source){.alignment = PAGE};
	setup_with((acre_pool_options){
		.source = test_source_init(&source), .max_bytes = max_bytes});
}

/* The same, and the source can reallocate. */
static void
setup_over_resizing_source(void)
{
	source = (struct test_source){.alignment = PAGE};
	test_source_init(&source);
	source.allocator.reallocate = test_source_reallocate;
	setup_with((acre_pool_options){.source = &source.allocator});
}

static void
teardown_over_source(void)
{
	teardown();
	ck_assert_uint_eq(source.live, 0);
}

/* ---- where they come from ---- */

/* The size, the memory that it gets, and what of that is from the source. */
static const size_t places[][3] = {
	{8 * KIB + 1, 16 * KIB, 0},
	{16 * KIB, 16 * KIB, 0},
	{16 * KIB + 1, 32 * KIB, 0},
	{64 * KIB, 64 * KIB, 0},
	{64 * KIB + 1, 128 * KIB, 0},
	{512 * KIB, 512 * KIB, 0},
	{512 * KIB + 1, 512 * KIB + 16, 512 * KIB + 16},
	{MIB, MIB, MIB},
	{5 * MIB - 3, 5 * MIB, 5 * MIB},
};

START_TEST(each_size_gets_its_block_or_the_source)
{
	setup_over_source(0);
	for (size_t i = 0; i < COUNT(places); i++) {
		size_t size = places[i][0];
		acre_stats before = stats_of(pool), after;
		unsigned char *p = filled(region, size, 1);

		after = stats_of(pool);
		ck_assert_uint_eq(acre_region_held(region),
			PAGE + places[i][1]);
		ck_assert_uint_eq(acre_region_used(region),
			RECORD + places[i][1]);
		ck_assert_uint_eq(after.large_bytes, places[i][2]);
		ck_assert_uint_eq(after.pages_taken,
			before.pages_taken + !places[i][2]);
		assert_held(acre_region_held(region));
		if (places[i][2])
			ck_assert_uint_eq(source.last_size, places[i][2]);
		acre_free(region, p, size);
		ck_assert_uint_eq(acre_region_held(region), PAGE);
	}
	teardown_over_source();
}
END_TEST

/* 8 KiB go into a block with others, and cannot go back alone. */
START_TEST(what_is_not_larger_than_a_quarter_block_is_not_large)
{
	unsigned char *p;
	size_t held;

	setup();
	p = filled(region, 8 * KIB, 1);
	ck_assert_ptr_null(large_find(region_of(region), p));
	held = acre_region_held(region);
	acre_free(region, p, ACRE_SIZE_UNKNOWN);
	ck_assert_uint_eq(acre_region_held(region), held);
	teardown();
}
END_TEST

START_TEST(what_fits_where_the_region_stands_is_not_large)
{
	static _Alignas(16) char buffer[200000];
	unsigned char *p;

	setup();
	acre_region_close(region);
	region = open_with((acre_region_options){
		.buffer = buffer, .buffer_size = sizeof(buffer)});
	p = filled(region, 100000, 1);
	ck_assert((char *)p > buffer && (char *)p < buffer + 100000);
	ck_assert_uint_eq(acre_region_held(region), 0);
	teardown();
}
END_TEST

START_TEST(chunks_of_a_page_have_blocks_of_a_page)
{
	unsigned char *p;

	source = (struct test_source){.alignment = PAGE};
	setup_with((acre_pool_options){.source = test_source_init(&source),
		.chunk_size = PAGE});
	p = filled(region, PAGE, 1);
	ck_assert_uint_eq(acre_region_held(region), 2 * PAGE);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 0);
	acre_free(region, p, PAGE);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	p = filled(region, PAGE + 1, 1);
	ck_assert_uint_eq(stats_of(pool).large_bytes, PAGE + 16);
	teardown_over_source();
}
END_TEST

/* ---- free ---- */

START_TEST(free_gives_a_block_back_at_once)
{
	acre_stats before, after;
	unsigned char *p;

	setup();
	before = stats_of(pool);
	p = filled(region, 64 * KIB, 1);
	acre_free(region, p, 64 * KIB);
	after = stats_of(pool);
	ck_assert_uint_eq(after.region_bytes, before.region_bytes);
	ck_assert_uint_ge(after.cache_bytes, before.cache_bytes + 64 * KIB);
	/* And the next one gets it. */
	ck_assert_ptr_eq(filled(region, 60 * KIB, 2), p);
	teardown();
}
END_TEST

START_TEST(free_gives_the_sources_memory_back_at_once)
{
	unsigned char *p;
	size_t live;

	setup_over_source(0);
	live = source.live;
	p = filled(region, 2 * MIB, 1);
	ck_assert_uint_eq(source.live, live + 1);
	acre_free(region, p, ACRE_SIZE_UNKNOWN);
	ck_assert_uint_eq(source.live, live);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 0);
	teardown_over_source();
}
END_TEST

/* Whichever of three goes first, the others stay. */
START_TEST(each_goes_alone)
{
	static const int orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1},
		{2, 1, 0},
	};
	static const size_t sizes[] = {20 * KIB, 2 * MIB, 64 * KIB};

	setup_over_source(0);
	for (size_t i = 0; i < COUNT(orders); i++) {
		unsigned char *objects[3];
		bool gone[3] = {false};

		for (int j = 0; j < 3; j++)
			objects[j] = filled(region, sizes[j], j + 1);
		for (int j = 0; j < 3; j++) {
			int k = orders[i][j];

			acre_free(region, objects[k], sizes[k]);
			gone[k] = true;
			for (int l = 0; l < 3; l++)
				if (!gone[l])
					assert_filled(objects[l], sizes[l],
						l + 1);
			assert_held(acre_region_held(region));
		}
		ck_assert_uint_eq(acre_region_held(region), PAGE);
	}
	teardown_over_source();
}
END_TEST

/* One that was aligned does not begin where its memory does. */
START_TEST(an_aligned_one_can_be_freed)
{
	setup_over_source(0);
	for (size_t align = 32; align <= MIB; align *= 2) {
		unsigned char *p = acre_alloc_aligned(region, 100 * KIB,
			align);

		ck_assert_uint_eq((uintptr_t)p % align, 0);
		memset(p, 1, 100 * KIB);
		acre_free(region, p, 100 * KIB);
		ck_assert_uint_eq(acre_region_held(region), PAGE);
	}
	teardown_over_source();
}
END_TEST

START_TEST(a_million_do_not_make_the_region_grow)
{
	size_t used, held;

	setup();
	acre_free(region, filled(region, 20 * KIB, 1), 20 * KIB);
	used = acre_region_used(region);
	held = acre_region_held(region);
	for (int i = 0; i < 1000000; i++) {
		char *p = acre_alloc(region, 20 * KIB);

		*p = 'x';
		acre_free(region, p, 20 * KIB);
	}
	ck_assert_uint_eq(acre_region_used(region), used);
	ck_assert_uint_eq(acre_region_held(region), held);
	teardown();
}
END_TEST

START_TEST(as_many_records_as_were_needed_at_once)
{
	unsigned char *objects[100];

	setup();
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 100; i++)
			objects[i] = filled(region, 10 * KIB, i);
		for (int i = 0; i < 100; i++) {
			assert_filled(objects[i], 10 * KIB, i);
			acre_free(region, objects[i], 10 * KIB);
		}
		ck_assert_uint_eq(acre_region_used(region), 100 * RECORD);
	}
	teardown();
}
END_TEST

START_TEST(close_and_reset_give_all_back)
{
	size_t live;

	setup_over_source(0);
	live = source.live;
	for (int i = 0; i < 10; i++) {
		filled(region, 2 * MIB, i);
		filled(region, 64 * KIB, i);
	}
	acre_region_reset(region);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	ck_assert_uint_eq(acre_region_used(region), 0);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 0);
	assert_held(PAGE);
	/* The records went with the rest: new ones are made. */
	filled(region, 200, 0xff);
	filled(region, 64 * KIB, 1);
	filled(region, 2 * MIB, 1);
	ck_assert_uint_eq(acre_region_used(region),
		208 + 2 * RECORD + 64 * KIB + 2 * MIB);
	teardown_over_source();
	ck_assert_uint_ge(live, 1);
}
END_TEST

START_TEST(requests_with_64_kib_ask_the_source_no_more)
{
	acre_stats warm;

	setup();
	for (int i = 0; i < 2000; i++) {
		acre_region *request = acre_region_open(pool);

		filled(request, 1000, 1);
		memset(acre_alloc(request, 64 * KIB), 2, 64);
		filled(request, 1000, 3);
		acre_region_close(request);
		if (i == 100)
			warm = stats_of(pool);
	}
	ck_assert_uint_eq(stats_of(pool).source_calls, warm.source_calls);
	ck_assert_uint_eq(stats_of(pool).cache_misses, warm.cache_misses);
	ck_assert_uint_eq(stats_of(pool).cache_flushes, warm.cache_flushes);
	teardown();
}
END_TEST

/* ---- realloc ---- */

START_TEST(one_grows_and_shrinks_in_its_block)
{
	static const size_t sizes[] = {
		65536, 33000, 32769, 20000, 65536, 1, 0, 65535,
	};
	unsigned char *p;
	size_t used, held;

	setup();
	p = filled(region, 40000, 7);
	used = acre_region_used(region);
	held = acre_region_held(region);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		ck_assert_ptr_eq(acre_realloc(region, p, ACRE_SIZE_UNKNOWN,
			sizes[i]), p);
		ck_assert_uint_eq(acre_region_used(region), used);
		ck_assert_uint_eq(acre_region_held(region), held);
	}
	assert_filled(p, 40000, 7);
	teardown();
}
END_TEST

START_TEST(one_that_outgrows_its_block_moves_and_leaves_nothing)
{
	unsigned char *p, *q;

	setup();
	p = filled(region, 64 * KIB, 8);
	q = acre_realloc(region, p, 64 * KIB, 64 * KIB + 1);
	ck_assert_ptr_nonnull(q);
	ck_assert_ptr_ne(q, p);
	assert_filled(q, 64 * KIB, 8);
	ck_assert_uint_eq(acre_region_held(region), PAGE + 128 * KIB);
	assert_held(PAGE + 128 * KIB);
	q = acre_realloc(region, q, 64 * KIB + 1, 3 * MIB);
	assert_filled(q, 64 * KIB, 8);
	ck_assert_uint_eq(acre_region_held(region), PAGE + 3 * MIB);
	ck_assert_uint_eq(acre_region_used(region), 2 * RECORD + 3 * MIB);
	assert_held(PAGE + 3 * MIB);
	teardown();
}
END_TEST

START_TEST(a_small_object_becomes_a_large_one)
{
	unsigned char *p, *q;

	setup();
	p = filled(region, 100, 9);
	q = acre_realloc(region, p, 100, 64 * KIB);
	assert_filled(q, 100, 9);
	ck_assert_uint_eq(acre_region_held(region), PAGE + 64 * KIB);
	acre_free(region, q, 64 * KIB);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	teardown();
}
END_TEST

START_TEST(one_from_the_source_is_resized_there)
{
	unsigned char *p;
	size_t calls;

	setup_over_resizing_source();
	p = filled(region, MIB, 10);
	calls = source.calls;
	p = acre_realloc(region, p, MIB, 2 * MIB + 5);
	ck_assert_ptr_nonnull(p);
	assert_filled(p, MIB, 10);
	ck_assert_uint_eq(source.calls, calls);
	ck_assert_uint_eq(source.resizes, 1);
	ck_assert_uint_eq(source.last_size, 2 * MIB + 16);
	ck_assert_uint_eq(source.last_old_size, MIB);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 2 * MIB + 16);
	ck_assert_uint_eq(acre_region_held(region), PAGE + 2 * MIB + 16);
	/* A little less is left as it is, half of it goes back. */
	ck_assert_ptr_eq(acre_realloc(region, p, 0, MIB + 100), p);
	ck_assert_uint_eq(source.resizes, 1);
	p = acre_realloc(region, p, 0, MIB - 1);
	assert_filled(p, MIB - 1, 10);
	ck_assert_uint_eq(source.resizes, 2);
	ck_assert_uint_eq(stats_of(pool).large_bytes, MIB);
	ck_assert_uint_eq(acre_region_held(region), PAGE + MIB);
	/* What a block could hold stays too. */
	ck_assert_ptr_eq(acre_realloc(region, p, 0, 1000), p);
	ck_assert_uint_eq(source.resizes, 2);
	ck_assert_uint_eq(stats_of(pool).large_bytes, MIB);
	assert_held(PAGE + MIB);
	teardown_over_source();
}
END_TEST

/* Of an object that has grown to 128 KiB. */
static size_t
bytes_from_source(void)
{
	char *p = acre_alloc(region, 64 * KIB);

	memset(p, 7, 64 * KIB);
	p = acre_realloc(region, p, 64 * KIB, 128 * KIB);
	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < 64 * KIB; i++)
		ck_assert_int_eq(p[i], 7);
	return stats_of(pool).large_bytes;
}

START_TEST(an_object_that_grows_moves_to_where_it_can_grow)
{
	setup_over_resizing_source();
	ck_assert_uint_eq(bytes_from_source(), 128 * KIB);
	teardown_over_source();
}
END_TEST

START_TEST(but_not_in_vain_or_against_a_limit)
{
	setup_over_source(0);
	ck_assert_uint_eq(bytes_from_source(), 0);
	teardown_over_source();
	setup_with((acre_pool_options){.max_bytes = 4 * MIB});
	ck_assert_uint_eq(bytes_from_source(), 0);
	teardown();
}
END_TEST

START_TEST(a_source_without_reallocate_is_done_without)
{
	unsigned char *p;

	setup_over_source(0);
	p = filled(region, MIB, 11);
	p = acre_realloc(region, p, MIB, 3 * MIB);
	assert_filled(p, MIB, 11);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 3 * MIB);
	ck_assert_uint_eq(source.live, 2); /* a chunk, and this */
	ck_assert_ptr_eq(acre_realloc(region, p, 0, MIB), p);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 3 * MIB);
	assert_held(PAGE + 3 * MIB);
	teardown_over_source();
}
END_TEST

/* The bytes before an aligned object are not part of it. */
START_TEST(an_aligned_one_keeps_its_contents)
{
	setup_over_resizing_source();
	for (size_t size = 20 * KIB; size <= 5 * MIB; size *= 4) {
		unsigned char *p = acre_alloc_aligned(region, size, 64 * KIB);

		memset(p, 12, size);
		p = acre_realloc(region, p, size, 3 * size);
		ck_assert_ptr_nonnull(p);
		assert_filled(p, size, 12);
		memset(p, 13, 3 * size);
		p = acre_realloc(region, p, 3 * size, size);
		assert_filled(p, size, 13);
		acre_free(region, p, size);
		assert_held(PAGE);
	}
	teardown_over_source();
}
END_TEST

/* ---- failures ---- */

START_TEST(a_failing_source_leaves_all_as_it_was)
{
	unsigned char *block, *big;
	size_t used, held;

	setup_over_resizing_source();
	block = filled(region, 512 * KIB, 1);
	big = filled(region, MIB, 2);
	used = acre_region_used(region);
	held = acre_region_held(region);
	source.fail_at = 1;
	for (int way = 0; way < 4; way++) {
		void *p = NULL;

		errno = 0;
		switch (way) {
		case 0:
			p = acre_alloc(region, 2 * MIB);
			break;
		case 1:
			p = acre_realloc(region, block, 512 * KIB, MIB);
			break;
		case 2:
			p = acre_realloc(region, big, MIB, 2 * MIB);
			break;
		case 3:
			p = acre_alloc_aligned(region, MIB, MIB);
			break;
		}
		ck_assert_ptr_null(p);
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_uint_eq(acre_region_used(region), used);
		ck_assert_uint_eq(acre_region_held(region), held);
		assert_held(held);
	}
	ck_assert(acre_region_failed(region));
	assert_filled(block, 512 * KIB, 1);
	assert_filled(big, MIB, 2);
	/* Shrinking may fail too: then it stays. */
	ck_assert_ptr_eq(acre_realloc(region, big, MIB, 513 * KIB), big);
	teardown_over_source();
}
END_TEST

/* The memory is there, a page for its record is not. */
START_TEST(one_whose_record_finds_no_room_goes_back)
{
	for (size_t size = 64 * KIB; size <= 2 * MIB; size *= 32) {
		size_t live;

		setup_over_source(0);
		acre_region_close(region);
		region = open_with((acre_region_options){
			.max_bytes = PAGE + size});
		fill_block(region);
		live = source.live;
		errno = 0;
		ck_assert_ptr_null(acre_alloc(region, size));
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert(acre_region_failed(region));
		ck_assert_uint_eq(acre_region_held(region), PAGE);
		ck_assert_uint_eq(source.live, live);
		assert_held(PAGE);
		teardown_over_source();
	}
}
END_TEST

START_TEST(what_cannot_be_never_reaches_the_source)
{
	static const size_t sizes[] = {
		PTRDIFF_MAX - 14, PTRDIFF_MAX, SIZE_MAX - 4096, SIZE_MAX - 16,
		SIZE_MAX - 15, SIZE_MAX,
	};
	unsigned char *p;
	size_t calls;

	setup_over_resizing_source();
	p = filled(region, MIB, 1);
	calls = source.calls;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		volatile size_t size = sizes[i];

		errno = 0;
		ck_assert_ptr_null(acre_alloc(region, size));
		ck_assert_int_eq(errno, ENOMEM);
		errno = 0;
		ck_assert_ptr_null(acre_realloc(region, p, MIB, size));
		ck_assert_int_eq(errno, ENOMEM);
	}
	ck_assert_uint_eq(source.calls, calls);
	ck_assert_uint_eq(source.resizes, 0);
	assert_filled(p, MIB, 1);
	teardown_over_source();
}
END_TEST

/* With what is before an aligned one, a size may wrap to one that can be. */
START_TEST(sizes_of_aligned_ones_do_not_wrap)
{
	volatile size_t size;
	unsigned char *p;

	setup_over_resizing_source();
	source.alignment = 2 * MIB;
	source.shift = 16;
	p = acre_alloc_aligned(region, MIB, 2 * MIB);
	ck_assert_ptr_nonnull(p);
	memset(p, 1, MIB);
	size = 600 * KIB - (2 * MIB - 16);
	errno = 0;
	ck_assert_ptr_null(acre_realloc(region, p, MIB, size));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(source.resizes, 0);
	assert_filled(p, MIB, 1);
	acre_free(region, p, MIB);
	source.shift = 0;
	teardown_over_source();
}
END_TEST

/* ---- limits ---- */

START_TEST(the_pools_limit_counts_large_ones_to_the_byte)
{
	unsigned char *p;

	setup_over_source(4 * MIB); /* a chunk of 1 MiB is out */
	errno = 0;
	ck_assert_ptr_null(acre_alloc(region, 3 * MIB + 1));
	ck_assert_int_eq(errno, ENOMEM);
	p = filled(region, 3 * MIB, 1);
	ck_assert_ptr_null(acre_alloc(region, 600 * KIB));
	acre_free(region, p, 3 * MIB);
	ck_assert_ptr_nonnull(acre_alloc(region, 3 * MIB));
	teardown_over_source();
}
END_TEST

START_TEST(the_regions_limit_counts_large_ones_to_the_byte)
{
	static const size_t sizes[] = {64 * KIB, 2 * MIB};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		unsigned char *p;

		setup();
		acre_region_close(region);
		region = open_with((acre_region_options){
			.max_bytes = PAGE + sizes[i]});
		errno = 0;
		ck_assert_ptr_null(acre_alloc(region, sizes[i] + 1));
		ck_assert_int_eq(errno, ENOMEM);
		p = filled(region, sizes[i], 1);
		ck_assert_ptr_null(acre_alloc(region, 10 * KIB));
		ck_assert_ptr_null(acre_realloc(region, p, sizes[i],
			sizes[i] + 16));
		assert_filled(p, sizes[i], 1);
		acre_free(region, p, sizes[i]);
		ck_assert_ptr_nonnull(acre_alloc(region, sizes[i]));
		teardown();
	}
}
END_TEST

/* What goes back to the source leaves the limit at once. */
START_TEST(the_regions_limit_lets_large_ones_shrink)
{
	unsigned char *p;

	setup_over_resizing_source();
	acre_region_close(region);
	region = open_with((acre_region_options){.max_bytes = PAGE + 4 * MIB});
	p = filled(region, 4 * MIB, 1);
	p = acre_realloc(region, p, 4 * MIB, MIB);
	assert_filled(p, MIB, 1);
	ck_assert_uint_eq(acre_region_held(region), PAGE + MIB);
	ck_assert_ptr_null(acre_realloc(region, p, MIB, 4 * MIB + 1));
	p = acre_realloc(region, p, MIB, 4 * MIB);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(acre_region_held(region), PAGE + 4 * MIB);
	assert_filled(p, MIB, 1);
	teardown_over_source();
}
END_TEST

static struct {
	int calls;
	size_t size;
	acre_region *other;
	unsigned char *victim;
} handler;

/* Frees a large object of the same thread's other region. */
static int
make_room(acre_pool *which, size_t size, void *userdata)
{
	ck_assert_ptr_eq(which, pool);
	ck_assert_ptr_null(userdata);
	handler.calls++;
	handler.size = size;
	if (!handler.victim)
		return 0;
	acre_free(handler.other, handler.victim, ACRE_SIZE_UNKNOWN);
	handler.victim = NULL;
	return 1;
}

START_TEST(the_handler_can_make_room_for_a_large_one)
{
	static const size_t sizes[] = {MIB + 1, 512 * KIB};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t size = sizes[i];
		acre_region *other;

		handler.calls = 0;
		pool = pool_with((acre_pool_options){.max_bytes = 2 * MIB + 16,
			.chunk_size = MIB, .on_limit = make_room});
		other = acre_region_open(pool);
		handler.other = other;
		region = acre_region_open(pool);
		handler.victim = filled(other, size, 1);
		if (size == 512 * KIB)
			filled(other, MIB + 1, 2);
		ck_assert_int_eq(handler.calls, 0);
		filled(region, size, 3);
		ck_assert_int_eq(handler.calls, 1);
		ck_assert_uint_eq(handler.size, ALIGN_UP(size));
		/* It has no more. */
		errno = 0;
		ck_assert_ptr_null(acre_alloc(region, size));
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_int_eq(handler.calls, 2);
		acre_region_close(other);
		teardown();
	}
}
END_TEST

/* A source that asks this thread to wait for another, and gives it nothing. */
static _Thread_local bool is_refused;
static _Atomic(bool) is_asked, another_asks;

static void *
refuse_this_thread(void *userdata, size_t size)
{
	if (!is_refused)
		return test_source_allocate(userdata, size);
	store_release(&is_asked, true);
	while (!load_acquire(&another_asks))
		sched_yield();
	for (int i = 0; i < 1000; i++)
		sched_yield();
	return NULL;
}

static void *
ask_in_vain(void *unused)
{
	acre_region *r = acre_region_open(pool);

	(void)unused;
	is_refused = true;
	ck_assert_ptr_null(acre_alloc(r, 5 * MIB));
	ck_assert_int_eq(errno, ENOMEM);
	acre_region_close(r);
	return NULL;
}

START_TEST(nobody_is_refused_for_what_comes_to_nothing)
{
	pthread_t in_vain;

	source = (struct test_source){.alignment = PAGE};
	test_source_init(&source);
	source.allocator.allocate = refuse_this_thread;
	setup_with((acre_pool_options){.source = &source.allocator,
		.max_bytes = 8 * MIB});
	ck_assert_int_eq(pthread_create(&in_vain, NULL, ask_in_vain, NULL),
		0);
	while (!load_acquire(&is_asked))
		sched_yield();
	store_release(&another_asks, true);
	filled(region, 5 * MIB, 1);
	pthread_join(in_vain, NULL);
	teardown_over_source();
}
END_TEST

SUITE("large", each_size_gets_its_block_or_the_source,
	what_is_not_larger_than_a_quarter_block_is_not_large,
	what_fits_where_the_region_stands_is_not_large,
	chunks_of_a_page_have_blocks_of_a_page,
	free_gives_a_block_back_at_once,
	free_gives_the_sources_memory_back_at_once, each_goes_alone,
	an_aligned_one_can_be_freed, a_million_do_not_make_the_region_grow,
	as_many_records_as_were_needed_at_once, close_and_reset_give_all_back,
	requests_with_64_kib_ask_the_source_no_more,
	one_grows_and_shrinks_in_its_block,
	one_that_outgrows_its_block_moves_and_leaves_nothing,
	a_small_object_becomes_a_large_one,
	one_from_the_source_is_resized_there,
	an_object_that_grows_moves_to_where_it_can_grow,
	but_not_in_vain_or_against_a_limit,
	a_source_without_reallocate_is_done_without,
	an_aligned_one_keeps_its_contents,
	a_failing_source_leaves_all_as_it_was,
	one_whose_record_finds_no_room_goes_back,
	what_cannot_be_never_reaches_the_source,
	sizes_of_aligned_ones_do_not_wrap,
	the_pools_limit_counts_large_ones_to_the_byte,
	the_regions_limit_counts_large_ones_to_the_byte,
	the_regions_limit_lets_large_ones_shrink,
	the_handler_can_make_room_for_a_large_one,
	nobody_is_refused_for_what_comes_to_nothing)
