/* SPDX-License-Identifier: MIT */
/*
 * common.h - what the stress programs share: options, time, chance, verdict.
 *
 * A program begins with stress_begin, works while stress_goes_on() says so,
 * calls stress_fail for whatever must not be, and ends with stress_end. The
 * first failure ends the run early; a run that hangs is ended by a watchdog.
 *
 * Exit codes: 0 nothing was found, 1 something was, 2 wrong use.
 */
#ifndef ACRE_STRESS_COMMON_H
#define ACRE_STRESS_COMMON_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acre/acre.h"

/* ---- the run -------------------------------------------------------- */

/* Fixed by stress_begin. */
struct stress_options {
	unsigned threads;
	unsigned seconds;
	uint64_t seed;
};

extern struct stress_options stress;

/*
 * Read --threads, --seconds, --seed and --help, print the seed, start the
 * clock. The number of threads is `threads` unless told otherwise; with `even`
 * an odd one is refused. Does not return on wrong use.
 */
void stress_begin(int argc, char **argv, const char *purpose,
	unsigned threads, bool even);

/* Whether there is time left and nothing has failed. Any thread. */
bool stress_goes_on(void);
bool stress_has_failed(void);

/* Seconds since stress_begin. Any thread. */
double stress_elapsed(void);

/* Print one line and let the run fail. Any thread. */
void stress_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Print the totals in one line; returns the exit code. */
int stress_end(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- threads, memory, chance ---------------------------------------- */

/* malloc and pthread_create that end the program when there is no more. */
void *stress_malloc(size_t size);
void stress_thread(pthread_t *thread, void *(*body)(void *), void *argument);

/* A round of a run is over: all of stress.threads meet, one of them checks, all
 * go on. Returns false after the last round. */
bool stress_meet(void (*check)(void));
uint64_t stress_rounds(void);

/* Let so much time pass, for measuring; never for synchronization. */
void stress_pause_ms(unsigned milliseconds);

/* The process's resident memory. */
size_t stress_resident_bytes(void);

/* A sequence of numbers that seed and stream decide. One thread each. */
struct chance {
	uint64_t state;
};

struct chance chance_of(uint64_t stream);
uint64_t chance_next(struct chance *chance);

/* A number below limit, which is not 0. */
static inline size_t
chance_below(struct chance *chance, size_t limit)
{
	return (size_t)(chance_next(chance) % limit);
}

/* True once in `times`, on average. */
static inline bool
chance_once_in(struct chance *chance, size_t times)
{
	return chance_below(chance, times) == 0;
}

/* A size from 1 to most, small ones more often. */
size_t chance_size(struct chance *chance, size_t most);

/* ---- what must be true of a pool ------------------------------------ */

/* What the program knows of a pool by its own count. */
struct tally {
	uint64_t opened;
	uint64_t closed;
	uint64_t pages_taken; /* by regions, since the pool's creation */
	size_t bytes_held;    /* by open regions, now */
};

void tally_add(struct tally *sum, const struct tally *more);

/* Compare a pool at rest with what is known of it. The pool's page size is
 * the options'. */
void stress_check_at_rest(acre_pool *pool, const acre_pool_options *options,
	const struct tally *known);

/*
 * The most bytes of pages that a pool may take: what its regions hold at
 * most, and for each thread a full cache and the largest batch on its way,
 * and one chunk being carved.
 */
size_t stress_bound(const acre_pool_options *options, size_t peak_bytes,
	size_t largest_region_bytes, unsigned threads);

/* The most bytes that a region of so many objects holds, each of them less
 * than a page. Its first block is 32 KiB or a page; each other is a page, or
 * an eighth of what it holds. */
size_t stress_region_bytes(size_t page_size, size_t objects);

/* Compare a pool with stress_bound's answer, at any time. */
void stress_check_bound(acre_pool *pool, size_t bound);

/*
 * Take every page that the pool has, each with a region of its own, and see
 * that none is missing, none is there twice and no chunk is asked for. All
 * regions are closed, and no thread but the caller has a cache.
 */
void stress_check_pages(acre_pool *pool, const acre_pool_options *options);

/* End a pool: with a region open it must refuse, then it must not. */
void stress_destroy(acre_pool *pool);

#endif
