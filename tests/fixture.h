/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - a pool with one region in it, for suites about regions.
 *
 *	setup();            or setup_with((acre_pool_options){...})
 *	... pool, region ...
 *	teardown();         everything has come back
 */
#ifndef ACRE_TESTS_FIXTURE_H
#define ACRE_TESTS_FIXTURE_H

#include <pthread.h>
#include <string.h>

#include "tests/suite.h"

#define PAGE ((size_t)4096)
#define KIB ((size_t)1024)
#define MIB (KIB * KIB)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static acre_pool *pool;
static acre_region *region;

static inline void
setup_with(acre_pool_options options)
{
	pool = pool_with(options);
	region = acre_region_open(pool);
	ck_assert_ptr_nonnull(region);
}

static inline void
setup(void)
{
	setup_with((acre_pool_options){0});
}

/* What regions say that they hold is what the pool has handed out. */
static inline void
assert_held(size_t held)
{
	acre_stats s = stats_of(pool);

	assert_balanced(pool);
	ck_assert_uint_eq(s.region_bytes + s.large_bytes, held);
}

static inline void
teardown(void)
{
	acre_region_close(region);
	region = NULL;
	assert_held(0);
	ck_assert_uint_eq(stats_of(pool).regions_open, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

static inline acre_region *
open_with(acre_region_options options)
{
	acre_region *opened = acre_region_open_with(pool, &options);

	ck_assert_ptr_nonnull(opened);
	return opened;
}

static inline acre_region *
open_child(acre_region *parent)
{
	return open_with((acre_region_options){.parent = parent});
}

/* An object of size bytes, filled. */
static inline unsigned char *
filled(acre_region *r, size_t size, int with)
{
	unsigned char *p = acre_alloc(r, size);

	if (!p || (uintptr_t)p % ACRE_ALIGN)
		ck_abort_msg("%zu bytes: %p", size, (void *)p);
	return memset(p, with, size);
}

static inline void
assert_filled(const unsigned char *p, size_t size, int with)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != (unsigned char)with)
			ck_abort_msg("byte %zu of %zu is %#x, not %#x", i,
				size, p[i], (unsigned)with & 0xff);
}

/* Fill the region's block to its last byte. */
static inline void
fill_block(acre_region *r)
{
	size_t room = r->limit - r->top;

	if (room)
		filled(r, room, 0x5a);
	ck_assert_uint_eq(r->top, r->limit);
}

/* Run fn(arg) on another thread, to its end. */
static inline void *
on_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	void *result;

	ck_assert_int_eq(pthread_create(&thread, NULL, fn, arg), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	return result;
}

#endif
