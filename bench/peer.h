/* SPDX-License-Identifier: MIT */
/*
 * peer.h - what driver.c knows of a peer, and what a peer brings.
 *
 *	peer_NAME.c -- includes --> workload.h -- defines --> bench_peer
 *	                                                          |
 *	bench.c -- starts, over two pipes --> driver.c -- calls --+
 *
 * A peer is a way to have memory for a request and to be rid of it. It is
 * one small file that includes this header, defines the following, and then
 * includes workload.h, which compiles the workloads around it: so its alloc
 * is inlined into their loops, if it can be.
 *
 *	PEER_NAME		a string
 *	PEER_MANY		1: many regions may be open at once
 *	PEER_CROSSES		1: a region may be closed by another thread
 *
 *	peer_region		how to name an open region: a pointer
 *	struct peer_space	what the caller keeps for each open region
 *	struct peer_thread	what the caller keeps for each thread
 *
 *	int peer_start(bool crossing)		once; crossing: another thread
 *						will close the regions
 *	int peer_thread_start(struct peer_thread *)	by that thread
 *	int peer_space_start(struct peer_space *, size_t bytes, size_t objects)
 *						the most of each
 *	peer_region peer_open(struct peer_thread *, struct peer_space *)
 *	void *peer_alloc(peer_region, size_t)	NULL: cannot
 *	void peer_close(struct peer_thread *, peer_region)
 *
 * The three that return an int return 0 or an errno value. Nothing is ever
 * stopped: the process ends. For a start, a struct peer_thread or peer_space
 * that has nothing in it there are PEER_WITHOUT_START, _THREADS and _SPACES.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/queue.h"
#include "bench/sizes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PEER_WITHOUT_START                                              \
	static int peer_start(bool crossing)                            \
	{                                                               \
		(void)crossing;                                         \
		return 0;                                               \
	}

#define PEER_WITHOUT_THREADS                                            \
	struct peer_thread {                                            \
		char nothing;                                           \
	};                                                              \
	static int peer_thread_start(struct peer_thread *thread)        \
	{                                                               \
		(void)thread;                                           \
		return 0;                                               \
	}

#define PEER_WITHOUT_SPACES                                             \
	struct peer_space {                                             \
		char nothing;                                           \
	};                                                              \
	static int peer_space_start(struct peer_space *space,           \
		size_t bytes, size_t objects)                           \
	{                                                               \
		(void)space;                                            \
		(void)bytes;                                            \
		(void)objects;                                          \
		return 0;                                               \
	}

enum bench_workload {
	BENCH_EMPTY,
	BENCH_TINY,
	BENCH_TYPICAL,
	BENCH_HEAVY,
	BENCH_LONG,
	BENCH_HANDOFF,
	BENCH_REGIONS,
	BENCH_P99,
	BENCH_WORKLOADS
};

#define BENCH_TINY_OBJECTS 16
#define BENCH_TYPICAL_OBJECTS 100
#define BENCH_HEAVY_OBJECTS 2000
#define BENCH_LONG_OBJECTS 1000000ul
#define BENCH_LONG_SIZE 32
#define BENCH_LARGE_SIZE 65536
#define BENCH_REGIONS_OPEN 1000
#define BENCH_REGION_OBJECTS 4096 /* more than one of them ever has */
#define BENCH_TARGET_UNIT 16u
#define BENCH_TICKS 4 /* of one time of a request; see ticks.h */
#define BENCH_TIMES 16384u

/*
 * bench_job: what one thread works on, window after window.
 */
struct bench_job {
	void *thread; /* the peer's struct peer_thread */
	void *spaces; /* its struct peer_space: one, or one for each slot */

	const uint16_t *sizes; /* SIZES_COUNT */
	size_t position;       /* where in sizes it is */

	/* Hand-off: the first of two threads produces. */
	struct queue *queue;
	bool produces;

	/* Regions: how large each shall be, which is next, and what the open
	 * ones hold. */
	const uint16_t *targets; /* SIZES_COUNT, of BENCH_TARGET_UNIT bytes */
	uint64_t random;
	uint64_t live_bytes;

	/* P99: requests, by how many BENCH_TICKS each took; the last are all
	 * that took longer. */
	uint32_t *times;
};

struct bench_peer {
	const char *name;
	size_t thread_size;
	size_t space_size;
	int (*start)(bool crossing);
	int (*thread_start)(void *thread);
	int (*space_start)(void *space, size_t bytes, size_t objects);
	/* Is an object of this size possible at all? */
	bool (*probe)(struct bench_job *job, size_t size);
	/* NULL: not for this peer. */
	void (*run[BENCH_WORKLOADS])(struct bench_job *job, uint64_t requests);
};

extern const struct bench_peer bench_peer;

#ifdef __cplusplus
}
#endif

#endif
