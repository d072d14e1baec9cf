/* SPDX-License-Identifier: MIT */
/*
 * claim.c - scenarios of idle threads' caches: claim.c, thread.c, and what
 * cache.h inlines.
 *
 * Their sources are as they are, but for where a thread's words are: not in
 * its thread-local storage, which fibres have at one address, but in an array
 * here. A cache's bins are one plain word, which whoever is at them writes: so
 * an owner and a claimer who are there at once, or one who comes without what
 * the other did, are a race.
 *
 * Each owner has a cache of two pools, `near` and `far`; near's is at hand.
 */
#include "lib/claim.h"

#include <pthread.h>
#include <stdlib.h>

#include "explore/explore.h"
#include "explore/orders.h"
#include "lib/cache.h"

#define OWNERS 2

static struct thread_caches words[THREADS_MOST] = {
	[0 ... THREADS_MOST - 1] = {.last = no_cache.bins}};
static acre_pool near = {.id = 1}, far = {.id = 2};
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

/* Whose caches are made; 0: nobody's. */
static unsigned maker;

struct thread_caches *
my_caches(void)
{
	return &words[maker ? maker : explore_thread()];
}

/* ---- what lib/ calls ---- */

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
	return NULL;
}

void
pool_join(acre_pool *pool, struct member *member)
{
	member->next = pool->members;
	pool->members = member;
}

void
pool_leave(acre_pool *pool, struct member *member)
{
	struct member **at = &pool->members;

	while (*at != member)
		at = &(*at)->next;
	*at = member->next;
	member->owner = NULL;
	member->next = pool->unused;
	pool->unused = member;
}

static void
touch_bins(struct cache *cache)
{
	cache->appetite++;
}

/* Never empty, so that it is always worth a claim. */
static size_t
count_idle(const struct member *member)
{
	(void)member;
	return 1;
}

struct cache *
cache_create(acre_pool *pool)
{
	struct cache *cache = aligned_alloc(CACHE_ALIGN, CACHE_ALIGN);

	if (!cache)
		explore_fail("no room for a cache");
	cache->member.pool = pool;
	cache->open_bin = cache->bins;
	store_relaxed(&cache->bins->key, pool);
	cache->member.idle = count_idle;
	return cache;
}

void
cache_empty(struct cache *cache, struct member *by)
{
	(void)by;
	touch_bins(cache);
}

void
cache_settle(struct cache *cache)
{
	touch_bins(cache);
}

void
cache_flush(struct cache *cache)
{
	cache_begin(cache);
	cache_empty(cache, &cache->member);
	cache_end();
}

/* ---- what threads do ---- */

static void
use_found(struct cache *cache)
{
	cache_begin(cache);
	touch_bins(cache);
	cache_end();
}

/* As a region opens. */
static void
use(acre_pool *pool)
{
	struct bin *bin = bin_begin_for(pool);

	if (bin)
		touch_bins(bin_cache(bin));
	cache_end();
	if (!bin)
		use_found(cache_of(pool));
}

static void
use_near(void)
{
	use(&near);
}

static void
use_near_twice(void)
{
	use(&near);
	use(&near);
}

static void
use_far_and_near(void)
{
	use(&far);
	use(&near);
}

/* At hand again, and away. */
static void
use_near_and_leave(void)
{
	use_near_twice();
	use(&far);
}

static void
use_near_and_end(void)
{
	use(&near);
	explore_end_thread();
}

/* Without a cache of its own. */
static void
claim_near(void)
{
	claim_idle(&near, NULL, false);
}

static void
claim_near_twice(void)
{
	claim_near();
	claim_near();
}

/* Memory is out: the others' are looked at. */
static void
use_and_claim_near(void)
{
	use(&near);
	claim_idle(&near, &cache_of(&near)->member, false);
}

static void
begin_for(unsigned owners)
{
	for (maker = 1; maker <= owners; maker++) {
		cache_of(&far);
		cache_of(&near);
	}
	maker = 0;
}

static void
begin_one(void)
{
	begin_for(1);
}

static void
begin_two(void)
{
	begin_for(2);
}

static void
begin_far(void)
{
	begin_one();
	store_relaxed(&words[1].last,
		((struct cache *)far.members)->open_bin);
}

const struct scenario scenarios[] = {
	{
		.name = "at_hand",
		.claim = "who uses the cache at hand is left alone",
		.begin = begin_one,
		.threads = {use_near_twice, claim_near},
	},
	{
		.name = "not_at_hand",
		.claim = "who goes to another cache waits while it is claimed",
		.begin = begin_far,
		.threads = {use_near_twice, claim_near},
	},
	{
		.name = "there_and_back",
		.claim = "the same, from one cache to the other and back",
		.begin = begin_one,
		.threads = {use_far_and_near, claim_near},
	},
	{
		.name = "leave",
		.claim = "who has gone to another cache is seen to be done",
		.begin = begin_far,
		.threads = {use_near_and_leave, claim_near},
	},
	{
		.name = "claimed_again",
		.claim = "an owner that comes back between two claims",
		.begin = begin_far,
		.threads = {use_near, claim_near_twice},
	},
	{
		.name = "two_claim",
		.claim = "two that claim take turns",
		.begin = begin_one,
		.threads = {use_near, claim_near, claim_near},
	},
	{
		.name = "two_owners",
		.claim = "one membarrier serves all owners",
		.begin = begin_two,
		.threads = {use_near, use_near, claim_near},
	},
	{
		.name = "claim_each_other",
		.claim = "two owners that claim each other's do not wait",
		.begin = begin_two,
		.threads = {use_and_claim_near, use_and_claim_near},
	},
	{
		.name = "end",
		.claim = "a thread's words are not looked at after its end",
		.begin = begin_one,
		.threads = {use_near_and_end, claim_near},
	},
	{.name = NULL},
};

const char scenario_file[] = __FILE__;
const struct needs needs = {.membarrier = true};

const struct stronger stronger[] = {
	{.function = NULL},
};
