/* SPDX-License-Identifier: MIT */
/*
 * region.h - what a region's first page begins with.
 *
 *   first page                        second            third (newest)
 *     [ region | objects ... ]  <---  [ block | ... ] <-- [ block | ... ]
 *         |  |                    next                       ^
 *         |  +-- newest -------------------------------------+
 *         +----- top and limit: the free bytes of the newest page
 *
 * The region is its chain's oldest block, so the tail and the count are
 * known, and close hands the chain over without touching a cold page.
 */
#ifndef ACRE_LIB_REGION_H
#define ACRE_LIB_REGION_H

#include "acre/acre.h"
#include "lib/block.h"

struct region {
	/* What the inlined acre_alloc uses; first, so that the pointers to
	 * both are the same. */
	struct acre_region cursor;

	acre_pool *pool;
	struct block *newest;
	size_t count;       /* blocks */
	struct block *rest; /* the newest whose number is a multiple of the
			     * full batch; meaningless below that */
};

#define REGION_HEADER ((sizeof(struct region) + ACRE_ALIGN - 1) & \
	~(size_t)(ACRE_ALIGN - 1))

#endif
