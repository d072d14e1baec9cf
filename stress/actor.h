/* SPDX-License-Identifier: MIT */
/*
 * actor.h - who does steps in the crowd's pools (crowd.h), and what it has
 * counted.
 *
 * One thread each; a fork's child goes on with its copy. Regions are handed
 * over, and read, through slots and shelves that all actors share.
 */
#ifndef ACRE_STRESS_ACTOR_H
#define ACRE_STRESS_ACTOR_H

#include "lib/atomic.h"
#include "stress/common.h"
#include "stress/crowd.h"
#include "stress/filled.h"

#define KEPT 4 /* regions that an actor keeps open */

/* Its number and chance are its maker's; who counts reads the rest when all
 * have stopped. */
struct actor {
	struct chance chance;
	unsigned number;
	struct owned *kept[KEPT];
	acre_budget *tenant;
	struct tally tallies[POOLS];
	size_t noted[POOLS]; /* of what it holds, in `held` */
	size_t largest[POOLS];
	uint64_t retired[POOLS];
	struct totals totals;

	/* Of totals.retired: by the helper, or in a child by whoever waits. */
	_Atomic(uint64_t) cleaned;
};

/* The calling thread is this actor, from now on. */
void actor_begin(struct actor *a);

/* Do one thing, whatever chance says. */
void actor_step(struct actor *a);

/* Close what it keeps. */
void actor_leave(struct actor *a);

/* Close or retire what is in slots and on shelves, when all have left. */
void actors_clear(struct actor *a);

/* Add what it has counted. */
void actor_count(struct actor *a, struct crowd_count *count);

/* What all held of a pool together, at most. */
size_t actors_peak(unsigned pool);

/* LIMITED's handler: a kept region of the thread's own goes. */
int actor_make_room(acre_pool *pool, size_t size, void *unused);

#endif
