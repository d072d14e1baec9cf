/* SPDX-License-Identifier: MIT */
/*
 * table.c - where the records of chunks stand.
 *
 *   grow --> arrived --> table     [ 0x10.. ] [ 0x20.. ] [ 0x80.. ]
 *
 * Who has taken a chunk pushes it onto `arrived`, without a lock. Who wants to
 * know which chunk a page is in has the lock, and lets what has arrived into
 * the table, which is sorted by address. Without memory for a larger table the
 * chunks stay where they are, and their pages are not found until there is.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/chunk.h"

static void
count_chunk(struct chunks *chunks, const struct chunk *chunk)
{
	/* Seq_cst: see decay.c. */
	add_seq_cst(&chunks->count, 1);
	add_relaxed(&chunks->slack, chunk_slack(chunks, chunk));
}

static void
push_arrived(struct chunks *chunks, struct chunk *first, struct chunk *last)
{
	last->next = load_relaxed(&chunks->arrived);
	/* Release: pairs with the exchange in let_in(). */
	while (!cas_release(&chunks->arrived, &last->next, first))
		;
}

void
chunks_enlist(struct chunks *chunks, struct chunk *chunk)
{
	count_chunk(chunks, chunk);
	push_arrived(chunks, chunk, chunk);
}

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
	/* Acquire: pairs with push_arrived(). */
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
chunks_all_known(struct chunks *chunks)
{
	bool known;

	pthread_mutex_lock(&chunks->lock);
	known = !load_relaxed(&chunks->arrived);
	let_in(chunks);
	pthread_mutex_unlock(&chunks->lock);
	return known;
}

void
chunks_delist(struct chunks *chunks, const struct chunk *chunk)
{
	struct chunk **place =
		&chunks->table[chunks_rank(chunks, chunk->pages)];

	chunks->table_count--;
	for (; place < chunks->table + chunks->table_count; place++)
		*place = place[1];
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
		chunks_enlist(chunks, fresh);
	source_recount(&chunks->source, large +
		load_relaxed(&chunks->count) * chunks->chunk_size);
}
