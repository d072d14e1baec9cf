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
	pool = pool_with((acre_pool_options){.chunk_size = 1 << 20,
		.max_bytes = 16 << 20});
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

START_TEST(strndup_copies_no_more_than_it_may)
{
	static const char text[4] = {'a', 'b', 'c', 'd'}; /* no end */

	setup();
	ck_assert_str_eq(acre_strndup(region, text, 4), "abcd");
	ck_assert_str_eq(acre_strndup(region, text, 2), "ab");
	ck_assert_str_eq(acre_strndup(region, text, 0), "");
	ck_assert_str_eq(acre_strndup(region, "short", 100), "short");
	teardown();
}
END_TEST

START_TEST(strings_are_packed_without_padding)
{
	char *first, *second;

	setup();
	first = acre_strdup(region, "four");
	for (int i = 0; i < 600; i++) {
		second = acre_strdup(region, "four");
		ck_assert_ptr_eq(second, first - 5);
		ck_assert_uint_eq(region->limit % ACRE_ALIGN, 0);
		first = second;
	}
	ck_assert_uint_eq(acre_region_used(region), 601 * 5);
	teardown();
}
END_TEST

START_TEST(strings_and_objects_do_not_meet)
{
	char *objects[300], *strings[300];

	setup();
	for (int i = 0; i < 300; i++) {
		objects[i] = memset(acre_alloc(region, 33), 'o', 33);
		strings[i] = acre_strdup(region, "a string of 24 letters..");
	}
	for (int i = 0; i < 300; i++) {
		for (int j = 0; j < 33; j++)
			ck_assert_int_eq(objects[i][j], 'o');
		ck_assert_str_eq(strings[i], "a string of 24 letters..");
	}
	teardown();
}
END_TEST

START_TEST(strdup_that_fails_changes_nothing)
{
	static char large[17 << 20];
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
	ck_assert_ptr_null(acre_asprintf(region, "%*s", 17 << 20, ""));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(region->top, top);
	ck_assert_str_eq(acre_asprintf(region, "%d", 7), "7");
	teardown();
}
END_TEST

/* Longer than an int can say, and what is no character. Not constants, so that
 * the compiler does not see it. */
static const struct {
	const char *format;
	int error;
} unprintable[] = {
	{"%2147483648d", EOVERFLOW},
	{"%lc", EILSEQ},
};

START_TEST(asprintf_hands_on_what_vsnprintf_says)
{
	setup();
	for (size_t i = 0; i < 2; i++) {
		const char *volatile format = unprintable[i].format;
		uintptr_t top = region->top;

		errno = 0;
		ck_assert_ptr_null(acre_asprintf(region, format, 0x110000));
		ck_assert_int_eq(errno, unprintable[i].error);
		ck_assert_uint_eq(region->top, top);
	}
	teardown();
}
END_TEST

SUITE("text", strdup_copies,
	strndup_copies_no_more_than_it_may, strings_are_packed_without_padding,
	strings_and_objects_do_not_meet, strdup_that_fails_changes_nothing,
	asprintf_prints_the_same_as_snprintf_at_every_length,
	asprintf_that_just_fits_takes_no_page,
	asprintf_too_large_fails_and_changes_nothing,
	asprintf_hands_on_what_vsnprintf_says)
