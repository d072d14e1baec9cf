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

/* What all have pushed so far, and what member has. When the first has changed
 * by more than the second, there is more to look at. */
uint64_t trim_pushed(acre_pool *pool);
uint64_t trim_pushed_by(const struct member *member);

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
 * Returns false when nothing has become free since the last time.
 * Threads: member's. Progress: linear in the free memory; stops nobody.
 */
bool trim_join(acre_pool *pool, struct member *member);

/*
 * While another thread trims, some free memory is in its hands: who found none
 * since `ended` was what trim_steps() said, may find some now. What member has
 * done itself does not count.
 */
uint64_t trim_steps(const acre_pool *pool, const struct member *member);
bool trim_has_hidden(const acre_pool *pool, const struct member *member,
	uint64_t ended);

/* Wait for the steps that are under way; they may be in the source's free. */
void trim_wait(const acre_pool *pool);

/* Bytes of chunks that are idle: free, in caches, never carved, or slack. */
size_t trim_idle(acre_pool *pool);

#endif
