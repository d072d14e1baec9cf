/* SPDX-License-Identifier: MIT */
/* scope_cxx_test.cc - in C++ a scope is closed by an exception, too. */
#include "tests/suite.h"

static acre_pool *pool;
static int cleanups;

static void
count(void *)
{
	cleanups++;
}

static void
assert_closed(int expected)
{
	ck_assert_uint_eq(stats_of(pool).regions_open, 0);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_int_eq(cleanups, expected);
}

static void
begin()
{
	cleanups = 0;
	pool = acre_pool_create(NULL);
	ck_assert_ptr_nonnull(pool);
}

static void
end()
{
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

static void
throw_out(int depth)
{
	ACRE_SCOPE(r, pool) {
		ck_assert_int_eq(acre_cleanup_add(r, count, NULL), 0);
		ck_assert_ptr_nonnull(acre_alloc(r, 10000));
		if (depth == 0)
			throw 42;
		throw_out(depth - 1);
	}
}

START_TEST(an_exception_closes_every_scope_it_leaves)
{
	int caught = 0;

	begin();
	try {
		throw_out(5);
	} catch (int number) {
		caught = number;
	}
	ck_assert_int_eq(caught, 42);
	assert_closed(6);
	end();
}
END_TEST

START_TEST(an_exception_inside_leaves_the_scope_open)
{
	begin();
	ACRE_SCOPE(r, pool) {
		ck_assert_int_eq(acre_cleanup_add(r, count, NULL), 0);
		try {
			throw 1;
		} catch (int) {
			ck_assert_uint_eq(stats_of(pool).regions_open, 1);
		}
		ck_assert_int_eq(cleanups, 0);
	}
	assert_closed(1);
	end();
}
END_TEST

START_TEST(an_exception_closes_what_is_named)
{
	begin();
	try {
		acre_autoclose acre_region *r = acre_region_open(pool);

		ck_assert_int_eq(acre_cleanup_add(r, count, NULL), 0);
		throw 1;
	} catch (int) {
	}
	assert_closed(1);
	end();
}
END_TEST

struct counted {
	~counted() { cleanups++; }
};

static int
return_out()
{
	ACRE_SCOPE(r, pool) {
		counted object;

		return acre_new(r, int) != NULL;
	}
	return 0;
}

START_TEST(return_break_and_continue_close)
{
	begin();
	ck_assert_int_eq(return_out(), 1);
	assert_closed(1);
	for (int i = 0; i < 2; i++) {
		ACRE_SCOPE(r, pool) {
			ck_assert_ptr_nonnull(acre_alloc(r, 1));
			if (i)
				break;
			continue;
		}
		assert_closed(1);
	}
	end();
}
END_TEST

SUITE("scope_cxx", an_exception_closes_every_scope_it_leaves,
	an_exception_inside_leaves_the_scope_open,
	an_exception_closes_what_is_named, return_break_and_continue_close)
