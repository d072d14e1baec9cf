/* SPDX-License-Identifier: MIT */
/* learn_test.c - typical regions soon open with one block that fits, and the
 * few large ones among small ones cost nothing. */
#include "lib/region.h"

#include "tests/fixture.h"

/* What this thread would open a region with, if it is at hand. */
static size_t
learned(void)
{
	return region_home(region_of(region))->open_bin->size;
}

/* n regions of so many bytes, one after the other; blocks for each. */
static double
serve(int n, size_t bytes)
{
	acre_stats before = stats_of(pool), after;

	for (int i = 0; i < n; i++) {
		acre_region *request = acre_region_open(pool);

		for (size_t done = 0; done < bytes; done += 256)
			filled(request, 256, i);
		acre_region_close(request);
	}
	after = stats_of(pool);
	return (double)(after.pages_taken - before.pages_taken) / n;
}

/* Bytes in a request, and the block that it should open with. */
static const size_t fitting[][2] = {
	{0, PAGE},
	{100, PAGE},
	{3 * KIB, PAGE},
	{6 * KIB, 2 * PAGE},
	{10 * KIB, 4 * PAGE},
	{25 * KIB, 8 * PAGE},
	{500 * KIB, 8 * PAGE}, /* and no more than that */
};

START_TEST(typical_regions_soon_open_with_one_block)
{
	for (size_t i = 0; i < COUNT(fitting); i++) {
		setup();
		serve(1000, fitting[i][0]);
		ck_assert_uint_eq(learned(), fitting[i][1]);
		if (fitting[i][0] < 30 * KIB)
			ck_assert(serve(1000, fitting[i][0]) == 1.0);
		ck_assert_uint_eq(learned(), fitting[i][1]);
		teardown();
	}
}
END_TEST

/* No region sooner, and none later. The first of them leaves blocks of all
 * sizes in the cache: where there are none, the thread would look whether
 * smaller ones do. */
START_TEST(each_64_that_outgrow_theirs_open_with_the_next)
{
	int served = 1;

	setup();
	for (size_t pages = 1; pages <= 8; pages *= 2)
		filled(region, (pages - 1) * PAGE + 3 * KIB, 1);
	acre_region_reset(region);
	for (size_t pages = 1; pages < 8; pages *= 2) {
		serve(63 - served, 40 * KIB);
		ck_assert_uint_eq(learned(), pages * PAGE);
		serve(1, 40 * KIB);
		ck_assert_uint_eq(learned(), 2 * pages * PAGE);
		served = 0;
	}
	teardown();
}
END_TEST

/* Also where a batch is a block or two, so that one chain of the cache's is
 * often empty. */
START_TEST(small_caches_serve_them_as_well)
{
	for (size_t pages = 16; pages <= 128; pages *= 2) {
		setup_with((acre_pool_options){.cache_bytes = pages * PAGE});
		serve(1000, 6 * KIB);
		ck_assert_uint_eq(learned(), 2 * PAGE);
		ck_assert(serve(1000, 6 * KIB) == 1.0);
		teardown();
	}
}
END_TEST

START_TEST(a_small_one_now_and_then_does_not_hold_it_up)
{
	setup();
	for (int i = 0; i < 100; i++) {
		serve(1, 100);
		serve(15, 6 * KIB);
	}
	ck_assert_uint_eq(learned(), 2 * PAGE);
	teardown();
}
END_TEST

/* ---- what they grow by ---- */

/* A first growth's block, in a region that opened with the largest. */
static size_t
first_growth(void)
{
	acre_region *request = acre_region_open(pool);
	size_t held = acre_region_held(request), grown;

	fill_block(request);
	filled(request, 1, 1);
	grown = acre_region_held(request) - held;
	acre_region_close(request);
	return grown;
}

/* Bytes in a request, and the block that it should grow by at first. */
static const size_t growing[][2] = {
	{100 * KIB, 32 * KIB},
	{200 * KIB, 32 * KIB},
	{300 * KIB, 64 * KIB},
	{600 * KIB, 128 * KIB},
	{MIB, 256 * KIB},
	{5 * MIB / 4, 256 * KIB},
};

START_TEST(large_regions_soon_grow_by_large_blocks)
{
	for (size_t i = 0; i < COUNT(growing); i++) {
		setup();
		serve(300, growing[i][0]);
		ck_assert_uint_eq(first_growth(), growing[i][1]);
		serve(300, growing[i][0]);
		ck_assert_uint_eq(first_growth(), growing[i][1]);
		teardown();
	}
}
END_TEST

/* Of each eight so many large ones; whichever 64 are a window, an eighth of it
 * is eight. */
static void
serve_mixed(int large)
{
	for (int i = 0; i < 40; i++) {
		serve(large, 600 * KIB);
		serve(8 - large, 60 * KIB);
	}
}

START_TEST(seven_of_eight_that_are_large_are_enough_and_half_to_stay)
{
	setup();
	serve(300, 60 * KIB);
	serve_mixed(6);
	ck_assert_uint_eq(first_growth(), 32 * KIB);
	serve_mixed(7);
	ck_assert_uint_eq(first_growth(), 128 * KIB);
	serve_mixed(4);
	ck_assert_uint_eq(first_growth(), 128 * KIB);
	serve_mixed(3);
	ck_assert_uint_eq(first_growth(), 32 * KIB);
	teardown();
}
END_TEST

START_TEST(threads_whose_regions_shrink_go_back_to_smaller_blocks)
{
	setup();
	serve(400, 600 * KIB);
	ck_assert_uint_eq(first_growth(), 128 * KIB);
	serve(100, 60 * KIB);
	ck_assert_uint_eq(first_growth(), 32 * KIB);
	teardown();
}
END_TEST

START_TEST(a_few_that_are_huge_do_not_make_others_grow_by_more)
{
	setup();
	serve(300, 60 * KIB);
	for (int i = 0; i < 100; i++) {
		serve(1, 600 * KIB);
		serve(3, 60 * KIB);
		ck_assert_uint_eq(first_growth(), 32 * KIB);
	}
	teardown();
}
END_TEST

/* As for first blocks, a region counts once, whatever becomes of it. */
START_TEST(huge_resets_do_not_make_others_grow_by_more)
{
	acre_mark mark = {0};

	setup();
	serve(300, 60 * KIB);
	for (int i = 0; i < 300; i++) {
		serve(1, 60 * KIB);
		for (int j = 0; j < 200; j++)
			filled(region, 3000, j);
		if (i % 2)
			acre_region_rewind(region, mark);
		else
			acre_region_reset(region);
		mark = acre_region_mark(region);
		ck_assert_uint_eq(first_growth(), 32 * KIB);
	}
	teardown();
}
END_TEST

START_TEST(half_and_half_moves_nothing)
{
	setup();
	for (int i = 0; i < 1000; i++) {
		serve(1, 100);
		serve(1, 6 * KIB);
		ck_assert_uint_eq(learned(), PAGE);
	}
	teardown();
}
END_TEST

START_TEST(a_few_large_ones_among_many_small_move_nothing)
{
	setup();
	for (int i = 0; i < 1000; i++) {
		serve(1, 10 * KIB);
		serve(2, 100);
		ck_assert_uint_eq(learned(), PAGE);
	}
	teardown();
}
END_TEST

/* A new window begins with each decision: small ones of long ago do not
 * count. */
START_TEST(what_was_typical_long_ago_is_forgotten)
{
	setup();
	serve(1000, 0);
	serve(1000, 6 * KIB);
	ck_assert_uint_eq(learned(), 2 * PAGE);
	teardown();
}
END_TEST

/* With hundreds open, bins are empty time and again, and it is tried whether
 * less will do: such tries count neither way. */
START_TEST(hundreds_that_are_large_learn_as_well)
{
	enum { OPEN = 400 };
	static acre_region *regions[OPEN];

	setup();
	for (int i = 0; i < OPEN; i++) {
		regions[i] = acre_region_open(pool);
		for (size_t done = 0; done < 40 * KIB; done += KIB)
			filled(regions[i], KIB, i);
	}
	ck_assert_uint_eq(learned(), 8 * PAGE);
	for (int i = 0; i < OPEN; i++)
		acre_region_close(regions[i]);
	teardown();
}
END_TEST

/* With thousands open, regions that need a page get a page each. */
START_TEST(thousands_that_are_small_go_back_to_small_blocks)
{
	enum { OPEN = 5000 };
	static acre_region *regions[OPEN];
	size_t held = 0;

	setup();
	serve(1000, 25 * KIB);
	ck_assert_uint_eq(learned(), 8 * PAGE);
	for (int i = 0; i < OPEN; i++) {
		regions[i] = acre_region_open(pool);
		filled(regions[i], 100, i);
		held += acre_region_held(regions[i]);
	}
	ck_assert_uint_eq(acre_region_held(regions[OPEN - 1]), PAGE);
	ck_assert_uint_lt(held, 2 * PAGE * OPEN);
	for (int i = 0; i < OPEN; i++)
		acre_region_close(regions[i]);
	ck_assert_uint_eq(learned(), PAGE);
	teardown();
}
END_TEST

/* Those that need their block keep it, however many are open. */
START_TEST(thousands_that_are_large_stay_with_large_blocks)
{
	enum { OPEN = 2000 };
	static acre_region *regions[OPEN];
	size_t large = 0;

	setup();
	serve(1000, 10 * KIB);
	ck_assert_uint_eq(learned(), 4 * PAGE);
	for (int i = 0; i < OPEN; i++) {
		regions[i] = acre_region_open(pool);
		large += acre_region_held(regions[i]) == 4 * PAGE;
		for (int j = 0; j < 40; j++)
			filled(regions[i], 256, j);
	}
	/* Few are opened smaller, to see. */
	ck_assert_uint_gt(large, OPEN / 10 * 9);
	for (int i = 0; i < OPEN; i++)
		acre_region_close(regions[i]);
	ck_assert_uint_eq(learned(), 4 * PAGE);
	teardown();
}
END_TEST

/* A cache of two pages has no blocks to open with. */
START_TEST(tiny_caches_stay_at_a_page)
{
	setup_with((acre_pool_options){.cache_bytes = 2 * PAGE});
	serve(1000, 10 * KIB);
	ck_assert_uint_eq(learned(), PAGE);
	teardown();
}
END_TEST

START_TEST(small_chunks_have_no_blocks_to_open_with)
{
	setup_with((acre_pool_options){.chunk_size = PAGE});
	serve(1000, 10 * KIB);
	ck_assert_uint_eq(learned(), PAGE);
	teardown();
}
END_TEST

START_TEST(a_region_with_a_limit_opens_with_a_page)
{
	acre_region *limited;

	setup();
	serve(1000, 25 * KIB);
	limited = open_with((acre_region_options){.max_bytes = PAGE});
	ck_assert_uint_eq(acre_region_held(limited), PAGE);
	acre_region_close(limited);
	/* Without a limit, a child is as any other. */
	serve(1, 0);
	limited = open_child(region);
	ck_assert_uint_eq(acre_region_held(limited), 8 * PAGE);
	acre_region_close(limited);
	teardown();
}
END_TEST

/* They open smaller than the thread's others, whatever it has learned. */
START_TEST(limited_ones_that_outgrow_their_page_move_nothing)
{
	setup();
	serve(1000, 6 * KIB);
	for (int i = 0; i < 1000; i++) {
		acre_region *r = open_with((acre_region_options){
			.max_bytes = 10 * PAGE});

		filled(r, 3000, 1);
		filled(r, 3000, 1);
		acre_region_close(r);
		ck_assert_uint_eq(learned(), 2 * PAGE);
	}
	teardown();
}
END_TEST

START_TEST(buffers_that_were_too_small_move_nothing)
{
	static char buffer[1024];

	setup();
	for (int i = 0; i < 1000; i++) {
		acre_region *r = open_with((acre_region_options){
			.buffer = buffer, .buffer_size = sizeof(buffer)});

		filled(r, 2000, 1);
		filled(r, 2000, 1);
		acre_region_close(r);
	}
	ck_assert_uint_eq(learned(), PAGE);
	teardown();
}
END_TEST

/* One region that grows by many blocks, reset or not, is one region. */
START_TEST(a_region_that_is_reset_counts_once)
{
	setup();
	for (int i = 0; i < 1000; i++) {
		for (int j = 0; j < 20; j++)
			filled(region, 256, j);
		acre_region_reset(region);
	}
	ck_assert_uint_eq(learned(), PAGE);
	teardown();
}
END_TEST

static void *
open_here(void *held)
{
	acre_region *fresh = acre_region_open(pool);

	*(size_t *)held = acre_region_held(fresh);
	acre_region_close(fresh);
	return NULL;
}

START_TEST(each_thread_learns_for_itself)
{
	size_t held;

	setup();
	serve(1000, 10 * KIB);
	on_thread(open_here, &held);
	ck_assert_uint_eq(held, PAGE);
	ck_assert_uint_eq(learned(), 4 * PAGE);
	teardown();
}
END_TEST

struct lesson {
	int empty; /* regions, before the others */
	int regions;
	size_t bytes, learned;
};

static void *
learn_here(void *argument)
{
	struct lesson *lesson = argument;

	serve(lesson->empty, 0);
	serve(lesson->regions, lesson->bytes);
	lesson->learned = cache_of(pool)->open_bin->size;
	return NULL;
}

/* Each gets the cache of the one before, and begins a window of its own,
 * whatever that one has opened. */
START_TEST(threads_that_come_after_others_learn_as_soon)
{
	struct lesson lessons[] = {
		{1000, 200, 6 * KIB, 2 * PAGE},
		{0, 40, 10 * KIB, 2 * PAGE},
		{0, 50, 10 * KIB, 2 * PAGE},
		{0, 100, 10 * KIB, 4 * PAGE},
	};

	setup();
	for (size_t i = 0; i < COUNT(lessons); i++) {
		size_t expected = lessons[i].learned;

		on_thread(learn_here, &lessons[i]);
		ck_assert_uint_eq(lessons[i].learned, expected);
	}
	teardown();
}
END_TEST

/* Without a block of the learned size, a page is enough to open. */
START_TEST(at_the_limit_a_page_is_enough)
{
	acre_region *hog;
	int opened = 0;

	setup_with((acre_pool_options){.chunk_size = 64 * PAGE,
		.max_bytes = 64 * PAGE});
	serve(1000, 25 * KIB);
	hog = acre_region_open(pool);
	while (acre_alloc(hog, 4000))
		;
	acre_region_close(region);
	region = NULL;
	while (opened < 1 && (region = acre_region_open(pool)))
		opened++;
	ck_assert_ptr_nonnull(region);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	acre_region_close(hog);
	teardown();
}
END_TEST

/* Where there is no block of the next size, the first that would have to wait
 * for a refill, and not a later one. */
START_TEST(who_has_learned_tries_at_once_whether_less_will_do)
{
	acre_region *request;

	setup();
	serve(64, 6 * KIB);
	ck_assert_uint_eq(learned(), 2 * PAGE);
	acre_thread_flush(pool);
	request = acre_region_open(pool);
	ck_assert_uint_eq(acre_region_held(request), PAGE);
	acre_region_close(request);
	/* Also when it has tried often, and goes on to larger ones. */
	serve(100, 6 * KIB);
	for (int i = 0; i < 200 && learned() < 4 * PAGE; i++)
		serve(1, 10 * KIB);
	ck_assert_uint_eq(learned(), 4 * PAGE);
	acre_thread_flush(pool);
	request = acre_region_open(pool);
	ck_assert_uint_eq(acre_region_held(request), 2 * PAGE);
	acre_region_close(request);
	teardown();
}
END_TEST

SUITE("learn", typical_regions_soon_open_with_one_block,
	each_64_that_outgrow_theirs_open_with_the_next,
	small_caches_serve_them_as_well,
	a_small_one_now_and_then_does_not_hold_it_up,
	large_regions_soon_grow_by_large_blocks,
	seven_of_eight_that_are_large_are_enough_and_half_to_stay,
	threads_whose_regions_shrink_go_back_to_smaller_blocks,
	a_few_that_are_huge_do_not_make_others_grow_by_more,
	huge_resets_do_not_make_others_grow_by_more,
	half_and_half_moves_nothing,
	a_few_large_ones_among_many_small_move_nothing,
	what_was_typical_long_ago_is_forgotten,
	hundreds_that_are_large_learn_as_well,
	thousands_that_are_small_go_back_to_small_blocks,
	thousands_that_are_large_stay_with_large_blocks,
	tiny_caches_stay_at_a_page,
	small_chunks_have_no_blocks_to_open_with,
	a_region_with_a_limit_opens_with_a_page,
	limited_ones_that_outgrow_their_page_move_nothing,
	buffers_that_were_too_small_move_nothing,
	a_region_that_is_reset_counts_once, each_thread_learns_for_itself,
	threads_that_come_after_others_learn_as_soon,
	who_has_learned_tries_at_once_whether_less_will_do,
	at_the_limit_a_page_is_enough)
