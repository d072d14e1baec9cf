/* SPDX-License-Identifier: MIT */
/*
 * retire.c - scenarios of retired regions: retire.c and grace.c.
 *
 * Regions are their headers and a word, the object. What ends a region writes
 * both: so a reader that still has it, or a tick that has it without what its
 * owner did, is a race. The helper is not part of this: a tick is a thread's,
 * and what is asked of the helper is noted.
 */
#include "lib/retire.h"

#include <pthread.h>
#include <stdlib.h>

#include "explore/explore.h"
#include "explore/orders.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/rcu.h"
#include "lib/region.h"

#define OWNERS 2
#define REGIONS 3

static acre_pool pool = {.limbo_bytes = (size_t)1 << 20, .shards_used = 1};
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static struct cache *caches[OWNERS + 1]; /* by thread */
static struct region regions[REGIONS];
static unsigned objects[REGIONS];
static _Atomic(struct region *) published;
static void (*tick)(void);

/* What has happened so far. */
static uint64_t wanted;
static bool retired[REGIONS], ended[REGIONS];

static GHOST void
note_retired(unsigned i)
{
	retired[i] = true;
}

static GHOST void
note_ended(unsigned i)
{
	if (!retired[i] || ended[i])
		explore_fail("region %u ends %s", i,
			ended[i] ? "twice" : "and is not retired");
	ended[i] = true;
}

/* ---- what lib/retire.c calls ---- */

GHOST void
helper_want(uint64_t needed)
{
	if (wanted < needed)
		wanted = needed;
}

void
helper_wait(uint64_t needed)
{
	explore_fail("a wait for %u", (unsigned)needed);
}

bool
helper_is_dormant(void)
{
	return false;
}

bool
helper_is_me(void)
{
	return false;
}

void
helper_act(void (*work)(void))
{
	work();
}

void
helper_set_tick(void (*tick_function)(void))
{
	tick = tick_function;
}

void
registry_lock(void)
{
	pthread_mutex_lock(&registry);
}

void
registry_unlock(void)
{
	pthread_mutex_unlock(&registry);
}

acre_pool *
pool_first(void)
{
	return &pool;
}

bool
pools_ever(void)
{
	return true;
}

bool
pool_may_wait(void)
{
	return true;
}

uint64_t
pool_sum(acre_pool *of, enum count what)
{
	(void)of;
	(void)what;
	return 0;
}

uint64_t
pool_in_limbo(acre_pool *of)
{
	(void)of;
	return 0;
}

bool
pool_has_limbo(acre_pool *of)
{
	(void)of;
	return false;
}

struct cache *
cache_of(acre_pool *of)
{
	(void)of;
	return caches[explore_thread()];
}

void
cache_flush_thread(void)
{
}

size_t
acre_region_held(const acre_region *cursor)
{
	(void)cursor;
	return 1;
}

void
region_leave_parent(struct region *region)
{
	(void)region;
}

/* Its memory is another's from now on. */
void
region_end_limbo(struct region *region)
{
	unsigned i = (unsigned)(region - regions);

	note_ended(i);
	region->state = objects[i] = 0;
}

/* ---- what threads do ---- */

static void
begin(void)
{
	retire_init();
	for (unsigned t = 1; t <= OWNERS; t++) {
		struct cache *cache =
			aligned_alloc(CACHE_ALIGN, CACHE_ALIGN);

		if (!cache)
			explore_fail("no room for a cache");
		cache->member.pool = &pool;
		cache->member.next = pool.members;
		pool.members = &cache->member;
		caches[t] = cache;
	}
	for (unsigned i = 0; i < REGIONS; i++) {
		regions[i].state = (uintptr_t)caches[i % OWNERS + 1]->bins;
		objects[i] = 1;
	}
	store_relaxed(&published, &regions[0]);
}

static void
retire(unsigned i)
{
	objects[i]++;
	note_retired(i);
	if (acre_region_retire(&regions[i].cursor))
		explore_fail("retire fails");
}

static void
retire_first(void)
{
	retire(0);
}

static void
retire_second(void)
{
	retire(1);
}

/* Into one bag. */
static void
retire_first_and_third(void)
{
	retire(0);
	retire(2);
}

static void
unpublish_and_retire(void)
{
	store_relaxed(&published, NULL);
	note_retired(0);
	if (acre_region_retire(&regions[0].cursor))
		explore_fail("retire fails");
}

static void
read_published(void)
{
	struct region *region;

	rcu_enter();
	region = load_acquire(&published);
	if (region && objects[region - regions] != 1)
		explore_fail("an object that is read has changed");
	rcu_leave();
}

static void
tick_once(void)
{
	tick();
}

static void
tick_twice(void)
{
	tick();
	tick();
}

/* What was asked for has passed: then all have ended. */
static void
end(void)
{
	if (wanted && !grace_elapsed(wanted))
		return;
	for (unsigned i = 0; i < REGIONS; i++)
		if (retired[i] && !ended[i])
			explore_fail("region %u is forgotten", i);
}

const struct scenario scenarios[] = {
	{
		.name = "retire_against_tick",
		.claim = "what is retired while a tick begins is not forgotten",
		.begin = begin,
		.threads = {retire_first, tick_once},
		.end = end,
		.spurious = 1,
	},
	{
		.name = "two_into_a_bag",
		.claim = "the same, of two regions that one thread retires",
		.begin = begin,
		.threads = {retire_first_and_third, tick_twice},
		.end = end,
	},
	{
		.name = "two_bags",
		.claim = "the same, of two threads",
		.begin = begin,
		.threads = {retire_first, retire_second, tick_once},
		.end = end,
	},
	{
		.name = "retire_against_reader",
		.claim = "no region ends while a reader has it",
		.begin = begin,
		.threads = {unpublish_and_retire, read_published, tick_once},
		.end = end,
	},
	{.name = NULL},
};

const char scenario_file[] = __FILE__;
const struct needs needs = {.grace = true};

#define LISTS "explore/lists needs it"
#define LOADED "the load before it has looked; this one has to acquire"

const struct stronger stronger[] = {
	{"acre_region_retire", 1, "store", "release", "relaxed",
		"it pairs with pool_sum(), which is not here"},
	{"push", 1, "swap failed", "acquire", "relaxed",
		"what was read is linked, not followed; the order is the name's"},
	{"take_bag", 1, "swap", "seq_cst", "acq_rel", LOADED},
	{"take_bag", 1, "swap", "seq_cst", "acquire", LOADED},
	{"leave_limbo", 1, "swap", "release", "relaxed",
		"it pairs with pool_in_limbo(), which is not here"},
	{"grace_elapsed", 1, "load", "acquire", "relaxed", LISTS},
	{"grace_end", 1, "store", "release", "relaxed", LISTS},
	{.function = NULL},
};
