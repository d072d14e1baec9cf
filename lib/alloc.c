/* SPDX-License-Identifier: MIT */
/*
 * alloc.c - what acre_alloc does not do inline, and objects that change.
 */
#include <errno.h>
#include <string.h>

#include "lib/region.h"

void *
acre_alloc_slow(acre_region *cursor, size_t size)
{
	struct region *region = region_of(cursor);

	if (region->state & STATE_DETACHED)
		return region_fail(region, EPERM);
	if (size == 0 && cursor->top < cursor->limit) {
		cursor->top += ACRE_ALIGN;
		return (void *)(cursor->top - ACRE_ALIGN);
	}
	if (size > pool_of(region)->object_most)
		return large_alloc(region, size);
	return grow_alloc(region, size ? size : 1);
}

void *
acre_zalloc(acre_region *cursor, size_t size)
{
	void *p = acre_alloc(cursor, size);

	return p ? memset(p, 0, size) : NULL;
}

void *
acre_zalloc_array(acre_region *cursor, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return region_fail(region_of(cursor), ENOMEM);
	return acre_zalloc(cursor, bytes);
}

void *
acre_memdup(acre_region *cursor, const void *p, size_t size)
{
	void *copy = acre_alloc(cursor, size);

	if (copy && size)
		memcpy(copy, p, size);
	return copy;
}

void *
acre_alloc_aligned(acre_region *cursor, size_t size, size_t align)
{
	uintptr_t object, end;
	void *p;

	if (!align || align & (align - 1)) {
		errno = EINVAL;
		return NULL;
	}
	if (align <= ACRE_ALIGN)
		return acre_alloc(cursor, size);
	size = size ? size : 1;
	if (!__builtin_add_overflow(cursor->top, align - 1, &object)) {
		object &= ~(align - 1);
		if (!__builtin_add_overflow(object, size, &end) &&
			end <= cursor->limit) {
			cursor->top = ALIGN_UP(end);
			return (void *)object;
		}
	}
	if (__builtin_add_overflow(size, align - ACRE_ALIGN, &size))
		return region_fail(region_of(cursor), ENOMEM);
	p = acre_alloc(cursor, size);
	return p ? (void *)(((uintptr_t)p + align - 1) & ~(align - 1)) : NULL;
}

/* ---- objects that change ---- */

/* Where objects begin in the block that the cursor is in. */
static uintptr_t
cursor_base(const struct region *region)
{
	return region->state & STATE_MORE ? region->more.base :
					    region_first_object(region);
}

/* Is this the object that was allocated last, with nothing behind it? */
static bool
is_at_tip(const struct region *region, const void *p, size_t size)
{
	uintptr_t object = (uintptr_t)p;

	return object >= cursor_base(region) &&
		object <= region->cursor.top &&
		ALIGN_UP(size ? size : 1) == region->cursor.top - object;
}

/* Move the tip's end. */
static bool
resize_tip(struct region *region, const void *p, size_t new_size)
{
	uintptr_t object = (uintptr_t)p;

	if (new_size > region->cursor.limit - object)
		return false;
	region->cursor.top = ALIGN_UP(object + (new_size ? new_size : 1));
	return true;
}

void *
acre_realloc(acre_region *cursor, void *p, size_t old_size, size_t new_size)
{
	struct region *region = region_of(cursor);
	struct large *large;
	void *copy;

	if (!p)
		return acre_alloc(cursor, new_size);
	if (region->state & STATE_DETACHED)
		return region_fail(region, EPERM);
	if (old_size != ACRE_SIZE_UNKNOWN && is_at_tip(region, p, old_size) &&
		resize_tip(region, p, new_size))
		return p;
	large = large_find(region, p);
	if (large)
		return large_realloc(region, large, p, new_size);
	if (old_size == ACRE_SIZE_UNKNOWN) {
		errno = EINVAL;
		return NULL;
	}
	if (new_size <= old_size)
		return p;
	copy = acre_alloc(cursor, new_size);
	return copy ? memcpy(copy, p, old_size) : NULL;
}

void
acre_free(acre_region *cursor, void *p, size_t size)
{
	struct region *region = region_of(cursor);
	struct large *large;

	if (!p || region->state & STATE_DETACHED)
		return;
	if (size != ACRE_SIZE_UNKNOWN && is_at_tip(region, p, size)) {
		cursor->top = (uintptr_t)p;
		return;
	}
	large = large_find(region, p);
	if (large)
		large_free(region, large);
}
