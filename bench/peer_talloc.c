/* SPDX-License-Identifier: MIT */
/*
 * peer_talloc.c - a talloc context for each request.
 */
#include <talloc.h>

#include "bench/peer.h"

#define PEER_NAME "talloc"
#define PEER_MANY 1
#define PEER_CROSSES 1

PEER_WITHOUT_SPACES
PEER_WITHOUT_THREADS

typedef void *peer_region;

PEER_WITHOUT_START

static inline peer_region
peer_open(struct peer_thread *thread, struct peer_space *space)
{
	(void)thread;
	(void)space;
	return talloc_new(NULL);
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
