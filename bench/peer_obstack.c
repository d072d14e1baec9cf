/* SPDX-License-Identifier: MIT */
/*
 * peer_obstack.c - a GNU obstack for each request, with chunks from malloc.
 */
#include <obstack.h>
#include <stdlib.h>

#include "bench/peer.h"

#define PEER_NAME "obstack"
#define PEER_MANY 1
#define PEER_CROSSES 1

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

struct peer_space {
	struct obstack obstack;
};

PEER_WITHOUT_THREADS

typedef struct obstack *peer_region;

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
	obstack_init(&space->obstack);
	return &space->obstack;
}

/* obstack's sizes are int. */
static inline void *
peer_alloc(peer_region region, size_t size)
{
	return obstack_alloc(region, (int)size);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	obstack_free(region, NULL);
}

#include "bench/workload.h"
