/* SPDX-License-Identifier: MIT */
/*
 * order.c - the one order of seq_cst operations.
 *
 * Such an order exists if these edges, between seq_cst accesses and fences,
 * have no cycle (RC11's psc; see memory.c for the source):
 *
 *   access a -> b   program order; happens before, to the same location;
 *                   happens before, between other locations on both sides;
 *                   modification order; a reads what b or one before it
 *                   overwrites
 *   fence f  -> b   the same, from what happens after f
 *   a -> fence g    the same, to what happens before g
 *
 * An execution in which there is a cycle cannot be. Fences are those that a
 * grace period begins with, and, behind one, a section: see rcu.c.
 *
 * Sets of events are bits: there are few.
 */
#include "explore/engine.h"

#include <string.h>

#define EVENTS_MOST 256
#define WORDS (EVENTS_MOST / 64)
#define STRONG_MOST 64

struct set {
	uint64_t bits[WORDS];
};

static struct order {
	int count;
	struct event events[EVENTS_MOST];
	moment clocks[EVENTS_MOST][THREADS_MOST];
	struct set before[EVENTS_MOST]; /* what happens before it */
	struct set after[EVENTS_MOST];
	struct set leads[EVENTS_MOST];  /* the edges from it, between accesses */
	int next_elsewhere[EVENTS_MOST]; /* of its thread, other location */
	int last_elsewhere[EVENTS_MOST];
	int strong[STRONG_MOST]; /* the seq_cst events */
	int strong_count;
	uint64_t edges[STRONG_MOST]; /* given by order_edge */
} *order;

static void
set_add(struct set *set, int i)
{
	set->bits[i / 64] |= (uint64_t)1 << i % 64;
}

static void
set_join(struct set *set, const struct set *other)
{
	for (int i = 0; i < WORDS; i++)
		set->bits[i] |= other->bits[i];
}

static bool
set_has(const struct set *set, int i)
{
	return set->bits[i / 64] >> i % 64 & 1;
}

static bool
set_meets(const struct set *a, const struct set *b)
{
	for (int i = 0; i < WORDS; i++)
		if (a->bits[i] & b->bits[i])
			return true;
	return false;
}

void
order_init(void)
{
	order = engine_alloc(sizeof(*order));
}

void
order_reset(void)
{
	order->count = 0;
	order->strong_count = 0;
}

void
order_shift(int location, int position)
{
	for (int i = 0; i < order->count; i++) {
		struct event *event = &order->events[i];

		if (event->location != location)
			continue;
		event->reads += event->reads >= position;
		event->writes += event->writes >= position;
	}
}

/* Whether a happens before b, which came later. */
static bool
happens_before(int a, int b)
{
	return order->clocks[b][order->events[a].thread] >=
		order->events[a].time;
}

static bool
is_elsewhere(const struct event *a, const struct event *b)
{
	return a->location >= 0 && b->location >= 0 &&
		a->location != b->location;
}

/* Whether there are events between a and b, each at another location than its
 * neighbour's, of which one happens before the other. */
static bool
leads_elsewhere(int a, int b)
{
	int from = order->next_elsewhere[a], to = order->last_elsewhere[b];

	return from >= 0 && to >= 0 && from != to && happens_before(from, to);
}

/* Whether a, which is at the same location, is overwritten by b. */
static bool
is_overwritten(const struct event *a, const struct event *b)
{
	int position = a->writes >= 0 ? a->writes : a->reads;

	if (b->writes < 0 || a->location < 0 || a->location != b->location)
		return false;
	return position < b->writes;
}

static bool
leads(int a, int b)
{
	const struct event *from = &order->events[a];
	const struct event *to = &order->events[b];

	if (from->thread == to->thread)
		return true;
	if (from->location == to->location && happens_before(a, b))
		return true;
	return leads_elsewhere(a, b) || is_overwritten(from, to);
}

/* What comes before and after it in its thread, at another location. */
static void
chain(int e)
{
	const struct event *event = &order->events[e];

	order->next_elsewhere[e] = -1;
	order->last_elsewhere[e] = -1;
	for (int i = e - 1; i >= 0; i--) {
		if (order->events[i].thread != event->thread ||
			!is_elsewhere(&order->events[i], event))
			continue;
		if (order->last_elsewhere[e] < 0)
			order->last_elsewhere[e] = i;
		if (order->next_elsewhere[i] < 0)
			order->next_elsewhere[i] = e;
	}
}

static void
relate(int e)
{
	const struct event *event = &order->events[e];

	memset(&order->before[e], 0, sizeof(order->before[e]));
	memset(&order->after[e], 0, sizeof(order->after[e]));
	memset(&order->leads[e], 0, sizeof(order->leads[e]));
	for (int i = 0; i < e; i++) {
		if (happens_before(i, e)) {
			set_add(&order->before[e], i);
			set_add(&order->after[i], e);
		}
		if (leads(i, e))
			set_add(&order->leads[i], e);
		if (event->thread != order->events[i].thread &&
			is_overwritten(event, &order->events[i]))
			set_add(&order->leads[e], i);
	}
}

/* All that the edges from a strong event lead to. */
static struct set
reach(int e)
{
	struct set set = order->leads[e];

	if (order->events[e].location >= 0)
		return set;
	set_join(&set, &order->after[e]);
	for (int i = 0; i < order->count; i++)
		if (set_has(&order->after[e], i))
			set_join(&set, &order->leads[i]);
	return set;
}

/* Whether what one strong event reaches leads to another. */
static bool
arrives(const struct set *reached, int e)
{
	if (order->events[e].is_entry)
		return false;
	return set_has(reached, e) || (order->events[e].location < 0 &&
		set_meets(reached, &order->before[e]));
}

static bool
has_cycle(void)
{
	int n = order->strong_count;
	uint64_t to[STRONG_MOST];

	for (int i = 0; i < n; i++) {
		struct set reached = reach(order->strong[i]);

		to[i] = order->edges[i];
		for (int k = 0; k < n; k++)
			if (k != i && arrives(&reached, order->strong[k]))
				to[i] |= (uint64_t)1 << k;
	}
	for (int k = 0; k < n; k++)
		for (int i = 0; i < n; i++)
			if (to[i] >> k & 1)
				to[i] |= to[k];
	for (int i = 0; i < n; i++)
		if (to[i] >> i & 1)
			return true;
	return false;
}

static int
strong_number(int e)
{
	for (int i = order->strong_count; i-- > 0;)
		if (order->strong[i] == e)
			return i;
	return -1;
}

void
order_edge(int from, int to)
{
	order->edges[strong_number(from)] |= (uint64_t)1 << strong_number(to);
	if (has_cycle())
		engine_impossible();
}

int
order_add(const struct event *event)
{
	int e = order->count++;

	if (e + 1 == EVENTS_MOST || order->strong_count == STRONG_MOST)
		engine_limit("more than %d events", EVENTS_MOST);
	order->events[e] = *event;
	memcpy(order->clocks[e], memory_view(event->thread)->clock,
		sizeof(order->clocks[e]));
	chain(e);
	relate(e);
	if (event->seq_cst) {
		order->edges[order->strong_count] = 0;
		order->strong[order->strong_count++] = e;
	}
	if (order->strong_count > 1 && has_cycle())
		engine_impossible();
	return e;
}
