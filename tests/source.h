/* SPDX-License-Identifier: MIT */
/*
 * source.h - a source for tests: counts its calls, fails at the nth, shifts
 * what it gives, and knows what was not given back.
 */
#ifndef ACRE_TESTS_SOURCE_H
#define ACRE_TESTS_SOURCE_H

#include <stdatomic.h>
#include <stdlib.h>

#include "acre/allocator.h"

struct test_source {
	acre_allocator allocator;
	atomic_size_t calls;
	atomic_size_t live;      /* pieces not given back */
	size_t last_size;
	size_t fail_at;          /* this call and all later; 0: never */
	size_t alignment;        /* of what it gives; 0: malloc's */
	size_t shift;            /* bytes past that */
};

static inline void *
test_source_allocate(void *userdata, size_t size)
{
	struct test_source *source = userdata;
	size_t alignment = source->alignment ? source->alignment : 64;
	size_t room = (size + source->shift + 2 * alignment - 1) &
		~(alignment - 1);
	char *base;

	source->last_size = size;
	if (++source->calls >= source->fail_at && source->fail_at)
		return NULL;
	base = aligned_alloc(alignment, room);
	if (!base)
		return NULL;
	source->live++;
	return base + source->shift;
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

/* Fill in the allocator; the other fields are the test's. */
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
