/* SPDX-License-Identifier: MIT */
/* fork_budget_test.c - budgets in a child, whose parent's threads were just
 * charging them. */
#include "lib/budget.h"
#include "tests/forks.h"

enum { THREADS = 3, FORKS = 100, LIMIT = 100 };

static acre_budget *root, *middle, *leaf;
static atomic_bool ends;

/* Budgets are for regions of pools, which watch forks. */
static void
set_up(void)
{
	pool_with((acre_pool_options){0});
}

static void *
charge_and_discharge(void *unused)
{
	(void)unused;
	while (!ends)
		if (budget_charge(leaf, LIMIT / 2))
			budget_discharge(leaf, LIMIT / 2);
	return NULL;
}

/* What is refused must be refused at once; what was on its way at the fork has
 * no thread any more that might settle it. */
static void
charge_to_the_limit(void *unused)
{
	size_t room = 0;

	(void)unused;
	while (budget_charge(leaf, 1))
		room++;
	must(errno == ENOMEM);
	must(acre_budget_used(leaf) <= LIMIT);
	must(acre_budget_used(middle) <= LIMIT);
	must(acre_budget_used(root) <= LIMIT);
	budget_discharge(leaf, room);
	for (; room; room--)
		must(budget_charge(leaf, 1));
	must(acre_budget_create(leaf, LIMIT) != NULL);
}

START_TEST(a_child_does_not_wait_for_charges_of_lost_threads)
{
	pthread_t threads[THREADS];

	set_up();
	root = acre_budget_create(NULL, LIMIT);
	middle = acre_budget_create(root, LIMIT);
	leaf = acre_budget_create(middle, LIMIT);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
			charge_and_discharge, NULL), 0);
	for (int i = 0; i < FORKS; i++)
		in_child(charge_to_the_limit, NULL);
	ends = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(acre_budget_used(root), 0);
	ck_assert_int_eq(acre_budget_destroy(leaf), 0);
	ck_assert_int_eq(acre_budget_destroy(middle), 0);
	ck_assert_int_eq(acre_budget_destroy(root), 0);
}
END_TEST

static void
find_charged(void *unused)
{
	(void)unused;
	must(acre_budget_used(root) == LIMIT);
	must(acre_budget_used(leaf) == LIMIT / 2);
	must(!budget_charge(leaf, 1));
	budget_discharge(leaf, LIMIT / 2);
	must(acre_budget_used(root) == LIMIT / 2);
	must(acre_budget_used(leaf) == 0);
}

START_TEST(a_child_has_its_parents_charges)
{
	set_up();
	root = acre_budget_create(NULL, LIMIT);
	leaf = acre_budget_create(root, LIMIT);
	ck_assert(budget_charge(root, LIMIT / 2));
	ck_assert(budget_charge(leaf, LIMIT / 2));
	in_child(find_charged, NULL);
	find_charged(NULL);
	budget_discharge(root, LIMIT / 2);
	ck_assert_int_eq(acre_budget_destroy(leaf), 0);
	ck_assert_int_eq(acre_budget_destroy(root), 0);
}
END_TEST

static void *
create_and_destroy(void *unused)
{
	(void)unused;
	while (!ends)
		acre_budget_destroy(acre_budget_create(NULL, LIMIT));
	return NULL;
}

static void
create_one(void *unused)
{
	(void)unused;
	must(acre_budget_destroy(acre_budget_create(NULL, LIMIT)) == 0);
}

START_TEST(a_child_finds_the_list_of_budgets_whole)
{
	pthread_t thread;

	set_up();
	ck_assert_int_eq(pthread_create(&thread, NULL, create_and_destroy,
		NULL), 0);
	for (int i = 0; i < FORKS; i++)
		in_child(create_one, NULL);
	ends = true;
	pthread_join(thread, NULL);
}
END_TEST

SUITE_WITHOUT_SANITIZER("fork_budget",
	a_child_does_not_wait_for_charges_of_lost_threads,
	a_child_has_its_parents_charges,
	a_child_finds_the_list_of_budgets_whole)
