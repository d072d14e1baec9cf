/* SPDX-License-Identifier: MIT */
/*
 * burst.c - after a burst of regions, memory goes back while others go on.
 *
 *   calm     others open, fill and close regions at full speed
 *   burst    half of the threads fill regions, 1 GiB in all (128 MiB where the
 *            run is short), and verify and close them, some of them late, so
 *            that chunks are fragmented
 *   falling  idle memory that was not purged falls to keep_bytes, by decay, in
 *            each third burst by trims of another thread as well
 *
 * and again. Prints the curve and what the others do meanwhile. What idle
 * threads keep must go too, what the others' caches keep may stay.
 */
#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/atomic.h"
#include "lib/pool.h"
#include "stress/common.h"
#include "stress/filled.h"

#define MEBIBYTE ((size_t)1 << 20)
#define BURST_BYTES (1024 * MEBIBYTE)
#define SHORT_BURST_BYTES (128 * MEBIBYTE)
#define SHORT_RUN 10 /* seconds */
#define KEEP_BYTES (16 * MEBIBYTE)
#define DECAY_MS 1000
#define SHORT_DECAY_MS 100
#define LATE 20 /* seconds that a fall may take longer, on a busy machine */
#define OBJECTS 100
#define OBJECT_MOST 4000
#define STAY_OPEN 40 /* one region of so many, until after the fall */
#define OTHERS_OBJECTS 8
#define CALM_MS 200
#define NAP_MS 20
#define NAPS_A_LINE 5

static acre_pool *pool;
static acre_pool_options options;
static size_t burst_bytes;

/* ---- the others ---- */

struct other {
	pthread_t thread;
	unsigned number;
	struct tally tally;
	alignas(CACHE_LINE) _Atomic(uint64_t) regions; /* its thread writes */
};

static struct other *others;
static unsigned other_count, burster_count;
static _Atomic(bool) all_over;

static void *
other_main(void *self)
{
	struct other *other = self;
	struct chance chance = chance_of(other->number);
	struct filled *filled = stress_malloc(sizeof(*filled));

	while (!load_relaxed(&all_over)) {
		uint64_t number = load_relaxed(&other->regions);

		if (!filled_open(filled, pool,
			    filled_id(other->number, number), &other->tally)) {
			stress_fail("no memory to open a region");
			break;
		}
		for (size_t n = chance_below(&chance, OTHERS_OBJECTS); n; n--)
			filled_add(filled, 16 + chance_below(&chance, 500),
				&other->tally);
		filled_close(filled, &other->tally);
		count_add(&other->regions, 1);
	}
	free(filled);
	return NULL;
}

static uint64_t
others_regions(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < other_count; i++)
		sum += load_relaxed(&others[i].regions);
	return sum;
}

/* ---- the bursters ---- */

struct burster {
	pthread_t thread;
	unsigned number;
	struct chance chance;
	struct tally tally;
	struct filled **open; /* room for all of a burst */
	size_t count;
	uint64_t opened;
};

/* All of a burst is open at one time, before the first is closed. */
static pthread_barrier_t filled_up, closed, fallen;
static _Atomic(size_t) peak; /* of the last burst */

/* Three words of each object at least, and seldom more than a page. */
static void
fill_up(struct burster *b)
{
	while (b->tally.bytes_held < burst_bytes / burster_count &&
		stress_goes_on()) {
		struct filled *filled = stress_malloc(sizeof(*filled));
		size_t objects = 1 + chance_below(&b->chance, OBJECTS);

		if (!filled_open(filled, pool,
			    filled_id(b->number, b->opened++), &b->tally)) {
			stress_fail("no memory to open a region");
			free(filled);
			return;
		}
		b->open[b->count++] = filled;
		while (objects-- > 0)
			filled_add(filled, 24 + chance_below(&b->chance,
				OBJECT_MOST), &b->tally);
	}
}

/* All of them, or all but some. */
static void
close_them(struct burster *b, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (!all && chance_once_in(&b->chance, STAY_OPEN)) {
			filled_verify(b->open[i]);
			b->open[kept++] = b->open[i];
			continue;
		}
		filled_close(b->open[i], &b->tally);
		free(b->open[i]);
	}
	b->count = kept;
}

static void *
burster_main(void *self)
{
	struct burster *b = self;

	/* One at least is a page. */
	b->open = stress_malloc(sizeof(*b->open) *
		(burst_bytes / options.page_size + 1));
	for (;;) {
		pthread_barrier_wait(&fallen);
		if (load_relaxed(&all_over))
			break;
		fill_up(b);
		add_relaxed(&peak, b->tally.bytes_held);
		pthread_barrier_wait(&filled_up);
		pthread_barrier_wait(&filled_up); /* it was looked at */
		close_them(b, false);
		pthread_barrier_wait(&closed);
		pthread_barrier_wait(&fallen);
		close_them(b, true);
	}
	free(b->open);
	return NULL;
}

/* ---- the curve ---- */

static double phase_began, phase_took;
static uint64_t phase_regions;

static void
begin_phase(void)
{
	phase_began = stress_elapsed();
	phase_regions = others_regions();
}

/* The others' regions in a millisecond, since. */
static double
others_speed(void)
{
	phase_took = stress_elapsed() - phase_began;
	return (double)(others_regions() - phase_regions) /
		(1000 * phase_took + 1e-9);
}

/* Idle bytes that are not purged. */
static size_t
idle_bytes(const acre_stats *s)
{
	size_t idle = s->free_bytes + s->cache_bytes + s->uncarved_bytes +
		s->slack_bytes;
	size_t clean = load_relaxed(&pool->chunks.clean) * options.page_size;

	return idle > clean ? idle - clean : 0;
}

static void
print_point(const char *what, const acre_stats *s)
{
	printf("%8.2f s  %-8s %5zu MiB resident, %5zu in chunks, %5zu idle, "
	       "%5zu held, others %.0f/ms\n", stress_elapsed(), what,
		stress_resident_bytes() / MEBIBYTE,
		s->chunk_bytes / MEBIBYTE, idle_bytes(s) / MEBIBYTE,
		s->region_bytes / MEBIBYTE, others_speed());
}

static acre_stats
stats_now(void)
{
	acre_stats s;

	acre_pool_stats(pool, &s);
	return s;
}

/* ---- phases ---- */

/* What may be idle: keep, what threads at work keep and are about to give, and
 * what no chunk's size divides. */
static size_t
idle_most(void)
{
	size_t cache = options.cache_bytes + options.cache_bytes / 8;

	return KEEP_BYTES + other_count * (cache + MEBIBYTE) + 2 * MEBIBYTE;
}

static double calm_speed, falling_speed;
static unsigned bursts;

static void
be_calm(void)
{
	acre_stats s;

	begin_phase();
	stress_pause_ms(CALM_MS);
	s = stats_now();
	calm_speed += others_speed();
	print_point("calm", &s);
}

static void
burst(void)
{
	acre_stats s;

	begin_phase();
	store_relaxed(&peak, 0);
	pthread_barrier_wait(&fallen); /* go */
	pthread_barrier_wait(&filled_up);
	s = stats_now();
	print_point("full", &s);
	if (s.region_bytes < load_relaxed(&peak))
		stress_fail("%zu bytes in regions, not %zu", s.region_bytes,
			load_relaxed(&peak));
	pthread_barrier_wait(&filled_up);
	pthread_barrier_wait(&closed);
	s = stats_now();
	print_point("closed", &s);
}

/* In portions; progress is kept between them. */
static void
trim_a_little(size_t *gone)
{
	size_t most = 8 * MEBIBYTE, once;

	once = acre_pool_trim(pool, KEEP_BYTES, most);
	if (once > most)
		stress_fail("a trim of %zu bytes gave %zu", most, once);
	*gone += once;
}

static void
fall(bool with_trims)
{
	double limit = options.decay_ms / 1000.0 + LATE;
	unsigned naps = 0;
	size_t gone = 0;
	acre_stats s = stats_now();
	size_t resident = stress_resident_bytes(), idle = idle_bytes(&s);

	begin_phase();
	while (idle_bytes(&s) > idle_most() &&
		stress_elapsed() - phase_began < limit) {
		if (with_trims)
			trim_a_little(&gone);
		else
			stress_pause_ms(NAP_MS);
		s = stats_now();
		if (++naps % NAPS_A_LINE == 0)
			print_point("falling", &s);
	}
	falling_speed += others_speed();
	print_point("low", &s);
	if (idle_bytes(&s) > idle_most())
		stress_fail("%zu bytes are idle after %.1f s, not %zu",
			idle_bytes(&s), phase_took, idle_most());
	printf("%8.2f s  %zu MiB idle went in %.0f ms, %zu MiB by trims; "
	       "resident %+ld MiB\n", stress_elapsed(),
		(idle - idle_bytes(&s)) / MEBIBYTE, 1000 * phase_took,
		gone / MEBIBYTE,
		((long)stress_resident_bytes() - (long)resident) /
			(long)MEBIBYTE);
}

/* ---- the whole ---- */

static void
play(void)
{
	do {
		be_calm();
		burst();
		fall(++bursts % 3 == 0);
		/* The late ones are closed. */
		pthread_barrier_wait(&fallen);
	} while (stress_goes_on());
	store_relaxed(&all_over, true);
	pthread_barrier_wait(&fallen);
}

static void
set_options(void)
{
	bool is_short = stress.seconds < SHORT_RUN;

	burst_bytes = is_short ? SHORT_BURST_BYTES : BURST_BYTES;
	options = (acre_pool_options){
		.page_size = (size_t)sysconf(_SC_PAGESIZE),
		.cache_bytes = MEBIBYTE,
		.keep_bytes = KEEP_BYTES,
		.decay_ms = is_short ? SHORT_DECAY_MS : DECAY_MS,
		.name = "burst",
	};
	other_count = stress.threads / 2;
	burster_count = stress.threads - other_count;
	pthread_barrier_init(&filled_up, NULL, burster_count + 1);
	pthread_barrier_init(&closed, NULL, burster_count + 1);
	pthread_barrier_init(&fallen, NULL, burster_count + 1);
}

int
main(int argc, char **argv)
{
	struct burster *bursters;
	struct tally sum = {0};

	stress_begin(argc, argv,
		"After bursts of regions memory goes back, others go on.", 4,
		true);
	set_options();
	pool = acre_pool_create(&options);
	others = stress_malloc(other_count * sizeof(*others));
	bursters = stress_malloc(burster_count * sizeof(*bursters));
	for (unsigned i = 0; i < other_count; i++) {
		others[i] = (struct other){.number = i};
		stress_thread(&others[i].thread, other_main, &others[i]);
	}
	for (unsigned i = 0; i < burster_count; i++) {
		bursters[i] = (struct burster){.number = other_count + i,
			.chance = chance_of(other_count + i)};
		stress_thread(&bursters[i].thread, burster_main,
			&bursters[i]);
	}
	play();
	for (unsigned i = 0; i < other_count; i++) {
		pthread_join(others[i].thread, NULL);
		tally_add(&sum, &others[i].tally);
	}
	for (unsigned i = 0; i < burster_count; i++) {
		pthread_join(bursters[i].thread, NULL);
		tally_add(&sum, &bursters[i].tally);
	}
	stress_check_at_rest(pool, &options, &sum);
	stress_destroy(pool);
	free(others);
	free(bursters);
	return stress_end("%u bursts of %zu MiB, others %.0f regions/ms while "
			  "calm, %.0f while memory went", bursts,
		burst_bytes / MEBIBYTE, calm_speed / bursts,
		falling_speed / bursts);
}
