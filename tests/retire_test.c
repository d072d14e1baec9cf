/* SPDX-License-Identifier: MIT */
/* retire_test.c - what readers may be reading stays, and then it ends. */
#include <pthread.h>
#include <stdio.h>

#include "lib/helper.h"
#include "lib/pool.h"
#include "lib/rcu.h"
#include "lib/region.h"
#include "tests/actor.h"
#include "tests/retired.h"
#include "tests/source.h"
#include "tests/suite.h"

#define PAGE 4096

static acre_pool *pool;
static struct actor reader;

static void
setup(acre_pool_options options)
{
	pool = pool_with(options);
	actor_start(&reader);
}

static void
teardown(void)
{
	actor_end(&reader);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	assert_balanced(pool);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 0);
	ck_assert_uint_eq(stats_of(pool).regions_open, 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

/* The reader's tasks. */
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

/* What actors got. */
static int answers[3];

static void
retire_it(void *retired)
{
	answers[0] = acre_region_retire(((struct retired *)retired)->region);
}

/* A region of one page. */
static acre_region *
open_page(acre_pool *from)
{
	return acre_region_open_with(from,
		&(acre_region_options){.max_bytes = PAGE});
}

/* A filled region of one page, retired; what retire returned. */
static int
retire_page(struct retired *retired)
{
	retired_fill(retired, open_page(pool));
	return acre_region_retire(retired->region);
}

/* ---- objects and their end ---- */

START_TEST(objects_stay_until_the_readers_section_ends)
{
	struct retired r;
	size_t held;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	retired_fill(&r, acre_region_open(pool));
	held = acre_region_held(r.region);
	ck_assert_int_eq(acre_region_retire(r.region), 0);
	await_taken(pool);
	for (int i = 0; i < 200; i++) {
		use_memory(pool);
		actor_do(&reader, retired_look, &r);
		ck_assert(r.intact);
		ck_assert_int_eq(load_acquire(&r.ends), 0);
		ck_assert_uint_eq(stats_of(pool).limbo_bytes, held);
	}
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(r.ends, 1);
	teardown();
}
END_TEST

START_TEST(memory_in_limbo_is_not_given_to_others)
{
	enum { REGIONS = 600 };
	static acre_region *regions[REGIONS];
	struct retired r;
	uintptr_t start, end;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	retired_fill(&r, acre_region_open(pool));
	start = (uintptr_t)r.region;
	end = start + acre_region_held(r.region);
	ck_assert_int_eq(acre_region_retire(r.region), 0);
	await_taken(pool);
	for (int i = 0; i < REGIONS; i++) {
		regions[i] = open_page(pool);
		ck_assert((uintptr_t)regions[i] >= end ||
			(uintptr_t)regions[i] + PAGE <= start);
	}
	for (int i = 0; i < REGIONS; i++)
		acre_region_close(regions[i]);
	actor_do(&reader, leave, NULL);
	teardown();
}
END_TEST

START_TEST(it_ends_without_a_barrier)
{
	setup((acre_pool_options){0});
	for (int i = 0; i < 100; i++) {
		struct retired first, second;

		ck_assert_int_eq(retire_page(&first), 0);
		ck_assert_int_eq(retire_page(&second), 0);
		await_end(&first);
		await_end(&second);
	}
	teardown();
}
END_TEST

/* Ticks follow each other closely, and it is retired anywhere in one. */
START_TEST(it_ends_wherever_in_a_tick_it_was_retired)
{
	setup((acre_pool_options){0});
	for (int i = 0; i < 1000; i++) {
		struct retired r;

		helper_hurry();
		helper_want(grace_needed());
		for (volatile int n = i * 7919 % 500000; n; n--)
			;
		ck_assert_int_eq(retire_page(&r), 0);
		await_end(&r);
	}
	teardown();
}
END_TEST

START_TEST(it_ends_when_the_helper_was_asleep)
{
	setup((acre_pool_options){0});
	for (int i = 0; i < 3; i++) {
		struct retired r;

		ck_assert_int_eq(retire_page(&r), 0);
		await_end(&r);
		while (!helper_is_dormant())
			sched_yield();
	}
	teardown();
}
END_TEST

START_TEST(retire_of_null_is_fine)
{
	ck_assert_int_eq(acre_region_retire(NULL), 0);
}
END_TEST

START_TEST(another_thread_may_retire)
{
	struct retired r;

	setup((acre_pool_options){0});
	retired_fill(&r, acre_region_open(pool));
	ck_assert_int_eq(acre_region_detach(r.region), 0);
	actor_do(&reader, retire_it, &r);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(r.ends, 1);
	ck_assert_uint_eq(stats_of(pool).regions_retired, 1);
	teardown();
}
END_TEST

/* ---- cleanups ---- */

/* Written on the helper's thread, read after a barrier, no atomics: the
 * barrier must order the two, as ThreadSanitizer would tell. */
static struct {
	char order[32];
	size_t count;
	bool elsewhere; /* one ran on another thread than the helper */
} cleanups;

static void
note(void *letter)
{
	char name[16] = "";

	pthread_getname_np(pthread_self(), name, sizeof(name));
	if (strcmp(name, "acre-helper") != 0)
		cleanups.elsewhere = true;
	if (cleanups.count < sizeof(cleanups.order) - 1)
		cleanups.order[cleanups.count++] = *(char *)letter;
}

/* In the region itself: a cleanup must still find it there. */
static void
add_note(acre_region *region, char letter)
{
	char *p = acre_alloc(region, 1);

	*p = letter;
	ck_assert_int_eq(acre_cleanup_add(region, note, p), 0);
}

static acre_region *
open_child(acre_region *parent)
{
	return acre_region_open_with(pool,
		&(acre_region_options){.parent = parent});
}

START_TEST(cleanups_run_once_on_the_helper_children_before_parents)
{
	acre_region *region, *child, *grandchild;

	setup((acre_pool_options){0});
	region = acre_region_open(pool);
	add_note(region, 'a');
	child = open_child(region);
	add_note(child, 'c');
	grandchild = open_child(child);
	add_note(grandchild, 'e');
	add_note(child, 'd');
	add_note(region, 'b');
	ck_assert_int_eq(acre_region_retire(region), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
		ck_assert_str_eq(cleanups.order, "edcba");
	}
	ck_assert(!cleanups.elsewhere);
	ck_assert_uint_eq(stats_of(pool).regions_retired, 1);
	ck_assert_uint_eq(stats_of(pool).regions_closed, 2);
	teardown();
}
END_TEST

START_TEST(cleanups_wait_for_the_reader)
{
	acre_region *region;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	region = acre_region_open(pool);
	add_note(region, 'a');
	ck_assert_int_eq(acre_region_retire(region), 0);
	await_taken(pool);
	for (int i = 0; i < 1000; i++) {
		ck_assert_uint_eq(*(volatile size_t *)&cleanups.count, 0);
		sched_yield();
	}
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_str_eq(cleanups.order, "a");
	teardown();
}
END_TEST

static void
ask_to_wait(void *unused)
{
	(void)unused;
	answers[0] = acre_pool_barrier(pool);
	answers[1] = acre_pool_destroy(pool);
}

START_TEST(cleanups_may_not_wait)
{
	acre_region *region;

	setup((acre_pool_options){0});
	region = acre_region_open(pool);
	acre_cleanup_add(region, ask_to_wait, NULL);
	ck_assert_int_eq(acre_region_retire(region), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(answers[0], EDEADLK);
	ck_assert_int_eq(answers[1], EDEADLK);
	teardown();
}
END_TEST

/* Each cleanup retires the next region, so many times. */
static void
retire_another(void *left)
{
	acre_region *region;

	if (--*(int *)left <= 0)
		return;
	region = acre_region_open(pool);
	acre_cleanup_add(region, retire_another, left);
	answers[2] |= acre_region_retire(region);
}

START_TEST(destroy_waits_for_what_cleanups_retire)
{
	struct test_source source = {0};
	acre_region *region;
	int left = 6;

	setup((acre_pool_options){.source = test_source_init(&source)});
	region = acre_region_open(pool);
	acre_cleanup_add(region, retire_another, &left);
	ck_assert_int_eq(acre_region_retire(region), 0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	ck_assert_int_eq(left, 0);
	ck_assert_int_eq(answers[2], 0);
	ck_assert_uint_eq(source.live, 0);
	actor_end(&reader);
}
END_TEST

/* ---- what regions are made of ---- */

START_TEST(a_retired_child_leaves_its_parent)
{
	acre_region *parent;
	struct retired child, sibling;

	setup((acre_pool_options){0});
	parent = acre_region_open(pool);
	retired_fill(&sibling, open_child(parent));
	retired_fill(&child, open_child(parent));
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(acre_region_retire(child.region), 0);
	acre_region_close(parent);
	ck_assert_int_eq(sibling.ends, 1);
	await_taken(pool);
	use_memory(pool);
	actor_do(&reader, retired_look, &child);
	ck_assert(child.intact);
	ck_assert_int_eq(load_acquire(&child.ends), 0);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(child.ends, 1);
	teardown();
}
END_TEST

START_TEST(children_stay_with_their_retired_parent)
{
	struct retired parent, child;
	size_t held;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	retired_fill(&parent, acre_region_open(pool));
	retired_fill(&child, open_child(parent.region));
	held = acre_region_held(parent.region) +
		acre_region_held(child.region);
	ck_assert_int_eq(acre_region_retire(parent.region), 0);
	await_taken(pool);
	use_memory(pool);
	actor_do(&reader, retired_look, &child);
	ck_assert(child.intact);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, held);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_int_eq(load_acquire(&child.ends), 0);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(child.ends, 1);
	ck_assert_int_eq(parent.ends, 1);
	teardown();
}
END_TEST

/* In limbo with large objects of both kinds; *other is open meanwhile. */
static void
retire_large(const struct test_source *source, const acre_region *other)
{
	struct retired r;
	char *block, *alone;
	size_t held;

	retired_fill(&r, acre_region_open(pool));
	block = acre_alloc(r.region, 64 << 10);
	alone = acre_alloc(r.region, 1 << 20);
	memset(block, 'b', 64 << 10);
	memset(alone, 'a', 1 << 20);
	held = acre_region_held(r.region);
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(acre_region_retire(r.region), 0);
	await_taken(pool);
	use_memory(pool);
	ck_assert_uint_eq(source->live, stats_of(pool).chunks + 1);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 1 << 20);
	/* The equation is about chunks; the bound is about all. */
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, held - (1 << 20));
	ck_assert_uint_eq(stats_of(pool).region_bytes,
		acre_region_held(other));
	assert_balanced(pool);
	ck_assert_int_eq(block[(64 << 10) - 1], 'b');
	ck_assert_int_eq(alone[(1 << 20) - 1], 'a');
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_uint_eq(source->live, stats_of(pool).chunks);
}

START_TEST(large_objects_stay_and_go_back)
{
	struct test_source source = {0};
	acre_region *other;

	setup((acre_pool_options){.source = test_source_init(&source)});
	other = acre_region_open(pool);
	for (int i = 0; i < 3; i++)
		retire_large(&source, other);
	acre_region_close(other);
	teardown();
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(a_child_in_another_pool_counts_there)
{
	acre_pool *theirs = pool_with((acre_pool_options){0});
	struct retired parent, child;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	retired_fill(&parent, open_page(pool));
	retired_fill(&child, acre_region_open_with(theirs,
		&(acre_region_options){.parent = parent.region}));
	ck_assert_int_eq(acre_region_retire(parent.region), 0);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, PAGE);
	ck_assert_uint_eq(stats_of(pool).region_bytes, 0);
	ck_assert_uint_eq(stats_of(theirs).regions_open, 1);
	assert_balanced(pool);
	assert_balanced(theirs);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(child.ends, 1);
	ck_assert_uint_eq(stats_of(theirs).regions_open, 0);
	ck_assert_uint_eq(stats_of(theirs).region_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(theirs), 0);
	teardown();
}
END_TEST

START_TEST(a_callers_buffer_is_left_alone_until_the_end)
{
	static _Alignas(16) char buffer[4096];
	struct retired r;
	acre_region *region;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	region = acre_region_open_with(pool, &(acre_region_options){
		.buffer = buffer, .buffer_size = sizeof(buffer)});
	retired_fill(&r, region);
	ck_assert((char *)r.words > buffer &&
		(char *)r.words < buffer + sizeof(buffer));
	memset(acre_alloc(region, 3900), 1, 3900); /* a page more */
	ck_assert_int_eq(acre_region_retire(region), 0);
	ck_assert_uint_ge(stats_of(pool).limbo_bytes, PAGE);
	await_taken(pool);
	use_memory(pool);
	actor_do(&reader, retired_look, &r);
	ck_assert(r.intact);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(r.ends, 1);
	teardown();
}
END_TEST

START_TEST(a_region_of_many_pages_comes_back_whole)
{
	acre_region *region;
	size_t held;

	setup((acre_pool_options){0});
	region = acre_region_open(pool);
	for (int i = 0; i < 3000; i++)
		memset(acre_alloc(region, 4000), i, 4000);
	held = acre_region_held(region);
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(acre_region_retire(region), 0);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, held);
	assert_balanced(pool);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_uint_ge(stats_of(pool).free_bytes +
		stats_of(pool).cache_bytes, held);
	teardown();
}
END_TEST

/* ---- barrier and destroy ---- */

static int
in_section(int (*action)(acre_pool *))
{
	int result;

	rcu_enter();
	result = action(pool);
	rcu_leave();
	return result;
}

START_TEST(nothing_waits_inside_a_section)
{
	struct retired r;

	setup((acre_pool_options){0});
	ck_assert_int_eq(in_section(acre_pool_barrier), EDEADLK);
	ck_assert_int_eq(in_section(acre_pool_destroy), EDEADLK);
	rcu_enter();
	ck_assert_int_eq(retire_page(&r), 0);
	rcu_leave();
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(r.ends, 1);
	teardown();
}
END_TEST

static void
retire_page_of(void *retired)
{
	answers[0] = retire_page(retired);
}

START_TEST(a_barrier_waits_for_other_threads_regions)
{
	struct retired theirs;

	setup((acre_pool_options){0});
	for (int i = 0; i < 50; i++) {
		actor_do(&reader, retire_page_of, &theirs);
		ck_assert_int_eq(answers[0], 0);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
		ck_assert_int_eq(theirs.ends, 1);
	}
	teardown();
}
END_TEST

/* Or it would take the one that an ended thread has left. */
static void
give_helper_a_cache(void)
{
	struct retired r;

	ck_assert_int_eq(retire_page(&r), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
}

/* The helper waits for the reader with a region of ours, so that the one that
 * another thread retires stays in its bag beyond that thread's end. */
START_TEST(bags_of_ended_threads_are_not_forgotten)
{
	struct actor other;
	struct retired ours, theirs;

	setup((acre_pool_options){0});
	give_helper_a_cache();
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&ours), 0);
	await_taken(pool);
	actor_start(&other);
	actor_do(&other, retire_page_of, &theirs);
	actor_end(&other);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, 2 * PAGE);
	assert_balanced(pool);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(ours.ends, 1);
	ck_assert_int_eq(theirs.ends, 1);
	teardown();
}
END_TEST

/* The next thread gets the cache, and its bag, of one that has ended; it finds
 * the bag full, so it asks nobody to empty it. */
START_TEST(a_bag_with_a_new_owner_is_emptied_without_a_barrier)
{
	struct retired r[3];

	setup((acre_pool_options){0});
	give_helper_a_cache();
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r[0]), 0);
	await_taken(pool);
	for (int i = 1; i < 3; i++) {
		struct actor other;

		actor_start(&other);
		actor_do(&other, retire_page_of, &r[i]);
		actor_end(&other);
		ck_assert_int_eq(answers[0], 0);
	}
	actor_do(&reader, leave, NULL);
	for (int i = 0; i < 3; i++)
		await_end(&r[i]);
	teardown();
}
END_TEST

static void *
retire_many(void *ends)
{
	for (int i = 0; i < 500; i++) {
		acre_region *region = acre_region_open(pool);

		for (int n = 0; n < i % 9; n++)
			acre_alloc(region, 3000);
		acre_cleanup_add(region, retired_count_end, ends);
		if (acre_region_retire(region))
			abort();
	}
	return NULL;
}

START_TEST(none_is_lost_of_many_threads_regions)
{
	struct retired sum = {0};
	pthread_t threads[4];

	setup((acre_pool_options){.cache_bytes = 16 * PAGE,
		.limbo_bytes = 1 << 20});
	for (int round = 1; round <= 5; round++) {
		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, retire_many, &sum);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
		ck_assert_int_eq(sum.ends, round * 2000);
		ck_assert_uint_eq(stats_of(pool).limbo_bytes, 0);
		assert_balanced(pool);
	}
	ck_assert_uint_eq(stats_of(pool).regions_retired, 10000);
	teardown();
}
END_TEST

/* Every page of a pool that may not grow, again and again, each time as soon
 * as a barrier need not wait. */
START_TEST(memory_is_back_when_a_barrier_says_so)
{
	enum { PAGES = 64 };
	struct test_source source = {.alignment = PAGE};
	acre_region *regions[PAGES];

	setup((acre_pool_options){.source = test_source_init(&source),
		.chunk_size = PAGES * PAGE, .max_bytes = PAGES * PAGE,
		.cache_bytes = 8 * PAGES * PAGE});
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < PAGES; i++) {
			regions[i] = open_page(pool);
			ck_assert_ptr_nonnull(regions[i]);
		}
		for (int i = 0; i < PAGES; i++)
			ck_assert_int_eq(acre_region_retire(regions[i]), 0);
		while (pool_has_limbo(pool))
			if (round % 2)
				sched_yield();
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
	}
	teardown();
}
END_TEST

static void
destroy(void *unused)
{
	(void)unused;
	answers[0] = acre_pool_destroy(pool);
}

START_TEST(destroy_waits_for_readers)
{
	struct test_source source = {0};
	struct actor destroyer;
	struct retired r;

	setup((acre_pool_options){.source = test_source_init(&source)});
	actor_start(&destroyer);
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r), 0);
	await_taken(pool);
	actor_begin(&destroyer, destroy, NULL);
	for (int i = 0; i < 200; i++) {
		actor_do(&reader, retired_look, &r);
		ck_assert(r.intact);
		ck_assert_int_eq(load_acquire(&r.ends), 0);
		ck_assert_uint_gt(source.live, 0);
	}
	actor_do(&reader, leave, NULL);
	actor_await(&destroyer);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(r.ends, 1);
	ck_assert_uint_eq(source.live, 0);
	actor_end(&destroyer);
	actor_end(&reader);
}
END_TEST

START_TEST(pools_may_end_while_others_retire)
{
	struct retired sum = {0};
	pthread_t thread;

	setup((acre_pool_options){0});
	pthread_create(&thread, NULL, retire_many, &sum);
	for (int i = 0; i < 200; i++) {
		acre_pool *short_lived = pool_with((acre_pool_options){0});
		struct retired r;

		retired_fill(&r, acre_region_open(short_lived));
		ck_assert_int_eq(acre_region_retire(r.region), 0);
		ck_assert_int_eq(acre_pool_destroy(short_lived), 0);
		ck_assert_int_eq(r.ends, 1);
	}
	pthread_join(thread, NULL);
	teardown();
}
END_TEST

static void
use(void *shared)
{
	acre_region_close(acre_region_open(shared));
}

/* A thread that used a pool may exit while it is destroyed, and while the
 * helper looks at all pools. */
START_TEST(threads_may_exit_while_their_pool_ends)
{
	setup((acre_pool_options){0});
	for (int i = 0; i < 300; i++) {
		acre_pool *short_lived = pool_with((acre_pool_options){0});
		struct actor user;
		struct retired r;

		actor_start(&user);
		actor_do(&user, use, short_lived);
		ck_assert_int_eq(retire_page(&r), 0);
		pthread_mutex_lock(&user.lock);
		user.ended = true;
		pthread_cond_broadcast(&user.changed);
		pthread_mutex_unlock(&user.lock);
		ck_assert_int_eq(acre_pool_destroy(short_lived), 0);
		pthread_join(user.thread, NULL);
		await_end(&r);
	}
	teardown();
}
END_TEST

/* ---- the bound ---- */

/* Retire regions of a page, a reader being inside, until it is refused; the
 * one that was refused is still open. */
static int
fill_limbo(struct retired *retired, int most)
{
	int count = 0;

	while (count < most) {
		int error = retire_page(&retired[count]);

		if (error) {
			ck_assert_int_eq(error, EAGAIN);
			break;
		}
		count++;
	}
	return count;
}

START_TEST(inside_a_section_a_full_limbo_refuses)
{
	enum { MOST = 12 };
	struct retired r[MOST];
	acre_region *child;
	acre_stats s;

	setup((acre_pool_options){.limbo_bytes = 10 * PAGE});
	rcu_enter();
	ck_assert_int_eq(fill_limbo(r, MOST), 10);
	s = stats_of(pool);
	ck_assert_uint_eq(s.limbo_bytes, 10 * PAGE);
	ck_assert_uint_eq(s.region_bytes, PAGE);
	ck_assert_uint_eq(s.regions_retired, 10);
	ck_assert_uint_eq(s.regions_open, 1);
	assert_balanced(pool);
	/* All is as it was: it can be read, allocated in, given children. */
	retired_look(&r[10]);
	ck_assert(r[10].intact);
	ck_assert_ptr_nonnull(acre_alloc(r[10].region, 100));
	child = open_child(r[10].region);
	ck_assert_ptr_nonnull(child);
	ck_assert_int_eq(acre_region_retire(r[10].region), EAGAIN);
	ck_assert_int_eq(acre_region_retire(child), EAGAIN);
	ck_assert_int_eq(r[10].ends, 0);
	rcu_leave();
	ck_assert_int_eq(acre_region_retire(r[10].region), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	for (int i = 0; i <= 10; i++)
		ck_assert_int_eq(r[i].ends, 1);
	ck_assert_uint_eq(stats_of(pool).regions_closed, 1);
	teardown();
}
END_TEST

START_TEST(a_nonblocking_pool_refuses_and_the_region_can_be_closed)
{
	enum { MOST = 12 };
	struct retired r[MOST];

	setup((acre_pool_options){.limbo_bytes = 10 * PAGE,
		.flags = ACRE_NONBLOCKING});
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(fill_limbo(r, MOST), 10);
	ck_assert_ptr_nonnull(acre_alloc(r[10].region, 100));
	acre_region_close(r[10].region);
	ck_assert_int_eq(r[10].ends, 1);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(fill_limbo(r, 5), 5);
	teardown();
}
END_TEST

static _Atomic(int) retiring, reader_left;

static void
retire_refused(void *refused)
{
	store_release(&retiring, 1);
	retire_it(refused);
	answers[1] = load_acquire(&reader_left);
}

START_TEST(outside_a_section_a_full_limbo_makes_wait)
{
	enum { MOST = 5 };
	struct retired r[MOST];
	struct actor waiter;

	setup((acre_pool_options){.limbo_bytes = 4 * PAGE});
	actor_start(&waiter);
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(fill_limbo(r, 4), 4);
	retired_fill(&r[4], open_page(pool));
	actor_begin(&waiter, retire_refused, &r[4]);
	while (!load_acquire(&retiring))
		sched_yield();
	for (int i = 0; i < 200; i++) {
		actor_do(&reader, retired_look, &r[i % 4]);
		ck_assert(r[i % 4].intact);
		ck_assert_uint_le(stats_of(pool).limbo_bytes, 4 * PAGE);
		ck_assert_uint_eq(stats_of(pool).regions_retired, 4);
	}
	store_release(&reader_left, 1);
	actor_do(&reader, leave, NULL);
	actor_await(&waiter);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(answers[1], 1);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	for (int i = 0; i < MOST; i++)
		ck_assert_int_eq(r[i].ends, 1);
	actor_end(&waiter);
	teardown();
}
END_TEST

static acre_region *
open_of_pages(int pages)
{
	acre_region *region = acre_region_open(pool);

	while (acre_region_held(region) < (size_t)pages * PAGE)
		acre_alloc(region, 2000);
	return region;
}

START_TEST(a_region_larger_than_the_bound_waits_alone)
{
	acre_region *large;
	struct retired r;

	setup((acre_pool_options){.limbo_bytes = 4 * PAGE});
	rcu_enter();
	ck_assert_int_eq(retire_page(&r), 0);
	large = open_of_pages(30);
	/* Not with another. */
	ck_assert_int_eq(acre_region_retire(large), EAGAIN);
	rcu_leave();
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	rcu_enter();
	ck_assert_int_eq(acre_region_retire(large), 0);
	ck_assert_uint_ge(stats_of(pool).limbo_bytes, 30 * PAGE);
	/* And no other with it. */
	retired_fill(&r, open_page(pool));
	ck_assert_int_eq(acre_region_retire(r.region), EAGAIN);
	rcu_leave();
	ck_assert_int_eq(acre_region_retire(r.region), 0);
	assert_balanced(pool);
	teardown();
}
END_TEST

START_TEST(children_count_against_the_bound)
{
	struct retired r;

	setup((acre_pool_options){.limbo_bytes = 4 * PAGE,
		.flags = ACRE_NONBLOCKING});
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r), 0);
	retired_fill(&r, open_page(pool));
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(acre_region_open_with(pool,
			&(acre_region_options){
				.parent = r.region, .max_bytes = PAGE}));
	ck_assert_int_eq(acre_region_retire(r.region), EAGAIN);
	acre_region_close(r.region);
	actor_do(&reader, leave, NULL);
	teardown();
}
END_TEST

/* What a thread has reserved of limbo and not used is not in anybody's way
 * when nothing is there. */
START_TEST(another_threads_allowance_does_not_shut_a_region_out)
{
	size_t bound = 256 * PAGE;
	struct retired small, large;

	setup((acre_pool_options){.limbo_bytes = bound,
		.flags = ACRE_NONBLOCKING});
	actor_do(&reader, retire_page_of, &small);
	ck_assert_int_eq(answers[0], 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	retired_fill(&large, acre_region_open_with(pool,
		&(acre_region_options){.max_bytes = bound}));
	ck_assert_ptr_nonnull(acre_alloc(large.region, bound - PAGE));
	ck_assert_uint_eq(acre_region_held(large.region), bound);
	ck_assert_int_eq(acre_region_retire(large.region), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	teardown();
}
END_TEST

/* One region each of so many threads that live on: the allowances must leave
 * room for more. */
START_TEST(many_threads_allowances_leave_room)
{
	enum { THREADS = 70 };
	static struct actor actors[THREADS];
	struct retired r, other;

	setup((acre_pool_options){.limbo_bytes = 512 * PAGE,
		.flags = ACRE_NONBLOCKING});
	for (int i = 0; i < THREADS; i++) {
		actor_start(&actors[i]);
		actor_do(&actors[i], retire_page_of, &other);
		ck_assert_int_eq(acre_pool_barrier(pool), 0);
	}
	actor_do(&reader, enter, NULL);
	ck_assert_int_eq(retire_page(&r), 0);
	for (int i = 0; i < 128; i++)
		ck_assert_int_eq(retire_page(&other), 0);
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, 129 * PAGE);
	actor_do(&reader, leave, NULL);
	for (int i = 0; i < THREADS; i++)
		actor_end(&actors[i]);
	teardown();
}
END_TEST

/* ---- the way back ---- */

enum { PORTIONS = 16, PORTION_PAGES = 256 /* 1 MiB */ };

/* At each one's end: what is in limbo, and what is free. */
static size_t left_at[PORTIONS * PORTION_PAGES];
static size_t free_at[PORTIONS * PORTION_PAGES];
static size_t ended;

static void
note_what_is_left(void *unused)
{
	acre_stats s = stats_of(pool);

	(void)unused;
	left_at[ended] = s.limbo_bytes;
	free_at[ended++] = s.free_bytes;
}

/* When a region ends, those before it have left and can be used, but for the
 * last portion. */
START_TEST(limbo_comes_back_in_portions)
{
	size_t all = PORTIONS * PORTION_PAGES;

	setup((acre_pool_options){0});
	actor_do(&reader, enter, NULL);
	for (size_t i = 0; i < all; i++) {
		acre_region *r = open_page(pool);

		ck_assert_int_eq(
			acre_cleanup_add(r, note_what_is_left, NULL), 0);
		ck_assert_int_eq(acre_region_retire(r), 0);
	}
	ck_assert_uint_eq(stats_of(pool).limbo_bytes, all * PAGE);
	actor_do(&reader, leave, NULL);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_uint_eq(ended, all);
	for (size_t i = 0; i < all; i++) {
		ck_assert_uint_le(left_at[i],
			(all - i + PORTION_PAGES) * PAGE);
		ck_assert_uint_ge(left_at[i], (all - i) * PAGE);
		if (i > PORTION_PAGES)
			ck_assert_uint_ge(free_at[i],
				(i - PORTION_PAGES) * PAGE);
	}
	teardown();
}
END_TEST

SUITE("retire", objects_stay_until_the_readers_section_ends,
	memory_in_limbo_is_not_given_to_others, it_ends_without_a_barrier,
	it_ends_wherever_in_a_tick_it_was_retired,
	it_ends_when_the_helper_was_asleep, retire_of_null_is_fine,
	another_thread_may_retire,
	cleanups_run_once_on_the_helper_children_before_parents,
	cleanups_wait_for_the_reader, cleanups_may_not_wait,
	destroy_waits_for_what_cleanups_retire,
	a_retired_child_leaves_its_parent,
	children_stay_with_their_retired_parent,
	large_objects_stay_and_go_back, a_child_in_another_pool_counts_there,
	a_callers_buffer_is_left_alone_until_the_end,
	a_region_of_many_pages_comes_back_whole,
	nothing_waits_inside_a_section,
	a_barrier_waits_for_other_threads_regions,
	bags_of_ended_threads_are_not_forgotten,
	a_bag_with_a_new_owner_is_emptied_without_a_barrier,
	none_is_lost_of_many_threads_regions,
	memory_is_back_when_a_barrier_says_so, destroy_waits_for_readers,
	pools_may_end_while_others_retire,
	threads_may_exit_while_their_pool_ends,
	inside_a_section_a_full_limbo_refuses,
	a_nonblocking_pool_refuses_and_the_region_can_be_closed,
	outside_a_section_a_full_limbo_makes_wait,
	a_region_larger_than_the_bound_waits_alone,
	children_count_against_the_bound,
	another_threads_allowance_does_not_shut_a_region_out,
	many_threads_allowances_leave_room, limbo_comes_back_in_portions)
