/* SPDX-License-Identifier: MIT */
/*
 * explore.h - runs a scenario in every way that it can go.
 *
 *   scenario      a few threads of a few calls, and what must be true
 *   library       lib/ as it is, compiled against seam/
 *   explore.c     which thread goes on, and which way; what need not be tried
 *   fibre.c       threads, which stop before each step
 *   memory.c      what a load may read: C11's orders
 *   order.c       what seq_cst forbids
 *   rcu.c         sections and grace periods
 *   race.c        plain accesses that nothing orders
 *   thread.c      pthread's part
 *
 * An execution is a list of choices: which thread does the next operation that
 * others could notice, which write a load reads. All lists are gone through,
 * depth first; each starts from the beginning.
 */
#ifndef ACRE_EXPLORE_EXPLORE_H
#define ACRE_EXPLORE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first sets up and looks at the end; the others are the scenario's, and
 * those that it creates. */
#define THREADS_MOST 6
#define SCENARIO_THREADS 4

struct scenario {
	const char *name;
	const char *claim;
	void (*begin)(void); /* alone, before the threads */
	void (*threads[SCENARIO_THREADS])(void);
	void (*end)(void); /* alone, when they have ended */
	/* Compare-and-swaps that may fail for no reason. */
	unsigned spurious;
};

/* The program's, ended by one without a name. */
extern const struct scenario scenarios[];

/* The calling thread's number; let the destructors of its keys run. */
unsigned explore_thread(void);
void explore_end_thread(void);

/* What must not be has happened. */
_Noreturn void explore_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* A scenario's own book-keeping, which no thread could do: it sees what has
 * happened so far, in the order in which it is played. */
#define GHOST __attribute__((no_sanitize("thread"), noinline))

#endif
