/* SPDX-License-Identifier: MIT */
/*
 * array_use.h - uses each call of array.h; compiled as C11 and as C++11, both
 * -pedantic with warnings as errors.
 */
#include <acre/array.h>

#include <stdio.h>
#include <string.h>

struct use_point {
	int x, y;
};

/* An array of what is not yet known. */
struct use_tree {
	int number;
	ACRE_ARRAY(struct use_tree) branches;
};

typedef ACRE_ARRAY(int) use_ints;
typedef ACRE_ARRAY(const int) use_const_ints;
typedef ACRE_ARRAY(const char *) use_words;
typedef ACRE_ARRAY(struct use_point) use_points;
typedef ACRE_ARRAY(double) use_doubles;

static int use_failures;

static void
use_check(int ok, const char *what)
{
	if (ok)
		return;
	printf("not so: %s\n", what);
	use_failures++;
}

#define USE(condition) use_check((condition) ? 1 : 0, #condition)

static void
use_making(acre_allocator in)
{
	static const int numbers[] = {1, 2, 3};
	ACRE_ARRAY(int) nameless = acre_array_of(__typeof__(nameless), in, 7);
	use_ints empty = ACRE_ARRAY_IN(in);
	use_ints three = acre_array_from(use_ints, in, numbers, 3);
	use_ints sized = acre_array_sized(use_ints, in, 5);
	use_ints zeroed = acre_array_zeroed(use_ints, in, 5);
	use_points points = acre_array_of(use_points, in, {1, 2}, {3, 4});
	use_const_ints view = acre_array_view(use_const_ints, numbers, 3);
	use_ints clone = acre_array_clone(use_ints, in, view);
	int *c = acre_array_to_c(in, three);

	USE(nameless.length == 1 && nameless.data[0] == 7);
	USE(empty.length == 0 && empty.capacity == 0);
	USE(acre_array_equal(three, view, x, y, *x == *y));
	USE(sized.length == 5 && sized.capacity == 5);
	USE(acre_array_all(zeroed, x, *x == 0));
	USE(points.length == 2 && acre_array_get(points, 1).y == 4);
	USE(acre_array_starts_with(clone, view, x, y, *x == *y));
	USE(c && c[2] == 3);
	in.free(in.userdata, c);
	acre_array_free(&nameless);
	acre_array_free(&three);
	acre_array_free(&sized);
	acre_array_free(&zeroed);
	acre_array_free(&points);
	acre_array_free(&clone);
}

static void
use_changing(acre_allocator in)
{
	use_points a = ACRE_ARRAY_IN(in), b = ACRE_ARRAY_IN(in);
	use_points *p = &a;

	USE(acre_array_push(&a, {1, 2}) == 0);
	USE(acre_array_insert(p, 0, {3, 4}) == 0);
	USE(acre_array_insert(p++, 5, {3, 4}) == EINVAL && p == &a + 1);
	acre_array_set(&a, 0, {5, 6});
	acre_array_at(&a, 0)->y = 7;
	USE(acre_array_append(&a, a) == 0 && a.length == 4);
	USE(acre_array_append(&b, acre_array_slice(a, 1, 3)) == 0);
	USE(acre_array_copy(&b, a) == 0 && b.length == 4);
	USE(acre_array_remove(&b, 0) == 0 && b.length == 3);
	USE(acre_array_reserve(&a, 100) == 0 && a.capacity >= 100);
	USE(acre_array_shrink(&a) == 0 && a.capacity == 4);
	acre_array_transform(&a, x, {x->y, x->x});
	USE(acre_array_pop(&a).x == 2 && a.length == 3);
	USE(acre_array_sort(&a, x, y, x->x < y->x) == 0);
	acre_array_free(&a);
	acre_array_free(&b);
}

/* Calls in the arguments of calls, also of the same. */
static void
use_reading(acre_allocator in)
{
	const use_ints a = acre_array_of(use_ints, in, 5, 3, 1, 4);
	use_ints odd = acre_array_filter(use_ints, in, a, x, *x % 2 != 0);
	use_doubles halves = acre_array_map(use_doubles, in, odd, x, *x / 2.0);
	size_t n = 0;

	USE(acre_array_fold(halves, so_far, 0.0, x, so_far + *x) > 4.4);
	USE(acre_array_any(a, x, acre_array_any(odd, y, *x == *y)));
	USE(acre_array_count(acre_array_slice(acre_array_slice(a, 1, 4), 1, 3),
		x, *x > 1) == 1);
	USE(acre_array_find(a, x, *x == 1) == 2);
	USE(acre_array_ends_with(a, acre_array_slice(a, 3, 4), x, y,
		*x == *y));
	USE(acre_array_count(a, x, *x & 4) == 2);
	acre_array_each(i, x, a)
		acre_array_each(k, y, odd)
			n += *x == *y && i >= k;
	USE(n == 3);
	USE(acre_array_sort(&odd, x, y, *x < *y) == 0);
	USE(acre_array_search(odd, x, *x - 3) == 1);
	USE(acre_array_lower_bound(odd, x, *x < 4) == 2);
	acre_array_free(&odd);
	acre_array_free(&halves);
	in.free(in.userdata, a.data);
}

static void
use_trees_and_words(acre_allocator in)
{
	struct use_tree tree = {1, ACRE_ARRAY_IN(in)};
	use_words words = acre_array_of(use_words, in, "one", "two", "six");

	USE(acre_array_push(&tree.branches, {2, ACRE_ARRAY_IN(in)}) == 0);
	USE(tree.branches.data[0].number == 2);
	USE(acre_array_sort(&words, x, y, strcmp(*x, *y) < 0) == 0);
	USE(acre_array_search(words, x, strcmp(*x, "six")) == 1);
	acre_array_free(&tree.branches);
	acre_array_free(&words);
}

int
main(void)
{
	use_making(acre_malloc_allocator);
	use_changing(acre_malloc_allocator);
	use_reading(acre_malloc_allocator);
	use_trees_and_words(acre_malloc_allocator);
	printf("%s\n", use_failures ? "a call failed" : "every call works");
	return use_failures ? 1 : 0;
}
