/* SPDX-License-Identifier: MIT */
/*
 * chunk.h - chunks from the source, and the pages carved from them.
 */
#ifndef ACRE_LIB_CHUNK_H
#define ACRE_LIB_CHUNK_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/block.h"
#include "lib/source.h"

/*
 * One chunk's record; the memory that it speaks of is elsewhere:
 *
 *   memory      pages              pages + carved * page       end
 *     | slack     |  handed out        |  never touched         | slack |
 */
struct chunk {
	struct chunk *next; /* in chunks.all */
	void *memory;       /* what the source gave */
	char *pages;        /* the first page */
	size_t page_count;
	alignas(CACHE_LINE) _Atomic(size_t) carved; /* pages */
};

struct chunks {
	struct source source;

	/* Fixed at creation. */
	size_t page_size;
	size_t os_page_size;
	size_t chunk_size;

	/* Any thread, atomics only. */
	alignas(CACHE_LINE) _Atomic(struct chunk *) fresh; /* being carved */
	_Atomic(struct chunk *) all; /* pushed only, until the end */
	_Atomic(size_t) count;       /* of all */
	_Atomic(size_t) slack;       /* their bytes that are in no page */
};

/*
 * Carve at most most blocks of 2^order pages from the fresh chunk, as an
 * extent. *seen is set to the fresh chunk, for chunks_grow.
 *
 * Returns false when it has no room for one.
 * Threads: any. Progress: lock-free.
 */
bool chunks_carve(struct chunks *chunks, unsigned order, size_t most,
	struct chunk **seen, struct batch *batch);

/*
 * Make a new chunk the fresh one, instead of the one that was seen when
 * carving failed. Another thread may have done that already: then nothing
 * changes. What the old one has left is handed over as *rest_pages pages at
 * *rest.
 *
 * Returns 0: carve again. EAGAIN: max_bytes stands in the way. ENOMEM: the
 * source has no more.
 * Threads: any. Progress: the source's; near max_bytes waits for other
 *          threads' calls of the source.
 */
int chunks_grow(struct chunks *chunks, struct chunk *seen, char **rest,
	size_t *rest_pages);

/* In a fork's child: count anew what other threads may have counted half;
 * large is what the source gave for other purposes. */
void chunks_recount(struct chunks *chunks, size_t large);

/* Give every chunk back. Nobody else may use chunks any more. */
void chunks_release(struct chunks *chunks);

/* Bytes of pages that were never carved. Threads: any. */
size_t chunks_uncarved(const struct chunks *chunks);

#endif
