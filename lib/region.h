/* SPDX-License-Identifier: MIT */
/*
 * region.h - what a region is made of.
 *
 *   first block (or the caller's buffer)      grown blocks, a chain per order
 *     [ region | objects -> free <- strings ]   order 0: [ b ] -> [ b ]
 *                          ^      ^             order 1: [ b ]
 *                         top   limit           order 2: [ b ] -> [ b ] ...
 *
 * The region lives in its first block. Objects go up from the block's start,
 * packed strings down from its end. The cursor, top and limit, stands in one
 * block, which is not always the newest. Large objects have memory of their
 * own; their records are in the region.
 *
 * Most regions need nothing but their first block: for them only `cursor` and
 * `state` are ever written. The rest is zeroed when first used.
 *
 *   region.c     open, close, reset, children, hand-over, what it holds
 *   grow.c       blocks in and out, and how large
 *   learn.c      how large a first block is
 *   alloc.c      what acre_alloc does not do inline, realloc, free
 *   large.c      objects with memory of their own
 *   cleanup.c    cleanups
 *   mark.c       mark and rewind
 *   text.c       strings
 */
#ifndef ACRE_LIB_REGION_H
#define ACRE_LIB_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "acre/acre.h"
#include "lib/block.h"
#include "lib/budget.h"
#include "lib/cache.h"
#include "lib/limit.h"

/* state: flags, and above them the bin of the first block's order, in the cache
 * of the thread that opened the region. Without flags it is all there is to
 * know at close. */
#define STATE_MORE 1u      /* region->more is in use */
#define STATE_FAILED 2u    /* an allocation has returned NULL */
#define STATE_BUFFER 4u    /* the first block is the caller's buffer */
#define STATE_DETACHED 8u  /* between two owners */
#define STATE_GREW 16u     /* it has or had more than its first block */
#define STATE_ATTACHED 32u /* it has or had what close must see to: large
			    * objects, cleanups, children, a parent, a
			    * budget */
#define STATE_FLAGS 63u

_Static_assert(alignof(struct bin) == STATE_FLAGS + 1,
	"a bin's address has flags in it");

/* A large object. Its record is in the region, its memory is not. */
struct large {
	struct large *next; /* newest first */
	char *memory;
	size_t size;    /* of the memory */
	unsigned order; /* of the block; ORDER_SOURCE: from the source */
	uint64_t serial;
	uint64_t born; /* the region's serial when the record was made */
};

#define ORDER_SOURCE (~0u)

struct region {
	struct acre_region cursor; /* first: the public type */
	uintptr_t state;

	/* When retired: the next in the bag, the next bag, what limbo counts,
	 * and what of that is not in the pool's chunks. */
	struct region *link;
	struct region *next_bag;
	size_t limbo_bytes;
	size_t limbo_elsewhere;

	struct more {
		struct bundle bundle; /* its grown blocks */
		unsigned next_order; /* of the next block, at least */
		unsigned step;       /* the order that may be next */
		unsigned counted;    /* steps that the thread knows of */
		size_t step_held;    /* when held is so much */

		/* The block that the cursor is in. */
		uintptr_t base; /* where its objects begin */
		uintptr_t end;  /* where its packed strings begin: limit is
				 * this, rounded down */
		size_t passed;  /* bytes handed out of other blocks */
		size_t packed;  /* bytes of strings, all blocks */
		size_t held;    /* bytes of blocks and large objects */
		size_t from_source; /* of these, in no chunk */

		struct large *large;
		struct large *large_spare; /* records to use again */
		acre_cleanup *cleanups;
		/* Newest first. */
		struct region *children;
		struct region *next_sibling, *previous_sibling;
		struct region *parent;
		/* By acre_region_allocator, for its free: the object, and
		 * the top behind it. */
		void *last;
		uintptr_t last_end;

		/* Numbers large objects, cleanups and children, so that a
		 * rewind knows which came after its mark. */
		uint64_t serial;
		uint64_t born; /* the parent's serial at its birth */

		uintptr_t first_end; /* of the first block or buffer */
		/* 0: no limit. With a budget SIZE_MAX at most, so that 0 says
		 * that a block may just be taken. */
		size_t max_bytes;
		acre_budget *budget; /* charged with what is held, or NULL */
		const char *name;
	} more;
};

#define ALIGN_UP(n) \
	(((n) + (ACRE_ALIGN - 1)) & ~(uintptr_t)(ACRE_ALIGN - 1))
#define REGION_HEADER ALIGN_UP(sizeof(struct region))

static inline struct region *
region_of(acre_region *cursor)
{
	return (struct region *)cursor;
}

static inline struct bin *
region_bin(const struct region *region)
{
	return (struct bin *)(region->state & ~(uintptr_t)STATE_FLAGS);
}

/* The cache of the thread that opened it. */
static inline struct cache *
region_home(const struct region *region)
{
	return bin_cache(region_bin(region));
}

static inline acre_pool *
pool_of(const struct region *region)
{
	return region_home(region)->member.pool;
}

static inline unsigned
region_order(const struct region *region)
{
	return bin_order(region_bin(region));
}

/* Where objects begin in the region's first block. */
static inline uintptr_t
region_first_object(const struct region *region)
{
	return (uintptr_t)region + REGION_HEADER;
}

/* Begin to use region->more. */
void region_begin_more(struct region *region);

static inline struct more *
region_more(struct region *region)
{
	if (!(region->state & STATE_MORE))
		region_begin_more(region);
	return &region->more;
}

/* ---- grow.c ---- */

/* An object of size bytes, no more than the pool's object_most, in a new block.
 * The cursor moves there when that leaves more room than where it stands.
 * NULL: errno is set. */
void *grow_alloc(struct region *region, size_t size);

/* Give back all blocks that region grew by, in constant time. What the blocks
 * were charged stays: it is for the caller to discharge, all in one. */
void grow_release(struct region *region);

/* Give back the blocks of an order that were taken since its chain was as
 * given; linear in them. The caller discharges them. */
void grow_release_to(struct region *region, unsigned order,
	const struct chain *before);

/* Which blocks come next, for a region that begins to use more; and for one
 * that has blocks already. */
void grow_begin(struct region *region);
void grow_resume(struct region *region);

/* Before region holds size bytes more: if they are within its limit, charge
 * them to its budget; else errno is set. */
bool grow_charge(const struct region *region, size_t size);

/* It does not, or no more. */
void grow_discharge(const struct region *region, size_t size);

/* ---- large.c ---- */

void *large_alloc(struct region *region, size_t size);
/* The large object that has p in it, or NULL. */
struct large *large_find(const struct region *region, const void *p);
/* NULL: errno is set and all is as it was. */
void *large_realloc(struct region *region, struct large *large, void *p,
	size_t size);
void large_free(struct region *region, struct large *large);
/* Free those with a serial beyond this one; the caller discharges them. */
void large_release(struct region *region, uint64_t serial);

/* ---- cleanup.c ---- */

/* Run the newest cleanup if its order is beyond serial; false: none is. */
bool cleanup_run(struct region *region, uint64_t serial);

/* ---- region.c ---- */

/* Close children and run cleanups that are younger than serial, until there
 * are none. */
void region_finish(struct region *region, uint64_t serial);

/* Take a region out of its parent's children, if it has one. */
void region_leave_parent(struct region *region);

/* A retired region's limbo has ended: finish it, and give its memory back. */
void region_end_limbo(struct region *region);

/* Account for an allocation that failed: NULL, errno, the sticky flag. */
void *region_fail(struct region *region, int error);

/* ---- learn.c ---- */

/* The order that a region opens with, when its bin has no block at hand. */
unsigned learn_order(struct cache *cache);

/* region has outgrown its first block. */
void learn_outgrown(struct cache *cache, const struct region *region);

#endif
