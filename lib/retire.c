/* SPDX-License-Identifier: MIT */
/*
 * retire.c - regions whose objects may still be read by others.
 *
 *   owner        acre_region_retire: counted, pushed into the thread's bag
 *   bag          one word per thread; regions chained through their headers
 *   helper       takes all bags, lets one grace period pass, drains them
 *   drained      cleanups run, and the memory goes back
 *
 * Who may touch what: from retire on, nobody writes a region's objects until
 * a grace period of the application's readers has passed; its header is not
 * the readers', and its link is written at once.
 *
 *            push   take      -  needs nothing of the other
 *   push      -      -
 *   take      -      -        Nobody reads a link before it holds the whole
 *                             bag, so there is no ABA and no section.
 *
 * Why a region in a bag is not forgotten: who pushes onto an empty bag asks
 * the helper for grace_needed() after the push. The helper begins a period,
 * then takes the bags. If grace_needed() saw the sequence from before that
 * beginning, the push came before it (all three are seq_cst), and the bag is
 * found full; else it named a later period, whose tick finds it. And the
 * period that ends next began before the take or was one of the helper's own
 * steps after: either way readers of before are waited for, since rcu_wait
 * comes after the take.
 *
 * Limbo is bounded in bytes. Threads reserve portions of it, so that bytes are
 * not fought for with each region; what a thread has reserved and not used is
 * its allowance. How many regions are there is what threads have retired, each
 * by its own count, less what has left.
 */
#include "lib/retire.h"

#include <errno.h>
#include <pthread.h>

#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/probe.h"
#include "lib/rcu.h"
#include "lib/region.h"

/* Bytes that leave limbo at a time: other threads may have them while the rest
 * is drained, and nobody meets all of a long section's limbo at once. */
#define DRAIN_PORTION ((size_t)1 << 20)

/* A portion is this part of the bound. */
#define LIMBO_PORTIONS 64

/* ---- the bound ---- */

/* Reserve at least least and at most most bytes of limbo. */
static size_t
reserve(acre_pool *pool, size_t least, size_t most)
{
	size_t limbo = load_relaxed(&pool->limbo_reserved);
	size_t bytes;

	do {
		size_t room = limbo < pool->limbo_bytes ?
			pool->limbo_bytes - limbo : 0;

		if (room < least)
			return 0;
		bytes = room < most ? room : most;
	} while (!cas_relaxed(&pool->limbo_reserved, &limbo, limbo + bytes));
	return bytes;
}

/* Reserve bytes from what the thread has, or from a new portion. */
static bool
reserve_for(acre_pool *pool, struct member *member, size_t bytes)
{
	size_t portion = pool->limbo_bytes / LIMBO_PORTIONS /
		load_relaxed(&pool->shards_used);
	size_t allowance = load_relaxed(&member->limbo_allowance);
	size_t more;

	if (allowance < bytes) {
		more = bytes - allowance;
		more = reserve(pool, more, more > portion ? more : portion);
		if (!more)
			return false;
		allowance += more;
	}
	store_relaxed(&member->limbo_allowance, allowance - bytes);
	return true;
}

/* With registry_lock(). Is nothing in limbo, and nothing about to be? */
static bool
is_empty(acre_pool *pool)
{
	size_t allowances = 0;

	for (struct member *m = pool->members; m; m = m->next)
		allowances += load_relaxed(&m->limbo_allowance);
	return load_relaxed(&pool->limbo_reserved) <= allowances &&
		!pool_in_limbo(pool);
}

/* One region alone may be larger than the bound. */
static bool
reserve_alone(acre_pool *pool, size_t bytes)
{
	bool empty;

	registry_lock();
	empty = is_empty(pool);
	if (empty)
		add_relaxed(&pool->limbo_reserved, bytes);
	registry_unlock();
	return empty;
}

/* ---- the owner's side ---- */

/* The next of a region's tree, parents first; NULL after the last. Without
 * recursion: a chain of children may be long. */
static const struct region *
next_in_tree(const struct region *region, const struct region *root)
{
	if (region->state & STATE_MORE && region->more.children)
		return region->more.children;
	while (region != root && !region->more.next_sibling)
		region = region->more.parent;
	return region == root ? NULL : region->more.next_sibling;
}

/* Add up what a region and its children hold, and how much of that is not in
 * their pool's chunks. */
static void
add_held(const struct region *root, size_t *held, size_t *elsewhere)
{
	const acre_pool *pool = pool_of(root);

	for (const struct region *region = root; region;
		region = next_in_tree(region, root)) {
		size_t bytes = acre_region_held(&region->cursor);

		*held += bytes;
		if (pool_of(region) != pool)
			*elsewhere += bytes;
		else if (region->state & STATE_MORE)
			*elsewhere += region->more.from_source;
	}
}

static void tick(void);
static void take_and_drain(void);

/* Whether this process is the child of one that had pools. Written in the
 * child's handler, when there is one thread. */
static bool forked;

/* May grace periods for this pool be waited for? */
static bool
can_wait(const acre_pool *pool)
{
	return !forked || (!rcu_is_dead && !rcu_is_other(pool->application));
}

static void
push(struct member *member, struct region *region)
{
	struct region *top = load_relaxed(&member->bag);

	do {
		region->link = top;
	} while (!cas_seq_cst_or_acquire(&member->bag, &top, region));
	/* Dormant: it could not be created when the bag was empty. */
	if (!top || helper_is_dormant())
		helper_want(grace_needed());
}

int
acre_region_retire(acre_region *cursor)
{
	struct region *region = region_of(cursor);
	struct cache *cache;
	size_t bytes = 0, elsewhere = 0;
	acre_pool *pool;

	if (!region)
		return 0;
	pool = pool_of(region);
	if (!can_wait(pool))
		return ENOTSUP;
	cache = cache_of(pool);
	if (!cache)
		return ENOMEM;
	add_held(region, &bytes, &elsewhere);
	while (!reserve_for(pool, &cache->member, bytes) &&
		!reserve_alone(pool, bytes)) {
		if (pool->flags & ACRE_NONBLOCKING || !pool_may_wait()) {
			helper_want(grace_needed());
			return EAGAIN;
		}
		helper_wait(grace_needed());
	}
	region_leave_parent(region);
	region->limbo_bytes = bytes;
	region->limbo_elsewhere = elsewhere;
	if (elsewhere)
		add_relaxed(&pool->limbo_elsewhere, elsewhere);
	count_add(&cache->member.counters.of[RETIRED], 1);
	push(&cache->member, region);
	return 0;
}

int
acre_pool_barrier(acre_pool *pool)
{
	if (!pool_may_wait())
		return EDEADLK;
	if (!can_wait(pool))
		return ENOTSUP;
	return retire_wait(pool);
}

int
retire_wait(acre_pool *pool)
{
	if (!pool_has_limbo(pool))
		return 0;
	if (rcu_is_dead)
		helper_act(take_and_drain);
	else
		helper_wait(grace_needed());
	return 0;
}

void
acre_reader_leaves(const struct rcu_flavor_struct *rcu)
{
	rcu_annotate_leave(rcu);
}

/* ---- the helper's side ---- */

/* Take a member's bag; bags are chained through their first regions. */
static struct region *
take_bag(struct member *member, struct region *all)
{
	struct region *bag;

	if (!load_seq_cst(&member->bag))
		return all;
	bag = exchange_seq_cst(&member->bag, NULL);
	bag->next_bag = all;
	return bag;
}

/* With registry_lock(). Also the bags of threads that have ended. */
static struct region *
take_bags(acre_pool *pool, struct region *all)
{
	for (struct member *m = pool->members; m; m = m->next)
		all = take_bag(m, all);
	for (struct member *m = pool->unused; m; m = m->next)
		all = take_bag(m, all);
	return all;
}

static struct region *
take_all_bags(struct region *all)
{
	registry_lock();
	for (acre_pool *pool = pool_first(); pool; pool = pool->next_pool)
		all = take_bags(pool, all);
	registry_unlock();
	return all;
}

/* Wait for the readers of each flavour that is not the pools' own. In a
 * fork's child there are none from before it, and no others retire. */
static void
wait_for_others(const struct region *bags)
{
	const struct rcu_flavor_struct *waited = NULL;

	for (; bags && !forked; bags = bags->next_bag) {
		const struct rcu_flavor_struct *flavour =
			pool_of(bags)->application;

		if (!rcu_is_other(flavour) || flavour == waited)
			continue;
		rcu_wait_for(flavour);
		waited = flavour;
	}
}

/* The bags that a tick has taken and not yet drained. draining guards it, and
 * is held while a region is drained, so that no fork comes in between. */
static pthread_mutex_t draining = PTHREAD_MUTEX_INITIALIZER;
static struct region *taken;
static struct region *drained_now;

/* The next region of the bags that were taken, or NULL. */
static struct region *
next_taken(void)
{
	struct region *region = taken;

	if (!region)
		return NULL;
	taken = region->next_bag;
	if (region->link) {
		region->link->next_bag = taken;
		taken = region->link;
	}
	return region;
}

/* It leaves limbo when its blocks have left this thread's cache. */
static void
drain(struct region *region)
{
	struct drained *drained = &pool_of(region)->drained;

	drained->regions++;
	drained->bytes += region->limbo_bytes;
	drained->elsewhere += region->limbo_elsewhere;
	region_end_limbo(region);
}

static void
leave_limbo(acre_pool *pool)
{
	struct drained drained = pool->drained;

	if (!drained.regions)
		return;
	pool->drained = (struct drained){0};
	sub_relaxed(&pool->limbo_elsewhere, drained.elsewhere);
	sub_relaxed(&pool->limbo_reserved, drained.bytes);
	/* Release: pairs with pool_in_limbo(). */
	add_release(&pool->limbo_ended, drained.regions);
}

/* Drain the next region, and count its bytes; false: there is none. */
static bool
drain_next(size_t *bytes)
{
	struct region *region;

	pthread_mutex_lock(&draining);
	region = next_taken();
	drained_now = region;
	if (region) {
		*bytes += region->limbo_bytes;
		drain(region);
	}
	drained_now = NULL;
	pthread_mutex_unlock(&draining);
	return region;
}

/* Drain so many bytes or a little more; returns whether there may be more. */
static bool
drain_portion(size_t bytes)
{
	size_t drained = 0;
	bool more;

	do
		more = drain_next(&drained);
	while (more && drained < bytes);
	cache_flush_thread();
	pthread_mutex_lock(&draining);
	registry_lock();
	for (acre_pool *pool = pool_first(); pool; pool = pool->next_pool)
		leave_limbo(pool);
	registry_unlock();
	pthread_mutex_unlock(&draining);
	return more;
}

static void
drain_all(void)
{
	while (drain_portion(DRAIN_PORTION))
		;
}

/* Where no reader is left to wait for. */
static void
take_and_drain(void)
{
	pthread_mutex_lock(&draining);
	taken = take_all_bags(taken);
	pthread_mutex_unlock(&draining);
	drain_all();
}

/* One tick: one grace period for everybody's descriptors and regions. */
static void
tick(void)
{
	grace_begin();
	pthread_mutex_lock(&draining);
	taken = take_all_bags(taken);
	pthread_mutex_unlock(&draining);
	if (PROBE_SKIP_GRACE)
		drain_all();
	grace_end();
	if (!taken)
		return;
	wait_for_others(taken);
	drain_all();
}

void
retire_init(void)
{
	helper_set_tick(tick);
}

/* ---- fork ---- */

void
retire_before_fork(void)
{
	if (!helper_is_me())
		pthread_mutex_lock(&draining);
}

static void
count_one(const struct region *region)
{
	acre_pool *pool = pool_of(region);

	sub_relaxed(&pool->limbo_ended, 1);
	add_relaxed(&pool->limbo_reserved, region->limbo_bytes);
	add_relaxed(&pool->limbo_elsewhere, region->limbo_elsewhere);
}

static void
count_bag(const struct region *region)
{
	for (; region; region = region->link)
		count_one(region);
}

static void
recount_members(struct member *member)
{
	for (; member; member = member->next) {
		store_relaxed(&member->limbo_allowance, 0);
		count_bag(load_relaxed(&member->bag));
	}
}

/* Limbo is what is in bags, or taken and not drained. */
static void
recount_limbo(void)
{
	for (acre_pool *pool = pool_first(); pool; pool = pool->next_pool) {
		store_relaxed(&pool->limbo_ended, pool_sum(pool, RETIRED));
		store_relaxed(&pool->limbo_reserved, 0);
		store_relaxed(&pool->limbo_elsewhere, 0);
		pool->drained = (struct drained){0};
	}
	for (acre_pool *pool = pool_first(); pool; pool = pool->next_pool) {
		recount_members(pool->members);
		recount_members(pool->unused);
	}
	for (struct region *bag = taken; bag; bag = bag->next_bag)
		count_bag(bag);
	if (drained_now)
		count_one(drained_now);
}

void
retire_after_fork(bool in_child)
{
	if (in_child) {
		forked = forked || pools_ever();
		recount_limbo();
	}
	if (!helper_is_me())
		pthread_mutex_unlock(&draining);
}
