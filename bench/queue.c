/* SPDX-License-Identifier: MIT */
/*
 * queue.c - a bounded queue of numbered slots, one producer, one consumer.
 *
 *	taken <= made <= taken + QUEUE_SLOTS
 *
 * Each side writes its own count, on its own cache line, and keeps what it
 * last saw of the other's, so that it looks again only when it must.
 */
#include "bench/queue.h"

#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LINE 128
#define SPINS 2000

struct queue {
	/* Written by the producer. */
	alignas(LINE) atomic_uint made;
	unsigned seen_taken;

	/* Written by the consumer. */
	alignas(LINE) atomic_uint taken;
	unsigned seen_made;
};

static void
rest(unsigned *spins)
{
	if (++*spins < SPINS) {
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#endif
	} else {
		sched_yield();
	}
}

struct queue *
queue_make(void)
{
	struct queue *queue = aligned_alloc(LINE, sizeof *queue);

	if (queue == NULL)
		return NULL;
	atomic_init(&queue->made, 0);
	atomic_init(&queue->taken, 0);
	queue->seen_taken = 0;
	queue->seen_made = 0;
	return queue;
}

unsigned
queue_claim(struct queue *queue)
{
	unsigned made =
		atomic_load_explicit(&queue->made, memory_order_relaxed);
	unsigned spins = 0;

	while (made - queue->seen_taken == QUEUE_SLOTS) {
		/* Acquire: the consumer is done with the slot. Pairs with
		 * the release in queue_release(). */
		queue->seen_taken = atomic_load_explicit(
			&queue->taken, memory_order_acquire);
		if (made - queue->seen_taken == QUEUE_SLOTS)
			rest(&spins);
	}
	return made % QUEUE_SLOTS;
}

void
queue_publish(struct queue *queue)
{
	unsigned made =
		atomic_load_explicit(&queue->made, memory_order_relaxed);

	/* Release: the slot is complete before it is visible. Pairs with the
	 * acquire in queue_take(). */
	atomic_store_explicit(&queue->made, made + 1, memory_order_release);
}

unsigned
queue_take(struct queue *queue)
{
	unsigned taken =
		atomic_load_explicit(&queue->taken, memory_order_relaxed);
	unsigned spins = 0;

	while (queue->seen_made == taken) {
		/* Acquire: pairs with the release in queue_publish(). */
		queue->seen_made = atomic_load_explicit(
			&queue->made, memory_order_acquire);
		if (queue->seen_made == taken)
			rest(&spins);
	}
	return taken % QUEUE_SLOTS;
}

void
queue_release(struct queue *queue)
{
	unsigned taken =
		atomic_load_explicit(&queue->taken, memory_order_relaxed);

	/* Release: the slot has been read before it is free. Pairs with the
	 * acquire in queue_claim(). */
	atomic_store_explicit(&queue->taken, taken + 1, memory_order_release);
}
