/* SPDX-License-Identifier: MIT */
/*
 * target.c - a string of bytes is a sequence of calls, held against a model.
 *
 *   byte 0            which kind of pool
 *   then each call    what, which region, and what the call needs
 *
 * Regions belong to actors, which are threads in lock-step (actors.h): each
 * has caches of its own, hands regions over, sits in read-side sections while
 * others retire, and ends; and to budgets (budgets.h). Nothing is refused for
 * which there is no reason. Every string is a valid sequence; a string that
 * ends early reads as zeros, and what is still open then is closed.
 *
 * libFuzzer and AFL++ call LLVMFuzzerTestOneInput; so does replay.c.
 */
#include <errno.h>

#include "fuzz/actors.h"
#include "fuzz/budgets.h"
#include "fuzz/calls.h"
#include "fuzz/input.h"
#include "fuzz/model.h"
#include "fuzz/pools.h"
#include "fuzz/readers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- threads and sources ---- */

static void
may_not_wait(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool) {
			REQUIRE(acre_pool_barrier(kept[i].pool) == EDEADLK);
			REQUIRE(acre_pool_destroy(kept[i].pool) == EDEADLK);
		}
}

static void
do_barrier(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < POOLS; i++) {
		if (kept[i].pool)
			REQUIRE(acre_pool_barrier(kept[i].pool) == 0);
		kept[i].limbo = false;
	}
}

static void
barrier(unsigned actor)
{
	if (reader_inside[actor]) {
		actor_run(actor, may_not_wait, NULL);
		return;
	}
	for (unsigned i = 0; i < ACTORS; i++)
		reader_leaves(i);
	actor_run(actor, do_barrier, NULL);
}

static void
do_flush(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool)
			acre_thread_flush(kept[i].pool);
}

static void
do_trim(void *unused)
{
	size_t keep = some_size(), most = some_size() * 16;

	(void)unused;
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool)
			REQUIRE(acre_pool_trim(kept[i].pool, keep, most) <=
				most);
}

static void
step_thread(unsigned actor)
{
	switch (below(8)) {
	case 0:
		actor_run(actor, do_flush, NULL);
		break;
	case 1:
		reader_leaves(actor);
		actor_end(actor);
		break;
	case 2:
		reader_enters(actor);
		break;
	case 3:
		reader_leaves(actor);
		break;
	case 4:
		barrier(actor);
		break;
	case 5:
		actor_run(actor, do_trim, NULL);
		break;
	case 6:
		budgets_destroy(below(BUDGETS), pools_in_limbo());
		break;
	default:
		/* From its nth call on, the source fails; or no more. */
		for (unsigned i = 0; i < POOLS; i++)
			kept[i].source.fail_at = kept[i].source.fail_at ? 0 :
				kept[i].source.calls +
				kept[i].source.resizes + 1 + below(5);
	}
}

/* ---- sequences ---- */

static void (*const steps[])(void *) = {
	do_alloc, do_alloc, do_alloc, do_alloc, do_string, do_realloc,
	do_realloc, do_free, do_cleanup, do_cancel, do_mark, do_rewind,
	do_reset, do_close, do_detach, do_alloc,
};

enum { RETIRE = COUNT(steps), CLOSE_ELSEWHERE, THREAD, THREAD_AGAIN, WHATS };

static void
step(void)
{
	size_t what = below(WHATS);
	struct model *m = &models[below(REGIONS)];

	if (what >= THREAD)
		step_thread(some_actor());
	else if (!m->region)
		open_region(m);
	else if (m->detached)
		step_detached(m, what);
	else if (model_root(m)->detached)
		;
	else if (what == RETIRE)
		retire(m, m->owner);
	else if (what == CLOSE_ELSEWHERE && !m->parent)
		actor_run(some_actor(), do_close, m);
	else if (what < COUNT(steps))
		actor_run(m->owner, steps[what], m);
}

static void
check(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region)
			model_check_region(&models[i]);
	pools_check();
	budgets_check(pools_in_limbo());
	model_check_ghosts();
}

static void
check_all_contents(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region)
			model_check_contents(&models[i]);
}

static void
close_all(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && !models[i].parent)
			actor_run(models[i].owner, do_close, &models[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input_begin(data, size);
	model_begin();
	budgets_begin();
	pools_make(0, below(KINDS));
	while (input_left()) {
		step();
		check();
	}
	check_all_contents();
	for (unsigned i = 0; i < ACTORS; i++)
		reader_leaves(i);
	close_all();
	barrier(0);
	check();
	/* Some end before the pools, some after. */
	for (unsigned i = 1; i < ACTORS; i += 2)
		actor_end(i);
	pools_destroy();
	budgets_end();
	for (unsigned i = 2; i < ACTORS; i += 2)
		actor_end(i);
	model_check_tasks();
	model_free_buffers();
	return 0;
}
