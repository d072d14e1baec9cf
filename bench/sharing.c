/* SPDX-License-Identifier: MIT */
/*
 * sharing.c - what threads share, counted: atomic read-modify-writes, failed
 * compare-and-swaps and transfers of cache lines, for 1 to 256 threads on a
 * machine of any size. See doc/scale.md.
 *
 *	sharing			a table
 *	sharing --gates		few threads, and whether gates hold
 *	sharing --data FILE	also all numbers, for charts
 *
 * The library is compiled against seam/: each atomic operation calls the
 * functions below, which play it and tell lines.c. Threads take turns, so the
 * counts are the same each run. In step, every thread stands before its
 * read-modify-write when the first of them does it: the worst case.
 *
 * There is no helper: a grace period passes when it is asked for and every
 * thread has opened or closed some GRACE regions since the last one.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acre/acre.h"
#include "bench/lines.h"
#include "bench/queueing.h"
#include "bench/sizes.h"
#include "bench/turns.h"
#include "lib/cache.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "seam/seam.h"
#include "seam/urcu/urcu-bp.h"

#define THREADS_MOST LINES_THREADS
#define OBJECTS 100	  /* in a region: the typical request */
#define HANDED 8	  /* regions, from one thread to another at a time */
#define STEP 32		  /* regions, in phase, at a time */
#define STEPS 3
#define HELD (STEPS * STEP) /* of some 32 KiB: one and a half caches */
#define GRACE 32
#define WARM_UP 64	  /* rounds */
#define ROUNDS 32
#define FEW_ROUNDS 8 /* where there are no caches to fill */
#define LINES_MOST 65536

/* ---- behind the seam -------------------------------------------------- */

static void
touch(const volatile void *p, enum access access)
{
	lines_touch(turns_me(LINES_NOBODY), p, access);
}

static uint64_t
get(const volatile void *p, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)p, size);
	return value;
}

static void
set(volatile void *p, size_t size, uint64_t value)
{
	memcpy((void *)p, &value, size);
}

uint64_t
seam_load(const struct seam_site *site, const volatile void *p, size_t size,
	int order)
{
	(void)site;
	(void)order;
	touch(p, LINES_LOAD);
	return get(p, size);
}

void
seam_store(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t value, int order)
{
	(void)site;
	(void)order;
	touch(p, LINES_STORE);
	set(p, size, value);
}

uint64_t
seam_rmw(const struct seam_site *site, volatile void *p, size_t size,
	enum seam_rmw what, uint64_t operand, int order)
{
	uint64_t before;

	(void)site;
	(void)order;
	turns_yield();
	touch(p, LINES_RMW);
	before = get(p, size);
	set(p, size, seam_compute(what, before, operand, size));
	return before;
}

bool
seam_cas(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t *expected, uint64_t value, int success, int failure, bool weak)
{
	uint64_t before;

	(void)site;
	(void)success;
	(void)failure;
	(void)weak;
	turns_yield();
	before = get(p, size);
	touch(p, before == *expected ? LINES_RMW : LINES_FAILED);
	if (before != *expected) {
		*expected = before;
		return false;
	}
	set(p, size, value);
	return true;
}

void
seam_fence(const struct seam_site *site, int order)
{
	(void)site;
	(void)order;
}

/* A lock and its release are a read-modify-write each. No thread yields while
 * it has one. */
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	touch(mutex, LINES_RMW);
	return __real_pthread_mutex_lock(mutex);
}

int
__wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	touch(mutex, LINES_RMW);
	return __real_pthread_mutex_trylock(mutex);
}

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	touch(mutex, LINES_RMW);
	return __real_pthread_mutex_unlock(mutex);
}

/* A section writes a line of its thread's own. */
void
urcu_bp_read_lock(void)
{
}

void
urcu_bp_read_unlock(void)
{
}

int
urcu_bp_read_ongoing(void)
{
	return 0;
}

void
urcu_bp_synchronize_rcu(void)
{
}

void
urcu_bp_before_fork(void)
{
}

void
urcu_bp_after_fork_parent(void)
{
}

void
urcu_bp_after_fork_child(void)
{
}

const struct rcu_flavor_struct urcu_bp_flavor = {
	.read_ongoing = urcu_bp_read_ongoing,
	.update_synchronize_rcu = urcu_bp_synchronize_rcu,
};

/* ---- in place of lib/helper.c ----------------------------------------- */

static uint64_t wanted;

static void
tick(void)
{
	while (!grace_elapsed(wanted)) {
		grace_begin();
		grace_end();
	}
}

void
helper_want(uint64_t needed)
{
	if (wanted < needed)
		wanted = needed;
}

void
helper_wait(uint64_t needed)
{
	helper_want(needed);
	tick();
}

bool
helper_wait_briefly(uint64_t needed, long microseconds)
{
	(void)microseconds;
	helper_wait(needed);
	return true;
}

void
helper_retain(void)
{
}

void
helper_release(void)
{
}

void
helper_set_tick(void (*f)(void))
{
	(void)f;
}

void
helper_hurry(void)
{
}

void
helper_set_decay(int64_t (*decay)(void))
{
	(void)decay;
}

bool
helper_want_decay(void)
{
	return false;
}

void
helper_before_fork(void)
{
}

void
helper_after_fork(bool in_child)
{
	(void)in_child;
}

void
helper_act(void (*work)(void))
{
	work();
}

bool
helper_is_me(void)
{
	return false;
}

bool
helper_is_dormant(void)
{
	return true;
}

/* ---- designs ---------------------------------------------------------- */

struct design {
	const char *name;
	bool has_caches;
	bool has_shards;
};

static const struct design designs[] = {
	{"what ships", true, true},
	{"caches, one list", true, false},
	{"shards, no caches", false, true},
	{"one list, no caches", false, false},
};

#define DESIGNS (sizeof designs / sizeof designs[0])

/* Blocks come and go one by one, by the thread's shard or by the first. */
static void
adapt(struct cache *cache, const struct design *design)
{
	acre_pool *pool = cache->member.pool;

	for (unsigned i = 0; !design->has_caches && i < pool->order_count; i++) {
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

static const struct workload {
	const char *name;
	const char *title;
	turns_work *first, *second; /* of a round; second may be NULL */
	unsigned steps;		    /* of each */
	unsigned turn;		    /* regions */
	unsigned threads_least;
	double regions; /* for each thread, in a round */
} workloads[] = {
	{"own", "own regions", do_own, NULL, 1, HANDED, 1, HANDED},
	{"handoff", "hand-off", do_fill, do_close, 1, HANDED / 2, 2,
		HANDED / 2.0},
	{"phase", "all in phase", do_fill_all, do_close_all, STEPS, STEP, 1,
		HELD},
};

/* ---- one experiment ---------------------------------------------------- */

struct counts {
	double regions, pages;
	struct lines_sum sum;
	size_t lines;
	double transfers[LINES_MOST]; /* of each line */
};

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
		tick();
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

static void
count(const struct design *design, const struct workload *workload,
	unsigned threads, bool in_step, struct counts *counts)
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

/* ---- tables and data --------------------------------------------------- */

struct settings {
	bool gates;
	FILE *data; /* or NULL */
};

static double
share(uint64_t n, double of)
{
	return of > 0 ? (double)n / of : 0;
}

/* How many cores' worth of work gets done, when a transfer takes so long. */
static double
gain(const struct counts *counts, unsigned threads, double work, double cost)
{
	static double demands[LINES_MOST];

	for (size_t i = 0; i < counts->lines; i++)
		demands[i] = cost * counts->transfers[i] / counts->regions;
	return work *
	       queueing_throughput(threads, work, demands, counts->lines);
}

static void
save(FILE *data, const struct design *design, const struct workload *workload,
	unsigned threads, bool in_step, const struct counts *counts)
{
	static const double costs[] = {50, 100, 200};

	fprintf(data, "%s\t%s\t%s\t%u\t%.5f\t%.5f\t%.5f\t%.5f\t%zu",
		design->name, workload->name, in_step ? "in step" : "in turn",
		threads, share(counts->sum.rmws, counts->regions),
		share(counts->sum.rmws, counts->pages),
		share(counts->sum.failed, counts->pages),
		share(counts->sum.transfers, counts->regions),
		counts->sum.lines);
	for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
		fprintf(data, "\t%.3f", gain(counts, threads, 100, costs[i]));
	fprintf(data, "\t%.3f\n", gain(counts, threads, 1000, 100));
}

static void
print_counts(const struct workload *workload, unsigned threads, bool in_step,
	const struct counts *counts)
{
	printf("| %s, %s | %u | %.4f | ", workload->title,
		in_step ? "in step" : "in turn", threads,
		share(counts->sum.rmws, counts->regions));
	if (counts->pages > 0)
		printf("%.4f | %.4f | ", share(counts->sum.rmws, counts->pages),
			share(counts->sum.failed, counts->pages));
	else
		printf("- | - | ");
	printf("%.3f | %zu |\n", share(counts->sum.transfers, counts->regions),
		counts->sum.lines);
}

/* What the gates are about. */
struct worst {
	double own;  /* read-modify-writes for a region, own regions */
	double pool; /* for a page through the pool */
};

static void
note(struct worst *worst, const struct workload *workload, bool in_step,
	const struct counts *counts)
{
	double page = share(counts->sum.rmws, counts->pages);
	double region = share(counts->sum.rmws, counts->regions);

	if (workload->first == do_own && worst->own < region)
		worst->own = region;
	if (!in_step && worst->pool < page)
		worst->pool = page;
}

static void
run_one(const struct settings *settings, const struct design *design,
	const struct workload *workload, unsigned threads, bool in_step,
	struct worst *worst)
{
	static struct counts counts;

	if (threads < workload->threads_least)
		return;
	count(design, workload, threads, in_step, &counts);
	if (settings->data)
		save(settings->data, design, workload, threads, in_step,
			&counts);
	if (design != &designs[0])
		return;
	print_counts(workload, threads, in_step, &counts);
	note(worst, workload, in_step, &counts);
}

static void
run(const struct settings *settings, const struct design *design,
	unsigned threads, struct worst *worst)
{
	for (size_t w = 0; w < sizeof workloads / sizeof workloads[0]; w++) {
		run_one(settings, design, &workloads[w], threads, false, worst);
		if (design == &designs[0])
			run_one(settings, design, &workloads[w], threads, true,
				worst);
	}
}

static int
print_worst(const struct worst *worst)
{
	bool holds = worst->own <= 0 && worst->pool <= 0.1;

	puts("\n| read-modify-writes on shared lines | | gate |");
	puts("|---|--:|--:|");
	printf("| own regions, per region | %.4f | 0 |\n", worst->own);
	printf("| most of all, per page through the pool | %.4f | 0.1 |\n",
		worst->pool);
	return holds ? 0 : 1;
}

static bool
parse(int argc, char **argv, struct settings *settings)
{
	if (argc == 2 && strcmp(argv[1], "--gates") == 0)
		settings->gates = true;
	else if (argc == 3 && strcmp(argv[1], "--data") == 0)
		settings->data = fopen(argv[2], "w");
	else if (argc != 1)
		return false;
	return argc != 3 || settings->data != NULL;
}

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct worst worst = {0};

	if (!parse(argc, argv, &settings)) {
		fprintf(stderr, "usage: %s [--gates | --data FILE]\n", argv[0]);
		return 2;
	}
	puts("| | threads | RMWs a region | a page | failed, a page | "
	     "transfers a region | lines |");
	puts("|---|--:|--:|--:|--:|--:|--:|");
	for (unsigned threads = 1;
		threads <= (settings.gates ? 16u : THREADS_MOST); threads *= 4)
		for (size_t d = 0; d < (settings.data ? DESIGNS : 1); d++)
			run(&settings, &designs[d], threads, &worst);
	if (settings.data && fclose(settings.data) != 0)
		return 1;
	return print_worst(&worst);
}
