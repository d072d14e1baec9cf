/* SPDX-License-Identifier: MIT */
/*
 * peer_protobuf.cc - a protobuf Arena for each request.
 */
#include <google/protobuf/arena.h>
#include <new>

#include "bench/peer.h"

#define PEER_NAME "protobuf"
#define PEER_MANY 1
#define PEER_CROSSES 1

using google::protobuf::Arena;

struct peer_space {
	alignas(Arena) unsigned char room[sizeof(Arena)];
};

PEER_WITHOUT_THREADS

typedef Arena *peer_region;

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
	return new (space->room) Arena;
}

static inline void *
peer_alloc(peer_region region, size_t size)
{
	return Arena::CreateArray<char>(region, size);
}

static inline void
peer_close(struct peer_thread *thread, peer_region region)
{
	(void)thread;
	region->~Arena();
}

#include "bench/workload.h"
