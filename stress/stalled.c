/* SPDX-License-Identifier: MIT */
/*
 * stalled.c - a reader sleeps inside a read-side section, and nobody waits.
 *
 * The main thread sleeps in a section of the pool's RCU flavour while others
 * hand regions over (pairs.h) with batches of a single page, so that
 * descriptors are popped, and must cool, as fast as can be. While it sleeps
 * no grace period ends. It must be seen that descriptors stay bounded, that
 * the overflow takes over, that every thread goes on, that memory stays
 * bounded; and that grace periods pass again when the reader has woken.
 *
 * One thread more retires regions as fast as it can. While the reader sleeps
 * they stay in limbo, until its bound is reached; then retire refuses, since
 * the pool is one that never waits, and the regions are closed instead. When
 * the reader has woken retire accepts again.
 *
 *   awake | asleep, 100 ms | awake | asleep, half of the run | awake
 */
#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/atomic.h"
#include "lib/descriptor.h"
#include "lib/rcu.h"
#include "stress/common.h"
#include "stress/filled.h"
#include "stress/pairs.h"

#define OBJECTS 8
#define OBJECT_BYTES 1000
#define LIMBO_BYTES ((size_t)4 << 20)
/* What statistics may see of it: a thread's portion more. */
#define LIMBO_MOST (LIMBO_BYTES + LIMBO_BYTES / 64)
#define OTHERS 2 /* threads with a cache: the retirer, the helper */
#define SHORT_MS 100
#define NAP_MS 10     /* between two looks at what must be true */
#define NAPS_A_LINE 5 /* of the curve; more in a long run */
#define GRACE_PERIODS 3
#define LATE 5 /* seconds that the last may take when the run is over */
#define MEBIBYTE (1024.0 * 1024.0)

/* A thread that retires. It alone writes its counts. */
struct retirer {
	pthread_t thread;
	acre_pool *pool;
	struct tally tally;
	alignas(CACHE_LINE) _Atomic(uint64_t) retired;
	_Atomic(uint64_t) refused; /* and closed */
};

struct scene {
	acre_pool *pool;
	struct pairs *pairs;
	struct retirer *retirer;
	size_t bound;
	const char *reader; /* for the curve */
	unsigned naps;
	uint64_t *progress; /* each thread's when the reader fell asleep */
	uint64_t retirers_progress;
	uint64_t refused; /* when the reader fell asleep */
};

static acre_pool_options
options(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (acre_pool_options){
		.page_size = page,
		.chunk_size = 64 * page,
		.cache_bytes = page,
		.limbo_bytes = LIMBO_BYTES,
		.flags = ACRE_NONBLOCKING,
		.name = "stalled",
	};
}

/* ---- the retirer ---- */

static void
retire(struct retirer *r, struct filled *filled)
{
	int error = acre_region_retire(filled->region);

	if (error) {
		if (error != EAGAIN)
			stress_fail("retire returned %d", error);
		filled_close(filled, &r->tally);
		count_add(&r->refused, 1);
		return;
	}
	r->tally.bytes_held -= filled->held;
	count_add(&r->retired, 1);
}

static void *
retire_regions(void *argument)
{
	struct retirer *r = argument;
	struct chance chance = chance_of(stress.threads);
	struct filled filled;

	for (uint64_t number = 0; stress_goes_on(); number++) {
		if (!filled_open(&filled, r->pool,
			    filled_id(stress.threads, number), &r->tally)) {
			stress_fail("no memory to open a region");
			break;
		}
		for (size_t n = chance_below(&chance, OBJECTS); n; n--)
			filled_add(&filled,
				16 + chance_below(&chance, OBJECT_BYTES),
				&r->tally);
		retire(r, &filled);
	}
	return NULL;
}

static uint64_t
refused(const struct scene *scene)
{
	return load_acquire(&scene->retirer->refused);
}

static uint64_t
retirers_progress(const struct scene *scene)
{
	return load_acquire(&scene->retirer->retired) + refused(scene);
}

/* ---- looking ---- */

static void
print_point(const struct scene *scene, const acre_stats *s)
{
	printf("%6.2f s  reader %-6s  %8" PRIu64 " regions  %5zu "
	       "descriptors  overflow %8" PRIu64 "  grace %5" PRIu64
	       "  limbo %5.2f MiB  chunks %5.2f MiB\n",
		stress_elapsed(), scene->reader, s->regions_closed,
		s->descriptors, s->overflow_pushes, s->grace_periods,
		(double)s->limbo_bytes / MEBIBYTE,
		(double)s->chunk_bytes / MEBIBYTE);
}

/* Let a moment pass, look at what must be true at any time. */
static acre_stats
nap(struct scene *scene)
{
	unsigned per_line = NAPS_A_LINE * stress.seconds;
	acre_stats s;

	stress_pause_ms(NAP_MS);
	acre_pool_stats(scene->pool, &s);
	if (scene->naps++ % per_line == 0)
		print_point(scene, &s);
	if (s.descriptors >
		DESCRIPTORS_MOST +
			DESCRIPTORS_PER_STASH * (stress.threads + OTHERS))
		stress_fail("%zu descriptors", s.descriptors);
	if (s.limbo_bytes > LIMBO_MOST)
		stress_fail("%zu bytes in limbo", s.limbo_bytes);
	stress_check_bound(scene->pool, scene->bound);
	return s;
}

static void
remember_progress(struct scene *scene)
{
	for (unsigned i = 0; i < stress.threads; i++)
		scene->progress[i] = pairs_progress(scene->pairs, i);
	scene->retirers_progress = retirers_progress(scene);
	scene->refused = refused(scene);
}

static unsigned
count_stuck(const struct scene *scene)
{
	unsigned stuck =
		retirers_progress(scene) <= scene->retirers_progress;

	for (unsigned i = 0; i < stress.threads; i++)
		stuck += pairs_progress(scene->pairs, i) <=
			scene->progress[i];
	return stuck;
}

/* Whether the bounds were reached since the reader fell asleep: of what
 * descriptors can hold, and of limbo. */
static bool
is_full(const struct scene *scene, const acre_stats *before,
	const acre_stats *now)
{
	return now->overflow_pushes > before->overflow_pushes &&
		refused(scene) > scene->refused;
}

/* Sleep inside a section at least so long, and on until every thread has
 * made progress and, if asked for, the bounds are reached. */
static void
sleep_inside(struct scene *scene, double seconds, bool until_full)
{
	double until;
	acre_stats before, now;

	scene->reader = "asleep";
	rcu_enter();
	acre_pool_stats(scene->pool, &before);
	remember_progress(scene);
	until = stress_elapsed() + seconds;
	do {
		now = nap(scene);
	} while (stress_goes_on() &&
		(stress_elapsed() < until || count_stuck(scene) ||
			(until_full && !is_full(scene, &before, &now))));
	rcu_leave();
	print_point(scene, &now);
	/* One may have been under way, and did not wait for this reader. */
	if (now.grace_periods > before.grace_periods + 1)
		stress_fail("grace periods passed while a reader slept");
	if (count_stuck(scene))
		stress_fail("%u threads stood still while a reader slept",
			count_stuck(scene));
	if (until_full && !is_full(scene, &before, &now))
		stress_fail("the overflow did not take over, or limbo did "
			    "not fill up");
}

/* Until grace periods pass again: a few, or one if the run is over, as then
 * nobody asks for more. */
static void
be_awake(struct scene *scene)
{
	acre_stats before, now;
	uint64_t passed, retired;

	scene->reader = "awake";
	acre_pool_stats(scene->pool, &before);
	do {
		now = nap(scene);
		passed = now.grace_periods - before.grace_periods;
		retired = now.regions_retired - before.regions_retired;
	} while (stress_goes_on() ? passed < GRACE_PERIODS || !retired :
		    passed < 1 && stress_elapsed() < stress.seconds + LATE);
	print_point(scene, &now);
	if (!passed)
		stress_fail("grace periods do not pass, and nobody reads");
}

static void
play(struct scene *scene)
{
	scene->progress = stress_malloc(stress.threads * sizeof(uint64_t));
	be_awake(scene);
	sleep_inside(scene, SHORT_MS / 1000.0, false);
	be_awake(scene);
	sleep_inside(scene, stress.seconds / 2.0, true);
	be_awake(scene);
	while (stress_goes_on())
		nap(scene);
	free(scene->progress);
}

int
main(int argc, char **argv)
{
	acre_pool_options o = options();
	struct retirer retirer = {0};
	struct scene scene = {.retirer = &retirer};
	struct tally sum;
	acre_stats s;

	stress_begin(argc, argv,
		"Threads hand regions over, and one more retires some, while "
		"a reader sleeps in a section.",
		4, true);
	scene.pool = acre_pool_create(&o);
	retirer.pool = scene.pool;
	scene.pairs = pairs_start(scene.pool, o.page_size, OBJECTS);
	scene.bound = stress_bound(&o,
		pairs_peak_bytes(scene.pairs) +
			pairs_largest_bytes(scene.pairs) + LIMBO_MOST,
		pairs_largest_bytes(scene.pairs), stress.threads + OTHERS);
	stress_thread(&retirer.thread, retire_regions, &retirer);
	play(&scene);
	sum = pairs_end(scene.pairs);
	pthread_join(retirer.thread, NULL);
	tally_add(&sum, &retirer.tally);
	if (acre_pool_barrier(scene.pool))
		stress_fail("a barrier was refused");
	acre_pool_stats(scene.pool, &s);
	if (s.limbo_bytes || s.regions_retired != load_relaxed(&retirer.retired))
		stress_fail("%zu bytes in limbo, %" PRIu64 " regions retired",
			s.limbo_bytes, s.regions_retired);
	stress_check_at_rest(scene.pool, &o, &sum);
	stress_check_pages(scene.pool, &o);
	stress_destroy(scene.pool);
	return stress_end("%" PRIu64 " regions, %zu descriptors, %" PRIu64
			  " overflow pushes, %" PRIu64 " retired, %" PRIu64
			  " refused",
		sum.closed, s.descriptors, s.overflow_pushes,
		s.regions_retired, load_relaxed(&retirer.refused));
}
