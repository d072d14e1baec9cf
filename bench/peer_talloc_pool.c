/* SPDX-License-Identifier: MIT */
/*
 * peer_talloc_pool.c - a talloc pool for each request, of 64 KiB: a
 * typical request and talloc's 96 bytes for each object fit into it.
 */
#include <talloc.h>

#include "bench/peer.h"

#define PEER_NAME "talloc-pool"
#define PEER_MANY 1
#define PEER_CROSSES 1
#define POOL_BYTES 65536

PEER_WITHOUT_SPACES
PEER_WITHOUT_THREADS

typedef void *peer_region;

PEER_WITHOUT_START

static inline peer_region
peer_open(struct peer_thread *thread, struct peer_space *space)
{
	(void)thread;
	(void)space;
	return talloc_pool(NULL, POOL_BYTES);
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	return talloc_size(region, size);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	talloc_free(region);
}

#include "bench/workload.h"
