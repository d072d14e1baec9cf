/* SPDX-License-Identifier: MIT */
/*
 * limbo.h - a pool whose regions are retired, and a reader on a thread of its
 * own, for suites about limbo.
 *
 *	setup((acre_pool_options){...});
 *	... pool, reader: actor_do(&reader, enter, NULL) ...
 *	teardown();         everything has come back
 */
#ifndef ACRE_TESTS_LIMBO_H
#define ACRE_TESTS_LIMBO_H

#include "lib/rcu.h"
#include "tests/actor.h"
#include "tests/retired.h"
#include "tests/suite.h"

#define PAGE 4096

static acre_pool *pool;
static struct actor reader;

static inline void
setup(acre_pool_options options)
{
	pool = pool_with(options);
	actor_start(&reader);
}

static inline void
teardown(void)
{
	actor_end(&reader);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	assert_balanced(pool);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).regions_open, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

/* The reader's tasks. */
static inline void
enter(void *unused)
{
	(void)unused;
	rcu_enter();
}

static inline void
leave(void *unused)
{
	(void)unused;
	acre_reader_leaves(NULL);
	urcu_bp_read_unlock();
}

/* What actors got. */
static int answers[3];

static inline void
retire_it(void *retired)
{
	answers[0] = acre_region_retire(((struct retired *)retired)->region);
}

/* A region of one page. */
static inline acre_region *
open_page(acre_pool *from)
{
	return acre_region_open_with(from,
		&(acre_region_options){.max_bytes = PAGE});
}

/* A filled region of one page, retired; what retire returned. */
static inline int
retire_page(struct retired *retired)
{
	retired_fill(retired, open_page(pool));
	return acre_region_retire(retired->region);
}

static inline acre_region *
open_child(acre_region *parent)
{
	return acre_region_open_with(pool,
		&(acre_region_options){.parent = parent});
}

/* An actor's task. */
static inline void
retire_page_of(void *retired)
{
	answers[0] = retire_page(retired);
}

#endif
