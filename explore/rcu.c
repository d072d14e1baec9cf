/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - sections and grace periods, as the law has them.
 *
 * Of a section and a grace period one is true: the section has ended before
 * the period ends, and all that was done in it happens before that end; or it
 * began after the period began, and sees all that was done before that.
 *
 *   period          |begin ------------- end|
 *   section 1    |-----------------|             is waited for
 *   section 2            |----------------|      either
 *   section 3                         ...|---|   sees what the beginning saw
 *
 * "Sees" is what liburcu gives by a barrier in the reader at the time of the
 * period's beginning: no older write can be read, but nothing of the updater's
 * happens before; so the race detector is told nothing. The beginning is a
 * full barrier, as liburcu's is; its end is taken for none, though it is.
 */
#include "explore/engine.h"

#include <string.h>

#include "seam/urcu/urcu-bp.h"

#define PERIODS_MOST 8

struct period {
	bool ended;
	int fence;          /* its beginning's event */
	struct view view;   /* at its beginning */
	uint32_t waits_for; /* threads whose section it has found */
};

static struct rcu {
	uint32_t inside;   /* threads in a section */
	struct view ended; /* what was done in sections that have ended */
	struct period periods[PERIODS_MOST];
	int count;
	struct without without;
} *rcu;

void
rcu_init(void)
{
	rcu = engine_alloc(sizeof(*rcu));
}

void
rcu_reset(void)
{
	struct without without = rcu->without;

	*rcu = (struct rcu){.without = without};
}

void
rcu_go_without(struct without without)
{
	rcu->without = without;
}

static uint32_t
me(void)
{
	return (uint32_t)1 << engine_thread();
}

static int
add_fence(bool is_entry)
{
	moment time = memory_tick();
	int event = order_add(&(struct event){
		.thread = engine_thread(),
		.time = time,
		.location = -1,
		.reads = -1,
		.writes = -1,
		.seq_cst = true,
		.is_entry = is_entry,
	});

	memory_tick();
	return event;
}

/* The section begins after these periods did. */
static void
see(const bool *seen)
{
	int fence = -1;

	for (int i = 0; i < rcu->count; i++) {
		if (!seen[i])
			continue;
		view_join_seen(memory_view(engine_thread()),
			&rcu->periods[i].view);
		if (rcu->without.fence)
			continue;
		if (fence < 0)
			fence = add_fence(true);
		order_edge(rcu->periods[i].fence, fence);
	}
}

void
urcu_bp_read_lock(void)
{
	bool seen[PERIODS_MOST];

	engine_step((struct step){.kind = ENTER, .name = "enter"});
	if (rcu->without.sections)
		return;
	for (int i = 0; i < rcu->count; i++) {
		struct period *period = &rcu->periods[i];

		seen[i] = period->ended || engine_choose(2) == 0;
		if (!seen[i])
			period->waits_for |= me();
	}
	rcu->inside |= me();
	see(seen);
	engine_note(NULL, "a section begins");
}

void
urcu_bp_read_unlock(void)
{
	engine_step((struct step){.kind = LEAVE, .name = "leave"});
	if (rcu->without.sections)
		return;
	memory_tick();
	rcu->inside &= ~me();
	for (int i = 0; i < rcu->count; i++)
		rcu->periods[i].waits_for &= ~me();
	view_join(&rcu->ended, memory_view(engine_thread()));
	memory_tick();
	engine_note(NULL, "a section ends");
}

int
urcu_bp_read_ongoing(void)
{
	return (rcu->inside & me()) != 0;
}

static bool
is_over(const void *period)
{
	return rcu->without.waiting ||
		!((const struct period *)period)->waits_for;
}

void
urcu_bp_synchronize_rcu(void)
{
	struct period *period = &rcu->periods[rcu->count];

	engine_step((struct step){.kind = BEGIN, .name = "begin"});
	if (rcu->count == PERIODS_MOST)
		engine_limit("more than %d grace periods", PERIODS_MOST);
	*period = (struct period){.waits_for = rcu->inside};
	if (!rcu->without.fence)
		period->fence = add_fence(false);
	period->view = *memory_view(engine_thread());
	rcu->count++;
	engine_note(NULL, "a grace period begins");
	engine_step((struct step){
		.kind = FINISH,
		.can = is_over,
		.argument = period,
		.name = "finish",
	});
	period->ended = true;
	if (!rcu->without.waiting)
		view_join(memory_view(engine_thread()), &rcu->ended);
	memory_tick();
	engine_note(NULL, "the grace period ends");
}

const struct rcu_flavor_struct urcu_bp_flavor = {
	.read_ongoing = urcu_bp_read_ongoing,
	.update_synchronize_rcu = urcu_bp_synchronize_rcu,
};
