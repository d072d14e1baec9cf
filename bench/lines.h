/* SPDX-License-Identifier: MIT */
/*
 * lines.h - cache lines, and which thread has each: what a machine with a
 * cache for each thread would do, without its timing.
 *
 *   load    by a thread that does not have the line      a transfer
 *   store   while another thread has it                  a transfer
 *   rmw     as store, and counted
 *
 * One thread at a time; turns.h sees to that.
 */
#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_THREADS 256u
#define LINES_NOBODY LINES_THREADS /* a thread that is not counted */

enum access { LINES_LOAD, LINES_STORE, LINES_RMW, LINES_FAILED };

void lines_touch(unsigned thread, const volatile void *p, enum access access);

/* All lines are nobody's. */
void lines_forget(void);

/* Begin to count anew. Who has which line stays as it is. */
void lines_reset(void);

/* What was counted, on lines that more than one thread has touched. */
struct lines_sum {
	uint64_t rmws;   /* the failed among them */
	uint64_t failed; /* compare-and-swaps */
	uint64_t transfers;
	size_t lines;    /* that moved at all */
};

struct lines_sum lines_sum_up(void);

/* The transfers of each line that moved, into a list of most at most; returns
 * how many lines. */
size_t lines_transfers(double *transfers, size_t most);

#endif
