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
 * A source's memory need not be aligned: pages begin at the first OS page
 * boundary, which leaves at most one page's worth of slack.
 */
#include "lib/chunk.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

bool
chunks_carve(struct chunks *chunks, unsigned order, size_t most,
	struct chunk **seen, struct batch *batch)
{
	/* Acquire: pairs with the swap in publish(). */
	struct chunk *chunk = load_acquire(&chunks->fresh);
	size_t at, count;

	*seen = chunk;
	if (!chunk)
		return false;
	at = load_relaxed(&chunk->carved);
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

/* Where pages begin. A chunk of a single page has no room for alignment. */
static char *
first_page(const struct chunks *chunks, void *memory)
{
	size_t mask = chunks->os_page_size - 1;

	if (chunks->chunk_size == chunks->page_size)
		return memory;
	return (char *)(((uintptr_t)memory + mask) & ~(uintptr_t)mask);
}

/* A chunk that nobody else knows of yet, its bytes not yet settled. */
static struct chunk *
ask(struct chunks *chunks, size_t *reserved, int *error)
{
	struct chunk *chunk = aligned_alloc(CACHE_LINE, sizeof(*chunk));
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

static size_t
slack_of(const struct chunks *chunks, const struct chunk *chunk)
{
	return chunks->chunk_size - chunk->page_count * chunks->page_size;
}

static void
enlist(struct chunks *chunks, struct chunk *chunk)
{
	add_relaxed(&chunks->count, 1);
	add_relaxed(&chunks->slack, slack_of(chunks, chunk));
	chunk->next = load_relaxed(&chunks->all);
	while (!cas_release(&chunks->all, &chunk->next, chunk))
		;
}

/* Swap chunk in for the one that was seen. */
static bool
publish(struct chunks *chunks, struct chunk *seen, struct chunk *chunk)
{
	/* Release: the record is complete before it is visible. Pairs with
	 * the acquire in chunks_carve. */
	if (!cas_strong_acq_rel(&chunks->fresh, &seen, chunk))
		return false;
	enlist(chunks, chunk);
	return true;
}

/* Take all that a chunk has left; nobody can carve it from now on. */
static void
take_rest(const struct chunks *chunks, struct chunk *chunk, char **rest,
	size_t *rest_pages)
{
	size_t at = exchange_relaxed(&chunk->carved, chunk->page_count);

	*rest = chunk->pages + at * chunks->page_size;
	*rest_pages = chunk->page_count - at;
}

/* Has somebody else made another chunk the fresh one? */
static bool
has_grown(const struct chunks *chunks, const struct chunk *seen)
{
	return load_acquire(&chunks->fresh) != seen;
}

static int
grow(struct chunks *chunks, struct chunk *seen, char **rest,
	size_t *rest_pages, size_t *reserved)
{
	int error;
	struct chunk *chunk = ask(chunks, reserved, &error);
	bool published;

	if (!chunk)
		return error;
	published = publish(chunks, seen, chunk);
	source_settle(&chunks->source, chunks->chunk_size);
	if (!published)
		give_back(chunks, chunk);
	else if (seen)
		take_rest(chunks, seen, rest, rest_pages);
	return 0;
}

int
chunks_grow(struct chunks *chunks, struct chunk *seen, char **rest,
	size_t *rest_pages)
{
	size_t reserved;
	int error;

	*rest_pages = 0;
	for (;;) {
		if (has_grown(chunks, seen))
			return 0;
		error = grow(chunks, seen, rest, rest_pages, &reserved);
		if (error != EAGAIN ||
			!source_has_changed(&chunks->source, reserved))
			break;
		sched_yield();
	}
	return error && has_grown(chunks, seen) ? 0 : error;
}

void
chunks_release(struct chunks *chunks)
{
	struct chunk *chunk = load_acquire(&chunks->all);

	while (chunk) {
		struct chunk *next = chunk->next;

		give_back(chunks, chunk);
		chunk = next;
	}
}

size_t
chunks_uncarved(const struct chunks *chunks)
{
	size_t pages = 0;

	for (const struct chunk *chunk = load_acquire(&chunks->all); chunk;
		chunk = chunk->next)
		pages += chunk->page_count - load_relaxed(&chunk->carved);
	return pages * chunks->page_size;
}

void
chunks_recount(struct chunks *chunks, size_t large)
{
	struct chunk *fresh = load_relaxed(&chunks->fresh);
	size_t count = 0, slack = 0;
	bool listed = !fresh;

	for (struct chunk *chunk = load_relaxed(&chunks->all); chunk;
		chunk = chunk->next) {
		count++;
		slack += slack_of(chunks, chunk);
		listed = listed || chunk == fresh;
	}
	store_relaxed(&chunks->count, count);
	store_relaxed(&chunks->slack, slack);
	if (!listed)
		enlist(chunks, fresh);
	source_recount(&chunks->source, large +
		load_relaxed(&chunks->count) * chunks->chunk_size);
}
