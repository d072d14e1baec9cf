/* SPDX-License-Identifier: MIT */
/* mark_test.c - a rewind takes back all that came since its mark, and nothing
 * else. */
#include "lib/region.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fixture.h"
#include "tests/source.h"

/* What a region is, to see that it is that again. */
struct state {
	uintptr_t top, limit;
	size_t used, held;
};

static struct state
state_of(const acre_region *r)
{
	return (struct state){r->top, r->limit, acre_region_used(r),
		acre_region_held(r)};
}

static void
assert_state(const acre_region *r, struct state before)
{
	struct state now = state_of(r);

	ck_assert_uint_eq(now.top, before.top);
	ck_assert_uint_eq(now.limit, before.limit);
	ck_assert_uint_eq(now.used, before.used);
	ck_assert_uint_eq(now.held, before.held);
	assert_held(now.held);
}

static char log_text[100];

static void
note(void *text)
{
	strcat(log_text, text);
}

START_TEST(a_rewind_gives_back_objects)
{
	unsigned char *before, *after;
	struct state state;
	acre_mark mark;

	setup();
	before = filled(region, 100, 1);
	state = state_of(region);
	mark = acre_region_mark(region);
	after = filled(region, 100, 2);
	acre_region_rewind(region, mark);
	assert_state(region, state);
	assert_filled(before, 100, 1);
	ck_assert_ptr_eq(filled(region, 100, 3), after);
	assert_filled(before, 100, 1);
	teardown();
}
END_TEST

/* A mark changes nothing, also where nothing has been yet. */
START_TEST(an_empty_region_can_be_marked)
{
	acre_mark mark;

	setup();
	mark = acre_region_mark(region);
	ck_assert_uint_eq(acre_region_used(region), 0);
	acre_region_rewind(region, mark);
	filled(region, 5000, 1);
	filled(region, 50000, 1);
	acre_strdup(region, "some");
	acre_region_rewind(region, mark);
	ck_assert_uint_eq(acre_region_used(region), 0);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	teardown();
}
END_TEST

/* Of each order, and from every number of blocks to every other. */
START_TEST(blocks_go_back)
{
	for (int older = 0; older < 300; older += 1 + older / 3) {
		for (int younger = 0; younger < 600; younger += 1 + younger) {
			struct state state;
			acre_mark mark;
			unsigned char *kept;

			setup_with((acre_pool_options){
				.cache_bytes = 64 * PAGE});
			for (int i = 0; i < older; i++)
				acre_alloc(region, 4000);
			kept = filled(region, 50, older);
			state = state_of(region);
			mark = acre_region_mark(region);
			for (int i = 0; i < younger; i++)
				acre_alloc(region, 4000);
			acre_region_rewind(region, mark);
			assert_state(region, state);
			assert_filled(kept, 50, older);
			/* What is left can grow on, and goes back. */
			for (int i = 0; i < 70; i++)
				filled(region, 4000, i);
			assert_held(acre_region_held(region));
			teardown();
		}
	}
}
END_TEST

/* With no page to spare, a lost block would be missed. */
START_TEST(no_block_is_lost)
{
	static struct test_source source = {.alignment = PAGE};

	setup_with((acre_pool_options){.source = test_source_init(&source),
		.chunk_size = 200 * PAGE, .max_bytes = 200 * PAGE,
		.cache_bytes = 32 * PAGE});
	for (size_t at = 1; at < 200; at += 7) {
		acre_mark mark;

		while (acre_region_held(region) < at * PAGE)
			filled(region, 4000, 1);
		mark = acre_region_mark(region);
		for (int round = 0; round < 3; round++) {
			while (acre_alloc(region, 4000))
				;
			ck_assert_uint_eq(acre_region_held(region),
				200 * PAGE);
			acre_region_rewind(region, mark);
			assert_held(acre_region_held(region));
		}
		acre_region_close(region);
		assert_held(0);
		region = acre_region_open(pool);
	}
	teardown();
}
END_TEST

/* After a rewind a region grows as it did after the mark. */
START_TEST(growth_goes_back_too)
{
	enum { OBJECTS = 1000 };
	static size_t held[OBJECTS];
	acre_mark mark;

	setup();
	filled(region, 20000, 1);
	mark = acre_region_mark(region);
	for (int i = 0; i < OBJECTS; i++) {
		filled(region, 1000, i);
		held[i] = acre_region_held(region);
	}
	for (int round = 0; round < 2; round++) {
		acre_region_rewind(region, mark);
		for (int i = 0; i < OBJECTS; i++) {
			filled(region, 1000, i);
			ck_assert_uint_eq(acre_region_held(region), held[i]);
		}
	}
	teardown();
}
END_TEST

START_TEST(large_objects_since_the_mark_go_back)
{
	static struct test_source source = {.alignment = PAGE};
	unsigned char *block, *big;
	struct state state;
	acre_mark mark;
	size_t live;

	setup_with((acre_pool_options){.source = test_source_init(&source)});
	block = filled(region, 64 * KIB, 1);
	big = filled(region, 2 * MIB, 2);
	live = source.live;
	state = state_of(region);
	mark = acre_region_mark(region);
	for (int round = 0; round < 3; round++) {
		filled(region, 64 * KIB, 3);
		filled(region, 2 * MIB, 4);
		acre_free(region, filled(region, 3 * MIB, 5), 3 * MIB);
		filled(region, 20 * KIB, 6);
		acre_region_rewind(region, mark);
		assert_state(region, state);
		ck_assert_uint_eq(source.live, live);
		assert_filled(block, 64 * KIB, 1);
		assert_filled(big, 2 * MIB, 2);
	}
	teardown();
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

/* The record of one that was freed before the mark may serve after it, and
 * serve again: it stands below the mark. One made after the mark may not. */
START_TEST(records_below_the_mark_are_used_again_others_not)
{
	unsigned char *objects[4];
	struct state state;
	acre_mark mark;

	setup();
	acre_free(region, filled(region, 64 * KIB, 1), 64 * KIB);
	state = state_of(region);
	mark = acre_region_mark(region);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++)
			objects[i] = filled(region, 64 * KIB, i);
		acre_free(region, objects[1], 64 * KIB);
		acre_free(region, objects[0], 64 * KIB);
		acre_region_rewind(region, mark);
		assert_state(region, state);
		filled(region, 500, 0xff); /* over the records */
		filled(region, 64 * KIB, 5);
		ck_assert_uint_eq(acre_region_used(region),
			state.used + 512 + 64 * KIB);
		acre_region_rewind(region, mark);
		assert_state(region, state);
	}
	teardown();
}
END_TEST

/* One from before the mark that is freed after it stays freed. */
START_TEST(what_was_freed_stays_freed)
{
	unsigned char *p;
	acre_mark mark;
	size_t used;

	setup();
	filled(region, 10, 1);
	used = acre_region_used(region);
	p = filled(region, 64 * KIB, 1);
	mark = acre_region_mark(region);
	acre_free(region, p, 64 * KIB);
	p = filled(region, 64 * KIB, 2); /* in its record */
	acre_region_rewind(region, mark);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	ck_assert_uint_eq(acre_region_used(region),
		used + ALIGN_UP(sizeof(struct large)));
	assert_held(PAGE);
	filled(region, 100, 0xff);
	filled(region, 64 * KIB, 3);
	assert_held(PAGE + 64 * KIB);
	teardown();
}
END_TEST

START_TEST(strings_go_back)
{
	struct state state;
	char *before, *after;
	acre_mark mark;

	setup();
	before = acre_strdup(region, "before");
	state = state_of(region);
	mark = acre_region_mark(region);
	after = acre_strdup(region, "after");
	for (int i = 0; i < 1000; i++)
		acre_strdup(region, "many more of them");
	acre_region_rewind(region, mark);
	assert_state(region, state);
	ck_assert_str_eq(before, "before");
	ck_assert_ptr_eq(acre_strdup(region, "again"), after);
	ck_assert_str_eq(before, "before");
	teardown();
}
END_TEST

START_TEST(marks_nest)
{
	enum { DEPTH = 30 };
	struct state states[DEPTH];
	acre_mark marks[DEPTH];

	setup();
	for (int i = 0; i < DEPTH; i++) {
		states[i] = state_of(region);
		marks[i] = acre_region_mark(region);
		filled(region, 900, i);
		acre_strdup(region, "text");
		if (i % 4 == 0)
			filled(region, 20 * KIB, i);
	}
	for (int i = DEPTH; i-- > 0; i -= i % 3 == 0) {
		acre_region_rewind(region, marks[i]);
		assert_state(region, states[i]);
	}
	teardown();
}
END_TEST

START_TEST(the_same_mark_serves_again_and_again)
{
	struct state state;
	acre_mark mark;

	setup();
	filled(region, 3000, 1);
	state = state_of(region);
	mark = acre_region_mark(region);
	for (int i = 0; i < 1000; i++) {
		acre_stats before = stats_of(pool);

		for (int j = 0; j < i % 50; j++)
			filled(region, 1000, j);
		acre_region_rewind(region, mark);
		assert_state(region, state);
		if (i > 500)
			ck_assert_uint_eq(stats_of(pool).source_calls,
				before.source_calls);
	}
	teardown();
}
END_TEST

START_TEST(cleanups_since_the_mark_run_and_older_ones_do_not)
{
	acre_mark mark;

	setup();
	log_text[0] = '\0';
	acre_cleanup_add(region, note, "a");
	acre_cleanup_add(region, note, "b");
	mark = acre_region_mark(region);
	acre_cleanup_add(region, note, "c");
	acre_cleanup_add(region, note, "d");
	acre_region_rewind(region, mark);
	ck_assert_str_eq(log_text, "dc");
	acre_region_rewind(region, mark);
	ck_assert_str_eq(log_text, "dc");
	acre_cleanup_add(region, note, "e");
	acre_region_rewind(region, mark);
	ck_assert_str_eq(log_text, "dce");
	teardown();
	ck_assert_str_eq(log_text, "dceba");
}
END_TEST

START_TEST(children_since_the_mark_close_and_older_ones_do_not)
{
	acre_region *older, *younger, *grandchild;
	acre_mark mark;

	setup();
	log_text[0] = '\0';
	older = open_child(region);
	acre_cleanup_add(older, note, "o");
	mark = acre_region_mark(region);
	younger = open_child(region);
	acre_cleanup_add(younger, note, "y");
	acre_cleanup_add(region, note, "r");
	grandchild = open_child(older); /* older than the mark, by its root */
	acre_cleanup_add(grandchild, note, "g");
	ck_assert_uint_eq(stats_of(pool).regions_open, 4);
	acre_region_rewind(region, mark);
	ck_assert_str_eq(log_text, "yr");
	ck_assert_uint_eq(stats_of(pool).regions_open, 3);
	filled(grandchild, 100, 1);
	teardown();
	ck_assert_str_eq(log_text, "yrgo");
}
END_TEST

/* One that a cleanup registers, allocates or opens while a region rewinds is
 * since the mark, too. */
static void
busy(void *arg)
{
	static int depth;

	(void)arg;
	strcat(log_text, "b");
	filled(region, 5000, 1);
	acre_cleanup_add(open_child(region), note, "k");
	if (++depth < 3)
		acre_cleanup_add(region, busy, NULL);
}

START_TEST(what_cleanups_do_in_a_rewind_goes_back)
{
	struct state state;
	acre_mark mark;

	setup();
	log_text[0] = '\0';
	state = state_of(region);
	mark = acre_region_mark(region);
	acre_cleanup_add(region, busy, NULL);
	acre_region_rewind(region, mark);
	ck_assert_str_eq(log_text, "bkbkbk");
	assert_state(region, state);
	ck_assert_uint_eq(stats_of(pool).regions_open, 1);
	teardown();
}
END_TEST

START_TEST(a_buffer_can_be_marked)
{
	static char buffer[3000];
	struct state state;
	acre_mark mark;
	unsigned char *kept;

	setup();
	acre_region_close(region);
	region = open_with((acre_region_options){
		.buffer = buffer, .buffer_size = sizeof(buffer)});
	kept = filled(region, 500, 1);
	state = state_of(region);
	mark = acre_region_mark(region);
	for (int i = 0; i < 20; i++)
		filled(region, 1000, i);
	acre_region_rewind(region, mark);
	assert_state(region, state);
	ck_assert_uint_eq(state.held, 0);
	assert_filled(kept, 500, 1);
	teardown();
}
END_TEST

/* A library's allocator must not take the last object from before a rewind
 * for the last one after it. */
START_TEST(an_allocator_forgets_its_last_object)
{
	acre_allocator allocator;
	unsigned char *p, *q;
	acre_mark mark;

	setup();
	allocator = acre_region_allocator(region);
	mark = acre_region_mark(region);
	p = allocator.allocate(allocator.userdata, 64);
	acre_region_rewind(region, mark);
	q = filled(region, 32, 1);
	filled(region, 32, 2);
	ck_assert_ptr_eq(q, p);
	allocator.free(allocator.userdata, p);
	ck_assert_uint_eq(acre_region_used(region), 64);
	teardown();
}
END_TEST

/* ---- marks that have ended ---- */

static acre_mark
ended_by_rewind(void)
{
	acre_mark first = acre_region_mark(region), second;

	for (int i = 0; i < 10; i++)
		filled(region, 3000, i);
	second = acre_region_mark(region);
	acre_region_rewind(region, first);
	return second;
}

static acre_mark
ended_by_reset(void)
{
	acre_mark mark;

	filled(region, 3000, 1);
	filled(region, 3000, 1);
	mark = acre_region_mark(region);
	acre_region_reset(region);
	return mark;
}

/* The same, within one block. */
static acre_mark
ended_within_a_block(void)
{
	acre_mark first = acre_region_mark(region), second;

	filled(region, 100, 1);
	second = acre_region_mark(region);
	acre_region_rewind(region, first);
	return second;
}

static acre_mark
ended_by_reset_within_a_block(void)
{
	acre_mark mark;

	filled(region, 100, 1);
	mark = acre_region_mark(region);
	acre_region_reset(region);
	return mark;
}

/* The region has had other marks since, but not so many blocks. */
static acre_mark
ended_long_ago(void)
{
	acre_mark mark = ended_by_rewind();

	for (int i = 0; i < 10; i++)
		acre_region_mark(region);
	return mark;
}

/* It had larger blocks than the first is, and the region has but the small. */
static acre_mark
ended_with_larger_blocks(void)
{
	acre_mark first = acre_region_mark(region), second;

	for (int i = 0; i < 200; i++)
		filled(region, 3000, i);
	second = acre_region_mark(region);
	acre_region_rewind(region, first);
	for (int i = 0; i < 10; i++)
		acre_region_mark(region);
	for (int i = 0; i < 18; i++)
		filled(region, 3000, i);
	return second;
}

/* Of another region, with cleanups that this one has not. */
static acre_mark
of_another(void)
{
	acre_region *other = acre_region_open(pool);
	acre_mark mark;

	for (int i = 0; i < 9; i++)
		acre_cleanup_add(other, note, "");
	mark = acre_region_mark(other);
	acre_region_close(other);
	return mark;
}

/* Rewinds in a process of its own, and reads what that says at its end. */
static void
assert_aborts(acre_mark mark)
{
	char said[200] = "";
	int pipes[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dup2(pipes[1], 2);
		signal(SIGABRT, SIG_DFL);
		acre_region_rewind(region, mark);
		_exit(0);
	}
	close(pipes[1]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_ge(read(pipes[0], said, sizeof(said) - 1), 0);
	close(pipes[0]);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_msg(!strncmp(said,
		"acre: region rewound to a mark that has ended\n", 46),
		"said '%s'", said);
}

START_TEST(a_mark_that_has_ended_aborts_with_a_line)
{
	acre_mark (*const ends[])(void) = {
		ended_by_rewind, ended_by_reset, ended_within_a_block,
		ended_by_reset_within_a_block, ended_long_ago,
		ended_with_larger_blocks, of_another,
	};

	for (size_t i = 0; i < COUNT(ends); i++) {
		setup();
		assert_aborts(ends[i]());
		teardown();
	}
}
END_TEST

SUITE("mark", a_rewind_gives_back_objects, an_empty_region_can_be_marked,
	blocks_go_back, no_block_is_lost, growth_goes_back_too,
	large_objects_since_the_mark_go_back,
	records_below_the_mark_are_used_again_others_not,
	what_was_freed_stays_freed, strings_go_back, marks_nest,
	the_same_mark_serves_again_and_again,
	cleanups_since_the_mark_run_and_older_ones_do_not,
	children_since_the_mark_close_and_older_ones_do_not,
	what_cleanups_do_in_a_rewind_goes_back, a_buffer_can_be_marked,
	an_allocator_forgets_its_last_object,
	a_mark_that_has_ended_aborts_with_a_line)
