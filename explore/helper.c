/* SPDX-License-Identifier: MIT */
/*
 * helper.c - scenarios of the helper: it never sleeps while something is
 * wanted.
 *
 * It is lib/helper.c with fewer quiet ticks before it sleeps, which are all
 * the same. In the end it sleeps, or has gone; what was asked for must have
 * come by then, or it would come a second late or never.
 */
#include "lib/helper.h"

#include "explore/explore.h"
#include "explore/orders.h"
#include "lib/grace.h"

static void
let_one_pass(void)
{
	grace_begin();
	grace_end();
}

/* A helper that has nothing to do yet. */
static void
begin(void)
{
	helper_retain();
	helper_want(2);
	let_one_pass();
}

static void
begin_without(void)
{
	helper_retain();
}

static void
want_two(void)
{
	helper_want(2);
}

static void
want_four(void)
{
	helper_want(4);
}

static void
wait_for_four(void)
{
	helper_wait(4);
	if (!grace_elapsed(4))
		explore_fail("a wait has ended too soon");
}

static void
end_pool(void)
{
	helper_release();
}

static void
end_pool_and_begin_another(void)
{
	helper_retain();
	helper_want(4);
}

static void
end_two(void)
{
	if (!grace_elapsed(2))
		explore_fail("the helper sleeps and something is wanted");
}

static void
end_four(void)
{
	if (!grace_elapsed(4))
		explore_fail("the helper sleeps and something is wanted");
}

const struct scenario scenarios[] = {
	{
		.name = "first_want",
		.claim = "two that want something first have a helper",
		.begin = begin_without,
		.threads = {want_two, want_two},
		.end = end_two,
	},
	{
		.name = "want_against_sleep",
		.claim = "what is wanted while the helper goes to sleep comes",
		.begin = begin,
		.threads = {want_four},
		.end = end_four,
	},
	{
		.name = "wait_against_sleep",
		.claim = "who waits while the helper goes to sleep goes on",
		.begin = begin,
		.threads = {wait_for_four},
		.end = end_four,
	},
	{
		.name = "want_against_end",
		.claim = "a pool that begins while the last one ends has a "
			 "helper",
		.begin = begin,
		.threads = {end_pool, end_pool_and_begin_another},
		.end = end_four,
	},
	{.name = NULL},
};

const char scenario_file[] = __FILE__;
const struct needs needs = {0};

/* Who sees an old true in `dormant` takes the lock, and sees all. */
#define LATE "a false that is seen late costs a lock, no more"
#define LISTS "explore/lists needs it"
#define RETIRE "explore/retire needs it"

const struct stronger stronger[] = {
	{"helper_want", 1, "swap failed", "acquire", "relaxed",
		"what was read is a number; the order is the name's"},
	{"grace_elapsed", 1, "load", "acquire", "relaxed", LISTS},
	{"grace_end", 1, "store", "release", "relaxed", LISTS},
	{"grace_begin", 1, "swap", "seq_cst", "acq_rel", RETIRE},
	{"grace_begin", 1, "swap", "seq_cst", "acquire", RETIRE},
	{"grace_begin", 1, "swap", "seq_cst", "release", RETIRE},
	{"grace_begin", 1, "swap", "seq_cst", "relaxed", RETIRE},
	{"grace_sequence", 1, "load", "acquire", "relaxed",
		"its own writer reads it; others call it after a wait"},
	{"tick_once", 1, "load", "acquire", "relaxed",
		"it is set before the first request that needs it"},
	{"create", 1, "store", "seq_cst", "release", LATE},
	{"create", 1, "store", "seq_cst", "relaxed", LATE},
	{"sleep_until_wanted", 2, "store", "seq_cst", "release", LATE},
	{"sleep_until_wanted", 2, "store", "seq_cst", "relaxed", LATE},
	{.function = NULL},
};
