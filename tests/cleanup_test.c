/* SPDX-License-Identifier: MIT */
/* cleanup_test.c - cleanups run once, last in first out, while the region's
 * objects are there. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/fixture.h"

static char log_text[200];

static void
note(void *text)
{
	strcat(log_text, text);
}

static void
other_note(void *text)
{
	strcat(log_text, "other ");
	strcat(log_text, text);
}

static void
begin(void)
{
	log_text[0] = '\0';
	setup();
}

START_TEST(cleanups_run_last_in_first_out_and_once)
{
	begin();
	ck_assert_int_eq(acre_cleanup_add(region, note, "a"), 0);
	ck_assert_int_eq(acre_cleanup_add(region, note, "b"), 0);
	ck_assert_int_eq(acre_cleanup_add(region, note, "c"), 0);
	ck_assert_str_eq(log_text, "");
	teardown();
	ck_assert_str_eq(log_text, "cba");
}
END_TEST

START_TEST(a_reset_runs_them_too)
{
	begin();
	acre_cleanup_add(region, note, "a");
	acre_cleanup_add(region, note, "b");
	acre_region_reset(region);
	ck_assert_str_eq(log_text, "ba");
	acre_cleanup_add(region, note, "c");
	teardown();
	ck_assert_str_eq(log_text, "bac");
}
END_TEST

START_TEST(the_same_one_may_be_added_twice)
{
	begin();
	acre_cleanup_add(region, note, "a");
	acre_cleanup_add(region, note, "a");
	teardown();
	ck_assert_str_eq(log_text, "aa");
}
END_TEST

START_TEST(one_without_a_function_is_refused)
{
	begin();
	ck_assert_int_eq(acre_cleanup_add(region, NULL, "a"), EINVAL);
	ck_assert_uint_eq(acre_region_used(region), 0);
	teardown();
}
END_TEST

START_TEST(one_that_finds_no_room_is_refused_and_not_called)
{
	begin();
	acre_region_close(region);
	region = open_with((acre_region_options){.max_bytes = PAGE});
	fill_block(region);
	errno = 0;
	ck_assert_int_eq(acre_cleanup_add(region, note, "a"), ENOMEM);
	ck_assert(acre_region_failed(region));
	teardown();
	ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(a_detached_region_takes_none)
{
	begin();
	ck_assert_int_eq(acre_region_detach(region), 0);
	ck_assert_int_eq(acre_cleanup_add(region, note, "a"), EPERM);
	teardown();
	ck_assert_str_eq(log_text, "");
}
END_TEST

/* With the caller's storage nothing can fail, also where nothing is left. */
START_TEST(link_needs_no_memory)
{
	acre_cleanup storage[3];

	begin();
	acre_region_close(region);
	region = open_with((acre_region_options){.max_bytes = PAGE});
	fill_block(region);
	acre_cleanup_link(region, &storage[0], note, "a");
	acre_cleanup_link(region, &storage[1], note, "b");
	acre_cleanup_link(region, &storage[2], note, "c");
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	ck_assert(!acre_region_failed(region));
	ck_assert_int_eq(acre_cleanup_cancel(region, note, "b"), 0);
	teardown();
	ck_assert_str_eq(log_text, "ca");
}
END_TEST

START_TEST(link_and_add_keep_their_order)
{
	acre_cleanup storage[2];

	begin();
	acre_cleanup_link(region, &storage[0], note, "a");
	acre_cleanup_add(region, note, "b");
	acre_cleanup_link(region, &storage[1], note, "c");
	teardown();
	ck_assert_str_eq(log_text, "cba");
}
END_TEST

/* ---- cancel ---- */

START_TEST(cancel_takes_the_latest_back)
{
	static char a[] = "a", b[] = "b";

	begin();
	ck_assert_int_eq(acre_cleanup_cancel(region, note, a), ENOENT);
	acre_cleanup_add(region, note, a);
	acre_cleanup_add(region, note, b);
	acre_cleanup_add(region, note, a);
	acre_cleanup_add(region, other_note, a);
	ck_assert_int_eq(acre_cleanup_cancel(region, note, a), 0);
	ck_assert_int_eq(acre_cleanup_cancel(region, other_note, b), ENOENT);
	ck_assert_int_eq(acre_cleanup_cancel(region, note, NULL), ENOENT);
	ck_assert_str_eq(log_text, "");
	teardown();
	ck_assert_str_eq(log_text, "other aba");
}
END_TEST

START_TEST(cancel_finds_first_middle_and_last)
{
	static const char *const expected[] = {"cb", "ca", "ba"};
	static char texts[3][2] = {"a", "b", "c"};

	for (int i = 0; i < 3; i++) {
		begin();
		for (int j = 0; j < 3; j++)
			acre_cleanup_add(region, note, texts[j]);
		ck_assert_int_eq(acre_cleanup_cancel(region, note, texts[i]),
			0);
		ck_assert_int_eq(acre_cleanup_cancel(region, note, texts[i]),
			ENOENT);
		teardown();
		ck_assert_str_eq(log_text, expected[i]);
	}
}
END_TEST

START_TEST(cancel_after_a_mark_is_not_undone_by_the_rewind)
{
	static char a[] = "a", b[] = "b";
	acre_mark mark;

	begin();
	acre_cleanup_add(region, note, a);
	mark = acre_region_mark(region);
	acre_cleanup_add(region, note, b);
	ck_assert_int_eq(acre_cleanup_cancel(region, note, a), 0);
	acre_region_rewind(region, mark);
	ck_assert_str_eq(log_text, "b");
	teardown();
	ck_assert_str_eq(log_text, "b");
}
END_TEST

/* ---- cleanups that do things ---- */

static void
allocates(void *arg)
{
	unsigned char *p = filled(arg, 100, 1);
	unsigned char *large = filled(arg, 100000, 2);

	filled(arg, 9000, 3);
	ck_assert_ptr_nonnull(acre_strdup(arg, "text"));
	assert_filled(p, 100, 1);
	assert_filled(large, 100000, 2);
	strcat(log_text, "m");
}

static void
registers(void *arg)
{
	strcat(log_text, "r");
	ck_assert_int_eq(acre_cleanup_add(arg, note, "x"), 0);
	ck_assert_int_eq(acre_cleanup_add(arg, note, "y"), 0);
}

static void
opens_a_child(void *arg)
{
	acre_region *child = open_child(arg);

	acre_cleanup_add(child, note, "k");
	acre_cleanup_add(open_child(child), note, "g");
	filled(child, 10000, 1);
	strcat(log_text, "o");
}

static void
cancels(void *arg)
{
	strcat(log_text, "c");
	ck_assert_int_eq(acre_cleanup_cancel(arg, cancels, arg), ENOENT);
	ck_assert_int_eq(acre_cleanup_cancel(arg, registers, arg), 0);
}

START_TEST(a_cleanup_may_allocate_register_open_and_cancel)
{
	for (int way = 0; way < 3; way++) {
		acre_mark mark;

		begin();
		mark = acre_region_mark(region);
		acre_cleanup_add(region, note, "a");
		acre_cleanup_add(region, allocates, region);
		acre_cleanup_add(region, registers, region);
		acre_cleanup_add(region, cancels, region);
		acre_cleanup_add(region, note, "b");
		acre_cleanup_add(region, registers, region);
		acre_cleanup_add(region, opens_a_child, region);
		if (way == 1)
			acre_region_reset(region);
		else if (way == 2)
			acre_region_rewind(region, mark);
		if (way) {
			ck_assert_uint_eq(acre_region_used(region), 0);
			assert_held(acre_region_held(region));
		}
		teardown();
		ck_assert_str_eq(log_text, "ogkryxbcma");
	}
}
END_TEST

/* ... in a child, that its parent closes. */
START_TEST(a_childs_cleanup_may_do_the_same)
{
	acre_region *child;

	begin();
	acre_cleanup_add(region, note, "p");
	child = open_child(region);
	acre_cleanup_add(child, registers, child);
	acre_cleanup_add(child, allocates, child);
	acre_cleanup_add(child, opens_a_child, child);
	teardown();
	ck_assert_str_eq(log_text, "ogkmryxp");
}
END_TEST

/* ... and into its parent, while that closes. */
START_TEST(a_childs_cleanup_may_use_the_parent)
{
	acre_region *child;

	begin();
	acre_cleanup_add(region, note, "p");
	child = open_child(region);
	acre_cleanup_add(child, registers, region);
	acre_cleanup_add(child, opens_a_child, region);
	teardown();
	/* The child it opened in the parent is closed before the parent's
	 * cleanups run. */
	ck_assert_str_eq(log_text, "orgkyxp");
}
END_TEST

/* ---- order of the end ---- */

static struct {
	acre_region *parent, *child;
	unsigned char *in_parent, *in_child, *large;
} tree;

static void
look(void *text)
{
	strcat(log_text, text);
	assert_filled(tree.in_parent, 3000, 1);
	assert_filled(tree.large, 100000, 2);
	if (tree.child)
		assert_filled(tree.in_child, 3000, 3);
}

static void
look_and_forget_child(void *text)
{
	look(text);
	tree.child = NULL;
}

START_TEST(children_go_before_parents_and_cleanups_before_memory)
{
	for (int reset = 0; reset < 2; reset++) {
		begin();
		tree.parent = region;
		tree.in_parent = filled(region, 3000, 1);
		tree.large = filled(region, 100000, 2);
		acre_cleanup_add(region, look, "p");
		tree.child = open_child(region);
		acre_cleanup_add(tree.child, look_and_forget_child, "2");
		tree.in_child = filled(tree.child, 3000, 3);
		acre_cleanup_add(tree.child, look, "1");
		acre_cleanup_add(region, look, "q");
		if (reset)
			acre_region_reset(region);
		teardown();
		ck_assert_str_eq(log_text, "12qp");
	}
}
END_TEST

START_TEST(the_newest_child_goes_first)
{
	begin();
	acre_cleanup_add(open_child(region), note, "a");
	acre_cleanup_add(open_child(region), note, "b");
	acre_cleanup_add(open_child(region), note, "c");
	teardown();
	ck_assert_str_eq(log_text, "cba");
}
END_TEST

static void *
close_here(void *arg)
{
	acre_region_close(arg);
	return NULL;
}

static pthread_t ran_on;

static void
note_thread(void *arg)
{
	(void)arg;
	ran_on = pthread_self();
}

START_TEST(they_run_on_the_thread_that_closes)
{
	begin();
	acre_cleanup_add(region, note_thread, NULL);
	on_thread(close_here, region);
	region = NULL;
	ck_assert(!pthread_equal(ran_on, pthread_self()));
	teardown();
}
END_TEST

/* ---- ready-made ---- */

START_TEST(a_file_descriptor_is_closed)
{
	int fd = open("/dev/null", O_RDONLY);

	begin();
	ck_assert_int_ge(fd, 0);
	acre_cleanup_add(region, acre_cleanup_close, (void *)(intptr_t)fd);
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
	acre_region_reset(region);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);
	teardown();
}
END_TEST

/* Closed, so that what was written has gone out. */
START_TEST(a_file_is_closed)
{
	char text[10] = "";
	int pipes[2];
	FILE *file;

	begin();
	ck_assert_int_eq(pipe(pipes), 0);
	file = fdopen(pipes[1], "w");
	ck_assert_ptr_nonnull(file);
	fputs("written", file);
	acre_cleanup_add(region, acre_cleanup_fclose, file);
	acre_region_reset(region);
	ck_assert_int_eq(fcntl(pipes[1], F_GETFD), -1);
	ck_assert_int_eq(read(pipes[0], text, sizeof(text)), 7);
	ck_assert_str_eq(text, "written");
	close(pipes[0]);
	teardown();
}
END_TEST

/* ASan and Valgrind see one that is not freed; without them, the memory of a
 * million would be. */
START_TEST(memory_is_freed)
{
	FILE *file;
	long pages, after;

	begin();
	file = fopen("/proc/self/statm", "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%ld", &pages), 1);
	for (int i = 0; i < 3000; i++) {
		acre_cleanup_add(region, acre_cleanup_free,
			malloc(100000));
		acre_region_reset(region);
	}
	rewind(file);
	fclose(file);
	file = fopen("/proc/self/statm", "r");
	ck_assert_int_eq(fscanf(file, "%ld", &after), 1);
	fclose(file);
#ifndef __SANITIZE_ADDRESS__
	ck_assert_int_lt(after - pages, 40000);
#endif
	teardown();
}
END_TEST

SUITE("cleanup", cleanups_run_last_in_first_out_and_once,
	a_reset_runs_them_too, the_same_one_may_be_added_twice,
	one_without_a_function_is_refused,
	one_that_finds_no_room_is_refused_and_not_called,
	a_detached_region_takes_none, link_needs_no_memory,
	link_and_add_keep_their_order, cancel_takes_the_latest_back,
	cancel_finds_first_middle_and_last,
	cancel_after_a_mark_is_not_undone_by_the_rewind,
	a_cleanup_may_allocate_register_open_and_cancel,
	a_childs_cleanup_may_do_the_same, a_childs_cleanup_may_use_the_parent,
	children_go_before_parents_and_cleanups_before_memory,
	the_newest_child_goes_first, they_run_on_the_thread_that_closes,
	a_file_descriptor_is_closed, a_file_is_closed, memory_is_freed)
