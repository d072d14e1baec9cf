/* SPDX-License-Identifier: MIT */
/*
 * shared_work.c - threads that take turns at a pool, and what they share.
 */
#include "bench/shared_work.h"

#include <stdint.h>
#include <stdlib.h>

#include "acre/acre.h"
#include "bench/counted.h"
#include "bench/sizes.h"
#include "bench/turns.h"
#include "lib/cache.h"
#include "lib/pool.h"

#define OBJECTS 100	  /* in a region: the typical request */
#define HANDED 8	  /* regions, from one thread to another at a time */
#define STEP 32		  /* regions, in phase, at a time */
#define STEPS 3
#define HELD (STEPS * STEP) /* of some 32 KiB: one and a half caches */
#define GRACE 32	  /* a thread opens or closes, between periods */
#define WARM_UP 64	  /* rounds */
#define ROUNDS 32
#define FEW_ROUNDS 8 /* where there are no caches to fill */

/* ---- designs ---------------------------------------------------------- */

const struct design designs[DESIGNS] = {
	{"what ships", true, true},
	{"caches, one list", true, false},
	{"shards, no caches", false, true},
	{"one list, no caches", false, false},
};

/* Blocks come and go one by one, by the thread's shard or by the first. */
static void
adapt(struct cache *cache, const struct design *design)
{
	acre_pool *pool = cache->member.pool;

	for (unsigned i = 0; i < pool->order_count && !design->has_caches;
		i++) {
		cache->bins[i].kept = false;
		cache->bins[i].most = 0;
	}
	if (design->has_shards)
		return;
	cache->member.shard = 0;
	cache->member.heap = &pool->heaps[0];
	store_relaxed(&pool->shards_used, 1);
}

/* ---- what threads do -------------------------------------------------- */

struct experiment {
	const struct design *design;
	unsigned threads;
	acre_pool *pool;
	const uint16_t *sizes;
	size_t position[THREADS_MOST];
	acre_region *regions[THREADS_MOST][HELD];
	unsigned step; /* in phase */
	unsigned since_grace; /* regions of a thread */
};

static acre_region *
open_and_fill(struct experiment *e, unsigned thread)
{
	acre_region *region = acre_region_open(e->pool);
	size_t *position = &e->position[thread];

	for (int i = 0; i < OBJECTS; i++)
		if (!acre_alloc(region, e->sizes[(*position)++ % SIZES_COUNT]))
			exit(1);
	return region;
}

static void
begin(unsigned thread, void *argument)
{
	struct experiment *e = argument;

	e->position[thread] = thread * (SIZES_COUNT / THREADS_MOST);
	adapt(cache_of(e->pool), e->design);
}

static void
do_own(unsigned thread, void *argument)
{
	struct experiment *e = argument;

	for (int i = 0; i < HANDED; i++)
		acre_region_close(open_and_fill(e, thread));
}

/* Even threads. */
static void
do_fill(unsigned thread, void *argument)
{
	struct experiment *e = argument;

	for (int i = 0; thread % 2 == 0 && i < HANDED; i++)
		e->regions[thread][i] = open_and_fill(e, thread);
}

/* Odd ones close what the one before has filled. */
static void
do_close(unsigned thread, void *argument)
{
	struct experiment *e = argument;

	for (int i = 0; thread % 2 == 1 && i < HANDED; i++)
		acre_region_close(e->regions[thread - 1][i]);
}

static void
do_fill_all(unsigned thread, void *argument)
{
	struct experiment *e = argument;

	for (unsigned i = 0; i < STEP; i++)
		e->regions[thread][e->step * STEP + i] =
			open_and_fill(e, thread);
}

static void
do_close_all(unsigned thread, void *argument)
{
	struct experiment *e = argument;

	for (unsigned i = 0; i < STEP; i++)
		acre_region_close(e->regions[thread][e->step * STEP + i]);
}

const struct workload workloads[WORKLOADS] = {
	{"own", "own regions", do_own, NULL, 1, HANDED, 1, HANDED},
	{"handoff", "hand-off", do_fill, do_close, 1, HANDED / 2, 2,
		HANDED / 2.0},
	{"phase", "all in phase", do_fill_all, do_close_all, STEPS, STEP, 1,
		HELD},
};

/* ---- one experiment ---------------------------------------------------- */

static uint64_t
bytes_through(struct experiment *e)
{
	uint64_t popped;

	registry_lock();
	popped = pool_sum(e->pool, POPPED);
	registry_unlock();
	return popped;
}

/* One part of a round. */
static void
run_part(struct experiment *e, const struct workload *workload,
	turns_work *work, bool in_step)
{
	for (e->step = 0; e->step < workload->steps; e->step++) {
		turns_round(work, e, in_step);
		e->since_grace += workload->turn;
		if (e->since_grace < GRACE)
			continue;
		counted_tick();
		e->since_grace = 0;
	}
}

static void
run_rounds(struct experiment *e, const struct workload *workload, int rounds,
	bool in_step)
{
	while (rounds-- > 0) {
		run_part(e, workload, workload->first, in_step);
		if (workload->second)
			run_part(e, workload, workload->second, in_step);
	}
}

void
shared_work_count(const struct design *design,
	const struct workload *workload, unsigned threads, bool in_step,
	struct counts *counts)
{
	static struct experiment e;
	int few = design->has_caches ? ROUNDS : FEW_ROUNDS;
	int rounds = in_step ? 1 : few;
	uint64_t bytes;

	e = (struct experiment){.design = design,
		.threads = threads,
		.pool = acre_pool_create(NULL),
		.sizes = sizes_make(SIZES_LOG_UNIFORM, 16, 1024)};
	if (e.pool == NULL || e.sizes == NULL)
		exit(1);
	lines_forget();
	turns_begin(threads);
	turns_round(begin, &e, false);
	run_rounds(&e, workload, design->has_caches ? WARM_UP : FEW_ROUNDS,
		false);
	lines_reset();
	bytes = bytes_through(&e);
	run_rounds(&e, workload, rounds, in_step);
	counts->sum = lines_sum_up();
	counts->lines = lines_transfers(counts->transfers, LINES_MOST);
	counts->regions = (double)rounds * threads * workload->regions;
	counts->pages = (double)(bytes_through(&e) - bytes) / 4096;
	turns_end();
	if (acre_pool_destroy(e.pool) != 0)
		exit(1);
	free((void *)(uintptr_t)e.sizes);
}
