/* SPDX-License-Identifier: MIT */
/*
 * scenarios.c - short programs on acre, small enough for many schedules. Those
 * of memory that goes back, and of budgets, are in memory.c.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "lib/atomic.h"
#include "lib/descriptor.h"
#include "lib/freelist.h"
#include "lib/helper.h"
#include "lib/rcu.h"
#include "schedule/filled.h"

/* ---- churn ---- */

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
		open_filled(&filled[i], pool, (unsigned char)(i + 1));
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

		open_filled(next, pool, (unsigned char)(1 + which * VERSIONS + i));
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

	open_filled(&filled, pool, (unsigned char)(uintptr_t)argument);
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

static void
run_nap(void)
{
	acre_stats stats;
	uint64_t asked;
	struct filled filled;

	begin();
	for (int i = 0; i < 4; i++) {
		open_filled(&filled, pool, 1);
		nap(90000 + scheduler_chance(NAP_MOST - 90000));
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
	{"trim", "chunks go back, and none that is in use", run_trim},
	{"idle", "an idle thread's blocks are taken once", run_idle},
	{"decay", "a pool that decays can be destroyed", run_decay},
	{"budget", "no limit is exceeded, none refuses what has room",
		run_budget},
	{NULL, NULL, NULL},
};
