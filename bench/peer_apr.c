/* SPDX-License-Identifier: MIT */
/*
 * peer_apr.c - APR pools: a subpool for each request.
 *
 * As apr, each thread has an allocator and a root pool of its own, which is
 * how APR is fastest. When another thread closes the regions, the allocator
 * gets the mutex that APR then asks for. Compiled with PEER_SHARED it is
 * apr-shared: all threads have one allocator and root pool, with the mutex.
 */
#include <errno.h>

#include <apr_allocator.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_thread_mutex.h>

#include "bench/peer.h"

#ifdef PEER_SHARED
#define PEER_NAME "apr-shared"
#define SHARED true
#else
#define PEER_NAME "apr"
#define SHARED false
#endif
#define PEER_MANY 1
#define PEER_CROSSES 1

PEER_WITHOUT_SPACES

struct peer_thread {
	apr_pool_t *root;
};

typedef apr_pool_t *peer_region;

static bool locked;
static apr_pool_t *shared_root;

static int
make_root(apr_pool_t **root)
{
	apr_allocator_t *allocator;
	apr_thread_mutex_t *mutex;

	if (apr_allocator_create(&allocator) != APR_SUCCESS)
		return ENOMEM;
	if (apr_pool_create_unmanaged_ex(root, NULL, allocator) != APR_SUCCESS)
		return ENOMEM;
	if (!locked)
		return 0;
	if (apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, *root) !=
		APR_SUCCESS)
		return ENOMEM;
	apr_allocator_mutex_set(allocator, mutex);
	return 0;
}

static int
peer_start(bool crossing)
{
	locked = crossing || SHARED;
	if (apr_initialize() != APR_SUCCESS)
		return ENOMEM;
	return SHARED ? make_root(&shared_root) : 0;
}

static int
peer_thread_start(struct peer_thread *thread)
{
	thread->root = shared_root;
	return SHARED ? 0 : make_root(&thread->root);
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
