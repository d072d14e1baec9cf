/* SPDX-License-Identifier: MIT */
/*
 * pages.h - many regions of one page each, which know what is in them.
 */
#ifndef ACRE_TESTS_PAGES_H
#define ACRE_TESTS_PAGES_H

#include <stdbool.h>

#include "tests/fixture.h"

#define PAGES_MOST 32768
#define PAGES_OBJECT ((size_t)3000)

struct pages {
	acre_region *regions[PAGES_MOST]; /* NULL: closed */
	unsigned char *objects[PAGES_MOST];
	size_t count;
};

/* Open one more, filled; false: there is no memory. */
static inline bool
pages_add(struct pages *pages, acre_pool *from)
{
	size_t i = pages->count;
	acre_region *opened;

	ck_assert_uint_lt(i, PAGES_MOST);
	opened = acre_region_open_with(from,
		&(acre_region_options){.max_bytes = PAGE});
	if (!opened)
		return false;
	pages->regions[i] = opened;
	pages->objects[i] = filled(opened, PAGES_OBJECT, (int)(i % 251 + 1));
	pages->count++;
	return true;
}

static inline void
pages_open(struct pages *pages, acre_pool *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert(pages_add(pages, from));
}

/* Are they what they were? */
static inline void
pages_verify(const struct pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		if (pages->regions[i])
			assert_filled(pages->objects[i], PAGES_OBJECT,
				(int)(i % 251 + 1));
}

/* Close those that are open, but each keep-th (0: none is kept). */
static inline void
pages_close_but(struct pages *pages, size_t keep)
{
	pages_verify(pages);
	for (size_t i = 0; i < pages->count; i++) {
		if (keep && i % keep == 0)
			continue;
		acre_region_close(pages->regions[i]);
		pages->regions[i] = NULL;
	}
	if (!keep)
		pages->count = 0;
}

static inline void
pages_close(struct pages *pages)
{
	pages_close_but(pages, 0);
}

/* An actor's task: its cache of the pool keeps pages. */
static inline void
pages_fill_cache(void *from)
{
	static struct pages own;

	pages_open(&own, from, 128);
	pages_close(&own);
}

#endif
