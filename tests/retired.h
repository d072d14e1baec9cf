/* SPDX-License-Identifier: MIT */
/*
 * retired.h - a region to retire, that knows what it held and whether its end
 * has come.
 */
#ifndef ACRE_TESTS_RETIRED_H
#define ACRE_TESTS_RETIRED_H

#include <sched.h>
#include <string.h>

#include "lib/cache.h"
#include "lib/grace.h"
#include "tests/suite.h"

#define RETIRED_WORDS 64

struct retired {
	acre_region *region;
	uint64_t *words;
	uint64_t first;      /* of the words: i + first */
	bool intact;         /* by retired_look */
	_Atomic(int) ends;   /* cleanups run */
};

static inline void
retired_count_end(void *retired)
{
	add_release(&((struct retired *)retired)->ends, 1);
}

/* Fill an open region with words that no other one has. */
static inline void
retired_fill(struct retired *retired, acre_region *region)
{
	static uint64_t next;

	ck_assert_ptr_nonnull(region);
	*retired = (struct retired){.region = region};
	retired->first = next += RETIRED_WORDS;
	retired->words = acre_alloc(region, RETIRED_WORDS * sizeof(uint64_t));
	for (size_t i = 0; i < RETIRED_WORDS; i++)
		retired->words[i] = retired->first + i;
	ck_assert_int_eq(
		acre_cleanup_add(region, retired_count_end, retired), 0);
}

/* For readers: are the words what they were? An actor's task. */
static inline void
retired_look(void *argument)
{
	struct retired *retired = argument;

	retired->intact = true;
	for (size_t i = 0; i < RETIRED_WORDS; i++)
		retired->intact &= retired->words[i] == retired->first + i;
}

/* Until the helper has taken what this thread has retired, or waits for a
 * reader already: if it does not wait for readers, it is about to end
 * regions. */
static inline void
await_taken(acre_pool *pool)
{
	while (load_acquire(&cache_of(pool)->member.bag) &&
		grace_sequence() % 2 == 0)
		sched_yield();
}

static inline void
await_end(const struct retired *retired)
{
	while (!load_acquire(&retired->ends))
		sched_yield();
}

/* Use memory as much as can be had without taking a chunk more. */
static inline void
use_memory(acre_pool *pool)
{
	acre_region *regions[20];

	for (int i = 0; i < 20; i++) {
		void *p;

		regions[i] = acre_region_open(pool);
		p = acre_alloc(regions[i], 3000);
		memset(p, 0xff, 3000);
	}
	for (int i = 0; i < 20; i++)
		acre_region_close(regions[i]);
}

#endif
