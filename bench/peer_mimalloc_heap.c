/* SPDX-License-Identifier: MIT */
/*
 * peer_mimalloc_heap.c - a mimalloc heap for each request, destroyed at its
 * end. A heap belongs to the thread that made it.
 */
#include <mimalloc.h>

#include "bench/peer.h"

#define PEER_NAME "mimalloc-heap"
#define PEER_MANY 1
#define PEER_CROSSES 0

PEER_WITHOUT_SPACES
PEER_WITHOUT_THREADS

typedef mi_heap_t *peer_region;

PEER_WITHOUT_START

static inline peer_region
peer_open(struct peer_thread *thread, struct peer_space *space)
{
	(void)thread;
	(void)space;
	return mi_heap_new();
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	return mi_heap_malloc(region, size);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	mi_heap_destroy(region);
}

#include "bench/workload.h"
