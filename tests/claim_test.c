/* SPDX-License-Identifier: MIT */
/* claim_test.c - idle threads' caches are taken, busy threads' are not. */
#include "lib/claim.h"

#include <linux/membarrier.h>
#include <stdarg.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cache.h"
#include "tests/actor.h"
#include "tests/pages.h"
#include "tests/process.h"

/* ---- the kernel, with membarrier or without ---- */

static bool no_membarrier;
static int membarriers;          /* so many calls */
static void (*on_membarrier)(void); /* before the next of them */

static void
count_membarrier(void)
{
	void (*now)(void) = on_membarrier;

	membarriers++;
	on_membarrier = NULL;
	if (now)
		now();
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* The linker puts this in the place of all calls. */
long
__wrap_syscall(long number, ...)
{
	long arguments[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_membarrier &&
		arguments[0] == MEMBARRIER_CMD_PRIVATE_EXPEDITED)
		count_membarrier();
	if (number == SYS_membarrier && no_membarrier) {
		errno = ENOSYS;
		return -1;
	}
	return __real_syscall(number, arguments[0], arguments[1],
		arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* ---- a thread that fills its cache, and then waits ---- */

enum { KEPT = 128 }; /* pages: two full batches */

static struct actor owner;
static struct cache *owners_cache; /* as it found it last */

static void
fill_cache_of(void *from)
{
	static struct pages pages;

	owners_cache = cache_of(from);
	pages_open(&pages, from, KEPT);
	pages_close(&pages);
}

static void
begin(void)
{
	no_membarrier = false;
	membarriers = 0;
	pool = pool_with((acre_pool_options){0});
	actor_start(&owner);
	actor_do(&owner, fill_cache_of, pool);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, KEPT * PAGE);
}

static void
end(void)
{
	actor_end(&owner);
	assert_held(0);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

START_TEST(what_a_waiting_thread_keeps_is_taken)
{
	acre_stats before;

	begin();
	before = stats_of(pool);
	ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).free_bytes,
		before.free_bytes + KEPT * PAGE);
	ck_assert_uint_eq(stats_of(pool).caches, before.caches);
	assert_held(0);
	ck_assert_uint_eq(claim_idle(pool, NULL, false), 0);
	end();
}
END_TEST

START_TEST(nothing_to_take_costs_no_system_call)
{
	begin();
	claim_idle(pool, NULL, false);
	ck_assert_int_eq(membarriers, 1);
	claim_idle(pool, NULL, false);
	ck_assert_int_eq(membarriers, 1);
	end();
}
END_TEST

START_TEST(its_thread_goes_on_with_the_same_cache)
{
	struct cache *cache;

	begin();
	cache = owners_cache;
	for (int i = 0; i < 10; i++) {
		claim_idle(pool, NULL, false);
		actor_do(&owner, fill_cache_of, pool);
		ck_assert_ptr_eq(owners_cache, cache);
		ck_assert_uint_eq(stats_of(pool).caches, 1);
		ck_assert_uint_eq(stats_of(pool).chunks, 1);
		assert_held(0);
	}
	end();
}
END_TEST

START_TEST(the_callers_own_is_left_to_it)
{
	struct cache *mine;

	begin();
	fill_cache_of(pool);
	mine = cache_of(pool);
	ck_assert_uint_eq(claim_idle(pool, &mine->member, false), KEPT * PAGE);
	ck_assert_uint_eq(mine->member.idle(&mine->member), KEPT * PAGE);
	acre_thread_flush(pool);
	end();
}
END_TEST

/* What came back is there for others, and nobody has it twice. */
START_TEST(what_is_taken_serves_others_once)
{
	static struct pages pages;

	begin();
	claim_idle(pool, NULL, false);
	pages_open(&pages, pool, KEPT);
	ck_assert_uint_eq(stats_of(pool).chunks, 1);
	actor_do(&owner, fill_cache_of, pool);
	pages_close(&pages);
	acre_thread_flush(pool);
	end();
}
END_TEST

/* ---- threads that are not idle ---- */

static void
stay_begun(void *from)
{
	cache_begin(cache_of(from));
}

static void
stay_begun_at_hand(void *from)
{
	ck_assert(cache_begin_at_hand(cache_of(from)));
}

static void
end_begun(void *unused)
{
	(void)unused;
	cache_end();
}

static acre_region *
open_idle(acre_pool *from)
{
	acre_region *opened = acre_region_open(from);

	ck_assert(!load_relaxed(&thread_caches.busy));
	return opened;
}

static void
close_idle(acre_region *opened)
{
	acre_region_close(opened);
	ck_assert(!load_relaxed(&thread_caches.busy));
}

/* Whichever way a call took. */
START_TEST(after_a_call_a_thread_is_not_busy)
{
	static acre_region *regions[2 * KEPT];
	acre_pool *other = pool_with((acre_pool_options){0});
	struct cache *cache;
	acre_region *opened;

	begin();
	ck_assert_ptr_null(open_idle(NULL));
	opened = open_idle(other);
	for (size_t i = 0; i < COUNT(regions); i++)
		regions[i] = open_idle(pool);
	/* Of a pool that is not at hand, and beyond what is kept. */
	close_idle(opened);
	for (size_t i = 0; i < COUNT(regions); i++)
		close_idle(regions[i]);
	/* In another bin than where regions open. */
	opened = open_idle(pool);
	cache = cache_of(pool);
	cache_open_in(cache, &cache->bins[1]);
	ck_assert(!load_relaxed(&thread_caches.busy));
	close_idle(opened);
	/* More than a cache keeps. */
	opened = open_idle(pool);
	while (acre_region_held(opened) <= cache->longest_bytes)
		filled(opened, KIB, 1);
	close_idle(opened);
	acre_thread_flush(pool);
	ck_assert(!load_relaxed(&thread_caches.busy));
	ck_assert_int_eq(acre_pool_destroy(other), 0);
	claim_idle(pool, NULL, false);
	end();
}
END_TEST

/* The linker puts this in the place of calls from other files. */
void __real_pool_give(acre_pool *to, struct member *member, unsigned order,
	const struct batch *batch);
void __wrap_pool_give(acre_pool *to, struct member *member, unsigned order,
	const struct batch *batch);

static int given, given_idle;

void
__wrap_pool_give(acre_pool *to, struct member *member, unsigned order,
	const struct batch *batch)
{
	given++;
	given_idle += !load_relaxed(&thread_caches.busy);
	__real_pool_give(to, member, order, batch);
}

/* Else they might be claimed at that moment, and be given twice. */
START_TEST(a_thread_is_busy_while_bins_give_blocks)
{
	static struct pages pages;

	pool = pool_with((acre_pool_options){0});
	pages_open(&pages, pool, 8 * KEPT);
	given = given_idle = 0;
	pages_close(&pages);
	ck_assert_int_gt(given, 0);
	ck_assert_int_eq(given_idle, 0);
	given = 0;
	acre_thread_flush(pool);
	ck_assert_int_gt(given, 0);
	ck_assert_int_eq(given_idle, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

START_TEST(a_busy_threads_cache_is_left_alone)
{
	static void (*const ways[])(void *) = {stay_begun,
		stay_begun_at_hand};

	begin();
	for (size_t i = 0; i < COUNT(ways); i++) {
		actor_do(&owner, ways[i], pool);
		ck_assert_uint_eq(claim_idle(pool, NULL, false), 0);
		ck_assert_uint_eq(stats_of(pool).cache_bytes, KEPT * PAGE);
		actor_do(&owner, end_begun, NULL);
		actor_do(&owner, fill_cache_of, pool);
	}
	ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
	end();
}
END_TEST

/* Its thread found claimed false, and then put it at hand: it may begin once
 * more without another look at claimed. */
static void
put_at_hand(void)
{
	struct thread_caches *words = owners_cache->member.owner;

	ck_assert(load_relaxed(&owners_cache->member.claimed));
	ck_assert_ptr_eq(cache_last(words), &no_cache);
	store_relaxed(&words->last, owners_cache->open_bin);
}

START_TEST(a_cache_that_is_at_hand_again_is_left_alone)
{
	begin();
	on_membarrier = put_at_hand;
	ck_assert_uint_eq(claim_idle(pool, NULL, false), 0);
	ck_assert_ptr_null(on_membarrier);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, KEPT * PAGE);
	ck_assert(!load_relaxed(&owners_cache->member.claimed));
	ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
	end();
}
END_TEST

static _Atomic(pid_t) owners_tid;

static void
use_it(void *from)
{
	store_release(&owners_tid, (pid_t)syscall(SYS_gettid));
	fill_cache_of(from);
}

/* Its thread comes now, and has to wait. */
static void
let_its_thread_come(void)
{
	pid_t tid;

	actor_begin(&owner, use_it, pool);
	while (!(tid = load_acquire(&owners_tid)) || !is_asleep(tid))
		sched_yield();
	ck_assert_uint_eq(load_relaxed(&owners_cache->bins[0].current_count) +
			load_relaxed(&owners_cache->bins[0].spare_count),
		KEPT);
	ck_assert(!load_relaxed(&owners_cache->member.owner->busy));
}

START_TEST(its_thread_waits_while_it_is_claimed)
{
	struct cache *cache;

	begin();
	cache = owners_cache;
	store_relaxed(&owners_tid, 0);
	on_membarrier = let_its_thread_come;
	ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
	actor_await(&owner);
	ck_assert_ptr_eq(owners_cache, cache);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, KEPT * PAGE);
	assert_held(0);
	claim_idle(pool, NULL, false);
	end();
}
END_TEST

static _Atomic(bool) opens_elsewhere;

static void
open_elsewhere(void *from)
{
	(void)from;
	store_release(&owners_tid, (pid_t)syscall(SYS_gettid));
	cache_open_in(owners_cache, &owners_cache->bins[1]);
	store_release(&opens_elsewhere, true);
}

/* Its thread learns now: that may put its cache at hand again. */
static void
let_its_thread_learn(void)
{
	pid_t tid;

	actor_begin(&owner, open_elsewhere, pool);
	while (!(tid = load_acquire(&owners_tid)) || !is_asleep(tid))
		sched_yield();
	ck_assert(!load_acquire(&opens_elsewhere));
}

START_TEST(so_it_does_to_open_in_another_bin)
{
	begin();
	store_relaxed(&owners_tid, 0);
	on_membarrier = let_its_thread_learn;
	ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
	actor_await(&owner);
	ck_assert(load_acquire(&opens_elsewhere));
	end();
}
END_TEST

/* ---- unused since the last look ---- */

START_TEST(a_cache_that_was_used_since_is_left_to_its_thread)
{
	begin();
	ck_assert_uint_eq(claim_idle(pool, NULL, true), 0);
	actor_do(&owner, fill_cache_of, pool);
	ck_assert_uint_eq(claim_idle(pool, NULL, true), 0);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, KEPT * PAGE);
	ck_assert_uint_eq(claim_idle(pool, NULL, true), KEPT * PAGE);
	end();
}
END_TEST

static acre_region *kept_open;

static void
open_one(void *from)
{
	kept_open = acre_region_open(from);
}

static void
close_it(void *unused)
{
	(void)unused;
	acre_region_close(kept_open);
}

/* Of a page that is at hand. */
START_TEST(an_open_alone_is_use_and_so_is_a_close)
{
	begin();
	claim_idle(pool, NULL, true);
	actor_do(&owner, open_one, pool);
	ck_assert_uint_eq(claim_idle(pool, NULL, true), 0);
	actor_do(&owner, close_it, NULL);
	ck_assert_uint_eq(claim_idle(pool, NULL, true), 0);
	ck_assert_uint_eq(claim_idle(pool, NULL, true), KEPT * PAGE);
	end();
}
END_TEST

/* ---- several pools and threads ---- */

START_TEST(a_threads_other_pools_are_left_alone)
{
	acre_pool *other = pool_with((acre_pool_options){0});
	struct cache *caches[2];

	begin();
	for (int i = 0; i < 5; i++) {
		actor_do(&owner, fill_cache_of, other);
		caches[0] = owners_cache;
		actor_do(&owner, fill_cache_of, pool);
		caches[1] = owners_cache;
		if (i % 2)
			actor_do(&owner, fill_cache_of, other);
		ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
		ck_assert_uint_eq(stats_of(pool).cache_bytes, 0);
		ck_assert_uint_eq(stats_of(other).cache_bytes, KEPT * PAGE);
		actor_do(&owner, fill_cache_of, other);
		ck_assert_ptr_eq(owners_cache, caches[0]);
		actor_do(&owner, fill_cache_of, pool);
		ck_assert_ptr_eq(owners_cache, caches[1]);
	}
	ck_assert_uint_eq(stats_of(other).chunks, 1);
	ck_assert_uint_eq(claim_idle(other, NULL, false), KEPT * PAGE);
	claim_idle(pool, NULL, false);
	ck_assert_int_eq(acre_pool_destroy(other), 0);
	end();
}
END_TEST

/* While a thread is at its bins for one pool, the others' are as busy. */
START_TEST(a_thread_is_busy_for_all_its_pools)
{
	acre_pool *other = pool_with((acre_pool_options){0});

	begin();
	actor_do(&owner, stay_begun, other);
	ck_assert_uint_eq(claim_idle(pool, NULL, false), 0);
	actor_do(&owner, end_begun, NULL);
	ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
	ck_assert_int_eq(acre_pool_destroy(other), 0);
	end();
}
END_TEST

START_TEST(all_idle_threads_caches_are_taken_with_one_barrier)
{
	enum { OWNERS = 20 };
	static struct actor owners[OWNERS];

	begin();
	for (int i = 0; i < OWNERS; i++) {
		actor_start(&owners[i]);
		actor_do(&owners[i], fill_cache_of, pool);
	}
	actor_do(&owners[7], stay_begun, pool);
	ck_assert_uint_eq(claim_idle(pool, NULL, false), OWNERS * KEPT * PAGE);
	ck_assert_int_eq(membarriers, 1);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, KEPT * PAGE);
	actor_do(&owners[7], end_begun, NULL);
	for (int i = 0; i < OWNERS; i++)
		actor_end(&owners[i]);
	ck_assert_uint_eq(stats_of(pool).caches, 1);
	claim_idle(pool, NULL, false);
	end();
}
END_TEST

START_TEST(a_thread_may_end_after_its_cache_was_taken)
{
	begin();
	claim_idle(pool, NULL, false);
	actor_end(&owner);
	ck_assert_uint_eq(stats_of(pool).caches, 0);
	ck_assert_uint_eq(claim_idle(pool, NULL, false), 0);
	/* The next thread has it. */
	actor_start(&owner);
	actor_do(&owner, fill_cache_of, pool);
	ck_assert_uint_eq(claim_idle(pool, NULL, false), KEPT * PAGE);
	end();
}
END_TEST

/* ---- without membarrier ---- */

static void
flush(void *from)
{
	acre_thread_flush(from);
}

START_TEST(without_membarrier_only_a_flush_gives_it_back)
{
	begin();
	no_membarrier = true;
	ck_assert_uint_eq(claim_idle(pool, NULL, false), 0);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, KEPT * PAGE);
	actor_do(&owner, fill_cache_of, pool);
	ck_assert_uint_eq(stats_of(pool).caches, 1);
	actor_do(&owner, flush, pool);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, 0);
	end();
}
END_TEST

SUITE("claim", what_a_waiting_thread_keeps_is_taken,
	nothing_to_take_costs_no_system_call,
	its_thread_goes_on_with_the_same_cache,
	the_callers_own_is_left_to_it, what_is_taken_serves_others_once,
	after_a_call_a_thread_is_not_busy,
	a_thread_is_busy_while_bins_give_blocks,
	a_busy_threads_cache_is_left_alone,
	a_cache_that_is_at_hand_again_is_left_alone,
	its_thread_waits_while_it_is_claimed,
	so_it_does_to_open_in_another_bin,
	a_cache_that_was_used_since_is_left_to_its_thread,
	an_open_alone_is_use_and_so_is_a_close,
	a_threads_other_pools_are_left_alone,
	a_thread_is_busy_for_all_its_pools,
	all_idle_threads_caches_are_taken_with_one_barrier,
	a_thread_may_end_after_its_cache_was_taken,
	without_membarrier_only_a_flush_gives_it_back)
