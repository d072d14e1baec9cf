/* SPDX-License-Identifier: MIT */
/*
 * peer_jemalloc_arena.c - a jemalloc arena for each open region, emptied by
 * arena.i.reset. To make one for each request would take 100 us.
 *
 * Without thread caches: what they keep would outlive the reset.
 */
#include <errno.h>
#include <jemalloc/jemalloc.h>

#include "bench/peer.h"

#define PEER_NAME "jemalloc-arena"
#define PEER_MANY 1
#define PEER_CROSSES 1

struct peer_space {
	int flags;
	size_t reset[3]; /* "arena.i.reset", translated */
};

PEER_WITHOUT_THREADS

typedef struct peer_space *peer_region;

PEER_WITHOUT_START

static int
peer_space_start(struct peer_space *space, size_t bytes, size_t objects)
{
	unsigned arena;
	size_t size = sizeof arena, length = 3;
	int error = mallctl("arenas.create", &arena, &size, NULL, 0);

	(void)bytes;
	(void)objects;
	if (error == 0)
		error = mallctlnametomib("arena.0.reset", space->reset, &length);
	if (error != 0)
		return error;
	space->reset[1] = arena;
	space->flags = MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
	return 0;
}

static inline peer_region
peer_open(struct peer_thread *thread, struct peer_space *space)
{
	(void)thread;
	return space;
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	return mallocx(size, region->flags);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	mallctlbymib(region->reset, 3, NULL, NULL, NULL, 0);
}

#include "bench/workload.h"
