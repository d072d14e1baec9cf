/* SPDX-License-Identifier: MIT */
/* helper_test.c - the helper comes when needed and goes with the pools. */
#include "lib/helper.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/atomic.h"
#include "lib/grace.h"
#include "tests/actor.h"
#include "tests/no_threads.h"
#include "tests/process.h"
#include "tests/suite.h"

/* Returns when needed has elapsed; the suite's time limit is the check. */
static void
wait_for(uint64_t needed)
{
	while (!grace_elapsed(needed))
		sched_yield();
}

START_TEST(a_request_is_served_without_a_grace_period_in_the_caller)
{
	uint64_t needed = grace_needed();

	helper_retain();
	helper_want(needed);
	wait_for(needed);
	ck_assert_int_eq(count_threads("acre-helper"), 1);
	helper_release();
}
END_TEST

START_TEST(no_helper_before_a_request_and_none_after_the_last_pool)
{
	uint64_t needed = grace_needed();

	helper_retain();
	helper_retain();
	ck_assert_int_eq(count_threads("acre-helper"), 0);
	helper_want(needed);
	wait_for(needed);
	helper_release();
	ck_assert_int_eq(count_threads("acre-helper"), 1);
	helper_release();
	ck_assert_int_eq(count_threads("acre-helper"), 0);
}
END_TEST

START_TEST(a_request_after_the_last_pool_brings_none)
{
	helper_retain();
	helper_release();
	helper_want(grace_needed());
	ck_assert_int_eq(count_threads("acre-helper"), 0);
}
END_TEST

START_TEST(it_comes_again_after_it_was_gone)
{
	for (int i = 0; i < 20; i++) {
		uint64_t needed = grace_needed();

		helper_retain();
		helper_want(needed);
		wait_for(needed);
		helper_release();
	}
	ck_assert_int_eq(count_threads("acre-helper"), 0);
}
END_TEST

START_TEST(a_request_wakes_a_sleeping_helper)
{
	helper_retain();
	for (int i = 0; i < 3; i++) {
		uint64_t needed = grace_needed();

		helper_want(needed);
		wait_for(needed);
		/* Until it sleeps, or is gone: both must be woken from. */
		while (!helper_is_dormant())
			sched_yield();
	}
	helper_release();
}
END_TEST

/* The linker puts this in the place of all calls. The helper's pauses may be
 * so long that only who wakes it ends them. */
static _Atomic(bool) pauses_are_long, pausing;
int __real_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *,
	const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *,
	const struct timespec *);

int
__wrap_pthread_cond_timedwait(pthread_cond_t *condition,
	pthread_mutex_t *lock, const struct timespec *until)
{
	struct timespec late = *until;
	int error;

	if (!helper_is_me() || !load_relaxed(&pauses_are_long))
		return __real_pthread_cond_timedwait(condition, lock, until);
	late.tv_sec += 1000;
	store_relaxed(&pausing, true);
	error = __real_pthread_cond_timedwait(condition, lock, &late);
	store_relaxed(&pausing, false);
	return error;
}

/* Until the helper pauses: it has its lock before, and not while. */
static void
await_pause(void)
{
	while (!load_relaxed(&pausing))
		sched_yield();
}

START_TEST(who_waits_ends_the_helpers_pause)
{
	uint64_t needed = grace_needed();

	store_relaxed(&pauses_are_long, true);
	helper_retain();
	helper_want(needed);
	wait_for(needed);
	await_pause();
	helper_wait(grace_needed());
	await_pause();
	ck_assert(helper_wait_briefly(grace_needed(), 100000000));
	helper_release();
}
END_TEST

static volatile sig_atomic_t caught_by_main;
static pthread_t main_thread;

static void
note_thread(int signal)
{
	(void)signal;
	caught_by_main = pthread_equal(pthread_self(), main_thread) ? 1 : -1;
}

START_TEST(signals_stay_the_applications)
{
	uint64_t needed = grace_needed();
	sigset_t set, old, after;

	main_thread = pthread_self();
	signal(SIGUSR1, note_thread);
	helper_retain();
	pthread_sigmask(SIG_SETMASK, NULL, &old);
	helper_want(needed);
	wait_for(needed);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int i = 1; i < NSIG; i++)
		ck_assert_int_eq(sigismember(&old, i), sigismember(&after, i));
	/* With main's blocked, only the helper could take it; it must not. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	needed = grace_needed();
	helper_want(needed);
	wait_for(needed);
	ck_assert_int_eq(caught_by_main, 0);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ck_assert_int_eq(caught_by_main, 1);
	helper_release();
}
END_TEST

/* What is wanted while it cannot be created is not forgotten: later requests
 * try again. */
START_TEST(it_comes_when_it_could_not_be_created_at_first)
{
	enum { RETIRED = 600 };
	acre_pool *pool = pool_with((acre_pool_options){0});
	uint64_t retired = 0;

	store_relaxed(&no_threads, true);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(acre_region_retire(acre_region_open(pool)),
			0);
	ck_assert_uint_gt(stats_of(pool).limbo_bytes, 0);
	store_relaxed(&no_threads, false);
	while (count_threads("acre-helper") == 0) {
		ck_assert_uint_lt(retired++, RETIRED);
		ck_assert_int_eq(acre_region_retire(acre_region_open(pool)),
			0);
	}
	while (stats_of(pool).limbo_bytes)
		sched_yield();
	assert_balanced(pool);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* Who waits stands in for it. */
START_TEST(without_it_waiting_is_not_for_ever)
{
	acre_pool *pool;

	store_relaxed(&no_threads, true);
	pool = pool_with((acre_pool_options){.decay_ms = 1});
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(acre_region_retire(acre_region_open(pool)),
			0);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
		ck_assert_uint_eq(stats_of(pool).limbo_bytes, 0);
	}
	ck_assert(!helper_wait_briefly(grace_needed(), 1000));
	ck_assert_int_eq(count_threads("acre-helper"), 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* ---- one that ends while another is asked for ---- */

static struct actor releaser;
static _Atomic(pid_t) releasers_tid;
static _Atomic(bool) is_in_tick, may_end;

static void
tick_slowly(void)
{
	store_release(&is_in_tick, true);
	while (!load_acquire(&may_end))
		sched_yield();
	grace_begin();
	grace_end();
}

static void
release_slowly(void *unused)
{
	(void)unused;
	store_release(&releasers_tid, (pid_t)syscall(SYS_gettid));
	helper_release();
}

/* The last pool's end waits for the helper to end, in the middle of a tick. */
static void
begin_to_end(void)
{
	pid_t tid;

	helper_set_tick(tick_slowly);
	helper_retain();
	helper_want(grace_needed());
	while (!load_acquire(&is_in_tick))
		sched_yield();
	actor_start(&releaser);
	actor_begin(&releaser, release_slowly, NULL);
	while (!(tid = load_acquire(&releasers_tid)) || !is_asleep(tid))
		sched_yield();
}

static void
let_end(void)
{
	store_release(&may_end, true);
	actor_await(&releaser);
	actor_end(&releaser);
}

START_TEST(what_was_asked_of_one_that_ends_the_next_one_does)
{
	uint64_t needed;

	begin_to_end();
	helper_retain();
	needed = grace_needed() + 2; /* not with this tick */
	helper_want(needed);
	let_end();
	wait_for(needed);
	ck_assert_int_eq(count_threads("acre-helper"), 1);
	helper_release();
}
END_TEST

START_TEST(a_pool_that_begins_meanwhile_and_asks_for_nothing_gets_none)
{
	begin_to_end();
	helper_retain();
	let_end();
	ck_assert(helper_is_dormant());
	ck_assert_int_eq(count_threads("acre-helper"), 0);
	helper_release();
}
END_TEST

/* ---- work that is done now and then ---- */

static _Atomic(int) works;
static _Atomic(int64_t) next_work;

static int64_t
work(void)
{
	ck_assert(helper_is_me());
	add_relaxed(&works, 1);
	return load_relaxed(&next_work);
}

START_TEST(work_is_done_when_it_says_and_not_without)
{
	helper_retain();
	helper_set_decay(work);
	store_relaxed(&next_work, 0);
	ck_assert(helper_want_decay());
	while (load_relaxed(&works) < 100)
		sched_yield();
	/* And while it sleeps, between. */
	store_relaxed(&next_work, 1000);
	while (!helper_is_dormant())
		sched_yield();
	for (int before = load_relaxed(&works);
		load_relaxed(&works) < before + 20;)
		sched_yield();
	store_relaxed(&next_work, -1);
	while (count_threads("acre-helper"))
		sched_yield();
	ck_assert(helper_want_decay());
	while (!helper_is_dormant())
		sched_yield();
	helper_release();
}
END_TEST

static int64_t
work_once(void)
{
	add_relaxed(&works, 1);
	return -1;
}

START_TEST(work_that_was_asked_of_one_that_ends_the_next_one_does)
{
	helper_set_decay(work_once);
	begin_to_end();
	helper_retain();
	/* There still is one. */
	ck_assert(helper_want_decay());
	let_end();
	while (!load_relaxed(&works))
		sched_yield();
	helper_release();
}
END_TEST

SUITE("helper", a_request_is_served_without_a_grace_period_in_the_caller,
	no_helper_before_a_request_and_none_after_the_last_pool,
	a_request_after_the_last_pool_brings_none,
	it_comes_again_after_it_was_gone, a_request_wakes_a_sleeping_helper,
	who_waits_ends_the_helpers_pause,
	signals_stay_the_applications,
	it_comes_when_it_could_not_be_created_at_first,
	without_it_waiting_is_not_for_ever,
	what_was_asked_of_one_that_ends_the_next_one_does,
	a_pool_that_begins_meanwhile_and_asks_for_nothing_gets_none,
	work_is_done_when_it_says_and_not_without,
	work_that_was_asked_of_one_that_ends_the_next_one_does)
