/* SPDX-License-Identifier: MIT */
/*
 * churn.c - threads open, fill, verify and close regions of several pools.
 *
 * Every object tells whose it is (filled.h), so a page with two holders is
 * found by either. The run goes in rounds: after each, all threads meet with
 * many regions open, and one of them holds each pool's statistics against
 * what the threads counted themselves, to the byte and to the page.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "stress/common.h"
#include "stress/filled.h"

#define POOLS 6
#define SLOTS 32         /* regions that a thread has open at most */
#define ROUND_STEPS 1000 /* of each thread, between two checks */

/* In pages of its own; 0: the default. */
static const struct {
	const char *what;
	size_t page; /* in OS pages */
	size_t chunk;
	size_t cache;
	size_t most; /* per thread */
} kinds[POOLS] = {
	{"defaults", 0, 0, 0, 0},
	{"batches of one page", 1, 64, 1, 0},
	{"batches of four pages", 1, 32, 8, 0},
	{"larger pages", 4, 48, 16, 0},
	{"a chunk of two pages", 1, 2, 4, 0},
	{"a limit that is reached", 1, 8, 4, 16},
};

struct worker {
	pthread_t thread;
	unsigned number;
	struct chance chance;
	uint64_t regions; /* opened so far, of all pools */
	uint64_t refusals;
	struct filled slots[SLOTS];
	unsigned pool_of[SLOTS];
	struct tally tally[POOLS];
	size_t peak_bytes[POOLS];
	size_t largest_bytes[POOLS];
};

static acre_pool *pools[POOLS];
static acre_pool_options options[POOLS];
static struct worker *workers;

static void
make_pools(void)
{
	size_t os_page = (size_t)sysconf(_SC_PAGESIZE);

	for (unsigned i = 0; i < POOLS; i++) {
		size_t page = kinds[i].page * os_page;

		options[i] = (acre_pool_options){
			.page_size = page,
			.chunk_size = kinds[i].chunk * page,
			.cache_bytes = kinds[i].cache * page,
			.max_bytes = kinds[i].most * page * stress.threads,
			.name = kinds[i].what,
		};
		pools[i] = acre_pool_create(&options[i]);
		if (!pools[i])
			stress_fail("no pool with %s", kinds[i].what);
	}
}

static void
note_peaks(struct worker *w, unsigned pool, const struct filled *filled)
{
	if (w->tally[pool].bytes_held > w->peak_bytes[pool])
		w->peak_bytes[pool] = w->tally[pool].bytes_held;
	if (filled->held > w->largest_bytes[pool])
		w->largest_bytes[pool] = filled->held;
}

static void
open_one(struct worker *w, unsigned slot)
{
	struct filled *filled = &w->slots[slot];
	unsigned pool = (unsigned)chance_below(&w->chance, POOLS);
	uint64_t id = filled_id(w->number, w->regions++);

	w->pool_of[slot] = pool;
	if (filled_open(filled, pools[pool], id, &w->tally[pool]))
		note_peaks(w, pool, filled);
	else
		w->refusals++;
}

/* Some objects, of any size that a page has room for. */
static void
fill_some(struct worker *w, unsigned slot)
{
	struct filled *filled = &w->slots[slot];
	unsigned pool = w->pool_of[slot];
	size_t page = options[pool].page_size ? options[pool].page_size :
						(size_t)sysconf(_SC_PAGESIZE);
	size_t most = chance_size(&w->chance, page - 64 - 16);

	for (size_t n = chance_size(&w->chance, 64); n; n--) {
		size_t size = 16 + chance_below(&w->chance, most);

		if (!filled_add(filled, size, &w->tally[pool])) {
			w->refusals += filled->count < FILLED_OBJECTS;
			break;
		}
	}
	note_peaks(w, pool, filled);
}

static void
step(struct worker *w)
{
	unsigned slot = (unsigned)chance_below(&w->chance, SLOTS);
	struct filled *filled = &w->slots[slot];

	if (!filled->region)
		open_one(w, slot);
	else if (chance_once_in(&w->chance, 3))
		filled_close(filled, &w->tally[w->pool_of[slot]]);
	else if (chance_once_in(&w->chance, 4))
		filled_verify(filled);
	else
		fill_some(w, slot);
}

/* Everybody else waits in stress_meet, or is gone. */
static void
check_pools(void)
{
	for (unsigned i = 0; i < POOLS; i++) {
		struct tally sum = {0};
		size_t peak = 0, largest = 0;

		for (unsigned w = 0; w < stress.threads; w++) {
			tally_add(&sum, &workers[w].tally[i]);
			peak += workers[w].peak_bytes[i];
			if (workers[w].largest_bytes[i] > largest)
				largest = workers[w].largest_bytes[i];
		}
		stress_check_at_rest(pools[i], &options[i], &sum);
		stress_check_bound(pools[i], stress_bound(&options[i], peak,
			largest, stress.threads));
	}
}

static void *
work(void *argument)
{
	struct worker *w = argument;

	do {
		for (unsigned i = 0; i < ROUND_STEPS && stress_goes_on(); i++)
			step(w);
	} while (stress_meet(check_pools));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (w->slots[slot].region)
			filled_close(&w->slots[slot],
				&w->tally[w->pool_of[slot]]);
	return NULL;
}

static void
run_workers(void)
{
	for (unsigned i = 0; i < stress.threads; i++) {
		workers[i].number = i;
		workers[i].chance = chance_of(i);
		stress_thread(&workers[i].thread, work, &workers[i]);
	}
	for (unsigned i = 0; i < stress.threads; i++)
		pthread_join(workers[i].thread, NULL);
}

static int
end(void)
{
	uint64_t refusals = 0;
	struct tally sum = {0};

	for (unsigned i = 0; i < stress.threads; i++) {
		refusals += workers[i].refusals;
		for (unsigned pool = 0; pool < POOLS; pool++)
			tally_add(&sum, &workers[i].tally[pool]);
	}
	free(workers);
	return stress_end("%" PRIu64 " regions, %" PRIu64 " pages, %" PRIu64
			  " refusals, %" PRIu64 " rounds",
		sum.closed, sum.pages_taken, refusals, stress_rounds());
}

int
main(int argc, char **argv)
{
	stress_begin(argc, argv,
		"Threads open, fill, verify and close regions of several "
		"pools.",
		4, false);
	make_pools();
	workers = stress_malloc(stress.threads * sizeof(*workers));
	for (unsigned i = 0; i < stress.threads; i++)
		workers[i] = (struct worker){0};
	run_workers();
	check_pools();
	for (unsigned i = 0; i < POOLS; i++) {
		stress_check_pages(pools[i], &options[i]);
		stress_destroy(pools[i]);
	}
	return end();
}
