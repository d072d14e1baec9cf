/* SPDX-License-Identifier: MIT */
/*
 * claim.h - what idle threads keep, taken back by others.
 */
#ifndef ACRE_LIB_CLAIM_H
#define ACRE_LIB_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/pool.h"

/*
 * Empty other threads' caches into the pool: those whose threads are not in a
 * call just now; only_unused: and were in none since the last claim_idle that
 * looked at that. self is the caller's member, or NULL.
 *
 * Returns the bytes that came back; 0 where the kernel has no membarrier.
 * Threads: any, without registry_lock(). Progress: takes that lock; a system
 * call when there is something to take.
 */
size_t claim_idle(acre_pool *pool, struct member *self, bool only_unused);

#endif
