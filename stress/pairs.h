/* SPDX-License-Identifier: MIT */
/*
 * pairs.h - threads that fill regions, and threads that close them.
 *
 *   filler --+--> queue --> closer
 *   filler --+--> queue --> closer
 *
 * As many fillers as closers; each filler serves all queues by chance, so
 * that pages cross between any two threads. Queues are short, and a filler
 * waits while one is full: what is open at a time is bounded.
 */
#ifndef ACRE_STRESS_PAIRS_H
#define ACRE_STRESS_PAIRS_H

#include "stress/common.h"

struct pairs;

/* Start stress.threads threads on pool. Each region gets at most `objects`
 * objects, each of less than a page. */
struct pairs *pairs_start(acre_pool *pool, size_t page_size, size_t objects);

/* The most bytes that regions hold at a time, and that one holds. */
size_t pairs_peak_bytes(const struct pairs *pairs);
size_t pairs_largest_bytes(const struct pairs *pairs);

/* How many regions a thread has filled or closed so far. Any thread. */
uint64_t pairs_progress(const struct pairs *pairs, unsigned thread);

/* Wait for the fillers, which end when the run does, and for the closers,
 * which close what is left. Returns what was done; frees pairs. */
struct tally pairs_end(struct pairs *pairs);

#endif
