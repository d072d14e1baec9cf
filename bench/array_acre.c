/* SPDX-License-Identifier: MIT */
/*
 * array_acre.c - arrays of array.h, in a region and in malloc's memory.
 */
#include <stdlib.h>

#include "acre/acre.h"
#include "acre/array.h"
#include "bench/array_peer.h"

typedef ACRE_ARRAY(int) ints;
typedef ACRE_ARRAY(const int) numbers_view;

static inline ints
pushed(acre_allocator in, size_t n)
{
	ints a = ACRE_ARRAY_IN(in);

	for (size_t i = 0; i < n; i++)
		if (acre_array_push(&a, (int)i) != 0)
			abort();
	array_show(a.data);
	return a;
}

static ARRAY_CALL int
add(ints *a, int value)
{
	return acre_array_push(a, value);
}

static inline ints
called(acre_allocator in, size_t n)
{
	ints a = ACRE_ARRAY_IN(in);

	for (size_t i = 0; i < n; i++)
		if (add(&a, (int)i) != 0)
			abort();
	return a;
}

/* ---- in a region: closing it gives all back --------------------------- */

static acre_region *
open_region(void)
{
	acre_region *region = acre_region_open(acre_pool_default());

	if (!region)
		abort();
	return region;
}

static int
region_push(size_t n)
{
	acre_region *region = open_region();
	ints a = pushed(acre_region_allocator(region), n);
	int last = acre_array_get(a, n - 1);

	acre_region_close(region);
	return last;
}

static int
region_call(size_t n)
{
	acre_region *region = open_region();
	ints a = called(acre_region_allocator(region), n);
	int last = acre_array_get(a, n - 1);

	acre_region_close(region);
	return last;
}

static long
region_chain(const int *numbers, size_t n)
{
	acre_region *region = open_region();
	acre_allocator in = acre_region_allocator(region);
	numbers_view all = acre_array_view(numbers_view, numbers, n);
	long sum = acre_array_fold(
		acre_array_map(ints, in,
			acre_array_filter(ints, in, all, x, *x % 2 != 0),
			x, 3 * *x + 1),
		so_far, 0L, x, so_far + *x);

	if (acre_region_failed(region))
		abort();
	acre_region_close(region);
	return sum;
}

const struct array_peer array_peer_acre = {
	"acre, region", region_push, region_call, region_chain};

/* ---- on malloc: each has a name, to be freed by ------------------------ */

static int
malloc_push(size_t n)
{
	ints a = pushed(acre_malloc_allocator, n);
	int last = acre_array_get(a, n - 1);

	acre_array_free(&a);
	return last;
}

static int
malloc_call(size_t n)
{
	ints a = called(acre_malloc_allocator, n);
	int last = acre_array_get(a, n - 1);

	acre_array_free(&a);
	return last;
}

static long
malloc_chain(const int *numbers, size_t n)
{
	acre_allocator in = acre_malloc_allocator;
	numbers_view all = acre_array_view(numbers_view, numbers, n);
	ints odd = acre_array_filter(ints, in, all, x, *x % 2 != 0);
	ints mapped = acre_array_map(ints, in, odd, x, 3 * *x + 1);
	long sum = acre_array_fold(mapped, so_far, 0L, x, so_far + *x);

	if (mapped.error)
		abort();
	acre_array_free(&odd);
	acre_array_free(&mapped);
	return sum;
}

const struct array_peer array_peer_acre_malloc = {
	"acre, malloc", malloc_push, malloc_call, malloc_chain};
