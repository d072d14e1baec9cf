/* SPDX-License-Identifier: MIT */
/* source_test.c - the limit holds to the byte, what a source gives is looked
 * at, and wherever it fails nothing is lost. */
#include "lib/source.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/region.h"
#include "tests/fixture.h"
#include "tests/source.h"

static struct test_source under;
static struct source source;

static void
begin(size_t max_bytes)
{
	under = (struct test_source){0};
	test_source_init(&under);
	under.allocator.reallocate = test_source_reallocate;
	source = (struct source){
		.allocator = under.allocator, .max_bytes = max_bytes};
}

static void *
take(size_t size, int expected)
{
	size_t reserved;
	int error = 0;
	void *p = source_take(&source, size, &reserved, &error);

	if (p)
		source_settle(&source, size);
	else
		ck_assert_int_eq(error, expected);
	return p;
}

static void *
resize(void *p, size_t old_size, size_t new_size, int expected)
{
	int error = 0;
	void *moved = source_resize(&source, p, old_size, new_size, &error);

	if (!moved)
		ck_assert_int_eq(error, expected);
	return moved;
}

static void
assert_bytes(size_t bytes)
{
	ck_assert_uint_eq(source.reserved, bytes);
	ck_assert_uint_eq(source.settled, bytes);
}

START_TEST(the_limit_holds_to_the_byte)
{
	void *p, *q;

	begin(1000);
	ck_assert_ptr_null(take(1001, EAGAIN));
	ck_assert_uint_eq(under.calls, 0);
	p = take(600, 0);
	ck_assert_ptr_null(take(401, EAGAIN));
	ck_assert_ptr_null(take(SIZE_MAX, EAGAIN));
	q = take(400, 0);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(q);
	ck_assert_ptr_null(take(1, EAGAIN));
	assert_bytes(1000);
	source_give(&source, p, 600);
	assert_bytes(400);
	ck_assert_ptr_null(resize(q, 400, 1001, EAGAIN));
	q = resize(q, 400, 1000, 0);
	ck_assert_ptr_nonnull(q);
	assert_bytes(1000);
	q = resize(q, 1000, 100, 0);
	assert_bytes(100);
	source_give(&source, q, 100);
	assert_bytes(0);
	ck_assert_uint_eq(under.live, 0);
	ck_assert_uint_eq(source.calls, 4);
}
END_TEST

START_TEST(without_a_limit_sizes_do_not_wrap)
{
	void *p;

	begin(0);
	p = take(1000, 0);
	ck_assert_ptr_null(take(SIZE_MAX - 999, EAGAIN));
	assert_bytes(1000);
	source_give(&source, p, 1000);
}
END_TEST

START_TEST(a_source_that_fails_costs_nothing)
{
	void *p;

	begin(1000);
	p = take(500, 0);
	memset(p, 1, 500);
	under.fail_at = 1;
	ck_assert_ptr_null(take(500, ENOMEM));
	ck_assert_ptr_null(resize(p, 500, 600, ENOMEM));
	ck_assert_ptr_null(resize(p, 500, 100, ENOMEM));
	assert_bytes(500);
	assert_filled(p, 500, 1);
	ck_assert_uint_eq(source.calls, 4);
	source_give(&source, p, 500);
	assert_bytes(0);
}
END_TEST

START_TEST(a_source_without_reallocate_is_not_asked)
{
	void *p;

	begin(1000);
	source.allocator.reallocate = NULL;
	p = take(500, 0);
	ck_assert_ptr_null(resize(p, 500, 600, ENOTSUP));
	assert_bytes(500);
	ck_assert_uint_eq(source.calls, 1);
	source_give(&source, p, 500);
}
END_TEST

START_TEST(misaligned_memory_is_refused_and_given_back)
{
	begin(1000);
	for (size_t shift = 1; shift < 16; shift++) {
		under.shift = shift;
		ck_assert_ptr_null(take(100, ENOMEM));
		ck_assert_uint_eq(under.live, 0);
		assert_bytes(0);
	}
	under.shift = 16;
	source_give(&source, take(100, 0), 100);
}
END_TEST

static void *
shift_by_8(void *userdata, void *p, size_t old_size, size_t new_size)
{
	(void)userdata;
	(void)old_size;
	(void)new_size;
	return (char *)p + 8;
}

START_TEST(misaligned_reallocation_aborts_with_a_line)
{
	char said[200] = "";
	int pipes[2], status;
	pid_t child;
	void *p;

	begin(0);
	source.allocator.reallocate = shift_by_8;
	p = take(100, 0);
	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		dup2(pipes[1], 2);
		signal(SIGABRT, SIG_DFL);
		resize(p, 100, 90, 0);
		_exit(0);
	}
	close(pipes[1]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_ge(read(pipes[0], said, sizeof(said) - 1), 0);
	close(pipes[0]);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_ptr_nonnull(strstr(said, "misaligned"));
	source_give(&source, p, 100);
}
END_TEST

START_TEST(what_is_under_way_is_worth_another_try)
{
	size_t reserved;
	void *p;
	int error;

	begin(1000);
	p = source_take(&source, 1000, &reserved, &error);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(source_take(&source, 1, &reserved, &error));
	ck_assert_int_eq(error, EAGAIN);
	ck_assert(source_has_changed(&source, reserved)); /* not settled */
	source_settle(&source, 1000);
	ck_assert_ptr_null(source_take(&source, 1, &reserved, &error));
	ck_assert(!source_has_changed(&source, reserved));
	source_give(&source, p, 1000);
	ck_assert(source_has_changed(&source, reserved));
}
END_TEST

/* ---- under threads ---- */

enum { THREADS = 4, ROUNDS = 5000, MOST = 10000 };
static atomic_size_t out, refused;

/* Bytes are counted when the source is asked, so that it sees the limit. */
static void *
counting_allocate(void *userdata, size_t size)
{
	size_t now = atomic_fetch_add(&out, size) + size;

	if (now > MOST)
		abort();
	return test_source_allocate(userdata, size);
}

static void *
take_and_give(void *arg)
{
	uint64_t random = (uintptr_t)arg * 2654435761u + 1;

	for (int i = 0; i < ROUNDS; i++) {
		size_t reserved, size;
		void *p;
		int error;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		size = random % (MOST / 2) + 1;
		p = source_take(&source, size, &reserved, &error);
		if (!p) {
			refused++;
			continue;
		}
		source_settle(&source, size);
		memset(p, i, size);
		out -= size;
		source_give(&source, p, size);
	}
	return NULL;
}

START_TEST(threads_never_take_more_than_the_limit)
{
	pthread_t threads[THREADS];

	begin(MOST);
	source.allocator.allocate = counting_allocate;
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
			take_and_give, (void *)(uintptr_t)(i + 1)), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_bytes(0);
	ck_assert_uint_eq(source.calls, THREADS * ROUNDS - refused);
	ck_assert_uint_eq(under.live, 0);
}
END_TEST

/* ---- a whole scenario, failing at each call ---- */

static int cleanups_run;

static void
count_cleanup(void *arg)
{
	(void)arg;
	cleanups_run++;
}

/* What the scenario has, to be looked at after each step. */
static struct {
	acre_region *region, *child;
	unsigned char *small, *block, *big;
	size_t block_size, big_size;
	int cleanups;
} has;

static void
check_books(void)
{
	size_t held = 0;

	if (has.region)
		held += acre_region_held(has.region);
	if (has.child)
		held += acre_region_held(has.child);
	assert_held(held);
	ck_assert_uint_eq(stats_of(pool).source_calls,
		under.calls + under.resizes);
}

/* All that was got is there, and the books are right. */
static void
check_all(void)
{
	if (has.small)
		assert_filled(has.small, 100, 1);
	if (has.block)
		assert_filled(has.block, has.block_size, 2);
	if (has.big)
		assert_filled(has.big, has.big_size, 3);
	check_books();
}

/* A step that fails says ENOMEM, and leaves all as it was. */
static bool
step(const void *p)
{
	if (p) {
		check_books();
	} else {
		ck_assert_int_eq(errno, ENOMEM);
		check_all();
	}
	errno = 0;
	return p;
}

static bool
fill_large(void)
{
	has.block = acre_alloc(has.region, 30000);
	if (has.block)
		memset(has.block, 2, has.block_size = 30000);
	if (!step(has.block))
		return false;
	has.big = acre_alloc(has.region, 200000);
	if (has.big)
		memset(has.big, 3, has.big_size = 200000);
	return step(has.big);
}

static bool
resize_large(void)
{
	unsigned char *p = acre_realloc(has.region, has.big, 200000, 500000);

	if (!p)
		return step(p);
	memset(has.big = p, 3, has.big_size = 500000);
	p = acre_realloc(has.region, has.block, 30000, 150000);
	if (!p)
		return step(p);
	memset(has.block = p, 2, has.block_size = 150000);
	p = acre_realloc(has.region, has.big, 500000, 200000);
	ck_assert_ptr_nonnull(p); /* less is always to be had */
	has.big = p;
	has.big_size = 200000;
	return step(p);
}

static bool
fill_blocks(acre_region *r)
{
	for (int i = 0; i < 100; i++)
		if (!step(acre_alloc(r, 900)) || !step(acre_strdup(r, "text")))
			return false;
	return true;
}

static bool
add_cleanup(acre_region *r)
{
	int error = acre_cleanup_add(r, count_cleanup, NULL);

	if (error)
		ck_assert_int_eq(error, ENOMEM);
	else
		has.cleanups++;
	check_all();
	return !error;
}

static bool
have_cleanups_and_a_child(void)
{
	if (!add_cleanup(has.region))
		return false;
	has.child = acre_region_open_with(pool,
		&(acre_region_options){.parent = has.region});
	if (!step(has.child))
		return false;
	return add_cleanup(has.child);
}

static bool
mark_and_rewind(void)
{
	acre_mark mark = acre_region_mark(has.region);
	size_t used = acre_region_used(has.region);
	size_t held = acre_region_held(has.region);
	bool all = fill_blocks(has.region) &&
		step(acre_alloc(has.region, 300000)) &&
		step(acre_alloc_aligned(has.region, 10000, 65536));

	acre_region_rewind(has.region, mark);
	ck_assert_uint_eq(acre_region_used(has.region), used);
	ck_assert_uint_eq(acre_region_held(has.region), held);
	check_all();
	return all;
}

/* Returns whether all of it was done. */
static bool
play(void)
{
	has.region = acre_region_open(pool);
	if (!step(has.region))
		return false;
	has.small = acre_alloc(has.region, 100);
	if (has.small)
		memset(has.small, 1, 100);
	return step(has.small) && have_cleanups_and_a_child() &&
		fill_blocks(has.region) && fill_large() &&
		fill_blocks(has.child) && mark_and_rewind() &&
		resize_large();
}

START_TEST(wherever_the_source_fails_nothing_is_lost)
{
	bool done = false;
	size_t n;

	for (n = 1; !done; n++) {
		memset(&has, 0, sizeof(has));
		cleanups_run = 0;
		under = (struct test_source){.alignment = PAGE, .fail_at = n};
		test_source_init(&under);
		under.allocator.reallocate = test_source_reallocate;
		pool = pool_with((acre_pool_options){
			.source = &under.allocator, .chunk_size = 16 * PAGE,
			.cache_bytes = 8 * PAGE});
		done = play();
		/* It goes on when the source does. */
		under.fail_at = 0;
		if (has.region) {
			ck_assert_int_eq(acre_region_failed(has.region) ||
				(has.child && acre_region_failed(has.child)) ||
				!has.child, !done);
			ck_assert(fill_blocks(has.region));
		}
		check_all();
		acre_region_close(has.region);
		memset(&has.region, 0, offsetof(typeof(has), cleanups));
		ck_assert_int_eq(cleanups_run, has.cleanups);
		check_all();
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
		ck_assert_uint_eq(under.live, 0);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

SUITE("source", the_limit_holds_to_the_byte,
	without_a_limit_sizes_do_not_wrap, a_source_that_fails_costs_nothing,
	a_source_without_reallocate_is_not_asked,
	misaligned_memory_is_refused_and_given_back,
	misaligned_reallocation_aborts_with_a_line,
	what_is_under_way_is_worth_another_try,
	threads_never_take_more_than_the_limit,
	wherever_the_source_fails_nothing_is_lost)
