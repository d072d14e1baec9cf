/* SPDX-License-Identifier: MIT */
/*
 * filled.h - what scenarios are made of: pools, regions that tell whose they
 * are, threads.
 *
 * Pools have two pages to a batch at most, so that threads meet in the lists
 * all the time. What a region holds is filled with its owner's number and
 * looked at before it is given back; in the end nothing is missing.
 */
#ifndef ACRE_SCHEDULE_FILLED_H
#define ACRE_SCHEDULE_FILLED_H

#include <pthread.h>
#include <stdint.h>

#include "acre/acre.h"
#include "schedule/schedule.h"

#define REGIONS 3 /* a thread has at a time */
#define OBJECTS_MOST 3

struct filled {
	acre_region *region;
	unsigned char *objects[OBJECTS_MOST];
	unsigned count;
	unsigned char mark;
};

/* The pool that most scenarios have, and what fits into its pages once. */
extern acre_pool *pool;
extern size_t page;
extern size_t object_size;

/* Make the pool; with options, or those that most have. */
void begin(void);
void begin_with(const acre_pool_options *options);

/* Every region is closed: see that none is missing, that every page the pool
 * has can be had once, and end it. */
void end(void);
void check_balance(acre_pool *in);
void check_pages(acre_pool *in);

void open_filled(struct filled *filled, acre_pool *in, unsigned char mark);
void look_at(const struct filled *filled);
void close_filled(struct filled *filled);

void start(pthread_t *thread, void *(*body)(void *), uintptr_t argument);

/* Let so many microseconds pass. */
void nap(uint64_t microseconds);

/* Open, fill, flush and close in the pool for a while; the argument is the
 * mark. */
void *churn(void *argument);

/* ---- memory.c: what goes back, and what is counted ---- */

void run_trim(void);
void run_idle(void);
void run_decay(void);
void run_budget(void);

#endif
