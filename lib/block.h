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
 * touched), or a chain, linked through the blocks' first words:
 *
 *   first                          rest
 *     |                              |
 *     v   next                       v   skip
 *   [ 7 ] -> [ 6 ] -> [ 5 ]  ->    [ 4 ] ------------------> NULL
 *                                    \-> [ 3 ] -> [ 2 ] -> [ 1 ]
 *   |---- count % 4 blocks ----|   |------- 4 blocks, ... ------|
 *
 * (here with 4 blocks to a full batch). A chain's blocks are numbered from its
 * end; the last next is not defined, count says where a chain ends. In a chain
 * that is longer than a full batch, each block whose number is a multiple of
 * the full batch's size has skip, the one before it of that kind, and rest is
 * what follows the first piece: so a full batch is cut off without a walk.
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

struct batch {
	struct block *first;
	struct block *rest; /* chain: see above; NULL in an extent */
	size_t count;       /* blocks */
	bool linked;        /* a chain, not an extent */
};

/*
 * Take the first piece off batch: at most full blocks (a power of two, the one
 * that the chain was built with). batch keeps the others.
 */
static inline struct batch
batch_cut(struct batch *batch, size_t full, size_t block_size)
{
	struct batch piece = *batch;

	piece.rest = NULL;
	if (batch->count <= full) {
		batch->count = 0;
		return piece;
	}
	if (batch->linked) {
		piece.count = batch->count % full ? batch->count % full : full;
		batch->count -= piece.count;
		batch->first = batch->rest;
		batch->rest = batch->count > full ? batch->first->skip : NULL;
	} else {
		piece.count = full;
		batch->count -= full;
		batch->first = (struct block *)((char *)batch->first +
			full * block_size);
	}
	return piece;
}

/* Take the first block off batch, which has one. */
static inline struct block *
batch_take(struct batch *batch, size_t block_size)
{
	struct block *block = batch->first;

	assert(batch->count > 0);
	if (!batch->linked)
		batch->first = (struct block *)((char *)block + block_size);
	else
		batch->first = block->next;
	batch->count--;
	if (batch->rest && batch->first == batch->rest)
		batch->rest = batch->rest->skip; /* unused when the last */
	return block;
}

#endif
