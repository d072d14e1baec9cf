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

struct peer_space {
	char nothing;
};

struct peer_thread {
	char nothing;
};

typedef mi_heap_t *peer_region;

static int
peer_start(bool crossing)
{
	(void)crossing;
	return 0;
}

static int
peer_thread_start(struct peer_thread *thread)
{
	(void)thread;
	return 0;
}

static int
peer_space_start(struct peer_space *space, size_t bytes, size_t objects)
{
	(void)space;
	(void)bytes;
	(void)objects;
	return 0;
}

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
