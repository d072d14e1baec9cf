/* SPDX-License-Identifier: MIT */
/*
 * seam.c - a point before each atomic operation, and RCU of the simplest kind.
 *
 * One thread runs at a time and hands the baton on through a semaphore: so
 * memory is sequentially consistent, whatever the order asked for; that orders
 * suffice is shown in explore/.
 *
 * Who waits for a grace period waits until each thread that was in a section
 * has left that one.
 */
#include "seam/seam.h"

#include <string.h>

#include "schedule/schedule.h"
#include "seam/urcu/urcu-bp.h"

#define FAILS_EVERY 32 /* a weak compare-and-swap, for no reason */

/* ---- atomic operations ---- */

uint64_t
seam_load(const struct seam_site *site, const volatile void *p, size_t size,
	int order)
{
	(void)site;
	(void)order;
	scheduler_point();
	return seam_get(p, size);
}

void
seam_store(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t value, int order)
{
	(void)site;
	(void)order;
	scheduler_point();
	seam_set(p, size, value);
}

uint64_t
seam_rmw(const struct seam_site *site, volatile void *p, size_t size,
	enum seam_rmw what, uint64_t operand, int order)
{
	uint64_t before;

	(void)site;
	(void)order;
	scheduler_point();
	before = seam_get(p, size);
	seam_set(p, size, seam_compute(what, before, operand, size));
	return before;
}

bool
seam_cas(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t *expected, uint64_t value, int success, int failure,
	bool weak)
{
	uint64_t before;

	(void)site;
	(void)success;
	(void)failure;
	scheduler_point();
	before = seam_get(p, size);
	if (before != *expected ||
		(weak && scheduler_is_on() && !scheduler_chance(FAILS_EVERY))) {
		*expected = before;
		return false;
	}
	seam_set(p, size, value);
	return true;
}

void
seam_fence(const struct seam_site *site, int order)
{
	(void)site;
	(void)order;
	scheduler_point();
}

/* ---- membarrier ---- */

bool __wrap_membarrier_all(void);

/* All stores are visible at once: what is left of it is a point. */
bool
__wrap_membarrier_all(void)
{
	scheduler_point();
	return true;
}

/* ---- RCU ---- */

static struct reader {
	unsigned depth;
	uint64_t section; /* its number, of this thread's */
} readers[TASKS_MOST];

void
urcu_bp_read_lock(void)
{
	struct reader *reader;

	scheduler_point();
	reader = &readers[scheduler_me()];
	if (!reader->depth++)
		reader->section++;
}

void
urcu_bp_read_unlock(void)
{
	scheduler_point();
	readers[scheduler_me()].depth--;
}

int
urcu_bp_read_ongoing(void)
{
	return readers[scheduler_me()].depth > 0;
}

static bool
have_left(const void *argument)
{
	const struct reader *before = argument;

	for (int i = 0; i < TASKS_MOST; i++)
		if (before[i].depth && readers[i].depth &&
			before[i].section == readers[i].section)
			return false;
	return true;
}

void
urcu_bp_synchronize_rcu(void)
{
	struct reader before[TASKS_MOST];

	scheduler_point();
	if (readers[scheduler_me()].depth)
		schedule_fail("a grace period is waited for in a section");
	memcpy(before, readers, sizeof(before));
	scheduler_wait(have_left, before, 0);
}

/* The children of main.c's forks begin before there is any RCU. */
void
urcu_bp_before_fork(void)
{
}

void
urcu_bp_after_fork_parent(void)
{
}

void
urcu_bp_after_fork_child(void)
{
}

const struct rcu_flavor_struct urcu_bp_flavor = {
	.read_ongoing = urcu_bp_read_ongoing,
	.update_synchronize_rcu = urcu_bp_synchronize_rcu,
};
