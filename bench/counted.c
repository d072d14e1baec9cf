/* SPDX-License-Identifier: MIT */
/*
 * counted.c - lib/ behind the seam, its shared operations told to lines.c.
 */
#include "bench/counted.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/lines.h"
#include "bench/turns.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "seam/seam.h"
#include "seam/urcu/urcu-bp.h"

/* ---- behind the seam -------------------------------------------------- */

static void
touch(const volatile void *p, enum access access)
{
	lines_touch(turns_me(LINES_NOBODY), p, access);
}

uint64_t
seam_load(const struct seam_site *site, const volatile void *p, size_t size,
	int order)
{
	(void)site;
	(void)order;
	touch(p, LINES_LOAD);
	return seam_get(p, size);
}

void
seam_store(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t value, int order)
{
	(void)site;
	(void)order;
	touch(p, LINES_STORE);
	seam_set(p, size, value);
}

uint64_t
seam_rmw(const struct seam_site *site, volatile void *p, size_t size,
	enum seam_rmw what, uint64_t operand, int order)
{
	uint64_t before;

	(void)site;
	(void)order;
	turns_yield();
	touch(p, LINES_RMW);
	before = seam_get(p, size);
	seam_set(p, size, seam_compute(what, before, operand, size));
	return before;
}

bool
seam_cas(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t *expected, uint64_t value, int success, int failure, bool weak)
{
	uint64_t before;

	(void)site;
	(void)success;
	(void)failure;
	(void)weak;
	turns_yield();
	before = seam_get(p, size);
	touch(p, before == *expected ? LINES_RMW : LINES_FAILED);
	if (before != *expected) {
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
}

/* A lock and its release are a read-modify-write each. No thread yields while
 * it has one. */
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	touch(mutex, LINES_RMW);
	return __real_pthread_mutex_lock(mutex);
}

int
__wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	touch(mutex, LINES_RMW);
	return __real_pthread_mutex_trylock(mutex);
}

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	touch(mutex, LINES_RMW);
	return __real_pthread_mutex_unlock(mutex);
}

/* A section writes a line of its thread's own. */
void
urcu_bp_read_lock(void)
{
}

void
urcu_bp_read_unlock(void)
{
}

int
urcu_bp_read_ongoing(void)
{
	return 0;
}

void
urcu_bp_synchronize_rcu(void)
{
}

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

/* ---- in place of lib/helper.c ----------------------------------------- */

static uint64_t wanted;

void
counted_tick(void)
{
	while (!grace_elapsed(wanted)) {
		grace_begin();
		grace_end();
	}
}

void
helper_want(uint64_t needed)
{
	if (wanted < needed)
		wanted = needed;
}

void
helper_wait(uint64_t needed)
{
	helper_want(needed);
	counted_tick();
}

bool
helper_wait_briefly(uint64_t needed, long microseconds)
{
	(void)microseconds;
	helper_wait(needed);
	return true;
}

void
helper_retain(void)
{
}

void
helper_release(void)
{
}

void
helper_set_tick(void (*f)(void))
{
	(void)f;
}

void
helper_hurry(void)
{
}

void
helper_set_decay(int64_t (*decay)(void))
{
	(void)decay;
}

bool
helper_want_decay(void)
{
	return false;
}

void
helper_before_fork(void)
{
}

void
helper_after_fork(bool in_child)
{
	(void)in_child;
}

void
helper_act(void (*work)(void))
{
	work();
}

bool
helper_is_me(void)
{
	return false;
}

bool
helper_is_dormant(void)
{
	return true;
}
