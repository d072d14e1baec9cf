/* SPDX-License-Identifier: MIT */
/*
 * learn.c - how large the first block of a thread's next region is.
 *
 * A region that fits its first block costs no growth and closes on the
 * shortest path, so a thread whose regions mostly outgrow theirs opens with
 * the next larger order: when seven of eight did, in a window that ends with
 * the 64th of these. Counting needs nothing in open and close, only in the first
 * growth, which is slow anyway.
 *
 * A block too large costs memory only when many are out; then the bin of that
 * order runs empty, and a region that would have to wait for a refill is
 * opened one order smaller instead, to see: when most of these probes fit,
 * the thread goes back to the smaller order; when most do not, the next ones
 * come after twice as many refills. So a thread that has one region
 * open at a time keeps a block that is hot, and a thread with thousands finds
 * what they need; a few large ones among many small move nothing.
 *
 * Regions that outgrow even the largest of first blocks grow by blocks of that
 * order, and by larger ones when they hold eight of these. A thread of which
 * seven of eight come to hold four blocks of a larger order, or three of the
 * largest, lets them grow by that order at once, until fewer than half do.
 */
#include <string.h>

#include "lib/region.h"

#define WINDOW 64
#define PROBES 8
#define REFILLS_MOST 64

/* At the end of a window: four blocks of an order are eight of the one below;
 * see set_step(). */
static void
choose_growth(struct cache *cache)
{
	const acre_pool *pool = cache->member.pool;
	unsigned chosen = 0;

	for (unsigned i = pool->open_orders; i < pool->grow_orders; i++)
		if (8 * cache->reached[i - 1] >= 7 * WINDOW ||
			(i <= cache->grow_order &&
				2 * cache->reached[i - 1] >= WINDOW))
			chosen = i;
	cache->grow_order = chosen;
	memset(cache->reached, 0, sizeof(cache->reached));
}

static void
forget_probes(struct cache *cache, unsigned refills)
{
	cache->probes = 0;
	cache->probes_outgrown = 0;
	cache->refills = cache->refills_again = refills;
}

static void
settle(struct cache *cache, struct bin *bin)
{
	cache_open_in(cache, bin);
	cache->since = cache_count(cache, OPENED);
	cache->outgrown = 0;
	cache->probed = 0;
	forget_probes(cache, 0);
}

/* After the last of some probes: how did they do? */
static void
decide(struct cache *cache)
{
	unsigned refills = 2 * cache->refills_again + 1;

	if (cache->probes_outgrown <= PROBES / 2)
		settle(cache, cache->open_bin - 1);
	else
		forget_probes(cache,
			refills < REFILLS_MOST ? refills : REFILLS_MOST);
}

unsigned
learn_order(struct cache *cache)
{
	struct bin *bin = cache->open_bin;

	if (bin_order(bin) == 0 || load_relaxed(&bin->current_count) ||
		load_relaxed(&bin->spare_count))
		return bin_order(bin);
	if (cache->refills > 0) {
		cache->refills--;
		return bin_order(bin);
	}
	if (cache->probes == PROBES) {
		decide(cache);
		return bin_order(cache->open_bin);
	}
	cache->probes++;
	cache->probed++;
	return bin_order(bin) - 1;
}

/* Do seven of eight regions of this window need more? */
static bool
most_outgrow(struct cache *cache)
{
	uint64_t opened =
		cache_count(cache, OPENED) - cache->since - cache->probed;

	return 7 * opened <= 8 * (uint64_t)cache->outgrown;
}

void
learn_outgrown(struct cache *cache, const struct region *region)
{
	struct bin *bin = cache->open_bin;
	size_t order = region_order(region);

	if (region->state & STATE_BUFFER)
		return;
	if (order + 1 == bin_order(bin))
		cache->probes_outgrown++;
	if (order != bin_order(bin) || ++cache->outgrown < WINDOW)
		return;
	if (most_outgrow(cache) &&
		order + 1 < pool_of(region)->open_orders && bin[1].kept)
		bin++;
	choose_growth(cache);
	settle(cache, bin);
}
