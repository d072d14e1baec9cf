/* SPDX-License-Identifier: MIT */
/*
 * member.c - the threads that use a pool, and what each of them has counted.
 *
 *   acre_pool --members--> [ A ] <-> [ B ] <-> [ C ]     one a thread
 *      |    \--unused----> [ D ]                         its thread has ended
 *      |
 *      +--others           what D had counted, and threads with no cache
 *
 * One lock, the registry's, guards the lists of all pools. A thread counts in
 * its own member, where nobody else writes; who wants a sum walks the list.
 * What a member has counted when it leaves becomes the pool's, so no count is
 * lost with its thread.
 *
 * Steps are counted in the pool, where everybody sees them begin and end, and
 * in the member that makes them, which need not wait for its own.
 */
#include "lib/member.h"

#include <sched.h>

#include "lib/pool.h"

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

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

void
registry_wait(pthread_cond_t *condition)
{
	pthread_cond_wait(condition, &registry);
}

/* ---- join and leave ---- */

void
pool_join(acre_pool *pool, struct member *member)
{
	unsigned shard = (unsigned)(pool->member_count / THREADS_PER_SHARD) %
		SHARDS;

	member->shard = shard;
	member->heap = &pool->heaps[shard];
	member->previous = NULL;
	member->next = pool->members;
	if (member->next)
		member->next->previous = member;
	pool->members = member;
	pool->member_count++;
	if (shard >= load_relaxed(&pool->shards_used))
		store_relaxed(&pool->shards_used, shard + 1);
	add_relaxed(&pool->depot.most, DESCRIPTORS_PER_STASH);
}

void
pool_leave(acre_pool *pool, struct member *member)
{
	stash_return(&pool->depot, &member->stash);
	for (int what = 0; what < COUNTS; what++) {
		add_relaxed(&pool->others.of[what],
			load_relaxed(&member->counters.of[what]));
		store_relaxed(&member->counters.of[what], 0);
	}
	sub_relaxed(&pool->limbo_reserved,
		load_relaxed(&member->limbo_allowance));
	store_relaxed(&member->limbo_allowance, 0);
	if (member->next)
		member->next->previous = member->previous;
	if (member->previous)
		member->previous->next = member->next;
	else
		pool->members = member->next;
	pool->member_count--;
	member->owner = NULL;
	member->next = pool->unused;
	pool->unused = member;
	sub_relaxed(&pool->depot.most, DESCRIPTORS_PER_STASH);
}

/* ---- sums ---- */

uint64_t
pool_sum(acre_pool *pool, enum count what)
{
	/* Acquire: pairs with count_add; who sees a region closed sees it
	 * opened. */
	uint64_t sum = load_acquire(&pool->others.of[what]);

	for (struct member *m = pool->members; m; m = m->next)
		sum += m->count(m, what);
	return sum;
}

uint64_t
pool_in_limbo(acre_pool *pool)
{
	/* Read first: none ends that was not retired. Acquire: pairs with
	 * leave_limbo(); who sees none in limbo sees what became of them. */
	uint64_t ended = load_acquire(&pool->limbo_ended);

	return pool_sum(pool, RETIRED) - ended;
}

bool
pool_has_limbo(acre_pool *pool)
{
	bool any;

	registry_lock();
	any = pool_in_limbo(pool) > 0;
	registry_unlock();
	return any;
}

/* ---- steps ---- */

void
pool_begin_step(acre_pool *pool)
{
	/* Seq_cst: who does not find what this step takes sees it begun. */
	add_seq_cst(&pool->steps_begun, 1);
}

void
pool_end_step(acre_pool *pool, struct member *member)
{
	member->steps++;
	/* Release: who sees the step ended finds what it has given. */
	add_release(&pool->steps_ended, 1);
}

uint64_t
pool_steps(const acre_pool *pool, const struct member *member)
{
	return load_acquire(&pool->steps_ended) - member->steps;
}

bool
pool_has_hidden(const acre_pool *pool, const struct member *member,
	uint64_t ended)
{
	return pool_steps(pool, member) != ended ||
		load_seq_cst(&pool->steps_begun) - member->steps != ended;
}

void
pool_wait(const acre_pool *pool)
{
	uint64_t begun = load_relaxed(&pool->steps_begun);

	while (load_acquire(&pool->steps_ended) < begun)
		sched_yield();
}
