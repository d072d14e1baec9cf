/* SPDX-License-Identifier: MIT */
/*
 * fault_parts.c - what scenarios are made of.
 */
#include "tests/fault_parts.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fault.h"

/* ---- a source that gives what it should not ---- */

struct crooked crooked;

/* The shift stands before the piece. */
static void *
crooked_allocate(void *unused, size_t size)
{
	size_t shift = crooked.shift;
	char *p;

	(void)unused;
	if (crooked.left && --crooked.left == 0) {
		shift += 8;
		fault.count++;
	}
	p = malloc(size + shift);
	if (!p)
		return NULL;
	memcpy(p + shift - sizeof(shift), &shift, sizeof(shift));
	return p + shift;
}

static void
crooked_free(void *unused, void *p)
{
	size_t shift;

	(void)unused;
	memcpy(&shift, (char *)p - sizeof(shift), sizeof(shift));
	free((char *)p - shift);
}

static const acre_allocator crooked_source = {
	.allocate = crooked_allocate,
	.free = crooked_free,
};

/* ---- what scenarios are made of ---- */

acre_pool *
make_pool(acre_pool_options options)
{
	acre_pool *pool;

	if (crooked.used && !options.source)
		options.source = &crooked_source;
	MUST(pool = acre_pool_create(&options));
	has_pool(pool);
	return pool;
}

acre_pool *
make_small_pool(void)
{
	return make_pool((acre_pool_options){.chunk_size = 16 * PAGE,
		.cache_bytes = 8 * PAGE});
}

acre_region *
open_in(acre_pool *pool)
{
	acre_region *region;

	MUST(region = acre_region_open(pool));
	return has_region(pool, region, &(acre_region_options){0});
}

acre_region *
open_with(acre_pool *pool, acre_region_options options)
{
	acre_region *region;

	MUST(region = acre_region_open_with(pool, &options));
	return has_region(pool, region, &options);
}

struct before
before(const acre_region *region)
{
	return (struct before){acre_region_used(region),
		acre_region_held(region)};
}

void *
unless_failed(acre_region *region, struct before was, void *p)
{
	if (!p) {
		REQUIRE(acre_region_used(region) == was.used);
		REQUIRE(acre_region_held(region) == was.held);
		REQUIRE(acre_region_failed(region));
	}
	return p;
}

void *
object_in(acre_region *region, size_t size)
{
	void *p;

	ALLOCATED(region, p = acre_alloc(region, size));
	return has_object(region, p, size);
}

void *
resize(void *old, size_t old_size, size_t size)
{
	struct object *o = find_object(old);
	unsigned char *p;

	ALLOCATED(o->region, p = acre_realloc(o->region, old, old_size, size));
	REQUIRE(is_all(p, o->size < size ? o->size : size, o->with));
	memset(p, o->with, size);
	o->p = p;
	o->size = size;
	return p;
}

void
give_back(void *p)
{
	struct object *o = find_object(p);
	acre_region *region = o->region;

	o->region = NULL;
	acre_free(region, p, o->size);
	check_model();
}

void
fill(acre_region *region, int pages)
{
	for (int i = 0; i < pages; i++)
		object_in(region, 3000);
}

void
fill_block(acre_region *region)
{
	while (region->top < region->limit)
		object_in(region, region->limit - region->top);
}

void
run(void *unused)
{
	(void)unused;
	model.cleanups--;
}

void
add_cleanup(acre_region *region)
{
	static char arg;

	MUST_DO(acre_cleanup_add(region, run, &arg));
	model.cleanups++;
}

static void *
play_thread(void *fn)
{
	/* ISO C has no void * for a function. */
	void (*play)(void) = *(void (**)(void))fn;

	if (setjmp(abandon))
		return fn;
	play();
	return NULL;
}

void
on_thread(void (*fn)(void))
{
	pthread_t thread;
	void *abandoned;

	REQUIRE(!__real_pthread_create(&thread, NULL, play_thread, &fn));
	pthread_join(thread, &abandoned);
	check_model();
	if (abandoned)
		longjmp(abandon, 1);
}
