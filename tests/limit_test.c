/* SPDX-License-Identifier: MIT */
/* limit_test.c - all that is idle is tried before the handler, and that before
 * ENOMEM. */
#include "lib/limit.h"

#include <sched.h>
#include <time.h>

#include "lib/cache.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/rcu.h"
#include "lib/store.h"
#include "lib/trim.h"
#include "tests/actor.h"
#include "tests/pages.h"
#include "tests/source.h"

#define CHUNK (256 * KIB)
#define MOST (2 * MIB)
#define MOST_PAGES (MOST / PAGE)
#define BLOCK (CHUNK / 2) /* the largest, for objects of 128 KiB */

static struct pages pages;
static struct test_source source;
static acre_region *in_buffer; /* needs no page of the pool's */

/* ---- how often this thread has waited with a time limit ---- */

static _Thread_local int waits;
int __real_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *,
	const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *,
	const struct timespec *);

/* The linker puts this in the place of all calls. A patient thread's waits are
 * long, so that it is not the busy machine that ends them. */
static _Thread_local bool patient;

/* What the next wait of this thread's does first, with the helper's lock. */
static _Thread_local void (*before_wait)(void);

int
__wrap_pthread_cond_timedwait(pthread_cond_t *condition,
	pthread_mutex_t *lock, const struct timespec *until)
{
	struct timespec late = *until;

	waits++;
	if (before_wait)
		before_wait();
	before_wait = NULL;
	if (patient)
		late.tv_sec += 100;
	return __real_pthread_cond_timedwait(condition, lock,
		patient ? &late : until);
}

/* ---- the handler ---- */

static struct {
	int calls;
	size_t size; /* at the last call */
	acre_region *spare; /* that it closes */
	bool retires; /* all pages, once */
} handler;

static void
retire_pages(void)
{
	for (size_t i = 0; i < pages.count; i++)
		ck_assert_int_eq(acre_region_retire(pages.regions[i]), 0);
	pages.count = 0;
}

static int
note_call(acre_pool *of, size_t size, void *userdata)
{
	ck_assert_ptr_eq(of, pool);
	ck_assert_ptr_eq(userdata, &handler);
	handler.calls++;
	handler.size = size;
	/* No lock is held. */
	assert_balanced(of);
	acre_thread_flush(of);
	if (handler.retires) {
		handler.retires = false;
		retire_pages();
		return 1;
	}
	if (!handler.spare)
		return 0;
	acre_region_close(handler.spare);
	handler.spare = NULL;
	return 1;
}

static void
begin_with(unsigned flags)
{
	static char buffer[65536];

	source = (struct test_source){.alignment = PAGE};
	memset(&handler, 0, sizeof(handler));
	waits = 0;
	patient = true;
	pool = pool_with((acre_pool_options){
		.source = test_source_init(&source),
		.chunk_size = CHUNK,
		.max_bytes = MOST,
		.flags = flags,
		.on_limit = note_call,
		.userdata = &handler,
	});
	in_buffer = open_with((acre_region_options){
		.buffer = buffer, .buffer_size = sizeof(buffer)});
}

static void
begin(void)
{
	begin_with(0);
}

static void
end(void)
{
	pages_close(&pages);
	acre_region_close(in_buffer);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	assert_held(0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	ck_assert_uint_eq(source.live, 0);
}

/* Open pages until there is no more; returns how many. */
static size_t
open_all(void)
{
	size_t count = 0;

	while (pages_add(&pages, pool))
		count++;
	ck_assert_int_eq(errno, ENOMEM);
	return count;
}

/* Take blocks until there is no more; returns how many. */
static size_t
take_all_blocks(void)
{
	size_t count = 0;

	while (acre_alloc(in_buffer, BLOCK - 100))
		count++;
	ck_assert_int_eq(errno, ENOMEM);
	return count;
}

static void
fill_cache(void *unused)
{
	static struct pages own;

	(void)unused;
	pages_open(&own, pool, 128);
	pages_close(&own);
}

/* ---- other sizes ---- */

START_TEST(free_pages_serve_as_blocks_and_blocks_as_pages)
{
	begin();
	for (int i = 0; i < 3; i++) {
		handler.calls = 0;
		ck_assert_uint_eq(open_all(), MOST_PAGES);
		ck_assert_int_eq(handler.calls, 1);
		ck_assert_uint_eq(handler.size, PAGE);
		pages_close(&pages);
		ck_assert_uint_eq(take_all_blocks(), MOST / BLOCK);
		ck_assert_int_eq(handler.calls, 2);
		ck_assert_uint_eq(handler.size, BLOCK);
		acre_region_reset(in_buffer);
	}
	ck_assert_uint_eq(source.calls, MOST / CHUNK);
	end();
}
END_TEST

START_TEST(chunks_go_back_for_a_large_object)
{
	begin();
	open_all();
	handler.calls = 0;
	pages_close(&pages);
	ck_assert_ptr_nonnull(acre_alloc(in_buffer, MOST));
	ck_assert_uint_eq(source.live, 1);
	ck_assert_int_eq(handler.calls, 0);
	assert_held(MOST);
	/* And it makes room for chunks. */
	ck_assert_ptr_null(acre_region_open(pool));
	acre_region_reset(in_buffer);
	ck_assert_uint_eq(open_all(), MOST_PAGES);
	end();
}
END_TEST

/* Records of chunks that went, not freed yet. */
static size_t
count_gone(void)
{
	size_t count = 0;

	for (const struct chunk *gone = pool->chunks.gone; gone;
		gone = gone->next)
		count++;
	return count;
}

START_TEST(their_records_do_not_stay)
{
	begin();
	for (int i = 0; i < 20; i++) {
		open_all();
		pages_close(&pages);
		ck_assert_ptr_nonnull(acre_alloc(in_buffer, MOST));
		ck_assert_uint_eq(count_gone(), MOST / CHUNK);
		acre_region_reset(in_buffer);
		helper_wait(grace_needed());
	}
	end();
}
END_TEST

/* Whoever asks for it, what is idle stays where it will be used. */
START_TEST(for_more_than_can_ever_be_nothing_is_looked_for)
{
	static const size_t sizes[] = {MOST + 1, 64 * MOST, SIZE_MAX / 4};
	struct actor other;
	acre_stats before;

	begin();
	actor_start(&other);
	open_all();
	pages_close(&pages);
	acre_thread_flush(pool);
	actor_do(&other, fill_cache, NULL);
	before = stats_of(pool);
	ck_assert_uint_gt(before.cache_bytes, 0);
	handler.calls = 0;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		errno = 0;
		ck_assert_ptr_null(acre_alloc(in_buffer, sizes[i]));
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_int_eq(handler.calls, (int)i + 1);
		ck_assert_uint_eq(stats_of(pool).cache_bytes,
			before.cache_bytes);
		ck_assert_uint_eq(source.live, MOST / CHUNK);
	}
	actor_end(&other);
	end();
}
END_TEST

START_TEST(chunks_in_use_do_not_go_back_for_a_large_object)
{
	acre_stats before;

	begin();
	open_all();
	pages_close_but(&pages, CHUNK / PAGE);
	before = stats_of(pool);
	handler.calls = 0;
	errno = 0;
	ck_assert_ptr_null(acre_alloc(in_buffer, CHUNK));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(handler.calls, 1);
	ck_assert_uint_eq(handler.size, CHUNK);
	ck_assert_uint_eq(stats_of(pool).chunk_bytes, before.chunk_bytes);
	ck_assert_uint_eq(stats_of(pool).region_bytes, before.region_bytes);
	pages_verify(&pages);
	end();
}
END_TEST

enum { SMALL_PAGES = 16, SMALL_CHUNKS = 300 };

/* Close half of a chunk, and of others a page each. */
static void
close_some(size_t halved)
{
	for (size_t i = 0; i < pages.count; i++) {
		size_t page = i % SMALL_PAGES;

		if (page && (i / SMALL_PAGES != halved ||
			page >= SMALL_PAGES / 2))
			continue;
		acre_region_close(pages.regions[i]);
		pages.regions[i] = NULL;
	}
}

/* As a trim does it, which stops before it comes to the end. */
static void
sort_all(struct member *member)
{
	struct batch batch;

	for (unsigned order = 0; order < pool->order_count; order++)
		while (pool_pop(pool, member, order, &batch)) {
			pool_add(pool, member, PUSHED,
				batch.count * pool->orders[order].size);
			store_put(&pool->chunks, order, &batch);
		}
}

START_TEST(what_a_trim_has_sorted_serves_wherever_it_is)
{
	for (size_t halved = 0; halved < SMALL_CHUNKS; halved += 29) {
		struct member *member;

		begin();
		acre_region_close(in_buffer);
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
		pool = pool_with((acre_pool_options){
			.source = test_source_init(&source),
			.chunk_size = SMALL_PAGES * PAGE,
			.max_bytes = SMALL_CHUNKS * SMALL_PAGES * PAGE,
			.on_limit = note_call,
			.userdata = &handler,
		});
		in_buffer = open_with((acre_region_options){0});
		ck_assert_uint_eq(open_all(), SMALL_CHUNKS * SMALL_PAGES - 1);
		close_some(halved);
		acre_thread_flush(pool);
		member = &cache_of(pool)->member;
		ck_assert(trim_join(pool, member));
		sort_all(member);
		handler.calls = 0;
		ck_assert_ptr_nonnull(acre_alloc(in_buffer, 8 * PAGE - 100));
		ck_assert_int_eq(handler.calls, 0);
		end();
	}
}
END_TEST

/* What another thread's step has in its hands, it gives at the end. */
static void
begin_step(void *held)
{
	*(acre_region **)held = acre_region_open(pool);
	ck_assert_ptr_nonnull(*(acre_region **)held);
	acre_thread_flush(pool);
	pool_begin_step(pool);
}

static void
end_step_late(void *held)
{
	/* Time for a hundred tries. */
	for (int i = 0; i < 200000; i++)
		sched_yield();
	acre_region_close(*(acre_region **)held);
	acre_thread_flush(pool);
	pool_end_step(pool, &cache_of(pool)->member);
}

START_TEST(a_step_is_waited_for_however_long)
{
	struct actor other;
	acre_region *held;

	begin();
	actor_start(&other);
	actor_do(&other, begin_step, &held);
	while (pages.count < MOST_PAGES - 1)
		ck_assert(pages_add(&pages, pool));
	handler.calls = 0;
	actor_begin(&other, end_step_late, &held);
	ck_assert(pages_add(&pages, pool));
	ck_assert_int_eq(handler.calls, 0);
	actor_await(&other);
	actor_end(&other);
	end();
}
END_TEST

/* ---- idle threads ---- */

START_TEST(idle_threads_caches_serve)
{
	enum { OTHERS = 4 };
	struct actor others[OTHERS];

	begin();
	for (int i = 0; i < OTHERS; i++)
		actor_start(&others[i]);
	for (int round = 0; round < 3; round++) {
		handler.calls = 0;
		for (int i = 0; i < OTHERS; i++)
			actor_do(&others[i], pages_fill_cache, pool);
		ck_assert_int_eq(handler.calls, 0);
		ck_assert_uint_eq(stats_of(pool).cache_bytes, MOST);
		ck_assert_uint_eq(open_all(), MOST_PAGES);
		ck_assert_int_eq(handler.calls, 1);
		pages_close(&pages);
		acre_thread_flush(pool);
		for (int i = 0; i < OTHERS; i++)
			actor_do(&others[i], pages_fill_cache, pool);
		ck_assert_uint_eq(take_all_blocks(), MOST / BLOCK);
		acre_region_reset(in_buffer);
		acre_thread_flush(pool);
		for (int i = 0; i < OTHERS; i++)
			actor_do(&others[i], pages_fill_cache, pool);
		handler.calls = 0;
		ck_assert_ptr_nonnull(acre_alloc(in_buffer, MOST));
		ck_assert_int_eq(handler.calls, 0);
		acre_region_reset(in_buffer);
	}
	for (int i = 0; i < OTHERS; i++)
		actor_end(&others[i]);
	ck_assert_int_eq(waits, 0);
	end();
}
END_TEST

START_TEST(so_they_do_when_the_source_has_no_more)
{
	struct actor other;

	begin();
	source.fail_at = 5;
	actor_start(&other);
	ck_assert_uint_eq(open_all(), MOST_PAGES / 2);
	pages_close_but(&pages, 2);
	acre_thread_flush(pool);
	actor_do(&other, pages_fill_cache, pool);
	ck_assert_uint_eq(open_all(), MOST_PAGES / 4);
	pages_verify(&pages);
	assert_held(MOST / 2);
	actor_end(&other);
	end();
}
END_TEST

/* ---- limbo ---- */

/* Retire a region for each page that there is. */
static void
retire_all(void)
{
	open_all();
	pages_verify(&pages);
	handler.calls = 0;
	retire_pages();
}

START_TEST(retired_regions_are_waited_for)
{
	begin();
	for (int i = 0; i < 5; i++) {
		retire_all();
		pages_open(&pages, pool, MOST_PAGES);
		ck_assert_int_eq(handler.calls, 0);
		pages_close(&pages);
		acre_thread_flush(pool);
	}
	end();
}
END_TEST

START_TEST(what_they_leave_makes_room_for_a_large_object)
{
	begin();
	for (int i = 0; i < 5; i++) {
		retire_all();
		ck_assert_ptr_nonnull(acre_alloc(in_buffer, MOST));
		ck_assert_int_eq(handler.calls, 0);
		acre_region_reset(in_buffer);
	}
	end();
}
END_TEST

/* A reader sleeps, so limbo stays. */
static struct actor reader;

static void
enter(void *unused)
{
	(void)unused;
	rcu_enter();
}

static void
leave(void *unused)
{
	(void)unused;
	acre_reader_leaves(NULL);
	urcu_bp_read_unlock();
}

static void
let_reader_leave(void)
{
	actor_do(&reader, leave, NULL);
}

/* All of it is there at once: not a part, of which a block might be taken that
 * stands in the others' way. */
START_TEST(what_they_leave_serves_as_blocks)
{
	begin();
	actor_start(&reader);
	for (int i = 0; i < 5; i++) {
		actor_do(&reader, enter, NULL);
		retire_all();
		waits = 0;
		before_wait = let_reader_leave;
		for (size_t n = 0; n < MOST / BLOCK; n++)
			ck_assert_ptr_nonnull(
				acre_alloc(in_buffer, BLOCK - 100));
		ck_assert_int_gt(waits, 0);
		ck_assert_int_eq(handler.calls, 0);
		acre_region_reset(in_buffer);
	}
	actor_end(&reader);
	end();
}
END_TEST

static void
begin_with_reader(unsigned flags)
{
	begin_with(flags);
	actor_start(&reader);
	actor_do(&reader, enter, NULL);
	retire_all();
	waits = 0;
	patient = false;
}

static void
end_with_reader(void)
{
	actor_do(&reader, leave, NULL);
	actor_end(&reader);
	end();
}

/* A block, an object from the source, and a region; waits for each. */
static void
check_refused(int waits_each)
{
	static const size_t sizes[] = {BLOCK - 100, MOST};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		errno = 0;
		ck_assert_ptr_null(acre_alloc(in_buffer, sizes[i]));
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_int_eq(handler.calls, (int)i + 1);
		ck_assert_int_eq(waits > 0, waits_each > 0);
		waits = 0;
	}
	errno = 0;
	ck_assert_ptr_null(acre_region_open(pool));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(waits > 0, waits_each > 0);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, MOST);
}

START_TEST(a_sleeping_reader_is_waited_for_briefly)
{
	begin_with_reader(0);
	check_refused(1);
	end_with_reader();
}
END_TEST

START_TEST(a_nonblocking_pool_does_not_wait)
{
	begin_with_reader(ACRE_NONBLOCKING);
	check_refused(0);
	end_with_reader();
}
END_TEST

START_TEST(inside_a_section_nobody_waits)
{
	begin_with_reader(0);
	rcu_enter();
	check_refused(0);
	rcu_leave();
	end_with_reader();
}
END_TEST

/* What can be had without a wait is had without. */
START_TEST(other_sizes_come_before_a_wait)
{
	begin();
	actor_start(&reader);
	actor_do(&reader, enter, NULL);
	open_all();
	ck_assert_int_eq(acre_region_retire(pages.regions[0]), 0);
	pages.regions[0] = NULL;
	handler.calls = waits = 0;
	pages_close(&pages);
	for (size_t i = 0; i < MOST / BLOCK - 1; i++)
		ck_assert_ptr_nonnull(acre_alloc(in_buffer, BLOCK - 100));
	ck_assert_int_eq(waits, 0);
	ck_assert_int_eq(handler.calls, 0);
	end_with_reader();
}
END_TEST

/* ---- the handler ---- */

START_TEST(the_handler_is_asked_until_it_helps_or_gives_up)
{
	begin();
	handler.spare = acre_region_open_with(pool,
		&(acre_region_options){.max_bytes = PAGE});
	ck_assert_uint_eq(open_all(), MOST_PAGES);
	ck_assert_int_eq(handler.calls, 2);
	ck_assert_uint_eq(source.calls, MOST / CHUNK);
	end();
}
END_TEST

/* What the handler frees may be of another size, and in another's cache. */
static acre_region *others_region;

static void
open_all_of_it(void *unused)
{
	(void)unused;
	others_region = acre_region_open(pool);
	while (acre_alloc(others_region, 1000))
		;
}

START_TEST(what_the_handler_frees_is_looked_for_everywhere)
{
	struct actor other;

	begin();
	actor_start(&other);
	actor_do(&other, open_all_of_it, NULL);
	handler.calls = 0;
	handler.spare = others_region;
	ck_assert_ptr_nonnull(acre_alloc(in_buffer, MOST));
	ck_assert_int_eq(handler.calls, 1);
	actor_end(&other);
	end();
}
END_TEST

/* Limbo has been waited for already, and was not enough. */
START_TEST(what_the_handler_retires_is_waited_for_too)
{
	begin();
	open_all();
	ck_assert_int_eq(acre_region_retire(pages.regions[0]), 0);
	pages.regions[0] = NULL;
	handler.calls = 0;
	handler.retires = true;
	ck_assert_ptr_nonnull(acre_alloc(in_buffer, BLOCK - 100));
	ck_assert_int_eq(handler.calls, 1);
	end();
}
END_TEST

START_TEST(what_is_refused_changes_nothing)
{
	acre_stats before, after;

	begin();
	open_all();
	before = stats_of(pool);
	ck_assert_ptr_null(acre_region_open(pool));
	ck_assert_ptr_null(acre_alloc(in_buffer, BLOCK));
	ck_assert_ptr_null(acre_alloc(in_buffer, CHUNK));
	after = stats_of(pool);
	ck_assert_uint_eq(after.chunk_bytes, before.chunk_bytes);
	ck_assert_uint_eq(after.region_bytes, before.region_bytes);
	/* Nobody else is there to be waited for: one look, each time. */
	ck_assert_uint_le(after.cache_misses - before.cache_misses, 30);
	ck_assert_uint_eq(after.large_bytes, 0);
	ck_assert_uint_eq(after.regions_open, before.regions_open);
	pages_verify(&pages);
	end();
}
END_TEST

SUITE("limit", free_pages_serve_as_blocks_and_blocks_as_pages,
	chunks_go_back_for_a_large_object, their_records_do_not_stay,
	for_more_than_can_ever_be_nothing_is_looked_for,
	chunks_in_use_do_not_go_back_for_a_large_object,
	what_a_trim_has_sorted_serves_wherever_it_is,
	a_step_is_waited_for_however_long,
	idle_threads_caches_serve, so_they_do_when_the_source_has_no_more,
	retired_regions_are_waited_for, what_they_leave_serves_as_blocks,
	what_they_leave_makes_room_for_a_large_object,
	a_sleeping_reader_is_waited_for_briefly,
	a_nonblocking_pool_does_not_wait, inside_a_section_nobody_waits,
	other_sizes_come_before_a_wait,
	the_handler_is_asked_until_it_helps_or_gives_up,
	what_the_handler_frees_is_looked_for_everywhere,
	what_the_handler_retires_is_waited_for_too,
	what_is_refused_changes_nothing)
