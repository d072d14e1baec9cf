/* SPDX-License-Identifier: MIT */
/*
 * claim.c - empties the caches of threads that are idle.
 *
 * The rule: a cache's bins are touched by its own thread between a begin and
 * cache_end, or by who holds registry_lock() and has claimed it.
 *
 * last is one of the bins of the cache that was used last, and stands here for
 * that cache.
 *
 *   owner, at hand     busy = true
 *                      last == cache ?      no: as below
 *                      ... bins ...
 *                      busy = false         release
 *
 *   owner, else        busy = true
 *                      claimed ?            yes: busy = false, wait for
 *                      last = cache              registry_lock(), again
 *                        (release: it leaves the one before)
 *                      ... bins ...
 *                      busy = false
 *
 *   who claims         registry_lock()
 *                      claimed = true
 *                      last == cache ?      then last = no_cache
 *                      membarrier
 *                      busy, or last == cache ?  then leave it alone
 *                      ... bins ...
 *                      claimed = false      release
 *                      registry_unlock()
 *
 * Why it is safe:
 *
 * 1. An owner's begin that comes after the membarrier sees what was stored
 *    before it: last is not cache, and claimed is true. It waits.
 *
 * 2. An owner's begin that comes before it has stored busy. Who claims sees
 *    that and leaves the cache alone; or it sees that busy has become false
 *    since, and by that release all that the owner did with the bins.
 *
 * 3. Between begin and membarrier the owner may have found claimed false and
 *    stored last. A begin that finds cache at hand does not look at claimed;
 *    so who claims looks at last once more, after busy. If that is another
 *    cache again, the owner has left this one since, and by a release: who
 *    claims sees all that it did before.
 *
 * So the owner pays two plain stores, and no barrier. The owner's words are in
 * its thread-local storage: it takes its caches out of the registry before
 * that ends. In a fork's child the other threads' caches have no owner, and
 * nobody knows in which state they are: they are left alone.
 *
 * Source: the asymmetric Dekker protocol as by D. Dice, H. Huang, M. Yang,
 * "Asymmetric Dekker Synchronization", 2001.
 */
#include "lib/claim.h"

#include "lib/cache.h"
#include "lib/membarrier.h"

static uint64_t
count_calls(const struct member *member)
{
	static const enum count calls[] = {OPENED, CLOSED, GROWN, MISSES,
		FLUSHES};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		sum += member->count(member, calls[i]);
	return sum;
}

/* With registry_lock(). Whether its thread made no call since last asked. */
static bool
is_unused(struct member *member)
{
	uint64_t calls = count_calls(member);
	bool unused = calls == member->calls_seen;

	member->calls_seen = calls;
	return unused;
}

/* With registry_lock(). */
static void
claim(struct member *member)
{
	struct thread_caches *owner = member->owner;

	store_relaxed(&member->claimed, true);
	if (cache_last(owner) == (struct cache *)member)
		store_relaxed(&owner->last, no_cache.bins);
}

/* With registry_lock(). Claim all that have something; were there any? */
static bool
claim_all(acre_pool *pool, const struct member *self, bool only_unused)
{
	bool any = false;

	for (struct member *m = pool->members; m; m = m->next) {
		if (m == self || !m->owner || !m->idle(m) ||
			(only_unused && !is_unused(m)))
			continue;
		claim(m);
		any = true;
	}
	return any;
}

/* With registry_lock(), after the membarrier. */
static bool
is_idle(const struct member *member)
{
	struct thread_caches *owner = member->owner;

	/* Acquire: pairs with cache_end(), and with set_last(). */
	return !load_acquire(&owner->busy) &&
		bin_cache(load_acquire(&owner->last)) !=
			(const struct cache *)member;
}

/* With registry_lock(). Returns the bytes that came back. */
static size_t
empty_claimed(acre_pool *pool, struct member *self, bool ordered)
{
	size_t bytes = 0;

	for (struct member *m = pool->members; m; m = m->next) {
		if (!load_relaxed(&m->claimed))
			continue;
		if (ordered && is_idle(m)) {
			bytes += m->idle(m);
			cache_empty((struct cache *)m, self);
		}
		/* Release: pairs with cache_begin(). */
		store_release(&m->claimed, false);
	}
	return bytes;
}

size_t
claim_idle(acre_pool *pool, struct member *self, bool only_unused)
{
	size_t bytes = 0;

	registry_lock();
	if (claim_all(pool, self, only_unused))
		bytes = empty_claimed(pool, self, membarrier_all());
	registry_unlock();
	return bytes;
}
