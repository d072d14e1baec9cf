/* SPDX-License-Identifier: MIT */
/* text_test.c - strings in a region, also where a page ends. */
#include <stdio.h>
#include <string.h>

#include "tests/suite.h"

static acre_pool *pool;
static acre_region *region;

static void
setup(void)
{
	pool = pool_with((acre_pool_options){0});
	region = acre_region_open(pool);
	ck_assert_ptr_nonnull(region);
}

static void
teardown(void)
{
	acre_region_close(region);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

START_TEST(strdup_copies)
{
	char original[] = "a string";
	char *copy;

	setup();
	copy = acre_strdup(region, original);
	original[0] = 'x';
	ck_assert_str_eq(copy, "a string");
	ck_assert_str_eq(acre_strdup(region, ""), "");
	teardown();
}
END_TEST

START_TEST(strdup_of_more_than_a_page_fails_and_changes_nothing)
{
	static char large[8192];
	char *before;

	setup();
	memset(large, 'x', sizeof(large) - 1);
	before = acre_strdup(region, "before");
	errno = 0;
	ck_assert_ptr_null(acre_strdup(region, large));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_str_eq(before, "before");
	ck_assert_str_eq(acre_strdup(region, "after"), "after");
	teardown();
}
END_TEST

START_TEST(asprintf_prints_the_same_as_snprintf_at_every_length)
{
	char expected[3000], *text, *previous = NULL;

	setup();
	for (int width = 0; width < 2900; width++) {
		snprintf(expected, sizeof(expected), "%d:%*s", width, width,
			"");
		text = acre_asprintf(region, "%d:%*s", width, width, "");
		ck_assert_ptr_nonnull(text);
		ck_assert_str_eq(text, expected);
		ck_assert_uint_eq((uintptr_t)text % ACRE_ALIGN, 0);
		/* The one before was not written over. */
		if (previous)
			ck_assert_int_eq(atoi(previous), width - 1);
		previous = text;
	}
	teardown();
}
END_TEST

START_TEST(asprintf_that_just_fits_takes_no_page)
{
	acre_stats before, after;
	size_t room;
	char *text;

	setup();
	room = region->limit - region->top;
	before = stats_of(pool);
	text = acre_asprintf(region, "%*s", (int)room - 1, "");
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(region->top, region->limit);
	after = stats_of(pool);
	ck_assert_uint_eq(before.pages_taken, after.pages_taken);
	/* One byte more does not fit. */
	text = acre_asprintf(region, "%s", "");
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(stats_of(pool).pages_taken, after.pages_taken + 1);
	teardown();
}
END_TEST

START_TEST(asprintf_too_large_fails_and_changes_nothing)
{
	uintptr_t top;

	setup();
	top = region->top;
	errno = 0;
	ck_assert_ptr_null(acre_asprintf(region, "%*s", 5000, ""));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(region->top, top);
	ck_assert_str_eq(acre_asprintf(region, "%d", 7), "7");
	teardown();
}
END_TEST

START_TEST(asprintf_hands_on_what_vsnprintf_says)
{
	/* Together longer than an int can say; not constants, so that the
	 * compiler does not see it. */
	volatile int width = 2000000000;

	setup();
	errno = 0;
	ck_assert_ptr_null(acre_asprintf(region, "%*s%*s", width, "", width,
		""));
	ck_assert_int_eq(errno, EOVERFLOW);
	teardown();
}
END_TEST

SUITE("text", strdup_copies,
	strdup_of_more_than_a_page_fails_and_changes_nothing,
	asprintf_prints_the_same_as_snprintf_at_every_length,
	asprintf_that_just_fits_takes_no_page,
	asprintf_too_large_fails_and_changes_nothing,
	asprintf_hands_on_what_vsnprintf_says)
