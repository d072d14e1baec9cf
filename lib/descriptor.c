/* SPDX-License-Identifier: MIT */
/*
 * descriptor.c - stashes, the depot, and the slabs that descriptors are in.
 *
 * The rule that makes the free lists safe is kept here: a descriptor leaves
 * `cooling` only when the grace period that it needs has elapsed (see
 * freelist.c for why). A stash's cooling chain is in the order of the pops,
 * so its needs never decrease and only its oldest has to be looked at; in a
 * depot's chain the first descriptor carries the need of the last, which is
 * the largest.
 *
 * Grace periods are asked for by who wants a descriptor and has only cooling
 * ones, and for what goes to the depot: a thread that pops a few batches and
 * then lives on its cache wakes nobody.
 *
 * The depot's lock is taken once per STASH_COOLING batches at most, and with
 * trylock: who finds it taken goes on without.
 */
#include "lib/descriptor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/probe.h"

#define SLAB_DESCRIPTORS 16
#define STASH_COOLING 32 /* that a stash keeps before the depot gets them */

struct slab {
	struct slab *next;
	struct descriptor descriptors[SLAB_DESCRIPTORS];
};

void
depot_init(struct depot *depot)
{
	pthread_mutex_init(&depot->lock, NULL);
	store_relaxed(&depot->most, DESCRIPTORS_MOST);
}

void
depot_destroy(struct depot *depot)
{
	struct slab *slab = load_relaxed(&depot->slabs);

	while (slab) {
		struct slab *next = slab->next;

		free(slab);
		slab = next;
	}
	pthread_mutex_destroy(&depot->lock);
}

static bool
has_cooled(uint64_t needed)
{
	return PROBE_SKIP_GRACE || grace_elapsed(needed);
}

/* Reserve room for a slab below the bound. */
static bool
reserve_slab(struct depot *depot)
{
	size_t made = load_relaxed(&depot->made);

	do {
		if (made + SLAB_DESCRIPTORS > load_relaxed(&depot->most))
			return false;
	} while (!cas_relaxed(&depot->made, &made, made + SLAB_DESCRIPTORS));
	return true;
}

static struct descriptor *
make_slab(struct depot *depot)
{
	struct slab *slab;

	if (!reserve_slab(depot))
		return NULL;
	slab = aligned_alloc(alignof(struct slab), sizeof(*slab));
	if (!slab) {
		sub_relaxed(&depot->made, SLAB_DESCRIPTORS);
		return NULL;
	}
	memset(slab, 0, sizeof(*slab));
	for (size_t i = 0; i + 1 < SLAB_DESCRIPTORS; i++)
		slab->descriptors[i].link = &slab->descriptors[i + 1];
	slab->next = load_relaxed(&depot->slabs);
	/* Only pushed while the pool lives; read when all others are gone. */
	while (!cas_release(&depot->slabs, &slab->next, slab))
		;
	return slab->descriptors;
}

/* With the depot's lock. The oldest chain, if it has cooled. */
static struct descriptor *
depot_take(struct depot *depot)
{
	struct descriptor *chain = depot->oldest;

	if (!chain || !has_cooled(chain->needed))
		return NULL;
	depot->oldest = chain->chain;
	if (!depot->oldest)
		depot->newest = NULL;
	chain->chain = NULL;
	return chain;
}

/* With the depot's lock. */
static void
depot_put(struct depot *depot, struct descriptor *chain, uint64_t needed)
{
	chain->needed = needed;
	chain->chain = NULL;
	if (depot->newest)
		depot->newest->chain = chain;
	else
		depot->oldest = chain;
	depot->newest = chain;
}

/* With the depot's lock. A chain that is ready waits behind none that cools. */
static void
depot_put_ready(struct depot *depot, struct descriptor *chain)
{
	chain->needed = 0;
	chain->chain = depot->oldest;
	depot->oldest = chain;
	if (!depot->newest)
		depot->newest = chain;
}

static struct descriptor *
take_cooled(struct stash *stash)
{
	struct descriptor *descriptor = stash->cooling;

	if (!descriptor || !has_cooled(descriptor->needed))
		return NULL;
	stash->cooling = descriptor->link;
	stash->cooling_count--;
	return descriptor;
}

struct descriptor *
descriptor_get(struct depot *depot, struct stash *stash)
{
	struct descriptor *descriptor;

	if (!stash->ready) {
		descriptor = take_cooled(stash);
		if (descriptor)
			return descriptor;
		if (stash->cooling)
			helper_want(stash->cooling_last->needed);
		if (!pthread_mutex_trylock(&depot->lock)) {
			stash->ready = depot_take(depot);
			pthread_mutex_unlock(&depot->lock);
		}
		if (!stash->ready) {
			helper_hurry();
			stash->ready = make_slab(depot);
		}
	}
	descriptor = stash->ready;
	if (descriptor)
		stash->ready = descriptor->link;
	return descriptor;
}

/* With the depot's lock. */
static void
return_cooling(struct depot *depot, struct stash *stash)
{
	if (stash->cooling)
		depot_put(depot, stash->cooling, stash->cooling_last->needed);
	stash->cooling = NULL;
	stash->cooling_count = 0;
}

void
descriptor_cool(struct depot *depot, struct stash *stash,
	struct descriptor *descriptor)
{
	descriptor->needed = grace_needed();
	descriptor->link = NULL;
	if (stash->cooling)
		stash->cooling_last->link = descriptor;
	else
		stash->cooling = descriptor;
	stash->cooling_last = descriptor;
	stash->cooling_count++;
	if (stash->cooling_count < STASH_COOLING)
		return;
	helper_want(descriptor->needed);
	if (!pthread_mutex_trylock(&depot->lock)) {
		return_cooling(depot, stash);
		pthread_mutex_unlock(&depot->lock);
	}
}

void
stash_return(struct depot *depot, struct stash *stash)
{
	pthread_mutex_lock(&depot->lock);
	if (stash->cooling)
		helper_want(stash->cooling_last->needed);
	return_cooling(depot, stash);
	if (stash->ready)
		depot_put_ready(depot, stash->ready);
	stash->ready = NULL;
	pthread_mutex_unlock(&depot->lock);
}

void
depot_before_fork(struct depot *depot)
{
	pthread_mutex_lock(&depot->lock);
}

void
depot_after_fork(struct depot *depot)
{
	pthread_mutex_unlock(&depot->lock);
}
