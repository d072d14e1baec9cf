/* SPDX-License-Identifier: MIT */
/* grace_test.c - the numbers promise no grace period that has not been. */
#include "lib/grace.h"

#include <pthread.h>

#include "lib/atomic.h"
#include "lib/rcu.h"
#include "tests/suite.h"

START_TEST(one_period_serves_what_came_before_it)
{
	uint64_t needed = grace_needed();
	uint64_t before = grace_count();

	ck_assert(!grace_elapsed(needed));
	grace_begin(), grace_end();
	ck_assert(grace_elapsed(needed));
	ck_assert_uint_eq(grace_count(), before + 1);
}
END_TEST

START_TEST(what_comes_after_a_period_needs_another)
{
	uint64_t needed;

	grace_begin(), grace_end();
	needed = grace_needed();
	ck_assert(!grace_elapsed(needed));
	grace_begin(), grace_end();
	ck_assert(grace_elapsed(needed));
}
END_TEST

/* A reader in a section, and a grace period that must wait for it. */
static _Atomic(int) reading, may_leave, period_over;

static void *
reader(void *unused)
{
	(void)unused;
	rcu_enter();
	store_release(&reading, 1);
	while (!load_acquire(&may_leave))
		;
	rcu_leave();
	return NULL;
}

static void *
period(void *unused)
{
	(void)unused;
	grace_begin(), grace_end();
	store_release(&period_over, 1);
	return NULL;
}

START_TEST(what_comes_during_a_period_needs_the_next)
{
	uint64_t before, during;
	pthread_t readers, periods;

	ck_assert_int_eq(pthread_create(&readers, NULL, reader, NULL), 0);
	while (!load_acquire(&reading))
		;
	before = grace_needed();
	ck_assert_int_eq(pthread_create(&periods, NULL, period, NULL), 0);
	/* The period has begun once a later need is larger. */
	while ((during = grace_needed()) == before)
		;
	ck_assert(!grace_elapsed(before));
	ck_assert_int_eq(load_acquire(&period_over), 0);
	store_release(&may_leave, 1);
	pthread_join(periods, NULL);
	pthread_join(readers, NULL);
	ck_assert(grace_elapsed(before));
	ck_assert(!grace_elapsed(during));
	grace_begin(), grace_end();
	ck_assert(grace_elapsed(during));
}
END_TEST

SUITE("grace", one_period_serves_what_came_before_it,
	what_comes_after_a_period_needs_another,
	what_comes_during_a_period_needs_the_next)
