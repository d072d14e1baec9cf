/* SPDX-License-Identifier: MIT */
/*
 * pairs.c - hands filled regions over through bounded queues.
 *
 * A queue is a ring under a mutex: the one thing here that orders what a
 * filler wrote before what a closer reads.
 */
#include "stress/pairs.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "lib/atomic.h"
#include "stress/filled.h"

#define QUEUE_PLACES 16

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct filled *places[QUEUE_PLACES];
	unsigned first;
	unsigned count;
	bool ended; /* nothing more will be pushed */
};

struct worker {
	pthread_t thread;
	struct pairs *pairs;
	unsigned number;
	struct tally tally;
	alignas(CACHE_LINE) _Atomic(uint64_t) progress;
};

struct pairs {
	acre_pool *pool;
	size_t page_size;
	size_t objects;
	unsigned count; /* of fillers, of closers, of queues */
	struct queue *queues;
	struct worker *workers; /* fillers, then closers */
};

/* ---- queues ---- */

static void
queue_push(struct queue *queue, struct filled *filled)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->count == QUEUE_PLACES)
		pthread_cond_wait(&queue->changed, &queue->lock);
	queue->places[(queue->first + queue->count++) % QUEUE_PLACES] = filled;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

/* NULL when nothing is left and nothing will come. */
static struct filled *
queue_pop(struct queue *queue)
{
	struct filled *filled = NULL;

	pthread_mutex_lock(&queue->lock);
	while (!queue->count && !queue->ended)
		pthread_cond_wait(&queue->changed, &queue->lock);
	if (queue->count) {
		filled = queue->places[queue->first];
		queue->first = (queue->first + 1) % QUEUE_PLACES;
		queue->count--;
		pthread_cond_broadcast(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	return filled;
}

static void
queue_end(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->ended = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

/* ---- fillers and closers ---- */

static struct filled *
fill_one(struct worker *w, struct chance *chance, uint64_t number)
{
	struct pairs *pairs = w->pairs;
	struct filled *filled = stress_malloc(sizeof(*filled));
	size_t largest = chance_size(chance, pairs->page_size - 64 - 16);

	if (!filled_open(filled, pairs->pool, filled_id(w->number, number),
		    &w->tally)) {
		stress_fail("no memory to open a region");
		free(filled);
		return NULL;
	}
	for (size_t n = chance_below(chance, pairs->objects + 1); n; n--)
		if (!filled_add(filled, 16 + chance_below(chance, largest),
			    &w->tally))
			stress_fail("no memory for an object");
	return filled;
}

static void *
fill(void *argument)
{
	struct worker *w = argument;
	struct pairs *pairs = w->pairs;
	struct chance chance = chance_of(w->number);

	for (uint64_t number = 0; stress_goes_on(); number++) {
		struct filled *filled = fill_one(w, &chance, number);
		size_t queue = chance_below(&chance, pairs->count);

		if (!filled)
			break;
		queue_push(&pairs->queues[queue], filled);
		count_add(&w->progress, 1);
	}
	return NULL;
}

static void *
verify_and_close(void *argument)
{
	struct worker *w = argument;
	struct queue *queue = &w->pairs->queues[w->number - w->pairs->count];
	struct filled *filled;

	while ((filled = queue_pop(queue)) != NULL) {
		filled_close(filled, &w->tally);
		free(filled);
		count_add(&w->progress, 1);
	}
	return NULL;
}

/* ---- the whole ---- */

static void *
zeroed(size_t count, size_t size)
{
	void *p = aligned_alloc(CACHE_LINE,
		(count * size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));

	if (!p)
		abort();
	return memset(p, 0, count * size);
}

struct pairs *
pairs_start(acre_pool *pool, size_t page_size, size_t objects)
{
	struct pairs *pairs = stress_malloc(sizeof(*pairs));

	*pairs = (struct pairs){
		.pool = pool,
		.page_size = page_size,
		.objects = objects,
		.count = stress.threads / 2,
		.queues = zeroed(stress.threads / 2, sizeof(struct queue)),
		.workers = zeroed(stress.threads, sizeof(struct worker)),
	};
	for (unsigned i = 0; i < pairs->count; i++) {
		pthread_mutex_init(&pairs->queues[i].lock, NULL);
		pthread_cond_init(&pairs->queues[i].changed, NULL);
	}
	for (unsigned i = 0; i < stress.threads; i++) {
		struct worker *w = &pairs->workers[i];

		w->pairs = pairs;
		w->number = i;
		stress_thread(&w->thread,
			i < pairs->count ? fill : verify_and_close, w);
	}
	return pairs;
}

size_t
pairs_largest_bytes(const struct pairs *pairs)
{
	return stress_region_bytes(pairs->page_size, pairs->objects);
}

size_t
pairs_peak_bytes(const struct pairs *pairs)
{
	size_t regions = pairs->count * QUEUE_PLACES + stress.threads;

	return regions * pairs_largest_bytes(pairs);
}

uint64_t
pairs_progress(const struct pairs *pairs, unsigned thread)
{
	return load_acquire(&pairs->workers[thread].progress);
}

static void
join(struct worker *workers, unsigned count, struct tally *sum)
{
	for (unsigned i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		tally_add(sum, &workers[i].tally);
	}
}

struct tally
pairs_end(struct pairs *pairs)
{
	struct tally sum = {0};

	join(pairs->workers, pairs->count, &sum);
	for (unsigned i = 0; i < pairs->count; i++)
		queue_end(&pairs->queues[i]);
	join(pairs->workers + pairs->count, pairs->count, &sum);
	for (unsigned i = 0; i < pairs->count; i++) {
		pthread_mutex_destroy(&pairs->queues[i].lock);
		pthread_cond_destroy(&pairs->queues[i].changed);
	}
	free(pairs->queues);
	free(pairs->workers);
	free(pairs);
	return sum;
}
