/* SPDX-License-Identifier: MIT */
/*
 * descriptor.h - the nodes that stand for batches in the free lists.
 *
 *   ready --push--> in a list --pop--> cooling --grace period--> ready
 *
 * Each thread keeps a few of its own (its stash); stashes trade chains of
 * them through the pool's depot, so that a thread that only pops feeds one
 * that only pushes. Descriptors are never freed before the pool ends, and
 * there are never more than a bound: who gets none uses a free list's
 * overflow.
 */
#ifndef ACRE_LIB_DESCRIPTOR_H
#define ACRE_LIB_DESCRIPTOR_H

#include <pthread.h>
#include <stdalign.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/block.h"

struct descriptor {
	/* In a free list; a stale popper may read it at any time. */
	alignas(CACHE_LINE) _Atomic(struct descriptor *) next;

	/* The holder's: the list's while it is in one. */
	struct batch batch;

	/* The stash's or the depot's. */
	uint64_t needed;          /* cooling: grace period to outlive */
	struct descriptor *link;  /* next in a stash, or in a depot's chain */
	struct descriptor *chain; /* depot: the next chain */
};

/* What one thread keeps. Its thread only. */
struct stash {
	struct descriptor *ready;
	struct descriptor *cooling; /* oldest first */
	struct descriptor *cooling_last;
	unsigned cooling_count;
};

/* What stashes trade through. */
struct depot {
	pthread_mutex_t lock;
	struct descriptor *oldest; /* chains that cool or are ready */
	struct descriptor *newest;

	/* Any thread, atomics only. */
	_Atomic(struct slab *) slabs;
	_Atomic(size_t) made;
	_Atomic(size_t) most;
};

/* How many descriptors a pool has at most, and how many more each thread
 * that uses it allows, so that idle stashes starve nobody. */
#define DESCRIPTORS_MOST 4096
#define DESCRIPTORS_PER_STASH 64

void depot_init(struct depot *depot);

/* Nobody else may use the depot any more. */
void depot_destroy(struct depot *depot);

/*
 * A descriptor that may be pushed, or NULL: all that the bound allows are in
 * lists or cooling, or memory is out.
 *
 * Progress: lock-free; tries the depot's lock but never waits for it.
 */
struct descriptor *descriptor_get(struct depot *depot, struct stash *stash);

/* Take back a descriptor that was popped: a seq_cst read-modify-write has
 * unlinked it. Progress: as descriptor_get. */
void descriptor_cool(struct depot *depot, struct stash *stash,
	struct descriptor *descriptor);

/* Give all of a stash to the depot: its thread ends. Takes the lock. */
void stash_return(struct depot *depot, struct stash *stash);

/* Around a fork. */
void depot_before_fork(struct depot *depot);
void depot_after_fork(struct depot *depot);

#endif
