/* SPDX-License-Identifier: MIT */
/*
 * turns.h - threads of which one runs at a time, in an order that is the same
 * each run.
 *
 * Real threads, as each needs thread-local storage of its own; all but one
 * wait for their semaphore.
 */
#ifndef BENCH_TURNS_H
#define BENCH_TURNS_H

#include <stdbool.h>

typedef void turns_work(unsigned thread, void *argument);

void turns_begin(unsigned threads);
void turns_end(void);

/*
 * Each of the threads does its work once. Either one after the other; or in
 * step: each goes on to its next turns_yield, then the next thread does, until
 * all are done.
 */
void turns_round(turns_work *work, void *argument, bool in_step);

/* Let the next one go on, in step; else nothing. */
void turns_yield(void);

/* The number of the calling thread; nobody is the number for all others. */
unsigned turns_me(unsigned nobody);

#endif
