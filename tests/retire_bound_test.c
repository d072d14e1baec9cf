/* SPDX-License-Identifier: MIT */
/* retire_bound_test.c - limbo has a bound, and what is in it comes back bit by
 * bit. */
#include "tests/limbo.h"

/* ---- the bound ---- */

/* Retire regions of a page, a reader being inside, until it is refused; the
 * one that was refused is still open. */
static int
fill_limbo(struct retired *retired, int most)
{
	int count = 0;

	while (count < most) {
		int error = retire_page(&retired[count]);

		if (error) {
			ck_assert_int_eq(error, EAGAIN);
			break;
		}
		count++;
	}
	return count;
}

START_TEST(inside_a_section_a_full_limbo_refuses)
{
	enum { MOST = 12 };
	struct retired r[MOST];
	acre_region *child;
	acre_stats s;

	setup((acre_pool_options){.limbo_bytes = 10 * PAGE});
	rcu_enter();
	ck_assert_int_eq(fill_limbo(r, MOST), 10);
	s = stats_of(pool);
	ck_assert_uint_eq(s.limbo_bytes, 10 * PAGE);
	ck_assert_uint_eq(s.region_bytes, PAGE);
	ck_assert_uint_eq(s.regions_retired, 10);
	ck_assert_uint_eq(s.regions_open, 1);
	assert_balanced(pool);
	/* All is as it was: it can be read, allocated in, given children. */
	retired_look(&r[10]);
	ck_assert(r[10].intact);
	ck_assert_ptr_nonnull(acre_alloc(r[10].region, 100));
	child = open_child(r[10].region);
	ck_assert_ptr_nonnull(child);
	ck_assert_int_eq(acre_region_retire(r[10].region), EAGAIN);
	ck_assert_int_eq(acre_region_retire(child), EAGAIN);
	ck_assert_int_eq(r[10].ends, 0);
	rcu_leave();
	ck_assert_int_eq(acre_region_retire(r[10].region), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	for (int i = 0; i <= 10; i++)
		ck_assert_int_eq(r[i].ends, 1);
	ck_assert_uint_eq(stats_of(pool).regions_closed, 1);
	teardown();
}
END_TEST

START_TEST(a_nonblocking_pool_refuses_and_the_region_can_be_closed)
{
	enum { MOST = 12 };
	struct retired r[MOST];

	setup((acre_pool_options){.limbo_bytes = 10 * PAGE,
		.flags = ACRE_NONBLOCKING});
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(fill_limbo(r, MOST), 10);
	ck_assert_ptr_nonnull(acre_alloc(r[10].region, 100));
	acre_region_close(r[10].region);
	ck_assert_int_eq(r[10].ends, 1);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(fill_limbo(r, 5), 5);
	teardown();
}
END_TEST

static _Atomic(int) retiring, reader_left;

static void
retire_refused(void *refused)
{
	store_release(&retiring, 1);
	retire_it(refused);
	answers[1] = load_acquire(&reader_left);
}

START_TEST(outside_a_section_a_full_limbo_makes_wait)
{
	enum { MOST = 5 };
	struct retired r[MOST];
	struct actor waiter;

	setup((acre_pool_options){.limbo_bytes = 4 * PAGE});
	actor_start(&waiter);
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(fill_limbo(r, 4), 4);
	retired_fill(&r[4], open_page(pool));
	actor_begin(&waiter, retire_refused, &r[4]);
	while (!load_acquire(&retiring))
		sched_yield();
	for (int i = 0; i < 200; i++) {
		actor_do(&reader, retired_look, &r[i % 4]);
		ck_assert(r[i % 4].intact);
		ck_assert_uint_le(stats_of(pool).limbo_bytes, 4 * PAGE);
		ck_assert_uint_eq(stats_of(pool).regions_retired, 4);
	}
	store_release(&reader_left, 1);
	actor_do(&reader, leave, NULL);
	actor_await(&waiter);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(answers[1], 1);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	for (int i = 0; i < MOST; i++)
		ck_assert_int_eq(r[i].ends, 1);
	actor_end(&waiter);
	teardown();
}
END_TEST

static acre_region *
open_of_pages(int pages)
{
	acre_region *region = acre_region_open(pool);

	while (acre_region_held(region) < (size_t)pages * PAGE)
		acre_alloc(region, 2000);
	return region;
}

START_TEST(a_region_larger_than_the_bound_waits_alone)
{
	acre_region *large;
	struct retired r;

	setup((acre_pool_options){.limbo_bytes = 4 * PAGE});
	rcu_enter();
	ck_assert_int_eq(retire_page(&r), 0);
	large = open_of_pages(30);
	/* Not with another. */
	ck_assert_int_eq(acre_region_retire(large), EAGAIN);
	rcu_leave();
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	rcu_enter();
	ck_assert_int_eq(acre_region_retire(large), 0);
	ck_assert_uint_ge(stats_of(pool).limbo_bytes, 30 * PAGE);
	/* And no other with it. */
	retired_fill(&r, open_page(pool));
	ck_assert_int_eq(acre_region_retire(r.region), EAGAIN);
	rcu_leave();
	ck_assert_int_eq(acre_region_retire(r.region), 0);
	assert_balanced(pool);
	teardown();
}
END_TEST

START_TEST(children_count_against_the_bound)
{
	struct retired r;

	setup((acre_pool_options){.limbo_bytes = 4 * PAGE,
		.flags = ACRE_NONBLOCKING});
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r), 0);
	retired_fill(&r, open_page(pool));
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(acre_region_open_with(pool,
			&(acre_region_options){
				.parent = r.region, .max_bytes = PAGE}));
	ck_assert_int_eq(acre_region_retire(r.region), EAGAIN);
	acre_region_close(r.region);
	actor_do(&reader, leave, NULL);
	teardown();
}
END_TEST

/* What a thread has reserved of limbo and not used is not in anybody's way
 * when nothing is there. */
START_TEST(another_threads_allowance_does_not_shut_a_region_out)
{
	size_t bound = 256 * PAGE;
	struct retired small, large;

	setup((acre_pool_options){.limbo_bytes = bound,
		.flags = ACRE_NONBLOCKING});
	actor_do(&reader, retire_page_of, &small);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	retired_fill(&large, acre_region_open_with(pool,
		&(acre_region_options){.max_bytes = bound}));
	ck_assert_ptr_nonnull(acre_alloc(large.region, bound - PAGE));
	ck_assert_uint_eq(acre_region_held(large.region), bound);
	ck_assert_int_eq(acre_region_retire(large.region), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	teardown();
}
END_TEST

/* One region each of so many threads that live on: the allowances must leave
 * room for more. */
START_TEST(many_threads_allowances_leave_room)
{
	enum { THREADS = 70 };
	static struct actor actors[THREADS];
	struct retired r, other;

	setup((acre_pool_options){.limbo_bytes = 512 * PAGE,
		.flags = ACRE_NONBLOCKING});
	for (int i = 0; i < THREADS; i++) {
		actor_start(&actors[i]);
		actor_do(&actors[i], retire_page_of, &other);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
	}
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r), 0);
	for (int i = 0; i < 128; i++)
		ck_assert_int_eq(retire_page(&other), 0);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, 129 * PAGE);
	actor_do(&reader, leave, NULL);
	for (int i = 0; i < THREADS; i++)
		actor_end(&actors[i]);
	teardown();
}
END_TEST

/* ---- the way back ---- */

enum { PORTIONS = 16, PORTION_PAGES = 256 /* 1 MiB */ };

/* At each one's end: what is in limbo, and what is free. */
static size_t left_at[PORTIONS * PORTION_PAGES];
static size_t free_at[PORTIONS * PORTION_PAGES];
static size_t ended;

static void
note_what_is_left(void *unused)
{
	acre_stats s = stats_of(pool);

	(void)unused;
	left_at[ended] = s.limbo_bytes;
	free_at[ended++] = s.free_bytes;
}

/* When a region ends, those before it have left and can be used, but for the
 * last portion. */
START_TEST(limbo_comes_back_in_portions)
{
	size_t all = PORTIONS * PORTION_PAGES;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	for (size_t i = 0; i < all; i++) {
		acre_region *r = open_page(pool);

		ck_assert_int_eq(
			acre_cleanup_add(r, note_what_is_left, NULL), 0);
		ck_assert_int_eq(acre_region_retire(r), 0);
	}
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, all * PAGE);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_uint_eq(ended, all);
	for (size_t i = 0; i < all; i++) {
		ck_assert_uint_le(left_at[i],
			(all - i + PORTION_PAGES) * PAGE);
		ck_assert_uint_ge(left_at[i], (all - i) * PAGE);
		if (i > PORTION_PAGES)
			ck_assert_uint_ge(free_at[i],
				(i - PORTION_PAGES) * PAGE);
	}
	teardown();
}
END_TEST

SUITE("retire_bound", inside_a_section_a_full_limbo_refuses,
	a_nonblocking_pool_refuses_and_the_region_can_be_closed,
	outside_a_section_a_full_limbo_makes_wait,
	a_region_larger_than_the_bound_waits_alone,
	children_count_against_the_bound,
	another_threads_allowance_does_not_shut_a_region_out,
	many_threads_allowances_leave_room, limbo_comes_back_in_portions)
