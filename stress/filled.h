/* SPDX-License-Identifier: MIT */
/*
 * filled.h - a region whose every object tells whose it is.
 *
 * Each object's words are made from the region's id, the object's number and
 * the word's own. If a page is ever given to two regions, one overwrites the
 * other's words, and filled_verify says which.
 *
 * What is needed to verify is kept outside of the region. One thread at a
 * time, as for the region itself.
 */
#ifndef ACRE_STRESS_FILLED_H
#define ACRE_STRESS_FILLED_H

#include "stress/common.h"

#define FILLED_OBJECTS 128

struct filled {
	acre_region *region; /* NULL: not open */
	uint64_t id;         /* no other region's */
	size_t held;  /* bytes of its blocks */
	size_t count; /* objects */
	struct {
		uint64_t *words;
		size_t count;
	} objects[FILLED_OBJECTS];
};

/* An id that no other region has: a thread's and its own number. */
static inline uint64_t
filled_id(unsigned thread, uint64_t number)
{
	return (uint64_t)(thread + 1) << 40 | number;
}

/* Open a region, with options or none; counted in tally. Returns false if acre
 * has no memory. */
bool filled_open(struct filled *filled, acre_pool *pool, uint64_t id,
	struct tally *tally);
bool filled_open_with(struct filled *filled, acre_pool *pool,
	const acre_region_options *options, uint64_t id, struct tally *tally);

/* Allocate and fill one more object, of at least 16 bytes. Returns false if
 * acre has no memory or filled has all its objects. */
bool filled_add(struct filled *filled, size_t size, struct tally *tally);

/* Free the object that was added last, of which there is one. */
void filled_drop(struct filled *filled, struct tally *tally);

/* See that every object is as it was filled. */
void filled_verify(const struct filled *filled);

/* Verify and close. */
void filled_close(struct filled *filled, struct tally *tally);

#endif
