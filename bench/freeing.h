/* SPDX-License-Identifier: MIT */
/*
 * freeing.h - a peer that allocates each object and frees each.
 *
 * A program that frees each object must know where each is. The pointers
 * are kept in an array of the caller's that is there before anything is
 * measured, so it counts in the time and not in the memory.
 *
 * Who includes this defines PEER_NAME, PEER_MALLOC and PEER_FREE.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench/peer.h"

#define PEER_MANY 1
#define PEER_CROSSES 1

struct peer_space {
	void **objects;
	size_t n;
};

PEER_WITHOUT_THREADS

typedef struct peer_space *peer_region;

PEER_WITHOUT_START

static int
peer_space_start(struct peer_space *space, size_t bytes, size_t objects)
{
	void *array =
		mmap(NULL, objects * sizeof(void *), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	(void)bytes;
	if (array == MAP_FAILED)
		return errno;
	space->objects = (void **)array;
	return 0;
}

static inline peer_region
peer_open(struct peer_thread *thread, struct peer_space *space)
{
	(void)thread;
	space->n = 0;
	return space;
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	void *object = PEER_MALLOC(size);

	region->objects[region->n++] = object;
	return object;
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	for (size_t i = 0; i < region->n; i++)
		PEER_FREE(region->objects[i]);
}

#include "bench/workload.h"
