/* SPDX-License-Identifier: MIT */
/*
 * scenarios.c - short programs on acre, small enough for many schedules.
 *
 * Pools have two pages to a batch at most, so that threads meet in the lists
 * all the time. What a region holds is filled with its owner's number and
 * looked at before it is given back; in the end nothing is missing.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acre/acre.h"
#include "lib/atomic.h"
#include "lib/descriptor.h"
#include "lib/freelist.h"
#include "lib/helper.h"
#include "lib/rcu.h"
#include "schedule/schedule.h"

#define REGIONS 3 /* a thread has at a time */
#define OBJECTS_MOST 3

struct filled {
	acre_region *region;
	unsigned char *objects[OBJECTS_MOST];
	unsigned count;
	unsigned char mark;
};

static acre_pool *pool;
static size_t page;
static size_t object_size;

/* ---- regions ---- */

static void
open_filled(struct filled *filled, unsigned char mark)
{
	filled->region = acre_region_open(pool);
	if (!filled->region)
		schedule_fail("no memory");
	filled->mark = mark;
	filled->count = 1 + (unsigned)scheduler_chance(OBJECTS_MOST);
	for (unsigned i = 0; i < filled->count; i++) {
		filled->objects[i] = acre_alloc(filled->region, object_size);
		if (!filled->objects[i])
			schedule_fail("no memory");
		memset(filled->objects[i], mark, object_size);
	}
}

static void
look_at(const struct filled *filled)
{
	for (unsigned i = 0; i < filled->count; i++)
		for (size_t k = 0; k < object_size; k += 64)
			if (filled->objects[i][k] != filled->mark)
				schedule_fail("an object of %u's has %u",
					filled->mark, filled->objects[i][k]);
}

static void
close_filled(struct filled *filled)
{
	look_at(filled);
	acre_region_close(filled->region);
	filled->region = NULL;
}

/* ---- around a scenario ---- */

static void
begin(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	object_size = page / 2 + page / 8;
	pool = acre_pool_create(&((acre_pool_options){
		.chunk_size = 16 * page,
		.cache_bytes = 16 * page,
		.limbo_bytes = 4 * page,
	}));
	if (!pool)
		schedule_fail("no pool");
}

static void
start(pthread_t *thread, void *(*body)(void *), uintptr_t argument)
{
	if (pthread_create(thread, NULL, body, (void *)argument))
		schedule_fail("no thread");
}

static void
check_balance(void)
{
	acre_stats s;

	acre_pool_stats(pool, &s);
	if (s.region_bytes || s.limbo_bytes)
		schedule_fail("%zu bytes in regions and %zu in limbo at the "
			      "end",
			s.region_bytes, s.limbo_bytes);
	if (s.regions_open)
		schedule_fail("%zu regions are open at the end",
			s.regions_open);
}

/* Every page that the pool has can be had, once: so none is lost, and none is
 * in two places. */
static void
check_pages(void)
{
	acre_region *regions[512];
	acre_stats before, after;
	size_t pages, opened = 0;

	acre_pool_stats(pool, &before);
	pages = (before.chunk_bytes - before.slack_bytes) / page;
	while (opened < pages && opened < 512) {
		regions[opened] = acre_region_open_with(pool,
			&((acre_region_options){.max_bytes = page}));
		for (size_t i = 0; i < opened; i++)
			if (regions[i] == regions[opened])
				schedule_fail("a page is there twice");
		opened++;
	}
	acre_pool_stats(pool, &after);
	if (after.chunk_bytes != before.chunk_bytes)
		schedule_fail("pages are lost: %zu were there", pages);
	while (opened)
		acre_region_close(regions[--opened]);
}

static void
end(void)
{
	acre_pool_barrier(pool);
	check_balance();
	check_pages();
	if (acre_pool_destroy(pool))
		schedule_fail("the pool does not end");
}

/* ---- churn ---- */

static void *
churn(void *argument)
{
	struct filled held[REGIONS] = {{0}};

	for (int i = 0; i < 10; i++) {
		struct filled *filled = &held[scheduler_chance(REGIONS)];

		if (filled->region)
			close_filled(filled);
		else
			open_filled(filled, (unsigned char)(uintptr_t)argument);
		if (!scheduler_chance(4))
			acre_thread_flush(pool);
	}
	for (int i = 0; i < REGIONS; i++)
		if (held[i].region)
			close_filled(&held[i]);
	return NULL;
}

static void
run_churn(void)
{
	pthread_t threads[3];

	begin();
	for (uintptr_t i = 0; i < 3; i++)
		start(&threads[i], churn, i + 1);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	end();
}

/* ---- hand-off: one opens and fills, another closes ---- */

#define HANDED 6

static _Atomic(struct filled *) places[HANDED];

static void *
fill(void *argument)
{
	static struct filled filled[HANDED];
	uintptr_t first = (uintptr_t)argument;

	for (uintptr_t i = first; i < HANDED; i += 2) {
		open_filled(&filled[i], (unsigned char)(i + 1));
		store_release(&places[i], &filled[i]);
	}
	return NULL;
}

static void *
empty(void *argument)
{
	uintptr_t first = (uintptr_t)argument;

	for (uintptr_t i = first; i < HANDED; i += 2) {
		struct filled *filled;

		while (!(filled = load_acquire(&places[i])))
			sched_yield();
		close_filled(filled);
		acre_thread_flush(pool);
	}
	return NULL;
}

static void
run_handoff(void)
{
	pthread_t threads[4];

	begin();
	for (uintptr_t i = 0; i < 2; i++) {
		start(&threads[i], fill, i);
		start(&threads[2 + i], empty, i);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	end();
}

/* ---- retire, with readers ---- */

#define VERSIONS 4
#define LOOKS 40 /* that a reader takes in a section */

static struct filled versions[2 * VERSIONS];
static _Atomic(struct filled *) current[2];

/* Its limbo ends: from now on nobody may look. */
static void
wipe(void *argument)
{
	const struct filled *filled = argument;

	for (unsigned i = 0; i < filled->count; i++)
		memset(filled->objects[i], 0, object_size);
}

static void *
replace(void *argument)
{
	uintptr_t which = (uintptr_t)argument;
	struct filled *old;

	for (unsigned i = 0; i < VERSIONS; i++) {
		struct filled *next = &versions[which * VERSIONS + i];

		open_filled(next, (unsigned char)(1 + which * VERSIONS + i));
		acre_cleanup_add(next->region, wipe, next);
		old = exchange_seq_cst(&current[which], next);
		if (old && acre_region_retire(old->region))
			schedule_fail("retire fails");
	}
	old = exchange_seq_cst(&current[which], NULL);
	if (acre_region_retire(old->region))
		schedule_fail("retire fails");
	return NULL;
}

static void *
read_both(void *unused)
{
	for (int i = 0; i < 8; i++) {
		struct filled *filled;

		rcu_enter();
		filled = load_acquire(&current[i % 2]);
		for (int looks = 0; filled && looks < LOOKS; looks++) {
			look_at(filled);
			scheduler_point();
		}
		rcu_leave();
	}
	return unused;
}

static void
run_retire(void)
{
	pthread_t threads[4];

	begin();
	for (uintptr_t i = 0; i < 2; i++) {
		start(&threads[i], replace, i);
		start(&threads[2 + i], read_both, 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	end();
}

/* ---- threads end while others refill ---- */

static void *
use_and_end(void *argument)
{
	struct filled filled;

	open_filled(&filled, (unsigned char)(uintptr_t)argument);
	close_filled(&filled);
	return NULL;
}

static void
run_exit(void)
{
	pthread_t churning, threads[4];

	begin();
	start(&churning, churn, 1);
	for (uintptr_t i = 0; i < 4; i += 2) {
		start(&threads[i], use_and_end, i + 2);
		start(&threads[i + 1], use_and_end, i + 3);
		pthread_join(threads[i], NULL);
		pthread_join(threads[i + 1], NULL);
	}
	pthread_join(churning, NULL);
	end();
}

/* ---- the free lists alone, as in stress/aba.c ---- */

#define TOKENS 4
#define STEPS 16

static struct freelist list;
static struct overflow overflow;
static struct depot depot;
static struct stash stashes[TASKS_MOST];
static struct token {
	alignas(CACHE_LINE) char room[CACHE_LINE]; /* the overflow's */
	bool held;
} tokens[TOKENS];

static void
put(struct stash *stash, struct token *token)
{
	struct batch batch = {.first = (struct block *)token, .count = 1};
	struct descriptor *descriptor = descriptor_get(&depot, stash);

	token->held = false;
	if (descriptor)
		freelist_push(&list, descriptor, &batch);
	else
		overflow_push(&overflow, &batch);
}

static struct token *
get(struct stash *stash)
{
	struct descriptor *descriptor = freelist_pop(&list);
	struct token *token;
	struct batch batch;

	if (descriptor) {
		batch = descriptor->batch;
		descriptor_cool(&depot, stash, descriptor);
	} else if (!overflow_pop(&overflow, &batch)) {
		return NULL;
	}
	token = (struct token *)batch.first;
	if (token->held)
		schedule_fail("token %d has two holders",
			(int)(token - tokens));
	token->held = true;
	return token;
}

static void *
pop_and_push(void *argument)
{
	struct stash *stash = &stashes[(uintptr_t)argument];
	struct token *held[TOKENS];
	unsigned count = 0;

	for (int i = 0; i < STEPS; i++) {
		if (count && scheduler_chance(2))
			put(stash, held[--count]);
		else if (count < TOKENS - 1 && (held[count] = get(stash)))
			count++;
	}
	while (count)
		put(stash, held[--count]);
	stash_return(&depot, stash);
	return NULL;
}

static void
run_lists(void)
{
	pthread_t threads[3];
	int found = 0;

	helper_retain();
	depot_init(&depot);
	overflow_init(&overflow);
	for (int i = 0; i < TOKENS; i++)
		put(&stashes[3], &tokens[i]);
	stash_return(&depot, &stashes[3]);
	for (uintptr_t i = 0; i < 3; i++)
		start(&threads[i], pop_and_push, i);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	while (get(&stashes[3]))
		found++;
	if (found != TOKENS)
		schedule_fail("%d tokens at the end", found);
	helper_release();
}

/* ---- the helper goes to sleep, and is needed ---- */

#define NAP_MOST 120000    /* us; the helper falls asleep after 100000 */
#define TOO_LATE 500000   /* us; a tick takes 2000, a sleep 1000000 */

static bool
never(const void *unused)
{
	(void)unused;
	return false;
}

static void
run_nap(void)
{
	acre_stats stats;
	uint64_t asked;
	struct filled filled;

	begin();
	for (int i = 0; i < 4; i++) {
		uint64_t nap = 90000 + scheduler_chance(NAP_MOST - 90000);

		open_filled(&filled, 1);
		scheduler_wait(never, NULL, nap);
		if (acre_region_retire(filled.region))
			schedule_fail("retire fails");
		asked = scheduler_now();
		do {
			sched_yield();
			acre_pool_stats(pool, &stats);
		} while (stats.limbo_bytes);
		if (scheduler_now() - asked > TOO_LATE)
			schedule_fail("the helper slept for %llu us",
				(unsigned long long)(scheduler_now() -
					asked));
	}
	end();
}

const struct scenario scenarios[] = {
	{"churn", "threads that open and close lose nothing", run_churn},
	{"handoff", "what one fills another closes", run_handoff},
	{"retire", "readers see what was there until they leave", run_retire},
	{"exit", "what a thread leaves is found by others", run_exit},
	{"lists", "a token of a free list has one holder", run_lists},
	{"nap", "a helper that falls asleep is woken", run_nap},
	{NULL, NULL, NULL},
};
