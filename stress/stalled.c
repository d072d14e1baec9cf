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
 *   awake | asleep, 100 ms | awake | asleep, half of the run | awake
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/rcu.h"
#include "stress/common.h"
#include "stress/pairs.h"

#define OBJECTS 8
#define SHORT_MS 100
#define NAP_MS 10     /* between two looks at what must be true */
#define NAPS_A_LINE 5 /* of the curve; more in a long run */
#define GRACE_PERIODS 3
#define LATE 5 /* seconds that the last may take when the run is over */
#define MEBIBYTE (1024.0 * 1024.0)

struct scene {
	acre_pool *pool;
	struct pairs *pairs;
	size_t bound;
	const char *reader; /* for the curve */
	unsigned naps;
	uint64_t *progress; /* each thread's when the reader fell asleep */
};

static acre_pool_options
options(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (acre_pool_options){
		.page_size = page,
		.chunk_size = 64 * page,
		.cache_bytes = page,
		.name = "stalled",
	};
}

static void
print_point(const struct scene *scene, const acre_stats *s)
{
	printf("%6.2f s  reader %-6s  %8" PRIu64 " regions  %5zu "
	       "descriptors  overflow %8" PRIu64 "  grace %5" PRIu64
	       "  chunks %5.2f MiB\n",
		stress_elapsed(), scene->reader, s->regions_closed,
		s->descriptors, s->overflow_pushes, s->grace_periods,
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
		DESCRIPTORS_MOST + DESCRIPTORS_PER_STASH * stress.threads)
		stress_fail("%zu descriptors", s.descriptors);
	stress_check_bound(scene->pool, scene->bound);
	return s;
}

static void
remember_progress(struct scene *scene)
{
	for (unsigned i = 0; i < stress.threads; i++)
		scene->progress[i] = pairs_progress(scene->pairs, i);
}

static unsigned
count_stuck(const struct scene *scene)
{
	unsigned stuck = 0;

	for (unsigned i = 0; i < stress.threads; i++)
		stuck += pairs_progress(scene->pairs, i) <=
			scene->progress[i];
	return stuck;
}

/* Sleep inside a section at least so long, and on until every thread has
 * made progress and, if asked for, the overflow has grown. */
static void
sleep_inside(struct scene *scene, double seconds, bool until_overflow)
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
			(until_overflow &&
				now.overflow_pushes ==
					before.overflow_pushes)));
	rcu_leave();
	print_point(scene, &now);
	/* One may have been under way, and did not wait for this reader. */
	if (now.grace_periods > before.grace_periods + 1)
		stress_fail("grace periods passed while a reader slept");
	if (count_stuck(scene))
		stress_fail("%u threads stood still while a reader slept",
			count_stuck(scene));
	if (until_overflow && now.overflow_pushes == before.overflow_pushes)
		stress_fail("the overflow did not take over");
}

/* Until grace periods pass again: a few, or one if the run is over, as then
 * nobody asks for more. */
static void
be_awake(struct scene *scene)
{
	acre_stats before, now;
	uint64_t passed;

	scene->reader = "awake";
	acre_pool_stats(scene->pool, &before);
	do {
		now = nap(scene);
		passed = now.grace_periods - before.grace_periods;
	} while (stress_goes_on() ? passed < GRACE_PERIODS :
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
	struct scene scene = {0};
	struct tally sum;
	acre_stats s;

	stress_begin(argc, argv,
		"Threads hand regions over while a reader sleeps in a "
		"section.",
		4, true);
	scene.pool = acre_pool_create(&o);
	scene.pairs = pairs_start(scene.pool, o.page_size, OBJECTS);
	scene.bound = stress_bound(&o, pairs_peak_bytes(scene.pairs),
		pairs_largest_bytes(scene.pairs), stress.threads);
	play(&scene);
	sum = pairs_end(scene.pairs);
	acre_pool_stats(scene.pool, &s);
	stress_check_at_rest(scene.pool, &o, &sum);
	stress_check_pages(scene.pool, &o);
	stress_destroy(scene.pool);
	return stress_end("%" PRIu64 " regions, %zu descriptors, %" PRIu64
			  " overflow pushes",
		sum.closed, s.descriptors, s.overflow_pushes);
}
