/* SPDX-License-Identifier: MIT */
/*
 * children.h - a few children at a time, of any thread's: waited for, and
 * killed when they hang.
 *
 * A thread reserves room, forks, and adds the child; the main thread waits for
 * all of them. One that ends badly is a failure of the run.
 */
#ifndef ACRE_STRESS_CHILDREN_H
#define ACRE_STRESS_CHILDREN_H

#include <sys/types.h>

/* What a fork's child does before it ends. */
enum errand { END, EXECUTE, WORK, DESTROY, FORK, INSIDE, ERRANDS };

/* Before there are threads: SIGCHLD is for children_await. */
void children_begin(void);

/* Room for a child, or NULL: there are enough. Any thread. */
struct child *children_reserve(enum errand errand);

/* Its number, or -1: there was no fork after all; and how many seconds that
 * took. Any thread. */
void children_add(struct child *child, pid_t pid, double took);

/* Until the run's time is over and no child is left. The main thread. */
void children_await(void);

/* Of all so far; when nobody forks any more. */
struct children_sum {
	unsigned forks, inside; /* a section */
	double slowest_fork, slowest_child;
};
struct children_sum children_sum(void);

#endif
