/* SPDX-License-Identifier: MIT */
/*
 * array_source.h - an allocator for tests of arrays: each call that asks for
 * memory is counted and one of them can fail, what is reallocated always
 * moves, what is freed is overwritten, and old sizes have to be right.
 */
#ifndef ACRE_TESTS_ARRAY_SOURCE_H
#define ACRE_TESTS_ARRAY_SOURCE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acre/allocator.h"

struct array_source {
	size_t calls;
	size_t live;     /* pieces not given back */
	size_t fail_at;  /* this call; 0: none */
	size_t most;     /* no piece may be larger; 0: any */
	size_t failures;
	size_t wrong;    /* calls with an old size that is not true */
};

/* Before each piece stands its size. */
#define ARRAY_SOURCE_HEADER 16

static inline void *
array_source_allocate(void *userdata, size_t size)
{
	struct array_source *source = (struct array_source *)userdata;
	char *base;

	if (++source->calls == source->fail_at ||
		(source->most && size > source->most)) {
		source->failures++;
		return NULL;
	}
	base = (char *)malloc(size + ARRAY_SOURCE_HEADER);
	if (!base)
		return NULL;
	source->live++;
	memcpy(base, &size, sizeof(size));
	memset(base + ARRAY_SOURCE_HEADER, 0xa5, size);
	return base + ARRAY_SOURCE_HEADER;
}

static inline void
array_source_free(void *userdata, void *p)
{
	struct array_source *source = (struct array_source *)userdata;
	/* Stores that nobody reads would be left out. */
	volatile char *byte = (volatile char *)p;
	size_t size;

	if (!p)
		return;
	source->live--;
	memcpy(&size, (char *)p - ARRAY_SOURCE_HEADER, sizeof(size));
	while (size-- > 0)
		*byte++ = 0x5a;
	free((char *)p - ARRAY_SOURCE_HEADER);
}

static inline void *
array_source_reallocate(void *userdata, void *p, size_t old_size,
	size_t new_size)
{
	struct array_source *source = (struct array_source *)userdata;
	void *moved = array_source_allocate(userdata, new_size);
	size_t size;

	memcpy(&size, (char *)p - ARRAY_SOURCE_HEADER, sizeof(size));
	source->wrong += size != old_size;
	if (!moved)
		return NULL;
	memcpy(moved, p, size < new_size ? size : new_size);
	array_source_free(userdata, p);
	return moved;
}

static inline acre_allocator
array_source_allocator(struct array_source *source)
{
	acre_allocator allocator = {array_source_allocate,
		array_source_reallocate, array_source_free, source};

	return allocator;
}

#endif
