/* SPDX-License-Identifier: MIT */
/* budget_test.c - limits that several regions share: what is charged, what is
 * refused, and when charges end. */
#include "lib/region.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/fixture.h"
#include "tests/source.h"

static acre_budget *budget;

static acre_budget *
budget_of(acre_budget *parent, size_t limit)
{
	acre_budget *made = acre_budget_create(parent, limit);

	ck_assert_ptr_nonnull(made);
	return made;
}

/* A pool, and a region with a budget of so many bytes. */
static void
setup_within(size_t limit)
{
	setup();
	acre_region_close(region);
	budget = budget_of(NULL, limit);
	region = open_with((acre_region_options){.budget = budget});
}

static void
teardown_within(void)
{
	teardown();
	ck_assert_uint_eq(acre_budget_used(budget), 0);
	ck_assert_int_eq(acre_budget_destroy(budget), 0);
}

static void
assert_charged(size_t bytes)
{
	ck_assert_uint_eq(acre_budget_used(budget), bytes);
}

static void
assert_refused(acre_region *r, size_t size)
{
	size_t used = acre_budget_used(budget);
	size_t held = acre_region_held(r);

	errno = 0;
	ck_assert_ptr_null(acre_alloc(r, size));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(acre_region_failed(r), 1);
	ck_assert_uint_eq(acre_region_held(r), held);
	assert_charged(used);
}

/* ---- what is charged ---- */

START_TEST(a_region_is_charged_what_it_holds)
{
	static const size_t sizes[] = {
		1, 3000, 3000, 8 * KIB, 8 * KIB + 1, 100 * KIB, 512 * KIB,
		512 * KIB + 1, 3 * MIB,
	};

	setup_within(SIZE_MAX);
	assert_charged(PAGE);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		filled(region, sizes[i], 1);
		assert_charged(acre_region_held(region));
	}
	ck_assert_uint_gt(acre_region_held(region), 4 * MIB);
	assert_held(acre_region_held(region));
	teardown_within();
}
END_TEST

START_TEST(regions_of_all_threads_and_pools_add_up)
{
	acre_pool *other = pool_with((acre_pool_options){.page_size = 8192});
	acre_region_options options;
	acre_region *there;

	setup_within(3 * PAGE);
	options = (acre_region_options){.budget = budget};
	there = acre_region_open_with(other, &options);
	assert_charged(3 * PAGE);
	ck_assert_ptr_null(acre_region_open_with(pool, &options));
	ck_assert_int_eq(errno, ENOMEM);
	acre_region_close(there);
	assert_charged(PAGE);
	ck_assert_int_eq(acre_pool_destroy(other), 0);
	teardown_within();
}
END_TEST

START_TEST(other_regions_are_charged_nothing)
{
	setup_within(PAGE);
	acre_region_close(acre_region_open(pool));
	filled(open_child(region), 100 * KIB, 1);
	assert_charged(PAGE);
	ck_assert_int_eq(acre_region_failed(region), 0);
	teardown_within();
}
END_TEST

START_TEST(a_child_is_charged_to_its_own_budget)
{
	acre_budget *childs;
	acre_region *child;

	setup_within(2 * PAGE);
	childs = budget_of(budget, PAGE);
	child = open_with((acre_region_options){
		.parent = region, .budget = childs});
	assert_charged(2 * PAGE);
	ck_assert_uint_eq(acre_budget_used(childs), PAGE);
	assert_refused(child, 5000);
	assert_refused(region, 5000);
	acre_region_close(region);
	assert_charged(0);
	ck_assert_int_eq(acre_budget_destroy(childs), 0);
	region = NULL;
	teardown_within();
}
END_TEST

START_TEST(the_callers_buffer_is_not_charged)
{
	static char buffer[2000];
	acre_region *r;

	setup_within(PAGE);
	r = open_with((acre_region_options){.budget = budget,
		.buffer = buffer, .buffer_size = sizeof(buffer)});
	assert_charged(PAGE);
	fill_block(r);
	assert_refused(r, 1);
	acre_region_close(region);
	region = NULL;
	filled(r, 1, 1);
	assert_charged(PAGE);
	acre_region_close(r);
	teardown_within();
}
END_TEST

/* ---- what is refused ---- */

START_TEST(the_limit_is_reached_to_the_byte)
{
	unsigned char *first, *last;

	setup_within(PAGE + 2 * MIB);
	first = filled(region, 100, 1);
	last = filled(region, 2 * MIB, 2);
	assert_charged(PAGE + 2 * MIB);
	fill_block(region);
	assert_refused(region, 1);
	assert_filled(first, 100, 1);
	assert_filled(last, 2 * MIB, 2);
	acre_free(region, last, 2 * MIB);
	assert_charged(PAGE);
	assert_refused(region, 2 * MIB + 1);
	filled(region, 2 * MIB, 2);
	teardown_within();
}
END_TEST

START_TEST(a_large_object_without_room_for_its_record_is_refused)
{
	setup_within(PAGE + MIB);
	fill_block(region);
	assert_refused(region, MIB);
	ck_assert_uint_eq(stats_of(pool).large_bytes, 0);
	filled(region, 1, 1);
	filled(region, 20 * KIB, 1);
	teardown_within();
}
END_TEST

START_TEST(a_limit_of_less_than_a_page_opens_nothing)
{
	acre_budget *small = budget_of(NULL, PAGE - 1);
	acre_region_options options = {.budget = small};

	setup();
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(pool, &options));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(acre_budget_used(small), 0);
	ck_assert_int_eq(acre_budget_destroy(small), 0);
	ck_assert_uint_eq(stats_of(pool).regions_open, 1);
	teardown();
}
END_TEST

START_TEST(every_ancestor_is_charged_and_may_refuse)
{
	static const size_t rows[][3] = { /* limits, the leaf's first */
		{4 * PAGE, SIZE_MAX, SIZE_MAX},
		{SIZE_MAX, 4 * PAGE, SIZE_MAX},
		{SIZE_MAX, SIZE_MAX, 4 * PAGE},
		{5 * PAGE, 5 * PAGE, 5 * PAGE - 1},
	};

	setup();
	for (size_t i = 0; i < COUNT(rows); i++) {
		acre_budget *root = budget_of(NULL, rows[i][2]);
		acre_budget *middle = budget_of(root, rows[i][1]);
		acre_region *r;

		budget = budget_of(middle, rows[i][0]);
		r = open_with((acre_region_options){.budget = budget});
		for (int n = 0; n < 3; n++)
			filled(r, 4000, 1);
		fill_block(r);
		assert_refused(r, 1);
		ck_assert_uint_eq(acre_budget_used(middle), 4 * PAGE);
		ck_assert_uint_eq(acre_budget_used(root), 4 * PAGE);
		acre_region_close(r);
		ck_assert_uint_eq(acre_budget_used(root), 0);
		ck_assert_int_eq(acre_budget_destroy(budget), 0);
		ck_assert_int_eq(acre_budget_destroy(middle), 0);
		ck_assert_int_eq(acre_budget_destroy(root), 0);
	}
	teardown();
}
END_TEST

START_TEST(a_regions_own_limit_holds_too)
{
	acre_region *r;

	setup_within(4 * PAGE);
	r = open_with((acre_region_options){
		.budget = budget, .max_bytes = 2 * PAGE});
	filled(r, 4000, 1);
	assert_charged(3 * PAGE);
	assert_refused(r, 4000);
	acre_region_close(r);
	r = open_with((acre_region_options){
		.budget = budget, .max_bytes = 20 * PAGE});
	for (int i = 0; i < 2; i++)
		filled(r, 4000, 1);
	assert_refused(r, 4000);
	acre_region_close(r);
	teardown_within();
}
END_TEST

/* ---- larger blocks than needed are not insisted on ---- */

/* Have the thread learn that its regions need more than a page. */
static void
learn_larger(void)
{
	for (int i = 0; i < 100; i++) {
		acre_region *r = acre_region_open(pool);

		filled(r, 4000, 1);
		acre_region_close(r);
	}
	ck_assert_uint_eq(acre_region_held(acre_region_open(pool)), 2 * PAGE);
}

START_TEST(a_learned_first_block_is_not_insisted_on)
{
	acre_region *r;

	setup();
	learn_larger();
	budget = budget_of(NULL, 3 * PAGE);
	r = open_with((acre_region_options){.budget = budget});
	ck_assert_uint_eq(acre_region_held(r), 2 * PAGE);
	acre_region_close(r);
	acre_region_close(region);
	region = open_with((acre_region_options){.budget = budget});
	r = open_with((acre_region_options){.budget = budget});
	ck_assert_uint_eq(acre_region_held(r), PAGE);
	assert_charged(3 * PAGE);
	acre_region_close(r);
	acre_region_close(region);
	assert_charged(0);
	ck_assert_int_eq(acre_budget_destroy(budget), 0);
}
END_TEST

START_TEST(a_large_next_block_is_not_insisted_on)
{
	const size_t limit = 300 * KIB + PAGE;

	setup_within(limit);
	while (acre_budget_used(budget) < limit) {
		size_t before = acre_budget_used(budget);

		filled(region, 4000, 1);
		ck_assert_uint_le(before, acre_budget_used(budget));
	}
	fill_block(region);
	assert_refused(region, 1);
	assert_charged(limit);
	teardown_within();
}
END_TEST

/* ---- when charges end ---- */

START_TEST(reset_ends_all_charges_but_the_first_block)
{
	setup_within(SIZE_MAX);
	for (int i = 0; i < 100; i++)
		filled(region, 4000, 1);
	filled(region, MIB, 1);
	acre_region_reset(region);
	assert_charged(PAGE);
	filled(region, 4000, 1);
	assert_charged(2 * PAGE);
	teardown_within();
}
END_TEST

START_TEST(rewind_ends_charges_since_the_mark)
{
	acre_mark mark;
	size_t before;

	setup_within(SIZE_MAX);
	filled(region, 4000, 1);
	filled(region, 600 * KIB, 1);
	mark = acre_region_mark(region);
	before = acre_budget_used(budget);
	for (int i = 0; i < 100; i++)
		filled(region, 4000, 1);
	filled(region, MIB, 1);
	filled(region, 20 * KIB, 1);
	acre_region_rewind(region, mark);
	assert_charged(before);
	assert_held(before);
	teardown_within();
}
END_TEST

START_TEST(freeing_a_large_object_ends_its_charge)
{
	static const size_t sizes[] = {20 * KIB, 512 * KIB, 5 * MIB};

	setup_within(SIZE_MAX);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		unsigned char *p = filled(region, sizes[i], 1);

		ck_assert_uint_gt(acre_budget_used(budget), sizes[i]);
		acre_free(region, p, sizes[i]);
		assert_charged(PAGE);
	}
	teardown_within();
}
END_TEST

/* Sizes to reallocate to, one after the other. */
static const size_t resizes[] = {
	600 * KIB, 2 * MIB, 700 * KIB, 20 * KIB, 100, 30 * KIB, 4 * MIB, 1,
};

START_TEST(reallocating_changes_the_charge)
{
	struct test_source source = {.alignment = PAGE};

	test_source_init(&source);
	source.allocator.reallocate = test_source_reallocate;
	for (int resizing = 0; resizing < 2; resizing++) {
		void *p = NULL;

		setup_with((acre_pool_options){.source =
			resizing ? &source.allocator : NULL});
		acre_region_close(region);
		budget = budget_of(NULL, SIZE_MAX);
		region = open_with((acre_region_options){.budget = budget});
		for (size_t i = 0; i < COUNT(resizes); i++) {
			p = acre_realloc(region, p, i ? resizes[i - 1] : 0,
				resizes[i]);
			ck_assert_ptr_nonnull(p);
			assert_charged(acre_region_held(region));
			assert_held(acre_region_held(region));
		}
		teardown_within();
	}
}
END_TEST

START_TEST(what_may_not_grow_stays_as_it_was)
{
	struct test_source source = {.alignment = PAGE};
	unsigned char *p;

	test_source_init(&source);
	source.allocator.reallocate = test_source_reallocate;
	setup_with((acre_pool_options){.source = &source.allocator});
	acre_region_close(region);
	budget = budget_of(NULL, 2 * MIB + PAGE);
	region = open_with((acre_region_options){.budget = budget});
	p = filled(region, MIB, 1);
	ck_assert_ptr_null(acre_realloc(region, p, MIB, 2 * MIB + 1));
	ck_assert_int_eq(errno, ENOMEM);
	assert_charged(MIB + PAGE);
	assert_filled(p, MIB, 1);
	p = acre_realloc(region, p, MIB, 2 * MIB);
	ck_assert_ptr_nonnull(p);
	assert_charged(2 * MIB + PAGE);
	teardown_within();
}
END_TEST

START_TEST(a_closed_bundles_charge_ends)
{
	setup_within(SIZE_MAX);
	for (int i = 0; i < 500; i++)
		filled(region, 4000, 1);
	ck_assert_uint_gt(acre_budget_used(budget), MIB);
	acre_region_close(region);
	assert_charged(0);
	region = NULL;
	teardown_within();
}
END_TEST

START_TEST(a_retired_regions_charge_ends_with_its_limbo)
{
	setup_within(SIZE_MAX);
	filled(open_with((acre_region_options){.parent = region,
		.budget = budget}), 20 * KIB, 1);
	for (int i = 0; i < 500; i++)
		filled(region, 4000, 1);
	ck_assert_int_eq(acre_region_retire(region), 0);
	region = NULL;
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	assert_charged(0);
	teardown_within();
}
END_TEST

static acre_budget *seen_budget;
static size_t seen_used;
static int seen_destroy;

static void
look_at_budget(void *unused)
{
	(void)unused;
	seen_used = acre_budget_used(seen_budget);
	seen_destroy = acre_budget_destroy(seen_budget);
}

START_TEST(in_limbo_it_is_charged)
{
	setup_within(SIZE_MAX);
	seen_budget = budget;
	ck_assert_int_eq(acre_cleanup_add(region, look_at_budget, NULL), 0);
	ck_assert_int_eq(acre_region_retire(region), 0);
	region = NULL;
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_uint_eq(seen_used, PAGE);
	ck_assert_int_eq(seen_destroy, EBUSY);
	teardown_within();
}
END_TEST

static void *
close_it(void *r)
{
	acre_region_close(r);
	return NULL;
}

static void *
adopt_and_grow(void *r)
{
	ck_assert_int_eq(acre_region_adopt(r), 0);
	filled(r, 4000, 1);
	ck_assert_int_eq(acre_region_detach(r), 0);
	return NULL;
}

START_TEST(any_thread_is_charged_and_ends_charges)
{
	setup_within(3 * PAGE);
	filled(region, 4000, 1);
	ck_assert_int_eq(acre_region_detach(region), 0);
	on_thread(adopt_and_grow, region);
	assert_charged(3 * PAGE);
	ck_assert_int_eq(acre_region_adopt(region), 0);
	assert_refused(region, 4000);
	on_thread(close_it, region);
	region = NULL;
	teardown_within();
}
END_TEST

/* ---- when the pool or the source refuses ---- */

START_TEST(what_the_pool_refuses_is_not_charged)
{
	setup_with((acre_pool_options){
		.max_bytes = 32 * PAGE, .chunk_size = 32 * PAGE});
	budget = budget_of(budget_of(NULL, SIZE_MAX), SIZE_MAX);
	acre_region_close(region);
	region = open_with((acre_region_options){.budget = budget});
	while (acre_alloc(region, 4000))
		assert_charged(acre_region_held(region));
	ck_assert_int_eq(errno, ENOMEM);
	assert_charged(acre_region_held(region));
	assert_refused(region, 10 * KIB);
	assert_refused(region, MIB);
	ck_assert_ptr_null(acre_region_open_with(pool,
		&(acre_region_options){.budget = budget}));
	assert_charged(acre_region_held(region));
	teardown_within();
}
END_TEST

START_TEST(a_source_that_fails_is_like_a_limit)
{
	struct test_source source = {.alignment = PAGE};
	unsigned char *first;
	size_t held;

	setup_with((acre_pool_options){.source = test_source_init(&source)});
	acre_region_close(region);
	budget = budget_of(NULL, SIZE_MAX);
	region = open_with((acre_region_options){.budget = budget});
	first = filled(region, 100, 1);
	source.fail_at = source.calls + 1;
	while (acre_alloc(region, 4000))
		;
	ck_assert_int_eq(errno, ENOMEM);
	held = acre_region_held(region);
	assert_charged(held);
	assert_refused(region, MIB);
	assert_filled(first, 100, 1);
	source.fail_at = 0;
	filled(region, 4000, 2);
	filled(region, MIB, 2);
	ck_assert_uint_gt(acre_region_held(region), held + MIB);
	assert_charged(acre_region_held(region));
	teardown_within();
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

/* The process's address space, in bytes. */
static size_t
address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	return pages * PAGE;
}

/* qemu-user, which runs other machines' suites, keeps no limit. */
static bool
is_limited(void)
{
	void *p = mmap(NULL, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);

	if (p != MAP_FAILED)
		munmap(p, 64 * MIB);
	return p == MAP_FAILED;
}

/* Sanitizers want address space of their own. */
START_TEST(so_is_the_systems_limit)
{
	struct rlimit before, now;
	unsigned char *first;
	size_t held;

	if (SANITIZED)
		return;
	setup_within(SIZE_MAX);
	first = filled(region, 100, 1);
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
	now = before;
	now.rlim_cur = address_space() + 16 * MIB;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &now), 0);
	if (!is_limited())
		return;
	assert_refused(region, 64 * MIB);
	while (acre_alloc(region, 4000))
		;
	ck_assert_int_eq(errno, ENOMEM);
	held = acre_region_held(region);
	assert_charged(held);
	ck_assert_uint_gt(held, MIB);
	ck_assert_uint_le(held, 32 * MIB);
	assert_filled(first, 100, 1);
	acre_region_reset(region);
	assert_charged(PAGE);
	while (acre_region_held(region) < held)
		filled(region, 4000, 1);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
	filled(region, 64 * MIB, 1);
	teardown_within();
}
END_TEST

/* ---- budgets themselves ---- */

START_TEST(a_limit_of_nothing_is_refused)
{
	errno = 0;
	ck_assert_ptr_null(acre_budget_create(NULL, 0));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(acre_budget_destroy(NULL), 0);
}
END_TEST

START_TEST(destroy_refuses_while_it_is_used)
{
	static char buffer[1000];
	acre_budget *below;
	acre_region *r;

	setup_within(PAGE);
	ck_assert_int_eq(acre_budget_destroy(budget), EBUSY);
	acre_region_close(region);
	below = budget_of(budget, 1);
	ck_assert_int_eq(acre_budget_destroy(budget), EBUSY);
	ck_assert_int_eq(acre_budget_destroy(below), 0);
	r = open_with((acre_region_options){.budget = budget,
		.buffer = buffer, .buffer_size = sizeof(buffer)});
	ck_assert_int_eq(acre_budget_destroy(budget), EBUSY);
	acre_region_close(r);
	region = NULL;
	teardown_within();
}
END_TEST

/* What an open that fails leaves behind would keep a budget from its end. */
START_TEST(a_failed_open_does_not_use_it)
{
	setup_with((acre_pool_options){
		.max_bytes = PAGE, .chunk_size = PAGE,
		.source = &acre_mmap_allocator});
	budget = budget_of(NULL, SIZE_MAX);
	ck_assert_ptr_null(acre_region_open_with(pool,
		&(acre_region_options){.budget = budget}));
	ck_assert_int_eq(errno, ENOMEM);
	teardown_within();
}
END_TEST

/* ---- many threads ---- */

enum { THREADS = 4, TURNS = SANITIZED ? 50000 : 2000000 };

static pthread_barrier_t start;

/* The root always refuses the large charges; all limits always have room for
 * the small ones, but for what comes to nothing. */
enum { SMALL = 30, LARGE = 80, ROOT = 60, BELOW = 130 };

/* Charge size, again and again; returns how often that went wrong. */
static void *
charge(void *size)
{
	bool fits = (uintptr_t)size == SMALL;
	uintptr_t wrong = 0;

	pthread_barrier_wait(&start);
	for (int i = 0; i < TURNS; i++) {
		bool charged = budget_charge(budget, (uintptr_t)size);

		if (charged)
			budget_discharge(budget, (uintptr_t)size);
		wrong += charged != fits;
	}
	return (void *)wrong;
}

START_TEST(nobody_is_refused_for_what_comes_to_nothing)
{
	acre_budget *root = budget_of(NULL, ROOT);
	acre_budget *middle = budget_of(root, BELOW);
	pthread_t threads[THREADS];

	budget = budget_of(middle, BELOW);
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, charge,
			(void *)(uintptr_t)(i % 2 ? SMALL : LARGE)), 0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		ck_assert_uint_eq((uintptr_t)wrong, 0);
	}
	pthread_barrier_destroy(&start);
	assert_charged(0);
	ck_assert_uint_eq(acre_budget_used(middle), 0);
	ck_assert_uint_eq(acre_budget_used(root), 0);
	ck_assert_int_eq(acre_budget_destroy(budget), 0);
	ck_assert_int_eq(acre_budget_destroy(middle), 0);
	ck_assert_int_eq(acre_budget_destroy(root), 0);
}
END_TEST

SUITE("budget",
	a_region_is_charged_what_it_holds,
	regions_of_all_threads_and_pools_add_up,
	other_regions_are_charged_nothing,
	a_child_is_charged_to_its_own_budget,
	the_callers_buffer_is_not_charged,
	the_limit_is_reached_to_the_byte,
	a_large_object_without_room_for_its_record_is_refused,
	a_limit_of_less_than_a_page_opens_nothing,
	every_ancestor_is_charged_and_may_refuse,
	a_regions_own_limit_holds_too,
	a_learned_first_block_is_not_insisted_on,
	a_large_next_block_is_not_insisted_on,
	reset_ends_all_charges_but_the_first_block,
	rewind_ends_charges_since_the_mark,
	freeing_a_large_object_ends_its_charge,
	reallocating_changes_the_charge,
	what_may_not_grow_stays_as_it_was,
	a_closed_bundles_charge_ends,
	a_retired_regions_charge_ends_with_its_limbo,
	in_limbo_it_is_charged,
	any_thread_is_charged_and_ends_charges,
	what_the_pool_refuses_is_not_charged,
	a_source_that_fails_is_like_a_limit,
	so_is_the_systems_limit,
	a_limit_of_nothing_is_refused,
	destroy_refuses_while_it_is_used,
	a_failed_open_does_not_use_it,
	nobody_is_refused_for_what_comes_to_nothing)
