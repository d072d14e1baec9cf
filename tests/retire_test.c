/* SPDX-License-Identifier: MIT */
/* retire_test.c - what readers may be reading stays, and then it ends. */
#include <pthread.h>
#include <stdio.h>

#include "lib/helper.h"
#include "tests/limbo.h"
#include "tests/source.h"

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
	a_region_of_many_pages_comes_back_whole)
