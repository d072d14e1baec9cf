/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - one thread runs at a time, and a seed says which.
 *
 *   scenario      a program's threads, which call acre as any would
 *   library       lib/ as it is, compiled against seam/
 *   scheduler.c   who goes on at each point; time
 *   seam.c        atomic operations and RCU: a point before each
 *   thread.c      pthread's part, by ld --wrap
 *   main.c        runs each seed in a process of its own
 *
 * Points are atomic operations, RCU calls, locks, waits, and threads' beginning
 * and end. Between two of them a thread runs alone, so a seed gives the same
 * run each time.
 */
#ifndef ACRE_SCHEDULE_SCHEDULE_H
#define ACRE_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TASKS_MOST 16

struct scenario {
	const char *name;
	const char *claim;
	void (*run)(void); /* on the first thread; joins the others */
};

/* The program's, ended by one without a name. */
extern const struct scenario scenarios[];

/* What must not be has happened; ends the process. */
_Noreturn void schedule_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* ---- scheduler.c ---- */

/* The calling thread is the first; how many points its program has, about. */
void scheduler_begin(uint64_t seed);
bool scheduler_is_on(void);

/* Another may go on here. */
void scheduler_point(void);

/* The same, and this one only when nobody else can. */
void scheduler_yield(void);

/* Wait until ready(argument); with a limit in microseconds from now, or none:
 * 0. Returns false when the time was up. */
bool scheduler_wait(bool (*ready)(const void *argument), const void *argument,
	uint64_t limit);

/* A new thread's number; it begins to run with scheduler_enter(number). */
unsigned scheduler_add(void);
void scheduler_enter(unsigned task);
void scheduler_leave(void);
bool scheduler_has_left(unsigned task);
unsigned scheduler_me(void);

/* Microseconds that have passed. */
uint64_t scheduler_now(void);

/* One of n, by the seed. */
uint64_t scheduler_chance(uint64_t n);

/* A number that tells runs apart. */
uint64_t scheduler_trace(void);
uint64_t scheduler_points(void);

#endif
