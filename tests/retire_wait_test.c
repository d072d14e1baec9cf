/* SPDX-License-Identifier: MIT */
/* retire_wait_test.c - barrier and destroy wait for every region in limbo. */
#include <pthread.h>

#include "lib/pool.h"
#include "tests/limbo.h"
#include "tests/source.h"

static int
in_section(int (*action)(acre_pool *))
{
	int result;

	rcu_enter();
	result = action(pool);
	rcu_leave();
	return result;
}

START_TEST(nothing_waits_inside_a_section)
{
	struct retired r;

	setup((acre_pool_options){0});
	ck_assert_int_eq(in_section(acre_pool_barrier), EDEADLK);
	ck_assert_int_eq(in_section(acre_pool_destroy), EDEADLK);
	rcu_enter();
	ck_assert_int_eq(retire_page(&r), 0);
	rcu_leave();
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(r.ends, 1);
	teardown();
}
END_TEST

START_TEST(a_barrier_waits_for_other_threads_regions)
{
	struct retired theirs;

	setup((acre_pool_options){0});
	for (int i = 0; i < 50; i++) {
		actor_do(&reader, retire_page_of, &theirs);
		ck_assert_int_eq(answers[0], 0);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
		ck_assert_int_eq(theirs.ends, 1);
	}
	teardown();
}
END_TEST

/* Or it would take the one that an ended thread has left. */
static void
give_helper_a_cache(void)
{
	struct retired r;

	ck_assert_int_eq(retire_page(&r), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
}

/* The helper waits for the reader with a region of ours, so that the one that
 * another thread retires stays in its bag beyond that thread's end. */
START_TEST(bags_of_ended_threads_are_not_forgotten)
{
	struct actor other;
	struct retired ours, theirs;

	setup((acre_pool_options){0});
	give_helper_a_cache();
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&ours), 0);
	await_taken(pool);
	actor_start(&other);
	actor_do(&other, retire_page_of, &theirs);
	actor_end(&other);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, 2 * PAGE);
	assert_balanced(pool);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(ours.ends, 1);
	ck_assert_int_eq(theirs.ends, 1);
	teardown();
}
END_TEST

/* The next thread gets the cache, and its bag, of one that has ended; it finds
 * the bag full, so it asks nobody to empty it. */
START_TEST(a_bag_with_a_new_owner_is_emptied_without_a_barrier)
{
	struct retired r[3];

	setup((acre_pool_options){0});
	give_helper_a_cache();
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r[0]), 0);
	await_taken(pool);
	for (int i = 1; i < 3; i++) {
		struct actor other;

		actor_start(&other);
		actor_do(&other, retire_page_of, &r[i]);
		actor_end(&other);
		ck_assert_int_eq(answers[0], 0);
	}
	actor_do(&reader, leave, NULL);
	for (int i = 0; i < 3; i++)
		await_end(&r[i]);
	teardown();
}
END_TEST

static void *
retire_many(void *ends)
{
	for (int i = 0; i < 500; i++) {
		acre_region *region = acre_region_open(pool);

		for (int n = 0; n < i % 9; n++)
			acre_alloc(region, 3000);
		acre_cleanup_add(region, retired_count_end, ends);
		if (acre_region_retire(region))
			abort();
	}
	return NULL;
}

START_TEST(none_is_lost_of_many_threads_regions)
{
	struct retired sum = {0};
	pthread_t threads[4];

	setup((acre_pool_options){.cache_bytes = 16 * PAGE,
		.limbo_bytes = 1 << 20});
	for (int round = 1; round <= 5; round++) {
		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, retire_many, &sum);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
		ck_assert_int_eq(sum.ends, round * 2000);
		ck_assert_uint_eq(stats_of(pool).limbo_bytes, 0);
		assert_balanced(pool);
	}
	ck_assert_uint_eq(stats_of(pool).regions_retired, 10000);
	teardown();
}
END_TEST

/* Every page of a pool that may not grow, again and again, each time as soon
 * as a barrier need not wait. */
START_TEST(memory_is_back_when_a_barrier_says_so)
{
	enum { PAGES = 64 };
	struct test_source source = {.alignment = PAGE};
	acre_region *regions[PAGES];

	setup((acre_pool_options){.source = test_source_init(&source),
		.chunk_size = PAGES * PAGE, .max_bytes = PAGES * PAGE,
		.cache_bytes = 8 * PAGES * PAGE});
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < PAGES; i++) {
			regions[i] = open_page(pool);
			ck_assert_ptr_nonnull(regions[i]);
		}
		for (int i = 0; i < PAGES; i++)
			ck_assert_int_eq(acre_region_retire(regions[i]), 0);
		while (pool_has_limbo(pool))
			if (round % 2)
				sched_yield();
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
	}
	teardown();
}
END_TEST

static void
destroy(void *unused)
{
	(void)unused;
	answers[0] = acre_pool_destroy(pool);
}

START_TEST(destroy_waits_for_readers)
{
	struct test_source source = {0};
	struct actor destroyer;
	struct retired r;

	setup((acre_pool_options){.source = test_source_init(&source)});
	actor_start(&destroyer);
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r), 0);
	await_taken(pool);
	actor_begin(&destroyer, destroy, NULL);
	for (int i = 0; i < 200; i++) {
		actor_do(&reader, retired_look, &r);
		ck_assert(r.intact);
		ck_assert_int_eq(load_acquire(&r.ends), 0);
		ck_assert_uint_gt(source.live, 0);
	}
	actor_do(&reader, leave, NULL);
	actor_await(&destroyer);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(r.ends, 1);
	ck_assert_uint_eq(source.live, 0);
	actor_end(&destroyer);
	actor_end(&reader);
}
END_TEST

START_TEST(pools_may_end_while_others_retire)
{
	struct retired sum = {0};
	pthread_t thread;

	setup((acre_pool_options){0});
	pthread_create(&thread, NULL, retire_many, &sum);
	for (int i = 0; i < 200; i++) {
		acre_pool *short_lived = pool_with((acre_pool_options){0});
		struct retired r;

		retired_fill(&r, acre_region_open(short_lived));
		ck_assert_int_eq(acre_region_retire(r.region), 0);
		ck_assert_int_eq(acre_pool_destroy(short_lived), 0);
		ck_assert_int_eq(r.ends, 1);
	}
	pthread_join(thread, NULL);
	teardown();
}
END_TEST

static void
use(void *shared)
{
	acre_region_close(acre_region_open(shared));
}

/* A thread that used a pool may exit while it is destroyed, and while the
 * helper looks at all pools. */
START_TEST(threads_may_exit_while_their_pool_ends)
{
	setup((acre_pool_options){0});
	for (int i = 0; i < 300; i++) {
		acre_pool *short_lived = pool_with((acre_pool_options){0});
		struct actor user;
		struct retired r;

		actor_start(&user);
		actor_do(&user, use, short_lived);
		ck_assert_int_eq(retire_page(&r), 0);
		pthread_mutex_lock(&user.lock);
		user.ended = true;
		pthread_cond_broadcast(&user.changed);
		pthread_mutex_unlock(&user.lock);
		ck_assert_int_eq(acre_pool_destroy(short_lived), 0);
		pthread_join(user.thread, NULL);
		await_end(&r);
	}
	teardown();
}
END_TEST

SUITE("retire_wait", nothing_waits_inside_a_section,
	a_barrier_waits_for_other_threads_regions,
	bags_of_ended_threads_are_not_forgotten,
	a_bag_with_a_new_owner_is_emptied_without_a_barrier,
	none_is_lost_of_many_threads_regions,
	memory_is_back_when_a_barrier_says_so, destroy_waits_for_readers,
	pools_may_end_while_others_retire,
	threads_may_exit_while_their_pool_ends)
