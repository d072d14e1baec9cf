/* SPDX-License-Identifier: MIT */
/*
 * block.h - blocks of pages, and batches of blocks.
 *
 * A block of order k is 2^k pages next to each other; a page is a block of
 * order 0. Whoever holds a block is the only one to read or write its
 * memory, so nothing here is atomic.
 *
 * A batch is blocks of one order that move in one step. It is an extent,
 * blocks next to each other that were never linked (fresh memory, not yet
 * touched), or a chain, linked through the blocks' first words in the order
 * in which they were taken:
 *
 *   first
 *     |     next                            skip of 1
 *     v                                  ------------>
 *   [ 1 ] -> [ 2 ] -> [ 3 ] -> [ 4 ]  ->  [ 5 ] -> [ 6 ] -> [ 7 ]
 *   |--------- a full batch --------|     |------- the rest ------|
 *
 * (here with 4 blocks to a full batch). The last next is not defined, count
 * says where a chain ends. In a chain that is longer than a full batch, each
 * block that begins a full batch, but the last, has skip, the one that begins
 * the next: so a full batch is cut off without a walk.
 */
#ifndef ACRE_LIB_BLOCK_H
#define ACRE_LIB_BLOCK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct block {
	struct block *next;
	struct block *skip;
};

/* What a block in a region has before its objects, aligned as these. */
#define BLOCK_HEADER 16

_Static_assert(sizeof(struct block) <= BLOCK_HEADER, "no room for the links");

struct batch {
	struct block *first;
	size_t count; /* blocks */
	bool linked;  /* a chain, not an extent */
	bool clean;   /* an extent that was purged and not touched since */
};

/*
 * Take the first piece off batch: at most full blocks (a power of two, the one
 * that the chain was built with). batch keeps the others.
 */
static inline struct batch
batch_cut(struct batch *batch, size_t full, size_t block_size)
{
	struct batch piece = *batch;

	if (batch->count <= full) {
		batch->count = 0;
		return piece;
	}
	piece.count = full;
	batch->count -= full;
	batch->first = batch->linked ? batch->first->skip :
		(struct block *)((char *)batch->first + full * block_size);
	return piece;
}

/* Take the first block off batch: not empty, and no more than a full one. */
static inline struct block *
batch_take(struct batch *batch, size_t block_size)
{
	struct block *block = batch->first;

	assert(batch->count > 0);
	batch->count--;
	batch->first = batch->linked ? block->next :
		(struct block *)((char *)block + block_size);
	return block;
}

/*
 * A chain that grows at its end. full is the size of a full batch.
 */
struct chain {
	struct block *first;
	struct block *last;
	struct block *boundary; /* the last that begins a full batch */
	size_t count;
};

static inline void
chain_append(struct chain *chain, struct block *block, size_t full)
{
	if (!(chain->count & (full - 1))) {
		if (chain->count)
			chain->boundary->skip = block;
		chain->boundary = block;
	}
	if (chain->count++)
		chain->last->next = block;
	else
		chain->first = block;
	chain->last = block;
}

/*
 * What a closed region leaves behind when it is too large for a cache: its
 * first block, which the bundle itself is in, and a chain of each order.
 */
#define BUNDLE_ORDERS 7

struct bundle {
	struct bundle *next;
	struct block *home; /* the block that this is in */
	unsigned home_order;
	struct chain chains[BUNDLE_ORDERS];
};

#endif
