/* SPDX-License-Identifier: MIT */
/*
 * retire_flavour_test.h - retired regions wait for the readers of one flavour.
 *
 * In liburcu 0.13 the first flavour's header hides the others', so there is
 * one program for each: it includes its flavour's header, with URCU_API_MAP,
 * then this. Readers are threads that are registered; while they do not read
 * they are offline, which means nothing but to qsbr.
 */
#ifndef ACRE_TESTS_RETIRE_FLAVOUR_TEST_H
#define ACRE_TESTS_RETIRE_FLAVOUR_TEST_H

#include "tests/actor.h"
#include "tests/retired.h"
#include "tests/suite.h"

#define PAGE 4096

static acre_pool *pool;
static struct actor reader;
static struct retired *published;

/* ---- what readers do ---- */

static void
begin(void *unused)
{
	(void)unused;
	rcu_register_thread();
	rcu_thread_offline();
}

static void
end(void *unused)
{
	(void)unused;
	rcu_thread_online();
	rcu_unregister_thread();
}

static void
enter(void *unused)
{
	(void)unused;
	rcu_thread_online();
	rcu_read_lock();
}

static void
leave(void *unused)
{
	(void)unused;
	acre_reader_leaves(&rcu_flavor);
	rcu_read_unlock();
	rcu_thread_offline();
}

/* A reader's pointer comes from the section that it is in. */
static struct retired *found;

static void
find(void *unused)
{
	(void)unused;
	found = rcu_dereference(published);
}

static void
look(void *unused)
{
	(void)unused;
	retired_look(found);
}

/* ---- around a test ---- */

static void
setup(size_t limbo_bytes)
{
	pool = pool_with((acre_pool_options){
		.rcu = &rcu_flavor, .limbo_bytes = limbo_bytes});
	actor_start(&reader);
	actor_do(&reader, begin, NULL);
}

static void
teardown(void)
{
	actor_do(&reader, end, NULL);
	actor_end(&reader);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	assert_balanced(pool);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

static acre_region *
open_page(acre_pool *from)
{
	return acre_region_open_with(from,
		&(acre_region_options){.max_bytes = PAGE});
}

static void
publish(struct retired *retired)
{
	retired_fill(retired, open_page(pool));
	rcu_assign_pointer(published, retired);
}

/* Unlink, and retire. */
static void
replace(struct retired *by)
{
	struct retired *old = published;

	rcu_assign_pointer(published, by);
	ck_assert_int_eq(acre_region_retire(old->region), 0);
}

/* Nothing ends, whatever others do with their memory, while it is read. */
static void
assert_waits_for_reader(const struct retired *retired)
{
	await_taken(pool);
	for (int i = 0; i < 200; i++) {
		use_memory(pool);
		actor_do(&reader, look, NULL);
		ck_assert(retired->intact);
		ck_assert_int_eq(load_acquire(&retired->ends), 0);
		ck_assert_uint_eq(stats_of(pool).limbo_bytes, PAGE);
	}
}

/* ---- tests ---- */

START_TEST(objects_stay_while_a_registered_thread_reads)
{
	struct retired r[3];

	setup(0);
	publish(&r[0]);
	for (int i = 0; i < 2; i++) {
		actor_do(&reader, enter, NULL);
		actor_do(&reader, find, NULL);
		ck_assert_ptr_eq(found, &r[i]);
		retired_fill(&r[i + 1], open_page(pool));
		replace(&r[i + 1]);
		assert_waits_for_reader(&r[i]);
		actor_do(&reader, leave, NULL);
		await_end(&r[i]);
	}
	replace(NULL);
	await_end(&r[2]);
	teardown();
}
END_TEST

/* Sections nest; qsbr has none. */
static void
enter_and_leave_inside(void *unused)
{
	(void)unused;
	rcu_read_lock();
	acre_reader_leaves(&rcu_flavor);
	rcu_read_unlock();
}

START_TEST(an_inner_section_ends_nothing)
{
	struct retired r;

	setup(0);
	publish(&r);
	actor_do(&reader, enter, NULL);
	actor_do(&reader, find, NULL);
	replace(NULL);
	actor_do(&reader, enter_and_leave_inside, NULL);
	assert_waits_for_reader(&r);
	actor_do(&reader, leave, NULL);
	await_end(&r);
	teardown();
}
END_TEST

/* A registered thread that does not read delays nobody. */
START_TEST(nobody_waits_for_who_does_not_read)
{
	struct retired r;

	setup(0);
	for (int i = 0; i < 20; i++) {
		publish(&r);
		replace(NULL);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
		ck_assert_int_eq(r.ends, 1);
	}
	teardown();
}
END_TEST

/* ---- calls inside a section ---- */

static int answers[5];
static acre_region *refused;

static void
call_inside(void *unused)
{
	(void)unused;
	enter(NULL);
	answers[0] = acre_pool_barrier(pool);
	answers[1] = acre_pool_destroy(pool);
	for (answers[2] = 0; answers[2] < 10; answers[2]++) {
		refused = open_page(pool);
		answers[3] = acre_region_retire(refused);
		if (answers[3])
			break;
	}
	leave(NULL);
	answers[4] = acre_region_retire(refused);
}

START_TEST(inside_a_section_no_call_waits)
{
	setup(4 * PAGE);
	actor_do(&reader, call_inside, NULL);
	ck_assert_int_eq(answers[0], EDEADLK);
	ck_assert_int_eq(answers[1], EDEADLK);
	ck_assert_int_eq(answers[2], 4);
	ck_assert_int_eq(answers[3], EAGAIN);
	ck_assert_int_eq(answers[4], 0);
	teardown();
}
END_TEST

/* A tick waits for the readers of all pools: who is inside a section of this
 * flavour must not wait for another flavour's pool either. */
static void
call_others_inside(void *others)
{
	enter(NULL);
	answers[0] = acre_region_retire(open_page(pool));
	answers[1] = acre_region_retire(open_page(others));
	answers[2] = acre_pool_barrier(others);
	answers[3] = acre_pool_destroy(others);
	leave(NULL);
	answers[4] = acre_pool_barrier(others);
}

START_TEST(inside_a_section_no_call_waits_for_other_pools)
{
	acre_pool *others = pool_with((acre_pool_options){0});

	setup(0);
	actor_do(&reader, call_others_inside, others);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(answers[1], 0);
	ck_assert_int_eq(answers[2], EDEADLK);
	ck_assert_int_eq(answers[3], EDEADLK);
	ck_assert_int_eq(answers[4], 0);
	ck_assert_int_eq(acre_pool_destroy(others), 0);
	teardown();
}
END_TEST

#define FLAVOUR_TESTS                                \
	objects_stay_while_a_registered_thread_reads, \
	an_inner_section_ends_nothing,                \
	nobody_waits_for_who_does_not_read,           \
	inside_a_section_no_call_waits,               \
	inside_a_section_no_call_waits_for_other_pools

#endif
