/* SPDX-License-Identifier: MIT */
/*
 * handoff.c - one thread opens and fills a region, another closes it.
 *
 * Pages wander from fillers to closers (pairs.h) and must find their way back
 * through the pool's lists. Memory must stay flat: the run prints its curve,
 * and no point of it may lie above the bound.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "stress/common.h"
#include "stress/pairs.h"

#define OBJECTS 32
#define POINT_MS 1000 /* between two lines of the curve, at most */
#define POINTS 5      /* at least */
#define MEBIBYTE (1024.0 * 1024.0)

static acre_pool_options
options(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (acre_pool_options){
		.page_size = page,
		.chunk_size = 64 * page,
		.cache_bytes = 16 * page,
		.name = "handoff",
	};
}

static void
print_point(acre_pool *pool)
{
	acre_stats s;

	acre_pool_stats(pool, &s);
	printf("%6.1f s  %9" PRIu64 " regions  chunks %6.2f MiB  caches "
	       "%5.2f  free %6.2f  resident %6.1f\n",
		stress_elapsed(), s.regions_closed,
		(double)s.chunk_bytes / MEBIBYTE,
		(double)s.cache_bytes / MEBIBYTE,
		(double)s.free_bytes / MEBIBYTE,
		(double)stress_resident_bytes() / MEBIBYTE);
}

/* Until the run ends. */
static void
draw_curve(acre_pool *pool, size_t bound)
{
	unsigned step = stress.seconds * 1000 / POINTS;

	while (stress_goes_on()) {
		stress_pause_ms(step < POINT_MS ? step : POINT_MS);
		print_point(pool);
		stress_check_bound(pool, bound);
	}
}

int
main(int argc, char **argv)
{
	acre_pool_options o = options();
	acre_pool *pool;
	struct pairs *pairs;
	struct tally sum;
	size_t bound;

	stress_begin(argc, argv,
		"Threads open and fill regions, others verify and close them.",
		8, true);
	pool = acre_pool_create(&o);
	pairs = pairs_start(pool, o.page_size, OBJECTS);
	bound = stress_bound(&o, pairs_peak_bytes(pairs),
		pairs_largest_bytes(pairs), stress.threads);
	draw_curve(pool, bound);
	sum = pairs_end(pairs);
	stress_check_at_rest(pool, &o, &sum);
	stress_check_bound(pool, bound);
	stress_check_pages(pool, &o);
	stress_destroy(pool);
	return stress_end("%" PRIu64 " regions, %" PRIu64
			  " pages, bound %.2f MiB",
		sum.closed, sum.pages_taken, (double)bound / MEBIBYTE);
}
