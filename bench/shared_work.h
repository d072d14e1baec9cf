/* SPDX-License-Identifier: MIT */
/*
 * shared_work.h - what threads do at a pool, in which designs of it, and what
 * that makes them share. Threads take turns, so counts are the same each run.
 */
#ifndef ACRE_BENCH_SHARED_WORK_H
#define ACRE_BENCH_SHARED_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/lines.h"
#include "bench/turns.h"

#define THREADS_MOST LINES_THREADS
#define LINES_MOST 65536
#define DESIGNS 4
#define WORKLOADS 3

struct design {
	const char *name;
	bool has_caches;
	bool has_shards;
};

/* The first is what ships. */
extern const struct design designs[DESIGNS];

struct workload {
	const char *name;
	const char *title;
	turns_work *first, *second; /* of a round; second may be NULL */
	unsigned steps;		    /* of each */
	unsigned turn;		    /* regions */
	unsigned threads_least;
	double regions; /* for each thread, in a round */
};

/* The first is regions of one's own. */
extern const struct workload workloads[WORKLOADS];

struct counts {
	double regions, pages;
	struct lines_sum sum;
	size_t lines;
	double transfers[LINES_MOST]; /* of each line */
};

/* Warm up so many threads, and count what they share in a few rounds of a
 * workload; in step, one round of it. */
void shared_work_count(const struct design *design,
	const struct workload *workload, unsigned threads, bool in_step,
	struct counts *counts);

#endif
