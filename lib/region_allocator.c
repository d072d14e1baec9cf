/* SPDX-License-Identifier: MIT */
/*
 * region_allocator.c - a region seen as an allocator.
 *
 * The plain form remembers the object that it gave out last, so that its free,
 * which is told no size, can give that one back. The sized form keeps each
 * object's size in the ACRE_ALIGN bytes before it.
 */
#include <errno.h>

#include "lib/region.h"

static void *
remember(acre_region *cursor, void *p)
{
	struct more *more = region_more(region_of(cursor));

	more->last = p;
	more->last_end = cursor->top;
	return p;
}

static void *
plain_allocate(void *userdata, size_t size)
{
	void *p = acre_alloc(userdata, size);

	return p ? remember(userdata, p) : NULL;
}

static void *
plain_reallocate(void *userdata, void *p, size_t old_size, size_t new_size)
{
	acre_region *cursor = userdata;
	uintptr_t top = cursor->top;
	void *moved = acre_realloc(cursor, p, old_size, new_size);

	/* One that stayed where it is, and not at the tip, is not the last. */
	if (moved && (moved != p || cursor->top != top))
		remember(cursor, moved);
	return moved;
}

static void
plain_free(void *userdata, void *p)
{
	acre_region *cursor = userdata;
	struct more *more = region_more(region_of(cursor));
	size_t size = ACRE_SIZE_UNKNOWN;

	if (p && p == more->last && cursor->top == more->last_end &&
		(uintptr_t)p >= more->base && (uintptr_t)p < cursor->top)
		size = cursor->top - (uintptr_t)p;
	acre_free(cursor, p, size);
}

acre_allocator
acre_region_allocator(acre_region *region)
{
	return (acre_allocator){
		plain_allocate, plain_reallocate, plain_free, region};
}

/* The size of an object of the sized form stands before it. */
static size_t *
size_of(void *p)
{
	return (size_t *)((char *)p - ACRE_ALIGN);
}

static void *
with_size(void *memory, size_t size)
{
	if (!memory)
		return NULL;
	*(size_t *)memory = size;
	return (char *)memory + ACRE_ALIGN;
}

static void *
sized_allocate(void *userdata, size_t size)
{
	if (size > SIZE_MAX - ACRE_ALIGN)
		return region_fail(region_of(userdata), ENOMEM);
	return with_size(acre_alloc(userdata, size + ACRE_ALIGN), size);
}

static void *
sized_reallocate(void *userdata, void *p, size_t old_size, size_t new_size)
{
	(void)old_size;
	if (!p)
		return sized_allocate(userdata, new_size);
	if (new_size > SIZE_MAX - ACRE_ALIGN)
		return region_fail(region_of(userdata), ENOMEM);
	return with_size(acre_realloc(userdata, size_of(p),
		*size_of(p) + ACRE_ALIGN, new_size + ACRE_ALIGN), new_size);
}

static void
sized_free(void *userdata, void *p)
{
	if (p)
		acre_free(userdata, size_of(p), *size_of(p) + ACRE_ALIGN);
}

acre_allocator
acre_region_sized_allocator(acre_region *region)
{
	return (acre_allocator){
		sized_allocate, sized_reallocate, sized_free, region};
}
