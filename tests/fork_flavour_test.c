/* SPDX-License-Identifier: MIT */
/*
 * fork_flavour_test.c - forks, where readers use a flavour of their own: built
 * once for each, as FLAVOUR. The flavour cannot forget the reader that the
 * child does not have, so nobody waits for it there.
 */
#include <urcu/flavor.h>

#include "tests/forks.h"

extern const struct rcu_flavor_struct FLAVOUR;

static acre_pool *pool;
static acre_region *region;
static int cleanups;
static sem_t entered, leave;

static void *
read_for_long(void *unused)
{
	FLAVOUR.register_thread();
	FLAVOUR.thread_online();
	FLAVOUR.read_lock();
	sem_post(&entered);
	wait_for(&leave);
	acre_reader_leaves(&FLAVOUR);
	FLAVOUR.read_unlock();
	FLAVOUR.unregister_thread();
	return unused;
}

static pthread_t
set_up(void)
{
	acre_pool_options options = {.rcu = &FLAVOUR};
	pthread_t reader;

	pool = pool_with(options);
	must_retire(pool); /* the helper has begun, and calls no malloc */
	region = must_open(pool, 3);
	sem_init(&entered, 0, 0);
	sem_init(&leave, 0, 0);
	ck_assert_int_eq(
		pthread_create(&reader, NULL, read_for_long, NULL), 0);
	wait_for(&entered);
	return reader;
}

static void
tear_down(pthread_t reader)
{
	sem_post(&leave);
	pthread_join(reader, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	sem_destroy(&entered);
	sem_destroy(&leave);
}

static void
be_refused(void *unused)
{
	acre_stats s = stats_of(pool);

	(void)unused;
	must(acre_region_retire(region) == ENOTSUP);
	must(acre_pool_barrier(pool) == ENOTSUP);
	must(stats_of(pool).regions_retired == s.regions_retired);
	must(acre_alloc(region, 100000) != NULL);
	must(acre_cleanup_add(region, acre_cleanup_free, NULL) == 0);
	must_open_and_close(pool);
	must_balance(pool);
}

/* Until the region is closed, its pool is not ended. */
static void
go_on_and_destroy(void *unused)
{
	be_refused(unused);
	must(acre_pool_destroy(pool) == EBUSY);
	acre_region_close(region);
	must_balance(pool);
	must(acre_pool_destroy(pool) == 0);
}

static void
work_anew(void *unused)
{
	(void)unused;
	must_work_anew(&FLAVOUR);
	must_work_anew(NULL);
}

START_TEST(a_child_is_refused_and_its_region_stays_usable)
{
	pthread_t reader = set_up();

	in_child(go_on_and_destroy, NULL);
	ck_assert_int_eq(acre_region_retire(region), 0);
	in_child(work_anew, NULL);
	tear_down(reader);
}
END_TEST

static void
fork_again(void *unused)
{
	be_refused(unused);
	must_in_child(go_on_and_destroy, NULL);
	go_on_and_destroy(NULL);
}

START_TEST(so_is_a_childs_child)
{
	pthread_t reader = set_up();

	in_child(fork_again, NULL);
	acre_region_close(region);
	tear_down(reader);
}
END_TEST

static void
count(void *unused)
{
	(void)unused;
	cleanups++;
}

static void
destroy_with_limbo(void *unused)
{
	(void)unused;
	must(cleanups == 0);
	must(stats_of(pool).limbo_bytes > 0);
	must_open_and_close(pool);
	must(acre_pool_barrier(pool) == ENOTSUP);
	must(acre_pool_destroy(pool) == 0);
	must(cleanups == 1);
}

/* The reader holds it there, in the parent; in the child there is none. */
START_TEST(a_child_ends_a_pool_with_regions_in_limbo)
{
	pthread_t reader = set_up();

	ck_assert_int_eq(acre_cleanup_add(region, count, NULL), 0);
	ck_assert_int_eq(acre_region_retire(region), 0);
	for (int i = 0; i < 3; i++)
		in_child(destroy_with_limbo, NULL);
	ck_assert_int_eq(cleanups, 0);
	tear_down(reader);
	ck_assert_int_eq(cleanups, 1);
}
END_TEST

static void
retire_for_the_first_time(void *unused)
{
	acre_pool_options options = {.rcu = &FLAVOUR};

	(void)unused;
	FLAVOUR.thread_offline();
	pool = acre_pool_create(&options);
	must(pool != NULL);
	must_work(pool);
	must(acre_pool_destroy(pool) == 0);
}

/* As a server does that goes into the background. */
START_TEST(a_child_of_a_process_without_pools_is_refused_nothing)
{
	in_child(retire_for_the_first_time, NULL);
	retire_for_the_first_time(NULL);
}
END_TEST

SUITE("fork_flavour", a_child_is_refused_and_its_region_stays_usable,
	so_is_a_childs_child, a_child_ends_a_pool_with_regions_in_limbo,
	a_child_of_a_process_without_pools_is_refused_nothing)
