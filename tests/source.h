/* SPDX-License-Identifier: MIT */
/*
 * source.h - a source for tests: counts its calls, fails at the nth, shifts
 * what it gives, and knows what was not given back.
 */
#ifndef ACRE_TESTS_SOURCE_H
#define ACRE_TESTS_SOURCE_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "acre/allocator.h"

struct test_source {
	acre_allocator allocator;
	atomic_size_t calls;
	atomic_size_t resizes;   /* calls of reallocate */
	atomic_size_t live;      /* pieces not given back */
	atomic_size_t last_size;
	size_t last_old_size;    /* that reallocate was told */
	size_t fail_at;          /* this call and all later; 0: never */
	size_t alignment;        /* of what it gives; 0: malloc's */
	size_t shift;            /* bytes past that */
};

static inline void *
test_source_piece(struct test_source *source, size_t size)
{
	size_t alignment = source->alignment ? source->alignment : 64;
	size_t room = (size + source->shift + 2 * alignment - 1) &
		~(alignment - 1);
	char *base = aligned_alloc(alignment, room);

	if (!base)
		return NULL;
	source->live++;
	return base + source->shift;
}

static inline void *
test_source_allocate(void *userdata, size_t size)
{
	struct test_source *source = userdata;

	source->last_size = size;
	if (++source->calls >= source->fail_at && source->fail_at)
		return NULL;
	return test_source_piece(source, size);
}

static inline void
test_source_free(void *userdata, void *p)
{
	struct test_source *source = userdata;

	if (!p)
		return;
	source->live--;
	free((char *)p - source->shift);
}

/* Always moves. Its calls count to fail_at, too. */
static inline void *
test_source_reallocate(void *userdata, void *p, size_t old_size,
	size_t new_size)
{
	struct test_source *source = userdata;
	void *moved;

	source->last_size = new_size;
	source->last_old_size = old_size;
	if (source->calls + ++source->resizes >= source->fail_at &&
		source->fail_at)
		return NULL;
	moved = test_source_piece(source, new_size);
	if (!moved)
		return NULL;
	if (p)
		memcpy(moved, p, old_size < new_size ? old_size : new_size);
	test_source_free(userdata, p);
	return moved;
}

/* Fill in the allocator; the other fields are the test's. It cannot
 * reallocate unless the test says so. */
static inline const acre_allocator *
test_source_init(struct test_source *source)
{
	source->allocator = (acre_allocator){
		.allocate = test_source_allocate,
		.free = test_source_free,
		.userdata = source,
	};
	return &source->allocator;
}

#endif
