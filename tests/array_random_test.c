/* SPDX-License-Identifier: MIT */
/*
 * array_random_test.c - random calls on an array and on a plain model of it.
 *
 *	seed -> call, call, call ...  -> array \
 *	                              -> model  } are the same after each
 *
 * A call that fails must leave the array as it was, so the model is changed
 * only when it has not. The seed is printed; ARRAY_SEED=n repeats one.
 */
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "acre/array.h"
#include "tests/array_source.h"
#include "tests/suite.h"

#define MOST 300 /* elements; from here on calls that add do not */
#define STEPS 4000
#define SHORT_STEPS 60

/* With a gap between members and none at the end. */
struct item {
	char tag;
	int key;
	int serial;
};

typedef ACRE_ARRAY(struct item) items;
typedef ACRE_ARRAY(int) ints;

struct model {
	struct item at[2 * MOST];
	size_t n;
};

struct world {
	acre_allocator in;
	struct array_source *source; /* NULL: it cannot fail */
	size_t failures;             /* of source, that were seen */
	uint64_t random;
	items a;
	struct model m;
};

/* ---- chance ----------------------------------------------------------- */

static uint64_t seed;

/* Before main: Check runs each test in a child of its own. */
__attribute__((constructor)) static void
choose_seed(void)
{
	const char *text = getenv("ARRAY_SEED");

	seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
	printf("array_random_test: ARRAY_SEED=%llu\n",
		(unsigned long long)seed);
	fflush(stdout);
}

static size_t
below(struct world *w, size_t n)
{
	uint64_t x = w->random += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (size_t)((x ^ (x >> 31)) % n);
}

static struct item
some(struct world *w)
{
	return (struct item){(char)('a' + below(w, 3)), (int)below(w, 10),
		(int)below(w, 1u << 31)};
}

/* ---- the same --------------------------------------------------------- */

static bool
same(struct item x, struct item y)
{
	return x.tag == y.tag && x.key == y.key && x.serial == y.serial;
}

static bool
all_same(const struct item *x, const struct item *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!same(x[i], y[i]))
			return false;
	return true;
}

static void
check_items(items a, const struct item *at, size_t n)
{
	ck_assert_uint_eq(a.length, n);
	ck_assert(a.length <= a.capacity);
	ck_assert_int_eq(a.error, 0);
	if (!a.view)
		ck_assert_int_eq(a.data == NULL, a.capacity == 0);
	ck_assert(all_same(a.data, at, n));
}

/* Has it failed? Only where there was no memory. */
static bool
failed(struct world *w, int error)
{
	if (error == 0)
		return false;
	ck_assert_int_eq(error, ENOMEM);
	ck_assert_ptr_nonnull(w->source);
	ck_assert_uint_gt(w->source->failures, w->failures);
	w->failures = w->source->failures;
	return true;
}

/* An array that was made is what it should be, or failed and empty. */
static void
check_made(struct world *w, items made, const struct item *at, size_t n)
{
	if (failed(w, made.error)) {
		ck_assert_uint_eq(made.length, 0);
		ck_assert_uint_eq(made.capacity, 0);
		ck_assert_ptr_null(made.data);
		ck_assert_int_eq(acre_array_push(&made, {'x', 1, 1}), ENOMEM);
		ck_assert_int_eq(acre_array_shrink(&made), ENOMEM);
	} else {
		check_items(made, at, n);
	}
	acre_array_free(&made);
}

/* ---- the model's calls ------------------------------------------------ */

static void
model_insert(struct model *m, size_t i, struct item item)
{
	for (size_t k = m->n++; k > i; k--)
		m->at[k] = m->at[k - 1];
	m->at[i] = item;
}

static void
model_remove(struct model *m, size_t i)
{
	m->n--;
	for (; i < m->n; i++)
		m->at[i] = m->at[i + 1];
}

/* Each goes as far ahead as those of a larger key reach: stable. */
static void
model_sort(struct model *m)
{
	for (size_t i = 1; i < m->n; i++) {
		struct item item = m->at[i];
		size_t k = i;

		for (; k > 0 && m->at[k - 1].key > item.key; k--)
			m->at[k] = m->at[k - 1];
		m->at[k] = item;
	}
}

/* ---- calls that change ------------------------------------------------ */

static void
do_push(struct world *w)
{
	struct item item = some(w);

	if (!failed(w, acre_array_push(&w->a, item)))
		w->m.at[w->m.n++] = item;
}

/* The value is one of the array's own: it is read before anything moves. */
static void
do_push_own(struct world *w)
{
	size_t i;

	if (!w->m.n)
		return;
	i = below(w, w->m.n);
	if (!failed(w, acre_array_push(&w->a, *acre_array_at(&w->a, i))))
		w->m.at[w->m.n++] = w->m.at[i];
}

static void
do_insert_own(struct world *w)
{
	size_t i, at = below(w, w->m.n + 1);

	if (!w->m.n)
		return;
	i = below(w, w->m.n);
	if (!failed(w, acre_array_insert(&w->a, at, w->a.data[i])))
		model_insert(&w->m, at, (struct item)w->m.at[i]);
}

static void
do_pop(struct world *w)
{
	if (w->m.n)
		ck_assert(same(acre_array_pop(&w->a), w->m.at[--w->m.n]));
}

static void
do_insert(struct world *w)
{
	size_t i = below(w, w->m.n + 3);
	struct item item = some(w);
	int error = acre_array_insert(&w->a, i, item);

	if (i > w->m.n)
		ck_assert_int_eq(error, EINVAL);
	else if (!failed(w, error))
		model_insert(&w->m, i, item);
}

static void
do_remove(struct world *w)
{
	size_t i = below(w, w->m.n + 3);
	int error = acre_array_remove(&w->a, i);

	if (i >= w->m.n) {
		ck_assert_int_eq(error, EINVAL);
		return;
	}
	ck_assert_int_eq(error, 0);
	model_remove(&w->m, i);
}

static void
do_set(struct world *w)
{
	struct item item = some(w);
	size_t i;

	if (!w->m.n)
		return;
	i = below(w, w->m.n);
	acre_array_set(&w->a, i, item);
	w->m.at[i] = item;
	i = below(w, w->m.n);
	acre_array_at(&w->a, i)->key = 3;
	w->m.at[i].key = 3;
}

static void
do_append(struct world *w)
{
	struct model more = {.n = below(w, 20)};
	items other;

	for (size_t i = 0; i < more.n; i++)
		more.at[i] = some(w);
	other = acre_array_view(items, more.at, more.n);
	if (failed(w, acre_array_append(&w->a, other)))
		return;
	for (size_t i = 0; i < more.n; i++)
		w->m.at[w->m.n++] = more.at[i];
}

/* A part of itself, which may move when it grows. */
static void
do_append_own(struct world *w)
{
	size_t to = below(w, w->m.n + 1), from = below(w, to + 1);

	if (failed(w, acre_array_append(&w->a,
		acre_array_slice(w->a, from, to))))
		return;
	for (; from < to; from++)
		w->m.at[w->m.n++] = w->m.at[from];
}

/* A part of itself, or what comes from elsewhere. */
static void
do_copy(struct world *w)
{
	struct model old = w->m;
	size_t to = below(w, w->m.n + 1), from = below(w, to + 1);
	items part = acre_array_slice(w->a, from, to);
	struct item others[40];

	for (size_t i = 0; i < 40; i++)
		others[i] = some(w);
	if (below(w, 2))
		part = acre_array_view(items, others, below(w, 40));
	else
		memcpy(others, &old.at[from],
			(to - from <= 40 ? to - from : 0) * sizeof(*others));
	if (part.length > 40 || failed(w, acre_array_copy(&w->a, part)))
		return;
	memcpy(w->m.at, others, part.length * sizeof(*others));
	w->m.n = part.length;
}

static void
do_reserve(struct world *w)
{
	size_t n = below(w, 2 * MOST);

	if (!failed(w, acre_array_reserve(&w->a, n)))
		ck_assert_uint_ge(w->a.capacity, n);
}

static void
do_shrink(struct world *w)
{
	if (!failed(w, acre_array_shrink(&w->a)))
		ck_assert_uint_eq(w->a.capacity, w->m.n);
}

static void
do_transform(struct world *w)
{
	acre_array_transform(&w->a, x, {x->tag, (x->key + 1) % 10, x->serial});
	for (size_t i = 0; i < w->m.n; i++)
		w->m.at[i].key = (w->m.at[i].key + 1) % 10;
}

static void
do_sort(struct world *w)
{
	if (!failed(w, acre_array_sort(&w->a, x, y, x->key < y->key)))
		model_sort(&w->m);
}

static void
do_sort_slice(struct world *w)
{
	struct model part;
	size_t to = below(w, w->m.n + 1), from = below(w, to + 1);
	items slice = acre_array_slice(w->a, from, to);

	part.n = to - from;
	memcpy(part.at, &w->m.at[from], part.n * sizeof(part.at[0]));
	if (failed(w, acre_array_sort(&slice, x, y, x->key < y->key)))
		return;
	model_sort(&part);
	memcpy(&w->m.at[from], part.at, part.n * sizeof(part.at[0]));
}

static void
do_free(struct world *w)
{
	if (below(w, 8))
		return;
	acre_array_free(&w->a);
	ck_assert_uint_eq(w->a.capacity, 0);
	w->m.n = 0;
}

/* ---- calls that make -------------------------------------------------- */

static void
do_clone(struct world *w)
{
	items clone = acre_array_clone(items, w->in, w->a);

	ck_assert(clone.data != w->a.data || !clone.data);
	ck_assert_uint_eq(clone.capacity, clone.length);
	check_made(w, clone, w->m.at, w->m.n);
}

static void
do_from(struct world *w)
{
	check_made(w, acre_array_from(items, w->in, w->m.at, w->m.n), w->m.at,
		w->m.n);
}

static void
do_of(struct world *w)
{
	struct item first = some(w);
	const struct item at[] = {first, {'l', 2, 3}};

	check_made(w, acre_array_of(items, w->in, first, {'l', 2, 3}), at, 2);
}

static void
do_sized(struct world *w)
{
	size_t n = below(w, MOST);
	items made = acre_array_sized(items, w->in, n);

	for (size_t i = 0; i < made.length; i++)
		acre_array_set(&made, i, w->m.at[i]);
	check_made(w, made, w->m.at, n);
}

static void
do_zeroed(struct world *w)
{
	static const struct item zeros[MOST];
	size_t n = below(w, MOST);

	check_made(w, acre_array_zeroed(items, w->in, n), zeros, n);
}

static void
do_to_c(struct world *w)
{
	struct item *c = acre_array_to_c(w->in, w->a);

	if (failed(w, c ? 0 : ENOMEM))
		return;
	check_items(acre_array_view(items, c, w->m.n), w->m.at, w->m.n);
	w->in.free(w->in.userdata, c);
}

static void
do_filter(struct world *w)
{
	struct model kept = {.n = 0};
	int key = (int)below(w, 11);

	for (size_t i = 0; i < w->m.n; i++)
		if (w->m.at[i].key < key)
			kept.at[kept.n++] = w->m.at[i];
	check_made(w, acre_array_filter(items, w->in, w->a, x, x->key < key),
		kept.at, kept.n);
}

static void
do_map(struct world *w)
{
	size_t wrong = 0;
	ints keys = acre_array_map(ints, w->in, w->a, x, 2 * x->key);

	if (!failed(w, keys.error)) {
		ck_assert_uint_eq(keys.length, w->m.n);
		ck_assert_uint_eq(keys.capacity, w->m.n);
		for (size_t i = 0; i < w->m.n; i++)
			wrong += keys.data[i] != 2 * w->m.at[i].key;
		ck_assert_uint_eq(wrong, 0);
	}
	acre_array_free(&keys);
}

/* ---- calls that read -------------------------------------------------- */

static void
do_get(struct world *w)
{
	size_t i;

	if (!w->m.n)
		return;
	i = below(w, w->m.n);
	ck_assert(same(acre_array_get(w->a, i), w->m.at[i]));
	ck_assert_ptr_eq(acre_array_at(&w->a, i), &w->a.data[i]);
}

static void
do_slice(struct world *w)
{
	size_t from = below(w, w->m.n + 3), to = below(w, w->m.n + 3);
	items slice = acre_array_slice(w->a, from, to);

	if (from > to || to > w->m.n) {
		ck_assert_int_eq(slice.error, EINVAL);
		ck_assert_uint_eq(slice.length, 0);
		ck_assert_int_eq(acre_array_push(&slice, {'x', 1, 1}), EINVAL);
		return;
	}
	ck_assert_int_eq(acre_array_push(&slice, {'x', 1, 1}), EPERM);
	ck_assert_int_eq(slice.error, 0);
	ck_assert_uint_eq(slice.length, to - from);
	ck_assert(from == to || slice.data == &w->a.data[from]);
	acre_array_free(&slice);
}

static void
do_each(struct world *w)
{
	size_t n = 0, stop = below(w, MOST), wrong = 0;

	acre_array_each(i, x, w->a) {
		wrong += i != n || !same(*x, w->m.at[i]);
		if (i == stop)
			break;
		n++;
		if (i % 2)
			continue;
		wrong += i % 2;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(n, stop < w->m.n ? stop : w->m.n);
}

static void
do_fold(struct world *w)
{
	long sum = 0;

	for (size_t i = 0; i < w->m.n; i++)
		sum = 3 * (sum % 1000) + w->m.at[i].key;
	ck_assert_int_eq(sum, acre_array_fold(w->a, so_far, 0L, x,
		3 * (so_far % 1000) + x->key));
}

static void
do_find(struct world *w)
{
	int key = (int)below(w, 11);
	size_t n = 0, first = ACRE_NONE;

	for (size_t i = w->m.n; i-- > 0;)
		if (w->m.at[i].key == key) {
			n++;
			first = i;
		}
	ck_assert_uint_eq(acre_array_count(w->a, x, x->key == key), n);
	ck_assert_uint_eq(acre_array_find(w->a, x, x->key == key), first);
	ck_assert_int_eq(acre_array_any(w->a, x, x->key == key), n > 0);
	ck_assert_int_eq(acre_array_all(w->a, x, x->key == key), n == w->m.n);
}

static void
do_search(struct world *w)
{
	struct model sorted = w->m;
	items a = acre_array_view(items, sorted.at, sorted.n);
	int key = (int)below(w, 12) - 1;
	size_t place = 0;
	bool found;

	model_sort(&sorted);
	while (place < sorted.n && sorted.at[place].key < key)
		place++;
	found = place < sorted.n && sorted.at[place].key == key;
	ck_assert_uint_eq(acre_array_lower_bound(a, x, x->key < key), place);
	ck_assert_uint_eq(acre_array_search(a, x, x->key - key),
		found ? place : ACRE_NONE);
}

/* Against a part of itself, of which one element may be another. */
static void
do_equal(struct world *w)
{
	struct model part = {.n = below(w, w->m.n + 2)};
	const struct item *end = &w->m.at[w->m.n];
	size_t n = part.n;
	bool fits = n <= w->m.n;
	items b = acre_array_view(items, part.at, n);

	memcpy(part.at, below(w, 2) && fits ? end - n : w->m.at,
		n * sizeof(*end));
	if (n && below(w, 2))
		part.at[below(w, n)] = some(w);
	ck_assert_int_eq(acre_array_equal(w->a, b, x, y, same(*x, *y)),
		n == w->m.n && all_same(w->m.at, part.at, n));
	ck_assert_int_eq(acre_array_starts_with(w->a, b, x, y, same(*x, *y)),
		fits && all_same(w->m.at, part.at, n));
	ck_assert_int_eq(acre_array_ends_with(w->a, b, x, y, same(*x, *y)),
		fits && all_same(end - n, part.at, n));
}

/* ---- sequences -------------------------------------------------------- */

/* Those that add come first: they are left out when there are enough. */
#define ADDERS 6

static void (*const calls[])(struct world *) = {
	do_push, do_push_own, do_insert, do_append, do_append_own,
	do_insert_own, do_pop, do_remove, do_set, do_copy, do_reserve,
	do_shrink,
	do_transform, do_sort, do_sort_slice, do_free, do_clone, do_from,
	do_of, do_sized, do_zeroed, do_to_c, do_filter, do_map, do_get,
	do_slice, do_each, do_fold, do_find, do_search, do_equal,
};

static void
step(struct world *w)
{
	size_t n = sizeof(calls) / sizeof(calls[0]);
	size_t call = below(w, 3) ? below(w, n) : below(w, ADDERS);

	if (w->m.n >= MOST)
		call = ADDERS + below(w, n - ADDERS);
	calls[call](w);
	check_items(w->a, w->m.at, w->m.n);
}

static void
run(acre_allocator in, struct array_source *source, uint64_t random,
	size_t steps)
{
	struct world w = {.in = in, .source = source, .random = random};

	w.a = (items)ACRE_ARRAY_IN(in);
	for (size_t i = 0; i < steps; i++)
		step(&w);
	acre_array_free(&w.a);
}

START_TEST(calls_do_what_a_plain_model_does)
{
	for (uint64_t i = 0; i < 10; i++) {
		struct array_source source = {.calls = 0};

		run(array_source_allocator(&source), &source, seed + i,
			STEPS);
		ck_assert_uint_eq(source.live, 0);
		ck_assert_uint_eq(source.wrong, 0);
	}
}
END_TEST

START_TEST(an_allocator_needs_no_reallocate)
{
	struct array_source source = {.calls = 0};
	acre_allocator in = array_source_allocator(&source);

	in.reallocate = NULL;
	run(in, &source, seed, STEPS);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(in_malloc_they_do_the_same)
{
	run(acre_malloc_allocator, NULL, seed, STEPS);
}
END_TEST

START_TEST(in_a_region_they_do_the_same)
{
	acre_pool *pool = acre_pool_create(NULL);

	for (uint64_t i = 0; i < 10; i++) {
		acre_region *region = acre_region_open(pool);

		run(acre_region_allocator(region), NULL, seed + i, STEPS);
		ck_assert(!acre_region_failed(region));
		acre_region_close(region);
		region = acre_region_open(pool);
		run(acre_region_sized_allocator(region), NULL, seed + i,
			STEPS);
		acre_region_close(region);
	}
	assert_balanced(pool);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* The nth call fails, for each n, until a sequence has made fewer calls, which
 * n then are. */
static size_t
fail_each(uint64_t random)
{
	struct array_source source;
	size_t n = 0;

	do {
		source = (struct array_source){.fail_at = ++n};
		run(array_source_allocator(&source), &source, random,
			SHORT_STEPS);
		ck_assert_uint_eq(source.live, 0);
		ck_assert_uint_eq(source.wrong, 0);
	} while (source.failures);
	return n;
}

START_TEST(every_allocation_may_fail)
{
	size_t failures = 0;

	for (uint64_t i = 0; i < 40; i++)
		failures += fail_each(seed + i);
	ck_assert_uint_gt(failures, 40 * SHORT_STEPS / 10);
}
END_TEST

SUITE("array_random", calls_do_what_a_plain_model_does,
	an_allocator_needs_no_reallocate, in_malloc_they_do_the_same,
	in_a_region_they_do_the_same, every_allocation_may_fail)
