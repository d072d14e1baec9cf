/* SPDX-License-Identifier: MIT */
/*
 * membarrier.c - a full barrier in every thread, at a point of its own choice.
 *
 *   who calls        fence --------------------- fence
 *                        \                       /
 *   each other thread     `-----> fence --------'      where it stands just now
 *
 * All that came before the call is seen behind each other thread's fence, and
 * what came before that is seen after the call. As in C11, a fence alone makes
 * nothing happen before anything: the race detector is told nothing.
 */
#include "lib/membarrier.h"

#include "explore/engine.h"
#include "explore/fibre.h"

static struct barrier {
	bool without;
} *barrier;

void
membarrier_init(void)
{
	barrier = engine_alloc(sizeof(*barrier));
}

void
membarrier_go_without(bool order)
{
	barrier->without = order;
}

static int
add_fence(unsigned thread)
{
	moment time = memory_tick_of(thread);
	int event = order_add(&(struct event){
		.thread = thread,
		.time = time,
		.location = -1,
		.reads = -1,
		.writes = -1,
		.seq_cst = true,
	});

	memory_tick_of(thread);
	return event;
}

static void
order_everywhere(unsigned me)
{
	struct view before = *memory_view(me);
	int fences[THREADS_MOST], first = add_fence(me), last;

	for (unsigned t = 1; t < fibre_count(); t++) {
		if (t == me)
			continue;
		fences[t] = add_fence(t);
		order_edge(first, fences[t]);
		view_join_seen(memory_view(me), memory_view(t));
		view_join_seen(memory_view(t), &before);
	}
	last = add_fence(me);
	for (unsigned t = 1; t < fibre_count(); t++)
		if (t != me)
			order_edge(fences[t], last);
}

bool
membarrier_all(void)
{
	engine_step((struct step){
		.kind = EVERYWHERE, .name = "membarrier"});
	if (!barrier->without)
		order_everywhere(engine_thread());
	engine_note(NULL, "membarrier");
	return true;
}
