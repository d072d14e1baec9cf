/* SPDX-License-Identifier: MIT */
/*
 * chunk.c - takes chunks from the source, carves them, gives them back.
 *
 * One chunk is fresh: threads take extents off it by moving its carved count
 * with a compare-and-swap, so no list and no lock stands between them and
 * memory that nobody has touched. Who finds it too small asks the source and
 * swaps the new chunk in; of several that do so at once, one wins, and the
 * others give their chunk back before anybody has seen it: so a burst of
 * threads costs one chunk, not one each.
 *
 *            carve  grow  take     -  needs nothing of the other
 *   carve      -      -     R      R  reads fresh and the record under RCU;
 *   grow       -      -     R         what was taken is freed a grace period
 *   take       R      R     L         later. L: the lock
 *
 * A chunk is taken out (chunks_take) by who holds all pages that were carved
 * of it, and only if a compare-and-swap of its carved count to the end says
 * that no more were: so no page of it is out, and nobody gets one any more.
 * Its memory goes back at once. Only its record may still be looked at, by who
 * has read fresh before, or has just swapped it out and comes for its rest.
 *
 * A source's memory need not be aligned: pages begin at the first OS page
 * boundary, which leaves at most one page's worth of slack.
 */
#include "lib/chunk.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grace.h"
#include "lib/rcu.h"

/* Inside a read-side section. */
static bool
carve(const struct chunks *chunks, struct chunk *chunk, unsigned order,
	size_t most, struct batch *batch)
{
	size_t at = load_relaxed(&chunk->carved);
	size_t count;

	do {
		count = (chunk->page_count - at) >> order;
		if (!count)
			return false;
		if (count > most)
			count = most;
	} while (!cas_relaxed(&chunk->carved, &at, at + (count << order)));
	*batch = (struct batch){
		.first = (struct block *)(chunk->pages +
			at * chunks->page_size),
		.count = count,
	};
	return true;
}

bool
chunks_carve(struct chunks *chunks, unsigned order, size_t most,
	struct chunk **seen, struct batch *batch)
{
	bool carved;

	rcu_enter();
	/* Acquire: pairs with the swap in publish(). */
	*seen = load_acquire(&chunks->fresh);
	carved = *seen && carve(chunks, *seen, order, most, batch);
	rcu_leave();
	return carved;
}

/* Where pages begin. A chunk of a single page has no room for alignment. */
static char *
first_page(const struct chunks *chunks, void *memory)
{
	size_t mask = chunks->os_page_size - 1;

	if (chunks->chunk_size == chunks->page_size)
		return memory;
	return (char *)(((uintptr_t)memory + mask) & ~(uintptr_t)mask);
}

/* With room for the bits of as many pages as there can be. */
static struct chunk *
make_record(const struct chunks *chunks)
{
	size_t words = (chunks->chunk_size / chunks->page_size + 63) / 64;
	size_t size = sizeof(struct chunk) + 2 * words * sizeof(uint64_t);
	struct chunk *chunk;

	size = (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	chunk = aligned_alloc(CACHE_LINE, size);
	return chunk ? memset(chunk, 0, size) : NULL;
}

/* A chunk that nobody else knows of yet, its bytes not yet settled. */
static struct chunk *
ask(struct chunks *chunks, size_t *reserved, int *error)
{
	struct chunk *chunk = make_record(chunks);
	char *end;

	*error = ENOMEM;
	if (!chunk)
		return NULL;
	chunk->memory = source_take(&chunks->source, chunks->chunk_size,
		reserved, error);
	if (!chunk->memory) {
		free(chunk);
		return NULL;
	}
	end = (char *)chunk->memory + chunks->chunk_size;
	chunk->pages = first_page(chunks, chunk->memory);
	chunk->page_count = (size_t)(end - chunk->pages) / chunks->page_size;
	atomic_init(&chunk->carved, 0);
	return chunk;
}

static void
give_back(struct chunks *chunks, struct chunk *chunk)
{
	source_give(&chunks->source, chunk->memory, chunks->chunk_size);
	free(chunk);
}

/* Swap chunk in for the one that was seen. */
static bool
publish(struct chunks *chunks, struct chunk *seen, struct chunk *chunk)
{
	/* Release: the record is complete before it is visible. Pairs with
	 * the acquire in chunks_carve. Seq_cst: the unlink of the one that was
	 * seen comes before the load in grace_needed(). */
	if (!cas_strong_seq_cst(&chunks->fresh, &seen, chunk))
		return false;
	chunks_enlist(chunks, chunk);
	return true;
}

/* Take all that a chunk has left; nobody can carve it from now on. */
static void
take_rest(const struct chunks *chunks, struct chunk *chunk, struct run *rest)
{
	size_t at = exchange_relaxed(&chunk->carved, chunk->page_count);

	rest->first = chunk->pages + at * chunks->page_size;
	rest->at = at;
	rest->pages = chunk->page_count - at;
}

/* Has somebody else made another chunk the fresh one? */
static bool
has_grown(const struct chunks *chunks, const struct chunk *seen)
{
	return load_acquire(&chunks->fresh) != seen;
}

static int
grow(struct chunks *chunks, struct chunk *seen, struct run *rest,
	size_t *reserved)
{
	int error;
	struct chunk *chunk = ask(chunks, reserved, &error);
	bool published;

	if (!chunk)
		return error;
	rcu_enter();
	published = publish(chunks, seen, chunk);
	if (published && seen)
		take_rest(chunks, seen, rest);
	rcu_leave();
	source_settle(&chunks->source, chunks->chunk_size);
	if (!published)
		give_back(chunks, chunk);
	return 0;
}

int
chunks_grow(struct chunks *chunks, struct chunk *seen, struct run *rest)
{
	size_t reserved;
	int error;

	*rest = (struct run){0};
	for (;;) {
		if (has_grown(chunks, seen))
			return 0;
		error = grow(chunks, seen, rest, &reserved);
		if (error != EAGAIN ||
			!source_has_changed(&chunks->source, reserved))
			break;
		sched_yield();
	}
	return error && has_grown(chunks, seen) ? 0 : error;
}

/* ---- taken out and given back ---- */

bool
chunks_take(struct chunks *chunks, struct chunk *chunk, size_t carved)
{
	struct chunk *fresh = chunk;

	if (!cas_strong_relaxed(&chunk->carved, &carved, chunk->page_count))
		return false;
	/* Seq_cst: see publish(). */
	cas_strong_seq_cst(&chunks->fresh, &fresh, NULL);
	chunks_delist(chunks, chunk);
	return true;
}

void
chunks_forget(struct chunks *chunks)
{
	struct chunk **link = &chunks->gone;
	struct chunk *chunk;

	pthread_mutex_lock(&chunks->lock);
	/* Newest first. */
	while (*link && !grace_elapsed((*link)->needed))
		link = &(*link)->next;
	chunk = *link;
	*link = NULL;
	pthread_mutex_unlock(&chunks->lock);
	while (chunk) {
		struct chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void
chunks_give(struct chunks *chunks, struct chunk *chunk)
{
	sub_relaxed(&chunks->count, 1);
	sub_relaxed(&chunks->slack, chunk_slack(chunks, chunk));
	/* A malloc may keep what it is given. */
	source_purge(&chunks->source, chunk->memory, chunks->chunk_size);
	source_give(&chunks->source, chunk->memory, chunks->chunk_size);
	pthread_mutex_lock(&chunks->lock);
	chunk->needed = grace_needed();
	chunk->next = chunks->gone;
	chunks->gone = chunk;
	pthread_mutex_unlock(&chunks->lock);
}

/* ---- beginning and end ---- */

void
chunks_init(struct chunks *chunks)
{
	pthread_mutex_init(&chunks->lock, NULL);
}

static void
give_all(struct chunks *chunks, struct chunk *chunk)
{
	while (chunk) {
		struct chunk *next = chunk->next;

		give_back(chunks, chunk);
		chunk = next;
	}
}

void
chunks_release(struct chunks *chunks)
{
	give_all(chunks, load_acquire(&chunks->arrived));
	for (size_t i = 0; i < chunks->table_count; i++)
		give_back(chunks, chunks->table[i]);
	free(chunks->table);
	while (chunks->gone) {
		struct chunk *next = chunks->gone->next;

		free(chunks->gone);
		chunks->gone = next;
	}
	pthread_mutex_destroy(&chunks->lock);
}
