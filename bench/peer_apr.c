/* SPDX-License-Identifier: MIT */
/*
 * peer_apr.c - APR pools: a subpool of the thread's pool for each request.
 *
 * Each thread has an allocator and a root pool of its own, which is how APR
 * is fastest. When another thread closes the regions, the allocator gets the
 * mutex that APR then asks for.
 */
#include <errno.h>

#include <apr_allocator.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_thread_mutex.h>

#include "bench/peer.h"

#define PEER_NAME "apr"
#define PEER_MANY 1
#define PEER_CROSSES 1

struct peer_space {
	char nothing;
};

struct peer_thread {
	apr_pool_t *root;
};

typedef apr_pool_t *peer_region;

static bool locked;

static int
peer_start(bool crossing)
{
	locked = crossing;
	return apr_initialize() == APR_SUCCESS ? 0 : ENOMEM;
}

static int
peer_thread_start(struct peer_thread *thread)
{
	apr_allocator_t *allocator;
	apr_thread_mutex_t *mutex;

	if (apr_allocator_create(&allocator) != APR_SUCCESS)
		return ENOMEM;
	if (apr_pool_create_unmanaged_ex(&thread->root, NULL, allocator) !=
		APR_SUCCESS)
		return ENOMEM;
	if (!locked)
		return 0;
	if (apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT,
		    thread->root) != APR_SUCCESS)
		return ENOMEM;
	apr_allocator_mutex_set(allocator, mutex);
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
	apr_pool_t *pool;

	(void)space;
	return apr_pool_create(&pool, thread->root) == APR_SUCCESS ? pool
								   : NULL;
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	return apr_palloc(region, size);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	apr_pool_destroy(region);
}

#include "bench/workload.h"
