/* SPDX-License-Identifier: MIT */
/*
 * soak.c - everything at once, for long: nothing is lost, memory stays flat.
 *
 *   crowd.c    threads that do all that acre can, in three pools
 *   soak.c     stops them now and then, holds pools and budgets against what
 *              they have counted, and prints a line each second
 *   trend.c    judges the resident memory of all looks at the end
 *
 * "Held against": doc/design.md, "What must be true" and "How much memory".
 * Under a sanitizer memory is not judged.
 */
#include <inttypes.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>

#include "stress/crowd.h"
#include "stress/trend.h"

#define SETTLE_SECONDS 1 /* for what the helper is just giving back */
#define LOOKS 40         /* of a run, at least; one a second at most */
#define JUDGED_SECONDS 20
#define ORDERS 8         /* of blocks, in a pool */
#define OWN_BYTES ((size_t)2 << 20) /* a thread's stack, short pool, malloc */
#define MEBIBYTE 1048576.0

static size_t resident_at_first, resident_most;

/* ---- what must be true; all have stopped, but for acre's helper ---- */

/* As design.md: peak, caches, what is on its way, a chunk being carved of each
 * order; and limbo. */
static size_t
bound(unsigned pool, const struct crowd_count *count)
{
	const acre_pool_options *o = &crowd_options[pool];

	return stress_bound(o, count->pools[pool].peak,
		       count->pools[pool].largest, crowd_size() + 2) +
		(ORDERS - 1) * o->chunk_size + CROWD_LIMBO_BYTES;
}

/* The helper may be about to give memory back; what is lost stays lost. */
static void
settle(unsigned pool, size_t bytes, acre_stats *s)
{
	double until = stress_elapsed() + SETTLE_SECONDS;

	acre_pool_stats(crowd_pools[pool], s);
	while (s->region_bytes + s->large_bytes != bytes &&
		stress_elapsed() < until && !stress_has_failed()) {
		sched_yield();
		acre_pool_stats(crowd_pools[pool], s);
	}
}

static void
must_be(unsigned pool, const char *what, uint64_t is, uint64_t should_be)
{
	if (is != should_be)
		stress_fail("pool %s: %s is %" PRIu64 ", not %" PRIu64,
			crowd_options[pool].name, what, is, should_be);
}

static void
must_be_at_most(unsigned pool, const char *what, uint64_t is, uint64_t most)
{
	if (is > most)
		stress_fail("pool %s: %s is %" PRIu64 ", more than %" PRIu64,
			crowd_options[pool].name, what, is, most);
}

static void
check_pool(unsigned pool, const struct crowd_count *count)
{
	const acre_pool_options *o = &crowd_options[pool];
	const struct tally *known = &count->pools[pool].tally;
	uint64_t retired = count->pools[pool].retired;
	acre_stats s;

	settle(pool, known->bytes_held, &s);
	must_be(pool, "what regions hold", s.region_bytes + s.large_bytes,
		known->bytes_held);
	must_be(pool, "regions_opened", s.regions_opened, known->opened);
	must_be(pool, "regions_closed", s.regions_closed, known->closed);
	must_be(pool, "regions_retired", s.regions_retired, retired);
	must_be(pool, "limbo_bytes", s.limbo_bytes, 0);
	must_be(pool, "regions_open", s.regions_open,
		known->opened - known->closed - retired);
	/* The actors', the watcher's and the helper's. */
	must_be_at_most(pool, "caches", s.caches, crowd_size() + 2);
	must_be_at_most(pool, "cache_bytes", s.cache_bytes,
		s.caches * o->cache_bytes);
	if (o->max_bytes)
		must_be_at_most(pool, "what the source gave",
			s.chunk_bytes + s.large_bytes, o->max_bytes);
	must_be_at_most(pool, "chunk_bytes", s.chunk_bytes - s.slack_bytes,
		bound(pool, count));
}

static void
check_all(void)
{
	struct crowd_count count;

	crowd_wait_for_limbo();
	crowd_count(&count);
	for (unsigned i = 0; i < POOLS; i++)
		check_pool(i, &count);
	if (count.cleaned != count.totals.retired)
		stress_fail("%" PRIu64 " cleanups have run, not %" PRIu64,
			count.cleaned, count.totals.retired);
	if (acre_budget_used(crowd_budget) != count.charged)
		stress_fail("%zu bytes are charged, %zu are held",
			acre_budget_used(crowd_budget), count.charged);
}

/* ---- looks ---- */

/* Of all three pools. */
static void
add_stats(acre_stats *sum)
{
	*sum = (acre_stats){0};
	for (unsigned i = 0; i < POOLS; i++) {
		acre_stats s;

		acre_pool_stats(crowd_pools[i], &s);
		sum->chunk_bytes += s.chunk_bytes;
		sum->large_bytes += s.large_bytes;
		sum->region_bytes += s.region_bytes;
		sum->cache_bytes += s.cache_bytes;
		sum->free_bytes += s.free_bytes;
		sum->limbo_bytes += s.limbo_bytes;
	}
}

static void
print_line(const acre_stats *sum, size_t resident)
{
	struct crowd_count count;

	crowd_count(&count);
	printf("%4.0f s  rss %6.1f  chunks %6.1f  large %5.1f  region %5.1f  "
	       "cache %5.1f  free %5.1f  limbo %4.1f MiB  ops %" PRIu64 "\n",
		stress_elapsed(), (double)resident / MEBIBYTE,
		(double)sum->chunk_bytes / MEBIBYTE,
		(double)sum->large_bytes / MEBIBYTE,
		(double)sum->region_bytes / MEBIBYTE,
		(double)sum->cache_bytes / MEBIBYTE,
		(double)sum->free_bytes / MEBIBYTE,
		(double)sum->limbo_bytes / MEBIBYTE, count.totals.steps);
}

/* What is printed is as it was under way, what is checked as it is at rest. */
static void
look(struct trend *trend, bool says)
{
	size_t resident = stress_resident_bytes();
	acre_stats sum;

	add_stats(&sum);
	trend_add(trend, resident);
	if (resident > resident_most)
		resident_most = resident;
	crowd_stop();
	if (says)
		print_line(&sum, resident);
	check_all();
	crowd_go_on();
}

static void
watch(struct trend *trend)
{
	unsigned interval = stress.seconds < LOOKS ?
		stress.seconds * 1000 / LOOKS : 1000; /* ms */
	double said = 0;

	trend_begin(trend, (size_t)stress.seconds * 1000 / interval + 1);
	while (stress_goes_on()) {
		bool says;

		stress_pause_ms(interval);
		says = stress_elapsed() >= said + 1;
		if (says)
			said = stress_elapsed();
		look(trend, says);
	}
}

/* ---- verdict ---- */

static void
judge(const struct trend *trend)
{
	size_t most = resident_at_first + crowd_size() * OWN_BYTES;
	struct crowd_count count;

	crowd_count(&count);
	for (unsigned i = 0; i < POOLS; i++)
		most += bound(i, &count);
	printf("resident: %.1f MiB at most; the bound is %.1f\n",
		(double)resident_most / MEBIBYTE, (double)most / MEBIBYTE);
	if (SANITIZED)
		return;
	if (resident_most > most)
		stress_fail("memory is beyond its bound");
	if (stress.seconds < JUDGED_SECONDS)
		printf("less than %d s: whether memory is flat is not "
		       "judged\n",
			JUDGED_SECONDS);
	else if (trend_goes_up(trend))
		stress_fail("memory goes up");
}

/* All threads have ended. */
static void
end_pools(void)
{
	check_all();
	stress_check_pages(crowd_pools[LIMITED], &crowd_options[LIMITED]);
	stress_check_pages(crowd_pools[TRIMMED], &crowd_options[TRIMMED]);
	for (unsigned i = 0; i < POOLS; i++)
		stress_destroy(crowd_pools[i]);
	if (acre_budget_destroy(crowd_budget))
		stress_fail("the root budget is used by nobody, and busy");
}

static int
end(void)
{
	struct crowd_count count;
	struct totals *t = &count.totals;

	crowd_count(&count);
	return stress_end("%" PRIu64 " ops, %" PRIu64 " regions, %" PRIu64
			  " retired, %" PRIu64 " refused, %" PRIu64
			  " saved by the handler, %" PRIu64 " pools, %" PRIu64
			  " threads, %" PRIu64 " forks, %.1f MiB trimmed",
		t->steps, t->made, t->retired, t->refused, t->rescued,
		t->pools_ended, t->visits, t->forks,
		(double)t->bytes_trimmed / MEBIBYTE);
}

/* Let malloc give back what it can: else its heaps grow by what they cannot
 * use again, for hours, while what is in use stays the same. */
static void
tell_malloc(void)
{
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	mallopt(M_ARENA_MAX, 2);
}

int
main(int argc, char **argv)
{
	struct trend trend;

	stress_begin(argc, argv,
		"Everything at once: nothing is lost, memory stays flat.", 4,
		false);
	tell_malloc();
	resident_at_first = stress_resident_bytes();
	crowd_begin();
	watch(&trend);
	crowd_end();
	end_pools();
	judge(&trend);
	trend_end(&trend);
	return end();
}
