/* SPDX-License-Identifier: MIT */
/*
 * helper.c - the helper thread's life, and its ticks.
 *
 *   none --want--> ticking --nothing wanted--> asleep --want--> ticking
 *     ^                                          |
 *     +------- LINGER_US, or the last pool ------+
 *
 * While ticking, requests cost their callers no wake-up: each tick serves
 * all that came before it. `dormant` is true when a request must wake (or
 * create) the helper. It and `wanted` are a pair of flags in Dekker's manner:
 * a request stores wanted, then loads dormant; the helper stores dormant,
 * then loads wanted; all seq_cst, so one of them sees the other.
 *
 * The lock guards all other fields. It is held for a few instructions, or
 * for pthread_create.
 */
#include "lib/helper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "lib/atomic.h"
#include "lib/clock.h"
#include "lib/grace.h"
#include "lib/rcu.h"

#define TICK_US 2000
#define TICK_HURRIED_US 100
#define HURRIED_TICKS 20 /* that a call of helper_hurry lasts */
#define QUIET_TICKS 50   /* without a request, before it sleeps */
#define LINGER_US 1000000 /* asleep, before it is gone */
#define RETRY_EVERY 256
#define NEVER INT64_MAX

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_cond_t ticked_once;
	pthread_t thread;
	unsigned pools;
	unsigned failures; /* of pthread_create, in a row */
	unsigned waiters;
	uint64_t ticked; /* the sequence at the last tick's end */
	bool running;
	bool stop;
	bool ticking; /* a tick is under way, without the lock */
	int64_t decay_due; /* microseconds; NEVER */
} helper = {.lock = PTHREAD_MUTEX_INITIALIZER, .decay_due = NEVER};

static void
grace_only(void)
{
	grace_begin();
	grace_end();
}

static void (*_Atomic tick_work)(void) = grace_only;
static int64_t (*_Atomic decay_work)(void);

static _Atomic(uint64_t) wanted;
static _Atomic(bool) dormant = true;
static _Atomic(bool) hurry;
static _Thread_local bool is_helper;

static bool initialised; /* the conditions, and so there was a pool */

/* In a fork's child, where liburcu 0.13 may have lost the lock that a thread
 * takes to be known to bp. */
static bool in_a_child;

static bool
something_wanted(void)
{
	return !rcu_is_dead && !grace_elapsed(load_seq_cst(&wanted));
}

/* With the lock. Returns false when the time was up, in microseconds. */
static bool
wait_until(pthread_cond_t *condition, int64_t time)
{
	struct timespec until = {
		.tv_sec = (time_t)(time / 1000000),
		.tv_nsec = (long)(time % 1000000 * 1000),
	};

	return pthread_cond_timedwait(condition, &helper.lock, &until) !=
		ETIMEDOUT;
}

static bool
pause_for(long microseconds)
{
	return wait_until(&helper.wake, clock_now() + microseconds);
}

/* With the lock, which is given up meanwhile. */
static void
decay_if_due(void)
{
	int64_t next;

	if (helper.decay_due > clock_now())
		return;
	helper.decay_due = NEVER;
	pthread_mutex_unlock(&helper.lock);
	next = load_acquire(&decay_work)();
	pthread_mutex_lock(&helper.lock);
	if (next >= 0 && clock_now() + next < helper.decay_due)
		helper.decay_due = clock_now() + next;
}

/* With the lock. Returns false when it has had nothing to do for a while. */
static bool
sleep_a_while(void)
{
	if (helper.decay_due == NEVER)
		return pause_for(LINGER_US) || helper.decay_due != NEVER;
	wait_until(&helper.wake, helper.decay_due);
	decay_if_due();
	return true;
}

/* With the lock. Returns false when the helper is to go. */
static bool
sleep_until_wanted(void)
{
	bool stays = true;

	store_seq_cst(&dormant, true);
	while (stays && !helper.stop && !something_wanted())
		stays = sleep_a_while();
	if (helper.stop || (!stays && !something_wanted()))
		return false;
	store_seq_cst(&dormant, false);
	return true;
}

void
helper_act(void (*work)(void))
{
	bool was = is_helper;

	is_helper = true;
	work();
	is_helper = was;
}

/* With the lock, which is given up meanwhile; nobody else ticks. */
static void
tick_once(void)
{
	helper.ticking = true;
	pthread_mutex_unlock(&helper.lock);
	/* Who stands in for the helper is it, for as long. */
	helper_act(load_acquire(&tick_work));
	pthread_mutex_lock(&helper.lock);
	helper.ticking = false;
	helper.ticked = grace_sequence();
	if (helper.waiters)
		pthread_cond_broadcast(&helper.ticked_once);
}

/* With the lock. */
static void
tick(void)
{
	unsigned quiet = 0, hurried = 0;

	while (!helper.stop && quiet < QUIET_TICKS) {
		quiet++;
		if (something_wanted()) {
			quiet = 0;
			if (!helper.ticking)
				tick_once();
		}
		decay_if_due();
		if (load_relaxed(&hurry)) {
			store_relaxed(&hurry, false);
			hurried = HURRIED_TICKS;
		}
		if (!helper.stop && helper.decay_due > clock_now())
			pause_for(hurried ? TICK_HURRIED_US : TICK_US);
		if (hurried)
			hurried--;
	}
}

static void *
helper_main(void *unused)
{
	(void)unused;
	is_helper = true;
	/* Known to bp from the start, so that it never has to wait for bp's
	 * locks with locks of acre's held. */
	if (!in_a_child) {
		rcu_enter();
		rcu_leave();
	}
	pthread_mutex_lock(&helper.lock);
	do {
		tick();
	} while (sleep_until_wanted());
	if (!helper.stop) {
		/* Nobody will join. */
		pthread_detach(helper.thread);
		helper.running = false;
		pthread_cond_broadcast(&helper.ticked_once);
	}
	pthread_mutex_unlock(&helper.lock);
	return NULL;
}

/* With the lock. Signals stay the application's. While creation fails, only
 * each RETRY_EVERYth request tries. */
static void
create(void)
{
	sigset_t all, old;

	if (helper.failures && helper.failures++ % RETRY_EVERY)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	helper.running =
		!pthread_create(&helper.thread, NULL, helper_main, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!helper.running) {
		helper.failures++;
		return;
	}
	helper.failures = 0;
	pthread_setname_np(helper.thread, "acre-helper");
	store_seq_cst(&dormant, false);
}

/* Returns whether there is a helper now. */
static bool
wake(void)
{
	bool running;

	pthread_mutex_lock(&helper.lock);
	if (helper.running)
		pthread_cond_signal(&helper.wake);
	else if (helper.pools > 0)
		create();
	running = helper.running;
	pthread_mutex_unlock(&helper.lock);
	return running;
}

bool
helper_is_dormant(void)
{
	return load_seq_cst(&dormant);
}

void
helper_want(uint64_t needed)
{
	uint64_t now = load_relaxed(&wanted);

	if (rcu_is_dead)
		return;
	while (now < needed && !cas_seq_cst_or_acquire(&wanted, &now, needed))
		;
	/* Also when somebody has asked before: creation may have failed. */
	if (helper_is_dormant() && something_wanted())
		wake();
}

void
helper_set_tick(void (*tick_function)(void))
{
	if (load_acquire(&tick_work) != tick_function)
		store_release(&tick_work, tick_function);
}

void
helper_set_decay(int64_t (*decay)(void))
{
	if (load_acquire(&decay_work) != decay)
		store_release(&decay_work, decay);
}

bool
helper_want_decay(void)
{
	pthread_mutex_lock(&helper.lock);
	helper.decay_due = 0;
	pthread_mutex_unlock(&helper.lock);
	return wake();
}

void
helper_wait(uint64_t needed)
{
	helper_want(needed);
	pthread_mutex_lock(&helper.lock);
	helper.waiters++;
	pthread_cond_signal(&helper.wake);
	while (helper.ticked < needed) {
		if (helper.running || helper.ticking)
			pthread_cond_wait(&helper.ticked_once, &helper.lock);
		else
			tick_once();
	}
	helper.waiters--;
	pthread_mutex_unlock(&helper.lock);
}

bool
helper_wait_briefly(uint64_t needed, long microseconds)
{
	int64_t until = clock_now() + microseconds;
	bool ticked;

	helper_want(needed);
	pthread_mutex_lock(&helper.lock);
	helper.waiters++;
	pthread_cond_signal(&helper.wake);
	while (helper.ticked < needed && helper.running &&
		wait_until(&helper.ticked_once, until))
		;
	helper.waiters--;
	ticked = helper.ticked >= needed;
	pthread_mutex_unlock(&helper.lock);
	return ticked;
}

void
helper_hurry(void)
{
	if (!load_relaxed(&hurry))
		store_relaxed(&hurry, true);
	/* When all descriptors cool, nobody pops one and asks again: what has
	 * been asked for must not be forgotten. */
	helper_want(0);
}

/* With the lock. */
static void
init_conditions(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&helper.wake, &attributes);
	pthread_cond_init(&helper.ticked_once, &attributes);
	pthread_condattr_destroy(&attributes);
}

void
helper_before_fork(void)
{
	pthread_mutex_lock(&helper.lock);
}

/* Conditions are made anew in the child: who waited on them is not there. */
void
helper_after_fork(bool in_child)
{
	if (in_child) {
		init_conditions();
		helper.waiters = 0;
		helper.stop = false;
		helper.decay_due = NEVER;
		in_a_child = in_a_child || initialised;
		/* A cleanup may have forked: then this is the helper. */
		helper.ticking = helper.ticking && is_helper;
		helper.running = helper.running && is_helper &&
			pthread_equal(helper.thread, pthread_self());
		store_seq_cst(&dormant, !helper.running);
		if (!is_helper)
			grace_cancel();
	}
	pthread_mutex_unlock(&helper.lock);
}

void
helper_retain(void)
{
	pthread_mutex_lock(&helper.lock);
	if (!initialised) {
		init_conditions();
		initialised = true;
	}
	helper.pools++;
	pthread_mutex_unlock(&helper.lock);
}

void
helper_release(void)
{
	pthread_t thread;
	bool join;

	pthread_mutex_lock(&helper.lock);
	join = --helper.pools == 0 && helper.running && !helper.stop;
	if (join) {
		helper.stop = true;
		thread = helper.thread;
		pthread_cond_signal(&helper.wake);
	}
	pthread_mutex_unlock(&helper.lock);
	if (!join)
		return;
	pthread_join(thread, NULL);
	pthread_mutex_lock(&helper.lock);
	helper.running = helper.stop = false;
	store_seq_cst(&dormant, true);
	/* A pool that began meanwhile may have asked the one that ended. */
	if (helper.pools > 0 &&
		(something_wanted() || helper.decay_due != NEVER))
		create();
	/* Who waits stands in where there is no new one. */
	pthread_cond_broadcast(&helper.ticked_once);
	pthread_mutex_unlock(&helper.lock);
}

bool
helper_is_me(void)
{
	return is_helper;
}
