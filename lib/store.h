/* SPDX-License-Identifier: MIT */
/*
 * store.h - free pages, sorted by the chunk that they are in.
 *
 * A list knows batches, not chunks. So a trim takes batches off the lists and
 * puts their pages here, one bit each: a chunk all of whose carved pages are
 * stored can go back to the source, and pages next to each other become larger
 * blocks again. What is in the store is free: who finds the lists empty takes
 * from here before new memory is carved.
 *
 * A page is clean when it was purged and not touched since. Clean pages here
 * and in the lists are counted: they are idle, but not in memory.
 */
#ifndef ACRE_LIB_STORE_H
#define ACRE_LIB_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/chunk.h"

/*
 * Put blocks of an order into the store, until it knows a block's chunk not
 * (see chunks_find): *batch keeps that and what follows.
 *
 * Threads: any. Progress: takes the chunks' lock.
 */
void store_put(struct chunks *chunks, unsigned order, struct batch *batch);

/*
 * Take an extent of most blocks of an order at most. It looks at a few chunks
 * that have pages, so it may miss blocks of several, but never the last page.
 */
bool store_take(struct chunks *chunks, unsigned order, size_t most,
	struct batch *batch);

/* Take the longest run that begins with the store's next page; mixed: of clean
 * pages and others. false: the store is empty. */
bool store_take_run(struct chunks *chunks, bool mixed, struct run *run);

/* Take the first run of pages that are not clean, most at most, at an address
 * of from or beyond. */
bool store_take_dirty(struct chunks *chunks, const char *from, size_t most,
	struct run *run);

/* Put a run back. */
void store_put_run(struct chunks *chunks, const struct run *run);

/* Take a chunk whose pages are all stored, to be given to chunks_give: *stored
 * of them were carved, *clean of these clean. NULL: there is none. */
struct chunk *store_take_chunk(struct chunks *chunks, size_t *stored,
	size_t *clean);

/* Take the fresh chunk, if nobody has carved it; else NULL. */
struct chunk *store_take_fresh(struct chunks *chunks);

/* Pages in the store. */
static inline size_t
store_pages(const struct chunks *chunks)
{
	return load_relaxed(&chunks->stored);
}

#endif
