/* SPDX-License-Identifier: MIT */
/* descriptor_test.c - descriptors cool before they are used again. */
#include "lib/descriptor.h"

#include <string.h>

#include "lib/grace.h"
#include "tests/suite.h"

#define MANY 200

static struct depot depot;

static void
setup_depot(size_t most)
{
	memset(&depot, 0, sizeof(depot));
	depot_init(&depot);
	store_relaxed(&depot.most, most);
}

/* Get all that the bound allows; returns how many. */
static size_t
get_all(struct stash *stash, struct descriptor **got)
{
	size_t count = 0;

	while ((got[count] = descriptor_get(&depot, stash)))
		count++;
	return count;
}

START_TEST(no_more_than_the_bound_are_made)
{
	struct descriptor *got[MANY];
	struct stash stash = {0};
	size_t count;

	setup_depot(100);
	count = get_all(&stash, got);
	ck_assert_uint_gt(count, 100 - 16);
	ck_assert_uint_le(count, 100);
	ck_assert_uint_eq(load_relaxed(&depot.made), count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(got[i], got[j]);
	depot_destroy(&depot);
}
END_TEST

/* No pool has retained the helper, so grace periods pass only by grace_begin(), grace_end. */
START_TEST(what_was_popped_is_not_given_before_a_grace_period)
{
	struct descriptor *got[MANY], *again[MANY];
	struct stash stash = {0};
	size_t count;

	setup_depot(16);
	count = get_all(&stash, got);
	ck_assert_uint_eq(count, 16);
	for (size_t i = 0; i < count; i++)
		descriptor_cool(&depot, &stash, got[i]);
	ck_assert_uint_eq(get_all(&stash, again), 0);
	grace_begin(), grace_end();
	ck_assert_uint_eq(get_all(&stash, again), 16);
	depot_destroy(&depot);
}
END_TEST

START_TEST(the_depot_gives_no_chain_before_its_last_has_cooled)
{
	struct descriptor *got[MANY], *again[MANY];
	struct stash popper = {0}, pusher = {0};
	size_t count;

	setup_depot(96);
	count = get_all(&popper, got);
	ck_assert_uint_eq(count, 96);
	for (size_t i = 0; i < count; i++) {
		descriptor_cool(&depot, &popper, got[i]);
		if (i == 40)
			grace_begin(), grace_end();
	}
	/* 41 have cooled; the second chain of 32 has some that have not. */
	ck_assert_uint_eq(get_all(&pusher, again), 32);
	grace_begin(), grace_end();
	ck_assert_uint_eq(get_all(&pusher, again), 64);
	depot_destroy(&depot);
}
END_TEST

START_TEST(a_stash_that_only_pops_feeds_one_that_only_pushes)
{
	struct stash popper = {0}, pusher = {0};

	setup_depot(64);
	for (int i = 0; i < 10000; i++) {
		struct descriptor *d = descriptor_get(&depot, &pusher);

		ck_assert_ptr_nonnull(d);
		descriptor_cool(&depot, &popper, d);
		grace_begin(), grace_end();
	}
	depot_destroy(&depot);
}
END_TEST

START_TEST(a_thread_that_ends_takes_no_descriptor_along)
{
	struct descriptor *got[MANY];
	struct stash stash = {0}, other = {0};

	setup_depot(48);
	ck_assert_uint_eq(get_all(&stash, got), 48);
	for (int i = 0; i < 20; i++)
		descriptor_cool(&depot, &stash, got[i]);
	grace_begin(), grace_end();
	/* Some ready, some cooling. */
	stash.ready = descriptor_get(&depot, &stash);
	stash.ready->link = NULL;
	descriptor_cool(&depot, &stash, got[20]);
	stash_return(&depot, &stash);
	grace_begin(), grace_end();
	ck_assert_uint_eq(get_all(&other, got), 21);
	depot_destroy(&depot);
}
END_TEST

SUITE("descriptor", no_more_than_the_bound_are_made,
	what_was_popped_is_not_given_before_a_grace_period,
	the_depot_gives_no_chain_before_its_last_has_cooled,
	a_stash_that_only_pops_feeds_one_that_only_pushes,
	a_thread_that_ends_takes_no_descriptor_along)
