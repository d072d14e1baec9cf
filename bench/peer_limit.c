/* SPDX-License-Identifier: MIT */
/*
 * peer_limit.c - the limit: a bare bump pointer, kept in a struct.
 *
 * No pages, no pool, no safety. Open puts the cursor at the start of a
 * buffer that is large enough, alloc moves it, close does nothing. What a
 * region costs above this is what pages, a pool and safety cost.
 */
#include <errno.h>
#include <sys/mman.h>

#include "bench/peer.h"

#define PEER_NAME "limit"
#define PEER_MANY 0 /* a buffer for the largest of each would be wasted */
#define PEER_CROSSES 1

struct peer_space {
	uintptr_t top;
	uintptr_t start;
};

PEER_WITHOUT_THREADS

typedef struct peer_space *peer_region;

PEER_WITHOUT_START

/* Rounding up to 16 adds at most 15 to each object. */
static int
peer_space_start(struct peer_space *space, size_t bytes, size_t objects)
{
	void *buffer = mmap(NULL, bytes + 16 * objects, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffer == MAP_FAILED)
		return errno;
	space->start = (uintptr_t)buffer;
	return 0;
}

static inline peer_region
peer_open(struct peer_thread *thread, struct peer_space *space)
{
	(void)thread;
	space->top = space->start;
	return space;
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	uintptr_t top = region->top;

	region->top = top + ((size + 15) & ~(uintptr_t)15);
	return (void *)top;
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	(void)region;
}

#include "bench/workload.h"
