/* SPDX-License-Identifier: MIT */
/*
 * peer_pmr_pool.cc - a std::pmr::monotonic_buffer_resource for each
 * request, above an unsynchronized_pool_resource of its thread.
 */
#include <memory_resource>
#include <new>

#include "bench/peer.h"

#define PEER_NAME "pmr-pool"
#define PEER_MANY 1
#define PEER_CROSSES 0

typedef std::pmr::monotonic_buffer_resource resource;

struct peer_space {
	alignas(resource) unsigned char room[sizeof(resource)];
};

struct peer_thread {
	std::pmr::memory_resource *blocks;
};

typedef resource *peer_region;

PEER_WITHOUT_START

static int
peer_thread_start(struct peer_thread *thread)
{
	thread->blocks = new std::pmr::unsynchronized_pool_resource;
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
	return new (space->room) resource(thread->blocks);
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
