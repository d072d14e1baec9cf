/* SPDX-License-Identifier: MIT */
/*
 * memory.c - scenarios of memory that goes back, and of budgets.
 *
 * Chunks come from a source that has few, and overwrites what it gets back:
 * who still looks into such a chunk sees that.
 */
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "lib/claim.h"
#include "schedule/filled.h"

#define CHUNK_PAGES 16
#define CHUNK_SIZE (CHUNK_PAGES * (size_t)4096)
#define CHUNKS_MOST 64
#define GONE 0xdd

/* ---- the source ---- */

static alignas(4096) char memory[CHUNKS_MOST][CHUNK_SIZE];
static bool taken[CHUNKS_MOST];

static void *
take_chunk(void *unused, size_t size)
{
	(void)unused;
	for (size_t i = 0; i < CHUNKS_MOST && size <= CHUNK_SIZE; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		return memory[i];
	}
	return NULL;
}

static void *
resize_chunk(void *unused, void *p, size_t old_size, size_t new_size)
{
	(void)unused;
	return new_size <= old_size ? p : NULL;
}

static void
give_chunk(void *unused, void *p)
{
	size_t i = (size_t)((char *)p - memory[0]) / CHUNK_SIZE;

	(void)unused;
	if (!taken[i])
		schedule_fail("a chunk is given back twice");
	taken[i] = false;
	memset(p, GONE, CHUNK_SIZE);
}

static const acre_allocator chunks = {
	take_chunk, resize_chunk, give_chunk, NULL};

static const acre_pool_options small_chunks = {
	.source = &chunks,
	.chunk_size = CHUNK_SIZE,
	.cache_bytes = 16 * (size_t)4096,
	.decay_ms = 0,
};

/* Nothing is in use: all of it can go. */
static void
check_all_goes(acre_pool *in)
{
	acre_stats s;

	acre_pool_trim(in, 0, SIZE_MAX);
	acre_pool_stats(in, &s);
	if (s.chunk_bytes)
		schedule_fail("%zu bytes do not go back", s.chunk_bytes);
}

/* ---- trim against refill and close ---- */

static void *
trim_some(void *unused)
{
	for (int i = 0; i < 8; i++)
		acre_pool_trim(pool, 0, CHUNK_SIZE);
	return unused;
}

void
run_trim(void)
{
	pthread_t threads[4];

	begin_with(&small_chunks);
	for (uintptr_t i = 0; i < 4; i++)
		start(&threads[i], i < 2 ? churn : trim_some, i + 1);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	check_balance(pool);
	check_pages(pool);
	check_all_goes(pool);
	end();
}

/* ---- idle threads' caches, taken by others ---- */

/* Where the kernel makes other threads' stores visible there is a point, and
 * no store is hidden here at any time: whether the stores would be visible
 * without is model/idle.pml's. */

static acre_pool *two[2];

static void *
use_both(void *argument)
{
	unsigned char mark = (unsigned char)(uintptr_t)argument;

	for (int i = 0; i < 10; i++) {
		struct filled first, second;

		open_filled(&first, two[scheduler_chance(2)], mark);
		open_filled(&second, two[scheduler_chance(2)], mark);
		close_filled(&first);
		close_filled(&second);
	}
	return NULL;
}

static void *
take_idle(void *unused)
{
	for (int i = 0; i < 40; i++)
		claim_idle(two[scheduler_chance(2)], NULL, false);
	return unused;
}

void
run_idle(void)
{
	pthread_t threads[3];

	begin();
	two[0] = pool;
	begin();
	two[1] = pool;
	for (uintptr_t i = 0; i < 3; i++)
		start(&threads[i], i < 2 ? use_both : take_idle, i + 1);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++) {
		pool = two[i];
		end();
	}
}

/* ---- decay against destroy ---- */

#define DECAY_MS 8 /* a step in each */
#define NAP_MOST 3000 /* us */

static void *
use_and_destroy(void *argument)
{
	acre_pool_options options = small_chunks;

	options.decay_ms = DECAY_MS;
	for (int i = 0; i < 3; i++) {
		acre_pool *own = acre_pool_create(&options);
		struct filled held[REGIONS];

		for (int k = 0; k < REGIONS; k++)
			open_filled(&held[k], own,
				(unsigned char)(uintptr_t)argument);
		nap(1 + scheduler_chance(NAP_MOST));
		for (int k = 0; k < REGIONS; k++)
			close_filled(&held[k]);
		nap(1 + scheduler_chance(NAP_MOST));
		if (acre_pool_destroy(own))
			schedule_fail("the pool does not end");
	}
	return NULL;
}

/* All pools have ended: the source has everything. */
void
run_decay(void)
{
	pthread_t threads[2];

	begin();
	for (uintptr_t i = 0; i < 2; i++)
		start(&threads[i], use_and_destroy, i + 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < CHUNKS_MOST; i++)
		if (taken[i])
			schedule_fail("a chunk is not given back");
	end();
}

/* ---- budgets: charge against refusal against discharge ---- */

/*
 *   root   6 pages    all but the hog's object
 *    |
 *    +- wide     as much as the hog tries for and the modest have: so they
 *    |           have room, but not while the hog is on its way
 *    +- narrow   a page: one of two at a time
 */
#define HOG_PAGES 20
#define MODEST_PAGES 2
#define ROOT_PAGES (1 + 2 * MODEST_PAGES + 1)

enum { ROOT, WIDE, NARROW, BUDGETS };

static struct {
	acre_budget *budget;
	size_t limit;
	size_t held; /* by the program's count, never more than is held */
} budgets[BUDGETS];

static void
count(int budget, size_t bytes)
{
	budgets[budget].held += bytes;
	budgets[ROOT].held += bytes;
	for (int i = 0; i < BUDGETS; i++)
		if (budgets[i].held > budgets[i].limit)
			schedule_fail("%zu bytes are held of %zu",
				budgets[i].held, budgets[i].limit);
}

static acre_region *
open_within(int budget)
{
	acre_region *region = acre_region_open_with(pool,
		&(acre_region_options){.budget = budgets[budget].budget});

	if (region)
		count(budget, page);
	else if (errno != ENOMEM)
		schedule_fail("refused with error %d", errno);
	return region;
}

static void
close_within(int budget, acre_region *region)
{
	count(budget, 0 - acre_region_held(region));
	acre_region_close(region);
}

static void *
be_a_hog(void *unused)
{
	acre_region *region = open_within(WIDE);

	for (int i = 0; i < 4; i++)
		if (acre_alloc(region, HOG_PAGES * page))
			schedule_fail("more than the root has was had");
	close_within(WIDE, region);
	return unused;
}

/* There is room at any time. */
static void
be_modest(void)
{
	acre_region *region = open_within(WIDE);

	if (!region || !acre_alloc(region, object_size) ||
		!acre_alloc(region, object_size))
		schedule_fail("refused, though there is room");
	count(WIDE, acre_region_held(region) - page);
	close_within(WIDE, region);
}

/* There may be room. */
static void
be_narrow(void)
{
	acre_region *region = open_within(NARROW);

	if (region && acre_alloc(region, page))
		schedule_fail("more than the limit was had");
	if (region)
		close_within(NARROW, region);
}

static void *
be_either(void *unused)
{
	for (int i = 0; i < 6; i++) {
		if (scheduler_chance(2))
			be_modest();
		else
			be_narrow();
	}
	return unused;
}

static void
make_budgets(void)
{
	static const size_t pages[BUDGETS] = {ROOT_PAGES,
		HOG_PAGES + 2 * MODEST_PAGES, 1};

	for (int i = 0; i < BUDGETS; i++) {
		budgets[i].limit = pages[i] * page;
		budgets[i].budget = acre_budget_create(
			i == ROOT ? NULL : budgets[ROOT].budget,
			budgets[i].limit);
	}
}

static void
end_budgets(void)
{
	for (int i = BUDGETS; i-- > 0;)
		if (acre_budget_used(budgets[i].budget) ||
			acre_budget_destroy(budgets[i].budget))
			schedule_fail("a budget is still charged");
}

void
run_budget(void)
{
	pthread_t threads[3];

	begin();
	make_budgets();
	for (uintptr_t i = 0; i < 3; i++)
		start(&threads[i], i < 2 ? be_either : be_a_hog, 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	end_budgets();
	end();
}
