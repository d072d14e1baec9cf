/* SPDX-License-Identifier: MIT */
/*
 * peer_acre.c - acre: a region for each request, one pool for all threads.
 */
#include <errno.h>

#include <acre/acre.h>

#include "bench/peer.h"

#define PEER_NAME "acre"
#define PEER_MANY 1
#define PEER_CROSSES 1

PEER_WITHOUT_SPACES
PEER_WITHOUT_THREADS

typedef acre_region *peer_region;

static acre_pool *pool;

static int
peer_start(bool crossing)
{
	(void)crossing;
	pool = acre_pool_create(NULL);
	return pool != NULL ? 0 : errno;
}

static inline peer_region
peer_open(struct peer_thread *thread, struct peer_space *space)
{
	(void)thread;
	(void)space;
	return acre_region_open(pool);
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	return acre_alloc(region, size);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	acre_region_close(region);
}

#include "bench/workload.h"
