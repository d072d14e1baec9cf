/* SPDX-License-Identifier: MIT */
/*
 * retire_qsbr_test.c - retired regions wait for readers of flavour qsbr.
 *
 * A thread of this flavour reads whenever it is online, and says now and then
 * that it holds nothing: no section says so for it.
 */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "tests/retire_flavour_test.h"

static void
go_online(void *unused)
{
	(void)unused;
	rcu_thread_online();
}

static void
go_offline(void *unused)
{
	(void)unused;
	acre_reader_leaves(&rcu_flavor);
	rcu_thread_offline();
}

static void
be_quiescent_until_the_end(void *retired)
{
	while (!load_acquire(&((struct retired *)retired)->ends)) {
		acre_reader_leaves(&rcu_flavor);
		rcu_quiescent_state();
	}
}

START_TEST(being_online_is_reading)
{
	struct retired r;

	setup(0);
	publish(&r);
	actor_do(&reader, go_online, NULL);
	actor_do(&reader, find, NULL);
	replace(NULL);
	assert_waits_for_reader(&r);
	actor_do(&reader, go_offline, NULL);
	await_end(&r);
	teardown();
}
END_TEST

START_TEST(quiescent_states_let_regions_end)
{
	struct retired r;

	setup(0);
	publish(&r);
	actor_do(&reader, go_online, NULL);
	actor_do(&reader, find, NULL);
	replace(NULL);
	assert_waits_for_reader(&r);
	actor_do(&reader, be_quiescent_until_the_end, &r);
	actor_do(&reader, go_offline, NULL);
	teardown();
}
END_TEST

static void
call_online(void *unused)
{
	(void)unused;
	rcu_thread_online();
	answers[0] = acre_pool_barrier(pool);
	answers[1] = acre_pool_destroy(pool);
	rcu_quiescent_state();
	answers[2] = acre_pool_barrier(pool);
	rcu_thread_offline();
	answers[3] = acre_pool_barrier(pool);
}

START_TEST(who_is_online_may_not_wait)
{
	setup(0);
	ck_assert_int_eq(acre_region_retire(open_page(pool)), 0);
	actor_do(&reader, call_online, NULL);
	ck_assert_int_eq(answers[0], EDEADLK);
	ck_assert_int_eq(answers[1], EDEADLK);
	ck_assert_int_eq(answers[2], EDEADLK);
	ck_assert_int_eq(answers[3], 0);
	teardown();
}
END_TEST

SUITE("retire, qsbr", FLAVOUR_TESTS, being_online_is_reading,
	quiescent_states_let_regions_end, who_is_online_may_not_wait)
