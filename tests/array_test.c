/* SPDX-License-Identifier: MIT */
/*
 * array_test.c - what arrays promise beside the right elements: where their
 * memory comes from and goes to, bad indexes, sizes that are too large, views,
 * failed chains. The elements are array_random_test.c's.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACRE_ARRAY_CHECKED 1
#include "acre/array.h"
#include "tests/array_source.h"
#include "tests/array_unchecked.h"
#include "tests/suite.h"

typedef array_ints ints;
typedef ACRE_ARRAY(char) bytes;

/* ---- in a region ------------------------------------------------------ */

struct place {
	acre_pool *pool;
	acre_region *region;
	acre_allocator in;
};

static struct place
place_open(void)
{
	struct place place = {.pool = acre_pool_create(NULL)};

	ck_assert_ptr_nonnull(place.pool);
	place.region = acre_region_open(place.pool);
	ck_assert_ptr_nonnull(place.region);
	place.in = acre_region_allocator(place.region);
	return place;
}

static void
place_close(struct place *place)
{
	acre_region_close(place->region);
	assert_balanced(place->pool);
	ck_assert_int_eq(acre_pool_destroy(place->pool), 0);
}

/* The sized allocator has each object's size before it. */
START_TEST(at_the_tip_it_grows_in_place)
{
	struct place place = place_open();
	acre_allocator in[] = {place.in,
		acre_region_sized_allocator(place.region)};

	for (size_t k = 0; k < 2; k++) {
		ints a = acre_array_of(ints, in[k], 0);
		size_t used = acre_region_used(place.region);
		int *first = a.data;

		for (int i = 1; i < 256; i++)
			ck_assert_int_eq(acre_array_push(&a, i), 0);
		ck_assert_ptr_eq(a.data, first);
		ck_assert_uint_eq(acre_region_used(place.region),
			used - 16 + a.capacity * sizeof(int));
	}
	place_close(&place);
}
END_TEST

START_TEST(away_from_the_tip_it_moves)
{
	struct place place = place_open();
	ints a = acre_array_of(ints, place.in, 5);
	int *first = a.data;

	ck_assert_ptr_nonnull(acre_alloc(place.region, 16));
	ck_assert_int_eq(acre_array_reserve(&a, 100), 0);
	ck_assert_ptr_ne(a.data, first);
	ck_assert_int_eq(acre_array_get(a, 0), 5);
	place_close(&place);
}
END_TEST

START_TEST(shrink_gives_the_tail_back_at_the_tip)
{
	struct place place = place_open();
	size_t used = acre_region_used(place.region);
	ints a = ACRE_ARRAY_IN(place.in);

	ck_assert_int_eq(acre_array_reserve(&a, 500), 0);
	ck_assert_int_eq(acre_array_push(&a, 1), 0);
	ck_assert_int_eq(acre_array_shrink(&a), 0);
	ck_assert_uint_eq(acre_region_used(place.region), used + 16);
	ck_assert_int_eq(acre_array_pop(&a), 1);
	ck_assert_int_eq(acre_array_shrink(&a), 0);
	ck_assert_uint_eq(acre_region_used(place.region), used);
	ck_assert_ptr_null(a.data);
	place_close(&place);
}
END_TEST

START_TEST(a_chain_leaves_its_steps_in_the_region_and_no_more)
{
	struct place place = place_open();
	ints a = acre_array_sized(ints, place.in, 400), chained;
	size_t used;

	acre_array_each(i, x, a)
		*x = (int)i;
	used = acre_region_used(place.region);
	chained = acre_array_map(ints, place.in,
		acre_array_filter(ints, place.in, a, x, *x % 4 == 0), x,
		*x + 1);
	ck_assert_uint_eq(chained.length, 100);
	ck_assert_uint_eq(acre_region_used(place.region),
		used + 2 * 100 * sizeof(int));
	place_close(&place);
}
END_TEST

START_TEST(elsewhere_each_step_is_freed_by_its_name)
{
	struct array_source source = {.calls = 0};
	acre_allocator in = array_source_allocator(&source);
	ints a = acre_array_of(ints, in, 1, 2, 3, 4);
	ints even = acre_array_filter(ints, in, a, x, *x % 2 == 0);
	ints mapped = acre_array_map(ints, in, even, x, *x + 1);

	ck_assert_uint_eq(source.live, 3);
	acre_array_free(&even);
	acre_array_free(&a);
	ck_assert_uint_eq(source.live, 1);
	ck_assert_int_eq(acre_array_get(mapped, 1), 5);
	acre_array_free(&mapped);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(sort_gives_its_memory_back)
{
	struct place place = place_open();
	ints a = acre_array_of(ints, place.in, 3, 2, 1);
	size_t used = acre_region_used(place.region);

	ck_assert_int_eq(acre_array_sort(&a, x, y, *x < *y), 0);
	ck_assert_uint_eq(acre_region_used(place.region), used);
	place_close(&place);
}
END_TEST

START_TEST(where_a_region_ends_the_array_is_as_it_was)
{
	struct place place = place_open();
	acre_region_options options = {.max_bytes = 1 << 20};
	acre_region *region = acre_region_open_with(place.pool, &options);
	ints a = ACRE_ARRAY_IN(acre_region_allocator(region));
	int error, i = 0;

	while ((error = acre_array_push(&a, i)) == 0)
		i++;
	ck_assert_int_eq(error, ENOMEM);
	ck_assert(acre_region_failed(region));
	ck_assert_uint_eq(a.length, (size_t)i);
	ck_assert_int_eq(a.error, 0);
	ck_assert(acre_array_equal(a, a, x, y, *x == *y && *x == x - a.data));
	acre_region_close(region);
	place_close(&place);
}
END_TEST

/* ---- structs ---------------------------------------------------------- */

struct mixed {
	char c;
	long double wide;
	short s;
};

START_TEST(structs_are_aligned_as_by_themselves)
{
	struct place place = place_open();
	ACRE_ARRAY(struct mixed) a = ACRE_ARRAY_IN(place.in);

	acre_alloc(place.region, 1);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(acre_array_push(&a, {'a', i, 2}), 0);
	ck_assert_uint_eq((uintptr_t)&a.data[1].wide %
		_Alignof(long double), 0);
	ck_assert_uint_eq((size_t)((char *)&a.data[1] - (char *)a.data),
		sizeof(struct mixed));
	ck_assert(a.data[99].wide == 99.0L && a.data[99].s == 2);
	place_close(&place);
}
END_TEST

/* ---- arguments -------------------------------------------------------- */

START_TEST(arguments_are_evaluated_once)
{
	ints arrays[3], *p = arrays;
	size_t i = 0;
	int value = 0;

	for (int k = 0; k < 3; k++)
		arrays[k] = acre_array_of(ints, acre_malloc_allocator, 7, 8);
	ck_assert_int_eq(acre_array_push(p++, value++), 0);
	acre_array_set(p++, i++, value++);
	ck_assert_int_eq(acre_array_insert(--p, i++, value++), 0);
	ck_assert_int_eq(acre_array_get(*p++, i++), 8);
	ck_assert_ptr_eq(p, arrays + 2);
	ck_assert_uint_eq(i, 3);
	ck_assert_int_eq(value, 3);
	ck_assert_int_eq(acre_array_get(arrays[1], 0), 1);
	ck_assert_int_eq(acre_array_get(arrays[1], 1), 2);
	for (int k = 0; k < 3; k++)
		acre_array_free(&arrays[k]);
}
END_TEST

/* ---- indexes ---------------------------------------------------------- */

/* A call, and the line that it is in. */
#define BAD(name, call) \
	enum { name##_line = __LINE__ }; \
	static void name(ints *a) { call; }

BAD(bad_get, (void)acre_array_get(*a, 3))
BAD(bad_set, acre_array_set(a, 3, 1))
BAD(bad_at, (void)acre_array_at(a, 4))
BAD(bad_pop, (a->length = 0, (void)acre_array_pop(a)))

/* In a child of its own. */
static void
child(void (*call)(ints *), int out)
{
	ints a = acre_array_of(ints, acre_malloc_allocator, 1, 2, 3);

	dup2(out, STDERR_FILENO);
	call(&a);
	_exit(0);
}

static void
check_bad_index(void (*call)(ints *), int line, size_t i, size_t length)
{
	char text[200], expected[200];
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		child(call, ends[1]);
	close(ends[1]);
	n = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	waitpid(pid, &status, 0);
	close(ends[0]);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	snprintf(expected, sizeof(expected),
		"%s:%d: index %zu of an array of %zu\n", __FILE__, line, i,
		length);
	ck_assert_str_eq(text, expected);
}

START_TEST(a_bad_index_ends_the_program_with_its_place)
{
	static const struct {
		void (*call)(ints *);
		int line;
		size_t i, length;
	} cases[] = {
		{bad_get, bad_get_line, 3, 3},
		{bad_set, bad_set_line, 3, 3},
		{bad_at, bad_at_line, 4, 3},
		{bad_pop, bad_pop_line, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_bad_index(cases[i].call, cases[i].line, cases[i].i,
			cases[i].length);
}
END_TEST

START_TEST(a_file_may_do_without_checks)
{
	ints a = acre_array_of(ints, acre_malloc_allocator, 1, 2, 3);

	a.length = 1;
	ck_assert_int_eq(array_unchecked_get(a, 2), 4);
	acre_array_free(&a);
}
END_TEST

/* ---- sizes ------------------------------------------------------------ */

START_TEST(more_than_can_be_is_enomem)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 4,
		SIZE_MAX / 4 + 2, PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1,
		PTRDIFF_MAX / 4 + 1};
	struct array_source source = {.calls = 0};
	acre_allocator in = array_source_allocator(&source);
	ints a = acre_array_of(ints, in, 1, 2);
	size_t calls = source.calls;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ints huge = acre_array_view(ints, a.data, sizes[i]);

		ck_assert_int_eq(acre_array_reserve(&a, sizes[i]), ENOMEM);
		ck_assert_int_eq(acre_array_append(&a, huge), ENOMEM);
		ck_assert_int_eq(acre_array_copy(&a, huge), ENOMEM);
		ck_assert_int_eq(acre_array_sized(ints, in, sizes[i]).error,
			ENOMEM);
		ck_assert_int_eq(acre_array_zeroed(ints, in, sizes[i]).error,
			ENOMEM);
		ck_assert_int_eq(acre_array_clone(ints, in, huge).error,
			ENOMEM);
		ck_assert_int_eq(acre_array_map(ints, in, huge, x, *x).error,
			ENOMEM);
		ck_assert_ptr_null(acre_array_to_c(in, huge));
	}
	ck_assert_uint_eq(source.calls, calls);
	ck_assert_uint_eq(a.length, 2);
	ck_assert_uint_eq(a.capacity, 2);
	acre_array_free(&a);
}
END_TEST

START_TEST(what_cannot_be_had_leaves_it_as_it_was)
{
	struct array_source source = {.most = 4096};
	acre_allocator in = array_source_allocator(&source);
	bytes a = ACRE_ARRAY_IN(in);

	while (acre_array_push(&a, 'a') == 0)
		;
	ck_assert_uint_eq(a.length, 4096);
	ck_assert_int_eq(acre_array_insert(&a, 0, 'b'), ENOMEM);
	ck_assert_int_eq(acre_array_append(&a, a), ENOMEM);
	ck_assert_uint_eq(a.length, 4096);
	ck_assert(acre_array_all(a, x, *x == 'a'));
	acre_array_free(&a);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

/* Memory that is only promised: gigabytes of it that nobody touches. */
static void *
promise(void *userdata, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	*(size_t *)userdata = size;
	return p;
}

static void *
promise_more(void *userdata, void *p, size_t old_size, size_t new_size)
{
	p = mremap(p, old_size, new_size, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return NULL;
	*(size_t *)userdata = new_size;
	return p;
}

static void
break_promise(void *userdata, void *p)
{
	munmap(p, *(size_t *)userdata);
}

START_TEST(more_than_two_billion_elements)
{
	size_t size = 0, n = ((size_t)1 << 31) + 5, big = (size_t)1 << 32;
	acre_allocator in = {promise, promise_more, break_promise, &size};
	bytes a = acre_array_sized(bytes, in, n);

	if (a.error)
		return; /* no room here */
	ck_assert_uint_eq(a.length, n);
	acre_array_set(&a, n - 1, 'z');
	ck_assert_int_eq(acre_array_push(&a, 'x'), 0);
	ck_assert_uint_eq(a.capacity, 2 * n);
	ck_assert_int_eq(acre_array_get(a, n - 1), 'z');
	ck_assert_int_eq(acre_array_insert(&a, n, 'y'), 0);
	ck_assert_int_eq(acre_array_remove(&a, n - 1), 0);
	ck_assert_int_eq(acre_array_get(a, n - 1), 'y');
	ck_assert_uint_eq(acre_array_find(acre_array_slice(a, n - 3, n + 1), x,
		*x == 'x'), 3);
	ck_assert_uint_eq(acre_array_lower_bound(a, x,
		(size_t)(x - a.data) < n - 2), n - 2);
	ck_assert_uint_eq(acre_array_slice(a, 1, n).length, n - 1);
	ck_assert_int_eq(acre_array_reserve(&a, big), 0);
	a.length = big;
	acre_array_set(&a, big - 1, 'b');
	ck_assert_int_eq(acre_array_pop(&a), 'b');
	acre_array_free(&a);
}
END_TEST

/* Each page that is looked at is the one page of zeros; what sanitizers note
 * about it is gigabytes. */
START_TEST(a_loop_passes_two_billion)
{
	size_t size = 0, n = ((size_t)1 << 31) + 5;
	acre_allocator in = {promise, promise_more, break_promise, &size};
	bytes a;

	if (SANITIZED)
		return;
	a = acre_array_sized(bytes, in, n);
	if (a.error)
		return; /* no room here */
	acre_array_set(&a, n - 1, 'z');
	ck_assert_uint_eq(acre_array_find(a, x, *x != 0), n - 1);
	acre_array_free(&a);
}
END_TEST

/* ---- views ------------------------------------------------------------ */

START_TEST(a_view_keeps_to_its_elements)
{
	int c[] = {3, 1, 2, 9};
	ints view = acre_array_view(ints, c, 3);
	ints slice = acre_array_slice(view, 0, 0);

	ck_assert_int_eq(acre_array_push(&view, 1), EPERM);
	ck_assert_int_eq(acre_array_push(&slice, 1), EPERM);
	ck_assert_int_eq(acre_array_reserve(&view, 4), EPERM);
	ck_assert_int_eq(acre_array_insert(&view, 0, 1), EPERM);
	ck_assert_int_eq(acre_array_sort(&view, x, y, *x < *y), EPERM);
	ck_assert_int_eq(acre_array_pop(&view), 2);
	ck_assert_int_eq(acre_array_shrink(&view), EPERM);
	ck_assert_int_eq(acre_array_push(&view, 7), 0);
	ck_assert_int_eq(acre_array_push(&view, 7), EPERM);
	ck_assert_int_eq(c[2], 7);
	ck_assert_int_eq(c[3], 9);
	view.length = 0;
	ck_assert_int_eq(acre_array_shrink(&view), EPERM);
	acre_array_free(&view);
	ck_assert_uint_eq(view.length, 0);
	ck_assert_int_eq(acre_array_push(&view, 7), EPERM);
}
END_TEST

START_TEST(a_freed_slice_is_an_array_of_the_same_allocator)
{
	ints a = acre_array_of(ints, acre_malloc_allocator, 1, 2);
	ints b = acre_array_slice(a, 0, 1);

	acre_array_free(&b);
	ck_assert_int_eq(acre_array_push(&b, 5), 0);
	ck_assert_int_eq(acre_array_get(a, 0), 1);
	acre_array_free(&b);
	acre_array_free(&a);
}
END_TEST

/* ---- errors ----------------------------------------------------------- */

START_TEST(an_error_passes_through_a_chain)
{
	struct array_source source = {.calls = 0};
	acre_allocator in = array_source_allocator(&source);
	ints a = acre_array_of(ints, in, 1, 2, 3), made, bad;

	source.fail_at = source.calls + 1;
	bad = acre_array_filter(ints, in, a, x, *x > 1);
	ck_assert_int_eq(bad.error, ENOMEM);
	made = acre_array_map(ints, in, acre_array_clone(ints, in,
		acre_array_slice(acre_array_filter(ints, in, bad, x, *x),
		0, 0)), x, *x);
	ck_assert_int_eq(made.error, ENOMEM);
	ck_assert_int_eq(acre_array_append(&a, made), ENOMEM);
	ck_assert_int_eq(acre_array_copy(&a, made), ENOMEM);
	ck_assert_int_eq(acre_array_copy(&made, a), ENOMEM);
	ck_assert_int_eq(acre_array_append(&made, bad), ENOMEM);
	ck_assert_int_eq(acre_array_reserve(&made, 0), ENOMEM);
	ck_assert_int_eq(acre_array_sort(&made, x, y, *x < *y), ENOMEM);
	ck_assert_ptr_null(acre_array_to_c(in, made));
	ck_assert_int_eq(acre_array_slice(made, 0, 1).error, ENOMEM);
	ck_assert_int_eq(acre_array_fold(made, sum, 9, x, sum + *x), 9);
	ck_assert_uint_eq(a.length, 3);
	acre_array_free(&made);
	ck_assert_int_eq(acre_array_push(&made, 1), 0);
	acre_array_free(&made);
	acre_array_free(&a);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(the_error_of_a_bad_slice_passes_too)
{
	ints a = acre_array_of(ints, acre_malloc_allocator, 1, 2, 3);

	ck_assert_int_eq(acre_array_map(ints, a.allocator,
		acre_array_slice(a, 2, 4), x, *x).error, EINVAL);
	ck_assert_int_eq(acre_array_append(&a, acre_array_slice(a, 2, 1)),
		EINVAL);
	acre_array_free(&a);
}
END_TEST

/* ---- memory ----------------------------------------------------------- */

START_TEST(pushes_ask_for_memory_seldom)
{
	struct array_source source = {.calls = 0};
	bytes a = ACRE_ARRAY_IN(array_source_allocator(&source));

	for (int i = 0; i < 1 << 20; i++)
		ck_assert(acre_array_push(&a, 'a') == 0);
	ck_assert_uint_le(source.calls, 15);
	ck_assert_uint_le(a.capacity, 2 << 20);
	acre_array_free(&a);
}
END_TEST

START_TEST(filter_takes_what_it_keeps)
{
	struct array_source source = {.calls = 0, .most = 600};
	acre_allocator in = array_source_allocator(&source);
	bytes a = acre_array_zeroed(bytes, acre_malloc_allocator, 4000), kept;

	a.data[3999] = 1;
	kept = acre_array_filter(bytes, in, a, x, *x);
	ck_assert_uint_eq(kept.length, 1);
	ck_assert_uint_eq(kept.capacity, 1);
	acre_array_free(&kept);
	source.most = 4000;
	kept = acre_array_filter(bytes, in, a, x, 1);
	ck_assert_uint_eq(kept.length, 4000);
	ck_assert_uint_le(source.calls, 2 + 4);
	acre_array_free(&kept);
	kept = acre_array_filter(bytes, in, a, x, 0);
	ck_assert_int_eq(kept.error, 0);
	ck_assert_ptr_null(kept.data);
	ck_assert_uint_eq(source.live, 0);
	acre_array_free(&a);
}
END_TEST

START_TEST(sort_compares_n_log_n_times)
{
	size_t compared = 0;
	ints a = acre_array_sized(ints, acre_malloc_allocator, 10000);

	acre_array_each(i, x, a)
		*x = (int)(i * 7919 % 10007);
	ck_assert_int_eq(acre_array_sort(&a, x, y, (compared++, *x < *y)), 0);
	ck_assert_uint_le(compared, 10000 * 14);
	for (size_t i = 1; i < a.length; i++)
		if (a.data[i - 1] > a.data[i])
			ck_abort_msg("not in order at %zu", i);
	acre_array_free(&a);
}
END_TEST

SUITE("array", at_the_tip_it_grows_in_place, away_from_the_tip_it_moves,
	shrink_gives_the_tail_back_at_the_tip,
	a_chain_leaves_its_steps_in_the_region_and_no_more,
	elsewhere_each_step_is_freed_by_its_name, sort_gives_its_memory_back,
	where_a_region_ends_the_array_is_as_it_was,
	structs_are_aligned_as_by_themselves, arguments_are_evaluated_once,
	a_bad_index_ends_the_program_with_its_place,
	a_file_may_do_without_checks, more_than_can_be_is_enomem,
	what_cannot_be_had_leaves_it_as_it_was,
	more_than_two_billion_elements, a_loop_passes_two_billion,
	a_view_keeps_to_its_elements,
	a_freed_slice_is_an_array_of_the_same_allocator,
	an_error_passes_through_a_chain, the_error_of_a_bad_slice_passes_too,
	pushes_ask_for_memory_seldom, filter_takes_what_it_keeps,
	sort_compares_n_log_n_times)
