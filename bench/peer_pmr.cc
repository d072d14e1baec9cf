/* SPDX-License-Identifier: MIT */
/*
 * peer_pmr.cc - a std::pmr::monotonic_buffer_resource for each
 * request, above new and delete.
 */
#include <memory_resource>
#include <new>

#include "bench/peer.h"

#define PEER_NAME "pmr"
#define PEER_MANY 1
#define PEER_CROSSES 1

typedef std::pmr::monotonic_buffer_resource resource;

struct peer_space {
	alignas(resource) unsigned char room[sizeof(resource)];
};

PEER_WITHOUT_THREADS

typedef resource *peer_region;

PEER_WITHOUT_START

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
	return new (space->room) resource;
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	return region->allocate(size, 16);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	region->~resource();
}

#include "bench/workload.h"
