/* SPDX-License-Identifier: MIT */
/*
 * limit.h - blocks and large objects for regions, also when memory is short.
 */
#ifndef ACRE_LIB_LIMIT_H
#define ACRE_LIB_LIMIT_H

#include "lib/cache.h"

/*
 * A block of an order for a region, or memory straight from the source. When
 * max_bytes stands in the way or the source has no more, what is idle anywhere
 * is looked through, and the application's handler is asked, before they give
 * up: NULL, and errno is ENOMEM.
 *
 * Threads: the cache's. Progress: lock-free while the pool has some, else the
 * source's; when memory is short: linear in what is free, and a pool with
 * regions in limbo is waited for briefly, unless it is ACRE_NONBLOCKING or
 * the caller is inside a read-side section.
 */
struct block *limit_take(struct cache *cache, unsigned order);
void *limit_take_large(struct cache *cache, size_t size);

#endif
