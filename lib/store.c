/* SPDX-License-Identifier: MIT */
/*
 * store.c - which pages of which chunk are free.
 *
 *   chunks.table   [ 0x10.. ] [ 0x20.. ] [ 0x80.. ]     by address
 *                      |          |
 *   stored          11110111   11111111 --> chunks.whole
 *   clean           00000000   00001111
 *   chunks.cursor --> ring of those that have stored pages
 *
 * All under the chunks' lock, which is held for one batch at a time: so a trim
 * of any size stops nobody for long.
 */
#include "lib/store.h"

#include <limits.h>

#define WORD 64
#define CHUNKS_SEEN 64 /* by a store_take */

static size_t
words_of(const struct chunks *chunks)
{
	return (chunks->chunk_size / chunks->page_size + WORD - 1) / WORD;
}

static uint64_t *
clean_bits(const struct chunks *chunks, struct chunk *chunk)
{
	return chunk->bits + words_of(chunks);
}

static bool
get(const uint64_t *bits, size_t i)
{
	return bits[i / WORD] >> i % WORD & 1;
}

static void
set(uint64_t *bits, size_t i, bool value)
{
	uint64_t bit = (uint64_t)1 << i % WORD;

	bits[i / WORD] = value ? bits[i / WORD] | bit : bits[i / WORD] & ~bit;
}

/* ---- the ring of chunks that have something ---- */

/* As the last that the cursor comes to. */
static void
join_ring(struct chunks *chunks, struct chunk *chunk)
{
	struct chunk *next = chunks->cursor;

	if (!next)
		next = chunks->cursor = chunk->previous_stored = chunk;
	chunk->next_stored = next;
	chunk->previous_stored = next->previous_stored;
	chunk->previous_stored->next_stored = chunk;
	next->previous_stored = chunk;
	chunks->with_stored++;
}

static void
leave_ring(struct chunks *chunks, struct chunk *chunk)
{
	chunk->next_stored->previous_stored = chunk->previous_stored;
	chunk->previous_stored->next_stored = chunk->next_stored;
	if (chunks->cursor == chunk)
		chunks->cursor = chunk->next_stored;
	chunks->with_stored--;
	if (!chunks->with_stored)
		chunks->cursor = NULL;
	/* It may be one of those. */
	if (chunks->vain)
		chunks->vain--;
}

static void
add(struct chunks *chunks, struct chunk *chunk, size_t pages)
{
	if (!chunk->stored)
		join_ring(chunks, chunk);
	chunk->stored += pages;
	if (!chunk->stored)
		leave_ring(chunks, chunk);
	store_relaxed(&chunks->stored, store_pages(chunks) + pages);
}

/* ---- in ---- */

/* Are all that were carved here? Then it may be given back. */
static void
list_if_whole(struct chunks *chunks, struct chunk *chunk)
{
	if (chunk->is_listed || chunk->stored != load_relaxed(&chunk->carved))
		return;
	chunk->is_listed = true;
	chunk->next_whole = load_relaxed(&chunks->whole);
	store_relaxed(&chunks->whole, chunk);
}

static bool
put(struct chunks *chunks, const char *block, size_t pages, bool clean)
{
	struct chunk *chunk = chunks_find(chunks, block);
	size_t first;

	if (!chunk)
		return false;
	first = (size_t)(block - chunk->pages) / chunks->page_size;
	for (size_t i = first; i < first + pages; i++) {
		set(chunk->bits, i, true);
		set(clean_bits(chunks, chunk), i, clean);
	}
	add(chunks, chunk, pages);
	if (clean)
		add_relaxed(&chunks->clean, pages);
	chunk->barren = UINT_MAX;
	store_relaxed(&chunks->barren, UINT_MAX);
	chunks->vain = 0;
	chunks->vain_order = 0;
	list_if_whole(chunks, chunk);
	return true;
}

void
store_put(struct chunks *chunks, unsigned order, struct batch *batch)
{
	size_t pages = (size_t)1 << order;

	pthread_mutex_lock(&chunks->lock);
	while (batch->count > 0) {
		const char *block = (const char *)batch->first;

		if (!put(chunks, block, pages, batch->clean))
			break;
		batch_take(batch, pages * chunks->page_size);
	}
	pthread_mutex_unlock(&chunks->lock);
}

/* ---- out ---- */

/* The first stored page from i on, or page_count. */
static size_t
next_stored(const struct chunk *chunk, size_t i)
{
	while (i < chunk->page_count && !get(chunk->bits, i))
		i = i % WORD || chunk->bits[i / WORD] ? i + 1 : i + WORD;
	return i < chunk->page_count ? i : chunk->page_count;
}

/* How many stored pages follow from first on, most at most. */
static size_t
run_length(const struct chunk *chunk, size_t first, size_t most)
{
	size_t i = first;

	while (i < chunk->page_count && i - first < most &&
		get(chunk->bits, i))
		i++;
	return i - first;
}

/* Take pages out; returns how many of them are clean. */
static size_t
take_pages(struct chunks *chunks, struct chunk *chunk, size_t first,
	size_t pages)
{
	size_t clean = 0;

	for (size_t i = first; i < first + pages; i++) {
		clean += get(clean_bits(chunks, chunk), i);
		set(chunk->bits, i, false);
	}
	add(chunks, chunk, 0 - pages);
	if (clean)
		sub_relaxed(&chunks->clean, clean);
	return clean;
}

static bool
take_from(struct chunks *chunks, struct chunk *chunk, unsigned order,
	size_t most, struct batch *batch)
{
	size_t first = next_stored(chunk, 0);
	size_t length = 0, skip;

	while (first < chunk->page_count) {
		length = run_length(chunk, first, (most + 1) << order);
		if (length >> order > 0)
			break;
		first = next_stored(chunk, first + length);
	}
	if (first >= chunk->page_count)
		return false;
	skip = run_skip(first, length, order);
	first += skip;
	length = (length - skip) >> order;
	length = (length < most ? length : most) << order;
	take_pages(chunks, chunk, first, length);
	*batch = (struct batch){
		.first = (struct block *)(chunk->pages +
			first * chunks->page_size),
		.count = length >> order,
	};
	return true;
}

/* All have been seen in vain. */
static void
note_barren(struct chunks *chunks)
{
	store_relaxed(&chunks->barren, chunks->vain_order);
	chunks->vain = 0;
	chunks->vain_order = 0;
}

/* With the lock. From the next few chunks. Each is searched once in vain for an
 * order, and when all have been, so is the store, until more is put there. */
static bool
take_next(struct chunks *chunks, unsigned order, size_t most,
	struct batch *batch)
{
	for (size_t i = 0; i < CHUNKS_SEEN && chunks->cursor; i++) {
		struct chunk *chunk = chunks->cursor;

		if (order < chunk->barren && chunk->stored >> order > 0 &&
			take_from(chunks, chunk, order, most, batch))
			return true;
		if (order < chunk->barren)
			chunk->barren = order;
		chunks->cursor = chunk->next_stored;
		chunks->vain++;
		if (order > chunks->vain_order)
			chunks->vain_order = order;
	}
	if (chunks->vain >= chunks->with_stored)
		note_barren(chunks);
	return false;
}

bool
store_take(struct chunks *chunks, unsigned order, size_t most,
	struct batch *batch)
{
	bool taken;

	if (!store_pages(chunks) || order >= load_relaxed(&chunks->barren))
		return false;
	pthread_mutex_lock(&chunks->lock);
	taken = take_next(chunks, order, most, batch);
	pthread_mutex_unlock(&chunks->lock);
	return taken;
}

static void
take_run(struct chunks *chunks, struct chunk *chunk, size_t first,
	size_t pages, struct run *run)
{
	run->first = chunk->pages + first * chunks->page_size;
	run->at = first;
	run->pages = pages;
	run->clean = take_pages(chunks, chunk, first, pages);
}

/* How many pages follow from first on that are clean as that is, or not. */
static size_t
like_first(const struct chunks *chunks, struct chunk *chunk, size_t first,
	size_t most)
{
	const uint64_t *clean = clean_bits(chunks, chunk);
	size_t i = first;

	while (i - first < most && get(clean, i) == get(clean, first))
		i++;
	return i - first;
}

bool
store_take_run(struct chunks *chunks, bool mixed, struct run *run)
{
	struct chunk *chunk;

	pthread_mutex_lock(&chunks->lock);
	chunk = chunks->cursor;
	if (chunk) {
		size_t first = next_stored(chunk, 0);
		size_t pages = run_length(chunk, first, chunk->page_count);

		if (!mixed)
			pages = like_first(chunks, chunk, first, pages);
		take_run(chunks, chunk, first, pages, run);
	}
	pthread_mutex_unlock(&chunks->lock);
	return chunk;
}

/* The first stored page from i on that is not clean, or page_count. */
static size_t
next_dirty(struct chunks *chunks, struct chunk *chunk, size_t i)
{
	do
		i = next_stored(chunk, i);
	while (i < chunk->page_count && get(clean_bits(chunks, chunk), i) &&
		++i);
	return i;
}

static bool
take_dirty(struct chunks *chunks, struct chunk *chunk, size_t first,
	size_t most, struct run *run)
{
	size_t dirty = next_dirty(chunks, chunk, first);
	size_t end = dirty;

	while (end < chunk->page_count && end - dirty < most &&
		get(chunk->bits, end) && !get(clean_bits(chunks, chunk), end))
		end++;
	if (end == dirty)
		return false;
	take_run(chunks, chunk, dirty, end - dirty, run);
	return true;
}

bool
store_take_dirty(struct chunks *chunks, const char *from, size_t most,
	struct run *run)
{
	bool taken = false;

	pthread_mutex_lock(&chunks->lock);
	for (size_t i = chunks_rank(chunks, from); !taken &&
		i < chunks->table_count; i++) {
		struct chunk *chunk = chunks->table[i];
		size_t first = from > chunk->pages ?
			(size_t)(from - chunk->pages) / chunks->page_size : 0;

		taken = chunk->stored && first < chunk->page_count &&
			take_dirty(chunks, chunk, first, most, run);
	}
	pthread_mutex_unlock(&chunks->lock);
	return taken;
}

void
store_put_run(struct chunks *chunks, const struct run *run)
{
	pthread_mutex_lock(&chunks->lock);
	put(chunks, run->first, run->pages, run_is_clean(run));
	pthread_mutex_unlock(&chunks->lock);
}

/* With the lock. The next chunk that was whole when it was listed. */
static struct chunk *
next_whole(struct chunks *chunks)
{
	struct chunk *chunk = load_relaxed(&chunks->whole);

	if (chunk) {
		store_relaxed(&chunks->whole, chunk->next_whole);
		chunk->is_listed = false;
	}
	return chunk;
}

struct chunk *
store_take_chunk(struct chunks *chunks, size_t *stored, size_t *clean)
{
	struct chunk *chunk;

	if (!load_relaxed(&chunks->whole))
		return NULL;
	pthread_mutex_lock(&chunks->lock);
	do {
		chunk = next_whole(chunks);
	} while (chunk && !(chunk->stored &&
		chunks_take(chunks, chunk, chunk->stored)));
	if (chunk) {
		*stored = chunk->stored;
		*clean = take_pages(chunks, chunk, 0, chunk->stored);
	}
	pthread_mutex_unlock(&chunks->lock);
	return chunk;
}

/* With the lock, no chunk is taken by others, and so none is freed. One that
 * has not arrived yet is left alone. */
struct chunk *
store_take_fresh(struct chunks *chunks)
{
	struct chunk *chunk;

	pthread_mutex_lock(&chunks->lock);
	/* Acquire: pairs with the swap in publish(). */
	chunk = load_acquire(&chunks->fresh);
	if (chunk && (load_relaxed(&chunk->carved) ||
		chunks_find(chunks, chunk->pages) != chunk ||
		!chunks_take(chunks, chunk, 0)))
		chunk = NULL;
	pthread_mutex_unlock(&chunks->lock);
	return chunk;
}
