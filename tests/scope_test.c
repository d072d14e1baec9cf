/* SPDX-License-Identifier: MIT */
/* scope_test.c - a scope's region is closed on every way out. */
#include "tests/fixture.h"

static void
assert_open(size_t regions)
{
	ck_assert_uint_eq(stats_of(pool).regions_open, 1 + regions);
	assert_balanced(pool);
}

START_TEST(a_scope_runs_once_and_closes)
{
	int runs = 0;

	setup();
	ACRE_SCOPE(r, pool) {
		filled(r, 9000, 1);
		assert_open(1);
		runs++;
	}
	ck_assert_int_eq(runs, 1);
	assert_open(0);
	teardown();
}
END_TEST

START_TEST(break_and_continue_leave_the_scope)
{
	int runs = 0;

	setup();
	for (int i = 0; i < 4; i++) {
		ACRE_SCOPE(r, pool) {
			filled(r, 100, 1);
			runs++;
			if (i % 2)
				break;
			if (runs)
				continue;
			ck_abort();
		}
		assert_open(0);
	}
	ck_assert_int_eq(runs, 4);
	teardown();
}
END_TEST

static int
return_from_scope(void)
{
	ACRE_SCOPE(r, pool) {
		int *number = acre_new(r, int);

		*number = 42;
		return *number;
	}
	return -1;
}

START_TEST(return_closes)
{
	setup();
	ck_assert_int_eq(return_from_scope(), 42);
	assert_open(0);
	teardown();
}
END_TEST

START_TEST(goto_closes)
{
	setup();
	ACRE_SCOPE(r, pool) {
		filled(r, 100, 1);
		goto out;
	}
	ck_abort();
out:
	assert_open(0);
	teardown();
}
END_TEST

START_TEST(scopes_nest)
{
	setup();
	ACRE_SCOPE(outer, pool) {
		unsigned char *p = filled(outer, 100, 1);

		for (int i = 0; i < 3; i++) {
			ACRE_SCOPE(inner, pool) {
				filled(inner, 100, 2);
				assert_open(2);
				if (i == 1)
					break;
			}
			assert_open(1);
		}
		assert_filled(p, 100, 1);
	}
	assert_open(0);
	teardown();
}
END_TEST

START_TEST(a_scope_is_a_statement)
{
	int runs = 0;

	setup();
	if (runs)
		ACRE_SCOPE(r, pool)
			ck_abort();
	else
		ACRE_SCOPE(r, pool)
			runs++;
	ck_assert_int_eq(runs, 1);
	assert_open(0);
	teardown();
}
END_TEST

START_TEST(a_scope_that_cannot_open_is_not_entered)
{
	int entered = 0;

	setup_with((acre_pool_options){
		.chunk_size = 2 * PAGE, .max_bytes = 2 * PAGE});
	while (acre_alloc(region, 4000))
		;
	errno = 0;
	ACRE_SCOPE(r, pool)
		entered = 1;
	ck_assert_int_eq(entered, 0);
	ck_assert_int_eq(errno, ENOMEM);
	assert_open(0);
	errno = 0;
	ACRE_SCOPE(r, NULL)
		entered = 1;
	ck_assert_int_eq(entered, 0);
	ck_assert_int_eq(errno, EINVAL);
	teardown();
}
END_TEST

/* Cleanups run on the way out, with the scope's objects there. */
static unsigned char *looked_at;

static void
look(void *arg)
{
	assert_filled(arg, 100, 7);
	looked_at = arg;
}

START_TEST(cleanups_run_at_the_end_of_the_scope)
{
	unsigned char *p = NULL;

	setup();
	looked_at = NULL;
	ACRE_SCOPE(r, pool) {
		p = filled(r, 100, 7);
		acre_cleanup_add(r, look, p);
		ck_assert_ptr_null(looked_at);
	}
	ck_assert_ptr_eq(looked_at, p);
	teardown();
}
END_TEST

static acre_region *
keep(int all)
{
	acre_autoclose acre_region *one = acre_region_open(pool);
	acre_autoclose acre_region *two = acre_region_open(pool);
	acre_region *kept = one;

	filled(two, 100, 1);
	if (!all)
		return NULL;
	one = NULL;
	return kept;
}

START_TEST(autoclose_closes_what_is_not_handed_on)
{
	acre_region *kept;

	setup();
	ck_assert_ptr_null(keep(0));
	assert_open(0);
	kept = keep(1);
	assert_open(1);
	filled(kept, 100, 1);
	acre_region_close(kept);
	teardown();
}
END_TEST

SUITE("scope", a_scope_runs_once_and_closes,
	break_and_continue_leave_the_scope, return_closes, goto_closes,
	scopes_nest, a_scope_is_a_statement,
	a_scope_that_cannot_open_is_not_entered,
	cleanups_run_at_the_end_of_the_scope,
	autoclose_closes_what_is_not_handed_on)
