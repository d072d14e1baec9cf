/* SPDX-License-Identifier: MIT */
/* trim_test.c - idle memory goes back: all, to the byte, and no other. */
#include "lib/trim.h"

#include "lib/cache.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/rcu.h"
#include "lib/store.h"
#include "tests/actor.h"
#include "tests/pages.h"
#include "tests/process.h"
#include "tests/source.h"

#define CHUNK (64 * KIB)
#define CHUNK_PAGES (CHUNK / PAGE)
#define ALL SIZE_MAX

static struct pages pages;
static struct test_source source;

/* The linker puts these in the place of all calls. */
static _Thread_local bool no_malloc;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *
__wrap_malloc(size_t size)
{
	return no_malloc ? NULL : __real_malloc(size);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return no_malloc ? NULL : __real_aligned_alloc(alignment, size);
}

static void
begin(const acre_allocator *from, size_t chunk_size)
{
	pool = pool_with((acre_pool_options){
		.source = from,
		.chunk_size = chunk_size,
	});
}

/* A source of the test's own, so one that is not purged. */
static void
begin_counted(size_t chunk_size)
{
	source = (struct test_source){.alignment = PAGE};
	begin(test_source_init(&source), chunk_size);
}

static void
end(void)
{
	pages_close(&pages);
	assert_held(0);
	ck_assert_uint_eq(load_relaxed(&pool->steps_begun),
		load_relaxed(&pool->steps_ended));
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	ck_assert_uint_eq(source.live, 0);
}

/* Open so many chunks' worth of pages, and close them but each keep-th. */
static void
leave_idle(size_t chunks, size_t keep)
{
	pages_open(&pages, pool, chunks * CHUNK_PAGES);
	pages_close_but(&pages, keep);
}

/* ---- whole chunks ---- */

START_TEST(all_that_is_idle_goes_back)
{
	const acre_allocator *const sources[] = {NULL, &acre_malloc_allocator,
		&acre_mmap_allocator, &acre_huge_allocator};

	for (size_t i = 0; i < COUNT(sources); i++) {
		acre_stats before;

		begin(sources[i], 0);
		leave_idle(200, 0);
		before = stats_of(pool);
		ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL),
			before.chunk_bytes);
		ck_assert_uint_eq(stats_of(pool).chunks, 0);
		ck_assert_uint_eq(stats_of(pool).free_bytes, 0);
		ck_assert_uint_eq(stats_of(pool).slack_bytes, 0);
		ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
		/* And it can be used as before. */
		leave_idle(20, 7);
		end();
	}
}
END_TEST

START_TEST(what_is_given_back_is_what_the_source_gets)
{
	begin_counted(CHUNK);
	leave_idle(50, 0);
	ck_assert_uint_eq(source.live, 50);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 50 * CHUNK);
	ck_assert_uint_eq(source.live, 0);
	assert_held(0);
	end();
}
END_TEST

START_TEST(memory_that_was_never_handed_out_goes_back)
{
	begin_counted(MIB);
	acre_region_close(acre_region_open(pool));
	ck_assert_uint_gt(stats_of(pool).uncarved_bytes, 0);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), MIB);
	ck_assert_uint_eq(source.live, 0);
	ck_assert_uint_eq(stats_of(pool).uncarved_bytes, 0);
	acre_region_close(acre_region_open(pool));
	ck_assert_uint_eq(source.live, 1);
	end();
}
END_TEST

/* As one is that a thread has taken which then finds other pages. */
START_TEST(a_chunk_as_it_came_goes_too)
{
	struct run rest;

	begin_counted(CHUNK);
	ck_assert_int_eq(chunks_grow(&pool->chunks, NULL, &rest), 0);
	ck_assert_uint_eq(source.live, 1);
	ck_assert_uint_eq(acre_pool_trim(pool, CHUNK, ALL), 0);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), CHUNK);
	ck_assert_uint_eq(source.live, 0);
	assert_balanced(pool);
	leave_idle(1, 0);
	end();
}
END_TEST

/* Chunks whose first page is misaligned have a page less, and slack. */
START_TEST(slack_goes_with_its_chunk)
{
	begin_counted(CHUNK);
	source.shift = 16;
	leave_idle(20, 0);
	ck_assert_uint_gt(stats_of(pool).slack_bytes, 0);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL),
		stats_of(pool).chunk_bytes + source.calls * CHUNK);
	ck_assert_uint_eq(stats_of(pool).slack_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).chunk_bytes, 0);
	end();
}
END_TEST

START_TEST(a_chunk_with_a_page_in_use_stays)
{
	begin_counted(CHUNK);
	leave_idle(50, 5 * CHUNK_PAGES);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 40 * CHUNK);
	ck_assert_uint_eq(source.live, 10);
	pages_verify(&pages);
	assert_held(10 * PAGE);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
	end();
}
END_TEST

START_TEST(a_pool_without_memory_gives_none)
{
	begin(NULL, 0);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
	end();
}
END_TEST

/* ---- keep and most ---- */

static const size_t amounts[] = {0, 1, PAGE - 1, PAGE, CHUNK - 1, CHUNK,
	CHUNK + 1, 3 * CHUNK + PAGE, 19 * CHUNK, 20 * CHUNK - 1, 20 * CHUNK,
	20 * CHUNK + 1, ALL};

static size_t
idle_of(acre_pool *of)
{
	acre_stats s = stats_of(of);

	return s.free_bytes + s.cache_bytes + s.uncarved_bytes + s.slack_bytes;
}

/* What 20 idle chunks give when so much may go: chunks, and from a source
 * that is purged pages too. */
static size_t
may_go(size_t excess, bool purged)
{
	size_t unit = purged ? PAGE : CHUNK;

	return excess / unit * unit;
}

/* One trim, in a pool of its own. */
static void
check_trim(bool purged, size_t keep, size_t most)
{
	size_t idle = 20 * CHUNK, excess = keep < idle ? idle - keep : 0, gone;

	if (purged)
		begin(&acre_mmap_allocator, CHUNK);
	else
		begin_counted(CHUNK);
	leave_idle(20, 0);
	ck_assert_uint_eq(idle_of(pool), idle);
	gone = acre_pool_trim(pool, keep, most);
	ck_assert_uint_eq(gone, may_go(excess < most ? excess : most, purged));
	ck_assert_uint_eq(stats_of(pool).chunk_bytes,
		idle - gone / CHUNK * CHUNK);
	assert_held(0);
	end();
}

START_TEST(keep_is_kept_to_the_byte)
{
	for (size_t i = 0; i < COUNT(amounts); i++) {
		check_trim(false, amounts[i], ALL);
		check_trim(true, amounts[i], ALL);
	}
}
END_TEST

START_TEST(no_more_than_most_goes)
{
	for (size_t i = 0; i < COUNT(amounts); i++) {
		check_trim(false, 0, amounts[i]);
		check_trim(true, 0, amounts[i]);
		check_trim(true, CHUNK, amounts[i]);
	}
}
END_TEST

/* What was purged has gone: the next trim does not give it again. */
START_TEST(keep_is_kept_by_all_trims_together)
{
	begin(&acre_mmap_allocator, CHUNK);
	leave_idle(20, 2);
	ck_assert_uint_eq(idle_of(pool), 10 * CHUNK);
	ck_assert_uint_eq(acre_pool_trim(pool, 4 * CHUNK, ALL), 6 * CHUNK);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(acre_pool_trim(pool, 4 * CHUNK, ALL), 0);
	ck_assert_uint_eq(acre_pool_trim(pool, CHUNK, ALL), 3 * CHUNK);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), CHUNK);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
	end();
}
END_TEST

START_TEST(many_small_trims_give_what_one_does)
{
	size_t gone = 0, once;

	begin_counted(CHUNK);
	leave_idle(100, 3 * CHUNK_PAGES);
	while ((once = acre_pool_trim(pool, 5 * CHUNK, CHUNK + 1)) > 0) {
		ck_assert_uint_eq(once, CHUNK);
		gone += once;
		assert_held(34 * PAGE);
	}
	ck_assert_uint_eq(gone, 66 * CHUNK);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
	pages_verify(&pages);
	end();
}
END_TEST

/* ---- work that is bounded, and goes on ---- */

enum { WORK_PAGES = 4096 /* 16 MiB, at least sorted by one trim */ };

/* A page of each chunk is in use, so nothing can go. */
static void
leave_fragments(size_t chunks)
{
	begin_counted(CHUNK);
	leave_idle(chunks, CHUNK_PAGES);
}

START_TEST(a_small_trim_sorts_16_mib)
{
	leave_fragments(640);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, CHUNK), 0);
	ck_assert_uint_ge(store_pages(&pool->chunks), WORK_PAGES);
	ck_assert_uint_le(store_pages(&pool->chunks), WORK_PAGES + 64);
	assert_held(640 * PAGE);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, CHUNK), 0);
	ck_assert_uint_ge(store_pages(&pool->chunks), 2 * WORK_PAGES);
	/* The third comes to the end, and nothing is left sorted. */
	ck_assert_uint_eq(acre_pool_trim(pool, 0, CHUNK), 0);
	ck_assert_uint_eq(store_pages(&pool->chunks), 0);
	assert_held(640 * PAGE);
	end();
}
END_TEST

START_TEST(a_larger_trim_sorts_16_times_what_it_may_give)
{
	leave_fragments(1024);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, 2 * MIB), 0);
	ck_assert_uint_ge(store_pages(&pool->chunks), 2 * WORK_PAGES);
	ck_assert_uint_le(store_pages(&pool->chunks), 2 * WORK_PAGES + 64);
	end();
}
END_TEST

/* Few whole chunks among many: trims that give nothing come nearer. */
START_TEST(trims_go_on_where_the_last_one_stopped)
{
	size_t gone = 0;

	begin_counted(CHUNK);
	pages_open(&pages, pool, 1000 * CHUNK_PAGES);
	pages_verify(&pages);
	for (size_t i = 0; i < pages.count; i++)
		if (i % CHUNK_PAGES || i / CHUNK_PAGES % 100 == 50) {
			acre_region_close(pages.regions[i]);
			pages.regions[i] = NULL;
		}
	/* 62 MiB to look through, 16 at least each time. */
	for (int i = 0; i < 10 + 4; i++)
		gone += acre_pool_trim(pool, 0, CHUNK);
	ck_assert_uint_eq(gone, 10 * CHUNK);
	pages_verify(&pages);
	end();
}
END_TEST

START_TEST(what_is_sorted_serves_before_new_memory)
{
	size_t calls;

	begin_counted(MIB);
	leave_idle(960, MIB / PAGE);
	calls = source.calls;
	acre_pool_trim(pool, 0, MIB);
	ck_assert_uint_gt(store_pages(&pool->chunks), 0);
	pages_open(&pages, pool, 60 * (MIB / PAGE - 1));
	ck_assert_uint_eq(source.calls, calls);
	ck_assert_uint_eq(store_pages(&pool->chunks), 0);
	ck_assert_uint_eq(stats_of(pool).free_bytes, 0);
	pages_verify(&pages);
	end();
}
END_TEST

/* ---- blocks that are joined ---- */

/* Blocks of 2^order pages that can be had without new memory, most at most. */
static size_t
count_blocks(unsigned order, size_t most)
{
	static char buffer[16000]; /* for records, not for blocks */
	acre_region *with = acre_region_open_with(pool,
		&(acre_region_options){.buffer = buffer,
			.buffer_size = sizeof(buffer)});
	size_t calls = source.calls, count = 0;

	while (count < most && acre_alloc(with, PAGE << order) &&
		source.calls == calls)
		count++;
	acre_region_close(with);
	return count;
}

START_TEST(pages_side_by_side_become_larger_blocks)
{
	begin_counted(CHUNK);
	/* Of each 16 pages, 15 side by side: blocks of 8, 4, 2, 1. */
	leave_idle(64, CHUNK_PAGES);
	acre_pool_trim(pool, 0, ALL);
	ck_assert_uint_eq(source.live, 64);
	ck_assert_uint_eq(count_blocks(2, 1000), 64 * 3);
	end();
}
END_TEST

/* Blocks of eight pages from chunks whose first page is in use: what they leave
 * is joined with that one to as many more. */
START_TEST(a_joined_block_leaves_room_for_another)
{
	static char buffer[16000];
	acre_region *with;

	begin_counted(CHUNK);
	leave_idle(64, CHUNK_PAGES);
	acre_pool_trim(pool, 0, ALL);
	with = open_with((acre_region_options){.buffer = buffer,
		.buffer_size = sizeof(buffer)});
	for (int i = 0; i < 64; i++)
		ck_assert_ptr_nonnull(acre_alloc(with, 8 * PAGE));
	pages_close(&pages);
	acre_pool_trim(pool, 0, ALL);
	ck_assert_uint_eq(count_blocks(3, 1000), 64);
	ck_assert_uint_eq(source.calls, 65);
	acre_region_close(with);
	end();
}
END_TEST

START_TEST(join_says_whether_it_is_worth_another_look)
{
	struct member *member;

	begin_counted(CHUNK);
	leave_idle(64, CHUNK_PAGES);
	acre_thread_flush(pool);
	member = &cache_of(pool)->member;
	ck_assert(trim_join(pool, member));
	ck_assert(!trim_join(pool, member));
	ck_assert_uint_eq(count_blocks(2, 1000), 64 * 3);
	acre_thread_flush(pool);
	ck_assert(trim_join(pool, member));
	end();
}
END_TEST

/* ---- purged pages ---- */

START_TEST(pages_of_chunks_in_use_go_to_the_os)
{
	const acre_allocator *const sources[] = {&acre_malloc_allocator,
		&acre_mmap_allocator};

	for (size_t i = 0; i < COUNT(sources); i++) {
		size_t before, gone, chunk_bytes;

		begin(sources[i], 0);
		leave_idle(1600, 16); /* 100 MiB, 94 of them idle */
		before = resident_bytes();
		chunk_bytes = stats_of(pool).chunk_bytes;
		gone = acre_pool_trim(pool, 0, ALL);
		ck_assert_uint_ge(gone, 1500 * CHUNK - MIB);
		if (!SANITIZED) /* whose shadow of it stays */
			ck_assert_uint_ge(before,
				resident_bytes() + gone - 2 * MIB);
		/* But not their addresses. */
		ck_assert_uint_eq(stats_of(pool).chunk_bytes, chunk_bytes);
		pages_verify(&pages);
		ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
		/* They can be used again, and purged again. */
		pages_open(&pages, pool, 1000);
		pages_verify(&pages);
		assert_held(2600 * PAGE);
		end();
	}
}
END_TEST

START_TEST(used_again_they_are_purged_again)
{
	begin(&acre_mmap_allocator, CHUNK);
	leave_idle(20, CHUNK_PAGES);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 300 * PAGE);
	for (int i = 0; i < 3; i++) {
		static struct pages more;

		pages_open(&more, pool, 300);
		pages_close(&more);
		ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 300 * PAGE);
	}
	end();
}
END_TEST

/* A source may be anything: shared memory, a device, huge pages. */
START_TEST(other_sources_pages_are_left_alone)
{
	unsigned char *object = NULL;

	begin_counted(CHUNK);
	leave_idle(20, 2);
	/* A free page's contents, behind what a list may write there. */
	object = (unsigned char *)pages.regions[0] + PAGE + 1000;
	memset(object, 0x77, 100);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
	assert_filled(object, 100, 0x77);
	end();
	begin(&acre_huge_allocator, 0);
	leave_idle(200, 2);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 0);
	end();
}
END_TEST

/* ---- whose memory ---- */

START_TEST(what_threads_keep_is_idle)
{
	struct actor other;

	begin_counted(CHUNK);
	actor_start(&other);
	actor_do(&other, pages_fill_cache, pool);
	pages_fill_cache(pool);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, 2 * 128 * PAGE);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 16 * CHUNK);
	ck_assert_uint_eq(source.live, 0);
	actor_do(&other, pages_fill_cache, pool);
	actor_end(&other);
	end();
}
END_TEST

static void *
trim_and_use(void *unused)
{
	struct pages *own = calloc(1, sizeof(*own));

	(void)unused;
	for (int i = 0; i < 200; i++) {
		pages_open(own, pool, 200);
		acre_pool_trim(pool, i % 3 ? 0 : MIB, i % 2 ? ALL : CHUNK);
		pages_close(own);
	}
	free(own);
	return NULL;
}

START_TEST(several_may_trim_at_once)
{
	pthread_t threads[4];

	begin_counted(CHUNK);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, trim_and_use, NULL);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	assert_held(0);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL) % CHUNK, 0);
	ck_assert_uint_eq(stats_of(pool).chunks, 0);
	ck_assert_uint_eq(source.live, 0);
	end();
}
END_TEST

/* ---- without memory ---- */

START_TEST(without_memory_it_gives_nothing_and_loses_nothing)
{
	size_t gone, idle;

	begin_counted(CHUNK);
	leave_idle(20, 0);
	idle = idle_of(pool);
	no_malloc = true; /* Check has none either */
	gone = acre_pool_trim(pool, 0, ALL);
	no_malloc = false;
	ck_assert_uint_eq(gone, 0);
	ck_assert_uint_eq(idle_of(pool), idle);
	assert_held(0);
	ck_assert_uint_eq(acre_pool_trim(pool, 0, ALL), 20 * CHUNK);
	end();
}
END_TEST

START_TEST(what_could_not_be_joined_is_worth_another_look)
{
	struct member *member;

	begin_counted(CHUNK);
	leave_idle(64, CHUNK_PAGES);
	acre_thread_flush(pool);
	member = &cache_of(pool)->member;
	no_malloc = true; /* Check has none either */
	trim_join(pool, member);
	no_malloc = false;
	ck_assert(trim_join(pool, member));
	ck_assert_uint_eq(count_blocks(2, 1000), 64 * 3);
	end();
}
END_TEST

static void *
trim_without_memory(void *unused)
{
	size_t gone;

	(void)unused;
	no_malloc = true;
	gone = acre_pool_trim(pool, 0, ALL);
	no_malloc = false;
	return (void *)gone;
}

START_TEST(a_thread_that_can_have_no_cache_gives_nothing)
{
	begin_counted(CHUNK);
	leave_idle(20, 0);
	acre_thread_flush(pool);
	ck_assert_ptr_null(on_thread(trim_without_memory, NULL));
	ck_assert_uint_eq(source.live, 20);
	end();
}
END_TEST

START_TEST(idle_is_what_nobody_uses)
{
	acre_stats s;

	begin_counted(CHUNK);
	leave_idle(20, 3);
	s = stats_of(pool);
	ck_assert_uint_gt(s.cache_bytes, 0);
	ck_assert_uint_gt(s.free_bytes, 0);
	ck_assert_uint_eq(trim_idle(pool), s.cache_bytes + s.free_bytes +
		s.uncarved_bytes + s.slack_bytes);
	end();
}
END_TEST

/* What was sorted is in the store, or in the lists again. */
START_TEST(no_more_is_sorted_than_has_to_go)
{
	for (int large = 0; large <= 1; large++) {
		uint64_t landed;

		begin_counted(CHUNK);
		leave_idle(100, 0);
		acre_thread_flush(pool);
		landed = trim_landed(pool);
		if (large)
			trim_chunks(pool, pool->members, CHUNK);
		else
			acre_pool_trim(pool, 99 * CHUNK, ALL);
		ck_assert_uint_lt(source.live, 100);
		ck_assert_uint_lt(store_pages(&pool->chunks) * PAGE +
			trim_landed(pool) - landed, 50 * CHUNK);
		end();
	}
}
END_TEST

START_TEST(the_record_of_a_chunk_goes_a_grace_period_after_it)
{
	begin_counted(CHUNK);
	leave_idle(20, 0);
	acre_pool_trim(pool, 0, ALL);
	ck_assert_ptr_nonnull(pool->chunks.gone);
	helper_wait(grace_needed());
	acre_pool_trim(pool, 0, ALL);
	ck_assert_ptr_null(pool->chunks.gone);
	end();
}
END_TEST

/* As where all descriptors cool and there may be no more of them. */
START_TEST(what_finds_no_descriptor_stays_sorted)
{
	static struct pages more;
	size_t kept = (20 * CHUNK_PAGES + 2) / 3;
	size_t most;

	begin_counted(CHUNK);
	most = load_relaxed(&pool->depot.most);
	leave_idle(20, 3);
	acre_thread_flush(pool);
	rcu_enter();
	pool->members->stash.ready = NULL;
	store_relaxed(&pool->depot.most, 0);
	acre_pool_trim(pool, 0, ALL);
	ck_assert_uint_gt(store_pages(&pool->chunks), 0);
	store_relaxed(&pool->depot.most, most);
	rcu_leave();
	pages_open(&more, pool, 20 * CHUNK_PAGES - kept);
	ck_assert_uint_eq(source.live, 20);
	pages_close(&more);
	end();
}
END_TEST

SUITE("trim", all_that_is_idle_goes_back,
	what_is_given_back_is_what_the_source_gets,
	memory_that_was_never_handed_out_goes_back,
	a_chunk_as_it_came_goes_too, slack_goes_with_its_chunk,
	a_chunk_with_a_page_in_use_stays, a_pool_without_memory_gives_none,
	keep_is_kept_to_the_byte, no_more_than_most_goes,
	keep_is_kept_by_all_trims_together,
	idle_is_what_nobody_uses, no_more_is_sorted_than_has_to_go,
	the_record_of_a_chunk_goes_a_grace_period_after_it,
	what_finds_no_descriptor_stays_sorted,
	many_small_trims_give_what_one_does, a_small_trim_sorts_16_mib,
	a_larger_trim_sorts_16_times_what_it_may_give,
	trims_go_on_where_the_last_one_stopped,
	what_is_sorted_serves_before_new_memory,
	pages_side_by_side_become_larger_blocks,
	a_joined_block_leaves_room_for_another,
	join_says_whether_it_is_worth_another_look,
	pages_of_chunks_in_use_go_to_the_os, used_again_they_are_purged_again,
	other_sources_pages_are_left_alone, what_threads_keep_is_idle,
	several_may_trim_at_once,
	without_memory_it_gives_nothing_and_loses_nothing,
	what_could_not_be_joined_is_worth_another_look,
	a_thread_that_can_have_no_cache_gives_nothing)
