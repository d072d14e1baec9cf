/* SPDX-License-Identifier: MIT */
/* decay_test.c - what is idle goes back by itself, down to what is kept. */
#include "lib/decay.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cache.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/trim.h"
#include "tests/actor.h"
#include "tests/pages.h"
#include "tests/no_threads.h"
#include "tests/process.h"
#include "tests/source.h"

#define HOUR_MS 3600000u

static struct pages pages;

/* malloc has nothing for the helper, so many times. The linker puts this in the
 * place of all calls. */
static _Atomic(unsigned) refusals_left;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	if (!helper_is_me() || !load_relaxed(&refusals_left))
		return __real_malloc(size);
	sub_relaxed(&refusals_left, 1);
	return NULL;
}

static void
burst(acre_pool *in, size_t bytes)
{
	pages_open(&pages, in, bytes / PAGE);
	pages_close(&pages);
}

/* Returns when the pool has so many bytes of chunks or less: the suite's time
 * limit is the check. */
static void
await_chunk_bytes(acre_pool *of, size_t most)
{
	while (stats_of(of).chunk_bytes > most)
		sched_yield();
}

/* Returns when it has decayed so many steps more, or does not any more. */
static void
await_steps(acre_pool *of, int steps)
{
	int64_t last = 0, due;

	while (steps >= 0 && load_seq_cst(&of->decays)) {
		registry_lock();
		due = of->due;
		registry_unlock();
		steps -= due != last;
		last = due;
		sched_yield();
	}
}

/* As count_threads, but the helper has a name only when it runs. */
static void
await_helpers(int count)
{
	while (count_threads("acre-helper") != count)
		sched_yield();
}

/* A step may be under way: the books are right when it is over. */
static void
await_rest(acre_pool *of)
{
	while (stats_of(of).region_bytes)
		sched_yield();
	ck_assert_uint_eq(stats_of(of).regions_open, 0);
}

static void
end(void)
{
	await_rest(pool);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	ck_assert_int_eq(count_threads("acre-helper"), 0);
}

START_TEST(memory_falls_to_what_is_kept_and_not_below)
{
	static const size_t keeps[] = {0, 5 * MIB, 20 * MIB - 1, 100 * MIB};

	for (size_t i = 0; i < COUNT(keeps); i++) {
		size_t before;

		pool = pool_with((acre_pool_options){.decay_ms = 100,
			.keep_bytes = keeps[i],
			.source = &acre_mmap_allocator});
		pages_open(&pages, pool, 60 * MIB / PAGE);
		before = resident_bytes();
		pages_close(&pages);
		await_chunk_bytes(pool, keeps[i] + MIB - 1);
		await_steps(pool, 3);
		/* It goes in chunks, as all of it is whole chunks. */
		ck_assert_uint_ge(stats_of(pool).chunk_bytes,
			keeps[i] < 60 * MIB ? keeps[i] : 60 * MIB);
		if (keeps[i] < 60 * MIB && !SANITIZED) /* its shadow stays */
			ck_assert_uint_le(resident_bytes(),
				before - 60 * MIB + keeps[i] + 2 * MIB);
		end();
	}
}
END_TEST

START_TEST(nothing_goes_before_its_time)
{
	struct test_source source = {.alignment = PAGE};

	pool = pool_with((acre_pool_options){.decay_ms = HOUR_MS,
		.source = test_source_init(&source)});
	burst(pool, 60 * MIB);
	/* Ticks of the helper, and what else it does in these. */
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(acre_region_retire(acre_region_open(pool)),
			0);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
	}
	ck_assert_uint_eq(source.live, source.calls);
	ck_assert_int_eq(count_threads("acre-helper"), 1);
	end();
}
END_TEST

START_TEST(without_decay_ms_nothing_decays)
{
	pool = pool_with((acre_pool_options){.keep_bytes = MIB});
	burst(pool, 60 * MIB);
	acre_thread_flush(pool);
	ck_assert(!load_seq_cst(&pool->decays));
	ck_assert_uint_ge(stats_of(pool).chunk_bytes, 60 * MIB);
	end();
}
END_TEST

START_TEST(each_burst_decays)
{
	pool = pool_with((acre_pool_options){.decay_ms = 20,
		.keep_bytes = 4 * MIB});
	for (int i = 0; i < 5; i++) {
		burst(pool, 30 * MIB);
		await_chunk_bytes(pool, 4 * MIB);
	}
	end();
}
END_TEST

/* When is it to be looked at? 0: at no time that is already known. */
static int64_t
due_of(acre_pool *of)
{
	int64_t due;

	registry_lock();
	due = of->due;
	registry_unlock();
	return due;
}

/* Or the next burst's first step would come at once. */
START_TEST(a_pool_that_is_left_alone_forgets_when_it_was_due)
{
	pool = pool_with((acre_pool_options){.decay_ms = 1});
	burst(pool, 5 * MIB);
	await_chunk_bytes(pool, 0);
	while (load_seq_cst(&pool->decays) || due_of(pool))
		sched_yield();
	end();
}
END_TEST

/* A chunk may be more than is given back between two looks of the helper. */
START_TEST(large_chunks_decay_too)
{
	pool = pool_with((acre_pool_options){.decay_ms = 1,
		.chunk_size = 16 * MIB, .keep_bytes = 20 * MIB});
	burst(pool, 60 * MIB);
	await_chunk_bytes(pool, 32 * MIB);
	await_steps(pool, 3);
	ck_assert_uint_eq(stats_of(pool).chunk_bytes, 32 * MIB);
	end();
}
END_TEST


/* What is in use stays, and what is idle in the same chunks goes. */
START_TEST(fragmented_chunks_decay_too)
{
	size_t before;

	pool = pool_with((acre_pool_options){.decay_ms = 20});
	pages_open(&pages, pool, 64 * MIB / PAGE);
	before = resident_bytes();
	pages_close_but(&pages, 64);
	while (SANITIZED ? load_relaxed(&pool->chunks.clean) < 62 * MIB / PAGE :
			   resident_bytes() > before - 62 * MIB)
		sched_yield();
	ck_assert_uint_ge(stats_of(pool).chunk_bytes, 63 * MIB);
	pages_close(&pages);
	await_chunk_bytes(pool, 0);
	end();
}
END_TEST

/* Chunks that the table has no room for are found when it has. */
START_TEST(without_memory_for_a_while_it_decays_later)
{
	for (unsigned n = 1; n <= 9; n++) {
		pool = pool_with((acre_pool_options){.decay_ms = 8});
		store_relaxed(&refusals_left, n);
		burst(pool, 10 * MIB);
		while (load_relaxed(&refusals_left))
			sched_yield();
		await_chunk_bytes(pool, 0);
		end();
	}
}
END_TEST

START_TEST(what_a_waiting_thread_keeps_decays)
{
	struct actor other;

	actor_start(&other);
	pool = pool_with((acre_pool_options){.decay_ms = 20});
	actor_do(&other, pages_fill_cache, pool);
	await_chunk_bytes(pool, 0);
	/* And it goes on. */
	actor_do(&other, pages_fill_cache, pool);
	actor_end(&other);
	await_chunk_bytes(pool, 0);
	end();
}
END_TEST

/* The helper has other work, too. */
static uint64_t needed;
static size_t given, given_late;

static void
note_free(void *userdata, void *memory)
{
	if (helper_is_me() && !given++) {
		needed = grace_needed();
		helper_want(needed);
	}
	if (helper_is_me())
		given_late += !grace_elapsed(needed);
	test_source_free(userdata, memory);
}

START_TEST(a_grace_period_is_not_held_up_by_a_long_decay)
{
	struct test_source source = {.alignment = PAGE};
	acre_allocator noting = *test_source_init(&source);

	noting.free = note_free;
	pool = pool_with((acre_pool_options){.source = &noting,
		.decay_ms = 8});
	/* All of it becomes idle at once, and goes in steps of 15 chunks. */
	region = acre_region_open(pool);
	while (acre_region_held(region) < 120 * MIB)
		ck_assert_ptr_nonnull(acre_alloc(region, 4000));
	acre_region_close(region);
	await_chunk_bytes(pool, 0);
	ck_assert_uint_ge(given, 120);
	ck_assert_uint_le(given_late, 4);
	end();
}
END_TEST

START_TEST(several_pools_decay_each_at_its_pace)
{
	enum { POOLS = 6 };
	acre_pool *pools[POOLS];

	for (size_t i = 0; i < POOLS; i++)
		pools[i] = pool_with((acre_pool_options){
			.decay_ms = i == 3 ? HOUR_MS : (unsigned)(1 + 30 * i),
			.keep_bytes = i * MIB});
	for (size_t i = 0; i < POOLS; i++)
		burst(pools[i], 12 * MIB);
	for (size_t i = 0; i < POOLS; i++)
		if (i != 3)
			await_chunk_bytes(pools[i], i * MIB);
	ck_assert_uint_ge(stats_of(pools[3]).chunk_bytes, 12 * MIB);
	for (size_t i = 0; i < POOLS; i++) {
		await_rest(pools[i]);
		ck_assert_int_eq(acre_pool_destroy(pools[i]), 0);
	}
	ck_assert_int_eq(count_threads("acre-helper"), 0);
}
END_TEST

/* What is left of each chunk pins it: nothing goes back, however often the
 * lists are taken apart. */
START_TEST(a_pool_that_can_give_nothing_rests)
{
	uint64_t landed;

	pool = pool_with((acre_pool_options){.decay_ms = 10});
	pages_open(&pages, pool, 8 * MIB / PAGE);
	pages_close_but(&pages, 64);
	do {
		landed = trim_landed(pool);
		await_steps(pool, 8);
	} while (trim_landed(pool) != landed);
	pages_close(&pages);
	await_chunk_bytes(pool, 0);
	end();
}
END_TEST

START_TEST(a_pool_may_end_while_it_decays)
{
	/* Keeps the helper: others come and go. */
	acre_pool *kept = pool_with((acre_pool_options){.decay_ms = 1});
	size_t ended_early = 0;

	for (int i = 0; i < 100; i++) {
		pool = pool_with((acre_pool_options){.decay_ms = 1});
		burst(pool, (size_t)(1 + i % 20) * MIB);
		burst(kept, MIB);
		ended_early += stats_of(pool).chunk_bytes > 0;
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
	}
	ck_assert_uint_gt(ended_early, 0);
	pool = kept;
	end();
}
END_TEST

/* A source that holds the helper up when it is given something. */
static struct actor destroyer;
static _Atomic(bool) helper_is_in_free, let_helper_go;

static void
slow_free(void *userdata, void *memory)
{
	if (helper_is_me()) {
		store_release(&helper_is_in_free, true);
		while (!load_acquire(&let_helper_go))
			sched_yield();
	}
	test_source_free(userdata, memory);
}

static _Atomic(pid_t) destroyers_tid;
static _Atomic(bool) destroyed;

static void
destroy_it(void *unused)
{
	(void)unused;
	store_release(&destroyers_tid, (pid_t)syscall(SYS_gettid));
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	store_release(&destroyed, true);
}

START_TEST(destroy_waits_for_a_decay_that_is_under_way)
{
	struct test_source source = {.alignment = PAGE};
	acre_allocator slow = *test_source_init(&source);
	acre_pool *other = pool_with((acre_pool_options){0});
	pid_t tid;

	slow.free = slow_free;
	actor_start(&destroyer);
	pool = pool_with((acre_pool_options){.source = &slow,
		.decay_ms = 1});
	burst(pool, 5 * MIB);
	acre_thread_flush(pool);
	while (!load_acquire(&helper_is_in_free))
		sched_yield();
	actor_begin(&destroyer, destroy_it, NULL);
	while (!(tid = load_acquire(&destroyers_tid)) || !is_asleep(tid))
		sched_yield();
	ck_assert(!load_acquire(&destroyed));
	ck_assert_uint_gt(source.live, 0);
	/* Meanwhile no lock is held that others need. */
	acre_region_close(acre_region_open(other));
	assert_balanced(other);
	store_release(&let_helper_go, true);
	actor_await(&destroyer);
	ck_assert_uint_eq(source.live, 0);
	actor_end(&destroyer);
	ck_assert_int_eq(acre_pool_destroy(other), 0);
}
END_TEST

START_TEST(the_helper_goes_when_nothing_is_left)
{
	static const size_t keeps[] = {0, 8 * MIB};

	for (size_t i = 0; i < COUNT(keeps); i++) {
		pool = pool_with((acre_pool_options){.decay_ms = 10,
			.keep_bytes = keeps[i]});
		burst(pool, 30 * MIB);
		await_chunk_bytes(pool, keeps[i]);
		await_helpers(0);
		/* And comes again. */
		burst(pool, 30 * MIB);
		await_chunk_bytes(pool, keeps[i]);
		end();
	}
}
END_TEST

START_TEST(a_helper_that_could_not_be_created_is_asked_for_again)
{
	enum { CHUNK_PAGES = 4 };

	store_relaxed(&no_threads, true);
	pool = pool_with((acre_pool_options){.decay_ms = 10,
		.source = &acre_mmap_allocator,
		.chunk_size = CHUNK_PAGES * PAGE});
	pages_open(&pages, pool, 10 * CHUNK_PAGES);
	ck_assert_int_eq(count_threads("acre-helper"), 0);
	store_relaxed(&no_threads, false);
	/* Creation is tried again at each 256th request. Each chunk is one, and
	 * nothing else asks here: nothing is popped, so nothing cools. */
	pages_open(&pages, pool, 300 * CHUNK_PAGES);
	await_helpers(1);
	pages_close(&pages);
	await_chunk_bytes(pool, 0);
	end();
}
END_TEST

SUITE("decay", memory_falls_to_what_is_kept_and_not_below,
	nothing_goes_before_its_time, without_decay_ms_nothing_decays,
	each_burst_decays, a_pool_that_is_left_alone_forgets_when_it_was_due,
	large_chunks_decay_too, fragmented_chunks_decay_too,
	without_memory_for_a_while_it_decays_later,
	what_a_waiting_thread_keeps_decays,
	a_grace_period_is_not_held_up_by_a_long_decay,
	several_pools_decay_each_at_its_pace, a_pool_may_end_while_it_decays,
	a_pool_that_can_give_nothing_rests,
	destroy_waits_for_a_decay_that_is_under_way,
	the_helper_goes_when_nothing_is_left,
	a_helper_that_could_not_be_created_is_asked_for_again)
