/* SPDX-License-Identifier: MIT */
/*
 * steps.c - the steps of an execution: which come after which, and which race.
 *
 * A step comes after those before it that it does not commute with, and all
 * that these come after: its clock says, of each thread, up to which step.
 */
#include "explore/engine.h"

#include <string.h>

#define STEPS_MOST 255

/* A step that was done. */
struct played {
	struct step step;
	unsigned thread;
	unsigned choice;
	uint8_t clock[THREADS_MOST]; /* steps that this one comes after */
};

static struct steps {
	struct played played[STEPS_MOST];
	unsigned count;
	uint8_t clocks[THREADS_MOST][THREADS_MOST];
} *steps;

static bool
commute_in_rcu(enum kind a, enum kind b)
{
	enum kind first = a < b ? a : b, second = a < b ? b : a;

	return (first == ENTER && second <= LEAVE) ||
		(first == LEAVE && second <= BEGIN);
}

bool
steps_commute(const struct step *a, const struct step *b)
{
	if (a->kind == EVERYWHERE || b->kind == EVERYWHERE)
		return a->kind == LOCAL || b->kind == LOCAL;
	if (a->kind <= WRITE && b->kind <= WRITE)
		return a->what != b->what ||
			(a->kind == READ && b->kind == READ);
	if (a->kind == LOCK && b->kind == LOCK)
		return a->what && b->what && a->what != b->what;
	if (a->kind >= ENTER && a->kind <= FINISH &&
		b->kind >= ENTER && b->kind <= FINISH)
		return commute_in_rcu(a->kind, b->kind);
	return true;
}

static bool
comes_after(unsigned i, unsigned later)
{
	return steps->played[later].clock[steps->played[i].thread] > i;
}

/* Whether a step comes after one from from on that does not come after the
 * one before from: of those, is it not the first of its thread? */
static bool
has_cause(unsigned from, unsigned step)
{
	for (unsigned i = from; i < step; i++)
		if (!comes_after(from - 1, i) && comes_after(i, step))
			return true;
	return false;
}

uint32_t
steps_beginners(unsigned race)
{
	unsigned last = steps->count - 1;
	uint32_t seen = 0, beginners = 0;

	for (unsigned i = race + 1; i <= last; i++) {
		uint32_t bit = (uint32_t)1 << steps->played[i].thread;

		if (i < last && comes_after(race, i))
			continue;
		if (!(seen & bit) && !has_cause(race + 1, i))
			beginners |= bit;
		seen |= bit;
	}
	return beginners;
}

/* Whether two steps that do not commute have none between them that makes them
 * come in this order anyway. A step that has to wait comes after what it waits
 * for, but might have come before all that. */
static bool
is_race(unsigned i, unsigned last, const uint8_t *known)
{
	const struct played *played = &steps->played[i];

	if (played->thread == steps->played[last].thread ||
		steps_commute(&played->step, &steps->played[last].step) ||
		known[played->thread] > i)
		return false;
	if (steps->played[last].step.can)
		return true;
	for (unsigned k = i + 1; k < last; k++)
		if (!steps_commute(&steps->played[k].step,
			    &steps->played[last].step) &&
			comes_after(i, k))
			return false;
	return true;
}

void
steps_add(unsigned thread, const struct step *step, unsigned choice,
	void (*race)(unsigned i))
{
	unsigned last = steps->count++;
	struct played *played = &steps->played[last];
	uint8_t known[THREADS_MOST];

	if (last + 1 == STEPS_MOST)
		engine_limit("more than %d steps", STEPS_MOST);
	played->step = *step;
	played->thread = thread;
	played->choice = choice;
	memcpy(known, steps->clocks[thread], sizeof(known));
	memcpy(played->clock, known, sizeof(known));
	for (unsigned i = 0; i < last; i++) {
		const struct played *before = &steps->played[i];

		if (steps_commute(&before->step, &played->step))
			continue;
		for (int t = 0; t < THREADS_MOST; t++)
			if (played->clock[t] < before->clock[t])
				played->clock[t] = before->clock[t];
	}
	played->clock[thread] = (uint8_t)(last + 1);
	memcpy(steps->clocks[thread], played->clock, sizeof(known));
	for (unsigned i = 0; i < last; i++)
		if (is_race(i, last, known))
			race(i);
}

unsigned
steps_choice(unsigned i)
{
	return steps->played[i].choice;
}

bool
steps_last_waits(void)
{
	return steps->played[steps->count - 1].step.can;
}

void
steps_reset(void)
{
	steps->count = 0;
	memset(steps->clocks, 0, sizeof(steps->clocks));
}

void
steps_init(void)
{
	steps = engine_alloc(sizeof(*steps));
}
