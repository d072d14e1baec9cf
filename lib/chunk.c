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

static size_t
slack_of(const struct chunks *chunks, const struct chunk *chunk)
{
	return chunks->chunk_size - chunk->page_count * chunks->page_size;
}

static void
count_chunk(struct chunks *chunks, const struct chunk *chunk)
{
	/* Seq_cst: see decay.c. */
	add_seq_cst(&chunks->count, 1);
	add_relaxed(&chunks->slack, slack_of(chunks, chunk));
}

static void
push_arrived(struct chunks *chunks, struct chunk *first, struct chunk *last)
{
	last->next = load_relaxed(&chunks->arrived);
	/* Release: pairs with the exchange in let_in(). */
	while (!cas_release(&chunks->arrived, &last->next, first))
		;
}

static void
enlist(struct chunks *chunks, struct chunk *chunk)
{
	count_chunk(chunks, chunk);
	push_arrived(chunks, chunk, chunk);
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
	rcu_enter();
	published = publish(chunks, seen, chunk);
	if (published && seen)
		take_rest(chunks, seen, rest, rest_pages);
	rcu_leave();
	source_settle(&chunks->source, chunks->chunk_size);
	if (!published)
		give_back(chunks, chunk);
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

/* ---- the table ---- */

static int
compare(const void *a, const void *b)
{
	const struct chunk *const *x = a, *const *y = b;

	return ((*x)->pages > (*y)->pages) - ((*x)->pages < (*y)->pages);
}

static size_t
length(const struct chunk *chunk)
{
	size_t count = 0;

	for (; chunk; chunk = chunk->next)
		count++;
	return count;
}

/* Merge the first count of old and new, both sorted, into table. */
static void
merge(struct chunk **table, struct chunk **old, size_t old_count,
	struct chunk **new, size_t new_count)
{
	while (old_count && new_count)
		*table++ = compare(old, new) < 0 ? (old_count--, *old++) :
						   (new_count--, *new++);
	if (old_count)
		memcpy(table, old, old_count * sizeof(*old));
	if (new_count)
		memcpy(table, new, new_count * sizeof(*new));
}

/* With the lock. Let a list of chunks into the table; false: out of memory. */
static bool
extend(struct chunks *chunks, struct chunk *list)
{
	size_t more = length(list);
	size_t count = chunks->table_count + more;
	/* The second part is for sorting only. */
	struct chunk **table = malloc((count + more) * sizeof(struct chunk *));
	struct chunk **new = table ? table + count : NULL;

	if (!table)
		return false;
	for (size_t i = 0; list; list = list->next)
		new[i++] = list;
	qsort(new, more, sizeof(struct chunk *), compare);
	merge(table, chunks->table, chunks->table_count, new, more);
	free(chunks->table);
	chunks->table = table;
	chunks->table_count = count;
	return true;
}

/* With the lock. Let what has arrived into the table. */
static void
let_in(struct chunks *chunks)
{
	struct chunk *arrived, *last;

	if (!load_relaxed(&chunks->arrived))
		return;
	/* Acquire: pairs with enlist(). */
	arrived = exchange_acquire(&chunks->arrived, NULL);
	if (!arrived || extend(chunks, arrived))
		return;
	for (last = arrived; last->next; last = last->next)
		;
	push_arrived(chunks, arrived, last);
}

static const char *
end_of(const struct chunks *chunks, const struct chunk *chunk)
{
	return chunk->pages + chunk->page_count * chunks->page_size;
}

size_t
chunks_rank(const struct chunks *chunks, const void *address)
{
	size_t low = 0, high = chunks->table_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (end_of(chunks, chunks->table[middle]) <=
			(const char *)address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct chunk *
find_in_table(const struct chunks *chunks, const char *page)
{
	size_t i = chunks_rank(chunks, page);

	return i < chunks->table_count && chunks->table[i]->pages <= page ?
		chunks->table[i] : NULL;
}

struct chunk *
chunks_find(struct chunks *chunks, const void *page)
{
	struct chunk *chunk = find_in_table(chunks, page);

	if (chunk)
		return chunk;
	let_in(chunks);
	return find_in_table(chunks, page);
}

bool
chunks_take(struct chunks *chunks, struct chunk *chunk, size_t carved)
{
	struct chunk *fresh = chunk;
	struct chunk **place;

	if (!cas_strong_relaxed(&chunk->carved, &carved, chunk->page_count))
		return false;
	/* Seq_cst: see publish(). */
	cas_strong_seq_cst(&chunks->fresh, &fresh, NULL);
	chunks->table_count--;
	place = &chunks->table[chunks_rank(chunks, chunk->pages)];
	for (; place < chunks->table + chunks->table_count; place++)
		*place = place[1];
	return true;
}

/* With the lock. Free the records whose time has come, oldest last. */
static void
free_gone(struct chunks *chunks)
{
	struct chunk **link = &chunks->gone;
	struct chunk *chunk;

	while (*link && !grace_elapsed((*link)->needed))
		link = &(*link)->next;
	chunk = *link;
	*link = NULL;
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
	sub_relaxed(&chunks->slack, slack_of(chunks, chunk));
	/* A malloc may keep what it is given. */
	source_purge(&chunks->source, chunk->memory, chunks->chunk_size);
	source_give(&chunks->source, chunk->memory, chunks->chunk_size);
	pthread_mutex_lock(&chunks->lock);
	chunk->needed = grace_needed();
	chunk->next = chunks->gone;
	chunks->gone = chunk;
	free_gone(chunks);
	pthread_mutex_unlock(&chunks->lock);
}

/* ---- beginning, end, counts ---- */

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

static size_t
uncarved(const struct chunk *chunk)
{
	return chunk->page_count - load_relaxed(&chunk->carved);
}

size_t
chunks_uncarved(struct chunks *chunks)
{
	size_t pages = 0;

	pthread_mutex_lock(&chunks->lock);
	for (size_t i = 0; i < chunks->table_count; i++)
		pages += uncarved(chunks->table[i]);
	for (const struct chunk *chunk = load_acquire(&chunks->arrived); chunk;
		chunk = chunk->next)
		pages += uncarved(chunk);
	pthread_mutex_unlock(&chunks->lock);
	return pages * chunks->page_size;
}

/* ---- fork ---- */

void
chunks_before_fork(struct chunks *chunks)
{
	pthread_mutex_lock(&chunks->lock);
}

void
chunks_after_fork(struct chunks *chunks)
{
	pthread_mutex_unlock(&chunks->lock);
}

/* Is the fresh chunk known? */
static bool
is_enlisted(const struct chunks *chunks, const struct chunk *fresh)
{
	const struct chunk *chunk = load_relaxed(&chunks->arrived);

	while (chunk && chunk != fresh)
		chunk = chunk->next;
	return chunk || find_in_table(chunks, fresh->pages);
}

void
chunks_recount(struct chunks *chunks, size_t large)
{
	struct chunk *fresh = load_relaxed(&chunks->fresh);

	store_relaxed(&chunks->count, 0);
	store_relaxed(&chunks->slack, 0);
	for (size_t i = 0; i < chunks->table_count; i++)
		count_chunk(chunks, chunks->table[i]);
	for (struct chunk *chunk = load_relaxed(&chunks->arrived); chunk;
		chunk = chunk->next)
		count_chunk(chunks, chunk);
	if (fresh && !is_enlisted(chunks, fresh))
		enlist(chunks, fresh);
	source_recount(&chunks->source, large +
		load_relaxed(&chunks->count) * chunks->chunk_size);
}
