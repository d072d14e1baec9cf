/* SPDX-License-Identifier: MIT */
/*
 * counted.h - lib/ behind the seam, its shared operations told to lines.c.
 *
 * Each atomic operation of lib/ calls the seam's functions, which play it and
 * tell what line it was on. In step (turns.h), every thread stands before its
 * read-modify-write when the first of them does it: the worst case.
 *
 * There is no helper, and no thread of bp's: who is asked for a grace period
 * only notes it, and it passes when the caller says so.
 */
#ifndef ACRE_BENCH_COUNTED_H
#define ACRE_BENCH_COUNTED_H

/* Let the grace periods pass that were asked for. No thread is in a call. */
void counted_tick(void);

#endif
