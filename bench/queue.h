/* SPDX-License-Identifier: MIT */
/*
 * queue.h - a bounded queue of numbered slots, one producer, one consumer.
 *
 * The queue hands out slot numbers; what is in a slot is the caller's. A
 * side that must wait spins a little and then yields its core.
 */
#ifndef BENCH_QUEUE_H
#define BENCH_QUEUE_H

#ifdef __cplusplus
extern "C" {
#endif

#define QUEUE_SLOTS 16u

struct queue;

struct queue *queue_make(void);

/* The producer: a slot to fill; then it is full. */
unsigned queue_claim(struct queue *queue);
void queue_publish(struct queue *queue);

/* The consumer: a slot to read; then it is free. */
unsigned queue_take(struct queue *queue);
void queue_release(struct queue *queue);

#ifdef __cplusplus
}
#endif

#endif
