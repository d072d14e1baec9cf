/* SPDX-License-Identifier: MIT */
/*
 * trim.h - memory that goes back to the source, and blocks that are joined.
 */
#ifndef ACRE_LIB_TRIM_H
#define ACRE_LIB_TRIM_H

#include <stddef.h>

#include "lib/pool.h"

/*
 * As acre_pool_trim, but for what threads keep: that is the caller's to ask
 * for before. *swept is set to whether all that is free was looked at.
 *
 * Threads: member's. Progress: as acre_pool_trim.
 */
size_t trim_pool(acre_pool *pool, struct member *member, size_t keep,
	size_t most, bool *swept);

/* What all have pushed so far and is in the lists, and what member has. When
 * the first has changed by more than the second, there is more to look at. */
uint64_t trim_landed(acre_pool *pool);
uint64_t trim_landed_by(const struct member *member);

/*
 * Give whole chunks of so many bytes back, or all there are.
 *
 * Returns false when there was none.
 * Threads: member's. Progress: linear in the free memory; stops nobody.
 */
bool trim_chunks(acre_pool *pool, struct member *member, size_t bytes);

/*
 * Join all free pages that lie next to each other to larger blocks.
 *
 * Returns false when nothing has become free since the last time, and the store
 * is empty.
 * Threads: member's. Progress: linear in the free memory; stops nobody.
 */
bool trim_join(acre_pool *pool, struct member *member);

/* Bytes of chunks that are idle: free, in caches, never carved, or slack. */
size_t trim_idle(acre_pool *pool);

#endif
