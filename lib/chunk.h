/* SPDX-License-Identifier: MIT */
/*
 * chunk.h - chunks from the source, and the pages carved from them.
 */
#ifndef ACRE_LIB_CHUNK_H
#define ACRE_LIB_CHUNK_H

#include <pthread.h>
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
	void *memory;      /* what the source gave */
	char *pages;       /* the first page */
	size_t page_count;
	struct chunk *next; /* in chunks.arrived or chunks.gone */
	uint64_t needed;    /* gone: the grace period to outlive */

	/* store.c's, under chunks.lock. */
	size_t stored;      /* pages */
	struct chunk *next_stored, *previous_stored; /* in chunks.cursor */
	bool is_listed;     /* in chunks.whole */
	struct chunk *next_whole;
	unsigned barren; /* nothing of this order or more since the last put */

	alignas(CACHE_LINE) _Atomic(size_t) carved; /* pages */

	/* store.c's: which pages are stored; behind them, which are clean. */
	uint64_t bits[];
};

/* Pages next to each other. */
struct run {
	char *first;
	size_t at; /* the first one's place in its chunk */
	size_t pages;
	size_t clean; /* of these */
};

static inline bool
run_is_clean(const struct run *run)
{
	return run->clean == run->pages;
}

/*
 * How many of a run's pages come before its first block of an order, which
 * begins at a multiple of its size in its chunk, if one of the run does. So
 * what is in use leaves as many whole blocks beside it as it can.
 */
static inline size_t
run_skip(size_t at, size_t pages, unsigned order)
{
	size_t others = ((size_t)1 << order) - 1;
	size_t skip = (0 - at) & others;

	return skip + others < pages ? skip : 0;
}

struct chunks {
	struct source source;

	/* Fixed at creation. */
	size_t page_size;
	size_t os_page_size;
	size_t chunk_size;

	/* Any thread, atomics only. */
	alignas(CACHE_LINE) _Atomic(struct chunk *) fresh; /* being carved */
	_Atomic(struct chunk *) arrived; /* not in the table yet */
	_Atomic(size_t) count;       /* chunks */
	_Atomic(size_t) slack;       /* their bytes that are in no page */
	_Atomic(size_t) stored;      /* see store.h; written under lock */
	_Atomic(struct chunk *) whole; /* the same */
	_Atomic(unsigned) barren;    /* the same */
	_Atomic(size_t) clean;       /* the same: pages here and in lists */

	/* Held for a few instructions for each page that is sorted, while a
	 * trim is under way; never when the source runs. */
	alignas(CACHE_LINE) pthread_mutex_t lock;

	/* Under lock. */
	struct chunk **table; /* all but the arrived, by address */
	size_t table_count;
	struct chunk *cursor; /* a ring: all with stored pages */
	size_t with_stored;   /* chunks in it */
	size_t vain;          /* of them seen in vain since the last put, */
	unsigned vain_order; /* for orders up to this one */
	struct chunk *gone;  /* records of chunks that were given back */
};

static inline size_t
chunk_slack(const struct chunks *chunks, const struct chunk *chunk)
{
	return chunks->chunk_size - chunk->page_count * chunks->page_size;
}

void chunks_init(struct chunks *chunks);

/* ---- table.c ---- */

/* Count a new chunk, and let it arrive. Threads: any. Progress: lock-free. */
void chunks_enlist(struct chunks *chunks, struct chunk *chunk);

/* With the lock. Take chunk out of the table. */
void chunks_delist(struct chunks *chunks, const struct chunk *chunk);

/* With the lock. The chunk that a page is in; NULL: it has only just arrived,
 * or memory for the table is out. */
struct chunk *chunks_find(struct chunks *chunks, const void *page);

/* With the lock. The place in the table of the chunk that an address is in, or
 * else of the next. */
size_t chunks_rank(const struct chunks *chunks, const void *address);

/* Are all in the table? If not, memory for it may have been out when pages
 * were looked for; they are let in. Threads: any; takes the lock. */
bool chunks_all_known(struct chunks *chunks);

/* Bytes of pages that were never carved. Threads: any; takes the lock. */
size_t chunks_uncarved(struct chunks *chunks);

/* In a fork's child: count anew what other threads may have counted half;
 * large is what the source gave for other purposes. */
void chunks_recount(struct chunks *chunks, size_t large);

/* Around a fork: the lock. */
void chunks_before_fork(struct chunks *chunks);
void chunks_after_fork(struct chunks *chunks);

/* ---- chunk.c ---- */

/* Free the records of chunks that are gone, whose time has come. Takes the
 * lock. */
void chunks_forget(struct chunks *chunks);

/* With the lock. Let no thread carve chunk any more, if so many pages have
 * been carved of it, and take it out of the table. */
bool chunks_take(struct chunks *chunks, struct chunk *chunk, size_t carved);

/*
 * Give one that was taken back to the source. Its record is kept until the
 * grace period has elapsed that grace_needed() names.
 *
 * Threads: who took it, without the lock.
 */
void chunks_give(struct chunks *chunks, struct chunk *chunk);

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
 * changes. What the old one has left is handed over as *rest.
 *
 * Returns 0: carve again. EAGAIN: max_bytes stands in the way. ENOMEM: the
 * source has no more.
 * Threads: any. Progress: the source's; near max_bytes waits for other
 *          threads' calls of the source.
 */
int chunks_grow(struct chunks *chunks, struct chunk *seen, struct run *rest);

/* Give every chunk back. Nobody else may use chunks any more. */
void chunks_release(struct chunks *chunks);

#endif
